"""`python -m pix2pix.models`: what is listed, and that a released model gives the same pictures and no local path."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tiny_models import save_tiny_model

from pix2pix import evaluate, hub
from pix2pix.checkpoint import load_model
from pix2pix.images import write_image
from pix2pix.models import main


def test_shipped_models_and_runs_are_listed_with_their_terms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    save_tiny_model(tmp_path / "runs" / "tiny" / "first" / "model.safetensors")
    assert main([]) == 0
    said = capsys.readouterr().out
    for name, path in hub.shipped_models().items():
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
