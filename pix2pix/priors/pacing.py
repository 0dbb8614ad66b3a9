"""Even pacing: where on a path to stop so that neighbouring pictures look equally far apart.

Of equal steps in z or w some hardly show and some are jumps: pictures change most in a small part of the way. The
length of the way is measured in pictures (Chen et al. 2018, arXiv 1711.01204, eq. 3) and divided evenly.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

Places = NDArray[np.float64]
Look = Callable[[Places], NDArray[np.float32]]
"""Places on a path (N,), of which k is its k-th key, to (N, D) whose Euclidean distances say how unlike they look."""

SIDE, LEAST_SIDE = 64, 4  # pixels: between them edges are compared, at the smaller one colours
FAINT = 0.05  # of a range of 2: edges below it count less, as the eye hardly sees them
UNSEEN = 1e-3  # a distance of `looks` far below that of rounding to 8 bits
FINEST = 1e-5  # of the way between two keys
MOST = 8  # pictures that are looked at for each step; ordinary ones take 1.5


def looks(pictures: Tensor) -> Tensor:
    """Pictures (N, 3, S, S) around [-1, 1] to (N, D) whose Euclidean distances say how unlike they look.

    Edges at all sizes from `SIDE` on down, each over the strength of those around it (as Dalal and Triggs 2005,
    section 6.4): what moves in the dark counts as what moves in the light. And the colours of a coarse picture.
    """
    level = pictures.float().clamp(-1, 1)
    if level.shape[-1] > SIDE:
        level = functional.adaptive_avg_pool2d(level, SIDE)
    found = []
    while level.shape[-1] > LEAST_SIDE:
        across, down = level.diff(dim=3), level.diff(dim=2)
        edges = torch.cat([functional.pad(across, (0, 1)), functional.pad(down, (0, 0, 0, 1))], dim=1)
        around = functional.pad(edges.square().mean(dim=1, keepdim=True), (1, 1, 1, 1), mode="replicate")
        edges = edges / (functional.avg_pool2d(around, 3, stride=1).sqrt() + FAINT)
        found.append(_even(functional.avg_pool2d(edges, 2)))
        level = functional.avg_pool2d(level, 2)
    return torch.cat([*found, _even(level)], dim=1)


def _even(values: Tensor) -> Tensor:
    """(N, ...) to (N, D), so that distances do not depend on D."""
    flat = values.flatten(1)
    return flat / math.sqrt(flat.shape[1])


def paced(look: Look, legs: int, steps: int) -> Places:
    """Where to stop: (legs * steps + 1,) places from 0 to `legs`, as far apart to `look` as can be.

    Every key is among them, and so a leg from one to the next has a whole number of steps, at least one: `steps` on
    average, more the longer it looks.
    """
    if steps == 1:
        return np.arange(legs + 1, dtype=np.float64)
    from scipy.interpolate import PchipInterpolator  # Fritsch and Butland 1984: it never turns back

    places, along = _measured(look, legs, steps)
    keys = along[np.searchsorted(places, np.arange(legs + 1))]
    place_at = PchipInterpolator(along, places)
    stops: list[Places] = []
    for leg, count in enumerate(shared_out(np.diff(keys), legs * steps)):
        between = np.linspace(keys[leg], keys[leg + 1], count + 1)[1:-1]
        stops += [np.array([leg], np.float64), place_at(between)]
    return np.concatenate([*stops, [legs]])


def shared_out(lengths: Sequence[float] | NDArray[np.float64], total: int) -> list[int]:
    """`total` steps for ways of these `lengths`, at least one each, so that the longest step is as short as can be."""
    counts = np.ones(len(lengths), int)
    for _ in range(total - len(lengths)):
        counts[np.argmax(np.asarray(lengths) / counts)] += 1
    found: list[int] = counts.tolist()
    return found


def _measured(look: Look, legs: int, steps: int) -> tuple[Places, NDArray[np.float64]]:
    """Places (M,) from 0 to `legs`, and how long the way to each of them looks: from 0 on, and rising.

    Pieces are halved until each is an average step at most, which takes about half as many pictures again.
    """
    count = legs * steps
    places = np.linspace(0, legs, count + 1)
    seen = look(places)
    while True:
        gaps = np.linalg.norm(np.diff(seen, axis=0), axis=1).astype(np.float64)
        apart = np.diff(places)
        long = np.flatnonzero((gaps > max(UNSEEN, gaps.sum() / count)) & (apart > FINEST))
        if not len(long) or len(places) > MOST * count:
            # Where nothing changes, the way is divided as it is.
            return places, np.concatenate([[0.0], np.cumsum(np.maximum(gaps, UNSEEN * apart))])
        middles = (places[long] + places[long + 1]) / 2
        places = np.insert(places, long + 1, middles)
        seen = np.insert(seen, long + 1, look(middles), axis=0)
