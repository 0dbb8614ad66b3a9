"""Waters, motorways, avenues and railways that cross an embedded town, in coordinates of the picture.

Each is a line or an outline; what the town keeps free of houses and trees for them is drawn into a small mask.
"""

import math
from dataclasses import dataclass, field
from random import Random
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from pix2pix.data.embedded.towns.plane import Plane, Points, normals, ribbon

FREE_SIDE = 256  # the mask has one resolution, so that every size of picture shows the same houses


@dataclass(frozen=True)
class Way:
    """A road or railway along a line (N, 2), `width` in shares of the picture's side."""

    kind: Literal["motorway", "avenue", "main", "street", "rail"]
    line: Points
    width: float


@dataclass
class Ways:
    """Waters with their promenades, and ways from the lowest to the highest."""

    bank: Literal["pavement", "grass", "sand", "concrete"] = "pavement"
    waters: list[Points] = field(default_factory=list)
    banks: list[Points] = field(default_factory=list)
    piers: list[Points] = field(default_factory=list)
    boats: list[tuple[float, float, float, float]] = field(default_factory=list)  # x, y, heading, metres
    wakes: list[Points] = field(default_factory=list)  # lines (N, 2)
    trees: list[tuple[float, float]] = field(default_factory=list)  # x, y
    ways: list[Way] = field(default_factory=list)


def plan_ways(rng: Random, plane: Plane, avenues: list[tuple[float, float]], rural: bool) -> Ways:
    """Draw which of them cross the town; `avenues` are the u and the width of streets that may lead over a bridge."""
    into = Ways()
    water = rng.random()
    aligned = plane.angle + rng.gauss(0.0, 0.12) + (math.pi if rng.random() < 0.5 else 0.0)
    if water < 0.25:
        _river(rng, plane, into, aligned, 0.5 if rural else 1.0)
        for u, width in rng.sample(avenues, min(len(avenues), 2)):
            v = np.linspace(-0.8, 0.8, 48) * plane.extent
            line = plane.place(np.stack([np.full_like(v, u), v], -1))
            into.ways.append(Way("street", line, width / plane.extent))
    elif water < 0.46:
        _sea(rng, plane, into, aligned if rng.random() < 0.6 else rng.uniform(0, 2 * math.pi))
    if rng.random() < 0.17:
        line = _curve(rng, rng.uniform(0, math.pi), rng.uniform(-0.35, 0.35), 0.12)
        into.ways.append(Way("rail", line, rng.uniform(10, 22) / plane.extent))
    if rng.random() < 0.24 and not rural:
        line = _curve(rng, plane.angle + rng.uniform(0.4, 1.2), rng.uniform(-0.25, 0.25), 0.06)
        into.ways.append(Way(rng.choice(("avenue", "main")), line, rng.uniform(17, 24) / plane.extent))
    if rng.random() < 0.27:
        line = _curve(rng, rng.uniform(0, math.pi), rng.uniform(-0.4, 0.4), 0.16)
        into.ways.append(Way("motorway", line, rng.uniform(25, 31) / plane.extent))
    return into


def kept_free(into: Ways, plane: Plane, lanes: list[Points]) -> NDArray[np.bool_]:
    """Where neither houses nor trees may stand: the mask (FREE_SIDE, FREE_SIDE), rows first."""
    mask = np.zeros((FREE_SIDE, FREE_SIDE), np.uint8)
    margin = 4.0 / plane.extent
    outlines = into.banks + lanes + [ribbon(way.line, way.width + 2 * margin) for way in into.ways]
    for outline in outlines:
        cv2.fillPoly(mask, [np.rint(outline * FREE_SIDE * 16).astype(np.int32)], 1, 8, 4)
    return mask.astype(bool)


def _curve(rng: Random, angle: float, offset: float, bend: float) -> Points:
    """A gently winding line across the whole picture, (64, 2), passing its middle at a distance of `offset`."""
    t = np.linspace(-1.0, 1.0, 64)
    first, second = rng.uniform(-bend, bend), rng.uniform(-0.4 * bend, 0.4 * bend)
    aside = offset + first * (t * t * 2.0 - 0.3) + second * np.sin(t * rng.uniform(3.0, 6.0) + rng.uniform(0, 6))
    cosine, sine = math.cos(angle), math.sin(angle)
    return np.stack([0.5 + t * cosine - aside * sine, 0.5 + t * sine + aside * cosine], -1)


def _river(rng: Random, plane: Plane, into: Ways, angle: float, size: float) -> None:
    """A river of changing width, with streets along its banks in towns."""
    line = _curve(rng, angle, rng.uniform(-0.3, 0.3), rng.uniform(0.04, 0.18))
    base = rng.uniform(28, 85) * size / plane.extent
    t = np.linspace(0.0, 1.0, len(line))
    width = base * (1.0 + 0.16 * np.sin(t * 9.0 + rng.uniform(0, 6)) + rng.uniform(-0.25, 0.25) * t)
    into.waters.append(ribbon(line, width))
    street = (14.0 if size == 1.0 else 3.0) / plane.extent
    into.banks.append(ribbon(line, width + 2.0 * street + 8.0 / plane.extent))
    if size == 1.0:
        into.bank = rng.choice(("pavement", "grass", "grass", "concrete"))
        for side in (-1.0, 1.0):
            quay = line + normals(line) * side * (width / 2.0 + street * 0.72)[:, None]
            _plant(rng, into, line + normals(line) * side * (width / 2.0 + 2.4 / plane.extent)[:, None])
            into.ways.append(Way("street", quay, 9.0 / plane.extent))
    for _ in range(rng.randint(0, 3)):
        place = rng.randrange(4, 60)
        heading = math.atan2(*(line[place + 1] - line[place])[::-1])
        x, y = line[place] + (rng.random() - 0.5) * 0.4 * base
        into.boats.append((float(x), float(y), heading, rng.uniform(7, 22)))


def _sea(rng: Random, plane: Plane, into: Ways, angle: float) -> None:
    """Open water on one side; a beach or quays with piers and boats."""
    line = _curve(rng, angle, rng.uniform(0.02, 0.34), rng.uniform(0.03, 0.16))
    cosine, sine = math.cos(angle), math.sin(angle)
    out = np.array([-sine, cosine])
    into.waters.append(np.concatenate([line, (line + 2.0 * out)[::-1]]))
    street = 16.0 / plane.extent
    into.banks.append(np.concatenate([line - out * 1.6 * street, (line + 2.0 * out)[::-1]]))
    into.ways.append(Way("street", line - out * street, 10.0 / plane.extent))
    into.bank = rng.choice(("pavement", "grass", "sand", "concrete"))
    if into.bank in ("pavement", "grass"):
        _plant(rng, into, line - out * 5.0 / plane.extent)
    if into.bank != "sand" and rng.random() < 0.75:
        place = rng.randrange(14, 24)
        while place < 52:
            long, wide = rng.uniform(22, 75) / plane.extent, rng.uniform(4, 16) / plane.extent
            root = line[place]
            along = np.array([cosine, sine])
            start, end = root - out * 4.0 / plane.extent, root + out * long
            into.piers.append(
                np.stack([start - along * wide, start + along * wide, end + along * wide, end - along * wide])
            )
            for berth in range(int(long * plane.extent / 9)):
                if rng.random() < 0.6:
                    spot = root + out * (berth * 9 + 8) / plane.extent
                    spot = spot + along * rng.choice((-1, 1)) * (wide + 5.0 / plane.extent)
                    into.boats.append((float(spot[0]), float(spot[1]), angle, rng.uniform(6, 9)))
            place += rng.randint(7, 16)
    for _ in range(rng.randint(0, 4)):
        x, y = line[rng.randrange(8, 56)] + out * rng.uniform(0.08, 0.4)
        heading, long = rng.uniform(0, 2 * math.pi), rng.uniform(7, 26)
        into.boats.append((float(x), float(y), heading, long))
        if rng.random() < 0.7:
            t = np.linspace(0.0, rng.uniform(0.1, 0.35), 12)
            turn = heading + rng.uniform(-2.0, 2.0) * t
            into.wakes.append(np.stack([x - t * np.cos(turn), y - t * np.sin(turn)], -1))


def _plant(rng: Random, into: Ways, line: Points) -> None:
    """A row of trees along a promenade, here and there with a gap."""
    if rng.random() < 0.7:
        into.trees += [(float(x), float(y)) for x, y in line[:: rng.choice((1, 2))] if rng.random() < 0.9]
