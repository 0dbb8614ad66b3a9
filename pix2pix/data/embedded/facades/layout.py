"""Where everything of an embedded facade is: a list of parts with boxes in [0, 1], without a single pixel."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from pix2pix.data.embedded.facades.parts import Box, Kind, Part, Scene
from pix2pix.data.embedded.facades.street import plan_dormers, plan_ground_floor, plan_neighbours, plan_trees
from pix2pix.data.embedded.facades.style import Manner


class Deco(NamedTuple):
    """Where a storey has ornaments, on which of its bays, and which of the looks they have."""

    place: Literal["below", "between", "above"]
    every: int
    form: int


DECO_PLACES: tuple[tuple[Literal["below", "between", "above"], int], ...] = (
    ("below", 1),
    ("below", 2),
    ("between", 1),
    ("between", 2),
    ("above", 1),
)


@dataclass(frozen=True)
class Storey:
    """What all the bays of one storey have in common; lengths are shares of the picture's side."""

    top: float
    bottom: float
    window_top: float
    window_bottom: float
    form: int
    panes: int
    cornice: float
    cornice_kind: Literal["cornice", "pediment"]
    sill: float
    shutters: float
    deco: Deco | None

    @property
    def height(self) -> float:
        return self.bottom - self.top


def plan_scene(rng: np.random.Generator, manner: Manner) -> Scene:
    """Draw the layout of one facade and its surroundings."""
    building, roof_top = _frame(rng)
    storey_count = int(rng.integers(manner.storeys[0], manner.storeys[1] + 1))
    lines = _storey_lines(rng, building, storey_count)
    height = float(np.median(np.diff(lines)))
    bay_count = int(np.clip(round(building.width / (height * rng.uniform(*manner.bay_aspect))), 2, 12))
    symmetric = bool(rng.random() < 0.7)
    bays = _bay_lines(rng, building, bay_count, symmetric)
    parts: list[Part] = []
    has_molding = rng.random() < manner.molding
    parts += _bands(rng, manner, building, lines, has_molding)
    if rng.random() < manner.pillar:
        parts += _pillars(rng, lines, bays)
    share = float(rng.uniform(*manner.window_width))
    balconies = _balcony_grid(rng, manner, storey_count - 1, bay_count, symmetric)
    for number in range(storey_count - 1):
        storey = _storey(rng, manner, lines[number], lines[number + 1], number == 0)
        parts += _upper_storey(rng, manner, storey, bays, share, balconies[number])
    parts += plan_ground_floor(rng, manner, Box(building.x0, lines[-2], building.x1, lines[-1]), bays, symmetric)
    dormers = plan_dormers(rng, building, roof_top, bays)
    neighbours = tuple(plan_neighbours(rng, building))
    trees = tuple(plan_trees(rng, building))
    return Scene(building, lines[-2], roof_top, dormers, neighbours, trees, tuple(parts))


def _frame(rng: np.random.Generator) -> tuple[Box, float]:
    """The facade in the picture, and how far its roof reaches up."""
    left, right = (float(rng.uniform(0.02, 0.20)) if rng.random() < 0.55 else 0.0 for _ in range(2))
    top = float(rng.uniform(0.03, 0.24)) if rng.random() < 0.75 else 0.0
    bottom = float(rng.uniform(0.015, 0.10)) if rng.random() < 0.8 else 0.0
    roof = float(rng.uniform(0.35, 1.0)) * top if rng.random() < 0.6 else 0.0
    return Box(left, top, 1.0 - right, 1.0 - bottom), top - min(roof, 0.16)


def _storey_lines(rng: np.random.Generator, building: Box, count: int) -> list[float]:
    """The tops of the storeys from the highest down, then the bottom of the facade."""
    shares = rng.uniform(0.95, 1.05, count)
    shares[0] *= rng.uniform(0.75, 1.1)
    shares[-1] *= rng.uniform(1.05, 1.45)
    entablature = float(rng.uniform(0.0, 0.06))
    span = building.height - entablature
    edges = building.y0 + entablature + span * np.concatenate([[0.0], np.cumsum(shares) / shares.sum()])
    return [float(edge) for edge in edges]


def _bay_lines(rng: np.random.Generator, building: Box, count: int, symmetric: bool) -> list[float]:
    """The left edges of the bays and the right edge of the last; a symmetric row may stress its middle or ends."""
    widths = np.ones(count)
    if symmetric:
        stress = rng.uniform(1.0, 1.45)
        if rng.random() < 0.5:
            widths[[0, -1]] *= stress
        if count % 2:
            widths[count // 2] *= rng.uniform(0.9, 1.5)
    elif rng.random() < 0.6:
        widths *= rng.uniform(0.8, 1.3, count)
    pier = building.width * float(rng.uniform(0.0, 0.05))
    edges = np.concatenate([[0.0], np.cumsum(widths) / widths.sum()])
    return [float(building.x0 + pier + (building.width - 2 * pier) * edge) for edge in edges]


def _bands(rng: np.random.Generator, manner: Manner, building: Box, lines: list[float], every: bool) -> list[Part]:
    """Moldings: the entablature under the roof and string courses between storeys."""
    parts: list[Part] = []
    rich = int(rng.integers(4))
    thickness = float(rng.uniform(0.05, 0.14)) * (lines[1] - lines[0])
    if rng.random() < manner.molding:
        bottom = lines[0] + float(rng.uniform(0.012, 0.03))
        parts.append(Part("entablature", Box(building.x0, building.y0, building.x1, bottom), rich))
    for number, line in enumerate(lines[1:-1], start=1):
        over_ground = number == len(lines) - 2
        if rng.random() < (0.9 if over_ground else 0.6) and (every or over_ground):
            grow = float(rng.uniform(1.2, 2.2)) if over_ground else 1.0
            band = Box(building.x0, line - thickness * grow, building.x1, line + thickness * 0.5)
            parts.append(Part("molding", band, rich))
    return parts


def _pillars(rng: np.random.Generator, lines: list[float], bays: list[float]) -> list[Part]:
    """Pilasters between bays, through one storey each or all the upper ones at once."""
    width = float(rng.uniform(0.12, 0.28)) * min(np.diff(bays))
    form = int(rng.integers(3))
    giant = bool(rng.random() < 0.35)
    every = int(rng.integers(1, 4))
    first = int(rng.integers(0, max(1, len(lines) - 2)))
    spans = [(lines[0], lines[-2])] if giant else list(zip(lines[first:-2], lines[first + 1 : -1], strict=True))
    parts: list[Part] = []
    for top, bottom in spans:
        inset = 0.06 * (bottom - top) if not giant else 0.015
        for x in bays[::every]:
            parts.append(Part("pillar", Box(x - width / 2, top + inset, x + width / 2, bottom - inset), form))
    return parts


def _balcony_grid(
    rng: np.random.Generator, manner: Manner, storeys: int, bays: int, symmetric: bool
) -> list[list[bool]]:
    """Which bays of which upper storeys have a balcony: whole columns, one row, or single ones."""
    grid = np.zeros((storeys, bays), bool)
    if rng.random() < manner.balcony:
        columns = rng.random(bays) < rng.choice([0.25, 0.45, 0.75])
        columns[int(rng.integers(bays))] = True
        if symmetric:
            columns |= columns[::-1]
        chosen = rng.random(storeys) < rng.choice([0.35, 0.9])
        chosen[int(rng.integers(storeys))] = True
        grid = chosen[:, None] & columns[None, :]
    return [[bool(cell) for cell in row] for row in grid]


def _storey(rng: np.random.Generator, manner: Manner, top: float, bottom: float, highest: bool) -> Storey:
    """The common features of one upper storey."""
    height = bottom - top
    window = float(rng.uniform(*manner.window_height)) * height
    window_bottom = bottom - float(rng.uniform(0.20, 0.28)) * height
    window_top = max(window_bottom - window, top + 0.13 * height)
    room = window_top - top
    cornice = float(rng.uniform(0.07, 0.19)) * height
    return Storey(
        top=top,
        bottom=bottom,
        window_top=window_top,
        window_bottom=window_bottom,
        form=int(rng.random() < manner.arch) + 2 * int(rng.random() < manner.pair),
        panes=int(rng.integers(4)),
        cornice=min(cornice, room * 0.6) if rng.random() < manner.cornice else 0.0,
        cornice_kind="pediment" if rng.random() < manner.pediment and not highest else "cornice",
        sill=float(rng.uniform(0.08, 0.22)) * height if rng.random() < manner.sill else 0.0,
        shutters=float(rng.uniform(0.30, 0.48)) if rng.random() < manner.shutters else 0.0,
        deco=Deco(*DECO_PLACES[int(rng.integers(5))], int(rng.integers(4))) if rng.random() < manner.deco else None,
    )


def _upper_storey(
    rng: np.random.Generator, manner: Manner, storey: Storey, bays: list[float], share: float, balconies: list[bool]
) -> list[Part]:
    """Windows and what belongs to them, bay by bay; balconies last, for they stand in front."""
    parts: list[Part] = []
    railings: list[Part] = []
    has_rollers = rng.random() < manner.roller
    narrowest = min(np.diff(bays))
    for bay, (left, right, balcony) in enumerate(zip(bays[:-1], bays[1:], balconies, strict=True)):
        middle = (left + right) / 2
        room = right - left
        width = min(share * (0.6 * narrowest + 0.4 * room), room * 0.86)
        bottom = storey.window_bottom + (0.16 * storey.height if balcony else 0.0)
        box = Box(middle - width / 2, storey.window_top, middle + width / 2, bottom)
        parts += _window(rng, storey, box, room, balcony, has_rollers)
        if balcony:
            rail = float(rng.uniform(0.9, 1.1)) * 0.34 * storey.height
            front = Box(box.x0, storey.bottom - 0.04 * storey.height - rail, box.x1, storey.bottom)
            railings.append(Part("balcony", front.wider((room * 0.92 - width) / 2 * 0.7)))
        if storey.deco and min(bay, len(balconies) - 1 - bay) % storey.deco.every == 0:
            parts += _decoration(storey, storey.deco, box, Box(left, storey.top, right, storey.bottom), bays, balcony)
    return parts + railings


def _window(
    rng: np.random.Generator, storey: Storey, box: Box, room: float, balcony: bool, has_rollers: bool
) -> list[Part]:
    """One window or a pair, with its cornice, sill, shutters and blind."""
    parts: list[Part] = []
    overhang = min(0.14 * box.width, (room - box.width) * 0.42)
    if storey.cornice:
        gap = min(0.25 * storey.cornice, 0.2 * (box.y0 - storey.top - storey.cornice))
        head = Box(box.x0, box.y0 - gap - storey.cornice, box.x1, box.y0 - gap)
        parts.append(Part(storey.cornice_kind, head.wider(overhang), storey.form & 1))
    if storey.sill and not balcony:
        bottom = min(box.y1 + storey.sill, storey.bottom - 0.02 * storey.height)
        parts.append(Part("sill", Box(box.x0, box.y1, box.x1, bottom).wider(overhang * 0.8)))
    kind: Kind = "french" if balcony else "window"
    form = storey.panes * 2 + (storey.form & 1)
    if storey.form & 2 and box.width > 0.035:
        pier = 0.06 * box.width
        middle = (box.x0 + box.x1) / 2
        halves = [Box(box.x0, box.y0, middle - pier, box.y1), Box(middle + pier, box.y0, box.x1, box.y1)]
    else:
        halves = [box]
    parts += [Part(kind, half, form) for half in halves]
    if storey.shutters and room - box.width > 0.5 * box.width:
        leaf = min(storey.shutters * box.width, (room - box.width) * 0.46)
        parts.append(Part("shutter", Box(box.x0 - leaf, box.y0, box.x0, box.y1)))
        parts.append(Part("shutter", Box(box.x1, box.y0, box.x1 + leaf, box.y1)))
    elif has_rollers and rng.random() < 0.5:
        drop = float(rng.choice([0.3, 0.5, 0.75, 1.0])) * box.height
        parts += [Part("roller", Box(half.x0, half.y0, half.x1, half.y0 + drop), form) for half in halves]
    return parts


def _decoration(storey: Storey, deco: Deco, window: Box, bay: Box, bays: list[float], balcony: bool) -> list[Part]:
    """An ornament under or above a window, or between it and the next, where there is room for it."""
    if deco.place == "between":
        gap = bay.width - window.width * (1.0 + 2.0 * storey.shutters)
        side = min(0.7 * gap, 0.6 * window.height)
        y = (window.y0 + window.y1) / 2
        if bay.x1 >= bays[-1] or side < 0.012:
            return []
        return [Part("deco", Box(bay.x1 - side / 2, y - side * 0.7, bay.x1 + side / 2, y + side * 0.7), deco.form)]
    inset = 0.06 * window.width
    if deco.place == "above" or balcony:
        top, bottom = storey.top + 0.08 * storey.height, window.y0 - 1.25 * storey.cornice - 0.015 * storey.height
    else:
        top, bottom = window.y1 + storey.sill + 0.015 * storey.height, storey.bottom - 0.03 * storey.height
    if bottom - top < 0.07 * storey.height:
        return []
    return [Part("deco", Box(window.x0 + inset, top, window.x1 - inset, bottom), deco.form)]
