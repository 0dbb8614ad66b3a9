"""Holes: how much of a picture they take, what they look like, and any picture made one with holes."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError
from scipy import ndimage

from pix2pix.data.conditions.masks import TOLERANCE, Area, draw_mask, holes, mask, with_mask

SIZES = [(16, 16), (16, 40), (64, 48), (128, 128), (256, 256), (200, 333)]


def picture(height: int, width: int, channels: int, dtype: type = np.uint8, seed: int = 0) -> np.ndarray:
    white = int(np.iinfo(dtype).max)
    return np.random.default_rng(seed).integers(1, white, (height, width, channels), dtype, endpoint=True)


@pytest.mark.parametrize(("height", "width"), SIZES)
@pytest.mark.parametrize("area", [(0.05, 0.4), (0.01, 0.02), (0.3, 0.3), (0.6, 0.95)])
def test_holes_take_the_share_asked_for(height: int, width: int, area: tuple[float, float]) -> None:
    slack = max(TOLERANCE, 0.5 / (height * width)) + 1e-9
    shares = []
    for seed in range(25):
        hole = draw_mask(np.random.default_rng(seed), height, width, area)
        assert hole.shape == (height, width)
        assert hole.dtype == np.bool_
        shares.append(hole.mean())
        assert area[0] - slack <= shares[-1] <= area[1] + slack
    spread = area[1] - area[0]
    assert max(shares) - min(shares) >= 0.7 * spread  # all of the range, not its middle


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 50), (3, 2), (7, 7)])
def test_tiny_pictures_are_no_trouble(height: int, width: int) -> None:
    for seed in range(30):
        hole = draw_mask(np.random.default_rng(seed), height, width, (0.05, 0.9))
        assert hole.mean() <= 0.9 + max(TOLERANCE, 0.5 / hole.size)


def test_holes_are_scratches_brushes_and_boxes_all_over_the_picture() -> None:
    masks = [draw_mask(np.random.default_rng(seed), 128, 128, (0.05, 0.4)) for seed in range(150)]
    widest = [2 * ndimage.distance_transform_cdt(np.pad(hole, 1), "chessboard").max() for hole in masks]
    assert min(widest) <= 14
    assert max(widest) >= 40
    # Scratches: most of some masks is gone after taking two pixels off every side.
    left = [ndimage.binary_erosion(hole, iterations=2).sum() / hole.sum() for hole in masks]
    assert min(left) < 0.45
    often = np.mean(masks, axis=0)
    assert often.min() > 0.02  # everywhere, corners included
    assert often.max() < 0.5
    places = often.reshape(4, 32, 4, 32).mean((1, 3))
    assert places.max() / places.min() < 2.5


def test_the_generator_alone_decides() -> None:
    one, again, other = (draw_mask(np.random.default_rng(seed), 90, 70, (0.1, 0.3)) for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_masked_pictures_are_transparent_and_black_in_the_holes_only(dtype: type, channels: int) -> None:
    image = picture(40, 30, channels, dtype)
    before = image.copy()
    holed = mask(image, np.random.default_rng(4), area=(0.2, 0.3))
    assert np.array_equal(image, before)
    assert holed.shape == (40, 30, 4)
    assert holed.dtype == dtype
    hole = draw_mask(np.random.default_rng(4), 40, 30, (0.2, 0.3))
    assert (holed[hole] == 0).all()
    assert (holed[~hole, 3] == np.iinfo(dtype).max).all()
    if channels < 4:
        assert np.array_equal(holed[~hole, :3], np.broadcast_to(image, (40, 30, 3))[~hole])
    assert np.array_equal(holes(holed), holed)  # what training sees is what serving makes


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (17, 23)])
def test_holes_are_idempotent(dtype: type, channels: int, height: int, width: int) -> None:
    image = picture(height, width, channels, dtype, seed=channels)
    before = image.copy()
    once = holes(image)
    assert np.array_equal(image, before)
    assert once.shape == (height, width, 4)
    assert once.dtype == dtype
    assert np.array_equal(holes(once), once)
    white = np.iinfo(dtype).max
    assert set(np.unique(once[..., 3])) <= {0, white}
    if channels < 4:
        assert (once[..., 3] == white).all()
        assert np.array_equal(once[..., :3], np.broadcast_to(image, (height, width, 3)))


@pytest.mark.parametrize(("dtype", "below", "half"), [(np.uint8, 127, 128), (np.uint16, 32767, 32768)])
def test_alpha_below_half_is_a_hole(dtype: type, below: int, half: int) -> None:
    white = np.iinfo(dtype).max
    image: np.ndarray = np.array([[[9, 8, 7, below], [9, 8, 7, half], [9, 8, 7, 0], [9, 8, 7, white]]], dtype)
    kept, lost = [9, 8, 7, white], [0, 0, 0, 0]
    assert holes(image).tolist() == [[lost, kept, lost, kept]]


def test_mistakes_are_refused_with_the_reason() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match=r"got the range \(0.4, 0.1\), expected the lower limit first"):
        draw_mask(rng, 20, 20, (0.4, 0.1))
    for area in ((0.1, 1.0), (-0.1, 0.5)):
        with pytest.raises(ValueError, match=r"expected it within 0 and 0.95"):
            draw_mask(rng, 20, 20, area)
    image = picture(5, 6, 3)
    for wrong in (np.zeros((6, 5), np.bool_), np.zeros((5, 6), np.uint8), np.zeros((5, 6, 1), np.bool_)):
        with pytest.raises(ValueError, match=r"expected \(H, W, 3\) and \(H, W\), bool"):
            with_mask(image, wrong)
    with pytest.raises(ValueError, match=r"a picture of shape \(5, 6, 1\)"):
        with_mask(image[..., :1], np.zeros((5, 6), np.bool_))


def test_an_area_in_a_file_is_checked_when_read() -> None:
    adapter: TypeAdapter[tuple[float, float]] = TypeAdapter(Area)
    assert adapter.validate_python([0, 0.95]) == (0, 0.95)
    for value in ([0.4, 0.1], [0.1, 0.96], [-0.1, 0.5], [0.1]):
        with pytest.raises(ValidationError):
            adapter.validate_python(value)
