"""The named ways from an observation to a picture: csgm, pgd, w, w+, tuned, untrained, patches.

Each but the last is a space and how it is searched, with its settings as fields; `dataclasses.replace(SOLVERS[name],
...)` changes them. All but the last two need a prior of the picture's size. tuned and untrained end with patches that
tell each other what noise or holes hide, and the last is nothing else; see `collaborating`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Protocol

import torch
from torch import Tensor

from pix2pix.priors.prior import Prior
from pix2pix.restoration.collaborating import ROUNDS, collaborate, has_likes_to_ask, is_clean, tell
from pix2pix.restoration.damage import Observation
from pix2pix.restoration.misfit import misfit
from pix2pix.restoration.operators import Identity
from pix2pix.restoration.patches import FIRST
from pix2pix.restoration.searching import Ending, Settings, Solution, Watch, project_gradients, solve
from pix2pix.restoration.spaces import FIELD_JITTER, LatentW, LatentWPlus, LatentZ, Untrained, Weights
from pix2pix.restoration.untrained import LEAST_SIDE

# Chosen on pictures of `dev`, which the prior has never seen, by PSNR and LPIPS.
CSGM_SEARCH = Settings(steps=300, rate=0.15, penalty=1e-3, halvings=3)
W_SEARCH = Settings(steps=300, rate=0.1, penalty=1e-2, halvings=3)
W_PLUS_SEARCH = Settings(steps=300, rate=0.05, penalty=1e-2, halvings=3)
TUNING = Settings(steps=300, rate=0.02, penalty=1e-3, average=0.9, astray=10)
EXACT_TUNING = Settings(steps=500, rate=0.05, penalty=1e-3, astray=10)  # of a picture that is known whole
UNTRAINED_SEARCH = Settings(steps=1500, rate=0.01, window=50, average=0.9, astray=10)


class Solver(Protocol):
    """A named way from an observation to a picture."""

    @property
    def steps(self) -> int:
        """How many there are at most, as `watch` counts them."""

    def __call__(self, observation: Observation, prior: Prior | None, rng: torch.Generator, watch: Watch) -> Solution:
        """Raises ValueError without the prior that it needs, and for pictures of another size than the prior's."""


@dataclass(frozen=True)
class Csgm:
    """Latents z from several random starts, with the penalty |z|^2: Bora et al. 2017, arXiv 1703.03208."""

    search: Settings = CSGM_SEARCH
    restarts: int = 4

    @property
    def steps(self) -> int:
        return self.search.steps

    def __call__(self, observation: Observation, prior: Prior | None, rng: torch.Generator, watch: Watch) -> Solution:
        space = LatentZ(fitting(prior, observation), rng, self.restarts)
        return solve(observation, space, self.search, rng, watch)


@dataclass(frozen=True)
class Pgd:
    """Steps towards what is observed, each projected to the prior's pictures: Shah and Hegde 2018, arXiv 1802.08406.

    The projection searches w, which is z for a DCGAN, and leaves noise inputs as they are: without a penalty they would
    take in the picture. For `variety` see `LatentW`.
    """

    outer: int = 60
    inner: int = 10
    rate: float = 0.05
    variety: float = 0.0

    @property
    def steps(self) -> int:
        return self.outer

    def __call__(self, observation: Observation, prior: Prior | None, rng: torch.Generator, watch: Watch) -> Solution:
        space = LatentW(fitting(prior, observation), rng, varies_noise=False, variety=self.variety)
        return project_gradients(observation, space, self.outer, self.inner, self.rate, rng, watch)


@dataclass(frozen=True)
class Projector:
    """One w, or one for each layer: Karras et al. 2020, arXiv 1912.04958, appendix D. For `variety` see `LatentW`."""

    search: Settings
    by_layer: bool
    variety: float = 0.0

    @property
    def steps(self) -> int:
        return self.search.steps

    def __call__(self, observation: Observation, prior: Prior | None, rng: torch.Generator, watch: Watch) -> Solution:
        space = (LatentWPlus if self.by_layer else LatentW)(fitting(prior, observation), rng, variety=self.variety)
        return solve(observation, space, self.search, rng, watch)


@dataclass(frozen=True)
class Tuned:
    """First w for each layer, then the generator's weights around it: Roich et al. 2021, arXiv 2106.05744.

    But where a picture is known whole, the generator's noise is drawn anew at each step: what is known of a picture,
    or the noise in it, cannot be fitted by weights that lean on one draw, and what they make of the rest is better.
    For `variety` see `LatentW`.
    """

    search: Settings = W_PLUS_SEARCH
    tuning: Settings = TUNING
    exact: Settings = EXACT_TUNING
    variety: float = 0.0

    @property
    def steps(self) -> int:
        return self.search.steps + max(self.tuning.steps, self.exact.steps)

    def __call__(self, observation: Observation, prior: Prior | None, rng: torch.Generator, watch: Watch) -> Solution:
        space = LatentWPlus(fitting(prior, observation), rng, variety=self.variety)
        found = solve(observation, space, self.search, rng, watch)
        if found.ending in ("watch", "discrepancy"):
            return told_by_likes(observation, found)

        def watch_tuning(step: int, picture: Tensor) -> bool:
            return watch(found.steps + step, picture)

        is_open = bool(observation.sigma) or not isinstance(observation.operator, Identity)
        around = Weights(space.prior, space.pivot(), observation.operator, jitter=FIELD_JITTER * is_open)
        tuned = solve(observation, around, self.tuning if is_open else self.exact, rng, watch_tuning)
        whole = replace(tuned, steps=found.steps + tuned.steps, history=found.history + tuned.history)
        return told_by_likes(observation, whole)


@dataclass(frozen=True)
class DeepImagePrior:
    """A network that has seen nothing, for pictures of any size: Ulyanov et al. 2018, arXiv 1711.10925."""

    search: Settings = UNTRAINED_SEARCH

    @property
    def steps(self) -> int:
        return self.search.steps

    def __call__(self, observation: Observation, prior: Prior | None, rng: torch.Generator, watch: Watch) -> Solution:
        check_size(observation, 2 * LEAST_SIDE)
        height, width = observation.operator.size
        return told_by_likes(observation, solve(observation, Untrained((height, width), rng), self.search, rng, watch))


@dataclass(frozen=True)
class Patches:
    """No search: what the picture's own patches tell of its holes, or of plain noise; see `collaborating`.

    No seed changes anything about it. Raises ValueError for other damage, and for pictures smaller than a patch.
    """

    @property
    def steps(self) -> int:
        return ROUNDS

    def __call__(self, observation: Observation, prior: Prior | None, rng: torch.Generator, watch: Watch) -> Solution:
        if not (has_likes_to_ask(observation) or is_clean(observation)):
            raise ValueError("patches tell holes in a clean picture, or noise; search with another solver")
        check_size(observation, FIRST.patch)
        history: list[float] = []
        ending: Ending = "steps"
        for step, picture in enumerate(tell(observation)):
            history.append(float(misfit(observation, picture, 0)[0]))
            if not watch(step, picture) and step + 1 < self.steps:
                ending = "watch"
                break
        return Solution(picture, history[-1], len(history), ending, tuple(history))


SOLVERS: Mapping[str, Solver] = MappingProxyType(
    {
        "csgm": Csgm(),
        "pgd": Pgd(),
        "w": Projector(W_SEARCH, by_layer=False),
        "w+": Projector(W_PLUS_SEARCH, by_layer=True),
        "tuned": Tuned(),
        "untrained": DeepImagePrior(),
        "patches": Patches(),
    }
)


def starting_anywhere(solver: Solver) -> Solver:
    """As `solver`, but from a w that is drawn, where it would start at the mean: for completions that differ."""
    return replace(solver, variety=1.0) if isinstance(solver, Projector | Tuned | Pgd) else solver


def told_by_likes(observation: Observation, found: Solution) -> Solution:
    """What a search found, told anew by its patches where plain noise or holes are all that was wrong."""
    if not has_likes_to_ask(observation):
        return found
    picture = collaborate(observation, found.picture)
    return replace(found, picture=picture, misfit=float(misfit(observation, picture, 0)[0]))


def unwatched(step: int, picture: Tensor) -> bool:
    """For searches that nobody looks at."""
    return True


def check_size(observation: Observation, least: int) -> None:
    """Raises ValueError where a side of the picture has less than `least` pixels."""
    height, width = observation.operator.size
    if min(height, width) < least:
        raise ValueError(f"got a picture of {width}x{height}, expected at least {least} pixels a side")


def fitting(prior: Prior | None, observation: Observation) -> Prior:
    """The prior. Raises ValueError where there is none, or its pictures have another size than the observation's."""
    if prior is None:
        raise ValueError("this way needs a prior; give one, or search with 'untrained'")
    height, width = observation.operator.size
    if (height, width) != (prior.size, prior.size):
        raise ValueError(f"got a picture of {width}x{height}, expected {prior.size}x{prior.size}, the prior's size")
    return prior
