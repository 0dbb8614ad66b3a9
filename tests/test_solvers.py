"""Searches against closed forms on a linear generator, restarts, stopping, seeds, and the named ways end to end."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pix2pix.priors.prior import Noise, Prior, latents
from pix2pix.priors.stylegan2 import StyleGAN2
from pix2pix.restoration.damage import Observation, damage, observe
from pix2pix.restoration.misfit import misfit
from pix2pix.restoration.operators import Downsample, Identity, Mask, Operator, squared_norm
from pix2pix.restoration.searching import Settings, WayBack, project_gradients, ramp, solve
from pix2pix.restoration.solvers import SOLVERS, Csgm, DeepImagePrior, Pgd, Projector, Solver, Tuned, unwatched
from pix2pix.restoration.spaces import LatentW, LatentZ, Untrained

SIDE, DIMENSIONS = 8, 6


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Linear(nn.Module):
    """Pictures M w + b with w = z: whatever is linear of them can be solved exactly."""

    def __init__(self, matrix: Tensor, offset: Tensor, size: int = SIDE) -> None:
        super().__init__()
        self.matrix, self.offset = nn.Parameter(matrix), nn.Parameter(offset)
        self.size, self.layers = size, 1
        self.z_dim = self.w_dim = matrix.shape[1]

    def sample(self, count: int, rng: torch.Generator | None = None) -> Tensor:
        return latents(count, self.z_dim, rng)

    def map(self, z: Tensor, truncation: float = 1.0) -> Tensor:
        return truncation * z[:, None]

    def synthesize(self, w: Tensor, noise: Noise = "fixed") -> Tensor:
        return (w[:, 0] @ self.matrix.T + self.offset).reshape(-1, 3, self.size, self.size)

    def forward(self, z: Tensor, noise: Noise = "fixed", truncation: float = 1.0) -> Tensor:
        return self.synthesize(self.map(z, truncation), noise)

    def track(self, z: Tensor, share: float) -> None:
        pass


class Cubic(Linear):
    """Flat pictures of the level z^3 / 8 - 3 z / 8: a start below z = -1 ends there for levels above 1/4."""

    def __init__(self) -> None:
        super().__init__(torch.ones(3 * SIDE**2, 1), torch.zeros(3 * SIDE**2))

    def synthesize(self, w: Tensor, noise: Noise = "fixed") -> Tensor:
        return super().synthesize((w**3 - 3 * w) / 8, noise)


def linear() -> Linear:
    """Orthonormal directions, so that the distance between pictures is that between their w."""
    matrix = torch.linalg.qr(torch.randn(3 * SIDE**2, DIMENSIONS, generator=rng(1)))[0]
    return Linear(matrix, 0.1 * torch.randn(3 * SIDE**2, generator=rng(2))).requires_grad_(False)


def mask() -> Mask:
    return Mask((torch.rand(1, 1, SIDE, SIDE, generator=rng(3)) > 0.4).float())


OPERATORS: dict[str, Operator] = {
    "mask": mask(),
    "area": Downsample((SIDE, SIDE), 2, "area"),
    "bicubic": Downsample((SIDE, SIDE), 2),
}


def as_matrix(operator: Operator) -> Tensor:
    """Of the operator on flat pictures, in float64."""
    units = torch.eye(3 * SIDE**2).reshape(-1, 3, SIDE, SIDE)
    return operator.forward(units).flatten(1).T.double()


def noisy(operator: Operator, prior: Linear) -> Observation:
    """Of a picture that is not quite the prior's."""
    x = prior(torch.randn(1, DIMENSIONS, generator=rng(4))) + 0.05 * torch.randn(1, 3, SIDE, SIDE, generator=rng(5))
    return Observation(operator.forward(x), operator)


# --- closed forms ---


@pytest.mark.parametrize("name", OPERATORS)
def test_w_finds_the_least_squares(name: str) -> None:
    prior, operator = linear(), OPERATORS[name]
    observation = noisy(operator, prior)
    a, m, b = as_matrix(operator), prior.matrix.double(), prior.offset.double()
    w = torch.linalg.lstsq(a @ m, observation.y.flatten().double() - a @ b).solution
    expected = (m @ w + b).float().reshape(1, 3, SIDE, SIDE)
    found = solve(observation, LatentW(prior, rng(6)), Settings(steps=500, rate=0.1), rng(), unwatched)
    assert (found.picture - expected).abs().max() < 2e-3
    assert found.misfit == pytest.approx(float(misfit(observation, expected, 0)), rel=1e-3)
    assert found.ending == "steps"


def test_z_with_its_penalty_finds_the_ridge() -> None:
    prior, operator, weight = linear(), mask(), 2e-3
    observation = noisy(operator, prior)
    a, m, b = as_matrix(operator), prior.matrix.double(), prior.offset.double()
    design = a @ m
    ridge = design.T @ design / observation.count + weight / DIMENSIONS * torch.eye(DIMENSIONS).double()
    right = design.T @ (observation.y.flatten().double() - a @ b) / observation.count
    expected = (m @ torch.linalg.solve(ridge, right) + b).float().reshape(1, 3, SIDE, SIDE)
    settings = Settings(steps=500, rate=0.1, penalty=weight)
    space = LatentZ(prior, rng(7), 3)
    found = solve(observation, space, settings, rng(), unwatched)
    assert (found.picture - expected).abs().max() < 2e-3
    assert space.render().std(dim=0).max() < 2e-3  # every restart, as each is on its own


def test_drawn_starts_give_samples_of_what_is_not_seen() -> None:
    """Half of the directions are seen: their w is the observed one for all; the others stay where they were drawn."""
    matrix = torch.zeros(3 * SIDE**2, DIMENSIONS)
    matrix.reshape(3, SIDE, SIDE, DIMENSIONS)[0, 0, :DIMENSIONS] = 3 * torch.eye(DIMENSIONS)
    prior = Linear(matrix, torch.zeros(3 * SIDE**2)).requires_grad_(False)
    known = torch.ones(1, 1, SIDE, SIDE)
    known[..., DIMENSIONS // 2 : DIMENSIONS] = 0
    observation = Observation(Mask(known).forward(prior(torch.full((1, DIMENSIONS), 0.5))), Mask(known))
    found, drawn = [], []
    for seed in range(12):
        space = LatentW(prior, rng(seed), variety=1.0)
        solve(observation, space, Settings(steps=200, rate=0.1, penalty=1e-4), rng(seed), unwatched)
        found.append(space.pivot()[0, 0])
        drawn.append(prior.sample(1, rng(seed))[0])
    seen, unseen = (torch.stack(found)[:, half] for half in (slice(3), slice(3, None)))
    assert (seen - 0.5).abs().max() < 0.01
    assert (unseen - torch.stack(drawn)[:, 3:]).abs().max() < 0.01
    assert 0.6 < float(unseen.std()) < 1.4


@pytest.mark.parametrize("name", OPERATORS)
def test_projected_gradients_contract_as_predicted(name: str) -> None:
    """The error is multiplied by I - eta M^T A^T A M, whose largest eigenvalue is the factor."""
    prior, operator = linear(), OPERATORS[name]
    truth = prior(torch.randn(1, DIMENSIONS, generator=rng(4)))
    observation = Observation(operator.forward(truth), operator)
    design = as_matrix(operator) @ prior.matrix.double()
    eta = 1 / squared_norm(operator, rng())
    factor = float(1 - eta * torch.linalg.eigvalsh(design.T @ design).min())
    errors: list[float] = []

    def watch(step: int, picture: Tensor) -> bool:
        errors.append(float((picture - truth).norm()))
        return True

    project_gradients(observation, LatentW(prior, rng(6)), 6, 150, 0.03, rng(), watch)
    assert errors[0] > 0.2
    for before, after in pairwise(errors):
        assert after <= factor * before + 0.01 * errors[0]  # the projection is not exact
    assert errors[-1] < max(0.02, 1.5 * factor**5) * errors[0]


def test_halved_scales_and_lost_pixels_by_hand() -> None:
    picture = torch.zeros(1, 3, 4, 4)
    y = picture.clone()
    y[0, 0, 0, 0] = 0.8
    seen = Observation(y, Identity((4, 4)))
    assert float(misfit(seen, picture, 0)) == pytest.approx(0.64 / 48)
    assert float(misfit(seen, picture, 2)) == pytest.approx(0.64 / 48 + 0.04 / 12 + 0.0025 / 3)
    assert float(misfit(replace(seen, kind="salt_and_pepper"), picture, 0)) == pytest.approx(
        0.05 * (2 * 0.8 - 0.05) / 48
    )
    known = torch.ones(1, 1, 4, 4)
    known[..., 2:] = 0
    assert float(misfit(Observation(y, Mask(known)), picture, 0)) == pytest.approx(0.64 / 24)


# --- searching ---


def test_restarts_find_the_better_basin() -> None:
    target = Observation(torch.full((1, 3, SIDE, SIDE), 0.6), Identity((SIDE, SIDE)))
    settings = Settings(steps=150, rate=0.1)
    prior = Cubic().requires_grad_(False)
    seed = next(seed for seed in range(99) if float(prior.sample(1, rng(seed))) < -1.1)
    alone = solve(target, LatentZ(prior, rng(seed), 1), settings, rng(), unwatched)
    assert float(alone.picture.mean()) == pytest.approx(0.25, abs=0.01)  # the top of the nearer hill
    several = solve(target, LatentZ(prior, rng(seed), 8), settings, rng(), unwatched)
    assert float(several.picture.mean()) == pytest.approx(0.6, abs=0.01)
    assert several.picture.shape == (1, 3, SIDE, SIDE)


def test_watch_sees_the_search_and_ends_it() -> None:
    prior = linear()
    seen: list[int] = []

    def watch(step: int, picture: Tensor) -> bool:
        assert picture.shape == (1, 3, SIDE, SIDE)
        assert not picture.requires_grad
        seen.append(step)
        return step < 30

    settings = Settings(steps=100, rate=0.1, every=10)
    found = solve(noisy(mask(), prior), LatentW(prior, rng()), settings, rng(), watch)
    assert seen == [0, 10, 20, 30]
    assert (found.ending, found.steps, len(found.history)) == ("watch", 31, 31)


def test_a_search_ends_where_only_noise_is_left() -> None:
    prior = linear()
    clean = prior(torch.randn(1, DIMENSIONS, generator=rng(4)))
    y = clean + 20 / 127.5 * torch.randn(clean.shape, generator=rng(5))
    observation = Observation(y, Identity((SIDE, SIDE)), sigma=22)
    found = solve(observation, LatentW(prior, rng()), Settings(steps=400, rate=0.03), rng(), unwatched)
    assert found.ending == "discrepancy"
    assert found.steps < 300
    left = float((found.picture - y).square().mean().sqrt()) * 127.5
    assert left == pytest.approx(22, abs=1)


def test_the_rate_rises_stays_and_falls() -> None:
    assert ramp(0.0) < 0.05
    assert [ramp(0.1), ramp(0.5), ramp(0.75)] == pytest.approx([1, 1, 1])
    assert ramp(0.875) == pytest.approx(0.5)
    assert ramp(1.0) == 0


# --- the named ways ---


def stylegan() -> Prior:
    prior = StyleGAN2(16, 8, 8, channel_base=64, channel_most=8, mapping_depth=2, rng=rng())
    return prior.requires_grad_(False).eval()


SHORT = Settings(steps=8, rate=0.05, halvings=1)
QUICK: dict[str, Solver] = {
    "csgm": Csgm(SHORT, restarts=2),
    "pgd": Pgd(outer=3, inner=2),
    "w": Projector(SHORT, by_layer=False),
    "w+": Projector(SHORT, by_layer=True),
    "tuned": Tuned(SHORT, SHORT, SHORT),
    "untrained": DeepImagePrior(SHORT),
}


def photo(size: int = 16) -> np.ndarray:
    rows, columns = np.mgrid[:size, :size] / size
    values = np.stack([rows, columns, 1 - rows * columns], axis=2)
    image: np.ndarray = np.rint(40 + 170 * values).astype(np.uint8)
    return image


@pytest.mark.parametrize("name", QUICK)
def test_a_seed_decides_everything(name: str) -> None:
    steps = ("blur: {sigma: [0.7, 0.7]}", "mask: {area: [0.2, 0.2]}")
    observation = observe(*damage(photo(), steps, np.random.default_rng(0)))
    prior = None if name == "untrained" else stylegan()
    seen: list[int] = []
    for way in (QUICK[name], SOLVERS[name]):
        assert type(way) is type(SOLVERS[name])
        assert way.steps > 0

    def watch(step: int, picture: Tensor) -> bool:
        seen.append(step)
        return True

    first = QUICK[name](observation, prior, rng(3), watch)
    torch.manual_seed(99)
    second, other = (QUICK[name](observation, prior, rng(seed), unwatched) for seed in (3, 4))
    assert torch.equal(first.picture, second.picture)
    assert first.history == second.history
    assert not torch.equal(first.picture, other.picture)
    assert first.picture.shape == (1, 3, 16, 16)
    assert not first.picture.requires_grad
    assert first.steps == len(first.history) == QUICK[name].steps
    assert seen == sorted(set(seen))
    assert max(seen) < QUICK[name].steps


def test_all_but_patches_are_searches() -> None:
    assert {*QUICK, "patches"} == SOLVERS.keys()


def test_tuned_weights_leave_the_generators_pictures() -> None:
    observation = observe(*damage(photo(), (), np.random.default_rng(0)))
    search = Settings(steps=60, rate=0.1)
    stays = Projector(search, by_layer=False)(observation, stylegan(), rng(), unwatched)
    moves = Tuned(search, *2 * (Settings(steps=150, rate=0.02),))(observation, stylegan(), rng(), unwatched)
    assert moves.misfit < 0.2 * stays.misfit


def test_mistakes_are_told() -> None:
    observation = observe(*damage(photo(24), (), np.random.default_rng(0)))
    with pytest.raises(ValueError, match=r"got a picture of 24x24, expected 16x16, the prior's size"):
        SOLVERS["w"](observation, stylegan(), rng(), unwatched)
    with pytest.raises(ValueError, match=r"this way needs a prior"):
        SOLVERS["csgm"](observation, None, rng(), unwatched)
    tiny = observe(*damage(photo(7), (), np.random.default_rng(0)))
    with pytest.raises(ValueError, match=r"got a picture of 7x7, expected at least 8 pixels a side"):
        SOLVERS["untrained"](tiny, None, rng(), unwatched)


class Shaken(Untrained):
    """Thrown far off before one of its steps."""

    def __init__(self, shape: tuple[int, int], at: float) -> None:
        super().__init__(shape, rng(1))
        self._at, self._share = at, -1.0

    def advance(self, progress: float, rng: torch.Generator) -> None:
        super().advance(progress, rng)
        if self._share < self._at <= progress:
            with torch.no_grad():
                for each in self.variables():
                    each.add_(torch.randn(each.shape, generator=rng), alpha=3)
        self._share = progress


@pytest.mark.parametrize("value", [1.0, float("nan")])
def test_a_search_that_goes_astray_is_taken_back(value: float) -> None:
    space = Untrained((16, 16), rng(1))
    way_back, before = WayBack(space, 10), [each.detach().clone() for each in space.variables()]
    assert not way_back.take(0.01)
    with torch.no_grad():
        space.variables()[0].fill_(5)
    assert not way_back.take(0.09)
    assert way_back.take(value)
    assert all(torch.equal(each, was) for each, was in zip(space.variables(), before, strict=True))
    assert not WayBack(space, 10).take(value)  # with nowhere to go back to


def test_a_search_that_is_thrown_off_ends_as_one_that_is_not() -> None:
    observation = observe(*damage(photo(32), (), np.random.default_rng(0)))
    settings = Settings(steps=200, rate=0.01, astray=10)
    calm, shaken = (solve(observation, Shaken((32, 32), at), settings, rng(2), unwatched) for at in (2.0, 0.7))
    assert max(shaken.history[140:]) > 10 * shaken.history[139]
    assert shaken.misfit < 2 * calm.misfit


@pytest.mark.slow
@pytest.mark.parametrize("sigma_is_known", [True, False])
def test_an_untrained_network_denoises_and_stops_before_it_fits_the_noise(sigma_is_known: bool) -> None:
    image = photo(48)
    damaged = damage(image, ("noise: {sigma: [25, 25]}",), np.random.default_rng(0))
    observation = observe(damaged.picture, damaged.operator, damaged.sigma if sigma_is_known else None)
    truth = observe(image, Identity((48, 48))).y

    def error(picture: Tensor) -> float:
        return float((picture - truth).square().mean())

    settings = Settings(steps=1500, rate=0.01, window=50, patience=200, average=0.9)
    found = solve(observation, Untrained((48, 48), rng(1)), settings, rng(2), unwatched)
    assert found.ending == ("discrepancy" if sigma_is_known else "variance")
    assert error(found.picture) < 0.15 * error(observation.y)
    assert found.misfit > 0.8 * error(observation.y)  # of the noise not much is fitted
