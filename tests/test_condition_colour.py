"""Colour, luma and lightness: every value of both depths, parity with scikit-image's L*, known colours."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from skimage.color import rgb2lab

from pix2pix.data.conditions.colour import gray, lightness, rgb

STEPS = {"rgb": rgb, "gray": gray, "lightness": lightness}


def picture(height: int, width: int, channels: int, dtype: type = np.uint8, seed: int = 0) -> np.ndarray:
    white = int(np.iinfo(dtype).max)
    return np.random.default_rng(seed).integers(0, white, (height, width, channels), dtype, endpoint=True)


def l_star(image: np.ndarray) -> np.ndarray:
    """CIE L*, (H, W), of colour or grey by scikit-image."""
    colour = np.broadcast_to(image, (*image.shape[:2], 3)) / np.iinfo(image.dtype).max
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the far chroma of random colours
        lab: np.ndarray = rgb2lab(colour)
    return lab[..., 0]


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 9), (31, 20)])
def test_steps_are_idempotent(name: str, dtype: type, channels: int, height: int, width: int) -> None:
    image = picture(height, width, channels, dtype)
    before = image.copy()
    once = STEPS[name](image)
    assert np.array_equal(image, before)
    assert once.shape == (height, width, 3 if name == "rgb" else 1)
    assert once.dtype == dtype
    assert np.array_equal(STEPS[name](once), once)
    if channels == 1:
        assert np.array_equal(once, np.broadcast_to(image, once.shape))


@pytest.mark.parametrize("name", ["gray", "lightness"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_grey_written_as_colour_comes_back_exactly(name: str, dtype: type) -> None:
    every: np.ndarray = np.arange(np.iinfo(dtype).max + 1).astype(dtype).reshape(-1, 32, 1)
    opaque = np.concatenate([every, every, every, np.full_like(every, np.iinfo(dtype).max)], axis=2)
    assert np.array_equal(STEPS[name](np.repeat(every, 3, axis=2)), every)
    assert np.array_equal(STEPS[name](opaque), every)


@pytest.mark.parametrize(("dtype", "largest"), [(np.uint8, 0.3), (np.uint16, 0.01)])
def test_lightness_has_the_l_star_of_the_colour(dtype: type, largest: float) -> None:
    image = picture(300, 300, 3, dtype)
    image[:100] //= 16  # dark colours: there the curve is steepest
    image[100:150, :, 1:] = 0  # pure red, far from its luma
    image[150:200, :, :2] = 0
    assert np.abs(l_star(lightness(image)) - l_star(image)).max() < largest
    assert np.abs(l_star(gray(image)) - l_star(image)).max() > 5  # luma is another thing


def test_lightness_is_within_half_a_step_of_the_formula() -> None:
    image = picture(256, 256, 3, np.uint16)
    level = image / 65535
    light = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4) @ np.array(
        [0.212671, 0.715160, 0.072169]
    )
    expected = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055) * 65535
    assert np.abs(lightness(image)[..., 0] - expected).max() < 0.55


def test_known_colours() -> None:
    colours = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [0, 0, 0]]], np.uint8)
    assert gray(colours)[0, :, 0].tolist() == [76, 150, 29, 255, 0]  # 0.299, 0.587, 0.114 of 255
    # L* of pure red, green and blue is 53.24, 87.73 and 32.30, of these greys 53.19, 87.62 and 32.32.
    assert lightness(colours)[0, :, 0].tolist() == [127, 220, 76, 255, 0]


@pytest.mark.parametrize("name", STEPS)
def test_transparency_lies_over_white(name: str) -> None:
    clear = np.array([[[10, 200, 30, 0]]], np.uint8)
    assert (STEPS[name](clear) == 255).all()
