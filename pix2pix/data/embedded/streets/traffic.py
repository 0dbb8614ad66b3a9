"""Who is on an embedded street: parked and driving vehicles, people, bicycles, trees, lamps, signs and signals."""

import numpy as np

from pix2pix.data.embedded.streets.types import Item, Place

Span = tuple[float, float]

SIZES: dict[str, tuple[float, float]] = {
    # width and height in metres; the length belongs to the painter
    "car": (1.80, 1.44), "van": (1.95, 2.05), "truck": (2.45, 3.40), "bus": (2.50, 3.05), "tram": (2.45, 3.40),
    "motorcycle": (0.75, 1.15), "motorcyclist": (0.80, 1.70), "cyclist": (0.60, 1.75),
}  # fmt: skip
EXTRAS: tuple[str, ...] = (
    "bus", "truck", "motorcyclist", "cyclist", "bicycle", "bin", "signal", "motorcycle", "truck", "cyclist", "van",
    "kiosk",
)  # fmt: skip
_DRIVING = (("car", 0.74), ("van", 0.12), ("truck", 0.06), ("bus", 0.03), ("motorcyclist", 0.02), ("cyclist", 0.03))


def plan_extra(rng: np.random.Generator, extra: str, edges: Span, oncoming: bool, crossing: Span | None) -> list[Item]:
    """The one thing that this street has for certain: a rare vehicle near by, or something on the pavement."""
    side = -1 if rng.random() < 0.5 else 1
    kerb = edges[0] if side < 0 else edges[1]
    if extra in ("bicycle", "bin", "motorcycle", "kiosk"):
        limit = crossing[0] - 1.0 if crossing else 22.0
        z = float(rng.uniform(7.5, max(9.0, limit)))
        reach = 1.6 if extra == "kiosk" else 0.6
        return [_standing(rng, extra, side, side * (kerb + reach), z)]
    if extra == "signal":
        z = crossing[0] - 0.5 if crossing else float(rng.uniform(11, 22))
        return [Item("signal", z, s * (e + 0.5), z, s, 0.3, 3.4) for s, e in ((-1, edges[0]), (1, edges[1]))]
    if oncoming and rng.random() < 0.6:
        return [_vehicle(rng, extra, -3.2, float(rng.uniform(9, 20)), np.pi)]
    x = 0.0 if extra in ("bus", "truck", "van") else float(rng.uniform(0.7, 1.2))
    return [_vehicle(rng, extra, x, float(rng.uniform(8, 18)), 0.0)]


def plan_traffic(
    rng: np.random.Generator, place: Place, width: float, tram: float, crossing: Span | None
) -> list[Item]:
    """What drives: ahead of us, towards us, beside us, across, and the tram on its track."""
    items = []
    if rng.random() < 0.6:
        items += _lane(rng, 0.0, float(rng.uniform(11, 40)), 0.0, 0.8)
    for lane in range(place.right):
        items += _lane(rng, (lane + 1) * width, float(rng.uniform(4, 30)), 0.0, 0.6)
    for lane in range(place.left):
        items += _lane(rng, -(lane + 1) * width - tram, float(rng.uniform(6, 35)), np.pi, 0.65)
    if tram:
        side, heading = (-0.28, 0.0) if rng.random() < 0.5 else (-0.74, np.pi)
        items.append(_vehicle(rng, "tram", -0.5 * width + tram * side, float(rng.uniform(9, 30)), heading))
    if crossing:
        for x in rng.uniform(-16, 16, int(rng.integers(0, 4))):
            if abs(x) > 2.0:
                z = crossing[0] + (0.3 if x > 0 else 0.72) * (crossing[1] - crossing[0])
                kind = str(rng.choice(("car", "car", "van", "bus", "cyclist")))
                items.append(_vehicle(rng, kind, float(x), z, 0.5 * np.pi if x > 0 else -0.5 * np.pi))
    return items


def plan_parked(rng: np.random.Generator, side: int, centre: float, crossing: Span | None) -> list[Item]:
    """Cars parked along the kerb, with gaps."""
    items = []
    heading = 0.0 if side > 0 or rng.random() < 0.3 else np.pi
    full, z = rng.uniform(0.5, 1.0), float(rng.uniform(2.0, 8.0))
    while z < 65.0:
        if rng.random() < full and not (crossing and crossing[0] - 8.0 < z < crossing[1] + 4.0):
            kind = "car" if rng.random() < 0.86 else "van"
            items.append(_vehicle(rng, kind, side * centre + float(rng.uniform(-0.1, 0.1)), z, heading))
        z += float(rng.uniform(5.2, 6.4)) * (1.0 + z / 150.0)
    return items


def plan_pavement(
    rng: np.random.Generator, place: Place, side: int, kerb: float, front: float, crossing: Span | None
) -> list[Item]:
    """What stands and walks between kerb and front: lamps, trees, signs, signals, bollards, bicycles, bins, people."""
    items = []

    def put(kind: str, x: float, z: float) -> None:
        if not (crossing and crossing[0] - 0.6 < z < crossing[1] + 0.6):
            items.append(_standing(rng, kind, side, side * x, z))

    if rng.random() < 0.75:
        start, step = rng.uniform(5, 24), rng.uniform(20, 32)
        for z in np.arange(start, 110, step):
            put("lamp", kerb + 0.45, float(z))
    if place.trees and rng.random() < 0.75:
        start, step = rng.uniform(5.5, 14), place.trees * rng.uniform(0.8, 1.3)
        row = kerb + (0.5 * place.verge if place.verge else 0.8)
        for z in np.arange(start, 95, step):
            if rng.random() < 0.88:
                put("tree", row + rng.uniform(-0.2, 0.2), float(z + z * 0.1 * rng.random()))
    for z in rng.uniform(6, 60, rng.poisson(2.0)):
        put("sign", kerb + rng.uniform(0.3, 0.9), float(z))
    if rng.random() < 0.2:
        for z in np.arange(rng.uniform(5, 10), rng.uniform(16, 40), rng.uniform(1.6, 2.6)):
            put("bollard", kerb + 0.3, float(z))
    for kind, rate in (("bin", 0.42), ("kiosk", 0.16), ("bicycle", 0.55), ("motorcycle", 0.20), ("planter", 0.2)):
        for z in rng.uniform(5, 40, rng.poisson(rate)):
            reach = max(0.4, min(2.2, front - kerb - 0.5))
            for number in range(int(rng.integers(1, 5)) if kind == "bicycle" else 1):
                put(kind, kerb + rng.uniform(0.3, 1.0) * reach, float(z + 0.9 * number))
    for _ in range(int(rng.poisson(2.6 * place.people))):
        z, x = 6.0 + 38.0 * float(rng.random()) ** 1.5, kerb + rng.uniform(0.2, max(0.5, front - kerb))
        for number in range(int(rng.choice((1, 1, 1, 2, 3)))):
            put("person", float(x + 0.6 * number), float(z + rng.uniform(0, 0.6)))
    if crossing:
        if rng.random() < 0.75:
            items.append(_standing(rng, "signal", side, side * (kerb + 0.5), crossing[0] - 0.8))
        for x in rng.uniform(0.5, kerb + 3.0, rng.poisson(1.6 * place.people)):
            items.append(_standing(rng, "person", side, side * float(x), crossing[0] - float(rng.uniform(0.8, 2.6))))
    return items


def _lane(rng: np.random.Generator, x: float, z: float, heading: float, density: float) -> list[Item]:
    """Vehicles one behind the other."""
    kinds, chances = zip(*_DRIVING, strict=True)
    items = []
    while z < 110.0:
        if rng.random() < density:
            items.append(
                _vehicle(rng, str(rng.choice(kinds, p=chances)), x + float(rng.uniform(-0.2, 0.2)), z, heading)
            )
        z += float(rng.uniform(9, 30))
    return items


def _vehicle(rng: np.random.Generator, kind: str, x: float, z: float, heading: float) -> Item:
    """A vehicle whose near end, or whose middle when it drives across, is at (x, z)."""
    width, height = SIZES[kind]
    size = float(rng.uniform(0.95, 1.06))
    turn = heading + float(rng.uniform(-0.02, 0.02))
    form = int(rng.integers(256))
    return Item(kind, z, x, z, 1 if x > 0 else -1, width * size, height * size, turn, form)


def _standing(rng: np.random.Generator, kind: str, side: int, x: float, z: float) -> Item:
    """A thing of an ordinary size on the pavement."""
    heights = {
        "lamp": (6.0, 9.0), "tree": (5.5, 11.0), "sign": (2.2, 3.2), "bollard": (0.9, 1.1), "bin": (0.9, 1.5),
        "kiosk": (2.2, 2.9), "bicycle": (1.0, 1.1), "motorcycle": (1.1, 1.25), "planter": (0.8, 1.4),
        "person": (1.55, 1.88), "signal": (3.2, 3.8),
    }  # fmt: skip
    height = float(rng.uniform(*heights[kind]))
    width = height * {"tree": 0.34, "planter": 0.6, "bin": 0.75}.get(kind, 0.3)
    return Item(kind, z, x, z, side, width, height, float(rng.choice((0.0, np.pi))), int(rng.integers(256)))
