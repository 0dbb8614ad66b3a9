"""A run over many pictures: what is skipped, what fails, what the report says, and what an interruption leaves."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from many_files import differences, make, memory_of
from PIL import Image
from tiny_models import LABELS, save_tiny_model

from pix2pix.batch import translating
from pix2pix.batch.files import Found
from pix2pix.batch.leftovers import in_use, remove_leftovers
from pix2pix.batch.names import Job, plan
from pix2pix.batch.report import NAMED, Outcome, Record, failure_lines, write_report
from pix2pix.batch.sheet import PAIRS, TILE, write_sheet
from pix2pix.batch.translating import picture_work, run_all
from pix2pix.config import load_task
from pix2pix.images import Metadata, Picture, read_image
from pix2pix.translate import main
from pix2pix.translator import Translator

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def model(tmp_path: Path) -> str:
    return str(save_tiny_model(tmp_path / "run" / "model.safetensors"))


def save(path: Path, height: int = 20, width: int = 30, seed: int = 0, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, **options)
    return path


def report_of(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "report.json").read_text())
    return content


def test_a_tree_goes_in_and_comes_out_with_names_formats_and_metadata(tmp_path: Path, model: str) -> None:
    exif = Image.Exif()
    exif[0x010E] = "the old mill"
    save(tmp_path / "in" / "a" / "x.jpg", exif=exif, dpi=(300, 300))
    for name in ("a/b/x.png", "x.webp", "y.TIF", "z.bmp"):
        save(tmp_path / "in" / name)
    arguments = ["--model", model, str(tmp_path / "in"), "--out", str(tmp_path / "out"), "-r"]
    assert main(arguments) == 0
    outputs = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.*")}
    assert outputs == {"a/x.jpg", "a/b/x.png", "x.webp", "y.TIF", "z.png", "report.json"}
    formats = {"a/x.jpg": "JPEG", "a/b/x.png": "PNG", "x.webp": "WEBP", "y.TIF": "TIFF", "z.png": "PNG"}
    for name, expected in formats.items():
        with Image.open(tmp_path / "out" / name) as image:
            assert image.format == expected
    with Image.open(tmp_path / "out" / "a" / "x.jpg") as image:
        assert image.getexif()[0x010E] == "the old mill"
        assert image.info["dpi"] == (300, 300)
    assert main([*arguments[:-3], "--out", str(tmp_path / "png"), "-r", "--format", "png"]) == 0
    assert {path.suffix for path in (tmp_path / "png").rglob("*.*")} == {".png", ".json"}


def test_labels_are_never_written_as_jpeg(tmp_path: Path) -> None:
    labels = {"target": "labels_onehot", "palette": LABELS["data"]["palette"]}
    model = str(save_tiny_model(tmp_path / "m.safetensors", data=labels))
    for name in ("x.jpg", "y.tif"):
        save(tmp_path / "in" / name)
    arguments = ["--model", model, str(tmp_path / "in"), "--out", str(tmp_path / "out")]
    assert main(arguments) == 0
    assert sorted(os.listdir(tmp_path / "out")) == ["report.json", "x.png", "y.tif"]
    colours = {tuple(map(int, colour)) for colour in read_image(tmp_path / "out" / "x.png").reshape(-1, 3)}
    assert colours <= set(LABELS["data"]["palette"].values())
    with pytest.raises(ValueError, match="--format jpg: cannot hold this model's exact values, expected png or tiff"):
        main([*arguments, "--format", "jpg"])


def test_skip_existing_leaves_whole_outputs_alone(
    tmp_path: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [save(tmp_path / "in" / f"{index}.png", seed=index) for index in range(5)]
    out = tmp_path / "out"
    arguments = ["--model", model, str(tmp_path / "in"), "--out", str(out)]
    assert main(arguments) == 0
    whole = {path.name: path.read_bytes() for path in out.glob("*.png")}
    (out / "1.png").unlink()
    (out / "2.png").write_bytes(b"")
    (out / "3.png").write_bytes(b"another's")
    assert main([*arguments, "--skip-existing"]) == 0
    assert "3 pictures left alone" in capsys.readouterr().out
    assert {name: (out / name).read_bytes() == whole[name] for name in whole} == {
        f"{index}.png": index != 3 for index in range(5)
    }
    report = report_of(out)
    assert report["totals"] == {"pictures": 5, "done": 2, "skipped": 3, "failed": 0, "not begun": 0}
    assert [each["status"] for each in report["pictures"]] == ["skipped", "done", "done", "skipped", "skipped"]
    assert [each["input"] for each in report["pictures"]] == list(map(str, files))


def test_the_report_tells_all(tmp_path: Path, model: str) -> None:
    save(tmp_path / "in" / "a.png", 20, 30)
    (tmp_path / "in" / "b.jpg").write_text("no picture")
    out = tmp_path / "out"
    assert main(["--model", model, str(tmp_path / "in"), "--out", str(out), "--pixel-limit", "1000"]) == 1
    report = report_of(out)
    assert report["totals"] == {"pictures": 2, "done": 1, "skipped": 0, "failed": 1, "not begun": 0}
    good, bad = report["pictures"]
    assert good.items() >= {"status": "done", "width": 30, "height": 20, "outputs": [str(out / "a.png")]}.items()
    assert good["seconds"] > 0
    assert bad["status"] == "failed"
    assert "b.jpg" in bad["reason"]
    assert (report["program"], report["model"], report["stopped by"]) == ("pix2pix translate", model, None)
    assert report["settings"]["pixel_limit"] == 1000
    assert not list(out.glob(".*"))


def test_one_file_leaves_one_file(tmp_path: Path, model: str) -> None:
    assert main(["--model", model, str(save(tmp_path / "x.png"))]) == 0
    assert os.listdir(tmp_path / "translated") == ["x.png"]


def test_of_many_failures_the_first_are_named_and_the_report_has_all(tmp_path: Path) -> None:
    jobs = [Job(tmp_path / f"{index}\n\udcff.png", ()) for index in range(NAMED + 5)]
    records = [Record(job, "failed", "broken") for job in jobs]
    outcome = Outcome(records, 100, 1.0, signal.SIGTERM)
    write_report(tmp_path / "report.json", {"x": 1}, outcome)
    lines = failure_lines(outcome, tmp_path / "report.json")
    assert lines[NAMED] == f"... and 5 more, see {tmp_path / 'report.json'}"
    assert lines[-1].startswith("stopped, 75 pictures not begun")
    report = report_of(tmp_path)
    assert [Path(each["input"]) for each in report["pictures"]] == [job.source for job in jobs]
    assert (report["x"], report["stopped by"], outcome.status) == (1, "SIGTERM", 143)
    assert len(failure_lines(Outcome(records, NAMED + 5, 1.0), None)) == NAMED + 6
    write_report(tmp_path / "report.json", {}, Outcome([], 0, 0.0))
    assert report_of(tmp_path)["pictures"] == []


class Echo:
    """A translator that gives back what it gets."""

    task = load_task("facades")

    def __init__(self, each: float = 0.0) -> None:
        self.each, self.lock, self.running, self.most = each, threading.Lock(), 0, 0

    def read_picture(self, path: Path, pixel_limit: int | None) -> Picture:
        return Picture(read_image(path), Metadata(), path.suffix)

    def __call__(self, image: np.ndarray, seed: int | None, guidance: None) -> np.ndarray:
        with self.lock:
            self.running += 1
            self.most = max(self.most, self.running)
        time.sleep(self.each)
        with self.lock:
            self.running -= 1
        if image.shape[0] == 30:
            raise MemoryError
        if image.shape[0] == 31:
            raise KeyError("a fault\nof ours")
        return image


def test_any_error_is_one_pictures_and_large_pictures_go_one_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [save(tmp_path / f"{index}.png", {4: 30, 5: 31}.get(index, 20), 30, index) for index in range(8)]
    jobs = plan([Found(file, tmp_path) for file in files], None)
    monkeypatch.setattr(translating, "processors", lambda: 4)
    echo = Echo(0.01)
    outcome = run_all(jobs, jobs, picture_work(cast("Translator", echo), [None], 10**6))
    assert [record.status for record in outcome.records] == ["done"] * 4 + ["failed"] * 2 + ["done"] * 2
    assert "not enough memory" in outcome.records[4].reason
    assert outcome.records[5].reason == r"unexpected KeyError: 'a fault\nof ours'"
    assert outcome.status == 1
    assert echo.most > 1
    echo.most = 0
    monkeypatch.setattr(translating, "memory_bytes", lambda: 4 * 100 * 20 * 30)
    run_all(jobs, jobs, picture_work(cast("Translator", echo), [None], 10**6))
    assert echo.most == 1


def test_a_signal_ends_the_run_when_the_pictures_in_hand_are_complete(tmp_path: Path) -> None:
    files = [save(tmp_path / f"{index:02}.png", 20, 30, index) for index in range(40)]
    jobs = plan([Found(file, tmp_path) for file in files], tmp_path / "out")
    work = picture_work(cast("Translator", Echo(0.05)), [None], None)
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM))
    timer.start()
    before = signal.getsignal(signal.SIGTERM)
    outcome = run_all(jobs, jobs, work)
    assert (outcome.signal, outcome.status) == (signal.SIGTERM, 143)
    assert signal.getsignal(signal.SIGTERM) == before
    assert 0 < len(outcome.records) < 40
    assert outcome.not_begun == 40 - len(outcome.records)
    done = sorted(record.job.outputs[0].name for record in outcome.records)
    assert sorted(os.listdir(tmp_path / "out")) == done


def test_leftovers_of_the_dead_go_and_those_of_the_living_stay(tmp_path: Path) -> None:
    out, deeper = tmp_path / "out", tmp_path / "out" / "deeper"
    deeper.mkdir(parents=True)
    ours = [out / ".0123456789abcdef.tmp", deeper / ".fedcba9876543210.tmp"]
    others = [out / ".hidden.tmp", out / "0123456789abcdef.tmp", out / "x.png"]
    for file in (*ours, *others):
        file.touch()
    code = """import sys, pathlib, pix2pix.batch.leftovers as leftovers
with leftovers.in_use([pathlib.Path(sys.argv[1])]):
    print(flush=True)
    input()"""
    for place in (out, tmp_path / "out" / "deeper" / "not there yet", tmp_path):
        run = subprocess.Popen([sys.executable, "-c", code, str(place)], stdin=-1, stdout=-1, cwd=ROOT)
        assert run.stdout is not None
        run.stdout.readline()
        assert remove_leftovers([deeper]) == 0  # in use, or a folder above it is
        run.kill()
        run.communicate()
    with in_use([out]):
        assert remove_leftovers([out, deeper]) == 0
    assert remove_leftovers([out, deeper, tmp_path / "missing"]) == 2
    assert not any(file.exists() for file in ours)
    assert all(file.exists() for file in others)


def test_a_dry_run_lists_and_writes_nothing(tmp_path: Path, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a.png", "b/a.jpg"):
        save(tmp_path / "in" / name)
    folder = tmp_path / "in"
    assert main(["--model", model, str(folder), "-r", "--dry-run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        f"{folder / 'a.png'} -> {folder / 'translated' / 'a.png'}",
        f"{folder / 'b' / 'a.jpg'} -> {folder / 'translated' / 'b' / 'a.jpg'}",
        "2 pictures to translate; nothing was written",
    ]
    assert not (folder / "translated").exists()


def test_the_sheet_shows_pictures_before_and_after(tmp_path: Path, model: str) -> None:
    for index in range(5):
        save(tmp_path / "in" / f"{index}.png", 30 + 30 * index, 60, index)
    assert main(["--model", model, str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--sheet"]) == 0
    sheet = read_image(tmp_path / "out" / "contact-sheet.jpg")
    assert 2 * TILE < sheet.shape[0] < 3 * TILE
    assert 8 * TILE < sheet.shape[1] < 9 * TILE


def test_a_sheet_is_spread_over_the_run_and_does_without_what_is_gone(tmp_path: Path) -> None:
    read: list[int] = []

    def reading(path: Path) -> np.ndarray:
        read.append(int(path.stem))
        if path.stem == "0":
            raise ValueError("gone")
        return np.full((20, 3000, 1), 40000, np.uint16)

    output = save(tmp_path / "x.png")
    jobs = [Job(Path(f"{index}.png"), (output,)) for index in range(1000)]
    assert write_sheet(tmp_path / "sheet.jpg", jobs, reading) == PAIRS - 1
    assert (read[0], read[-1]) == (0, 999)
    assert {later - earlier for earlier, later in itertools.pairwise(read)} == {28, 29}
    assert write_sheet(tmp_path / "none.jpg", [], reading) == 0
    assert not (tmp_path / "none.jpg").exists()


def test_many_files_are_the_same_for_a_seed(tmp_path: Path) -> None:
    made = make(tmp_path / "a", 40, seed=3, most_pixels=2000)
    make(tmp_path / "b", 40, seed=3, most_pixels=2000)
    assert differences(tmp_path / "a", tmp_path / "b") == []
    assert len({each.path for each in made}) == 40
    made[0].path.write_bytes(b"changed")
    made[1].path.unlink()
    assert len(differences(tmp_path / "a", tmp_path / "b")) == 2


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_killed_in_the_middle_and_started_again_the_result_is_that_of_an_undisturbed_run(
    tmp_path: Path, model: str
) -> None:
    made = make(tmp_path / "in", 200, seed=1, most_pixels=300_000)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    words = [sys.executable, "-W", "error", "-m", "pix2pix.translate", "--model", model, "-r", str(tmp_path / "in")]

    def start(out: str, *flags: str) -> subprocess.Popen[str]:
        command = [*words, "--out", str(tmp_path / out), *flags]
        return subprocess.Popen(command, stdout=-1, stderr=-1, text=True, env=environment)

    undisturbed = start("whole")
    said = undisturbed.communicate()[1]
    bad = sum(bool(each.damage) for each in made)
    assert undisturbed.returncode == 1
    assert f"{bad} of 200 pictures could not be translated" in said
    assert "Traceback" not in said
    killed = start("killed")
    while sum(path.is_file() for path in (tmp_path / "killed").rglob("*.*")) < 80:
        assert killed.poll() is None
        time.sleep(0.02)
    assert memory_of(killed.pid) > 0 or not Path("/proc").exists()
    killed.kill()
    killed.communicate()
    assert len(differences(tmp_path / "whole", tmp_path / "killed")) > 20
    (tmp_path / "killed" / ".00112233aabbccdd.tmp").touch()  # the kill may or may not have left one
    again = start("killed", "--skip-existing")
    again.communicate()
    assert again.returncode == 1
    assert differences(tmp_path / "whole", tmp_path / "killed") == []
    totals = report_of(tmp_path / "killed")["totals"]
    assert totals["failed"] == bad
    assert totals["done"] + totals["skipped"] == 200 - bad
    assert totals["skipped"] >= 79
