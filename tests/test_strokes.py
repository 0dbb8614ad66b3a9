"""Drawings as people draw them: nothing at strength 0, else as much as it says, and `lines` finds them again."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from pix2pix.data.conditions.lines import lines
from pix2pix.data.conditions.strokes import strokes

NOTHING: dict[str, Any] = {
    "wobble": 0.0,
    "thickness": (1.0, 1.0),
    "gaps": 0.0,
    "lost": 0.0,
    "stray": 0.0,
    "tone": 0.0,
    "blur": 0.0,
}


def drawing(height: int = 256, width: int = 256, dtype: type = np.uint8) -> np.ndarray:
    """Thin circles and lines."""
    plane = np.full((height, width), 255, np.uint8)
    for share in (0.15, 0.3, 0.45):
        cv2.circle(plane, (width // 2, height // 2), int(share * min(height, width)), 0)
    cv2.line(plane, (0, height // 3), (width - 1, height // 2), 0)
    cv2.line(plane, (width // 4, 0), (width // 3, height - 1), 0)
    return lines((plane.astype(dtype) * (np.iinfo(dtype).max // 255))[:, :, None])


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def ink(image: np.ndarray) -> np.ndarray:
    dark: np.ndarray = image[:, :, 0] <= np.iinfo(image.dtype).max // 2
    return dark


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_strength_zero_changes_nothing(dtype: type) -> None:
    image = drawing(64, 80, dtype)
    result = strokes(image, rng(0), **NOTHING)
    assert np.array_equal(result, image)
    assert not np.shares_memory(result, image)
    # The same by the long way round.
    assert np.array_equal(strokes(image, rng(0), **{**NOTHING, "blur": 1e-9}), image)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 30, 3), (25, 1, 4), (2, 2, 1), (64, 90, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_size_type_argument_and_seed(shape: tuple[int, int, int], dtype: type) -> None:
    top = int(np.iinfo(dtype).max)
    for seed in range(4):
        image = (rng(seed).integers(0, 6, shape) > 0).astype(dtype) * dtype(top)
        before = image.copy()
        result = strokes(image, rng(seed))
        assert result.shape == (*shape[:2], 1)
        assert result.dtype == dtype
        assert np.array_equal(image, before)
        assert np.array_equal(result, strokes(image, rng(seed)))
    blank: np.ndarray = np.full(shape, top, dtype)
    assert np.array_equal(
        strokes(blank, rng(0), **{**NOTHING, "lost": 1.0, "stray": 1.0, "wobble": 0.01}), blank[..., :1]
    )


def test_lost_and_gaps_take_away_no_more_than_they_say() -> None:
    image = drawing()
    for name, most in (("lost", 0.4), ("gaps", 0.3)):
        taken = [
            1 - ink(strokes(image, rng(seed), **{**NOTHING, name: most})).sum() / ink(image).sum() for seed in range(20)
        ]
        assert min(taken) >= 0
        assert max(taken) <= most * 1.1, name  # a disc also takes a second line that passes
        assert max(taken) > most / 2, name
    for seed in range(5):  # what is left lies where it was
        left = ink(strokes(image, rng(seed), **{**NOTHING, "lost": 0.4, "gaps": 0.1}))
        assert not (left & ~ink(image)).any()


def test_stray_strokes_add_about_as_much_as_they_say() -> None:
    image = drawing()
    added = [
        ink(strokes(image, rng(seed), **{**NOTHING, "stray": 0.3})).sum() / ink(image).sum() - 1 for seed in range(20)
    ]
    assert min(added) >= 0
    assert 0.15 < max(added) < 0.4


@pytest.mark.parametrize("width", [2.0, 3.0, 5.0])
def test_thickness_is_the_width_in_pixels(width: float) -> None:
    image = np.full((128, 128, 1), 255, np.uint8)
    image[64] = 0
    drawn = strokes(image, rng(1), **{**NOTHING, "thickness": (width, width)})
    widths = (255 - drawn[:, :, 0].astype(float)).sum(0) / 255
    assert widths.mean() == pytest.approx(width, rel=0.2)
    assert widths.std() > 0.05


def test_wobble_moves_lines_smoothly_and_keeps_them_whole() -> None:
    image = np.full((256, 256, 1), 255, np.uint8)
    image[128] = 0
    moved = []
    for seed in range(10):
        drawn = 255 - strokes(image, rng(seed), **{**NOTHING, "wobble": 0.01})[:, :, 0].astype(float)
        assert (drawn.max(0) > 60).all()
        centre = (drawn * np.arange(256)[:, None]).sum(0) / drawn.sum(0)
        assert np.abs(np.diff(centre)).max() < 1.5
        moved.append(np.abs(centre - 128).max())
    assert 1 < max(moved) < 12


def test_tone_greys_ink_and_paper() -> None:
    image = drawing()
    for seed in range(10):
        drawn = strokes(image, rng(seed), **{**NOTHING, "tone": 1.0})
        line, sheet = drawn[ink(image)].mean(), drawn[~ink(image)].mean()
        assert line < sheet - 50
        assert sheet > 180
        assert len(np.unique(drawn)) > 10


def test_lines_finds_the_strokes_again() -> None:
    image = drawing()
    keeps, true = [], []
    to_line = cv2.distanceTransform((~ink(image)).astype(np.uint8), cv2.DIST_L2, 5)
    for seed in range(20):
        cleaned = lines(strokes(image, rng(seed), wobble=0.005, gaps=0.0, lost=0.0, stray=0.0))
        to_cleaned = cv2.distanceTransform(cleaned, cv2.DIST_L2, 5)
        keeps.append(float((to_cleaned[ink(image)] < 5).mean()))
        true.append(float((to_line[ink(cleaned)] < 5).mean()))
    assert np.mean(keeps) > 0.95
    assert np.mean(true) > 0.95
    assert min(keeps) > 0.8
    assert min(true) > 0.8


def test_thickness_given_the_wrong_way_round_is_refused() -> None:
    with pytest.raises(ValueError, match="lower limit first"):
        strokes(drawing(20, 20), rng(0), thickness=(3.0, 2.0))
