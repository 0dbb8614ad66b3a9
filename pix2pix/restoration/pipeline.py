"""Restore one picture: with a prior a square of it, without one all of it, in tiles; and put it back at full size."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from pix2pix import hub
from pix2pix.images import enlarge, fill_smoothly, to_gray, to_rgb
from pix2pix.model_files import shipped_models
from pix2pix.priors.prior import Prior
from pix2pix.restoration.damage import Observation
from pix2pix.restoration.diagnosing import RECOLOURED, Damaged
from pix2pix.restoration.observing import as_levels, levels_apart, observed, observed_at
from pix2pix.restoration.operators import LUMA, Identity
from pix2pix.restoration.pasting import paste_into_holes, paste_square, resized, rounded
from pix2pix.restoration.searching import Ending, Solution, Watch, solve
from pix2pix.restoration.solvers import UNTRAINED_SEARCH, DeepImagePrior, Solver, starting_anywhere, told_by_likes
from pix2pix.restoration.spaces import Untrained
from pix2pix.restoration.tiling import OVERLAP, TILE, Blend, tiles
from pix2pix.restoration.wanted import Box, Degradation, check_inside, largest_square

TRAINED: Mapping[Degradation, str] = MappingProxyType(
    {"inpaint": "inpaint", "denoise": "denoise", "superres": "superres"}
)
"""The shipped model whose picture an untrained network begins with."""

IMITATION, REFINEMENT = 0.15, 0.35  # shares of the steps of an untrained network that begins with a model's picture


class Look(NamedTuple):
    """Where a search is: the step of so many of the tile `part` of `parts`, and its picture (1, 3, H, W).

    `observation` is what that picture is to explain, None before it is known.
    """

    step: int
    steps: int
    part: int
    parts: int
    picture: Tensor
    observation: Observation | None = None

    @property
    def misfit(self) -> float | None:
        """How far the picture is from it, in levels of 255; it takes a pass of the operator."""
        return None if self.observation is None else levels_apart(self.observation, self.picture)


Looking = Callable[[Look], bool]
"""Called before each search, every few steps of it and when it ends; False ends it."""


@dataclass(frozen=True)
class Restored:
    """A restored picture (H * scale, W * scale, C), and how its search went: `misfit` is in levels of 255."""

    picture: np.ndarray
    steps: int
    endings: tuple[Ending, ...]  # of all tiles
    misfit: float


def restore_with_prior(
    damage: Damaged, prior: Prior, solver: Solver, box: Box | None, seed: int, look: Looking
) -> Restored:
    """A square, by default the largest one in the middle, searched at the prior's size and pasted back.

    What lies around it is left as it is, or enlarged. With seed 0 the search starts at the mean of the prior's
    pictures, with any other at one that is drawn. Raises ValueError for a box outside of the picture, and for holes
    outside of the box.
    """
    solver = starting_anywhere(solver) if seed else solver
    height, width = damage.colours.shape[:2]
    box = box or largest_square(height, width)
    check_inside(box, height, width)
    square = damage.colours[box.rows, box.columns]
    holes = None if damage.holes is None else damage.holes[box.rows, box.columns]
    if damage.holes is not None and holes is not None and (outside := int(damage.holes.sum() - holes.sum())):
        raise ValueError(
            f"{outside} pixels to be made lie outside of the square {box.left},{box.top},{box.side} that is searched; "
            "choose another with --box X,Y,SIDE, or leave out --prior"
        )
    observation = observed_at(damage.fault, square, holes, prior.size)
    solution = solver(observation, prior, _rng(seed, 0), _watch(look, solver.steps, 0, 1, observation))
    look(Look(solver.steps, solver.steps, 0, 1, solution.picture, observation))
    scale = damage.fault.scale
    made = resized(as_levels(solution.picture, square.dtype), box.side * scale, box.side * scale)
    if holes is not None:
        whole = damage.colours.astype(np.float32)
        whole[box.rows, box.columns] = made
        colours = paste_into_holes(damage.colours, whole, damage.holes)  # type: ignore[arg-type]
    else:
        base = enlarge(damage.colours, scale)
        enlarged = Box(box.left * scale, box.top * scale, box.side * scale)
        if damage.fault.degradation in RECOLOURED:
            made = with_luma(made, square)
        colours = paste_square(base, made, enlarged)
    misfit = levels_apart(observation, solution.picture)
    return Restored(_finished(damage, colours), solution.steps, (solution.ending,), misfit)


def searched_tiles(damage: Damaged) -> list[tuple[slice, slice, bool]]:
    """Rows and columns of the damaged picture's tiles without a prior, and whether there is anything to search in."""
    (height, width), scale = damage.colours.shape[:2], damage.fault.scale
    found = []
    for rows, columns in tiles(height, width, TILE // scale, OVERLAP // scale):
        holes = None if damage.holes is None else damage.holes[rows, columns]
        found.append((rows, columns, holes is None or (bool(holes.any()) and not holes.all())))
    return found


def restore_without_prior(damage: Damaged, solver: Solver, seed: int, look: Looking) -> Restored:
    """All of a picture, tile by tile, by `solver`, which needs no prior.

    Where a model ships for the damage, an untrained network begins with its picture, and the search is shorter.
    Tiles without holes, where there are some, and tiles without anything known are not searched.
    """
    fault, scale = damage.fault, damage.fault.scale
    height, width = damage.colours.shape[:2]
    first = model_picture(damage) if isinstance(solver, DeepImagePrior) else None
    begun = enlarge(damage.colours, scale).astype(np.float32) if first is None else first.astype(np.float32)
    if first is None and damage.holes is not None:
        begun = fill_smoothly(damage.colours, ~damage.holes)
    places = searched_tiles(damage)
    steps = solver.steps if first is None else sum(steps_from_picture(solver.steps))
    blend = Blend(height * scale, width * scale)
    done: list[Solution] = []
    misfits: list[float] = []
    for part, (rows, columns, is_searched) in enumerate(places):
        place = tuple(slice(each.start * scale, each.stop * scale) for each in (rows, columns))
        start = begun[place]
        x = _as_tensor(start, damage.colours.dtype)
        if not is_searched or not look(Look(0, steps, part, len(places), x)):
            blend.add((place[0], place[1]), start)
            continue
        holes = None if damage.holes is None else damage.holes[rows, columns]
        observation = observed(fault, damage.colours[rows, columns], holes)
        watch = _watch(look, steps, part, len(places), observation)
        rng = _rng(seed, part)
        solution = (
            solver(observation, None, rng, watch)
            if first is None
            else from_picture(observation, x, solver.steps, rng, watch)
        )
        look(Look(steps, steps, part, len(places), solution.picture, observation))
        done.append(solution)
        misfits.append(levels_apart(observation, solution.picture))
        blend.add((place[0], place[1]), as_levels(solution.picture, damage.colours.dtype))
    made = blend.mean()
    if damage.holes is not None:
        colours = paste_into_holes(damage.colours, made, damage.holes)
    else:
        made = with_luma(made, damage.colours) if fault.degradation in RECOLOURED else made
        colours = rounded(made, damage.colours.dtype)
    endings = tuple(dict.fromkeys(solution.ending for solution in done)) or ("watch",)
    misfit = float(np.mean(misfits)) if misfits else float("nan")
    return Restored(_finished(damage, colours), sum(solution.steps for solution in done), endings, misfit)


def from_picture(observation: Observation, x: Tensor, steps: int, rng: torch.Generator, watch: Watch) -> Solution:
    """Of an untrained network that first learns to make the picture `x`, then to explain the observation.

    Until it makes `x`, that is what is seen and what is found. `steps` is what a search from nothing would take.
    """
    space = Untrained(observation.operator.size, rng)
    first, second = steps_from_picture(steps)
    imitation = replace(UNTRAINED_SEARCH, steps=first, window=0)
    refinement = replace(UNTRAINED_SEARCH, steps=second)
    copied = solve(
        Observation(x, Identity(observation.operator.size)), space, imitation, rng, lambda step, picture: watch(step, x)
    )
    if copied.ending == "watch":
        return replace(copied, picture=x)
    refined = solve(observation, space, refinement, rng, lambda step, picture: watch(copied.steps + step, picture))
    whole = replace(refined, steps=copied.steps + refined.steps, history=copied.history + refined.history)
    return told_by_likes(observation, whole)


def steps_from_picture(steps: int) -> tuple[int, int]:
    """How many there are to learn a picture, and then to explain the observation; `steps` as in `from_picture`."""
    return max(1, round(IMITATION * steps)), max(1, round(REFINEMENT * steps))


def model_picture(damage: Damaged) -> np.ndarray | None:
    """What the shipped model for this damage makes of it, (H * scale, W * scale, 3); None where there is none."""
    name = TRAINED.get(damage.fault.degradation)
    if name is None or name not in shipped_models():
        return None
    translator = hub.load(name, "cpu")
    if translator.task.data.scale != damage.fault.scale:
        return None
    most = np.array(np.iinfo(damage.colours.dtype).max, damage.colours.dtype)
    seen = damage.colours
    if damage.holes is not None:
        seen = np.concatenate([seen, np.where(damage.holes, 0, most)[:, :, None].astype(seen.dtype)], axis=2)
    return to_rgb(np.asarray(translator(seen))[:, :, :3])


def with_luma(made: np.ndarray, grey: np.ndarray) -> np.ndarray:
    """The colours of `made` (h, w, 3) float32 with the brightness of `grey` (h, w, 3), which keeps all its detail."""
    luma = (made * np.array(LUMA, np.float32)).sum(axis=2, keepdims=True)
    return np.asarray(made - luma + to_gray(grey).astype(np.float32))


def _watch(look: Looking, steps: int, part: int, parts: int, observation: Observation) -> Watch:
    return lambda step, picture: look(Look(step, steps, part, parts, picture, observation))


def _rng(seed: int, part: int) -> torch.Generator:
    """Of one tile: seeds that differ in nothing but 1 must not share the search of any two tiles."""
    state = np.random.SeedSequence((seed, part)).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(state) >> 1)


def _as_tensor(values: np.ndarray, dtype: np.dtype) -> Tensor:
    """(H, W, 3) in levels of `dtype` to (1, 3, H, W) in [-1, 1]."""
    return (
        torch.from_numpy(np.ascontiguousarray(values, np.float32)).permute(2, 0, 1)[None] / (np.iinfo(dtype).max / 2)
        - 1
    )


def _finished(damage: Damaged, colours: np.ndarray) -> np.ndarray:
    """With as many channels as it had, but for grey that is given colours."""
    made = to_gray(colours) if damage.is_grey else colours
    if damage.alpha is None:
        return made
    return np.concatenate([made, enlarge(damage.alpha, damage.fault.scale)], axis=2)
