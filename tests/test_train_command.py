"""`pix2pix train` and people's mistakes: one line that names the trouble; and data that should work does."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from training_runs import DRAWN, SMALL, read_log, read_state, train, write_pairs

from pix2pix import train as train_command
from pix2pix.checkpoint import load_model
from pix2pix.config import Task, load_task
from pix2pix.representations import representations
from pix2pix.training.assembly import build_objective
from pix2pix.training.tracking import RunFolder

Command = Callable[..., str]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs the command in `tmp_path` and gives what it said; a mistake comes back as `pytest.raises` wants it."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object, images: int = 2) -> str:
        capsys.readouterr()
        assert train_command.main([*SMALL, "--images", str(images), "--out", "run", *map(str, arguments)]) == 0
        return capsys.readouterr().err

    return call


def refused(command: Command, *arguments: object) -> str:
    """The one line with which the command refuses."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - every test looks at the message
        command(*arguments)
    line = str(caught.value)
    assert "\n" not in line
    return line


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of a small trained model of other network settings than the task's, two states old."""
    run = tmp_path_factory.mktemp("released") / "run"
    arguments = [
        *DRAWN,
        "--train.l1-weight",
        "100",
        "--model.width",
        "12",
        "--model.dropout",
        "0.25",
        "--save-every",
        "2",
        "--images",
        "4",
    ]
    assert train_command.main([*arguments, "--out", str(run)]) == 0
    return run


def test_the_real_command_refuses_in_one_line(tmp_path: Path, released: Path) -> None:
    (tmp_path / "empty").mkdir()
    shutil.copytree(released, tmp_path / "run")
    (tmp_path / "corrupt.safetensors").write_bytes(b"not a model")
    cases: dict[str, list[str]] = {
        "unknown task 'facade'; did you mean 'facades'?": ["--task", "facade"],
        "empty: no pairs found": [*SMALL, "--data", "empty"],
        "corrupt.safetensors: not a readable": [*SMALL, "--init", "corrupt.safetensors"],
        "cannot go on with a changed configuration": [*DRAWN, "--out", "run"],
    }
    for message, arguments in cases.items():
        status, error = train(arguments, tmp_path)
        lines = error.splitlines()
        assert status == 2, error
        assert len(lines) == 1, error
        assert lines[0].startswith("pix2pix train: ")
        assert message in lines[0]


def test_data_that_cannot_be_used_is_refused(command: Command, tmp_path: Path) -> None:
    assert "nowhere: no such folder" in refused(command, "--data", "nowhere", "--out", "left over")
    assert not Path("left over").exists(), "a mistake leaves no run folder behind"
    (tmp_path / "file").touch()
    assert "file: a file; expected a folder" in refused(command, "--data", "file")

    odd = write_pairs(tmp_path / "odd", 2)
    Image.fromarray(noise(80, 161, 3)).save(odd / "train" / "wide.png")
    assert "wide.png: 161 pixels wide, expected an even width" in refused(command, "--data", odd)

    for side in ("labels", "photos"):
        (tmp_path / "halves" / side).mkdir(parents=True)
        for number in range(3):
            Image.fromarray(noise(70, 70, 3)).save(tmp_path / "halves" / side / f"{number}.png")
    lonely = tmp_path / "halves" / "photos" / "2.png"
    lonely.unlink()
    assert f"a pair whose partner is missing: {Path('halves/labels/2.png')}" in refused(command, "--data", "halves")
    Image.fromarray(noise(70, 72, 3)).save(lonely)
    line = refused(command, "--data", "halves")
    assert "differ in size: 70x70 and 72x70" in line


def test_what_cannot_be_read_is_named_and_left_out(command: Command, tmp_path: Path) -> None:
    pairs = write_pairs(tmp_path / "pairs", 4)
    good = (pairs / "train" / "0.png").read_bytes()
    damaged = {"cut.png": good[: len(good) // 2], "zero.png": b"", "text.png": b"hello"}
    for name, content in damaged.items():
        (pairs / "train" / name).write_bytes(content)
    (pairs / "train" / "notes.txt").write_text("no picture by its name: not even looked at")
    said = command("--data", pairs, images=4)
    assert all(f"{name}: " in said for name in damaged)
    assert "notes.txt" not in said
    assert said.count("skipped: ") == 3
    assert "unreadable, skipped" in said
    assert read_state(tmp_path / "run")["seen"] == 4

    for number in range(4):
        (pairs / "train" / f"{number}.png").write_bytes(b"")
    line = refused(command, "--data", pairs, "--out", "other")
    assert "none of the" in line
    assert "can be read" in line


def test_a_picture_over_the_pixel_limit_is_left_out(command: Command, tmp_path: Path) -> None:
    pairs = write_pairs(tmp_path / "pairs", 4)
    Image.new("1", (3000, 2000)).save(pairs / "train" / "bomb.png")
    said = command("--data", pairs, "--pixel-limit", 100_000)
    assert "bomb.png: 3000x2000 is 6000000 pixels, more than the limit of 100000" in said
    assert "bomb" not in command("--data", pairs, "--out", "other")


def test_any_kind_of_picture_trains(command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "pairs" / "train"
    folder.mkdir(parents=True)
    Image.fromarray(noise(20, 40, 3)).save(folder / "smaller than the crop.png")
    Image.fromarray(noise(80, 160)).save(folder / "gray.jpg")
    Image.fromarray(noise(80, 160, 3)).quantize(16).save(folder / "palette.gif")
    Image.fromarray(noise(80, 160, 4), "CMYK").save(folder / "cmyk.jpg")
    Image.fromarray(noise(80, 160, 4)).save(folder / "alpha.webp")
    Image.fromarray(np.arange(80 * 160, dtype=np.uint16).reshape(80, 160) * 5).save(folder / "deep.png")
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side: 160 x 80 when shown upright
    Image.fromarray(noise(160, 80, 3)).save(folder / "turned.jpg", exif=exif)
    said = command("--data", "pairs", images=8)
    assert "skipped" not in said
    assert read_state(tmp_path / "run")["seen"] == 8
    assert read_log(tmp_path / "run")[-1]["images"] == 8


def test_an_init_that_is_no_model_is_refused(command: Command, released: Path, tmp_path: Path) -> None:
    assert "no model 'nothing'" in refused(command, "--init", "nothing")

    (tmp_path / "corrupt.safetensors").write_bytes((released / "model.safetensors").read_bytes()[:5000])
    assert "corrupt.safetensors: not a readable" in refused(command, "--init", "corrupt.safetensors")

    assert "give its run folder" in refused(command, "--init", released / "state.pt")

    save_file({"weight": torch.zeros(2)}, tmp_path / "foreign.safetensors")
    assert "safetensors file of another kind" in refused(command, "--init", "foreign.safetensors")

    metadata: dict[str, str] = {"format": "pix2pix-model", "version": "99"}
    save_file({"weight": torch.zeros(2)}, tmp_path / "future.safetensors", metadata)
    assert "model format" in refused(command, "--init", "future.safetensors")
    assert "99" in refused(command, "--init", "future.safetensors")

    line = refused(command, "--data", "embedded", "--init", released, "--model.generator", "resnet6")
    assert "--init" in line
    assert "use its own --model settings" in line
    assert not (tmp_path / "run" / "state.pt").exists()


def test_init_takes_over_weights_networks_and_size(released: Path) -> None:
    flags = ["--train.init", str(released), "--model.discriminator-width", "8"]
    task = train_command.resolve(train_command.Selection(task="facades"), flags)
    theirs = load_model(released / "model.safetensors")
    assert (task.model.generator, task.model.width, task.model.dropout) == ("compact_unet", 12, 0.25)
    assert (task.data.size, theirs.task.data.size) == (64, 64)
    assert task.train.batch == load_task("facades").train.batch  # their schedule stays theirs
    own = train_command.resolve(train_command.Selection(task="facades"), [*flags, "--model.dropout", "0"])
    assert (own.model.width, own.model.dropout) == (12, 0)  # a flag has the last word

    said: list[str] = []
    source, target = representations(task.data)
    weights = build_objective(task, source, target, said.append).generator.state_dict()
    assert weights.keys() == theirs.weights.keys()
    assert all(torch.equal(weights[name], theirs.weights[name]) for name in weights)
    assert said == [
        f"starts from {released}/model.safetensors (4 images), {len(weights)} of {len(weights)} weights taken"
    ]


def test_training_from_a_released_model(command: Command, released: Path) -> None:
    said = command("--data", "embedded", "--init", released, "--model.width", 12, "--train.learning-rate", 1e-12)
    assert "starts from" in said
    before, after = (load_model(run / "model.safetensors").weights for run in (released, Path("run")))
    assert all(torch.allclose(before[name], after[name], atol=1e-4) for name in before)


def test_a_folder_that_cannot_be_a_run_is_refused(command: Command, released: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for out in ("file", "file/run"):
        line = refused(command, "--data", "embedded", "--out", out)
        assert line.startswith(f"{out}: cannot be written: ")
        assert "give another --out" in line
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "me.jpg").touch()
    assert "photos: holds files that are no run" in refused(command, "--data", "embedded", "--out", "photos")
    assert sorted(path.name for path in (tmp_path / "photos").iterdir()) == ["me.jpg"]

    run = shutil.copytree(released, tmp_path / "model only")
    for state in run.glob("*.pt"):
        state.unlink()
    assert "holds a model but no state.pt" in refused(command, "--data", "embedded", "--out", run)


def go_on(command: Command, run: Path, *arguments: object) -> str:
    return command(
        *(
            "--data",
            "embedded",
            "--train.l1-weight",
            100,
            "--model.width",
            12,
            "--model.dropout",
            0.25,
            "--save-every",
            2,
            "--out",
            run,
        ),
        *arguments,
    )


def test_a_changed_configuration_is_named_and_refused(command: Command, released: Path, tmp_path: Path) -> None:
    run = shutil.copytree(released, tmp_path / "copy")
    with pytest.raises(ValueError, match="cannot go on with a changed configuration") as caught:
        go_on(command, run, "--seed", 5, "--train.l1-weight", 50)
    assert "train.seed 0 -> 5" in str(caught.value)
    assert "train.l1_weight 100.0 -> 50.0" in str(caught.value)
    assert RunFolder(run).stored(Task) == RunFolder(released).stored(Task)
    said = go_on(command, run, "--save-every", 4, "--train.sample-every", 2, "--images", 6)  # these may change
    assert "going on at 4 images" in said


@pytest.mark.parametrize("damage", ["cut", "overwritten"])
def test_a_damaged_state(command: Command, released: Path, tmp_path: Path, damage: str) -> None:
    run = shutil.copytree(released, tmp_path / "copy")

    def spoil(path: Path) -> None:
        content = bytearray(path.read_bytes())
        middle = len(content) // 2
        content[middle : middle + 64] = b"\xff" * 64
        path.write_bytes(content if damage == "overwritten" else content[:middle])

    spoil(run / "state.pt")
    said = go_on(command, run, "--images", 6, "--train.sample-every", 2)
    assert f"{run}/state.pt: damaged (" in said
    assert "going on from the state before it" in said
    assert "going on at 2 images" in said
    assert [line["images"] for line in read_log(run)] == [2, 4, 6]

    for state in run.glob("*.pt"):
        spoil(state)
    with pytest.raises(ValueError, match=r"damaged .*; start a new run with another --out"):
        go_on(command, run, "--images", 8)


def test_other_threads_are_said(command: Command, released: Path, tmp_path: Path) -> None:
    run = shutil.copytree(released, tmp_path / "copy")
    state: dict[str, Any] = torch.load(run / "state.pt", weights_only=True)
    threads = state["choices"]["threads"]
    state["choices"] |= {"threads": threads + 1, "torch": "1.0"}
    torch.save(state, run / "state.pt")
    said = go_on(command, run, "--images", 6)
    assert f"threads was {threads + 1}, is {threads}: goes on, but not bit for bit as before" in said
    assert "torch was 1.0" in said
    assert read_state(run)["choices"]["threads"] == threads


def test_a_device_that_is_not_there_is_refused(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    line = refused(command, "--data", "embedded", "--train.device", "cuda")
    assert "--train.device cuda: not available on this machine" in line
