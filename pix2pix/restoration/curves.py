"""How searches go: the fit to what is observed against the true picture, step by step, past where they would stop."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pix2pix.priors.prior import Prior
from pix2pix.restoration.damage import Observation
from pix2pix.restoration.misfit import squares
from pix2pix.restoration.options import NEED_NO_PRIOR
from pix2pix.restoration.solvers import Solver
from pix2pix.timing.plots import CURVES, look, save

PEAK = 4.0  # square of the range of [-1, 1]
LEAST_ERROR = 1e-10  # of a mean square: PSNR stays finite


@dataclass(frozen=True)
class Curve:
    """One search: PSNRs in dB at each watched step, of the picture to the truth and of A(x) to y; and where it ends."""

    solver: str
    steps: tuple[int, ...]
    truth: tuple[float, ...]
    fit: tuple[float, ...]
    end: int
    ending: str


def trace(name: str, solver: Solver, prior: Prior | None, observation: Observation, truth: Tensor, seed: int) -> Curve:
    """Run `solver` twice from `seed`: once as it is, for where it ends, once watched and never stopped.

    `truth` is (1, 3, H, W) in [-1, 1]. With a noise level of 0 nothing ends a search but its last step: rounding is
    less than any search leaves.
    """
    prior = None if name in NEED_NO_PRIOR else prior
    steps, to_truth, to_observed = list[int](), list[float](), list[float]()

    def watch(step: int, picture: Tensor) -> bool:
        steps.append(step)
        to_truth.append(_psnr(float((picture.clamp(-1, 1) - truth).square().mean())))
        to_observed.append(_psnr(float(squares(observation, picture)[0]) / observation.count))
        return True

    solver(replace(observation, sigma=0.0), prior, torch.Generator().manual_seed(seed), watch)
    found = solver(observation, prior, torch.Generator().manual_seed(seed), lambda step, picture: True)
    return Curve(name, tuple(steps), tuple(to_truth), tuple(to_observed), found.steps, found.ending)


def draw(curves: Mapping[str, Sequence[Curve]], path: Path) -> bool:
    """Curves by case as a WebP picture, a panel a case; False without matplotlib."""

    def fill(figure: Any) -> None:
        panels = figure.subplots(1, len(curves), squeeze=False)[0]
        for axes, (case, searches) in zip(panels, curves.items(), strict=True):
            for number, curve in enumerate(searches):
                colour = CURVES[number % len(CURVES)]
                axes.plot(curve.steps, curve.truth, color=colour, linewidth=1.6, label=curve.solver)
                axes.plot(curve.steps, curve.fit, ":", color=colour, linewidth=1)
                axes.axvline(curve.end, color=colour, linewidth=0.8, alpha=0.6)
            look(axes, "PSNR (dB)")
            axes.set_title(case, fontsize=11, fontweight="bold", loc="left")
            axes.set_xlabel("steps; dotted: fit; upright: its end")
        panels[0].legend(frameon=False, fontsize=8.5)

    return save(path, (4.4 * len(curves) + 0.4, 3.8), fill)


def record(curves: Mapping[str, Sequence[Curve]]) -> dict[str, list[dict[str, Any]]]:
    """As JSON holds it."""
    return {case: [asdict(curve) for curve in searches] for case, searches in curves.items()}


def _psnr(mean_square: float) -> float:
    return 10 * math.log10(PEAK / max(mean_square, LEAST_ERROR))
