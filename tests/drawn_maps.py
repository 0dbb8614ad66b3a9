"""Twelve label maps as lists of strokes, for `drawn_apps.py`; places in 256ths of the canvas."""

from __future__ import annotations

from collections.abc import Sequence

from page_hand import UNDO, Point, Step, smooth


def box(colour: str, left: float, top: float, right: float, bottom: float) -> Step:
    return Step("box", ((left, top), (right, bottom)), colour)


def boxes(colour: str, lefts: Sequence[float], top: float, width: float, height: float) -> list[Step]:
    """A row of equal boxes."""
    return [box(colour, left, top, left + width, top + height) for left in lefts]


def line(colour: str, start: Point, end: Point, size: int) -> Step:
    return Step("line", (start, end), colour, size)


def brush(colour: str, size: int, *points: Point) -> Step:
    return Step("brush", smooth(points), colour, size)


def fill(colour: str, x: float, y: float) -> Step:
    return Step("fill", ((x, y),), colour)


def windows(lefts: Sequence[float], top: float, width: float = 24, height: float = 40, rich: bool = True) -> list[Step]:
    """A floor of windows, each with its sill, and a cornice above it where the house is `rich`."""
    steps = boxes("window", lefts, top, width, height)
    steps += [box("sill", left - 3, top + height + 1, left + width + 3, top + height + 7) for left in lefts]
    if rich:
        steps += [box("cornice", left - 3, top - 8, left + width + 3, top - 2) for left in lefts]
    return steps


SIX = (34, 68, 102, 136, 170, 204)
FOUR = (40, 92, 144, 196)

FACADES: dict[str, list[Step]] = {
    "town house with shops": [
        box("facade", 16, 30, 240, 250),
        box("molding", 16, 22, 240, 36),
        *windows(SIX, 52),
        *windows(SIX, 118),
        box("molding", 16, 180, 240, 188),
        *boxes("shop", (26, 150), 198, 80, 50),
        box("door", 112, 198, 144, 250),
    ],
    "cottage with a gable": [
        line("facade", (40, 110), (128, 40), 3),
        line("facade", (128, 40), (216, 110), 3),
        line("facade", (216, 110), (40, 110), 3),
        fill("facade", 128, 80),
        box("facade", 40, 108, 216, 236),
        line("molding", (34, 112), (128, 36), 8),
        line("molding", (128, 36), (222, 112), 8),
        *windows((62, 170), 130, 30, 40, rich=False),
        *[box("blind", left, 130, left + 9, 170) for left in (51, 94, 159, 202)],
        *windows((116,), 66, 24, 26, rich=False),
        box("door", 112, 168, 144, 236),
        box("sill", 108, 236, 148, 242),
    ],
    "palace with pillars": [
        box("facade", 8, 40, 248, 246),
        box("molding", 8, 26, 248, 44),
        box("shop", 60, 60, 90, 90),
        UNDO,
        *boxes("pillar", (16, 62, 108, 140, 186, 232), 48, 8, 84),
        *[box("window", left, 62, left + 22, 104) for left in (32, 78, 156, 202)],
        *[brush("window", 22, (left + 11, 64), (left + 11, 70)) for left in (32, 78, 156, 202)],
        box("balcony", 116, 104, 140, 124),
        box("window", 120, 60, 136, 104),
        box("molding", 8, 134, 248, 144),
        *windows((32, 78, 156, 202), 160, 24, 40),
        *boxes("deco", (34, 80, 158, 204), 146, 20, 6),
        box("door", 112, 176, 144, 246),
        brush("door", 28, (128, 176), (128, 178)),
    ],
    "balconies and blinds": [
        fill("facade", 128, 128),
        *[step for top in (14, 74, 134) for step in windows(FOUR, top, 26, 36, rich=False)],
        *[box("balcony", left - 6, top, left + 32, top + 16) for top in (38, 98, 158) for left in FOUR],
        *boxes("blind", FOUR[::2], 14, 26, 14),
        *boxes("blind", FOUR[1::2], 134, 26, 14),
        box("molding", 0, 186, 256, 194),
        *windows((40, 196), 206, 26, 30, rich=False),
        box("door", 110, 200, 146, 252),
    ],
    "arches": [
        box("facade", 20, 20, 236, 250),
        box("molding", 14, 14, 242, 26),
        *[brush("window", 26, (left, 60), (left, 88)) for left in (52, 102, 154, 204)],
        *[box("sill", left - 16, 102, left + 16, 108) for left in (52, 102, 154, 204)],
        box("molding", 20, 124, 236, 132),
        *[brush("window", 26, (left, 156), (left, 180)) for left in (52, 204)],
        *[box("sill", left - 16, 194, left + 16, 200) for left in (52, 204)],
        brush("door", 44, (128, 178), (128, 226)),
        box("door", 107, 200, 149, 250),
        *boxes("pillar", (92, 154), 150, 9, 100),
    ],
}


def car(x: float, y: float, scale: float = 1.0) -> list[Step]:
    """A car from behind, standing at (x, y)."""
    wide, high = 44 * scale, 30 * scale
    return [
        box("car", x - wide / 2, y - high * 0.6, x + wide / 2, y),
        brush("car", max(4, round(20 * scale)), (x - wide / 4, y - high * 0.75), (x + wide / 4, y - high * 0.75)),
    ]


def tree(x: float, y: float, scale: float = 1.0) -> list[Step]:
    """A tree that stands at (x, y)."""
    top = y - 80 * scale
    crown = ((x - 18 * scale, top), (x, top - 16 * scale), (x + 18 * scale, top), (x, top + 10 * scale))
    return [line("vegetation", (x, y), (x, top), 5), brush("vegetation", round(34 * scale), *crown)]


def street(left: float, right: float) -> list[Step]:
    """Sky, houses on both sides, pavements and a road that goes to the middle."""
    return [
        fill("sky", 128, 128),
        box("building", 0, 20, left, 150),
        box("building", right, 10, 256, 150),
        box("sidewalk", 0, 146, 256, 256),
        line("road", (128, 140), (8, 254), 4),
        line("road", (128, 140), (248, 254), 4),
        fill("road", 128, 220),
    ]


STREETS: dict[str, list[Step]] = {
    "street with cars and trees": [
        *street(86, 170),
        *tree(30, 190, 1.1),
        *tree(226, 186),
        *car(100, 205),
        *car(150, 176, 0.7),
    ],
    "avenue of trees": [
        *street(40, 216),
        *[
            step
            for x, y, s in ((20, 210, 1.3), (60, 178, 0.9), (236, 210, 1.3), (198, 178, 0.9))
            for step in tree(x, y, s)
        ],
        *car(128, 178, 0.6),
        line("pole", (88, 176), (88, 70), 3),
    ],
    "people crossing": [
        *street(90, 160),
        *[brush("person", 10, (x, 168), (x, 200)) for x in (92, 108, 150)],
        *[brush("person", 8, (x, 158)) for x in (92, 108, 150)],
        *car(200, 190, 0.9),
        line("pole", (60, 190), (60, 60), 3),
        box("traffic light", 55, 60, 66, 86),
        *tree(24, 186, 0.9),
    ],
    "bus and bicycle lane": [
        *street(70, 190),
        box("bus", 96, 100, 150, 190),
        box("terrain", 200, 160, 256, 200),
        *tree(236, 180, 1.1),
        *car(190, 214, 1.1),
        box("truck", 10, 10, 40, 40),
        UNDO,
    ],
}

BLOCKS = [(x, y) for x in (20, 60, 100) for y in (20, 52, 84)]

TOWNS: dict[str, list[Step]] = {
    "town on a river": [
        brush("water", 40, (0, 190), (60, 170), (130, 200), (200, 180), (256, 200)),
        line("main road", (0, 130), (256, 110), 10),
        line("street", (60, 0), (70, 256), 6),
        line("street", (140, 0), (150, 256), 6),
        line("street", (0, 60), (256, 50), 6),
        *[
            box("house", x + dx, y, x + dx + 14, y + 12)
            for dx in (0, 82, 170)
            for x, y in ((12, 14), (34, 16), (14, 74), (36, 76), (12, 98))
        ],
        box("park", 166, 66, 240, 100),
    ],
    "motorway and park": [
        line("motorway", (0, 60), (256, 150), 14),
        box("park", 20, 150, 120, 236),
        brush("water", 18, (50, 190), (70, 200), (90, 190)),
        line("street", (128, 110), (128, 256), 6),
        line("street", (128, 200), (256, 200), 6),
        line("street", (190, 140), (190, 256), 6),
        line("street", (60, 0), (60, 70), 6),
        line("street", (150, 0), (150, 100), 6),
        *[box("house", x, y, x + 15, y + 13) for x in (138, 160, 200, 222) for y in (162, 180, 212, 232)],
        *[box("house", x, y, x + 15, y + 13) for x in (74, 98, 122, 166, 190, 214) for y in (10, 34)],
    ],
    "grid of streets": [
        *[line("street", (x, 0), (x, 256), 7) for x in (42, 84, 126, 168, 210)],
        *[line("street", (0, y), (256, y), 7) for y in (50, 150, 200)],
        line("main road", (0, 100), (256, 100), 12),
        *[
            box("house", x, y, x + 12, y + 14)
            for x in (6, 24, 50, 66, 92, 108, 134, 150, 176, 192)
            for y in (8, 28, 60, 78)
        ],
        *[
            box("house", x, y, x + 12, y + 14)
            for x in (6, 24, 50, 66, 134, 150, 218, 236)
            for y in (112, 130, 158, 178)
        ],
        box("campus", 90, 108, 122, 146),
        fill("park", 105, 175),
        box("sports ground", 174, 158, 204, 194),
    ],
}

LABELS = {"facades": FACADES, "cityscapes": STREETS, "map2aerial": TOWNS}
