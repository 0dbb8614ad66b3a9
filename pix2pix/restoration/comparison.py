"""Ways of restoring side by side on the same damaged pictures: PSNR, SSIM, LPIPS and seconds of each.

Pictures are the outer loop: whenever it is stopped, all methods have been through the same ones but for the last.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import numpy as np
from tqdm import tqdm

from pix2pix.images import write_image
from pix2pix.metrics.perceptual import Embedding, Lpips
from pix2pix.metrics.pixels import psnr, ssim
from pix2pix.restoration.cases import Case, Picture, seed_of
from pix2pix.restoration.ledger import Figures, Ledger
from pix2pix.restoration.methods import Method, Problem, Restored
from pix2pix.restoration.truths import Truth

SHOWN = 4  # pictures whose restorations are kept, for the sheets
PICTURES = "pictures"


@dataclass(frozen=True)
class Plan:
    """What is compared: the methods of each case on every picture."""

    truths: Sequence[Truth]
    methods: Sequence[tuple[Case, Sequence[Method]]]
    judge: Lpips | None
    seed: int


@dataclass
class Clock:
    """Times methods, whose first call loads packages and is not counted; a search is too long for that to matter."""

    warm: set[str] = field(default_factory=set)

    def restore(self, method: Method, problem: Problem, seed: int) -> tuple[Restored, float]:
        """What `method` makes of `problem`, and the seconds that it took."""
        if method.group != "solvers" and method.name not in self.warm:
            method.restore(problem, seed)
            self.warm.add(method.name)
        before = time.perf_counter()
        found = method.restore(problem, seed)
        return found, time.perf_counter() - before


def compare(plan: Plan, ledger: Ledger, folder: Path, after: Callable[[int], None]) -> None:
    """Fill `ledger` with what it lacks of `plan`; `after` is called with each picture's number when it is through.

    Restorations of the first pictures are written below `folder`. Raises ValueError, naming case, method and picture,
    where a method fails.
    """
    clock = Clock()
    runnable = sum(not method.missing for _, methods in plan.methods for method in methods)
    with tqdm(total=runnable * len(plan.truths), desc="comparing", unit="restoration", disable=None) as bar:
        for number, truth in enumerate(plan.truths):
            embedding = plan.judge.embed(truth.picture) if plan.judge is not None else None
            for case, methods in plan.methods:
                problem = Problem(case, case.damaged(truth.picture, truth.stem))
                for method in (each for each in methods if not each.missing):
                    if (case.name, method.name, truth.stem) not in ledger.figures:
                        try:
                            picture, figures = _restored(plan, clock, method, problem, truth, embedding)
                        except ValueError as error:
                            raise ValueError(f"{case.name}, {method.name}, {truth.stem}: {error}") from None
                        if number < SHOWN:
                            path = picture_file(folder, case, method, truth)
                            path.parent.mkdir(parents=True, exist_ok=True)
                            write_image(path, picture)
                        ledger.add(figures)
                    bar.update()
            after(number)


def picture_file(folder: Path, case: Case, method: Method, truth: Truth) -> Path:
    """Where a method's restoration of one of the first pictures is kept."""
    return folder / PICTURES / case.name / quote(truth.stem, safe="") / f"{method.name}.png"


def distance(output: Picture, judge: Lpips | None, truth: Embedding | None) -> float | None:
    """LPIPS of a picture (S, S, 3) and what was embedded of its truth; None without a judge."""
    return judge.distance(judge.embed(output), truth) if judge is not None and truth is not None else None


def search_seed(plan: Plan, truth: Truth) -> int:
    """Of the searches in a picture: another for each picture and for each seed of the comparison."""
    return seed_of(f"{plan.seed}/{truth.stem}") % 2**63


def _restored(
    plan: Plan, clock: Clock, method: Method, problem: Problem, truth: Truth, embedding: Embedding | None
) -> tuple[Picture, Figures]:
    found, seconds = clock.restore(method, problem, search_seed(plan, truth))
    picture = np.ascontiguousarray(problem.with_known(found.picture))
    error = psnr(picture, truth.picture)
    figures = Figures(
        case=problem.case.name,
        method=method.name,
        stem=truth.stem,
        psnr=None if np.isinf(error) else error,
        ssim=ssim(picture, truth.picture),
        lpips=distance(picture, plan.judge, embedding),
        seconds=seconds,
        steps=found.steps,
        ending=found.ending,
    )
    return picture, figures
