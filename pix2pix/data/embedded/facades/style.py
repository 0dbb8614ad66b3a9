"""How an embedded facade looks: its manner of building, its colours and materials, and the light that falls on it.

Colours and their spread follow the means measured on photographs of European street fronts: walls in beige, grey,
ochre and brick red around (135, 125, 113), openings darker, doors darkest.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from pix2pix.data.embedded.basics import Colour

Span = tuple[float, float]
Material = Literal["plaster", "brick", "stone"]


@dataclass(frozen=True)
class Manner:
    """A way of building: ranges of its proportions and the chance that a facade has each kind of part."""

    materials: tuple[Material, ...]
    storeys: tuple[int, int]
    bay_aspect: Span  # width of a bay over the height of a storey
    window_width: Span  # share of the bay
    window_height: Span  # share of the storey
    arch: float
    pair: float
    cornice: float
    pediment: float
    sill: float
    shutters: float
    roller: float
    balcony: float
    molding: float
    pillar: float
    deco: float
    shop: float


MANNERS: tuple[tuple[float, Manner], ...] = (
    # Chance of the manner, then: historicist front, plain tenement, brick, modern, shuttered, palace.
    (0.28, Manner(("plaster", "plaster", "stone"), (3, 6), (0.55, 0.95), (0.36, 0.55), (0.48, 0.62),
                  0.25, 0.15, 0.90, 0.45, 0.95, 0.03, 0.10, 0.75, 0.90, 0.40, 0.90, 0.70)),
    (0.20, Manner(("plaster",), (3, 6), (0.65, 1.10), (0.36, 0.58), (0.44, 0.56),
                  0.05, 0.30, 0.50, 0.15, 0.85, 0.08, 0.25, 0.70, 0.75, 0.12, 0.50, 0.70)),
    (0.17, Manner(("brick",), (3, 6), (0.60, 1.10), (0.38, 0.60), (0.48, 0.62),
                  0.35, 0.25, 0.65, 0.15, 0.90, 0.08, 0.10, 0.60, 0.75, 0.25, 0.60, 0.70)),
    (0.14, Manner(("plaster", "stone", "brick"), (3, 9), (0.75, 1.60), (0.50, 0.82), (0.42, 0.62),
                  0.00, 0.35, 0.08, 0.00, 0.50, 0.02, 0.40, 0.75, 0.65, 0.25, 0.25, 0.80)),
    (0.09, Manner(("plaster",), (2, 5), (0.75, 1.15), (0.32, 0.44), (0.44, 0.58),
                  0.08, 0.05, 0.45, 0.10, 0.75, 0.90, 0.05, 0.60, 0.60, 0.05, 0.35, 0.60)),
    (0.12, Manner(("stone", "stone", "plaster"), (2, 5), (0.55, 0.90), (0.38, 0.56), (0.48, 0.62),
                  0.40, 0.08, 0.90, 0.60, 0.90, 0.02, 0.05, 0.65, 0.95, 0.55, 0.90, 0.55)),
)  # fmt: skip

WALL_COLOURS: tuple[Colour, ...] = (
    (184, 170, 144), (170, 152, 116), (160, 152, 138), (196, 188, 174), (146, 128, 102), (178, 150, 128),
    (152, 156, 140), (140, 136, 130), (188, 166, 110), (128, 118, 108), (164, 132, 112), (170, 172, 172),
)  # fmt: skip
BRICK_COLOURS: tuple[Colour, ...] = (
    (146, 92, 72), (128, 82, 66), (158, 112, 84), (116, 84, 74), (168, 138, 104), (136, 104, 90),
)  # fmt: skip
STONE_COLOURS: tuple[Colour, ...] = (
    (162, 152, 134), (142, 136, 126), (172, 156, 128), (128, 120, 108), (150, 132, 110), (184, 178, 166),
)  # fmt: skip
FRAME_COLOURS: tuple[Colour, ...] = (
    (214, 212, 204), (200, 196, 186), (186, 184, 180), (116, 86, 62), (88, 62, 46), (64, 66, 66), (226, 224, 218),
)  # fmt: skip
SHUTTER_COLOURS: tuple[Colour, ...] = (
    (62, 84, 66), (78, 98, 84), (110, 72, 52), (92, 96, 98), (134, 112, 84), (84, 60, 48), (150, 154, 148),
    (70, 86, 104),
)  # fmt: skip
DOOR_COLOURS: tuple[Colour, ...] = (
    (86, 58, 38), (66, 46, 34), (58, 52, 46), (48, 60, 52), (104, 72, 46), (52, 54, 62), (88, 44, 36),
)  # fmt: skip
SIGN_COLOURS: tuple[Colour, ...] = (
    (156, 40, 36), (36, 66, 116), (34, 88, 60), (206, 200, 188), (196, 150, 50), (44, 44, 46), (112, 84, 60),
)  # fmt: skip
ROOF_COLOURS: tuple[Colour, ...] = ((122, 74, 58), (96, 70, 60), (86, 84, 84), (104, 92, 84), (72, 74, 80))
SKY_COLOURS: tuple[Colour, ...] = (
    (228, 232, 236), (214, 222, 232), (168, 198, 230), (132, 172, 218), (240, 240, 238), (196, 204, 212),
)  # fmt: skip


@dataclass(frozen=True)
class Style:
    """The colours, materials and light of one facade. The sun stands left (-1) or right (1) and above."""

    material: Material
    ground_material: Material
    wall: Colour
    ground: Colour
    trim: Colour
    frame: Colour
    glass: Colour
    curtain: Colour
    shutter: Colour
    door: Colour
    iron: Colour
    sign: Colour
    roof: Colour
    sky: Colour
    street: Colour
    foliage: Colour
    sun_side: int
    sun_strength: float
    shadow_length: float  # of the picture's height, for a part that stands out by an ordinary amount
    courses: float  # wall courses (rows of bricks or blocks) over the height of the picture
    panes: int  # 0 to 3: how windows are divided
    railing: int  # 0 iron, 1 balusters, 2 panel, 3 glass
    surround: bool  # windows have a painted or stone frame on the wall


def choose_manner(rng: np.random.Generator) -> Manner:
    """One of the manners, by its chance."""
    chances = np.array([chance for chance, _ in MANNERS])
    return MANNERS[int(np.searchsorted(np.cumsum(chances), rng.random() * chances.sum()))][1]


def choose_style(rng: np.random.Generator, manner: Manner) -> Style:
    """Colours and light for a facade of the given manner."""
    material = manner.materials[int(rng.integers(len(manner.materials)))]
    wall_colours = {"plaster": WALL_COLOURS, "brick": BRICK_COLOURS, "stone": STONE_COLOURS}[material]
    wall = pick(rng, wall_colours, 0.14)
    ground_material: Material = "stone" if rng.random() < 0.5 else material
    grey = sum(wall) / 3
    wall = _between(wall, (grey, grey, grey), 0.18)
    if ground_material == material:
        ground = _scaled(wall, rng.uniform(0.72, 1.0))
    else:
        ground = _between(pick(rng, STONE_COLOURS, 0.10), wall, 0.4)
    trim = _scaled(wall, rng.uniform(0.76, 1.08))
    if rng.random() < 0.45:
        trim = _between(trim, pick(rng, STONE_COLOURS, 0.12), 0.7)
    return Style(
        material=material,
        ground_material=ground_material,
        wall=wall,
        ground=ground,
        trim=trim,
        frame=pick(rng, FRAME_COLOURS, 0.08),
        glass=_scaled((66, 72, 76), rng.uniform(0.55, 1.45)),
        curtain=pick(rng, ((206, 202, 192), (184, 178, 164), (168, 158, 138)), 0.08),
        shutter=pick(rng, SHUTTER_COLOURS, 0.12),
        door=pick(rng, DOOR_COLOURS, 0.15),
        iron=_scaled((44, 42, 42), rng.uniform(0.6, 1.5)),
        sign=pick(rng, SIGN_COLOURS, 0.15),
        roof=pick(rng, ROOF_COLOURS, 0.15),
        sky=_scaled(pick(rng, SKY_COLOURS, 0.04), rng.uniform(0.72, 1.0)),
        street=_scaled((112, 110, 108), rng.uniform(0.6, 1.25)),
        foliage=pick(rng, ((62, 78, 42), (48, 66, 40), (84, 84, 48), (78, 70, 58)), 0.15),
        sun_side=-1 if rng.random() < 0.5 else 1,
        sun_strength=float(rng.uniform(0.15, 0.60)),
        shadow_length=float(rng.uniform(0.004, 0.013)),
        courses=float(rng.uniform(60, 92) if material == "brick" else rng.uniform(20, 40)),
        panes=int(rng.integers(4)),
        railing=int(rng.choice(4, p=(0.55, 0.2, 0.17, 0.08))),
        surround=bool(rng.random() < 0.55),
    )


def pick(rng: np.random.Generator, colours: tuple[Colour, ...], spread: float) -> Colour:
    """One of the colours, its brightness varied by `spread` and each channel by a quarter of that."""
    colour = colours[int(rng.integers(len(colours)))]
    brightness = rng.uniform(1.0 - spread, 1.0 + spread)
    red, green, blue = (
        float(min(255.0, channel * brightness * hue))
        for channel, hue in zip(colour, rng.uniform(1.0 - spread / 4, 1.0 + spread / 4, 3), strict=True)
    )
    return red, green, blue


def _scaled(colour: Colour, factor: float) -> Colour:
    red, green, blue = (float(min(255.0, channel * factor)) for channel in colour)
    return red, green, blue


def _between(first: Colour, second: Colour, share: float) -> Colour:
    red, green, blue = (float(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue
