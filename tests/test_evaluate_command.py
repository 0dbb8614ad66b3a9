"""`python -m pix2pix.evaluate`: figures that agree with hand-made ones, trivial rows, JSON, the report, mistakes."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_models import LABELS, PALETTE, save_tiny_model

from pix2pix import hub
from pix2pix.config import validate
from pix2pix.evaluate import main
from pix2pix.evaluation import Judges, Tally, Target, accuracies, look, of_the_set, ranked, summarise
from pix2pix.metrics.names import higher_is_better, metric_title
from pix2pix.metrics.pixels import l1, psnr, ssim
from pix2pix.metrics.table import table
from pix2pix.schema import merge

ALONE = ("--lpips", "none", "--features", "none")  # no network judges
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


def measure(*arguments: str, out: Path, judges: Sequence[str] = ALONE) -> dict[str, Any]:
    assert main([*arguments, *judges, "--out", str(out)]) == 0
    record: dict[str, Any] = json.loads(out.read_text())
    return record


def test_figures_agree_with_those_made_by_hand(tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_pairs(tmp_path / "data", "train", 12, shift=0)
    val = write_pairs(tmp_path / "data", "val", 3, shift=5)
    record = measure("--model", str(model), "--data", str(tmp_path / "data"), out=tmp_path / "m" / "metrics.json")
    translate = hub.load(model, backend="torch")
    for name, metric in (("l1", l1), ("psnr", psnr), ("ssim", ssim)):
        expected = np.mean([metric(translate(source), target) for source, target in val])
        assert record["metrics"][name] == pytest.approx(expected)
        expected = np.mean([metric(source, target) for source, target in val])
        assert record["trivial"]["input unchanged"][name] == pytest.approx(expected)
    per_class = record["trivial"]["mean colour of each class"]
    # The classes' colours are learned, up to what resizing for training mixes at their borders; val is brighter by 5.
    assert per_class["l1"] == pytest.approx(5 / 255, abs=1 / 255)
    facts = {key: record[key] for key in ("task", "split", "n", "seed", "dropout", "images_seen")}
    assert facts == {"task": "tiny", "split": "val", "n": 3, "seed": None, "dropout": False, "images_seen": 7}
    assert record["model_id"] == hashlib.sha256(model.read_bytes()).hexdigest()[:12]
    said = capsys.readouterr().out
    assert "mean colour" in said
    assert "of each" in said
    for title in ("L1", "PSNR (dB)", "SSIM"):
        assert title in said
    again = measure("--model", str(model), "--data", str(tmp_path / "data"), out=tmp_path / "again.json")
    assert {**record, "date": ""} == {**again, "date": ""}


def test_mean_target_is_the_mean_of_the_training_targets_at_the_pictures_size(tmp_path: Path, model: Path) -> None:
    for split, side in (("train", 64), ("val", 100)):
        (tmp_path / split).mkdir()
        for index, value in enumerate((10, 30, 80)):
            pair = np.full((side, 2 * side, 3), value, np.uint8)
            Image.fromarray(pair).save(tmp_path / split / f"{index}.png")
    record = measure("--model", str(model), "--data", str(tmp_path), out=tmp_path / "m.json")
    means = {round(np.mean([a, b])) for a in (10, 30, 80) for b in (10, 30, 80) if a != b}  # one of three is in `dev`
    expected = [np.mean([abs(mean - value) for value in (10, 30, 80)]) / 255 for mean in means]
    assert any(record["trivial"]["mean target"]["l1"] == pytest.approx(value) for value in expected)
    assert record["trivial"]["target itself"] == {"l1": 0.0, "psnr": None, "ssim": pytest.approx(1)}


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
    assert list(record["trivial"]) == ["input unchanged", "target itself"]
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
    assert list(record["trivial"]) == ["mean target", "input unchanged", "target itself"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "missing"], "no such folder"),
        (["--data", "embedded"], "no embedded pairs"),
        (["--split", "vall"], "split"),
        (["--model", "facadez"], "no model 'facadez'"),
        (["--out", "."], "a folder, expected a file"),
        (["--lpips-backbone", "w.pth"], "needs the name of its network; give --lpips NAME"),
        (["--features", "inception", "--features-file", "w.pth"], "w.pth: no such file"),
        (["--segmenter", "espnet.pth"], "espnet.pth: no such file"),
        (["--grid", "grid.xyz"], "cannot write '.xyz' files"),
        (["--grid", "."], "a folder, expected a file"),
    ],
)
def test_mistakes_are_one_line(tmp_path: Path, model: Path, arguments: list[str], message: str) -> None:
    given = arguments if "--model" in arguments else ["--model", str(model), *arguments]
    with pytest.raises(ValueError, match=message) as caught:
        main([*ALONE, *given])
    assert "\n" not in str(caught.value)


def test_a_picture_too_small_for_a_figure_is_left_out_of_it_and_that_is_said(
    tmp_path: Path, model: Path, squeeze: list[str]
) -> None:
    write_pairs(tmp_path, "val", 1, 0, side=8)
    for name, side in (("1", 64), ("2", 176)):
        pair = np.random.default_rng(side).integers(0, 256, (side, 2 * side, 3), np.uint8)
        Image.fromarray(pair).save(tmp_path / "val" / f"{name}.png")
    arguments = ["--model", str(model), "--data", str(tmp_path), "--report", str(tmp_path / "r")]
    record = measure(*arguments, out=tmp_path / "m.json", judges=[*squeeze[:4], "--features", "none"])
    notes = " ".join(record["notes"])
    assert "SSIM is of 2 of 3 pictures: it needs 11 pixels a side" in notes
    assert "MS-SSIM is of 1 of 3 pictures: it needs 161 pixels a side" in notes
    assert "LPIPS (squeeze) is of 2 of 3 pictures" in notes
    small, middle, large = record["pictures"]
    assert list(small) == ["stem", "l1", "psnr"]
    assert record["metrics"]["ms_ssim"] == large["ms_ssim"]
    assert record["metrics"]["ssim"] == pytest.approx((middle["ssim"] + large["ssim"]) / 2)
    assert record["metrics"]["l1"] == pytest.approx(np.mean([each["l1"] for each in record["pictures"]]))


def test_every_figure_has_a_title_and_all_but_one_a_direction() -> None:
    palette = {"data": {"input": "gray", "target": "labels_onehot", "palette": PALETTE}}
    task = validate(merge({"name": "every", "data": {"size": 64}}, palette), "test")
    tally = Tally()
    picture = np.zeros((176, 176, 3), np.uint8)
    look(tally, picture, Target(picture, None, picture), task, Judges())
    names = [*summarise(tally, tally, Judges()), *of_the_set(np.eye(5), np.eye(5), "f"), "lpips[f]"]
    names += [f"fcn_{name}[f]" for name in accuracies(np.eye(2, 3))]
    assert len(names) == 20
    assert [name for name in names if higher_is_better(name) is None] == ["colourfulness"]
    assert all(metric_title(name)[0].isupper() for name in names)


def test_a_grey_input_does_not_pass_on_the_colours_of_its_file(tmp_path: Path) -> None:
    grey = save_tiny_model(tmp_path / "grey.safetensors", data={"input": "gray"})
    (tmp_path / "val").mkdir()
    photo = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(np.hstack([photo, photo])).save(tmp_path / "val" / "0.png")
    record = measure("--model", str(grey), "--data", str(tmp_path), out=tmp_path / "m.json")
    assert record["trivial"]["input unchanged"]["l1"] > 0.1
    assert record["trivial"]["input unchanged"]["colourfulness"] == 0


def test_damage_found_late_costs_neither_the_figures_nor_the_pictures(tmp_path: Path, model: Path) -> None:
    write_pairs(tmp_path / "data", "val", 4, 0)
    first = tmp_path / "data" / "val" / "0.png"
    first.write_bytes(first.read_bytes()[:-200])
    arguments = ["--model", str(model), "--data", str(tmp_path / "data"), "--grid", str(tmp_path / "g.png")]
    record = measure(*arguments, "--report", str(tmp_path / "r"), out=tmp_path / "m.json")
    assert record["n"] == 3
    assert (tmp_path / "g.png").exists()
    assert (tmp_path / "r" / "report.html").exists()


def test_every_line_of_the_table_has_n_and_undefined_values_their_sign() -> None:
    rows = {"model run/of/mine": {"l1": 0.5, "psnr": float("inf"), "ssim": 1.0}, "input unchanged": {"l1": 0.25}}
    lines = table(rows, {"kid_x1000[inception]": (1.5, 2.5)}, 17).splitlines()
    assert [line.split() for line in lines[-4:-1]] == [
        ["L1", "0.5000", "0.2500", "17"],
        ["PSNR", "(dB)", "inf", "inf", "17"],
        ["SSIM", "1.0000", "-", "17"],
    ]
    assert lines[-1] == "KID x1000 (inception) of model run/of/mine: 95 % interval 1.50 to 2.50"
    assert len({line.rindex("17") for line in lines[-4:-1]}) == 1
    assert max(map(len, lines)) < 80
    assert "\n".join(lines).isascii()


@pytest.fixture
def squeeze(tmp_path: Path) -> list[str]:
    """Judges that need no download: LPIPS on a SqueezeNet of random weights, and the packaged EfficientNet-Lite0."""
    from torchvision.models import squeezenet1_1

    torch.manual_seed(0)
    torch.save(squeezenet1_1(weights=None).features.state_dict(), tmp_path / "squeeze.pth")
    return ["--lpips", "squeeze", "--lpips-backbone", str(tmp_path / "squeeze.pth"), "--features", "efficientnet_lite0"]


def test_judges_score_every_row_and_the_targets_themselves_are_perfect(
    tmp_path: Path, model: Path, squeeze: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PIX2PIX_CACHE", str(tmp_path / "cache"))
    write_pairs(tmp_path / "data", "train", 4, shift=0)
    write_pairs(tmp_path / "data", "val", 6, shift=5)
    arguments = ["--model", str(model), "--data", str(tmp_path / "data")]
    record = measure(*arguments, "--report", str(tmp_path / "r"), out=tmp_path / "m.json", judges=squeeze)
    sets = [f"{metric}[efficientnet_lite0]" for metric in ("fid", "kid_x1000", "precision", "recall")]
    assert list(record["metrics"]) == ["l1", "psnr", "ssim", "lpips[squeeze]", *sets]
    perfect = record["trivial"]["target itself"]
    assert perfect["lpips[squeeze]"] == 0
    assert perfect[sets[0]] == pytest.approx(0, abs=1e-4)
    assert (perfect[sets[2]], perfect[sets[3]]) == (1, 1)
    low, high = record["intervals"][sets[1]]
    assert low < record["metrics"][sets[1]] < high
    assert list(record["judges"]) == ["lpips", "fid, kid, precision, recall"]
    assert all("weights" in judge for judge in record["judges"].values())
    assert any("n = 6 is small for FID" in note for note in record["notes"])
    assert "n = 6 is small for FID" in capsys.readouterr().out
    assert json.loads((tmp_path / "r" / "metrics.json").read_text()) == record
    page = (tmp_path / "r" / "report.html").read_text()
    assert all(word in page for word in ("Worst", "Median", "Best", "target itself", record["model_id"]))
    # What one picture is scored with does not depend on the others: half of the split gives the same figures.
    for name in ("3", "4", "5"):
        (tmp_path / "data" / "val" / f"{name}.png").unlink()
    half = measure(*arguments, out=tmp_path / "half.json", judges=squeeze)
    assert half["pictures"] == record["pictures"][:3]
    assert half["metrics"]["lpips[squeeze]"] == pytest.approx(
        np.mean([picture["lpips[squeeze]"] for picture in record["pictures"][:3]])
    )


def test_judges_that_cannot_be_had_are_said_and_left_out_and_never_replaced_in_silence(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise URLError("no network here")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    monkeypatch.setattr("torch.hub.get_dir", lambda: str(tmp_path / "hub"))
    monkeypatch.setenv("PIX2PIX_CACHE", str(tmp_path / "cache"))
    write_pairs(tmp_path / "data", "val", 5, shift=5)
    arguments = ["--model", str(model), "--data", str(tmp_path / "data")]
    record = measure(*arguments, out=tmp_path / "m.json", judges=[])
    assert not any(name.startswith("lpips") or "inception" in name for name in record["metrics"])
    assert "fid[efficientnet_lite0]" in record["metrics"]
    assert record["notes"][0].startswith("without LPIPS: ")
    assert any("not from the usual Inception features" in note for note in record["notes"])
    assert "EfficientNet-Lite0 judges instead" in capsys.readouterr().err
    with pytest.raises(ValueError, match="no network here"):
        main([*arguments, "--features", "inception"])
    with pytest.raises(ValueError, match="no network here"):
        main([*arguments, "--lpips", "alex"])


def test_a_seed_draws_the_noise_and_is_in_the_record(tmp_path: Path, model: Path) -> None:
    write_pairs(tmp_path, "val", 2, 0)
    arguments = ["--model", str(model), "--data", str(tmp_path)]
    plain, one, same, other = (
        measure(*arguments, *seed, out=tmp_path / "m.json") for seed in ([], *(["--seed", s] for s in "112"))
    )
    assert (plain["seed"], plain["dropout"]) == (None, False)
    assert (one["seed"], one["dropout"]) == (1, True)
    assert one["metrics"] == same["metrics"]
    assert len({record["metrics"]["l1"] for record in (plain, one, other)}) == 3


def test_a_labels_target_is_scored_by_class_and_such_a_model_can_be_the_segmenter(tmp_path: Path, model: Path) -> None:
    reader = save_tiny_model(
        tmp_path / "reader.safetensors", name="reader", data={"target": "labels_onehot", "palette": PALETTE}
    )
    rng = np.random.default_rng(0)
    (tmp_path / "val").mkdir()
    for index in range(3):
        labels = COLOURS[rng.integers(0, 3, (4, 4)).repeat(16, 0).repeat(16, 1)]
        photo = rng.integers(0, 256, (64, 64, 3), np.uint8)
        Image.fromarray(np.hstack([photo, labels])).save(tmp_path / "val" / f"{index}.png")
    record = measure("--model", str(reader), "--data", str(tmp_path), out=tmp_path / "m.json")
    assert {"pixel_accuracy", "class_accuracy", "mean_iou"} <= record["metrics"].keys()
    perfect = record["trivial"]["target itself"]
    assert [perfect[name] for name in ("pixel_accuracy", "class_accuracy", "mean_iou")] == [1, 1, 1]
    made = [
        hub.load(reader, backend="torch")(np.asarray(Image.open(file))[:, :64])
        for file in sorted((tmp_path / "val").iterdir())
    ]
    wanted = [np.asarray(Image.open(file))[:, 64:] for file in sorted((tmp_path / "val").iterdir())]
    right = np.mean([(a == b).all(-1) for a, b in zip(made, wanted, strict=True)])
    with pytest.raises(ValueError, match="the inputs of 'reader' are no label maps"):
        main(["--model", str(reader), "--data", str(tmp_path), *ALONE, "--segmenter", str(reader)])
    assert record["metrics"]["pixel_accuracy"] == pytest.approx(right)

    write_pairs(tmp_path / "painted", "val", 3, 0)
    arguments = ["--model", str(model), "--data", str(tmp_path / "painted"), "--segmenter", str(reader)]
    record = measure(*arguments, out=tmp_path / "f.json")
    translate, read = hub.load(model, backend="torch"), hub.load(reader, backend="torch")
    for row, picture_of in (("metrics", translate), ("target itself", None)):
        found = record["metrics"] if row == "metrics" else record["trivial"][row]
        shares = []
        for file in sorted((tmp_path / "painted" / "val").iterdir()):
            pair = np.asarray(Image.open(file))
            labels, photo = pair[:, :64], pair[:, 64:]
            shown = photo if picture_of is None else picture_of(labels)
            shares.append((read(shown) == labels).all(-1).mean())
        assert found["fcn_pixel_accuracy[reader]"] == pytest.approx(np.mean(shares))


def test_a_colouring_task_gets_figures_of_colour_and_a_flat_one_its_tolerance(tmp_path: Path) -> None:
    grey = save_tiny_model(tmp_path / "grey.safetensors", data={"input": "gray"}, evaluation={"tolerance": 5})
    (tmp_path / "val").mkdir()
    rng = np.random.default_rng(0)
    for index in range(2):
        photo = rng.integers(0, 256, (64, 64, 3), np.uint8)
        light = np.asarray(Image.fromarray(photo).convert("L").convert("RGB"))
        Image.fromarray(np.hstack([light, photo])).save(tmp_path / "val" / f"{index}.png")
    record = measure("--model", str(grey), "--data", str(tmp_path), out=tmp_path / "m.json")
    names = {"psnr_ab", "colourfulness", "overlap_l", "overlap_a", "overlap_b", "pixel_accuracy"}
    assert names <= record["metrics"].keys()
    assert record["trivial"]["target itself"]["overlap_a"] == 1
    assert record["trivial"]["input unchanged"]["colourfulness"] == pytest.approx(0, abs=0.5)
    assert record["trivial"]["input unchanged"]["overlap_a"] < 0.1
    assert record["trivial"]["input unchanged"]["overlap_l"] > 0.8
    assert record["trivial"]["target itself"]["pixel_accuracy"] == 1


def test_cases_are_ranked_by_their_figure_and_none_is_shown_twice() -> None:
    pictures = [{"m": value} for value in (0.3, 0.9, 0.1, 0.5, 0.7)]
    assert ranked(pictures, "m", False, 1) == {"worst": [1], "median": [3], "best": [2]}
    assert ranked(pictures, "m", True, 1) == {"worst": [2], "median": [3], "best": [1]}
    for count in range(1, 12):
        chosen = ranked([{"m": float(value)} for value in range(count)], "m", False, 3)
        flat = [index for indices in chosen.values() for index in indices]
        assert len(flat) == len(set(flat)) > 0
        assert set(flat) <= set(range(count))


@pytest.mark.skipif(not (DATA / "facades" / "val").is_dir(), reason="real data is not there: PIX2PIX_TEST_DATA")
def test_real_facades(tmp_path: Path) -> None:
    model = save_tiny_model(tmp_path / "m.safetensors", data={"input_side": "right", **LABELS["data"]})
    for split in ("train", "val"):
        (tmp_path / split).mkdir()
        for file in sorted((DATA / "facades" / split).iterdir())[:6]:
            (tmp_path / split / file.name).symlink_to(file.resolve())
    record = measure("--model", str(model), "--data", str(tmp_path), out=tmp_path / "m.json")
    assert record["n"] == 6
    assert record["metrics"]["ms_ssim"] < record["trivial"]["target itself"]["ms_ssim"] == 1
    assert record["trivial"]["mean target"]["l1"] < record["trivial"]["input unchanged"]["l1"]
