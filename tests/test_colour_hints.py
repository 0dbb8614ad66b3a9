"""Strokes of colour and saturation: what follows, what stays, against hand-made pictures and a dense solve."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from pix2pix import colour_hints as module
from pix2pix.colour_hints import follow_hints, saturate, strokes
from pix2pix.lab import CHROMA_SCALE, rgb_to_lab

RED = (200, 40, 40)
GREEN = (40, 140, 40)
KINDS = (np.asarray, torch.from_numpy)


def lab_chroma(colour: tuple[int, int, int]) -> np.ndarray:
    """a and b in the network's numbers."""
    return rgb_to_lab(np.array([[colour]], np.uint8))[0, 0, 1:] / CHROMA_SCALE


def blank(height: int, width: int) -> np.ndarray:
    return np.zeros((height, width, 4), np.uint8)


def two_objects(height: int = 60, width: int = 90) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A dark disc before something light, both with some texture: chroma (2, h, w), lightness (h, w), in the disc."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:height, :width]
    disc = (y - height / 2) ** 2 + (x - width / 2) ** 2 < (height / 3) ** 2
    lightness = np.where(disc, 35, 70) + rng.normal(0, 1, disc.shape)
    chroma = np.where(disc, 0.05, -0.1) * np.ones((2, 1, 1))
    return chroma.astype(np.float32), lightness.astype(np.float32), disc


def distance(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """In Lab units; (2, ...) each."""
    return np.asarray(np.hypot(*(one - other)) * CHROMA_SCALE)


def test_a_stroke_recolours_its_object_and_no_other() -> None:
    chroma, lightness, disc = two_objects()
    hints = blank(60, 90)
    hints[28:31, 35:55] = (*RED, 255)
    followed = follow_hints(chroma, lightness, hints)
    wanted = lab_chroma(RED)[:, None]
    assert np.median(distance(followed[:, disc], wanted)) < 5
    assert distance(followed[:, 28:31, 35:55].reshape(2, -1), wanted).max() < 1e-3
    # One pixel around is left out: an edge is one step, and either side of it may lead.
    beyond = ~disc & ~np.roll(disc, 1, 0) & ~np.roll(disc, -1, 0) & ~np.roll(disc, 1, 1) & ~np.roll(disc, -1, 1)
    assert distance(followed[:, beyond], chroma[:, beyond]).max() < 2


def test_two_strokes_share_a_picture() -> None:
    chroma, lightness, disc = two_objects()
    hints = blank(60, 90)
    hints[28:31, 35:55] = (*RED, 255)
    hints[3:6, 5:80] = (*GREEN, 255)
    followed = follow_hints(chroma, lightness, hints)
    assert np.median(distance(followed[:, disc], lab_chroma(RED)[:, None])) < 5
    assert np.median(distance(followed[:, ~disc], lab_chroma(GREEN)[:, None])) < 12


def test_a_grey_stroke_takes_colour_away() -> None:
    chroma, lightness, disc = two_objects()
    hints = blank(60, 90)
    hints[28:31, 35:55] = (128, 128, 128, 255)
    followed = follow_hints(chroma, lightness, hints)
    assert np.hypot(*followed[:, disc]).max() < 0.3 * np.hypot(*chroma[:, disc]).max()


def test_a_stroke_evens_out_a_blotchy_prediction() -> None:
    chroma, lightness, disc = two_objects()
    chroma[:, 20:40:4, 35:55] = 0.4
    hints = blank(60, 90)
    hints[28:31, 35:55] = (*RED, 255)
    followed = follow_hints(chroma, lightness, hints)
    assert distance(followed[:, disc], lab_chroma(RED)[:, None]).max() < 10


def test_a_stroke_fades_with_distance() -> None:
    hints = blank(80, 300)
    hints[:, 0] = (*RED, 255)
    followed = follow_hints(np.zeros((2, 80, 300), np.float32), np.full((80, 300), 50, np.float32), hints)
    along = followed[0, 40]
    assert (np.diff(along) < 0).all()
    # Where lightness is even it would be exp(-distance / reach); the far end holds it back.
    reach = module.REACH * 300
    assert along[200] / along[100] == pytest.approx(np.cosh(100 / reach) / np.cosh(200 / reach), rel=0.01)


@pytest.mark.parametrize("kind", KINDS)
def test_without_strokes_nothing_changes(kind: Callable[[np.ndarray], Any]) -> None:
    chroma, lightness, _ = two_objects()
    given = kind(chroma)
    faint = blank(60, 90)
    faint[:, :] = (*RED, 127)
    followed = follow_hints(given, lightness, faint)
    assert isinstance(followed, type(given))
    assert np.array_equal(np.asarray(followed), chroma)


def test_strokes_everywhere_are_the_result() -> None:
    chroma, lightness, _ = two_objects()
    rng = np.random.default_rng(1)
    hints = rng.integers(0, 256, (60, 90, 4), np.uint8)
    hints[:, :, 3] = 255
    wanted = rgb_to_lab(hints[:, :, :3])[:, :, 1:].transpose(2, 0, 1) / CHROMA_SCALE
    np.testing.assert_allclose(follow_hints(chroma, lightness, hints), wanted, atol=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_parity_with_a_dense_solve(seed: int) -> None:
    """The equation in full: (1 + pull) * sum of likenesses * u = sum of likeness * neighbour's u."""
    rng = np.random.default_rng(seed)
    height, width = rng.integers(2, 9, 2)
    lightness = rng.uniform(40, 50, (height, width)).astype(np.float32)
    predicted = rng.uniform(-0.3, 0.3, (2, height, width)).astype(np.float32)
    hints = blank(height, width)
    hints[:, :, :3] = rng.integers(60, 190, (height, width, 3))
    hints[:, :, 3] = np.where(rng.random((height, width)) < 0.2, 255, 0)
    hints[0, 0, 3] = 255
    wanted, stroked = strokes(hints, height, width)
    count = height * width
    matrix, right = np.zeros((count, count)), np.zeros((count, 3))
    pull = 1 / (2 * module.REACH * max(height, width)) ** 2
    for y in range(height):
        for x in range(width):
            here = y * width + x
            if stroked[y, x]:
                matrix[here, here], right[here] = 1, (*wanted[:, y, x], 1)
                continue
            for down, along in ((0, 1), (0, -1), (1, 0), (-1, 0)):
                row, column = y + down, x + along
                if 0 <= row < height and 0 <= column < width:
                    step = float(lightness[y, x]) - float(lightness[row, column])
                    like = np.exp(-((step / module.LIKENESS) ** 2) / 2) + module.LEAST_LIKENESS
                    matrix[here, here] += (1 + pull) * like
                    matrix[here, row * width + column] -= like
    *colour, share = np.linalg.solve(matrix, right).T.reshape(3, height, width)
    expected = np.stack(colour) + (1 - share) * predicted
    np.testing.assert_allclose(follow_hints(predicted, lightness, hints), expected, atol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1), (2, 2), (13, 40)])
def test_any_size_and_hints_of_another(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(2)
    lightness = rng.uniform(0, 100, size).astype(np.float32)
    chroma = rng.uniform(-0.5, 0.5, (2, *size)).astype(np.float32)
    for times in (1, 3):
        hints = blank(size[0] * times, size[1] * times)
        hints[0, 0] = (*RED, 255)
        followed = follow_hints(torch.from_numpy(chroma), lightness, hints)
        assert followed.shape == (2, *size)
        assert followed.dtype == torch.float32
        assert followed.abs().max() <= 1
        np.testing.assert_allclose(followed[:, 0, 0].numpy(), lab_chroma(RED), atol=1e-6)


def test_no_thin_stroke_is_lost_when_it_shrinks() -> None:
    hints = blank(600, 800)
    hints[301, 100:700] = (*RED, 255)
    wanted, stroked = strokes(hints, 60, 80)
    assert stroked.sum() == 60
    assert stroked[30, 10:70].all()
    np.testing.assert_allclose(wanted[:, 30, 40], lab_chroma(RED), atol=1e-6)


def test_two_colours_within_a_pixel_are_averaged() -> None:
    hints = blank(20, 20)
    hints[0, :5], hints[0, 5:10] = (*RED, 255), (*GREEN, 255)
    wanted, stroked = strokes(hints, 2, 2)
    assert stroked.tolist() == [[True, False], [False, False]]
    np.testing.assert_allclose(wanted[:, 0, 0], (lab_chroma(RED) + lab_chroma(GREEN)) / 2, atol=1e-6)


def test_small_hints_grow_by_nearest() -> None:
    hints = blank(2, 3)
    hints[1, 2] = (*RED, 255)
    wanted, stroked = strokes(hints, 40, 60)
    assert stroked.sum() == 400
    assert stroked[20:, 40:].all()
    np.testing.assert_allclose(wanted[:, 39, 59], lab_chroma(RED), atol=1e-6)


@pytest.mark.parametrize("photo", [(3000, 4000), (333, 500), (1, 1300)])
def test_the_photo_s_shape_fits_any_rounded_working_size(photo: tuple[int, int]) -> None:
    for side in (16, 128, 400):
        scale = min(side / min(photo), 4 * side / max(photo))
        work = [max(1, round(each * scale)) for each in photo]
        assert strokes(blank(*photo), *work)[1].shape == tuple(work)


@pytest.mark.parametrize(
    ("hints", "message"),
    [
        (np.zeros((60, 90, 3), np.uint8), "hints: got 3 channels, expected 4"),
        (np.zeros((60, 90), np.uint8), "hints: got 1 channels, expected 4"),
        (blank(90, 60), "hints: got 60x90, expected the photo's shape"),
        (blank(60, 96), "hints: got 96x60, expected the photo's shape"),
    ],
)
def test_unfit_hints_are_refused(hints: np.ndarray, message: str) -> None:
    chroma, lightness, _ = two_objects()
    with pytest.raises(ValueError, match=message) as raised:
        follow_hints(chroma, lightness, hints)
    assert "\n" not in str(raised.value)


# --- saturation ---


@pytest.mark.parametrize("kind", KINDS)
def test_saturation_scales_chroma_and_keeps_hue(kind: Callable[[np.ndarray], Any]) -> None:
    chroma = np.random.default_rng(3).uniform(-1, 1, (2, 20, 30)).astype(np.float32)
    given = kind(chroma)
    assert np.array_equal(np.asarray(saturate(given, 1.0)), chroma)
    assert not np.asarray(saturate(given, 0.0)).any()
    np.testing.assert_array_equal(np.asarray(saturate(given, 0.5)), chroma / 2)
    more = saturate(given, 3.0)
    assert isinstance(more, type(given))
    assert np.abs(np.asarray(more)).max() <= 1
    before, after = (each[0] + 1j * each[1] for each in (chroma, np.asarray(more)))
    assert np.abs(np.angle(after / before)).max() < 1e-5
    assert (np.abs(after) >= np.abs(before) - 1e-6).all()


@pytest.mark.parametrize("factor", [-0.1, float("nan"), float("inf")])
def test_an_impossible_saturation_is_refused(factor: float) -> None:
    with pytest.raises(ValueError, match=r"expected 0 \(grey\) or more"):
        saturate(np.zeros((2, 1, 1), np.float32), factor)
