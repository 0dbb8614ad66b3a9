"""Black and white to colour, on photographs: lightness stays, and the colours are worth having."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from pix2pix import translate
from pix2pix.colour_hints import follow_hints, saturate
from pix2pix.guidance import Guidance
from pix2pix.hub import load
from pix2pix.images import read_image, write_image
from pix2pix.lab import CHROMA_SCALE, encoded, lightness, luminance, recolour, rgb_to_lab
from pix2pix.metrics.colour import colourfulness
from pix2pix.metrics.perceptual import load_lpips
from pix2pix.translator import Translator

DATA = Path(os.environ.get("PIX2PIX_TEST_DATA", Path(__file__).parents[1] / "../shared/data"))


@pytest.fixture(scope="module")
def colorizer() -> Translator:
    return load("colorize", device="cpu", backend="torch")


def photos() -> list[np.ndarray]:
    folder = DATA / "benchmarks" / "kodak24"
    if not folder.is_dir():
        pytest.skip(f"no photos in {folder}; set PIX2PIX_TEST_DATA")
    return [read_image(path) for path in sorted(folder.glob("*.png"))]


def grey_of(image: np.ndarray) -> np.ndarray:
    return encoded(luminance(image), image.dtype)[:, :, None]


def exact_lightness(image: np.ndarray) -> np.ndarray:
    """L by the formulas in 64 bits, (H, W, 1 or 3) -> (H, W)."""
    level = image / np.iinfo(image.dtype).max
    light = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
    y = light[:, :, 0] if image.shape[2] == 1 else light @ np.array([0.212671, 0.715160, 0.072169])
    return np.asarray(np.where(y > 216 / 24389, 116 * np.cbrt(y) - 16, y * 24389 / 27))


def with_low_bits(image: np.ndarray, seed: int) -> np.ndarray:
    """8 bits as 16 whose low ones are noise."""
    noise = np.random.default_rng(seed).integers(-128, 129, image.shape)
    return np.clip(image.astype(int) * 257 + noise, 0, 65535).astype(np.uint16)


@pytest.mark.slow
def test_sixteen_and_eight_bit_photos_keep_their_lightness(colorizer: Translator) -> None:
    for seed, photo in enumerate(photos()):
        for image, most in ((photo, 0.3), (with_low_bits(photo, seed), 0.01)):
            grey = grey_of(image)
            output = colorizer(grey)
            assert output.dtype == image.dtype
            assert np.abs(exact_lightness(output) - exact_lightness(grey)).max() <= most, f"photo {seed}"


@pytest.mark.slow
def test_colours_are_nearer_to_the_photo_than_grey_is(colorizer: Translator) -> None:
    weights = DATA / "weights" / "lpips_squeeze" / "squeeze.backbone.pth"
    if not weights.is_file():
        pytest.skip(f"no weights of LPIPS in {weights}; set PIX2PIX_TEST_DATA")
    lpips = load_lpips("squeeze", weights, "cpu", print)
    figures = []
    for photo in photos():
        grey = np.repeat(grey_of(photo), 3, axis=2)
        output = colorizer(grey)
        target = lpips.embed(photo)
        distances = [lpips.distance(lpips.embed(each), target) for each in (grey, output)]
        figures.append((*distances, colourfulness(output), colourfulness(photo)))
    of_grey, of_output, lively, original = np.mean(figures, axis=0)
    assert of_output < of_grey
    assert lively >= 0.5 * original


def test_what_a_stroke_asks_for_is_in_the_picture(colorizer: Translator) -> None:
    """A real network's chroma, then a stroke, then full size: red where it was asked for, and lightness kept."""
    y, x = np.mgrid[:240, :320]
    disc = (y - 120) ** 2 + (x - 160) ** 2 < 80**2
    grey = np.where(disc, 110, 190).astype(np.uint8)[:, :, None]
    predicted = rgb_to_lab(colorizer(np.repeat(grey, 3, axis=2)))[:, :, 1:].transpose(2, 0, 1) / CHROMA_SCALE
    hints = np.zeros((240, 320, 4), np.uint8)
    hints[115:125, 130:190] = (200, 60, 60, 255)
    made = recolour(grey, saturate(follow_hints(predicted, lightness(grey), hints), 1.0))
    wanted = rgb_to_lab(np.array([[[200, 60, 60]]], np.uint8))[0, 0, 1:]
    assert np.linalg.norm(np.median(rgb_to_lab(made)[disc][:, 1:], axis=0) - wanted) < 6
    assert np.abs(exact_lightness(made) - exact_lightness(grey)).max() < 0.3


def test_guidance_counts_at_any_size(colorizer: Translator, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    image = cv2.resize(rng.integers(0, 256, (9, 12), np.uint8), (160, 120), interpolation=cv2.INTER_CUBIC)[:, :, None]
    hints = np.zeros((120, 160, 4), np.uint8)
    hints[50:70, 60:100] = 200, 40, 40, 255
    usual, grey = colorizer(image), colorizer(image, None, Guidance(0))
    assert np.ptp(grey.astype(int), axis=2).max() <= 1
    assert colourfulness(colorizer(image, None, Guidance(2))) > colourfulness(usual)
    hinted = colorizer(image, None, Guidance(hints=hints))
    stroke = rgb_to_lab(hints[:1, :1, :3] * 0 + np.array([200, 40, 40], np.uint8))[0, 0, 1:]
    inside = rgb_to_lab(hinted[55:65, 70:90])[:, :, 1:]
    assert np.abs(np.median(inside, axis=(0, 1)) / stroke - 1).max() < 0.35  # where lightness leaves room for it
    assert np.array_equal(colorizer(image, None, Guidance(hints=np.zeros_like(hints))), usual)
    monkeypatch.setattr("pix2pix.translator.LARGEST", 1000)
    in_strips = colorizer(image, None, Guidance(0.5, hints)).astype(int)
    monkeypatch.undo()
    assert np.abs(in_strips - colorizer(image, None, Guidance(0.5, hints))).max() <= 1


def test_transparency_stays(colorizer: Translator) -> None:
    rng = np.random.default_rng(1)
    image = rng.integers(0, 65536, (60, 80, 4), np.uint16)
    image[:20, :, 3], image[20:30, :, 3] = 0, 65535
    output = colorizer(image)
    assert output.shape == image.shape
    assert output.dtype == np.uint16
    assert np.array_equal(output[:, :, 3], image[:, :, 3])
    shown = np.where(image[:, :, 3:] > 0, image[:, :, :3], 65535).astype(np.uint16)
    assert np.array_equal(output[:, :, :3], colorizer(shown))


@pytest.mark.parametrize(
    "guidance", [Guidance(-1), Guidance(float("nan")), Guidance(hints=np.zeros((5, 5, 4), np.uint8))]
)
def test_guidance_that_cannot_be_followed(colorizer: Translator, guidance: Guidance) -> None:
    with pytest.raises(ValueError, match=r"saturation: got|hints: got"):
        colorizer(np.zeros((40, 80, 1), np.uint8), None, guidance)


def test_other_models_take_no_guidance() -> None:
    with pytest.raises(ValueError, match="'denoise' does not"):
        load("denoise", device="cpu", backend="torch")(np.zeros((40, 80, 3), np.uint8), None, Guidance(2))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "denoise", "--saturation", "2"], "--saturation and --hints are for models that colour; 'denoise'"),
        (["b.png", "--model", "colorize", "--hints", "strokes.png"], "one file for 2 pictures; give a folder"),
        (["--model", "colorize", "--hints", "nothing.png"], "nothing.png: no such file"),
    ],
)
def test_bad_guidance_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.png", "b.png", "strokes.png"):
        write_image(tmp_path / name, np.zeros((40, 60, 4), np.uint8))
    with pytest.raises(ValueError, match=message):
        translate.main(["a.png", *arguments])


def test_hints_in_a_folder_are_for_the_pictures_of_their_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, colorizer: Translator
) -> None:
    monkeypatch.chdir(tmp_path)
    image = np.full((48, 64, 1), 128, np.uint8)
    hints = np.zeros((48, 64, 4), np.uint8)
    hints[20:30, 20:40] = 200, 40, 40, 255
    (tmp_path / "strokes").mkdir()
    write_image(tmp_path / "strokes" / "b.png", hints)
    for name in ("a.png", "b.png"):
        write_image(tmp_path / name, image)
    chosen = ["--hints", "strokes", "--out", "o", "--saturation", "0.5", "--backend", "torch"]
    assert translate.main(["a.png", "b.png", "--model", "colorize", *chosen]) == 0
    assert np.array_equal(read_image("o/a.png"), colorizer(image, None, Guidance(0.5)))
    assert np.array_equal(read_image("o/b.png"), colorizer(image, None, Guidance(0.5, hints)))
    assert not np.array_equal(read_image("o/a.png"), read_image("o/b.png"))
