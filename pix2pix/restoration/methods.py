"""The ways of restoring that are compared, behind one call: solvers, shipped models, classics, and nothing at all.

All are told the same: the damaged picture, its holes, the noise level, the factor.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from pix2pix import hub
from pix2pix.images import to_rgb8
from pix2pix.model_files import shipped_models
from pix2pix.priors.prior import Prior
from pix2pix.restoration import classics
from pix2pix.restoration.cases import Case, Picture
from pix2pix.restoration.damage import Damaged, Observation, observe
from pix2pix.restoration.observing import as_levels
from pix2pix.restoration.options import NEED_NO_PRIOR, TOLD_BY_PATCHES
from pix2pix.restoration.pasting import paste_into_holes, rounded
from pix2pix.restoration.searching import Ending
from pix2pix.restoration.solvers import SOLVERS, Solver, unwatched
from pix2pix.schema import nearest

Group = Literal["nothing", "classics", "models", "solvers"]
GROUPS: tuple[Group, ...] = get_args(Group)
UNTOUCHED, MODEL = "untouched", "feed-forward"


@dataclass(frozen=True)
class Problem:
    """One damaged picture of a case."""

    case: Case
    damaged: Damaged

    @property
    def holes(self) -> NDArray[np.bool_] | None:
        """(H, W), True where nothing is known; None for damage without holes."""
        picture = self.damaged.picture
        return picture[:, :, 3] == 0 if picture.shape[2] == 4 else None

    def observation(self) -> Observation:
        return observe(self.damaged.picture, self.damaged.operator, self.damaged.sigma, self.damaged.kind)

    def with_known(self, restored: Picture) -> Picture:
        """`restored` (H, W, 3) with what is known put back, which is the same for every method."""
        holes = self.holes
        return restored if holes is None else np.where(holes[:, :, None], restored, self.damaged.picture[:, :, :3])


class Restored(NamedTuple):
    """A picture (S, S, 3) uint8 and, of a search, how many steps it took and why it ended."""

    picture: Picture
    steps: int | None = None
    ending: Ending | None = None


@dataclass(frozen=True)
class Method:
    """One way of restoring. `restore` takes a problem and a seed; `missing` says why it cannot be had, if it cannot."""

    name: str
    group: Group
    restore: Callable[[Problem, int], Restored]
    missing: str = ""


def methods_for(case: Case, prior: Prior | None, solvers: Mapping[str, Solver] = SOLVERS) -> list[Method]:
    """All that there are for `case`, the simplest first; without a `prior` those solvers that need none."""
    has_untouched = case.factor == 1 and case.kind != "invert"
    found = [Method(UNTOUCHED, "nothing", lambda problem, seed: Restored(seen(problem)))] if has_untouched else []
    found += [
        Method(name, "classics", by_classic(classic), missing_package(name))
        for name, classic in classics.CLASSICS[case.kind].items()
    ]
    found += _model(case)
    for name, solver in solvers.items():
        if name == "patches" and case.kind not in TOLD_BY_PATCHES:
            continue
        if prior is not None or name in NEED_NO_PRIOR:
            found.append(Method(name, "solvers", by_solver(solver, None if name in NEED_NO_PRIOR else prior)))
    return found


def chosen_methods(text: str, methods: Sequence[Method]) -> list[Method]:
    """Those of `methods` that `text` names, as `tuned,total variation` or by groups, as `classics,solvers`; or `all`.

    What it names and is not among them is left out; see `check_methods`.
    """
    names = {word.strip().lower() for word in text.split(",")}
    return [each for each in methods if names & {"all", each.group, each.name.lower()}]


def check_methods(text: str, prior: Prior | None) -> None:
    """Raises ValueError where `text` names what no case has, with the nearest name, or needs a prior without one."""
    named = [*(name for each in classics.CLASSICS.values() for name in each), UNTOUCHED, MODEL, *SOLVERS, *GROUPS]
    known = {name.lower(): name for name in (*named, "all")}
    for word in (word.strip().lower() for word in text.split(",")):
        if word not in known:
            raise ValueError(f"--methods: no method '{word}'; {nearest(word, known)}")
        if known[word] in SOLVERS and known[word] not in NEED_NO_PRIOR and prior is None:
            raise ValueError(f"--methods: '{word}' needs a prior; give one with --prior NAME|FILE|RUN")


def seen(problem: Problem) -> Picture:
    """The damaged picture as it is, (H, W, 3), black in its holes."""
    return np.ascontiguousarray(problem.damaged.picture[:, :, :3])


def by_classic(classic: classics.Classic) -> Callable[[Problem, int], Restored]:
    def restore(problem: Problem, seed: int) -> Restored:
        known = classics.Damage(problem.damaged.sigma or 0.0, problem.holes, problem.case.factor)
        return Restored(classic(seen(problem), known))

    return restore


def by_solver(solver: Solver, prior: Prior | None) -> Callable[[Problem, int], Restored]:
    """The search and, as `restore` does, what it found laid seamlessly into the holes."""

    def restore(problem: Problem, seed: int) -> Restored:
        rng = torch.Generator().manual_seed(seed)
        found = solver(problem.observation(), prior, rng, unwatched)
        made = as_levels(found.picture, np.dtype(np.uint8))
        holes = problem.holes
        picture = rounded(made, np.dtype(np.uint8)) if holes is None else paste_into_holes(seen(problem), made, holes)
        return Restored(picture, found.steps, found.ending)

    return restore


def missing_package(name: str) -> str:
    """Why a classic cannot be had, with the install line; nothing where it can."""
    if name not in classics.NEEDS or importlib.util.find_spec(classics.NEEDS[name][0]) is not None:
        return ""
    package, line = classics.NEEDS[name]
    return f"the package {package} is not installed: {line}"


def _model(case: Case) -> Iterator[Method]:
    """The shipped model for the kind of damage, whose name is the kind's, if it enlarges by the case's factor."""
    if case.kind not in shipped_models():
        return
    translator = hub.load(case.kind, device="cpu")
    if translator.task.data.scale == case.factor:
        yield Method(
            MODEL, "models", lambda problem, seed: Restored(to_rgb8(translator(problem.damaged.picture, seed=None)))
        )
