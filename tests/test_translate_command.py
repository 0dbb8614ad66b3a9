"""`python -m pix2pix.translate`: which pictures, which names, what goes wrong; never a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from tiny_models import LABELS, save_tiny_model

from pix2pix.batch.translating import sample_seeds
from pix2pix.command_line import run
from pix2pix.translate import main

ROOT = Path(__file__).parent.parent


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def model(tmp_path: Path) -> str:
    return str(save_tiny_model(tmp_path / "run" / "model.safetensors", **LABELS))


def save(path: Path, height: int = 20, width: int = 30, seed: int = 0, mode: str = "RGB") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).convert(mode).save(path)
    return path


def command(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "pix2pix.translate", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=environment,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def translate_sizes(tmp_path: Path, model: str, sizes: list[tuple[int, int]]) -> None:
    for index, (height, width) in enumerate(sizes):
        save(tmp_path / "in" / f"{index}.png", height, width, index)
    done = command("--model", model, str(tmp_path / "in"), "--out", str(tmp_path / "out"))
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{len(sizes)} pictures, written to {tmp_path / 'out'}" in done.stdout
    for index, (height, width) in enumerate(sizes):
        with Image.open(tmp_path / "out" / f"{index}.png") as output:
            assert (output.size, output.mode) == ((width, height), "RGB")


def test_sizes_in_one_command(tmp_path: Path, model: str) -> None:
    edges = [(1, 1), (1, 300), (300, 1), (2, 3), (63, 64), (64, 64), (65, 64), (17, 200)]
    translate_sizes(tmp_path, model, edges)


@pytest.mark.slow
def test_two_hundred_sizes_in_one_command(tmp_path: Path, model: str) -> None:
    rng = np.random.default_rng(0)
    sizes = [(int(rng.integers(1, 901)), int(rng.integers(1, 1301))) for _ in range(196)]
    translate_sizes(tmp_path, model, [(1, 1), (900, 1300), (1, 1300), (900, 1), *sizes])


def test_bytes_do_not_depend_on_the_run_or_on_the_other_pictures(tmp_path: Path, model: str) -> None:
    files = [save(tmp_path / f"{index}.png", 20 + 9 * index, 30, index) for index in range(4)]
    for out, inputs in (("one", files), ("two", files[::-1]), ("alone", files[2:3])):
        assert main(["--model", model, *map(str, inputs), "--out", str(tmp_path / out)]) == 0
    for file in files:
        assert (tmp_path / "one" / file.name).read_bytes() == (tmp_path / "two" / file.name).read_bytes()
    assert (tmp_path / "alone" / "2.png").read_bytes() == (tmp_path / "one" / "2.png").read_bytes()


def test_without_out_the_outputs_lie_beside_the_inputs_and_are_not_translated_again(tmp_path: Path, model: str) -> None:
    save(tmp_path / "a" / "x.png")
    save(tmp_path / "b" / "y.jpg")
    for _ in range(2):
        assert main(["--model", model, str(tmp_path / "a"), str(tmp_path / "b" / "*")]) == 0
    found = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.glob("?/**/*.*"))
    expected = ["a/translated/report.json", "a/translated/x.png", "a/x.png", "b/translated/y.jpg", "b/y.jpg"]
    assert found == expected


def test_samples_differ_repeat_and_do_not_depend_on_their_number(tmp_path: Path, model: str) -> None:
    file = str(save(tmp_path / "x.png", 64, 64))

    def draw(out: str, *flags: str) -> dict[str, bytes]:
        assert main(["--model", model, file, "--out", str(tmp_path / out), *flags]) == 0
        return {path.name: path.read_bytes() for path in (tmp_path / out).iterdir()}

    three = draw("three", "--samples", "3", "--seed", "5")
    assert sorted(three) == ["x-1.png", "x-2.png", "x-3.png"]
    assert len(set(three.values())) == 3
    assert draw("again", "--samples", "3", "--seed", "5") == three
    assert draw("two", "--samples", "2", "--seed", "5").items() <= three.items()
    assert not set(draw("other", "--samples", "3").values()) & set(three.values())
    assert sample_seeds(5, 3)[:2] == sample_seeds(5, 2)


def test_samples_need_a_network_that_draws(tmp_path: Path) -> None:
    fixed = save_tiny_model(tmp_path / "m.safetensors", model={"generator": "resnet6"})
    with pytest.raises(ValueError, match="no dropout or noise"):
        main(["--model", str(fixed), str(save(tmp_path / "x.png")), "--samples", "2"])
    with pytest.raises(ValueError, match="--seed belongs to --samples"):
        main(["--model", str(fixed), str(tmp_path / "x.png"), "--seed", "2"])


def test_bad_files_are_named_and_the_others_translated(
    tmp_path: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "in"
    good = [save(folder / "a.png"), save(folder / "b.webp"), save(folder / "c.tif", mode="CMYK")]
    save(folder / "huge.png", 200, 300)
    (folder / "empty.png").touch()
    (folder / "text.jpg").write_text("no picture")
    whole = save(folder / "cut.jpg", 200, 200).read_bytes()
    (folder / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    flags = ["--pixel-limit", "50000", "--out", str(tmp_path / "out")]
    assert main(["--model", model, str(folder), str(tmp_path / "missing.png"), *flags]) == 1
    said = capsys.readouterr()
    lines = said.err.strip().splitlines()
    assert len(lines) == 6
    for line, name in zip(lines, ("cut.jpg", "empty.png", "huge.png", "text.jpg", "missing.png"), strict=False):
        assert name in line
    assert "5 of 8 pictures could not be translated" in lines[-1]
    assert sorted(os.listdir(tmp_path / "out")) == [*(path.name for path in good), "report.json"]
    assert not (tmp_path / "translated").exists()


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "CMYK", "I;16"])
def test_every_mode_on_disk(tmp_path: Path, model: str, mode: str) -> None:
    file = tmp_path / "x.tif"
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30), dtype=np.uint8)
    deep = Image.fromarray(pixels.astype(np.uint16) * 257)
    (deep if mode == "I;16" else Image.fromarray(pixels).convert(mode)).save(file)
    assert main(["--model", model, str(file), "--out", str(tmp_path / "out")]) == 0
    with Image.open(tmp_path / "out" / "x.tif") as output:
        assert (output.size, output.format) == ((30, 20), "TIFF")


def test_mistakes_are_one_line_and_do_no_work(
    tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    picture = str(save(tmp_path / "x.png"))
    cases = {
        "no model 'facadez'": ["--model", "facadez", picture],
        "--model NAME": [picture],
        "unknown task 'facadess'; did you mean 'facades'?": ["--task", "facadess", picture],
        "a file, expected a folder": ["--model", model, picture, "--out", picture],
        "expected image files": ["--model", model],
        "did you mean --model": ["--modle", model, picture],
        "cannot be used": ["--model", model, picture, "--device", "toaster"],
        "at least 16": ["--model", model, picture, "--work-size", "2"],
    }
    for expected, arguments in cases.items():
        with pytest.raises(SystemExit) as status:
            run(main, "pix2pix translate", arguments)
        said = capsys.readouterr()
        assert (status.value.code, said.out) == (2, "")
        assert expected in said.err
        assert said.err.startswith("pix2pix translate: ")
        assert len(said.err.splitlines()) == 1
    for arguments in (["--model", "facadez", picture], [picture, "--samples", "0"]):  # the same from outside
        done = command(*arguments, cwd=tmp_path)
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert not (tmp_path / "translated").exists()


def test_files_that_are_no_model_are_refused_in_one_line(tmp_path: Path, model: str) -> None:
    picture = str(save(tmp_path / "x.png"))
    content = Path(model).read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    (tmp_path / "cut.safetensors").write_bytes(content[: len(content) // 2])
    (tmp_path / "text.safetensors").write_text("no model")
    save_file({"x": torch.zeros(3)}, tmp_path / "other.safetensors")
    header["__metadata__"]["version"] = "999"
    changed = json.dumps(header).encode()
    newer = len(changed).to_bytes(8, "little") + changed + content[8 + length :]
    (tmp_path / "newer.safetensors").write_bytes(newer)
    torch.save({"x": 1}, tmp_path / "state.pt")
    reasons = {"cut": "not a readable", "text": "not a readable", "other": "another kind", "newer": "999"}
    for name, reason in {
        **{f"{key}.safetensors": value for key, value in reasons.items()},
        "state.pt": "not a",
    }.items():
        with pytest.raises(ValueError, match=reason) as caught:
            main(["--model", str(tmp_path / name), picture])
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)


def test_task_means_the_newest_run_and_says_which(
    tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    save_tiny_model(Path("runs/facades/one/model.safetensors"))
    save(Path("x.png"))
    assert main(["--task", "facades", "x.png"]) == 0
    assert "runs/facades/one" in capsys.readouterr().out
    assert Path("translated/x.png").is_file()


def test_translating_loads_no_training_libraries() -> None:
    code = (
        "import sys, pix2pix.translate, pix2pix.translator, pix2pix.hub;"
        "print([m for m in ('albumentations', 'tensorboard', 'lightning_fabric', 'pix2pix.data.stream', 'kornia')"
        " if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"
