"""What an embedded street is like and what stands along it: a list of things with places in metres, no pixels."""

from typing import NamedTuple

import numpy as np

from pix2pix.data.embedded.streets.materials import MaterialName
from pix2pix.data.embedded.streets.traffic import EXTRAS, plan_extra, plan_parked, plan_pavement, plan_traffic
from pix2pix.data.embedded.streets.types import END, EXPOSED, Item, Place, Street, Strip

LANE = 3.2

_BLOCKS = (("block", 1.0),)
_HOUSES = (("house", 0.52), ("garden", 0.16), ("hedge", 0.12), ("fence", 0.12), ("wall", 0.08))
_MIXED = (("block", 0.6), ("house", 0.12), ("garden", 0.12), ("wall", 0.08), ("fence", 0.08))
_PARK = (("garden", 0.45), ("hedge", 0.25), ("fence", 0.20), ("wall", 0.10))
_WORKS = (("wall", 0.34), ("fence", 0.24), ("block", 0.22), ("garden", 0.20))

PLACES: tuple[Place, ...] = (
    # name, lanes left and right of ours, parking, verge, sidewalk, set-back, left and right sides, tree spacing, people
    Place("street", 1, 0, 0.60, 0.0, (2.6, 4.6), 0.0, _BLOCKS, _BLOCKS, 0.0, 0.75),
    Place("lane", 0, 0, 0.80, 0.0, (1.8, 3.0), 0.0, _BLOCKS, _BLOCKS, 0.0, 0.45),
    Place("avenue", 2, 1, 0.35, 2.0, (3.0, 4.6), 0.0, _BLOCKS, _MIXED, 8.5, 0.55),
    Place("tramway", 1, 0, 0.35, 0.0, (3.2, 5.0), 0.0, _BLOCKS, _MIXED, 12.0, 0.85),
    Place("suburb", 1, 0, 0.40, 1.2, (1.8, 2.8), 3.5, _HOUSES, _HOUSES, 14.0, 0.25),
    Place("park", 1, 0, 0.40, 1.8, (2.2, 3.6), 1.0, _PARK, _MIXED, 9.0, 0.40),
    Place("crossing", 1, 1, 0.20, 0.0, (3.0, 5.0), 0.0, _BLOCKS, _BLOCKS, 16.0, 1.00),
    Place("junction", 2, 0, 0.20, 1.5, (3.0, 4.6), 0.5, _MIXED, _MIXED, 11.0, 0.80),
    Place("underpass", 1, 1, 0.20, 1.0, (1.8, 2.8), 0.5, _MIXED, _WORKS, 13.0, 0.35),
    Place("works", 1, 0, 0.35, 2.0, (1.5, 2.2), 0.5, _WORKS, _WORKS, 12.0, 0.20),
    Place("square", 0, 0, 0.15, 0.0, (3.5, 6.0), 0.0, _BLOCKS, _MIXED, 10.0, 1.40),
    Place("arterial", 2, 1, 0.15, 2.2, (2.0, 3.0), 2.0, _MIXED, _PARK, 10.0, 0.30),
)


class Edges(NamedTuple):
    """Where one side's strips end and its lots begin, metres from the middle of our lane, always positive."""

    kerb: float
    front: float


def plan_street(rng: np.random.Generator, place: Place, extra: int) -> Street:
    """A street of the given kind, with everything along it, the farthest first; `extra` counts in `EXTRAS`."""
    width = LANE * rng.uniform(0.92, 1.1)
    tram = width * 2.0 if place.name == "tramway" else 0.0
    left, right = width * (place.left + 0.5) + tram, width * (place.right + 0.5)
    crossing = None
    if place.name in ("crossing", "junction") or rng.random() < 0.15:
        start = float(rng.uniform(15, 26))
        crossing = (start, start + float(rng.uniform(8, 13)))
    bridge, limit = None, END
    if place.name == "underpass":
        start = float(rng.uniform(24, 46))
        crossing, bridge = None, (start, start + 6.0)
    if rng.random() < 0.45:
        limit = float(rng.uniform(60, 110))
    strips: list[Strip] = []
    items: list[Item] = []
    kerbs: list[float] = []
    for side, road in ((-1, left), (1, right)):
        edges = _plan_side(rng, place, side, road, strips)
        if edges.kerb > road:
            items += plan_parked(rng, side, 0.5 * (road + edges.kerb), crossing)
        kerbs.append(edges.kerb)
        items += plan_pavement(rng, place, side, edges.kerb, edges.front, crossing)
        items += _plan_lots(rng, place, side, edges.front, crossing or bridge, limit)
    items += plan_traffic(rng, place, width, tram, crossing)
    oncoming = place.left > 0 and not tram
    items += plan_extra(rng, EXTRAS[extra % len(EXTRAS)], (kerbs[0], kerbs[1]), oncoming, crossing)
    if bridge:
        deck = float(rng.uniform(4.6, 5.6))
        items.append(Item("bridge", bridge[1], 0.0, bridge[0], 1, left + right + 30.0, deck))
    if limit < END:
        items.append(Item("terrace", limit + 3.0, 0.0, limit, 1, 50.0, float(rng.uniform(9, 18))))
    items += [Item("skyline", END + 90.0, 0.0, END + 80.0, 1, 320.0, float(rng.uniform(12, 26)))]
    items.sort(key=lambda item: -item.far)
    marks = _lane_marks(place, width, tram)
    rails = (-0.5 * width - 0.5 * tram, tram) if tram else None
    return Street(place.name, left, right, tuple(strips), tuple(marks), crossing, rails, tuple(items))


def _plan_side(rng: np.random.Generator, place: Place, side: int, road: float, strips: list[Strip]) -> Edges:
    """Lay the strips of one side: parking, verge, sidewalk, front gardens."""
    edge = road
    parked = rng.random() < place.parking
    if parked:
        bay = float(rng.uniform(2.1, 2.4))
        material: MaterialName = "cobbles" if rng.random() < 0.5 else "asphalt"
        name = "parking" if rng.random() < 0.55 else "road"
        strips.append(Strip(name, material, side, edge, edge + bay, 0.0))
        edge += bay
    kerb = edge
    if place.verge and rng.random() < 0.8:
        verge = place.verge * float(rng.uniform(0.6, 1.3))
        strips.append(Strip("terrain", "grass", side, edge, edge + verge, 0.12))
        edge += verge
    walk = float(rng.uniform(*place.sidewalk))
    if place.name == "square":
        strips.append(Strip("ground", "paving", side, edge, edge + walk + 3.0, 0.03))
        edge += walk + 3.0
    else:
        material = "paving" if rng.random() < 0.75 else "asphalt"
        strips.append(Strip("sidewalk", material, side, edge, edge + walk, 0.12))
        edge += walk
    front = edge
    if place.set_back:
        front += place.set_back * float(rng.uniform(0.6, 1.5))
    lawn = rng.random() < (0.85 if place.set_back else 0.3)
    strips.append(Strip("terrain" if lawn else "ground", "grass" if lawn else "gravel", side, edge, 120.0, 0.10))
    return Edges(kerb, front)


def _plan_lots(
    rng: np.random.Generator,
    place: Place,
    side: int,
    front: float,
    gap: tuple[float, float] | None,
    limit: float,
) -> list[Item]:
    """What stands along the street line from our car to where the street fades, a gap for what crosses."""
    kinds, chances = zip(*(place.left_lots if side < 0 else place.right_lots), strict=True)
    lots: list[Item] = []
    z = float(rng.uniform(-8.0, 2.0))
    level = float(rng.uniform(9.0, 17.0)) if place.name != "suburb" else 6.0
    joined = False  # to a building before it, which hides its near end
    while z < limit:
        kind = str(rng.choice(kinds, p=chances))
        length = float(rng.uniform(*{"block": (9, 20), "house": (9, 14)}.get(kind, (6, 15))))
        length *= 1.0 + max(z, 0.0) / 60.0  # farther lots may be longer: nobody can tell, and it saves time
        end = min(z + length, limit)
        if gap and z < gap[1] + 2.0 and end > gap[0] - 1.0:
            end = gap[0] - 1.0
        heights = {"block": level * rng.uniform(0.75, 1.3), "house": rng.uniform(3.6, 6.4)}
        height = float(heights.get(kind, rng.uniform(1.1, 2.6)))
        back = front + (float(rng.uniform(0.0, 2.5)) if kind == "house" else 0.0)
        if end - z > 3.0 and end > 1.6:
            start = max(z, 0.9)
            form = int(rng.integers(64)) + (EXPOSED if start > 3.0 and not (joined and kind == "block") else 0)
            lots.append(Item(kind, end, side * back, start, side, end - start, height, 0.0, form))
            lots += _garden(rng, kind, side, back, start, end)
        space = float(rng.uniform(3.0, 7.0)) if kind == "house" or rng.random() < 0.06 else 0.0
        z, joined = end + space, kind == "block" and space == 0.0
        if gap and gap[0] - 4.1 < z < gap[1] + 2.0:
            z, joined = gap[1] + 2.0, False
    return lots


def _garden(rng: np.random.Generator, kind: str, side: int, front: float, start: float, end: float) -> list[Item]:
    """Trees and bushes of a lot that no building fills; behind a wall, a fence or a hedge they stand taller."""
    if kind in ("block", "house"):
        return []
    trees = []
    for z in np.arange(start + 1.0, end, 3.5 + start / 12.0):
        x = side * (front + rng.uniform(2.0, 7.0))
        far = float(z + rng.uniform(0, 2)) if kind == "garden" else end + 0.1
        size = float(rng.uniform(1.0, 1.9) if kind == "garden" and rng.random() < 0.4 else rng.uniform(4.5, 10.0))
        trees.append(Item("tree" if size > 3 else "bush", far, x, float(z), side, size * 0.36, size))
    return trees


def _lane_marks(place: Place, width: float, tram: float) -> list[tuple[float, bool]]:
    """Lines between lanes: metres from the middle of ours, and whether they are broken."""
    marks = [(0.5 * width + lane * width, True) for lane in range(place.right)]
    if tram:
        marks += [(-0.5 * width, False), (-0.5 * width - tram, False)]
    marks += [(-0.5 * width - tram - lane * width, lane > 0 or width < 3.2) for lane in range(place.left)]
    return marks
