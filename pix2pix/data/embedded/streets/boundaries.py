"""What bounds and spans an embedded street besides buildings: walls, fences, hedges and a bridge across."""

import numpy as np

from pix2pix.data.embedded.basics import Colour, mix
from pix2pix.data.embedded.streets.canvas import Canvas, Face
from pix2pix.data.embedded.streets.materials import MaterialName
from pix2pix.data.embedded.streets.types import Item
from pix2pix.data.embedded.streets.weather import pick, scaled

_WALLS: tuple[tuple[MaterialName, Colour], ...] = (
    ("brick", (140.0, 96.0, 80.0)), ("stone", (142.0, 138.0, 128.0)), ("concrete", (148.0, 148.0, 144.0)),
    ("plaster", (190.0, 182.0, 166.0)),
)  # fmt: skip
_FENCES: tuple[Colour, ...] = ((74, 84, 76), (112, 92, 70), (70, 70, 72), (156, 150, 138), (128, 108, 88))


def paint_wall(canvas: Canvas, item: Item, rng: np.random.Generator) -> None:
    """A garden or factory wall with a coping."""
    material, colour = _WALLS[item.form % len(_WALLS)]
    lit = canvas.weather.shade(pick(rng, (colour,)), (-item.side, 0.0, 0.0))
    height = item.height * (1.5 if item.form % 3 == 0 else 1.0)
    _end(canvas, item, "wall", material, height, 0.35, canvas.weather.shade(colour, (0.0, 0.0, -1.0)))
    face = _face(canvas, item, "wall", material)
    face.rectangle(0.0, 0.0, face.length, height, lit)
    face.rectangle(0.0, height - 0.16, face.length, height, mix(lit, (190.0, 188.0, 180.0), 0.5))
    face.rectangle(0.0, height - 0.26, face.length, height - 0.16, scaled(lit, 0.6))
    if item.form % 5 == 0:
        for x, width, tone in zip(
            rng.uniform(0, face.length, 3), rng.uniform(0.8, 2.2, 3), rng.uniform(0.6, 1.2, 3), strict=True
        ):
            face.ellipse((float(x), 1.0), (float(width), 0.35), scaled((92.0, 110.0, 130.0), float(tone)))


def paint_fence(canvas: Canvas, item: Item, rng: np.random.Generator) -> None:
    """Boards, or bars before what grows behind them; as in the data set, the whole outline counts as fence."""
    colour = canvas.weather.shade(pick(rng, _FENCES), (-item.side, 0.0, 0.0))
    face = _face(canvas, item, "fence", "concrete" if item.form % 2 else "leaves")
    height, boards = min(item.height, 1.9), item.form % 2 == 1
    behind = colour if boards else canvas.weather.shade((74.0, 86.0, 60.0), (-item.side, 0.0, 0.0))
    face.rectangle(0.0, 0.0, face.length, height, scaled(behind, 0.62))
    pitch = 0.42 if boards else 0.30
    pitch *= 1.0 + max(item.z - 8.0, 0.0) / 25.0
    left = np.arange(0.0, face.length - pitch, pitch)
    width = pitch * (0.80 if boards else 0.28)
    bars = np.stack([left, np.full(len(left), 0.05), left + width, np.full(len(left), height)], axis=1)
    face.rectangles(bars, colour)
    for y in (0.25, height - 0.25):
        face.rectangle(0.0, y, face.length, y + 0.09, scaled(colour, 0.82))


def paint_hedge(canvas: Canvas, item: Item, rng: np.random.Generator) -> None:
    """A clipped hedge with an uneven top."""
    green = pick(rng, ((70.0, 94.0, 50.0), (84.0, 102.0, 60.0), (60.0, 82.0, 54.0)))
    height = item.height * 0.85
    _end(canvas, item, "vegetation", "leaves", height, 0.9, canvas.weather.shade(green, (0.0, 0.0, -1.0)))
    face = _face(canvas, item, "vegetation", "leaves")
    x = np.linspace(0.0, face.length, 24)
    top = height + rng.uniform(-0.10, 0.12, 24)
    colour = canvas.weather.shade(green, (-item.side, 0.0, 0.0))
    for share, tone in ((1.0, 1.12), (0.86, 1.0), (0.4, 0.8)):
        outline = np.concatenate([np.stack([x, top * share], axis=1), [[face.length, 0.0], [0.0, 0.0]]])
        face.polygons(outline, scaled(colour, tone))


def paint_bridge(canvas: Canvas, item: Item, rng: np.random.Generator) -> None:
    """A bridge across the street: deck with railing, its dark underside, abutments on both sides."""
    shade = canvas.weather.shade
    concrete = pick(rng, ((150.0, 148.0, 142.0), (128.0, 122.0, 114.0), (112.0, 118.0, 124.0)))
    near, far, bottom = item.z, item.far, item.height
    opening = 0.5 * (item.width - 30.0) + 5.0
    middle = canvas.camera.bend(-1.5, near)
    number = canvas.upright("bridge", "concrete", near)
    lit = shade(concrete, (0.0, 0.0, -1.0))
    under = [(middle - 40, bottom, near), (middle + 40, bottom, near), (middle + 40, bottom, far)]
    canvas.polygon([*under, (middle - 40, bottom, far)], shade(scaled(concrete, 0.38), (0.0, -1.0, 0.0)), number)
    face = Face(canvas, number, (middle, near), (middle + 1.0, near), 1.0)
    for side in (-1, 1):
        inner = middle + side * opening
        wall = canvas.wall("bridge", "concrete", (inner, near), (inner, far))
        corners = [(inner, 0.0, near), (inner, bottom, near), (inner, bottom, far), (inner, 0.0, far)]
        canvas.polygon(corners, shade(scaled(concrete, 0.55), (-side, 0.0, 0.0)), wall)
        edges = sorted((side * opening, side * 40.0))
        face.rectangle(edges[0], 0.0, edges[1], bottom, scaled(lit, 0.9))
    face.rectangle(-40.0, bottom, 40.0, bottom + 1.3, lit)
    face.rectangle(-40.0, bottom, 40.0, bottom + 0.22, scaled(lit, 0.7))
    face.rectangle(-40.0, bottom + 1.3, 40.0, bottom + 1.5, scaled(lit, 1.12))
    posts = np.arange(-40.0, 40.0, 1.3)
    low, high = np.full(len(posts), bottom + 1.5), np.full(len(posts), bottom + 2.5)
    face.rectangles(np.stack([posts, low, posts + 0.12, high], axis=1), scaled(lit, 0.6))
    face.rectangle(-40.0, bottom + 2.4, 40.0, bottom + 2.55, scaled(lit, 0.6))


def _face(canvas: Canvas, item: Item, name: str, material: MaterialName) -> Face:
    """The side of a lot that faces the street."""
    start = (canvas.camera.bend(item.x, item.z), item.z)
    end = (canvas.camera.bend(item.x, item.far), item.far)
    return Face(canvas, canvas.wall(name, material, start, end), start, end, 1.0)


def _end(
    canvas: Canvas, item: Item, name: str, material: MaterialName, height: float, thickness: float, colour: Colour
) -> None:
    """The near end of a wall or hedge."""
    x = canvas.camera.bend(item.x, item.z)
    number = canvas.upright(name, material, item.z)
    face = Face(canvas, number, (x, item.z), (x + item.side, item.z), 1.0)
    face.rectangle(0.0, 0.0, thickness, height, colour)
