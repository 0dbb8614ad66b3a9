"""Where the ground floor of an embedded facade has its doors and shops, and what stands around the building."""

from itertools import pairwise
from typing import Literal

import numpy as np

from pix2pix.data.embedded.facades.parts import Box, Neighbour, Part
from pix2pix.data.embedded.facades.style import Manner

Use = Literal["window", "door", "shop", "garage"]


def plan_ground_floor(
    rng: np.random.Generator, manner: Manner, storey: Box, bays: list[float], symmetric: bool
) -> list[Part]:
    """Doors, shops, windows and garages along the street."""
    uses = _ground_uses(rng, manner, len(bays) - 1, symmetric)
    head = storey.y0 + float(rng.uniform(0.24, 0.36)) * storey.height
    share = float(rng.uniform(0.42, 0.6))
    sill = float(rng.uniform(0.25, 0.36)) * storey.height
    arched = int(rng.random() < manner.arch)
    panes = 2 * int(rng.integers(4)) + arched
    has_sills = rng.random() < manner.sill
    awnings = bool(rng.random() < 0.4)
    signs = bool(rng.random() < 0.55)
    shop_form = int(rng.integers(4))
    parts: list[Part] = []
    for left, right, use in zip(bays[:-1], bays[1:], uses, strict=True):
        middle, room = (left + right) / 2, right - left
        half = share * room / 2
        if use == "window":
            box = Box(middle - half, head, middle + half, storey.y1 - sill)
            parts.append(Part("window", box, panes))
            if has_sills:
                ledge = Box(box.x0, box.y1, box.x1, box.y1 + 0.3 * sill)
                parts.append(Part("sill", ledge.wider(0.1 * half)))
        elif use == "door":
            parts += _door(rng, Box(middle - half, head, middle + half, storey.y1), room, arched)
        elif use == "garage":
            garage = Box(middle - 0.42 * room, head + 0.1 * storey.height, middle + 0.42 * room, storey.y1)
            parts.append(Part("garage", garage, shop_form))
        else:
            front = Box(middle - 0.44 * room, head, middle + 0.44 * room, storey.y1 - 0.02 * storey.height)
            parts += _shop(front, storey, shop_form, awnings, signs)
    return parts


def _ground_uses(rng: np.random.Generator, manner: Manner, count: int, symmetric: bool) -> list[Use]:
    """What each bay of the ground floor is for; a door is nearly always among them."""
    street: list[Use] = ["window"] * count
    if rng.random() < manner.shop:
        all_shops = rng.random() < 0.35
        for bay in range(count):
            if all_shops or rng.random() < 0.45:
                street[bay] = "shop"
    elif rng.random() < 0.12:
        for bay in range(int(rng.integers(1, count + 1))):
            street[bay] = "garage"
    if symmetric:
        street = [street[min(bay, count - 1 - bay)] for bay in range(count)]
    if rng.random() < 0.85:
        street[count // 2 if symmetric or rng.random() < 0.3 else int(rng.integers(count))] = "door"
    return street


def _door(rng: np.random.Generator, box: Box, room: float, arched: int) -> list[Part]:
    """A door, sometimes a wide gate, sometimes with a canopy or between two pillars."""
    widest = 0.5 * box.height if rng.random() < 0.7 else 0.85 * box.height
    narrow = max(0.0, (box.width - widest) / 2)
    box = box.wider(-narrow)
    parts = [Part("door", box, arched + 2 * int(rng.integers(3)))]
    spare = (room - box.width) / 2
    if rng.random() < 0.35:
        height = 0.1 * box.height
        canopy = Box(box.x0, box.y0 - 1.3 * height, box.x1, box.y0 - 0.2 * height)
        parts.append(Part("cornice" if rng.random() < 0.6 else "pediment", canopy.wider(spare * 0.6)))
    if rng.random() < 0.3:
        post = min(0.5 * spare, 0.14 * box.width)
        parts += [
            Part("pillar", Box(box.x0 - post * 1.2, box.y0, box.x0 - post * 0.2, box.y1), 0),
            Part("pillar", Box(box.x1 + post * 0.2, box.y0, box.x1 + post * 1.2, box.y1), 0),
        ]
    if rng.random() < 0.2:
        parts.append(Part("deco", Box(box.x0, box.y0 - 0.34 * box.height, box.x1, box.y0 - 0.15 * box.height), 1))
    return parts


def _shop(front: Box, storey: Box, form: int, awnings: bool, signs: bool) -> list[Part]:
    """A shop window with its sign above and its awning over it."""
    parts = [Part("shop", front, form)]
    if signs:
        parts.append(Part("sign", Box(front.x0, front.y0 - 0.14 * storey.height, front.x1, front.y0), form))
    if awnings:
        depth = 0.24 * storey.height
        awning = Box(front.x0, front.y0, front.x1, front.y0 + depth)
        parts.append(Part("awning", awning.wider(0.04 * front.width), form))
    return parts


def plan_dormers(rng: np.random.Generator, building: Box, roof_top: float, bays: list[float]) -> tuple[Part, ...]:
    """Windows in the roof, over every bay or every other one, where the roof is high enough."""
    height = building.y0 - roof_top
    if height < 0.06 or rng.random() < 0.4:
        return ()
    step = int(rng.integers(1, 3))
    width = min(0.5 * (bays[1] - bays[0]), 0.7 * height)
    top, bottom = roof_top + 0.35 * height, building.y0 - 0.12 * height
    centres = [(left + right) / 2 for left, right in pairwise(bays)][::step]
    return tuple(Part("dormer", Box(x - width / 2, top, x + width / 2, bottom)) for x in centres)


def plan_neighbours(rng: np.random.Generator, building: Box) -> tuple[Neighbour, ...]:
    """Buildings left and right of the facade, where there is room, mostly lower than it."""
    found: list[Neighbour] = []
    for x0, x1 in ((0.0, building.x0), (building.x1, 1.0)):
        if x1 - x0 > 0.01 and rng.random() < 0.7:
            top = building.y0 + float(rng.uniform(-0.08, 0.35))
            pitch = float(rng.uniform(0.06, 0.10))
            columns = max(1, round((x1 - x0) / pitch))
            rows = max(2, round((building.y1 - top) / (pitch * float(rng.uniform(1.2, 1.7)))))
            found.append(Neighbour(Box(x0, top, x1, building.y1), columns, rows))
    return tuple(found)


def plan_trees(rng: np.random.Generator, building: Box) -> tuple[tuple[float, float, float], ...]:
    """Crowns beside the building: the middle and the radius of each."""
    found: list[tuple[float, float, float]] = []
    for x0, x1 in ((0.0, building.x0), (building.x1, 1.0)):
        if x1 - x0 > 0.03 and rng.random() < 0.4:
            radius = float(rng.uniform(0.07, 0.16))
            found.append((float(rng.uniform(x0, x1)), building.y1 - float(rng.uniform(0.05, 0.3)), radius))
    return tuple(found)
