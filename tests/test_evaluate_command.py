"""`python -m pix2pix.evaluate`: figures that agree with hand-made ones, trivial rows, JSON, mistakes."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_models import LABELS, PALETTE, save_tiny_model

from pix2pix import hub
from pix2pix.evaluate import main, table
from pix2pix.metrics.pixels import l1, psnr, ssim

DATA = Path(os.environ.get("PIX2PIX_TEST_DATA", Path(__file__).parent.parent / "../shared/data"))
COLOURS = np.array(list(PALETTE.values()), np.uint8)
TARGETS = np.array([[10, 20, 30], [200, 100, 50], [90, 90, 0]])


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return save_tiny_model(tmp_path / "run" / "model.safetensors", **LABELS)


def write_pairs(root: Path, split: str, count: int, shift: int, side: int = 64) -> list[tuple[np.ndarray, np.ndarray]]:
    """Left a label map, right its classes in colours of their own, brightened by `shift`."""
    rng, pairs = np.random.default_rng(count), []
    (root / split).mkdir(parents=True)
    for index in range(count):
        classes = rng.integers(0, 3, (4, 4)).repeat(side // 4, 0).repeat(side // 4, 1)
        pair = COLOURS[classes], (TARGETS[classes] + shift).astype(np.uint8)
        Image.fromarray(np.hstack(pair)).save(root / split / f"{index}.png")
        pairs.append(pair)
    return pairs


def measure(*arguments: str, out: Path) -> dict[str, object]:
    assert main([*arguments, "--out", str(out)]) == 0
    record: dict[str, object] = json.loads(out.read_text())
    return record


def test_figures_agree_with_those_made_by_hand(tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_pairs(tmp_path / "data", "train", 12, shift=0)
    val = write_pairs(tmp_path / "data", "val", 3, shift=5)
    record = measure("--model", str(model), "--data", str(tmp_path / "data"), out=tmp_path / "m" / "metrics.json")
    translate = hub.load(model)
    for name, metric in (("l1", l1), ("psnr", psnr), ("ssim", ssim)):
        expected = np.mean([metric(translate(source), target) for source, target in val])
        assert record["metrics"][name] == pytest.approx(expected)  # type: ignore[index]
        expected = np.mean([metric(source, target) for source, target in val])
        assert record["trivial"]["input unchanged"][name] == pytest.approx(expected)  # type: ignore[index]
    per_class = record["trivial"]["mean colour of each class"]  # type: ignore[index]
    # The classes' colours are learned, up to what resizing for training mixes at their borders; val is brighter by 5.
    assert per_class["l1"] == pytest.approx(5 / 255, abs=1 / 255)
    facts = {key: record[key] for key in ("task", "split", "n", "seed", "dropout", "images_seen")}
    assert facts == {"task": "tiny", "split": "val", "n": 3, "seed": None, "dropout": False, "images_seen": 7}
    assert record["model_id"] == hashlib.sha256(model.read_bytes()).hexdigest()[:12]
    said = capsys.readouterr().out
    for row in (f"model {model}", "mean colour of each class", "mean target", "input unchanged"):
        assert row in said
    assert record == measure("--model", str(model), "--data", str(tmp_path / "data"), out=tmp_path / "again.json")


def test_mean_target_is_the_mean_of_the_training_targets_at_the_pictures_size(tmp_path: Path, model: Path) -> None:
    for split, side in (("train", 64), ("val", 100)):
        (tmp_path / split).mkdir()
        for index, value in enumerate((10, 30, 80)):
            pair = np.full((side, 2 * side, 3), value, np.uint8)
            Image.fromarray(pair).save(tmp_path / split / f"{index}.png")
    record = measure("--model", str(model), "--data", str(tmp_path), out=tmp_path / "m.json")
    means = {round(np.mean([a, b])) for a in (10, 30, 80) for b in (10, 30, 80) if a != b}  # one of three is in `dev`
    expected = [np.mean([abs(mean - value) for value in (10, 30, 80)]) / 255 for mean in means]
    assert any(record["trivial"]["mean target"]["l1"] == pytest.approx(value) for value in expected)  # type: ignore[index]
    assert record["trivial"]["input unchanged"] == {"l1": 0.0, "psnr": None, "ssim": pytest.approx(1)}  # type: ignore[index]


def test_the_grid_shows_input_output_and_target_of_evenly_spaced_pairs(tmp_path: Path, model: Path) -> None:
    write_pairs(tmp_path / "data", "train", 12, shift=0)
    val = write_pairs(tmp_path / "data", "val", 7, shift=5)
    grid = tmp_path / "grid.png"
    measure("--model", str(model), "--data", str(tmp_path / "data"), "--grid", str(grid), out=tmp_path / "m.json")
    drawn = np.asarray(Image.open(grid))
    first_row = len(drawn) - 4 * 68  # four rows of 64 pixels and a gap of 4 below the titles
    for place, index in enumerate((0, 2, 4, 6)):
        top = first_row + place * 68
        np.testing.assert_array_equal(drawn[top : top + 64, 4:68], val[index][0])
        np.testing.assert_array_equal(drawn[top : top + 64, 140:204], val[index][1])


def test_without_training_pairs_their_guesses_are_left_out(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_pairs(tmp_path, "val", 2, 0)
    record = measure("--model", str(model), "--data", str(tmp_path), out=tmp_path / "m.json")
    assert list(record["trivial"]) == ["input unchanged"]  # type: ignore[call-overload]
    assert "no split 'train'" in capsys.readouterr().err


def test_damaged_pairs_are_named_and_left_out(tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_pairs(tmp_path, "train", 4, 0)
    write_pairs(tmp_path, "val", 3, 0)
    whole = (tmp_path / "val" / "1.png").read_bytes()
    (tmp_path / "val" / "1.png").write_bytes(whole[: len(whole) // 2])
    record = measure("--model", str(model), "--data", str(tmp_path), out=tmp_path / "m.json")
    assert record["n"] == 2
    said = capsys.readouterr()
    assert "1.png" in said.out + said.err


def test_a_task_without_palette_has_no_class_row(tmp_path: Path) -> None:
    model = save_tiny_model(tmp_path / "rgb.safetensors")
    write_pairs(tmp_path / "data", "train", 3, 0)
    record = measure(
        "--model", str(model), "--data", str(tmp_path / "data"), "--split", "train", out=tmp_path / "m.json"
    )
    assert list(record["trivial"]) == ["mean target", "input unchanged"]  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "missing"], "no such folder"),
        (["--data", "embedded"], "no embedded pairs"),
        (["--split", "vall"], "split"),
        (["--model", "facadez"], "no model 'facadez'"),
        (["--out", "."], "a folder, expected a file"),
    ],
)
def test_mistakes_are_one_line(tmp_path: Path, model: Path, arguments: list[str], message: str) -> None:
    given = arguments if "--model" in arguments else ["--model", str(model), *arguments]
    with pytest.raises(ValueError, match=message) as caught:
        main(given)
    assert "\n" not in str(caught.value)


def test_pictures_below_the_window_of_ssim_are_named(tmp_path: Path, model: Path) -> None:
    write_pairs(tmp_path, "val", 2, 0, side=8)
    with pytest.raises(ValueError, match="0: SSIM: got a picture of 8x8"):
        main(["--model", str(model), "--data", str(tmp_path)])


def test_every_line_of_the_table_has_n() -> None:
    lines = table({"a": {"l1": 0.5, "psnr": float("inf"), "ssim": 1.0}, "bb": {"l1": 0, "psnr": 9.5, "ssim": 0}}, 17)
    assert [line.split()[-1] for line in lines.splitlines()] == ["n", "17", "17"]


@pytest.mark.skipif(not (DATA / "facades" / "val").is_dir(), reason="real data is not there: PIX2PIX_TEST_DATA")
def test_real_facades(tmp_path: Path) -> None:
    model = save_tiny_model(tmp_path / "m.safetensors", data={"input_side": "right", **LABELS["data"]})
    for split in ("train", "val"):
        (tmp_path / split).mkdir()
        for file in sorted((DATA / "facades" / split).iterdir())[:6]:
            (tmp_path / split / file.name).symlink_to(file.resolve())
    record = measure("--model", str(model), "--data", str(tmp_path), out=tmp_path / "m.json")
    assert record["n"] == 6
    assert record["trivial"]["mean target"]["l1"] < record["trivial"]["input unchanged"]["l1"]  # type: ignore[index]
