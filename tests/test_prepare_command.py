"""`python -m pix2pix.prepare` as people run it: downloads, photos, pairs, mistakes, and the same command again."""

from __future__ import annotations

import functools
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from pix2pix.config import load_task
from pix2pix.data.inputs import derived_pair
from pix2pix.data.pairs import open_pairs
from pix2pix.images import list_images, read_image
from pix2pix.prepare import main

REAL = Path(os.environ.get("PIX2PIX_TEST_DATA", Path(__file__).parents[1] / "../shared/data")).resolve()
COMMAND = [sys.executable, "-m", "pix2pix.prepare"]


def scene(seed: int, width: int = 64, height: int = 64) -> np.ndarray:
    """A picture with structure, another one for each seed, (H, W, 3) uint8."""
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR))


def save(path: Path, picture: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path)
    return path


def prepare(
    folder: Path, arguments: str, status: int = 0, env: dict[str, str] | None = None
) -> tuple[list[str], list[str]]:
    """Run the command in a folder; what it printed, and what it said on standard error."""
    ended = subprocess.run(
        [*COMMAND, *arguments.split()],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, **(env or {})},
    )
    assert ended.returncode == status, ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr, ended.stderr
    return ended.stdout.splitlines(), ended.stderr.splitlines()


def report(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "report.json").read_text())
    return content


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def opened(task: str, folder: Path, split: str) -> Any:
    loaded = load_task(task)
    data = loaded.data.model_copy(update={"path": str(folder), "size": 64})
    return open_pairs(loaded.model_copy(update={"data": data}), split, lambda line: None)


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """20 photos, some deeper, of which three are one; a damaged and an empty file."""
    root = tmp_path / "album"
    for seed in range(12):
        save(root / f"{seed}.png", scene(seed, 96, 80))
    for seed in range(12, 20):
        save(root / "trip" / f"{seed}.jpg", scene(seed, 80, 96))
    save(root / "trip" / "copy of 3.jpg", scene(3, 96, 80))
    save(root / "twin of 3.png", scene(3, 96, 80))
    (root / "empty.jpg").touch()
    (root / "text.png").write_text("no picture")
    return root


# --- photos ---


def test_photos_become_a_set_that_trains(album: Path, tmp_path: Path) -> None:
    before = files(album)
    printed, said = prepare(tmp_path, "--task denoise --from album --out made --val 0.25 --test 0.1")
    assert "pictures    14 train, 6 val, 2 test" in printed
    assert "left out    empty.jpg: the file is empty" in printed
    assert "            text.png: not an image of a known format" in printed
    assert said == ["train on it: python -m pix2pix.train --task denoise --data made"]
    assert files(album) == before
    assert (tmp_path / "made/train").is_dir()
    assert not list(tmp_path.glob(".*"))
    for split, count in (("train", 13), ("dev", 1), ("val", 6), ("test", 2)):
        pairs = opened("denoise", tmp_path / "made", split)
        assert len(pairs) == count
        assert pairs.derives
    contents = {
        path.read_bytes() for split in ("train", "val", "test") for path in (tmp_path / "made" / split).iterdir()
    }
    assert contents == {content for name, content in before.items() if name not in ("empty.jpg", "text.png")}
    found = report(tmp_path / "made")
    assert found["pictures"] == {"train": 14, "val": 6, "test": 2}
    assert found["duplicates"]["across_splits"] == []
    assert found["bad_files"] == []
    assert {each["file"] for each in found["left_out"]} == {"empty.jpg", "text.png"}


def test_duplicates_never_straddle_and_the_split_depends_on_names_only(album: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    moved = tmp_path / "elsewhere" / "copy"
    for path in sorted(album.rglob("*"), reverse=True):
        if path.is_file():
            save_bytes(moved / path.relative_to(album), path.read_bytes())
    for root in (album, moved):
        main(["--task", "colorize", "--from", str(root), "--out", str(root.parent / "made"), "--val", "0.4"])
    made, other = files(tmp_path / "made"), files(tmp_path / "elsewhere" / "made")
    assert {name for name in made if name != "report.json"} == {name for name in other if name != "report.json"}
    homes = {
        name.split("/")[0] for name in made if name.split("/")[-1] in ("3.png", "twin of 3.png", "trip_copy of 3.jpg")
    }
    assert len(homes) == 1
    duplicates = report(tmp_path / "made")["duplicates"]
    assert [len(group) for group in duplicates["near"]] == [3]
    assert duplicates["across_splits"] == []


def save_bytes(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


@pytest.mark.parametrize("flags", ["", " --pairs --short-side 48"])
def test_the_same_command_again_changes_nothing_and_another_is_refused(album: Path, tmp_path: Path, flags: str) -> None:
    command = f"--task denoise --from album --out made{flags}"
    first = prepare(tmp_path, command)[0]
    made = files(tmp_path / "made")
    again, said = prepare(tmp_path, command)
    assert again == first
    assert files(tmp_path / "made") == made
    assert said[0] == "made is made already; delete it to make it anew"
    said = prepare(tmp_path, f"{command} --val 0.3", 2)[1]
    assert said == ["pix2pix prepare: made: was made with val None, got 0.3 now; choose another --out, or delete it"]
    assert files(tmp_path / "made") == made


def test_pairs_on_disk_are_what_the_task_derives_always_the_same(album: Path, tmp_path: Path) -> None:
    prepare(tmp_path, "--task denoise --from album --out made --pairs")
    folder, data = tmp_path / "made" / "train", load_task("denoise").data
    names = [path.name for path in list_images(folder / "input")]
    assert names == [path.name for path in list_images(folder / "target")]
    for name in names:
        photo = read_image(folder / "target" / name)
        wanted, _ = derived_pair(photo, data, Path(name).stem)
        np.testing.assert_array_equal(read_image(folder / "input" / name), wanted)
    pairs = opened("denoise", tmp_path / "made", "train")
    assert not pairs.derives
    image, target = pairs.read_full(0)
    assert 4 < np.abs(image.astype(float) - target).mean() < 60


def test_small_inputs_and_side_by_side(album: Path, tmp_path: Path) -> None:
    (album / "empty.jpg").unlink()
    for index, path in enumerate(list_images(album, recursive=True)):
        if path.name != "text.png":
            save(path, scene(index, 65, 65))
    assert main(["--task", "superres", "--from", str(album), "--out", str(tmp_path / "large"), "--pairs"]) == 0
    image, target = opened("superres", tmp_path / "large", "train").read_full(0)
    assert (image.shape, target.shape) == ((16, 16, 3), (64, 64, 3))
    arguments = ["--task", "colorize", "--from", str(album), "--out", str(tmp_path / "wide"), "--side-by-side"]
    assert main([*arguments, "--short-side", "50"]) == 0
    image, target = opened("colorize", tmp_path / "wide", "train").read_full(0)
    assert image.shape == target.shape == (50, 50, 3)
    assert (image[:, :, 0] == image[:, :, 2]).all()
    assert (target[:, :, 0] != target[:, :, 2]).any()
    assert report(tmp_path / "wide")["sizes"]["max"] == [50, 50]


def test_shrunk_photos_keep_their_shape_and_kind(album: Path, tmp_path: Path) -> None:
    save(album / "deep.png", scene(40, 200, 100)[:, :, 0].astype(np.uint16) * 257)
    save(album / "small.png", scene(41, 30, 20))
    prepare(tmp_path, "--task denoise --from album --out made --short-side 40 --val 0")
    sizes = {path.name: read_image(path).shape for path in list_images(tmp_path / "made" / "train")}
    assert sizes["deep.png"] == (40, 80, 1)
    assert read_image(tmp_path / "made/train/deep.png").dtype == np.uint16
    assert sizes["small.png"] == (20, 30, 3)
    assert sizes["5.png"] == (40, 48, 3)
    assert sizes["trip_12.jpg"] == (48, 40, 3)
    assert report(tmp_path / "made")["sizes"]["max"] == [80, 40]


def test_a_survey_alone_writes_nothing(album: Path, tmp_path: Path) -> None:
    before = files(tmp_path)
    printed, said = prepare(tmp_path, "--task denoise --from album")
    assert files(tmp_path) == before
    assert "photos      22 8-bit colour" in printed
    assert said == ["nothing was written; add --out datasets/denoise to make a data set of it"]


# --- pairs ---


@pytest.fixture
def halves(tmp_path: Path) -> Path:
    """Folders of 12 inputs and 12 targets, of which 10 belong together and 9 are of one size."""
    for seed in range(10):
        save(tmp_path / f"lines/{seed}.png", scene(seed)[:, :, 0])
        save(tmp_path / f"paintings/{seed}.jpg", scene(100 + seed))
    save(tmp_path / "paintings/9.jpg", scene(109, 32, 32))
    for name in ("x", "y"):
        save(tmp_path / f"lines/{name}.png", scene(50))
        save(tmp_path / f"paintings/{name}{name}.png", scene(51))
    return tmp_path


@pytest.mark.parametrize("flag", ["", " --side-by-side"])
def test_two_folders_become_one_set(halves: Path, flag: str) -> None:
    printed, _ = prepare(halves, f"--task maps --from lines paintings --out made --val 0.2{flag}")
    text = " ".join(" ".join(printed).split())
    assert "pictures 7 train, 2 val" in text
    assert "left out 4 without a partner: lines/x.png, lines/y.png, paintings/xx.png, paintings/yy.png" in text
    assert "lines/9.png: and paintings/9.jpg differ in size: 64x64 and 32x32; expected two pictures of one size" in text
    for split, count in (("train", 6), ("dev", 1), ("val", 2)):
        pairs = opened("maps", halves / "made", split)
        assert len(pairs) == count
        seed = int(pairs.stem(0))
        image, target = pairs.read_full(0)
        np.testing.assert_array_equal(image[:, :, 0], scene(seed)[:, :, 0])
        assert np.abs(target.astype(int) - scene(100 + seed)).mean() < 8
    folders = {path.parent.name for path in (halves / "made").rglob("*.png")}
    assert folders == ({"train", "val"} if flag else {"input"})


def test_the_right_half_is_the_input_where_the_task_says_so(halves: Path) -> None:
    arguments = ["--task", "map2aerial", "--from", str(halves / "lines"), str(halves / "paintings"), "--side-by-side"]
    assert main([*arguments, "--out", str(halves / "made")]) == 0
    pairs = opened("map2aerial", halves / "made", "train")
    np.testing.assert_array_equal(pairs.read_full(0)[0][:, :, 0], scene(int(pairs.stem(0)))[:, :, 0])


def test_splits_that_are_there_stay_unless_shares_are_given(tmp_path: Path) -> None:
    for split, count in (("train", 8), ("val", 4)):
        for index in range(count):
            save(tmp_path / "set" / split / f"{index}.png", scene(index + 100 * count, 128, 64))
    assert main(["--task", "maps", "--from", str(tmp_path / "set"), "--out", str(tmp_path / "kept"), "--pairs"]) == 0
    assert report(tmp_path / "kept")["pictures"] == {"train": 8, "val": 4}
    assert {path.stem for path in list_images(tmp_path / "kept/val/target")} == {"0", "1", "2", "3"}
    arguments = ["--task", "maps", "--from", str(tmp_path / "set"), "--out", str(tmp_path / "anew")]
    assert main([*arguments, "--val", "0.5"]) == 0
    assert report(tmp_path / "anew")["pictures"] == {"train": 6, "val": 6}
    assert len(opened("maps", tmp_path / "anew", "val")) == 6


def test_shrunk_label_maps_hold_palette_colours_only(tmp_path: Path) -> None:
    task = load_task("facades")
    colours = np.array(list(task.data.palette.values()), np.uint8)
    for seed in range(4):
        labels = colours[np.random.default_rng(seed).integers(0, len(colours), (12, 12))].repeat(16, 0).repeat(16, 1)
        save(tmp_path / f"labels/{seed}.jpg", labels)
        save(tmp_path / f"photos/{seed}.png", scene(seed, 192, 192))
    folders = [str(tmp_path / "labels"), str(tmp_path / "photos")]
    assert main(["--task", "facades", "--from", *folders, "--out", str(tmp_path / "made"), "--short-side", "96"]) == 0
    for path in list_images(tmp_path / "made/train/input"):
        assert {tuple(colour) for colour in read_image(path).reshape(-1, 3).tolist()} <= set(
            map(tuple, colours.tolist())
        )


# --- the set that a task names ---


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a folder `offered`, served on loopback."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    (tmp_path / "offered").mkdir()

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(tmp_path / "offered")))
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    thread.join()
    running.server_close()


def own_task(folder: Path, url: str) -> None:
    (folder / "mine.yaml").write_text(f"data:\n  embedded: facades\n  source:\n    url: {url}\n    licence: CC0\n")


def test_a_known_set_is_announced_downloaded_and_told_of(tmp_path: Path, server: str) -> None:
    with tarfile.open(tmp_path / "offered" / "toy.tar.gz", "w:gz") as archive:
        for seed, split in enumerate(["train"] * 5 + ["val"] * 2):
            content = io.BytesIO()
            Image.fromarray(scene(seed, 128, 64)).save(content, "PNG")
            member = tarfile.TarInfo(f"toy/{split}/{seed}.png")
            member.size = content.tell()
            content.seek(0)
            archive.addfile(member, content)
    size = (tmp_path / "offered" / "toy.tar.gz").stat().st_size
    own_task(tmp_path, f"{server}/toy.tar.gz")
    printed, said = prepare(tmp_path, "--task mine.yaml")
    assert said[:3] == [
        f"address  {server}/toy.tar.gz",
        "terms    CC0",
        f"size     {size / 1e6:,.1f} MB, to datasets/mine",
    ]
    assert said[-1] == "train on it: python -m pix2pix.train --task mine.yaml"
    assert "pictures    5 train, 2 val" in printed
    made = files(tmp_path / "datasets" / "mine")
    assert set(made) == {*(f"train/{n}.png" for n in range(5)), "val/5.png", "val/6.png", "report.json"}

    (tmp_path / "offered" / "toy.tar.gz").unlink()
    again, _ = prepare(tmp_path, "--task mine.yaml")
    assert again == printed
    assert files(tmp_path / "datasets" / "mine") == made


def test_what_to_do_without_a_download(tmp_path: Path, server: str) -> None:
    own_task(tmp_path, f"{server}/gone.zip")
    for arguments, message in (
        ("--task mine.yaml", "404"),
        ("--task denoise", "names no set to download"),
    ):
        said = prepare(tmp_path, arguments, 2)[1][-1]
        assert message in said
        assert "--from DIR" in said
        assert "--data embedded" in said
    assert not (tmp_path / "datasets" / "mine").exists()


def test_a_download_that_the_disk_cannot_hold_is_refused(
    tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "offered" / "toy.zip").write_bytes(b"x" * 1000)
    own_task(tmp_path, f"{server}/toy.zip")
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 2000})())
    with pytest.raises(ValueError, match="GB free, but archive and pictures take about"):
        main(["--task", str(tmp_path / "mine.yaml"), "--out", str(tmp_path / "mine")])
    assert not (tmp_path / "mine").exists()


def test_another_programs_report_is_not_overwritten(tmp_path: Path) -> None:
    save(tmp_path / "set/train/1.png", scene(1, 128, 64))
    (tmp_path / "set/report.json").write_text("mine")
    assert main(["--task", "maps", "--out", str(tmp_path / "set")]) == 0
    assert (tmp_path / "set/report.json").read_text() == "mine"


# --- mistakes, and leaving early ---


MISTAKES = {
    "--from album": "--task is missing",
    "--task denois": "did you mean 'denoise'",
    "--task denoise --from nowhere": "nowhere: no such folder",
    "--task denoise --from album nowhere": "nowhere: no such folder",
    "--task denoise --from album album album": "got 3 folders",
    "--task denoise --pairs": "--pairs says how a set is to be written",
    "--task denoise --from album --side-by-side": "--side-by-side says how",
    "--task denoise --from album --out album/made": "lies in album",
    "--task denoise --from album --out full": "was not made by this command",
    "--task denoise --from album --out full/a.txt": "was not made by this command",
    "--task denoise --from album --out made --val 0.7 --test 0.4": "leave nothing to train on",
    "--task denoise --from album --out made --val 1": "less than 1",
    "--task denoise --from album --out made --test 0.95": "leave nothing to train on",
    "--task denoise --from album --out made --side-by-side": "20 of 22 pictures are not square|22 of 22",
    "--task superres --from album --out made --side-by-side": "4 times as large",
    "--task denoise --from bare --out made": "no pairs found",
}


@pytest.mark.parametrize("arguments", MISTAKES)
def test_a_mistake_is_one_line_and_changes_nothing(
    album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: str
) -> None:
    (tmp_path / "bare").mkdir()
    save_bytes(tmp_path / "full" / "a.txt", b"mine")
    monkeypatch.chdir(tmp_path)
    before = files(tmp_path)
    with pytest.raises(ValueError, match=MISTAKES[arguments]) as caught:
        main(arguments.split())
    assert "\n" not in str(caught.value)
    assert files(tmp_path) == before


@pytest.mark.parametrize("out", ["", " --out made"])
def test_nothing_of_use_is_status_1(tmp_path: Path, out: str) -> None:
    save_bytes(tmp_path / "bad" / "a.png", b"")
    printed, said = prepare(tmp_path, f"--task denoise --from bad{out}", 1)
    assert "bad files   a.png: the file is empty" in printed
    assert said == ["pix2pix prepare: no picture is of use, so there is no set"]
    assert not (tmp_path / "made").exists()


def test_ctrl_c_loses_nothing_and_the_same_command_goes_on(tmp_path: Path) -> None:
    for seed in range(80):
        save(tmp_path / "album" / f"{seed}.png", scene(seed, 500, 400))
    before = files(tmp_path / "album")
    hidden = tmp_path / ".made.preparing"
    command = "--task denoise --from album --out made --pairs"
    running = subprocess.Popen(
        [*COMMAND, *command.split()],
        cwd=tmp_path,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a background shell passes on "ignored"
    )
    deadline = time.monotonic() + 200
    while len(list(hidden.rglob("*.png"))) < 6 and time.monotonic() < deadline:
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    assert running.wait(200) == 130
    assert not (tmp_path / "made").exists()
    kept = {path.relative_to(hidden): path.stat().st_ino for path in hidden.rglob("*.png")}
    assert 6 <= len(kept) < 160
    prepare(tmp_path, command)
    assert not hidden.exists()
    assert report(tmp_path / "made")["pictures"] == {"train": 72, "val": 8}
    assert len(list((tmp_path / "made").rglob("*.png"))) == 160
    assert {path: (tmp_path / "made" / path).stat().st_ino for path in kept} == kept
    assert files(tmp_path / "album") == before


def test_what_another_command_left_is_not_gone_on_with(album: Path, tmp_path: Path) -> None:
    save(tmp_path / ".made.preparing" / "train" / "stray.png", scene(1))
    assert main(["--task", "denoise", "--from", str(album), "--out", str(tmp_path / "made")]) == 0
    assert not list((tmp_path / "made").rglob("stray.png"))


# --- real data ---


@pytest.mark.skipif(not (REAL / "facades").is_dir(), reason="no real data; set PIX2PIX_TEST_DATA")
def test_real_facades_as_pairs(tmp_path: Path) -> None:
    printed, _ = prepare(tmp_path, f"--task facades --from {REAL / 'facades' / 'val'} --out made --pairs --val 0.2")
    assert "pictures    80 train, 20 val" in printed
    found = report(tmp_path / "made")
    assert found["classes"]["never"] == []
    assert 0.2 < found["classes"]["shares"]["facade"] < 0.6
    assert found["classes"]["far"] < 0.4
    assert found["duplicates"]["near"] == found["duplicates"]["exact"] == []
    assert len(opened("facades", tmp_path / "made", "val")) == 20


@pytest.mark.skipif(not (REAL / "photos" / "bsds").is_dir(), reason="no real photos; set PIX2PIX_TEST_DATA")
def test_real_photos_with_a_copy_among_them(tmp_path: Path) -> None:
    photos = list_images(REAL / "photos" / "bsds" / "val")[:30]
    for photo in photos:
        save_bytes(tmp_path / "album" / photo.name, photo.read_bytes())
    Image.fromarray(read_image(photos[3])).resize((300, 200)).save(tmp_path / "album" / "again.jpg", quality=70)
    prepare(tmp_path, "--task colorize --from album --out made --val 0.5")
    found = report(tmp_path / "made")
    assert found["pictures"] == {"train": 16, "val": 15} or found["pictures"] == {"train": 15, "val": 16}
    assert found["duplicates"]["across_splits"] == []
    assert [{name.split("/")[1] for name in group} for group in found["duplicates"]["near"]] == [
        {photos[3].stem, "again"}
    ]
    assert opened("colorize", tmp_path / "made", "val").derives
