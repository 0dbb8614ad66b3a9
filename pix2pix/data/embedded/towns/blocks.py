"""What stands on the blocks of an embedded town: towers, works, parks, schools, squares and fields, beside homes.

Every use fills one block with boxes in metres, planned along the block's longer side whichever way it lies.
"""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

from pix2pix.data.embedded.basics import Colour
from pix2pix.data.embedded.towns.homes import houses, perimeter, rows, slabs
from pix2pix.data.embedded.towns.lot import Lot, car_park, pitch
from pix2pix.data.embedded.towns.plane import Outline
from pix2pix.data.embedded.towns.style import MAP_BLOCK, MAP_CAMPUS, MAP_PARK

Spot = tuple[float, float]


def towers(lot: Lot) -> None:
    """Large flat roofs side by side, some of them far higher than others."""
    rng, length, depth = lot.rng, lot.length, lot.depth
    lot.whole("concrete")
    tall = rng.uniform(10, 24)
    halves = ((0.0, depth / 2), (depth / 2, depth)) if depth > 44 else ((0.0, depth),)
    for near, far in halves:
        a = 0.0
        while a < length - 8:
            b = a + rng.uniform(18, 42)
            b = length if b > length - 14 else b
            kind, tone = rng.random(), rng.random()
            height = 8 + min(90.0, rng.expovariate(1.0 / tall))
            inset = rng.choice((0.2, 0.2, 1.5, 3.0))
            if kind < 0.08:
                car_park(lot, a, near, b, far)
            elif kind < 0.13:
                lot.cover("plaza", a, near, b, far)
                lot.trees(4, a + 3, near + 3, b - 3, far - 3, 2.6)
            elif kind < 0.32:
                margin = rng.uniform(4, 7)
                lot.build(a, near, b, far, rng.uniform(6, 12), "flat", rng.random())
                lot.build(a + margin, near + margin, b - margin, far - margin, height * 1.6, "flat", tone)
            elif kind < 0.55:
                notch, part = rng.uniform(0.35, 0.6), rng.uniform(0.4, 0.65)
                middle, corner = a + (b - a) * notch, near + (far - near) * part
                lot.build(a + inset, near + inset, b - inset, corner, height, "flat", tone)
                lot.build(a + inset, near + inset, middle, far - inset, height, "flat", tone)
            else:
                lot.build(a + inset, near + inset, b - inset, far - inset, height, "flat", tone)
            a = b


def sheds(lot: Lot) -> None:
    """Works: wide sheds, yards with lorries and containers."""
    rng, length, depth = lot.rng, lot.length, lot.depth
    lot.whole(rng.choice(("concrete", "yard", "asphalt")))
    a = 6.0
    while a < length - 22:
        b = min(a + rng.uniform(32, 80), length - 6)
        near, far = rng.uniform(0.06, 0.2) * depth, rng.uniform(0.65, 0.94) * depth
        if rng.random() < 0.82:
            lot.build(a, near, b, far, rng.uniform(7, 13), "sheet" if rng.random() < 0.65 else "flat", rng.random())
            if rng.random() < 0.4:
                lot.build(a + 2, far, a + 0.5 * (b - a), min(far + 12, depth - 2), 5.0, "flat", rng.random())
        else:
            car_park(lot, a, near, b, far)
        for stack in range(int((b - a) / 8)):
            if rng.random() < 0.3:
                start = a + 8.0 * stack
                lot.build(start, depth - 4.5, start + 6.5, depth - 2, 2.8, "sheet", rng.random())
        a = b + rng.uniform(8, 18)
    lot.trees(length / 22, 0, 0, length, 3)


def parking(lot: Lot) -> None:
    """A block given to cars, with a few trees."""
    lot.whole("asphalt")
    car_park(lot, 3, 3, lot.length - 3, lot.depth - 3)
    lot.trees(lot.length / 14, 1, 1, lot.length - 1, 2.5, 2.6)
    lot.trees(lot.length / 14, 1, lot.depth - 2.5, lot.length - 1, lot.depth - 1, 2.6)


def park(lot: Lot) -> None:
    """Lawns, trees, paths, and often a pond."""
    rng, length, depth = lot.rng, lot.length, lot.depth
    lot.whole("grass")
    middle = (rng.uniform(0.35, 0.65) * length, rng.uniform(0.4, 0.6) * depth)
    lot.disc(rng.choice(("lawn", "meadow")), 0.1 * length, 0.1 * depth, 0.9 * length, 0.9 * depth, 0.8)
    for end in ((0.0, 0.0), (length, 0.0), (0.0, depth), (length, depth), (0.5 * length, 0.0)):
        if rng.random() < 0.75:
            bend = (0.5 * (end[0] + middle[0]) + rng.uniform(-9, 9), 0.5 * (end[1] + middle[1]) + rng.uniform(-9, 9))
            lot.into.ground.append(("path", _curve(lot, end, bend, middle, 2.6)))
    if rng.random() < 0.55:
        across, down = 0.5 * rng.uniform(0.25, 0.5) * length, 0.5 * rng.uniform(0.3, 0.5) * depth
        span = (middle[0] - across, middle[1] - down, middle[0] + across, middle[1] + down)
        lot.disc("path", span[0] - 3, span[1] - 3, span[2] + 3, span[3] + 3, 0.8)
        lot.disc("water", *span, 0.8)
    lot.trees(length * depth / rng.uniform(70, 220), 2, 2, length - 2, depth - 2, 3.8)


def _curve(lot: Lot, start: Spot, bend: Spot, end: Spot, width: float) -> Outline:
    """A path along the parabola with these control points, as its outline in street coordinates."""
    right, left = [], []
    for step in range(7):
        t = step / 6.0
        near, middle, far = (1.0 - t) ** 2, 2.0 * t * (1.0 - t), t * t
        a = near * start[0] + middle * bend[0] + far * end[0]
        b = near * start[1] + middle * bend[1] + far * end[1]
        along = (1.0 - t) * (bend[0] - start[0]) + t * (end[0] - bend[0])
        across = (1.0 - t) * (bend[1] - start[1]) + t * (end[1] - bend[1])
        half = 0.5 * width / max(1e-6, math.hypot(along, across))
        right.append(lot.spot(a - across * half, b + along * half))
        left.append(lot.spot(a + across * half, b - along * half))
    return right + left[::-1]


def wood(lot: Lot) -> None:
    """Crown beside crown."""
    rng, length, depth = lot.rng, lot.length, lot.depth
    lot.whole("meadow")
    lot.disc("hedge", 0, 0, length, depth, 0.5)
    lot.trees(min(160.0, length * depth / 50), 3, 3, length - 3, depth - 3, rng.uniform(3.6, 5.0))


def sports(lot: Lot) -> None:
    """A striped pitch, with a running track around it where there is room, and a stand."""
    rng, length, depth = lot.rng, lot.length, lot.depth
    lot.whole("grass")
    across, down = min(length - 24, 105.0), min(depth - 22, 66.0)
    a0, b0 = (length - across) / 2, (depth - down) / 2
    if rng.random() < 0.6:
        lot.disc("track", a0 - 7, b0 - 7, a0 + across + 7, b0 + down + 7, 0.55)
        lot.disc("lawn", a0, b0, a0 + across, b0 + down, 0.55)
        a0, across = a0 + 0.1 * across, 0.8 * across
        b0, down = b0 + 0.08 * down, 0.84 * down
    pitch(lot, a0, b0, a0 + across, b0 + down)
    if rng.random() < 0.6:
        lot.build(a0, 1, a0 + across, 6.5, 7, "sheet", rng.random())
    lot.trees(length / 9, 0, depth - 5, length, depth)


def school(lot: Lot) -> None:
    """Wings around a yard, beside a pitch."""
    rng, length, depth = lot.rng, lot.length, lot.depth
    lot.whole("meadow")
    half = 0.55 * length
    lot.cover("yard", 4, 4, half, depth - 4)
    tone, height, deep = rng.random(), rng.uniform(7, 13), rng.uniform(11, 15)
    lot.build(5, 5, half - 4, 5 + deep, height, "flat", tone)
    lot.build(5, 5, 5 + deep, depth - 5, height, "flat", tone)
    if rng.random() < 0.6:
        lot.build(half - 4 - deep, 5, half - 4, 0.7 * depth, height * 0.7, "flat", tone)
    if rng.random() < 0.6:
        pitch(lot, half + 4, 6, length - 5, depth - 6)
    else:
        for court in range(int((length - half - 8) / 20)):
            lot.cover("court", half + 4 + 20 * court, 8, half + 20 + 20 * court, min(40, depth - 6))
    lot.trees(length / 5, 0, depth - 6, length, depth - 1)


def square(lot: Lot) -> None:
    """A paved place with a fountain, trees in rows and often a church."""
    rng, length, depth = lot.rng, lot.length, lot.depth
    lot.whole("plaza")
    lot.cover("concrete", 4, 4, length - 4, depth - 4)
    lot.cover("plaza", 7, 7, length - 7, depth - 7)
    if rng.random() < 0.6:
        tone, middle, nave = rng.random(), depth / 2, min(0.5 * length, 48.0)
        lot.build(8, middle - 6.5, 8 + nave, middle + 6.5, 17, "gable", tone)
        lot.build(8 + 0.62 * nave, middle - 14, 8 + 0.62 * nave + 10, middle + 14, 16.5, "gable", tone)
        lot.build(4, middle - 4, 12, middle + 4, 36, "hip", (tone + 0.3) % 1.0)
    centre = (0.78 * length, 0.5 * depth)
    lot.disc("concrete", centre[0] - 6.5, centre[1] - 6.5, centre[0] + 6.5, centre[1] + 6.5)
    lot.disc("pool", centre[0] - 4.5, centre[1] - 4.5, centre[0] + 4.5, centre[1] + 4.5)
    for place in range(int(length / 8)):
        for b in (4.0, depth - 4.0):
            lot.tree(4.0 + 8.0 * place, b, rng.uniform(2.2, 3.0))


def fields(lot: Lot) -> None:
    """Strips of crops with furrows."""
    rng, length, depth = lot.rng, lot.length, lot.depth
    a = 0.0
    while a < length - 1:
        b = min(a + rng.uniform(22, 70), length)
        first = rng.choice(("crop", "soil", "meadow", "grass", "dry"))
        lot.cover(first, a, 0, b, depth)
        furrow = rng.choice(("crop", "soil", "dry", "meadow"))
        for step in range(int((b - a) / 6)):
            lot.cover(furrow, a + 6 * step + 1, 1, a + 6 * step + 2.6, depth - 1)
        a = b
    lot.trees(length / 12, 0, 0, length, 2)


USES: Mapping[str, tuple[Callable[[Lot], None], Colour]] = MappingProxyType(
    {
        "houses": (houses, MAP_BLOCK),
        "rows": (rows, MAP_BLOCK),
        "perimeter": (perimeter, MAP_BLOCK),
        "towers": (towers, MAP_BLOCK),
        "slabs": (slabs, MAP_BLOCK),
        "sheds": (sheds, MAP_BLOCK),
        "parking": (parking, MAP_BLOCK),
        "park": (park, MAP_PARK),
        "wood": (wood, MAP_PARK),
        "sports": (sports, MAP_PARK),
        "school": (school, MAP_CAMPUS),
        "square": (square, MAP_BLOCK),
        "fields": (fields, MAP_BLOCK),
    }
)
