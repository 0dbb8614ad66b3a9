"""The filter behind a search: closed forms, limits, and that it finds what neither the search nor the noise shows."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import integrate, stats
from torch import Tensor

from pix2pix.data.conditions.degradations import noise as add_noise
from pix2pix.metrics.pixels import psnr
from pix2pix.restoration.classics import CLASSICS, Damage
from pix2pix.restoration.collaborating import FIRST, SECOND, Pass, collaborate, is_plain_noise, nl_bayes
from pix2pix.restoration.cut_noise import cut_mean, cut_square
from pix2pix.restoration.damage import Observation, damage, observe
from pix2pix.restoration.observing import as_levels
from pix2pix.restoration.operators import Gray, Identity
from pix2pix.restoration.solvers import SOLVERS


def photo(side: int = 64) -> np.ndarray:
    """A face and what is around it, (side, side, 3) uint8."""
    import cv2
    from skimage import data

    astronaut: np.ndarray = data.astronaut()  # type: ignore[no-untyped-call]
    return np.ascontiguousarray(cv2.resize(astronaut[:256, 100:356], (side, side), interpolation=cv2.INTER_AREA))


def as_tensor(picture: np.ndarray) -> Tensor:
    return torch.from_numpy(picture.astype(np.float32)).permute(2, 0, 1)[None] / 127.5 - 1


def as_picture(picture: Tensor) -> np.ndarray:
    return np.asarray(np.rint(as_levels(picture, np.dtype(np.uint8))), np.uint8)


@pytest.mark.parametrize(("value", "deviation"), [(-1.0, 0.2), (-0.9, 0.4), (0.1, 0.1), (0.7, 0.6)])
def test_moments_of_cut_noise_are_their_integrals(value: float, deviation: float) -> None:
    density = stats.norm(value, deviation).pdf

    def expectation(power: int) -> float:
        found = integrate.quad(lambda v: (np.clip(v, -1, 1) - value) ** power * density(v), -6, 6, points=[-1, 1])
        return float(found[0])

    arguments = torch.tensor(value, dtype=torch.float64), torch.tensor(deviation, dtype=torch.float64)
    assert float(cut_mean(*arguments)) == pytest.approx(value + expectation(1), abs=1e-7)
    assert float(cut_square(*arguments)) == pytest.approx(expectation(2), abs=1e-7)


@pytest.mark.parametrize("has_pilot", [True, False])
def test_patches_of_one_pixel_that_all_see_each_other_are_one_wiener_filter(has_pilot: bool) -> None:
    rng = np.random.default_rng(0)
    clean = rng.normal(0, 0.3, (3, 6, 7)) * np.array([1, 0.5, 0.1])[:, None, None]
    y = clean + rng.normal(0, 0.2, clean.shape)
    rows = (clean if has_pilot else y).reshape(3, -1).T
    noise = 0.04 * np.eye(3)
    spread = np.cov(rows.T)
    if not has_pilot:
        values, vectors = np.linalg.eigh(spread - noise)
        spread = (vectors * values.clip(0)) @ vectors.T
    mean = rows.mean(axis=0)
    expected = mean + (y.reshape(3, -1).T - mean) @ np.linalg.inv(spread + noise) @ spread
    found = nl_bayes(
        torch.from_numpy(y),
        torch.full((3, 6, 7), 0.04, dtype=torch.float64),
        torch.from_numpy(clean) if has_pilot else None,
        Pass(patch=1, alike=42, reach=7, stride=3),
    )
    np.testing.assert_allclose(found.reshape(3, -1).T, expected, atol=1e-6)


@pytest.mark.parametrize(("height", "width"), [(3, 3), (4, 9), (17, 5), (40, 33)])
def test_every_pixel_of_any_size_gets_a_value_and_a_constant_stays(height: int, width: int) -> None:
    y = torch.full((3, height, width), 0.25)
    variance = torch.full_like(y, 0.01)
    for pilot, settings in ((None, FIRST), (y, SECOND)):
        torch.testing.assert_close(nl_bayes(y, variance, pilot, settings), y)


def test_without_noise_to_speak_of_nothing_changes() -> None:
    y = as_tensor(photo(32))[0]
    found = nl_bayes(y, torch.full_like(y, 1e-8), y, SECOND)
    torch.testing.assert_close(found, y, atol=1e-3, rtol=0)


@pytest.mark.parametrize("sigma", [25, 50])
def test_pilot_and_picture_tell_more_than_either(sigma: int) -> None:
    clean = photo()
    noisy = add_noise(clean, np.random.default_rng(1), sigma=(sigma, sigma))
    blurred = CLASSICS["denoise"]["total variation"](noisy, Damage(sigma=sigma))
    observation = observe(noisy, Identity((64, 64)), float(sigma))
    found = psnr(as_picture(collaborate(observation, as_tensor(blurred))), clean)
    alone = [psnr(restore(noisy, Damage(sigma=sigma)), clean) for name, restore in CLASSICS["denoise"].items()
             if name in ("median", "total variation", "non-local means", "wavelets")]  # fmt: skip
    assert found > max(alone) + 0.7


def test_what_was_cut_off_at_black_is_found_again() -> None:
    """A dark picture looks lighter under noise than it is."""
    dark = np.full((48, 48, 3), 20, np.uint8)
    noisy = add_noise(dark, np.random.default_rng(2), sigma=(40, 40))
    assert noisy.mean() > 26
    pilot = as_tensor(np.full_like(dark, 22))
    found = as_picture(collaborate(observe(noisy, Identity((48, 48)), 40.0), pilot))
    assert abs(found.mean() - 20) < 1.5


def test_noise_that_grows_with_light_is_filtered_where_it_is() -> None:
    half = np.full((40, 40, 3), 40, np.uint8)
    half[:, 20:] = 200
    damaged = damage(half, ["noise: {sigma: [30, 30], kind: poisson}"], np.random.default_rng(3))
    observation = observe(damaged.picture, damaged.operator, damaged.sigma, damaged.kind)
    deviation = observation.deviation(as_tensor(half))
    assert float(deviation[..., 30].mean() / deviation[..., 5].mean()) == pytest.approx((200 / 40) ** 0.5, rel=1e-3)
    found = as_picture(collaborate(observation, as_tensor(half)))
    assert psnr(found, half) > psnr(damaged.picture, half) + 10


def test_only_plain_noise_of_known_level_is_filtered() -> None:
    y, identity = torch.zeros(1, 3, 8, 8), Identity((8, 8))
    assert is_plain_noise(Observation(y, identity, 25.0))
    assert not is_plain_noise(Observation(y, identity, 0.0))
    assert not is_plain_noise(Observation(y, identity, None))
    assert not is_plain_noise(Observation(y[:, :1], Gray((8, 8)), 25.0))


@pytest.mark.slow
def test_a_search_without_a_prior_ends_with_it() -> None:
    clean = photo()
    noisy = add_noise(clean, np.random.default_rng(4), sigma=(25, 25))
    observation = observe(noisy, Identity((64, 64)), 25.0)
    seen: list[Tensor] = []

    def watch(step: int, picture: Tensor) -> bool:
        seen.append(picture)
        return True

    found = SOLVERS["untrained"](observation, None, torch.Generator().manual_seed(0), watch)
    assert found.ending == "discrepancy"
    assert psnr(as_picture(found.picture), clean) > psnr(as_picture(seen[-1]), clean) + 0.7
