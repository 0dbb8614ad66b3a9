"""Colour metrics: parity with scikit-image's Lab, hand-computed values, properties, and what they refuse."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.color import rgb2lab

from pix2pix.metrics.colour import BINS, colourfulness, histogram_overlap, lab, lab_histograms, psnr_ab


def picture(seed: int, height: int = 40, width: int = 30) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def flat(red: int, green: int, blue: int, height: int = 4, width: int = 6) -> np.ndarray:
    return np.broadcast_to(np.array([red, green, blue], np.uint8), (height, width, 3)).copy()


def test_lab_agrees_with_scikit_image() -> None:
    levels = np.array([0, 5, 10, 11, 37, 64, 100, 128, 191, 254, 255], np.uint8)
    cube = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(-1, 11, 3)
    # Theirs gives white a chroma of 0.005, ours none.
    assert np.abs(lab(cube) - rgb2lab(cube)).max() < 0.006
    assert np.abs(lab(picture(0)) - rgb2lab(picture(0))).max() < 0.006


def test_greys_have_no_chroma() -> None:
    grey = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    assert np.abs(lab(grey)[..., 1:]).max() < 0.001
    assert lab(grey)[0, [0, 255], 0] == pytest.approx([0, 100], abs=1e-3)


@pytest.mark.parametrize("seed", range(3))
def test_psnr_ab_agrees_with_scikit_image(seed: int) -> None:
    output, target = picture(seed), picture(seed + 10)
    difference = (rgb2lab(output) - rgb2lab(target))[..., 1:]
    expected = 10 * math.log10(255**2 / np.square(difference).mean())
    assert psnr_ab(output, target) == pytest.approx(expected, abs=1e-3)
    assert psnr_ab(target, output) == psnr_ab(output, target)


def test_psnr_ab_of_known_colours() -> None:
    # Pure sRGB red is a = 80.09, b = 67.20 (D65); grey has neither.
    expected = 10 * math.log10(255**2 / ((80.09**2 + 67.20**2) / 2))
    assert psnr_ab(flat(255, 0, 0), flat(90, 90, 90)) == pytest.approx(expected, abs=0.01)
    assert psnr_ab(picture(1), picture(1)) == math.inf
    assert psnr_ab(flat(10, 10, 10), flat(240, 240, 240)) > 95  # lightness does not count


def test_colourfulness_by_hand() -> None:
    assert colourfulness(np.repeat(picture(2)[..., :1], 3, axis=2)) == 0
    # One colour: no spread; rg = 200 - 100, yb = 150 - 50.
    assert colourfulness(flat(200, 100, 50)) == pytest.approx(0.3 * math.hypot(100, 100))
    # Half red, half blue. rg: 255 and 0, mean and spread 127.5. yb: 127.5 and -255, mean -63.75, spread 191.25.
    half = flat(255, 0, 0)
    half[:2] = [0, 0, 255]
    expected = math.hypot(127.5, 191.25) + 0.3 * math.hypot(127.5, 63.75)
    assert colourfulness(half) == pytest.approx(expected)


def test_fading_a_picture_lowers_its_colourfulness_in_proportion() -> None:
    strong = picture(3) // 2 * 2
    half = strong // 2
    assert colourfulness(half) == pytest.approx(colourfulness(strong) / 2)


def test_lab_histograms_of_known_colours() -> None:
    black_and_white = np.concatenate([flat(0, 0, 0), flat(255, 255, 255, 4, 2)], axis=1)
    lightness, a, b = lab_histograms(black_and_white)
    assert (lightness[0], lightness[255]) == (24, 8)
    assert a[128] == b[128] == 32
    lightness, a, b = lab_histograms(flat(255, 0, 0))  # 53.24, 80.09, 67.20
    assert lightness[136] == a[128 + 80] == b[128 + 67] == 24


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 1000))
def test_every_pixel_is_counted_once_a_channel(height: int, width: int, seed: int) -> None:
    counts = lab_histograms(picture(seed, height, width))
    assert counts.shape == (3, BINS)
    assert counts.dtype == np.int64
    assert counts.sum(1).tolist() == [height * width] * 3


def test_histogram_overlap_by_hand() -> None:
    output = np.array([[1, 3, 0], [2, 2, 0], [4, 0, 0]])
    target = np.array([[2, 6, 0], [0, 4, 4], [0, 0, 8]])  # twice as many pixels
    assert histogram_overlap(output, target) == (1.0, 0.5, 0.0)
    assert histogram_overlap(target, output) == (1.0, 0.5, 0.0)


def test_histograms_add_up_over_a_set_and_ignore_where_colours_are() -> None:
    pictures = [picture(seed) for seed in range(3)]
    total = sum(lab_histograms(each) for each in pictures)
    assert isinstance(total, np.ndarray)
    assert (total == lab_histograms(np.concatenate(pictures))).all()
    assert histogram_overlap(total, lab_histograms(np.concatenate(pictures)[::-1])) == pytest.approx((1, 1, 1))
    grey = lab_histograms(np.repeat(pictures[0][..., :1], 3, axis=2))
    assert max(histogram_overlap(grey, total)[1:]) < 0.1  # grey pictures miss nearly all chroma


def test_pictures_that_cannot_be_measured_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected one shape"):
        psnr_ab(flat(0, 0, 0), flat(0, 0, 0, 5))
    with pytest.raises(ValueError, match=r"shape \(4, 5\), uint8, expected \(H, W, 3\), uint8"):
        lab_histograms(np.zeros((4, 5), np.uint8))
    with pytest.raises(ValueError, match=r"float64, expected"):
        psnr_ab(np.zeros((4, 5, 3)), np.zeros((4, 5, 3)))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"expected \(H, W, 3\)"):
        colourfulness(np.zeros((4, 5), np.uint8))
    counts = lab_histograms(flat(1, 2, 3))
    with pytest.raises(ValueError, match=r"without counts"):
        histogram_overlap(counts, np.zeros_like(counts))
    with pytest.raises(ValueError, match=r"one shape, \(3, bins\)"):
        histogram_overlap(counts, counts[:, :5])
