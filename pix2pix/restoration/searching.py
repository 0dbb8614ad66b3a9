"""Search a space for the picture that explains what is observed: Adam on misfit and penalty, or projected gradients."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from pix2pix.restoration.damage import Observation
from pix2pix.restoration.misfit import misfit, residual, squares
from pix2pix.restoration.operators import pulled_back, squared_norm
from pix2pix.restoration.spaces import SearchSpace
from pix2pix.restoration.stopping import WindowedVariance, is_within_noise

Watch = Callable[[int, Tensor], bool]
"""Called at a step, with its number from 0 and the picture (1, 3, H, W); False ends the search."""
Ending = Literal["steps", "discrepancy", "variance", "watch"]
LEVEL = (1 / 127.5) ** 2  # the misfit of a picture that is off by one level of 255
WARM_UP, COOL_DOWN = 0.05, 0.25  # shares of a search in which the rate rises and falls; Karras et al. 2020, appendix D


@dataclass(frozen=True)
class Settings:
    """How a space is searched."""

    steps: int
    rate: float  # of Adam, at its highest
    penalty: float = 0.0  # weight of the space's penalty beside the misfit
    halvings: int = 0  # coarser scales that count in the misfit
    every: int = 1  # steps from one look of `watch` to the next
    window: int = 0  # steps whose variance ends a search without known noise; 0: none does
    patience: int = 200  # steps without a smaller variance
    average: float = 0.0  # of the pictures before, in the one that is shown and returned
    astray: float = math.inf  # times the least misfit, and a level: a step that leads one picture there is taken back


@dataclass(frozen=True)
class Solution:
    """What a search found. `picture` is (1, 3, H, W), about [-1, 1]; `misfit` is its own, without penalties."""

    picture: Tensor
    misfit: float
    steps: int
    ending: Ending
    history: tuple[float, ...] = field(repr=False)  # the misfit of the best picture of each step
    space: SearchSpace | None = field(default=None, repr=False)  # where the search ended, if it was one


def solve(
    observation: Observation, space: SearchSpace, settings: Settings, rng: torch.Generator, watch: Watch
) -> Solution:
    """Adam on the misfit and penalty of all of the space's pictures; the one of least misfit is the solution.

    It ends after `settings.steps`; where only noise is left to fit, if its level is known; else, with a window, where
    the variance of the pictures has been lowest. What is drawn comes from `rng`: a seed decides all. After a step that
    is taken back, the others are half as long.
    """
    way_back, rate = WayBack(space, settings.astray), settings.rate
    optimizer = torch.optim.Adam(space.variables(), lr=settings.rate, fused=True)
    variance = None
    if settings.window and observation.sigma is None:
        variance = WindowedVariance(settings.window, settings.patience)
    history: list[float] = []
    shown: Tensor | None = None
    calmest: Tensor | None = None
    ending: Ending = "steps"
    for step in range(settings.steps):
        progress = step / settings.steps
        optimizer.param_groups[0]["lr"] = rate * ramp(progress)
        space.advance(progress, rng)
        pictures = space.render()
        errors = misfit(observation, pictures, settings.halvings)
        best = int(errors.argmin())
        history.append(float(errors[best].detach()))
        was_astray = len(pictures) == 1 and way_back.take(history[-1])
        if shown is None or not was_astray:
            shown = averaged(shown, pictures[best : best + 1].detach(), settings.average)
            if variance is not None:
                variance.add(shown)
                calmest = shown if variance.is_best else calmest
        expected = observation.expected(pictures[best : best + 1])
        if expected is not None and is_within_noise(float(squares(observation, pictures.detach())[best]), expected):
            ending = "discrepancy"
        elif variance is not None and variance.is_over:
            ending = "variance"
        elif step % settings.every == 0 and not watch(step, shown):
            ending = "watch"
        if ending != "steps":
            break
        if was_astray:
            optimizer.state.clear()
            rate /= 2
            continue
        optimizer.zero_grad()
        (errors + settings.penalty * space.penalty()).sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    found = calmest if ending == "variance" else shown if ending == "discrepancy" or settings.average else None
    space.advance(1.0, rng)
    return _solution(observation, space, found, settings.halvings, ending, history)


@torch.no_grad()
def _solution(
    observation: Observation,
    space: SearchSpace,
    found: Tensor | None,
    halvings: int,
    ending: Ending,
    history: list[float],
) -> Solution:
    """With the picture `found`, or else the best one of where the space is now."""
    if found is None:
        pictures = space.render()
        best = int(misfit(observation, pictures, halvings).argmin())
        found = pictures[best : best + 1]
    error = float(misfit(observation, found, halvings)[0])
    return Solution(found.clone(), error, len(history), ending, tuple(history), space)


class WayBack:
    """To where a space was best, when a step led astray; after the backtracking in the code of Ulyanov et al. 2018."""

    def __init__(self, space: SearchSpace, astray: float) -> None:
        self._variables, self._astray = space.variables(), astray
        self._best, self._least = list[Tensor](), math.inf

    @torch.no_grad()
    def take(self, misfit: float) -> bool:
        """Put a space of this misfit back to where it had the least, if it is astray; whether it was."""
        if self._astray == math.inf:
            return False
        if misfit < self._least:
            self._best, self._least = [each.detach().clone() for each in self._variables], misfit
        if misfit <= self._astray * (self._least + LEVEL) or not self._best:
            return False
        for variable, best in zip(self._variables, self._best, strict=True):
            variable.copy_(best)
        return True


def project(target: Tensor, space: SearchSpace, optimizer: torch.optim.Optimizer, steps: int) -> Tensor:
    """The space's picture nearest to `target` (1, 3, H, W), by `steps` steps from where it is."""
    for _ in range(steps):
        optimizer.zero_grad()
        (space.render() - target).square().mean().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    with torch.no_grad():
        return space.render()


def project_gradients(
    observation: Observation,
    space: SearchSpace,
    outer: int,
    inner: int,
    rate: float,
    rng: torch.Generator,
    watch: Watch,
) -> Solution:
    """x <- P_G(x + eta A^T (y - A x)), `outer` times: Shah and Hegde 2018, arXiv 1802.08406, algorithm 1.

    P_G takes `inner` steps of Adam from where the last one ended. eta is 1 / |A|^2, the longest step that cannot
    overshoot; A^T of what rounds passes straight through.
    """
    operator = observation.operator
    eta = 1 / max(squared_norm(operator, rng), 1e-6) if operator.is_linear else 1.0
    optimizer = torch.optim.Adam(space.variables(), lr=rate, fused=True)
    space.advance(1.0, rng)
    x = project(operator.start(observation.y), space, optimizer, inner)
    history: list[float] = []
    ending: Ending = "steps"
    for step in range(outer):
        history.append(float(misfit(observation, x, 0)[0]))
        if not watch(step, x):
            ending = "watch"
            break
        with torch.no_grad():
            difference = residual(observation, x)
        x = project(x - eta * pulled_back(operator, x, difference), space, optimizer, inner)
    return _solution(observation, space, x, 0, ending, history)


def ramp(progress: float) -> float:
    """The share of the rate: it rises linearly, stays, and falls as a cosine."""
    falling = min(1.0, (1 - progress) / COOL_DOWN)
    return (0.5 - 0.5 * math.cos(math.pi * falling)) * min(1.0, (progress + 1e-3) / WARM_UP)


def averaged(before: Tensor | None, picture: Tensor, share: float) -> Tensor:
    return picture if before is None or not share else before.lerp(picture, 1 - share)
