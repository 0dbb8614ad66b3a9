"""Flicker of a clip and what lowers it: motion found, chroma carried along it, cuts left alone."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from clip_files import Echo, pictures_of, save_clip, translate

from pix2pix.clips.flicker import flicker
from pix2pix.clips.motion import flow, is_seen, warp
from pix2pix.clips.smoothing import ChromaSmoothing
from pix2pix.lab import lab_to_rgb, lightness, rgb_to_lab
from pix2pix.translator import Translator

ROOT = Path(__file__).parent.parent
PHOTOS = Path(os.environ.get("PIX2PIX_TEST_DATA", ROOT / "../shared/data")) / "photos" / "bsds" / "val"


def textured(height: int = 120, width: int = 200) -> np.ndarray:
    noise = np.random.default_rng(0).uniform(0, 255, (height, width, 3)).astype(np.float32)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3), None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)  # type: ignore[call-overload, no-any-return]


def test_a_known_motion_is_found_and_what_came_in_is_not_trusted() -> None:
    large = textured(140, 260)
    before, after = large[10:130, 20:220, 1], large[13:133, 28:228, 1]  # what is shown moves by (-8, -3)
    forth, back = flow(before, after), flow(after, before)
    middle = (slice(20, -20), slice(30, -30))
    np.testing.assert_allclose(np.median(forth[middle], (0, 1)), (-8, -3), atol=0.2)
    seen = is_seen(forth, back)
    assert seen[middle].mean() > 0.97
    assert not seen[:, :7].any()
    assert np.abs(warp(after, forth)[middle].astype(int) - before[middle]).mean() < 3


def test_flicker_is_what_changes_beyond_motion() -> None:
    still = [textured()] * 3
    assert flicker(still, still).warping_error == 0
    grey = [np.full((40, 40, 3), level, np.uint8) for level in (100, 100, 100)]
    lighter = [np.full((40, 40, 3), level, np.uint8) for level in (100, 151, 100)]
    found = flicker(grey, lighter)
    assert found.pairs == 2
    assert found.warping_error == pytest.approx(3 * (51 / 255) ** 2)  # 51 levels in each of three channels
    assert found.chroma == pytest.approx(0, abs=1e-2)
    red, green = np.array([(200, 60, 60), (60, 160, 60)], np.uint8)
    coloured = [np.broadcast_to(colour, (40, 40, 3)).copy() for colour in (red, green, red)]
    expected = np.linalg.norm(np.subtract(*(rgb_to_lab(colour[None, None])[0, 0, 1:] for colour in (red, green))))
    assert flicker(grey, coloured).chroma == pytest.approx(float(expected), rel=1e-4)
    with pytest.raises(ValueError, match="one scene"):
        flicker(grey[:1], grey[:1])


def unsteady(sources: Sequence[np.ndarray], seed: int = 0) -> list[np.ndarray]:
    """Colours that change from frame to frame, slowly over the picture, as those of a network do."""
    rng = np.random.default_rng(seed)
    outputs = []
    for source in sources:
        height, width = source.shape[:2]
        wobble = cv2.resize(
            rng.normal(0, 6, (4, 6, 2)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
        )
        lab = np.concatenate([lightness(source)[..., None], wobble + np.array((12, 18), np.float32)], axis=2)
        outputs.append(lab_to_rgb(lab, np.dtype(np.uint8)))
    return outputs


def pan(count: int, offset: int = 0) -> list[np.ndarray]:
    large = np.clip(textured(200, 400), 40, 215)[..., :1].repeat(3, 2)
    return [large[offset + index : offset + index + 120, 2 * index : 2 * index + 200].copy() for index in range(count)]


def chroma_of(pictures: Sequence[np.ndarray]) -> np.ndarray:
    return np.stack([rgb_to_lab(picture)[..., 1:].mean((0, 1)) for picture in pictures])


def test_smoothing_lowers_flicker_and_keeps_colour_and_lightness() -> None:
    sources = pan(16)
    outputs = unsteady(sources)
    smoothing = ChromaSmoothing()
    smoothed = [smoothing(source, output) for source, output in zip(sources, outputs, strict=True)]
    np.testing.assert_array_equal(smoothed[0], outputs[0])
    before, after = flicker(sources, outputs), flicker(sources, smoothed)
    assert after.chroma < 0.5 * before.chroma
    assert after.warping_error < before.warping_error
    np.testing.assert_allclose(chroma_of(smoothed).mean(0), chroma_of(outputs).mean(0), rtol=0.1)
    for source, picture in zip(sources, smoothed, strict=True):
        assert np.abs(lightness(source) - lightness(picture)).max() < 0.3
    none = ChromaSmoothing(0)
    for source, output in zip(sources[:3], outputs[:3], strict=True):
        assert np.abs(none(source, output).astype(int) - output).max() <= 1
    with pytest.raises(ValueError, match="less than 1"):
        ChromaSmoothing(1)


def test_smoothing_begins_anew_at_a_cut_and_where_something_came_in() -> None:
    dark, light = [np.full((64, 96, 3), level, np.uint8) for level in (60, 190)]
    smoothing = ChromaSmoothing()
    smoothing(dark, np.full_like(dark, 60) + np.array([40, 0, 0], np.uint8))
    np.testing.assert_array_equal(smoothing(light, light), light)
    # A dark disc comes in where light ground was: its colour is its own from the first frame on.
    ground = textured(120, 160)[..., :1].repeat(3, 2) // 4 + 150
    with_disc = cv2.circle(ground.copy(), (80, 60), 20, (40, 40, 40), -1)
    coloured = [lab(ground, (20, 20)), lab(with_disc, (-15, -15))]
    smoothing = ChromaSmoothing()
    smoothing(ground, coloured[0])
    chroma = rgb_to_lab(smoothing(with_disc, coloured[1]))[..., 1:]
    assert np.abs(chroma[52:68, 72:88] - rgb_to_lab(coloured[1])[52:68, 72:88, 1:]).max() < 3
    assert chroma[10:30, 10:40].mean() > 5  # the ground keeps most of what it had


def lab(source: np.ndarray, chroma: tuple[int, int]) -> np.ndarray:
    plane = np.broadcast_to(np.array(chroma, np.float32), (*source.shape[:2], 2))
    return lab_to_rgb(np.concatenate([lightness(source)[..., None], plane], axis=2), np.dtype(np.uint8))


def test_only_models_that_predict_chroma_are_smoothed(tmp_path: Path) -> None:
    sources = pan(10)
    source = save_clip(tmp_path / "clip.mp4", sources, sound=None)

    class Wobbling(Echo):
        def __call__(self, image: np.ndarray, seed: int | None = None, guidance: None = None) -> np.ndarray:
            return unsteady([image], seed=int(image[:5].sum()))[0]

    shown = {}
    for name, target, smooth in (("rgb", "rgb", 0.8), ("off", "lab_chroma", 0.0), ("on", "lab_chroma", 0.8)):
        result = translate(source, tmp_path / f"{name}.mp4", Wobbling(target), smooth)
        shown[name] = flicker(sources, pictures_of(result.path)).chroma
    assert shown["rgb"] == pytest.approx(shown["off"], rel=0.01)  # libx264 does not repeat itself to the bit
    assert shown["on"] < 0.5 * shown["off"]


@pytest.mark.slow
@pytest.mark.skipif(not PHOTOS.is_dir(), reason=f"no photos under {PHOTOS}; set PIX2PIX_TEST_DATA")
def test_colouring_a_clip_of_photos_flickers_less_with_smoothing(tmp_path: Path) -> None:
    from pix2pix import model_files
    from pix2pix.checkpoint import load_model

    pictures = []
    for number, path in enumerate(sorted(PHOTOS.iterdir())[:2]):
        whole = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        assert whole is not None
        for index in range(8):
            zoom = 1 + 0.01 * index
            moved = np.array([[zoom, 0, -4 * index], [0, zoom, -2 * index * number]], np.float32)
            seen = np.asarray(cv2.warpAffine(whole, moved, (320, 240)))
            pictures.append(seen[..., None].repeat(3, 2))
    source = save_clip(tmp_path / "clip.mp4", pictures)
    translator = Translator(load_model(model_files.choose("colorize", None, print)))
    sources = pictures_of(source)
    plain, smooth = (
        pictures_of(translate(source, tmp_path / f"{strength}.mp4", translator, strength).path)
        for strength in (0.0, 0.8)
    )
    before, after = flicker(sources, plain), flicker(sources, smooth)
    assert after.chroma < 0.8 * before.chroma
    assert after.warping_error <= before.warping_error
    amounts = [
        np.mean([np.hypot(*np.moveaxis(rgb_to_lab(each)[..., 1:], 2, 0)).mean() for each in clip])
        for clip in (plain, smooth)
    ]
    assert amounts[1] == pytest.approx(amounts[0], rel=0.1)
