"""How an embedded town looks from above: manners of building, colours by season, the sun, and the colours of the map.

The map's colours are those most frequent in the street maps of the maps data set of Isola et al., "Image-to-Image
Translation with Conditional Adversarial Networks", CVPR 2017.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from types import MappingProxyType

from pix2pix.data.embedded.basics import Colour, mix

Span = tuple[float, float]

BUILT, ROAD, GRASS, TREE, WATER, SOIL, ROOF = range(7)
"""Materials, each with a texture of its own."""

MAP_STREET_LEVEL = 254
MAP_STREET: Colour = (MAP_STREET_LEVEL,) * 3
MAP_BLOCK: Colour = (233, 229, 221)
MAP_CASING: Colour = (218, 213, 205)
MAP_HOUSE: Colour = (243, 240, 234)
MAP_PARK: Colour = (203, 223, 171)
MAP_PITCH: Colour = (190, 215, 154)
MAP_CAMPUS: Colour = (234, 220, 188)
MAP_WATER: Colour = (176, 208, 255)
MAP_SHORE: Colour = (158, 194, 246)
MAP_PATH: Colour = (240, 238, 226)
MAP_RAIL: Colour = (203, 200, 196)
MAP_MOTORWAY: Colour = (249, 158, 40)
MAP_MOTORWAY_EDGE: Colour = (226, 126, 22)
MAP_MAIN: Colour = (255, 226, 106)
MAP_MAIN_EDGE: Colour = (238, 200, 84)


@dataclass(frozen=True)
class Manner:
    """A way of building: the metres shown, and ranges of block sides, street widths and chances of block uses."""

    extent: Span
    length: Span
    depth: Span
    street: Span
    merge: float
    bent: float
    uses: tuple[tuple[str, float], ...]
    rural: bool = False


MANNERS: Mapping[str, tuple[float, Manner]] = MappingProxyType(
    {
        # Chance of the manner, then its ranges in metres.
        "downtown": (0.20, Manner((330, 520), (75, 130), (52, 82), (12, 18), 0.12, 0.25, (
            ("towers", 0.66), ("perimeter", 0.14), ("parking", 0.08), ("square", 0.06), ("park", 0.06)))),
        "old town": (0.20, Manner((240, 380), (48, 92), (42, 66), (8, 12), 0.18, 0.85, (
            ("perimeter", 0.78), ("square", 0.09), ("park", 0.07), ("rows", 0.06)))),
        "rows": (0.16, Manner((220, 330), (80, 140), (44, 60), (10, 13), 0.15, 0.45, (
            ("rows", 0.72), ("perimeter", 0.08), ("school", 0.08), ("park", 0.08), ("parking", 0.04)))),
        "suburb": (0.18, Manner((200, 320), (90, 160), (56, 76), (9, 12), 0.25, 0.9, (
            ("houses", 0.83), ("park", 0.06), ("school", 0.05), ("sports", 0.06)))),
        "estate": (0.10, Manner((280, 430), (95, 160), (80, 115), (10, 14), 0.25, 0.5, (
            ("slabs", 0.66), ("sports", 0.12), ("park", 0.10), ("school", 0.06), ("parking", 0.06)))),
        "works": (0.09, Manner((330, 560), (110, 200), (80, 140), (11, 15), 0.3, 0.3, (
            ("sheds", 0.70), ("parking", 0.16), ("wood", 0.06), ("towers", 0.08)))),
        "village": (0.07, Manner((300, 460), (90, 170), (66, 110), (8, 12), 0.3, 0.9, (
            ("houses", 0.40), ("fields", 0.36), ("wood", 0.16), ("sports", 0.08)), rural=True)),
    }
)  # fmt: skip

TILES: tuple[Colour, ...] = ((172, 92, 62), (152, 80, 60), (186, 112, 78), (140, 86, 66), (126, 66, 54))
SLATES: tuple[Colour, ...] = ((92, 94, 100), (112, 106, 100), (128, 116, 102), (74, 76, 84), (142, 134, 122))
FLATS: tuple[Colour, ...] = (
    (178, 176, 170), (206, 205, 200), (146, 142, 136), (104, 102, 102), (164, 152, 134), (228, 228, 226), (84, 84, 88),
)  # fmt: skip
SHEETS: tuple[Colour, ...] = (
    (214, 216, 216), (158, 174, 186), (236, 236, 232), (168, 160, 150), (150, 108, 90), (120, 134, 142),
)  # fmt: skip
CARS: tuple[Colour, ...] = (
    (238, 238, 238), (205, 208, 212), (34, 36, 40), (70, 74, 82), (112, 44, 40), (52, 66, 98), (122, 124, 126),
    (172, 172, 172), (18, 18, 20), (92, 86, 80),
)  # fmt: skip

# Season: chance, grass, dry grass, and the crowns of trees.
SEASONS: tuple[tuple[float, Colour, Colour, tuple[Colour, ...]], ...] = (
    (0.46, (104, 128, 66), (138, 138, 88), ((56, 84, 42), (68, 98, 50), (48, 74, 44), (82, 106, 54))),
    (0.18, (120, 150, 74), (150, 156, 96), ((88, 122, 54), (104, 138, 62), (74, 108, 54), (186, 170, 150))),
    (0.16, (122, 120, 66), (150, 134, 86), ((150, 104, 40), (128, 112, 46), (166, 78, 40), (84, 92, 46))),
    (0.12, (146, 134, 90), (172, 154, 110), ((74, 84, 46), (92, 96, 54), (64, 76, 46), (84, 84, 54))),
    (0.08, (218, 222, 228), (204, 208, 214), ((112, 104, 98), (128, 120, 114), (62, 76, 66), (140, 134, 130))),
)  # fmt: skip
SNOW = 4


@dataclass(frozen=True)
class Style:
    """Everything about the looks of one town that is not its layout."""

    surfaces: Mapping[str, tuple[Colour, int]]  # colour and material
    gables: tuple[Colour, ...]
    flats: tuple[Colour, ...]
    sheets: tuple[Colour, ...]
    crowns: tuple[Colour, ...]
    shadow: tuple[float, float]  # metres (right, down) for each metre of height
    lean: tuple[float, float]  # the same for how far roofs lean outwards, seen from a camera aside
    shade: Colour  # what is left of the light in a shadow
    tint: Colour
    exposure: float
    haze: float
    clouds: float


def choose_manner(rng: Random) -> Manner:
    """Draw a manner by its chance."""
    chances = [chance for chance, _ in MANNERS.values()]
    return rng.choices([manner for _, manner in MANNERS.values()], chances)[0]


def choose_style(rng: Random) -> Style:
    """Draw the season, the palette and the light."""
    season = rng.choices(range(len(SEASONS)), [row[0] for row in SEASONS])[0]
    _, grass, dry, crowns = SEASONS[season]
    snow = 0.72 if season == SNOW else 0.0
    tiled = rng.random()
    gables = TILES if tiled < 0.45 else SLATES if tiled < 0.75 else TILES + SLATES
    toward = rng.uniform(-0.8, 0.8) * math.pi - math.pi / 2.0  # most shadows fall upwards, as in the north
    long = rng.uniform(0.25, 0.95) * (1.25 if snow else 1.0)
    aside, tilt = rng.uniform(0.0, 2.0 * math.pi), rng.uniform(0.02, 0.16)
    warm = rng.gauss(0.0, 0.035)
    ambient = rng.uniform(0.30, 0.50)
    return Style(
        surfaces=MappingProxyType(_surfaces(rng, grass, dry, snow)),
        gables=tuple(_snowy(colour, snow) for colour in rng.sample(gables, 4)),
        flats=tuple(_snowy(colour, snow) for colour in rng.sample(FLATS, 5)),
        sheets=tuple(_snowy(colour, snow) for colour in rng.sample(SHEETS, 4)),
        crowns=crowns,
        shadow=(math.cos(toward) * long, math.sin(toward) * long),
        lean=(math.cos(aside) * tilt, math.sin(aside) * tilt),
        shade=(ambient * 0.90, ambient, ambient * 1.18),
        tint=(1.0 + warm, 1.0, 1.0 - warm),
        exposure=rng.uniform(0.72, 1.12),
        haze=max(0.0, rng.uniform(-0.12, 0.14)),
        clouds=rng.uniform(0.25, 0.5) if rng.random() < 0.15 else 0.0,
    )


def scale(colour: Colour, factor: float) -> Colour:
    """The colour made brighter or darker; OpenCV cuts off what is above 255."""
    return colour[0] * factor, colour[1] * factor, colour[2] * factor


def _snowy(colour: Colour, snow: float) -> Colour:
    return mix(colour, (232, 235, 240), snow)


def _surfaces(rng: Random, grass: Colour, dry: Colour, snow: float) -> dict[str, tuple[Colour, int]]:
    """The colours of what covers the ground."""
    asphalt = rng.uniform(78, 112) + 24.0 * snow
    water = rng.choice(((42, 70, 72), (54, 78, 66), (38, 62, 86), (66, 80, 66), (46, 84, 98)))
    return {
        "asphalt": ((asphalt, asphalt, asphalt + 3.0), ROAD),
        "motorway": ((asphalt + 22.0, asphalt + 21.0, asphalt + 20.0), ROAD),
        "mark": ((asphalt + 62.0, asphalt + 61.0, asphalt + 56.0), ROAD),
        "yellow": ((196.0, 158.0, 66.0), ROAD),
        "pavement": (_snowy((160, 156, 150), 0.6 * snow), ROAD),
        "concrete": (_snowy((172, 167, 158), 0.6 * snow), BUILT),
        "plaza": (_snowy((188, 176, 158), 0.4 * snow), BUILT),
        "yard": (_snowy((136, 128, 116), 0.6 * snow), BUILT),
        "gravel": (_snowy((124, 112, 102), 0.5 * snow), SOIL),
        "sand": (_snowy((196, 176, 138), snow), SOIL),
        "soil": (_snowy((138, 112, 84), snow), SOIL),
        "grass": (grass, GRASS),
        "lawn": (scale(grass, 1.10), GRASS),
        "dry": (dry, GRASS),
        "meadow": (mix(grass, dry, 0.55), GRASS),
        "hedge": (scale(mix(grass, (52, 74, 40), 0.72), 0.95), TREE),
        "crop": (mix((176, 160, 92), grass, 0.3), GRASS),
        "pitch": (_snowy((92, 134, 66), 0.9 * snow), GRASS),
        "stripe": (_snowy((102, 146, 74), 0.9 * snow), GRASS),
        "line": ((214, 220, 206), ROAD),
        "track": (_snowy((164, 84, 66), 0.5 * snow), BUILT),
        "court": (_snowy((74, 112, 108), 0.5 * snow), BUILT),
        "pool": ((84, 178, 196), BUILT),
        "path": (_snowy((184, 172, 146), 0.5 * snow), SOIL),
        "rail": ((92, 84, 80), SOIL),
        "deck": (_snowy((150, 132, 112), 0.6 * snow), BUILT),
        "water": (water, WATER),
        "shallow": (mix(water, (128, 132, 104), 0.35), WATER),
    }
