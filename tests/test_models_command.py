"""`python -m pix2pix.models`: what is listed, and that a released model gives the same pictures and no local path."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tiny_models import save_tiny_model
from torch import nn

from pix2pix import evaluate, hub, model_files
from pix2pix.checkpoint import Facts, Figures, load_model, load_weights, save_model
from pix2pix.config import Task
from pix2pix.images import read_image, write_image
from pix2pix.metrics.judges import fingerprint
from pix2pix.metrics.names import REFERENCE
from pix2pix.models import main
from pix2pix.reporting.overview import SIDE, table
from pix2pix.translator import build_model_generator


def test_shipped_models_and_runs_are_listed_with_their_terms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    save_tiny_model(tmp_path / "runs" / "tiny" / "first" / "model.safetensors")
    assert main([]) == 0
    said = capsys.readouterr().out
    for name, path in model_files.shipped_models().items():
        assert f"{name}: " in said
        assert load_model(path).facts.licence in said
    assert "runs/tiny/first: tiny, 64 px" in said
    assert "7 images of nothing; terms: unknown" in said


def test_a_released_model_gives_the_same_pictures_and_no_path_of_its_machine(tmp_path: Path) -> None:
    model = save_tiny_model(tmp_path / "m.safetensors", data={"path": "secret/place"}, train={"init": "secret/other"})
    out = tmp_path / "out" / "given.safetensors"
    assert main(["release", "--model", str(model), "--out", str(out), "--licence", "CC0", "--data", "drawn"]) == 0
    assert b"secret" not in out.read_bytes()
    released = load_model(out)
    assert (released.facts.licence, released.facts.data, released.facts.images_seen) == ("CC0", "drawn", 7)
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    np.testing.assert_array_equal(hub.load(out)(picture), hub.load(model)(picture))

    finer = tmp_path / "finer.safetensors"
    assert main(["release", "--model", str(out), "--out", str(finer), "--work-size", "96"]) == 0
    assert hub.load(finer).work_size == 96
    assert hub.load(finer)(picture).shape == picture.shape
    assert not np.array_equal(hub.load(finer)(picture), hub.load(model)(picture))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["release"], "which model, and where to"),
        (["release", "--model", "MODEL", "--out", "o.safetensors"], "say them with --licence"),
        (["release", "--model", "nowhere", "--out", "o.safetensors"], "no model 'nowhere'"),
        (["release", "--model", "MODEL", "--out", "o.safetensors", "--licence", "x", "--work-size", "1"], "work_size"),
        (["remove"], "remove"),
        (["table", "--model", "MODEL"], "table: is of every model"),
    ],
)
def test_mistakes_are_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    save_tiny_model(tmp_path / "m.safetensors")
    with pytest.raises(ValueError, match=message) as caught:
        main(["m.safetensors" if word == "MODEL" else word for word in arguments])
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "o.safetensors").exists()


def test_a_model_carries_its_card(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = save_tiny_model(tmp_path / "m.safetensors", command="pix2pix train --task tiny --data DIR --batch 2")
    (tmp_path / "data" / "val").mkdir(parents=True)
    for index in range(2):
        pair = np.random.default_rng(index).integers(0, 256, (64, 128, 3), np.uint8)
        write_image(tmp_path / "data" / "val" / f"{index}.png", pair)
    figures, out = tmp_path / "figures.json", tmp_path / "out.safetensors"
    judges = ["--lpips", "none", "--features", "none"]
    evaluate.main(["--model", str(model), "--data", str(tmp_path / "data"), "--out", str(figures), *judges])
    given = ["release", "--out", str(out), "--licence", "CC0", "--figures", str(figures)]
    assert main([*given, "--model", str(model)]) == 0
    assert b"secret" not in out.read_bytes()
    capsys.readouterr()
    assert main(["show", "--model", str(out)]) == 0
    said = capsys.readouterr().out
    assert "command: pix2pix train --task tiny --data DIR --batch 2" in said
    assert "terms: CC0" in said
    scored = load_model(out).facts.figures
    assert scored is not None
    assert (scored.n, scored.split) == (2, "val")
    assert "input unchanged" in scored.trivial
    assert f"{scored.metrics['l1']:.4f}" in next(line for line in said.splitlines() if line.startswith("L1"))

    with pytest.raises(ValueError, match="of another model"):
        main([*given, "--model", str(out)])
    figures.write_text("{}")
    with pytest.raises(ValueError, match="expected what `pix2pix evaluate --out` writes"):
        main([*given, "--model", str(model)])
    with pytest.raises(ValueError, match="which model"):
        main(["show"])


def test_a_model_released_in_8_bits_leaves_figures_of_16_behind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scored = Figures(split="val", n=9, judges={}, metrics={"l1": 0.1}, trivial={})
    model = tmp_path / "m.safetensors"
    save_model(model, *opened(save_tiny_model(tmp_path / "bare.safetensors", model={"width": 16}), scored))
    coarse, again, back = (tmp_path / f"{name}.safetensors" for name in ("coarse", "again", "back"))
    given = ["release", "--model", str(model), "--licence", "CC0", "--out", str(coarse), "--bits", "8"]
    assert main(given) == 0
    assert "without its figures, which are of the weights in 16 bits" in capsys.readouterr().out
    released = load_model(coarse)
    assert (released.bits, released.facts.figures) == (8, None)
    assert coarse.stat().st_size < 0.75 * model.stat().st_size

    figures = tmp_path / "figures.json"
    figures.write_text(json.dumps({**scored.model_dump(), "model": "m", "model_id": fingerprint(model)}))
    with pytest.raises(ValueError, match="--figures: of the weights in 16 bits; release with --bits 8 alone"):
        main([*given, "--figures", str(figures)])
    figures.write_text(json.dumps({**scored.model_dump(), "model": "coarse", "model_id": fingerprint(coarse)}))
    assert main(["release", "--model", str(coarse), "--out", str(again), "--figures", str(figures)]) == 0
    assert main(["release", "--model", str(again), "--out", str(back), "--bits", "16"]) == 0
    assert [load_model(path).bits for path in (again, back)] == [8, 16]
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    outputs = [hub.load(path)(picture).astype(int) for path in (model, coarse, again)]
    np.testing.assert_array_equal(outputs[1], outputs[2])
    assert 0 < np.abs(outputs[0] - outputs[1]).mean() < 3
    for path in (again, back):  # 16 bits hold what 8 do, nearly: 11 binary digits of 15
        assert load_model(path).facts.figures == scored


def opened(path: Path, figures: Figures) -> tuple[nn.Module, Task, Facts]:
    """The generator, task and facts of the model at `path`, with `figures`."""
    released = load_model(path)
    generator = build_model_generator(released.task)
    load_weights(generator, released)
    return generator, released.task, released.facts.model_copy(update={"figures": figures})


def test_all_models_at_a_glance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    one = save_tiny_model(tmp_path / "one.safetensors")
    for index in range(3):
        (tmp_path / "data" / "val").mkdir(parents=True, exist_ok=True)
        pair = np.random.default_rng(index).integers(0, 256, (64, 128, 3), np.uint8)
        write_image(tmp_path / "data" / "val" / f"{index}.png", pair)
    assert main(["sheet", "--pairs", "one.safetensors=data", f"{one}=data", "--out", "sheet.webp"]) == 0
    drawn = read_image("sheet.webp")
    assert drawn.shape[1] > 4 * SIDE
    middle = read_image("data/val/1.png")[:, 64:]  # the target of the middle pair, at the right
    shown = drawn[-SIDE - 4 : -4, -SIDE - 4 : -4]
    assert np.abs(shown.mean((0, 1)) - middle.mean((0, 1))).max() < 4
    for arguments, message in (
        (["sheet", "--out", "a.png"], "of which models"),
        (["sheet", "--pairs", "one.safetensors", "--out", "a.png"], "expected NAME=DIR"),
        (["sheet", "--pairs", "none=data", "--out", "a.png"], "no model 'none'"),
        (["sheet", "--pairs", "one.safetensors=data", "--out", "a.xyz"], "cannot write"),
    ):
        with pytest.raises(ValueError, match=message):
            main(arguments)


def test_the_table_compares_with_the_best_guess() -> None:
    model = load_model(model_files.shipped_models()["facades"])
    figures = Figures(
        split="val",
        n=9,
        judges={},
        metrics={"lpips[s]": 0.3, "psnr": 20.0},
        trivial={
            "mean target": {"lpips[s]": 0.6, "psnr": 10.0},
            "input": {"lpips[s]": 0.4},
            REFERENCE: {"lpips[s]": 0.0},
        },
    )
    scored = model.model_copy(update={"facts": model.facts.model_copy(update={"figures": figures})})
    bare = model.model_copy(update={"facts": model.facts.model_copy(update={"figures": None})})
    lines = table({"a": scored, "b": bare}).splitlines()
    assert lines[2] == "| a | 25,200 | 0.3000 | 0.4000 (input) | 25% | 9 val |"
    assert lines[3] == "| b | 25,200 | - | - | - | - |"
    assert table({"a": scored}, "psnr").splitlines()[2].endswith("| 20.00 | 10.00 (mean target) | 100% | 9 val |")


def test_the_shipped_models_beat_the_best_guess(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["table"]) == 0
    rows = capsys.readouterr().out.splitlines()[2:]
    assert len(rows) == len(model_files.shipped_models())
    for row in rows:
        assert int(row.split("|")[5].strip().removesuffix("%")) >= 15, row
