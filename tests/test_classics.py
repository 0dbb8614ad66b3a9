"""The classics: that each does what its name says, by pictures whose right answer is known."""

from __future__ import annotations

import importlib.util

import cv2
import numpy as np
import pytest

from pix2pix.restoration.classics import CLASSICS, NEEDS, Damage

SIDE = 32


def ramp() -> np.ndarray:
    """A picture that is smooth and colourful, with one edge."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    picture = np.stack([3 * rows + 40, 2 * columns + 60, 120 + rows - columns], axis=2)
    picture[:, 20:] += 40
    return picture.astype(np.uint8)


def error(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.square(one.astype(float) - other).mean())


def needed(name: str) -> None:
    if name in NEEDS and importlib.util.find_spec(NEEDS[name][0]) is None:
        pytest.skip(f"{NEEDS[name][0]} is not installed")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", CLASSICS["denoise"])
def test_a_denoiser_takes_most_of_the_noise_away(name: str) -> None:
    needed(name)
    rng = np.random.default_rng(0)
    noisy = (ramp() + 25 * rng.standard_normal((SIDE, SIDE, 3))).clip(0, 255).astype(np.uint8)
    before = noisy.copy()
    restored = CLASSICS["denoise"][name](noisy, Damage(sigma=25))
    assert restored.shape == noisy.shape
    assert restored.dtype == np.uint8
    assert error(restored, ramp()) < 0.5 * error(noisy, ramp())
    assert np.array_equal(noisy, before)


@pytest.mark.parametrize("name", CLASSICS["inpaint"])
def test_holes_are_filled_from_around_and_the_rest_stays(name: str) -> None:
    rows, columns = np.mgrid[:SIDE, :SIDE]
    clean = np.stack([4 * rows + 40, 3 * columns + 60, 2 * rows + 2 * columns], axis=2).astype(np.uint8)
    holes = np.zeros((SIDE, SIDE), np.bool_)
    holes[12:17, 10:15] = True
    damaged = clean.copy()
    damaged[holes] = 0
    restored = CLASSICS["inpaint"][name](damaged, Damage(holes=holes))
    assert np.array_equal(restored[~holes], clean[~holes])
    worst = np.abs(restored[holes].astype(int) - clean[holes]).max()
    assert worst <= (1 if name == "biharmonic" else 24)  # a plane is biharmonic; the others smear a little


@pytest.mark.parametrize("name", CLASSICS["superres"])
@pytest.mark.parametrize("factor", [2, 4])
def test_enlarging_keeps_a_ramp(name: str, factor: int) -> None:
    smooth = np.asarray(cv2.GaussianBlur(ramp(), (9, 9), 2), np.uint8)
    height, width = SIDE // factor, SIDE // factor
    small = np.asarray(cv2.resize(smooth, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    enlarged = CLASSICS["superres"][name](small, Damage(factor=factor))
    assert enlarged.shape == (SIDE, SIDE, 3)
    inner = slice(6, -6)
    assert error(enlarged[inner, inner], smooth[inner, inner]) < 20


def test_every_classic_that_needs_a_package_is_one() -> None:
    names = {name for classics in CLASSICS.values() for name in classics}
    assert set(NEEDS) <= names
    assert all("pip install" in line for _, line in NEEDS.values())
