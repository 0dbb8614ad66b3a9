"""What a person asks of one picture: how strongly it is mended, lines as they are drawn, and what no model can do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from tiny_models import save_tiny_model

from pix2pix import translate
from pix2pix.data.conditions import normalise
from pix2pix.guidance import Guidance
from pix2pix.hub import load
from pix2pix.images import enlarge, read_image, write_image

RESIDUAL: dict[str, Any] = {"work": "native", "model": {"residual": True}}


def noise(*shape: int, deep: bool = False) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.integers(0, 65536 if deep else 256, shape, np.uint16 if deep else np.uint8)


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("scale", [1, 2])
def test_strength_lies_between_the_picture_and_the_output(
    tmp_path: Path, deep: bool, channels: int, scale: int
) -> None:
    data = {"scale": scale, "derive": [f"downsample: {{factor: {scale}}}"], "load_size": "native"}
    translator = load(save_tiny_model(tmp_path / "m.safetensors", **RESIDUAL, data=data), "cpu", "torch")
    image = noise(40, 60, channels, deep=deep)
    if channels == 4:
        image[:, :, 3] = np.iinfo(image.dtype).max
    before, after = enlarge(image, scale), translator(image)
    assert np.array_equal(translator(image, None, Guidance(strength=0)), before)
    assert np.array_equal(translator(image, None, Guidance(strength=1)), after)
    mixed = translator(image, None, Guidance(strength=0.25))
    assert mixed.dtype == image.dtype
    assert np.abs(mixed - (0.75 * before + 0.25 * after.astype(float))).max() <= 0.51


def test_large_pictures_are_tempered_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    translator = load(save_tiny_model(tmp_path / "m.safetensors", **RESIDUAL), "cpu", "torch")
    image = noise(128, 128, 3)
    monkeypatch.setattr("pix2pix.translator.LARGEST", 1000)
    after = translator(image).astype(float)
    assert np.abs(translator(image, None, Guidance(strength=0.5)) - (image / 2 + after / 2)).max() <= 0.51


def test_lines_as_they_are_drawn(tmp_path: Path) -> None:
    """A thick grey line is thinned and darkened by the normalisation; as drawn it reaches the network as it is."""
    path = save_tiny_model(tmp_path / "m.safetensors", data={"input": "gray", "normalise": ["lines"]})
    plain = save_tiny_model(tmp_path / "p.safetensors", data={"input": "gray"})
    drawing = np.full((64, 64, 1), 255, np.uint8)
    cv2.line(drawing, (10, 12), (50, 40), 120, 5)
    translator, without = load(path, "cpu", "torch"), load(plain, "cpu", "torch")
    as_drawn = translator(drawing, None, Guidance(as_drawn=True))
    assert np.array_equal(as_drawn, without(drawing))
    assert np.array_equal(translator(drawing), without(normalise(drawing, ["lines"], {})))
    assert not np.array_equal(as_drawn, translator(drawing))


@pytest.mark.parametrize(
    ("model", "guidance", "message"),
    [
        ("denoise", Guidance(2), "saturation and hints are for models that colour; 'denoise' does not"),
        ("colorize", Guidance(strength=0.5), "strength is for models that mend whole pictures; 'colorize' does not"),
        ("inpaint", Guidance(strength=0.5), "strength is for models that mend whole pictures; 'inpaint' does not"),
        ("facades", Guidance(as_drawn=True), "as drawn is for models of line drawings; 'facades' takes none"),
        ("denoise", Guidance(strength=1.5), "strength: got 1.5, expected 0"),
        ("denoise", Guidance(strength=float("nan")), "strength: got nan, expected 0"),
    ],
)
def test_what_a_model_cannot_do(model: str, guidance: Guidance, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load(model, "cpu", "torch")(noise(64, 64, 3), None, guidance)


def test_the_command_asks_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_image(tmp_path / "a.png", noise(64, 64, 3))
    sketch = np.full((64, 64, 1), 255, np.uint8)
    cv2.circle(sketch, (30, 30), 18, 100, 4)
    write_image(tmp_path / "s.png", sketch)
    usual = ["--out", "o", "--backend", "torch", "--device", "cpu"]
    assert translate.main(["a.png", "--model", "denoise", "--strength", "0.4", *usual]) == 0
    expected = load("denoise", "cpu", "torch")(noise(64, 64, 3), None, Guidance(strength=0.4))
    assert np.array_equal(read_image("o/a.png"), expected)
    assert translate.main(["s.png", "--model", "edges2faces", "--as-drawn", *usual]) == 0
    expected = load("edges2faces", "cpu", "torch")(sketch, None, Guidance(as_drawn=True))
    assert np.array_equal(read_image("o/s.png"), expected)
    for arguments in (["--model", "facades", "--strength", "0.5"], ["--model", "facades", "--as-drawn"]):
        with pytest.raises(ValueError, match=r"'facades'.*leave it out"):
            translate.main(["a.png", *arguments])
