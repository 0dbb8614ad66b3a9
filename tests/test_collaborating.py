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
from pix2pix.restoration.collaborating import collaborate, has_likes_to_ask, is_plain_noise, tell
from pix2pix.restoration.cut_noise import cut_mean, cut_square
from pix2pix.restoration.damage import Observation, damage, observe
from pix2pix.restoration.observing import as_levels
from pix2pix.restoration.operators import Gray, Identity, Mask
from pix2pix.restoration.pasting import membrane, paste_into_holes
from pix2pix.restoration.patches import FIRST, HOLES, SECOND, Pass, fill_by_likes, nl_bayes
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


# --- holes ---


def lost(shape: tuple[int, int], share: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random(shape) < share


def test_a_hole_is_told_by_the_rest_of_its_patch_as_in_the_closed_form() -> None:
    """Patches of the size of the picture but one: two of them, and what a Gaussian of their mean and spread says."""
    rng = np.random.default_rng(1)
    picture = torch.from_numpy(rng.normal(0, 0.3, (1, 3, 4))).float()
    known = torch.ones(3, 4, dtype=torch.bool)
    known[1, 0] = False  # in the first patch alone
    found = fill_by_likes(picture, known, Pass(patch=3, alike=2, reach=1))
    patches = np.stack([picture[0, :, :3].flatten().numpy(), picture[0, :, 1:].flatten().numpy()]).astype(np.float64)
    mean, spread = patches.mean(axis=0), np.cov(patches.T) + (0.4 / 127.5) ** 2 * np.eye(9)
    seen = np.arange(9) != 3
    weights = spread[3, seen] @ np.linalg.inv(spread[np.ix_(seen, seen)] + (2 / 127.5) ** 2 * np.eye(8))
    expected = mean[3] + weights @ (patches[0] - mean)[seen]
    assert float(found[0, 1, 0]) == pytest.approx(expected, abs=2e-3)  # an unknown value has a bound, 2
    assert torch.equal(found[0][known], picture[0][known])


def test_what_is_known_stays_and_what_no_known_pixel_touches_stays() -> None:
    picture, holes = as_tensor(photo(48))[0], np.zeros((48, 48), bool)
    holes[10:30, 8:36] = True
    found = fill_by_likes(picture, torch.from_numpy(~holes), HOLES)
    changed = (found != picture).any(dim=0).numpy()
    assert not changed[~holes].any()
    assert not changed[12:28, 10:34].any()  # two pixels from the border no patch has any that is known
    assert changed[holes].sum() > 100
    whole = torch.ones(48, 48, dtype=torch.bool)
    assert torch.equal(fill_by_likes(picture, whole, HOLES), picture)


@pytest.mark.parametrize("share", [0.3, 0.5])
def test_likes_know_more_of_lost_pixels_than_a_smooth_fill(share: float) -> None:
    clean, holes = photo(), lost((64, 64), share)
    observation = Observation(Mask(known_of(holes)).forward(as_tensor(clean)), Mask(known_of(holes)), 0.0)
    seen = np.where(holes[:, :, None], 0, clean).astype(np.uint8)
    smooth = as_tensor(CLASSICS["inpaint"]["biharmonic"](seen, Damage(holes=holes)))
    found = collaborate(observation, smooth)
    pasted = clean.copy()
    pasted[holes] = as_picture(found)[holes]
    before = clean.copy()
    before[holes] = as_picture(smooth)[holes]
    assert psnr(pasted, clean) > psnr(before, clean) + 0.3


def known_of(holes: np.ndarray) -> Tensor:
    return torch.from_numpy((~holes).astype(np.float32))[None, None]


def test_what_is_pasted_into_the_picture_is_what_was_told() -> None:
    """A search that is off by a constant: pasting takes it out, and so it must not come into the holes twice."""
    clean, holes = photo(), lost((64, 64), 0.4)
    observation = Observation(Mask(known_of(holes)).forward(as_tensor(clean)), Mask(known_of(holes)), 0.0)
    made = [
        paste_into_holes(
            clean, as_levels(collaborate(observation, as_tensor(clean) * 0.8 + offset), np.dtype(np.uint8)), holes
        )
        for offset in (0.0, 0.1)
    ]
    assert np.abs(made[0].astype(int) - made[1]).max() <= 1


def test_holes_alone_are_told() -> None:
    y, known = torch.zeros(1, 3, 8, 8), torch.ones(1, 1, 8, 8)
    assert has_likes_to_ask(Observation(y, Mask(known), 0.0))
    assert not has_likes_to_ask(Observation(y, Mask(known), None))
    assert not has_likes_to_ask(Observation(y, Mask(known), 10.0))
    assert not has_likes_to_ask(Observation(y, Mask(known), 0.0, "salt_and_pepper"))
    assert not has_likes_to_ask(Observation(y, Mask(known.expand(1, 3, 8, 8)), 0.0))
    assert not has_likes_to_ask(Observation(y, Identity((8, 8)), 0.0))


# --- without a search ---


def masked(clean: np.ndarray, holes: np.ndarray) -> Observation:
    return Observation(Mask(known_of(holes)).forward(as_tensor(clean)), Mask(known_of(holes)), 0.0)


@pytest.mark.parametrize(("share", "gain"), [(0.3, 0.2), (0.5, 0.2), (0.7, 0.2)])  # in dB
def test_lost_pixels_are_told_better_than_by_any_classic(share: float, gain: float) -> None:
    clean, holes = photo(), lost((64, 64), share, 3)
    seen = np.where(holes[:, :, None], 0, clean).astype(np.uint8)
    rivals = [
        psnr(np.where(holes[:, :, None], restore(seen, Damage(holes=holes)), clean), clean)
        for restore in CLASSICS["inpaint"].values()
    ]
    *_, found = tell(masked(clean, holes))
    assert torch.equal(found[0][:, ~holes], as_tensor(clean)[0][:, ~holes])
    assert psnr(as_picture(found), clean) > max(rivals) + gain


def test_far_from_what_is_known_a_membrane_is_kept() -> None:
    clean, holes = photo(), np.zeros((64, 64), bool)
    holes[8:56, 8:56] = True
    *_, found = tell(masked(clean, holes))
    flat = membrane(np.where(holes[:, :, None], 0, as_tensor(clean)[0].permute(1, 2, 0).numpy()), holes)
    torch.testing.assert_close(found[0, :, 32, 32], torch.from_numpy(flat)[32, 32], atol=0.02, rtol=0)


def test_noise_is_told_by_passes_that_know_of_the_cut() -> None:
    clean = photo()
    noisy = add_noise(clean, np.random.default_rng(5), sigma=(50, 50))
    first, _, second = tell(observe(noisy, Identity((64, 64)), 50.0))
    plain = CLASSICS["denoise"]["NL-Bayes"](noisy, Damage(sigma=50))
    assert psnr(as_picture(second), clean) > psnr(plain, clean)
    assert psnr(as_picture(second), clean) > psnr(as_picture(first), clean)


@pytest.mark.parametrize(("height", "width", "known"), [(3, 3, 1), (3, 9, 2), (16, 20, 3), (40, 33, 1)])
def test_of_next_to_nothing_something_is_told(height: int, width: int, known: int) -> None:
    rng = np.random.default_rng(0)
    holes = np.ones(height * width, bool)
    holes[rng.permutation(height * width)[:known]] = False
    clean = rng.integers(0, 256, (height, width, 3)).astype(np.uint8)
    *_, found = tell(masked(clean, holes.reshape(height, width)))
    assert found.shape == (1, 3, height, width)
    assert torch.isfinite(found).all()
    assert float(found.abs().max()) <= 1


@pytest.mark.parametrize("sigma", [20, 40])
def test_noise_of_a_grey_picture_counts_once(sigma: int) -> None:
    """Three equal channels are no three witnesses: what is left of y is all of its noise."""
    clean = np.repeat(photo().mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
    noisy = np.repeat(add_noise(clean[:, :, :1], np.random.default_rng(6), sigma=(sigma, sigma)), 3, axis=2)
    observation = observe(noisy, Identity((64, 64)), float(sigma))
    *_, told = tell(observation)
    for found in (told, collaborate(observation, as_tensor(clean))):
        assert torch.equal(found[:, 0], found[:, 2])
        assert found.shape == (1, 3, 64, 64)
        left = as_picture(found).astype(float) - noisy
        assert left.std() > 0.75 * np.std(clean.astype(float) - noisy)


def test_a_picture_without_noise_is_its_own() -> None:
    black = observe(np.zeros((9, 9, 3), np.uint8), Identity((9, 9)), 0.0)
    found = SOLVERS["patches"](black, None, torch.Generator(), lambda step, picture: True)
    assert torch.equal(found.picture, black.y)
    assert (found.steps, found.misfit) == (1, 0.0)


def test_patches_as_a_solver_can_be_watched_and_stopped() -> None:
    clean, holes = photo(), lost((64, 64), 0.5)
    seen: list[tuple[int, Tensor]] = []

    def watch(step: int, picture: Tensor) -> bool:
        seen.append((step, picture))
        return step < 1

    patches, rng = SOLVERS["patches"], torch.Generator()
    ended = patches(masked(clean, holes), None, rng, watch)
    assert (ended.steps, ended.ending, [step for step, _ in seen]) == (2, "watch", [0, 1])
    assert torch.equal(ended.picture, seen[-1][1])
    whole = patches(masked(clean, holes), None, rng, lambda step, picture: step < 2)  # too late
    assert (whole.steps, whole.ending, whole.misfit) == (3, "steps", 0.0)
    with pytest.raises(ValueError, match="got a picture of 9x2, expected at least 3 pixels a side"):
        patches(Observation(torch.zeros(1, 3, 2, 9), Identity((2, 9)), 25.0), None, rng, watch)
    with pytest.raises(ValueError, match="patches tell holes in a clean picture, or noise"):
        patches(Observation(torch.zeros(1, 1, 8, 8), Gray((8, 8)), 0.0), None, rng, watch)
