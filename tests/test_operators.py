"""Operators of restoration: exact adjoints, equality with the conditions, what can still be seen, noise levels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from pix2pix.data.conditions import derive
from pix2pix.data.conditions.degradations import draw_kernel, quantize
from pix2pix.restoration.damage import damage, observe
from pix2pix.restoration.misfit import misfit, squares
from pix2pix.restoration.noise import estimate_noise, lost_values
from pix2pix.restoration.operators import (
    Blur,
    Composition,
    Downsample,
    Gray,
    Identity,
    Jpeg,
    Mask,
    Operator,
    Quantize,
    Size,
    adjoint,
    pulled_back,
    squared_norm,
    unseen,
)

Make = Callable[[Size, np.random.Generator], Operator]


def holes(size: Size, rng: np.random.Generator, channels: int = 1) -> Mask:
    return Mask(torch.from_numpy((rng.random((1, channels, *size)) > 0.3).astype(np.float32)))


def kernel(rng: np.random.Generator, kind: Any) -> Tensor:
    return torch.from_numpy(draw_kernel(rng, (0.8, 2.0), kind))


LINEAR: dict[str, Make] = {
    "identity": lambda size, rng: Identity(size),
    "mask": holes,
    "mask of channels": lambda size, rng: holes(size, rng, 3),
    "downsample bicubic": lambda size, rng: Downsample(size, 3),
    "downsample area": lambda size, rng: Downsample(size, 4, "area"),
    "blur gaussian": lambda size, rng: Blur(size, kernel(rng, "gaussian")),
    "blur motion": lambda size, rng: Blur(size, kernel(rng, "motion")),
    "blur defocus": lambda size, rng: Blur(size, kernel(rng, "defocus")),
    "gray": lambda size, rng: Gray(size),
    "blur, downsample, gray": lambda size, rng: Composition(
        (Blur(size, kernel(rng, "motion")), Downsample(size, 2), Gray((size[0] // 2, size[1] // 2)))
    ),
    "blur, mask": lambda size, rng: Composition((Blur(size, kernel(rng, "gaussian")), holes(size, rng))),
}


def photo(height: int = 45, width: int = 38, channels: int = 3, dtype: type = np.uint8, seed: int = 0) -> np.ndarray:
    """Smooth with some grain, without values at the ends of the range."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    waves = np.sin(rows[..., None] / 5 + np.arange(channels)) * np.cos(columns[..., None] / 7)
    values = 0.5 + 0.25 * waves + rng.normal(0, 0.02, (height, width, channels))
    image: np.ndarray = np.rint(values.clip(0.1, 0.9) * np.iinfo(dtype).max).astype(dtype)
    return image


def encode(image: np.ndarray) -> Tensor:
    values = torch.from_numpy(image.astype(np.float32) / np.iinfo(image.dtype).max * 2 - 1)
    return values.permute(2, 0, 1)[None]


# --- operators ---


@pytest.mark.parametrize("name", LINEAR)
def test_adjoints_are_exact(name: str) -> None:
    rng, draws = np.random.default_rng(0), torch.Generator().manual_seed(0)
    for _ in range(6):
        size = (int(rng.integers(8, 40)), int(rng.integers(8, 40)))
        operator = LINEAR[name](size, rng)
        x = torch.randn(2, 3, *size, generator=draws)
        seen = operator.forward(x)
        y = torch.randn(seen.shape, generator=draws)
        left, right = (seen.double() * y).sum(), (x.double() * adjoint(operator, y)).sum()
        assert float(abs(left - right)) <= 1e-6 * float(seen.norm() * y.norm())
        assert operator.size == size
        assert operator.is_linear


def test_adjoints_by_hand() -> None:
    y = torch.arange(12.0).reshape(1, 3, 2, 2)
    spread = adjoint(Downsample((5, 4), 2, "area"), y)
    assert torch.equal(spread[:, :, :4], y.repeat_interleave(2, 2).repeat_interleave(2, 3) / 4)
    assert (spread[:, :, 4] == 0).all()  # the fifth row is not seen
    grey = adjoint(Gray((2, 2)), y[:, :1])
    torch.testing.assert_close(grey, torch.tensor([0.299, 0.587, 0.114])[None, :, None, None] * y[:, :1])


def test_the_largest_eigenvalue_is_that_of_the_operator() -> None:
    rng, draws = np.random.default_rng(0), torch.Generator().manual_seed(0)
    assert squared_norm(holes((9, 7), rng), draws) == pytest.approx(1, rel=1e-4)
    assert squared_norm(Downsample((16, 16), 4, "area"), draws) == pytest.approx(1 / 16, rel=1e-4)
    assert squared_norm(Gray((8, 8)), draws) == pytest.approx(0.299**2 + 0.587**2 + 0.114**2, rel=1e-4)


@pytest.mark.parametrize("operator", [Jpeg((16, 24), 30), Quantize((16, 24), 5)])
def test_what_rounds_passes_gradients_straight_through(operator: Operator) -> None:
    x = encode(photo(16, 24))
    y = torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(pulled_back(operator, x, y), y)
    assert not torch.equal(operator.forward(x), x)


def test_starts_are_pictures_that_keep_what_is_known() -> None:
    rng = np.random.default_rng(0)
    x = encode(photo(41, 30))
    for channels in (1, 3):
        mask = holes((41, 30), rng, channels)
        start = mask.start(mask.forward(x))
        known = mask.known.expand_as(x) > 0
        assert torch.equal(start[known], x[known])
        assert (start - x)[~known].abs().max() < 0.4  # neighbours, not grey and not black
    small = Downsample((41, 30), 4)
    assert small.start(small.forward(x)).shape == x.shape
    assert (small.start(small.forward(x)) - x).abs().mean() < 0.1
    both = Composition((Downsample((41, 30), 2), Gray((20, 15))))
    start = both.start(both.forward(x))
    assert start.shape == x.shape
    assert torch.equal(start[:, 0], start[:, 1])


# --- damage ---

STEPS: dict[str, tuple[str, ...]] = {
    "nothing": (),
    "gray": ("gray",),
    "mask": ("mask: {area: [0.2, 0.3]}",),
    "bicubic": ("downsample: {factor: 3}",),
    "area": ("downsample: {factor: 4, kind: area}",),
    "gaussian": ("blur: {sigma: [1, 2]}",),
    "motion": ("blur: {sigma: [1, 2], kind: motion}",),
    "defocus": ("blur: {kind: defocus}",),
    "jpeg": ("jpeg",),
    "quantize": ("quantize: {levels: 6}",),
}
CHAINS: dict[str, tuple[str, ...]] = {
    "noise": ("noise: {sigma: [25, 25]}",),
    "photons": ("noise: {sigma: [10, 30], kind: poisson}", "mask"),
    "lost": ("blur", "salt_and_pepper"),
    "all": ("blur: {kind: motion}", "downsample: {factor: 2, kind: area}", "gray", "noise", "mask", "salt_and_pepper"),
    "saved": ("downsample: {factor: 2}", "noise: {sigma: [5, 5]}", "jpeg: {quality: [40, 60]}"),
}


@pytest.mark.parametrize("name", STEPS | CHAINS)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_damage_is_what_derive_does(name: str, channels: int, dtype: type) -> None:
    image, steps = photo(channels=channels, dtype=dtype), (STEPS | CHAINS)[name]
    for seed in (0, 1):
        rng, other = np.random.default_rng(seed), np.random.default_rng(seed)
        damaged = damage(image, steps, rng)
        np.testing.assert_array_equal(damaged.picture, derive(image, steps, other))
        assert rng.random() == other.random()  # as much was drawn
        assert damaged.operator.size == image.shape[:2]
        observe(*damaged)  # the shapes fit


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_forward_is_the_damage_without_noise(name: str, channels: int, dtype: type) -> None:
    image, most = photo(channels=channels, dtype=dtype), np.iinfo(dtype).max
    damaged = damage(image, STEPS[name], np.random.default_rng(2))
    seen = observe(*damaged)
    expected = damaged.operator.forward(encode(image).expand(-1, 3, -1, -1))
    difference = (seen.y - expected).abs().max() / 2 * most
    if name == "jpeg" and dtype == np.uint16:  # whose values it makes those of 8 bits
        assert difference <= 1e-2
    else:
        assert difference <= 0.51
    assert damaged.sigma == 0
    assert float(squares(seen, encode(image).expand(-1, 3, -1, -1))) / seen.count <= (1.01 / most) ** 2


def test_a_chain_is_the_damage_up_to_the_rounding_of_each_step() -> None:
    image = photo()
    steps = ("blur: {kind: motion}", "downsample: {factor: 2, kind: area}", "gray", "mask: {area: [0.2, 0.2]}")
    damaged = damage(image, steps, np.random.default_rng(3))
    seen = observe(*damaged)
    assert (seen.y - damaged.operator.forward(encode(image))).abs().max() * 127.5 <= 2
    assert seen.count == 3 * (damaged.picture[:, :, 3] > 0).sum()


@pytest.mark.parametrize("kind", ["gaussian", "poisson", "camera"])
def test_what_is_expected_of_the_noise_is_what_the_noise_is(kind: str) -> None:
    image = photo(120, 120) // 2  # photons are fewer in the dark
    steps = (f"noise: {{sigma: [12, 12], kind: {kind}}}", "mask: {area: [0.3, 0.3]}")
    damaged = damage(image, steps, np.random.default_rng(0))
    assert damaged.sigma == pytest.approx(12)
    assert damaged.kind == kind
    seen = observe(*damaged)
    expected = seen.expected(encode(image))
    assert expected is not None
    assert float(squares(seen, encode(image))) == pytest.approx(expected, rel=0.05)


def test_noise_that_was_cut_off_at_black_and_white_is_not_expected() -> None:
    image = np.repeat(np.linspace(0, 255, 120).astype(np.uint8)[None, :, None], 120, 0).repeat(3, 2)
    seen = observe(*damage(image, ("noise: {sigma: [80, 80]}",), np.random.default_rng(0)))
    found, uncut = float(squares(seen, encode(image))), image.size * (80 / 127.5) ** 2
    assert found < 0.8 * uncut
    assert seen.expected(encode(image)) == pytest.approx(found, rel=0.03)


def test_the_noise_level_is_known_as_long_as_nothing_changes_it() -> None:
    image, rng = photo(90, 90), np.random.default_rng(0)
    assert damage(image, ("noise: {sigma: [3, 3]}", "noise: {sigma: [4, 4]}"), rng).sigma == pytest.approx(5)
    assert damage(image, ("noise", "blur"), rng).sigma is None
    assert damage(image, ("blur", "jpeg"), rng).sigma == 0
    grey = damage(image, ("noise: {sigma: [10, 10]}", "gray"), rng)
    clean = derive(image, ("gray",), rng)
    assert grey.sigma == pytest.approx((grey.picture.astype(float) - clean).std(), rel=0.03)


def test_salt_and_pepper_become_holes_and_white_clouds_stay() -> None:
    image = photo(90, 90)
    image[:30] = 255
    damaged = damage(image, ("salt_and_pepper: {share: [0.2, 0.2]}",), np.random.default_rng(0))
    lost = (damaged.picture != image).any(axis=2)
    known = damaged.operator.known
    assert known is not None
    found = known[0].numpy().min(axis=0) == 0
    assert (found & lost).sum() > 0.97 * lost.sum()
    assert (found & ~lost).sum() < 0.002 * lost.size
    seen = observe(*damaged)
    assert seen.kind == "salt_and_pepper"
    still_wrong = misfit(seen, encode(image), 0)
    assert float(still_wrong) < 0.01 * float((encode(damaged.picture) - encode(image)).square().mean())
    assert not lost_values(photo()).any()


def test_mistakes_are_told() -> None:
    image, rng = photo(), np.random.default_rng(0)
    with pytest.raises(ValueError, match=r"'edges' is no damage that can be undone; expected one of gray, blur"):
        damage(image, ("edges",), rng)
    with pytest.raises(ValueError, match=r"no derive step 'blurr'"):
        damage(image, ("blurr",), rng)
    with pytest.raises(ValueError, match=r"'jpeg' comes behind 'mask'.*put 'mask' last"):
        damage(image, ("mask", "jpeg"), rng)
    with pytest.raises(ValueError, match=r"'noise' comes behind 'salt_and_pepper'"):
        damage(image, ("salt_and_pepper", "noise"), rng)
    with pytest.raises(ValueError, match=r"got a picture of shape \(45, 38, 4\), expected \(H, W, 1 or 3\)"):
        damage(photo(channels=4), (), rng)
    with pytest.raises(ValueError, match=r"height, width\) \(3, 45, 38\), expected \(3, 11, 9\)"):
        observe(image, Downsample((45, 38), 4))


# --- noise levels ---


def test_noise_is_estimated_as_scikit_image_does() -> None:
    from skimage.restoration import estimate_sigma

    for sigma in (2, 25):
        damaged = derive(photo(100, 90), (f"noise: {{sigma: [{sigma}, {sigma}]}}",), np.random.default_rng(0))
        expected = estimate_sigma(damaged.astype(float), channel_axis=2, average_sigmas=True)  # type: ignore[no-untyped-call]
        assert estimate_noise(damaged) == pytest.approx(expected, rel=1e-4)
        assert estimate_noise(damaged.astype(np.uint16) * 257) == pytest.approx(expected, rel=1e-4)


def test_holes_do_not_change_the_noise_that_is_estimated() -> None:
    steps = ("noise: {sigma: [20, 20]}", "mask: {area: [0.3, 0.3]}")
    holed = derive(photo(160, 160), steps, np.random.default_rng(0))
    assert estimate_noise(holed[:, :, :3], holed[:, :, 3] > 0) == pytest.approx(20, rel=0.06)
    assert estimate_noise(holed[:, :, :3], np.zeros((160, 160), np.bool_)) == 0


def test_what_is_unseen_by_hand() -> None:
    """Holes of a mask; of a downsampling what has no mean, and of a flat picture nothing."""
    x = torch.zeros(1, 3, 8, 8)
    x[0, 0, 2, 2], x[0, 1, 5, 5] = 3.0, 4.0
    known = torch.ones(1, 1, 8, 8)
    known[:, :, 2, 2] = 0
    assert float(unseen(Mask(known), x, 1.0)) == pytest.approx(9 / x.numel())
    half = Downsample((8, 8), 2, "area")
    norm = squared_norm(half, torch.Generator().manual_seed(0))
    assert float(unseen(half, torch.ones(1, 3, 8, 8), norm)) == pytest.approx(0, abs=1e-3)
    checkered = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).repeat(4, 4).expand(1, 3, 8, 8)
    assert float(unseen(half, checkered, norm)) == pytest.approx(1)


def test_levels_of_the_operator_are_those_of_the_step() -> None:
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    for levels in (2, 3, 7, 256):
        step = quantize(ramp, np.random.default_rng(0), levels=levels)
        seen = Quantize((16, 16), levels).forward(encode(ramp))
        assert np.abs((seen[0, 0].numpy() + 1) * 127.5 - step[:, :, 0]).max() <= 0.501
