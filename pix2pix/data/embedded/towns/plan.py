"""The plan of an embedded town: a street grid with merged blocks, the uses of its blocks, and what crosses it."""

import math
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

from pix2pix.data.embedded.basics import Colour
from pix2pix.data.embedded.towns.blocks import USES
from pix2pix.data.embedded.towns.lot import Contents, Lot
from pix2pix.data.embedded.towns.plane import Box, Outline, Plane, Points, box_outline
from pix2pix.data.embedded.towns.style import Manner, Span
from pix2pix.data.embedded.towns.ways import FREE_SIDE, Ways, kept_free, plan_ways

PAVEMENT = 2.6  # metres


@dataclass(frozen=True)
class Block:
    """A block up to its kerb, and its colour on the map."""

    box: Box
    use: str
    colour: Colour


@dataclass(frozen=True)
class Scene:
    """Everything there is in one town."""

    plane: Plane
    blocks: tuple[Block, ...]
    mains: tuple[Box, ...]  # grid streets that the map shows in yellow
    lanes: tuple[Box, ...]  # narrow streets into blocks
    contents: Contents
    ways: Ways
    free: NDArray[np.bool_]


@dataclass(frozen=True)
class _Lines:
    """The streets along one direction: their middles and half widths in metres, in rising order."""

    middles: list[float]
    halves: list[float]
    wide: list[bool]


def plan_scene(rng: Random, manner: Manner) -> Scene:
    """Lay out a town in this manner."""
    extent = rng.uniform(*manner.extent)
    bent = rng.random() < manner.bent
    plane = Plane(
        extent=extent,
        angle=rng.uniform(0.0, 2.0 * math.pi) if rng.random() < 0.85 else 0.0,
        radius=rng.uniform(1.1, 4.0) * extent if bent and rng.random() < 0.8 else math.inf,
        kink=rng.uniform(-0.42, 0.42) if bent else 0.0,
        centre=(rng.uniform(-0.1, 0.1) * extent, rng.uniform(-0.15, 0.15) * extent),
    )
    across = _lines(rng, manner.length, manner.street, 0.95 * extent)
    down = _lines(rng, manner.depth, manner.street, 0.95 * extent)
    mains, bridges = [], []
    for u, half, wide in zip(across.middles, across.halves, across.wide, strict=True):
        if wide:
            mains.append((u - half, -extent, u + half, extent))
        if abs(u) < 0.45 * extent and not wide:
            bridges.append((u, 2.0 * half))
    ways = plan_ways(rng, plane, bridges, manner.rural)
    blocks = _blocks(rng, manner, plane, across, down)
    contents = Contents()
    lanes: list[Box] = []
    for block in blocks:
        u0, v0, u1, v1 = block.box
        lot = Lot((u0 + PAVEMENT, v0 + PAVEMENT, u1 - PAVEMENT, v1 - PAVEMENT), contents, rng)
        USES[block.use][0](lot)
        if block.use in ("houses", "rows", "sheds", "slabs") and lot.length > 80 and rng.random() < 0.3:
            at = rng.uniform(0.35, 0.65) * lot.length
            lanes.append(lot.at(at - 2.6, -PAVEMENT, at + 2.6, lot.depth * rng.choice((0.55, 0.8)) + PAVEMENT))
    _line_streets(rng, plane, contents, across, down, blocks)
    free = kept_free(ways, plane, [plane.place(box_outline(lane, 30.0)) for lane in lanes])
    return Scene(plane, blocks, tuple(mains), tuple(lanes), contents, ways, free)


def occupied(scene: Scene, places: Points) -> NDArray[np.bool_]:
    """Whether a way or water is at these positions (..., 2) of the picture; outside it the nearest edge decides."""
    index = np.clip((places * FREE_SIDE).astype(np.intp), 0, FREE_SIDE - 1)
    return np.asarray(scene.free[index[..., 1], index[..., 0]])


def _lines(rng: Random, spacing: Span, street: Span, reach: float) -> _Lines:
    """Parallel streets at uneven distances from -reach to reach, one in four of them wider."""
    middles, halves = [-reach - rng.uniform(0, spacing[0])], [rng.uniform(*street) / 2]
    wide = [False]
    usual = rng.uniform(*spacing)
    while middles[-1] < reach:
        wide.append(rng.random() < 0.14)
        halves.append(0.5 * rng.uniform(*street) * (rng.uniform(1.3, 1.7) if wide[-1] else rng.uniform(0.85, 1.1)))
        gap = usual * rng.uniform(0.9, 1.1) if rng.random() < 0.7 else rng.uniform(*spacing)
        middles.append(middles[-1] + gap)
    return _Lines(middles, halves, wide)


def _blocks(rng: Random, manner: Manner, plane: Plane, across: _Lines, down: _Lines) -> tuple[Block, ...]:
    """The cells of the grid, some of them merged with a neighbour, each with a use; those in sight only."""
    columns, rows = len(across.middles) - 1, len(down.middles) - 1
    taken = np.zeros((columns, rows), bool)
    names, chances = zip(*manner.uses, strict=True)
    blocks = []
    for i in range(columns):
        for j in range(rows):
            if taken[i, j]:
                continue
            right, low = i + 1, j + 1
            if rng.random() < manner.merge:
                if rng.random() < 0.5 and right < columns and not taken[right, j] and not across.wide[right]:
                    right += 1
                elif low < rows and not taken[i, low] and not down.wide[low]:
                    low += 1
            taken[i:right, j:low] = True
            box = (
                across.middles[i] + across.halves[i],
                down.middles[j] + down.halves[j],
                across.middles[right] - across.halves[right],
                down.middles[low] - down.halves[low],
            )
            use = rng.choices(names, chances)[0]
            blocks.append(Block(box, use, USES[use][1]))
    places = plane.place(np.array([_rim(block.box) for block in blocks]))
    seen = (places.max(1) > 0.0).all(1) & (places.min(1) < 1.0).all(1)
    return tuple(block for block, shown in zip(blocks, seen.tolist(), strict=True) if shown)


def _rim(box: Box) -> Outline:
    """The corners of a rectangle and the middles of its sides."""
    u0, v0, u1, v1 = box
    u, v = (u0 + u1) / 2.0, (v0 + v1) / 2.0
    return [(u0, v0), (u, v0), (u1, v0), (u1, v), (u1, v1), (u, v1), (u0, v1), (u0, v)]


def _line_streets(
    rng: Random, plane: Plane, contents: Contents, across: _Lines, down: _Lines, blocks: tuple[Block, ...]
) -> None:
    """Rows of trees and parked and moving cars along the kerbs of all blocks."""
    spacing = rng.uniform(8, 16) if rng.random() < 0.7 else 60.0
    parked, moving = rng.uniform(0.05, 0.5), rng.uniform(0.01, 0.06)
    for block in blocks:
        u0, v0, u1, v1 = block.box
        kerbs = ((u0, v0, u1 - u0, 0, -1), (u0, v1, u1 - u0, 0, 1), (u0, v0, v1 - v0, 1, -1), (u1, v0, v1 - v0, 1, 1))
        for u, v, length, along_v, out in kerbs:
            place = 5.0
            while place < length - 5.0:
                lane = 1.2 if rng.random() < parked else 4.2 if rng.random() < moving else 0.0
                if lane:
                    a, b = (u + out * lane, v + place) if along_v else (u + place, v + out * lane)
                    half_u, half_v = (0.95, 2.3) if along_v else (2.3, 0.95)
                    contents.cars.append((a - half_u, b - half_v, a + half_u, b + half_v))
                place += 5.6
            place = rng.uniform(3, 9)
            while place < length - 4.0:
                if rng.random() < 0.85:
                    a, b = (u - out * 1.4, v + place) if along_v else (u + place, v - out * 1.4)
                    contents.trees.append((a, b, rng.uniform(1.7, 3.0)))
                place += spacing
