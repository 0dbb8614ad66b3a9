"""Trees and bushes of an embedded street scene: crowns whose outline, holes and light are Perlin noise."""

from typing import NamedTuple

import numpy as np

from pix2pix.data.embedded.basics import Colour
from pix2pix.data.embedded.streets.canvas import Canvas, Face
from pix2pix.data.embedded.streets.light import TILE
from pix2pix.data.embedded.streets.types import Item
from pix2pix.data.embedded.streets.weather import pick, scaled

_LEAVES: tuple[Colour, ...] = (
    (74, 98, 48), (62, 86, 46), (88, 104, 54), (56, 78, 50), (98, 102, 50), (122, 100, 48),
)  # fmt: skip
_BARK: tuple[Colour, ...] = ((88, 74, 60), (72, 64, 54), (104, 96, 84))
_STEPS = 48  # tones of a crown from its darkest to its brightest leaf


class Crown(NamedTuple):
    """An ellipse in metres on a board, before noise eats into its outline."""

    x: float
    y: float
    radius_x: float
    radius_y: float


def paint_tree(canvas: Canvas, item: Item, rng: np.random.Generator) -> None:
    """A trunk with a fork and a crown of three or four clusters, one far away."""
    x = canvas.camera.bend(item.x, item.z)
    board = canvas.board("vegetation", "leaves", x, item.z)
    leaves = canvas.weather.shade(pick(rng, _LEAVES, 0.2), (0.3 * canvas.weather.sun[0], 0.6, -0.5))
    bark = canvas.weather.shade(pick(rng, _BARK, 0.2), (0.0, 0.0, -1.0))
    height, width = item.height, item.width
    thick = 0.022 * height + 0.04
    throws = rng.random((4, 3)).tolist()
    offset = rng.integers(0, TILE, 2).tolist()
    fork = 0.36 * height
    board.polygon([(-thick, 0), (-0.7 * thick, fork), (0.7 * thick, fork), (thick, 0)], bark)
    if item.z > 30.0:
        _grow(canvas, board, Crown(0.0, 0.66 * height, 1.05 * width, 0.36 * height), leaves, (offset[0], offset[1]))
        return
    board.rectangle(0.2 * thick, 0.0, 0.8 * thick, fork, scaled(bark, 0.7))
    for side in (-1, 1):
        board.stroke((0, 0.95 * fork), (side * 0.3 * width, 1.7 * fork), thick, scaled(bark, 0.9))
    _grow(canvas, board, Crown(0.0, 0.66 * height, 0.85 * width, 0.34 * height), leaves, (offset[0], offset[1]))
    for number, (angle, reach, size) in enumerate(throws[: 2 + item.form % 2]):
        turn = 2.0 * np.pi * (0.25 * number + 0.2 * angle)
        middle = (np.cos(turn) * width * (0.35 + 0.3 * reach), 0.66 * height + np.sin(turn) * height * 0.16)
        crown = Crown(middle[0], middle[1], width * (0.4 + 0.2 * size), height * (0.14 + 0.07 * size))
        _grow(canvas, board, crown, scaled(leaves, 0.9 + 0.2 * size), (offset[0] + 17 * number, offset[1] + 29))


def paint_bush(canvas: Canvas, item: Item, rng: np.random.Generator) -> None:
    """A bush on the ground."""
    board = canvas.board("vegetation", "leaves", canvas.camera.bend(item.x, item.z), item.z)
    leaves = canvas.weather.shade(pick(rng, _LEAVES, 0.2), (0.0, 0.6, -0.5))
    offset = rng.integers(0, TILE, 2).tolist()
    for x in (-0.5, 0.4):
        crown = Crown(x * item.height, 0.42 * item.height, 0.9 * item.height, 0.62 * item.height)
        _grow(canvas, board, crown, leaves, (offset[0] + int(40 * x), offset[1]))


def _grow(canvas: Canvas, board: Face, crown: Crown, colour: Colour, offset: tuple[int, int]) -> None:
    """Set the pixels of a crown: inside an ellipse with noise for an edge, brighter above and towards the sun."""
    middle = np.array([board.start[0] + crown.x, crown.y, board.start[1]])
    corners = np.stack([middle, middle])
    reach = 1.25
    corners[0, :2] -= reach * crown.radius_x, -reach * crown.radius_y
    corners[1, :2] += reach * crown.radius_x, -reach * crown.radius_y
    (left, top), (right, bottom) = canvas.project(corners).tolist()
    x0, x1 = max(0, round(left)), min(canvas.side, round(right))
    y0, y1 = max(0, round(top)), min(canvas.side, round(bottom))
    if x0 >= x1 or y0 >= y1:
        return
    across = ((np.arange(x0, x1) + 0.5 - left) / (right - left) * 2.0 - 1.0) * reach
    down = ((np.arange(y0, y1) + 0.5 - top) / (bottom - top) * 2.0 - 1.0) * reach
    # The same clusters of leaves at every size: positions in the noise are metres, six samples each.
    columns = (across * crown.radius_x * 7.0 + offset[0]).astype(np.int32) & (TILE - 1)
    rows = (down * crown.radius_y * 7.0 + offset[1]).astype(np.int32) & (TILE - 1)
    noise = canvas.noise.take(rows, axis=0).take(columns, axis=1)
    distance = np.add.outer(down * down, across * across).astype(np.float32)
    inside = distance * np.float32(150.0) < noise + np.float32(12.0)
    side = 0.9 if canvas.weather.sunny else 0.3
    towards = (0.5 * _STEPS - 0.19 * _STEPS * down)[:, None] + (0.22 * _STEPS * side * canvas.weather.sun[0] * across)[
        None, :
    ]
    step = towards.astype(np.float32) + (noise.astype(np.float32) - 128.0) * np.float32(_STEPS * 0.0030)
    ramp = np.linspace(0.30, 1.62, _STEPS)[:, None] * np.asarray(colour) * board.light
    tones = np.empty((_STEPS, 4), np.uint16)
    tones[:, :3] = np.minimum(ramp, 255.0)
    tones[:, 3] = board.surface
    packed = tones.view(np.uint64)[:, 0]
    area = canvas.pixels.view(np.uint64)[y0:y1, x0:x1, 0]
    np.copyto(area, packed.take(step.astype(np.int32), mode="clip"), where=inside)
