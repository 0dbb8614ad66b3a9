"""Things on the pavements of an embedded street scene: lamps, signs, signals, bollards, bins, shelters, planters."""

import numpy as np

from pix2pix.data.embedded.basics import Colour
from pix2pix.data.embedded.streets.canvas import Canvas
from pix2pix.data.embedded.streets.types import Item
from pix2pix.data.embedded.streets.weather import pick, scaled

_STEEL: tuple[Colour, ...] = ((116, 120, 120), (88, 92, 92), (140, 142, 140), (66, 74, 70))
_RED: Colour = (196, 36, 40)
_BLUE: Colour = (34, 84, 164)
_WHITE: Colour = (228, 228, 224)
_BINS: tuple[Colour, ...] = ((60, 84, 58), (150, 118, 42), (58, 72, 104), (88, 62, 46), (74, 76, 78), (146, 88, 44))
_POSTERS: tuple[Colour, ...] = ((190, 70, 60), (66, 110, 160), (206, 184, 120), (90, 140, 110), (186, 120, 150))
_AHEAD = (0.0, 0.35, -0.9)


def paint_lamp(canvas: Canvas, item: Item, rng: np.random.Generator) -> None:
    """A lamp post whose arm reaches over the road."""
    x = canvas.camera.bend(item.x, item.z)
    steel = canvas.weather.shade(pick(rng, _STEEL), _AHEAD)
    pole = canvas.board("pole", "metal", x, item.z)
    _post(canvas, item, 0.09, item.height, steel)
    reach = -item.side * float(rng.uniform(0.9, 1.9))
    pole.stroke((0.0, item.height - 0.1), (reach, item.height + 0.25), 0.11, steel)
    head = sorted((reach, reach - item.side * 0.7))
    pole.rectangle(head[0], item.height + 0.16, head[1], item.height + 0.36, scaled(steel, 0.7))


def paint_sign(canvas: Canvas, item: Item, rng: np.random.Generator) -> None:
    """One of the traffic signs on its post, sometimes two above each other; some show their grey back."""
    x = canvas.camera.bend(item.x, item.z)
    _post(canvas, item, 0.05, item.height, canvas.weather.shade(pick(rng, _STEEL), _AHEAD))
    _sign(canvas, x, item.z, item.height, item.form)
    if item.form % 4 == 0:
        _sign(canvas, x, item.z, item.height - 0.72, item.form // 4)


def paint_signal(canvas: Canvas, item: Item, rng: np.random.Generator) -> None:
    """A traffic light on its pole, and often a second one on an arm above the road."""
    x = canvas.camera.bend(item.x, item.z)
    steel = canvas.weather.shade(pick(rng, _STEEL), _AHEAD)
    lit = int(rng.integers(3))
    arm = rng.random() < 0.45
    top = 5.6 if arm else item.height
    _post(canvas, item, 0.09, top, steel)
    if arm:
        reach = -item.side * 3.6
        canvas.board("pole", "metal", x, item.z).stroke((0.0, top - 0.1), (reach, top + 0.1), 0.14, steel)
        _lights(canvas, x + reach, item.z, top - 0.55, lit)
    _lights(canvas, x, item.z, item.height - 0.9, lit)
    if item.form % 3 == 0:
        _sign(canvas, x + 0.1 * item.side, item.z, item.height + 0.75, 1)


def paint_bollard(canvas: Canvas, item: Item, rng: np.random.Generator) -> None:
    """A bollard with a white ring."""
    steel = canvas.weather.shade(_STEEL[item.form % 2], _AHEAD)
    _post(canvas, item, 0.07, item.height, steel)
    board = canvas.board("pole", "metal", canvas.camera.bend(item.x, item.z), item.z)
    board.rectangle(-0.07, item.height - 0.26, 0.07, item.height - 0.14, canvas.weather.shade(_WHITE, _AHEAD))


def paint_bin(canvas: Canvas, item: Item, rng: np.random.Generator) -> None:
    """A bin or container with its lid and the shaded side towards the road."""
    x = canvas.camera.bend(item.x, item.z)
    colour = canvas.weather.shade(pick(rng, _BINS, 0.2), _AHEAD)
    board = canvas.board("dynamic", "metal", x, item.z)
    half, top = 0.5 * item.width + 0.15, item.height
    board.rectangle(-half, 0.08, half, top, colour)
    board.rectangle(-half, 0.08, -0.6 * half, top, scaled(colour, 0.78))
    board.rectangle(-half - 0.05, top - 0.16, half + 0.05, top, scaled(colour, 1.3))
    board.rectangle(-half, top - 0.22, half, top - 0.16, scaled(colour, 0.5))
    board.rectangle(-0.3 * half, 0.45 * top, 0.3 * half, 0.62 * top, scaled(_WHITE, 0.8))
    for side in (-0.7, 0.7):
        board.ellipse((side * half, 0.1), (0.1, 0.1), (26.0, 26.0, 26.0))


def paint_kiosk(canvas: Canvas, item: Item, rng: np.random.Generator) -> None:
    """A shelter or a pillar with posters, which this data set leaves unlabeled."""
    x = canvas.camera.bend(item.x, item.z)
    shade, height = canvas.weather.shade, item.height
    frame, poster = shade(pick(rng, _STEEL), _AHEAD), shade(pick(rng, _POSTERS, 0.2), _AHEAD)
    board = canvas.board("unlabeled", "metal", x, item.z)
    if item.form % 2:
        board.rectangle(-0.65, 0.0, 0.65, height + 0.3, scaled(poster, 0.9))
        board.rectangle(0.15, 0.0, 0.65, height + 0.3, scaled(poster, 0.7))
        board.rectangle(-0.55, 0.9, 0.1, height - 0.3, scaled(poster, 1.25))
        board.rectangle(-0.72, 0.0, 0.72, 0.4, frame)
        board.ellipse((0.0, height + 0.3), (0.75, 0.22), scaled(frame, 0.8))
        return
    board.rectangle(-1.0, 0.4, 1.0, height, shade((70.0, 84.0, 92.0), _AHEAD))
    board.rectangle(-0.1, 0.4, 0.9, height - 0.4, poster)
    board.rectangle(0.0, 1.2, 0.8, 1.9, scaled(poster, 1.3))
    for side in (-1.0, 1.0):
        board.rectangle(side - 0.06, 0.0, side + 0.06, height, frame)
    board.rectangle(-1.25, height - 0.15, 1.25, height + 0.1, scaled(frame, 0.7))


def paint_planter(canvas: Canvas, item: Item, rng: np.random.Generator) -> None:
    """A low pillar or box of stone, part of what the data set calls wall."""
    board = canvas.board("wall", "stone", canvas.camera.bend(item.x, item.z), item.z)
    colour = canvas.weather.shade((150.0, 144.0, 132.0), _AHEAD)
    half, top = item.width, 0.7 * item.height
    board.rectangle(-half, 0.0, half, top, colour)
    board.rectangle(0.3 * half, 0.0, half, top, scaled(colour, 0.82))
    board.rectangle(-half - 0.05, top - 0.12, half + 0.05, top, scaled(colour, 1.15))


def _post(canvas: Canvas, item: Item, half: float, height: float, colour: Colour) -> None:
    """An upright pole, brighter on the side of the sun."""
    board = canvas.board("pole", "metal", canvas.camera.bend(item.x, item.z), item.z)
    board.rectangle(-half, 0.0, half, height, colour)
    lit = half * (1 if canvas.weather.sun[0] > 0 else -1)
    board.rectangle(min(0.0, lit), 0.0, max(0.0, lit), height, scaled(colour, 1.25))


def _sign(canvas: Canvas, x: float, z: float, y: float, form: int) -> None:
    """A sign of one of eight forms whose top is at height `y`."""
    board = canvas.board("traffic sign", "metal", x, z)
    tone = canvas.weather.shade((1.0, 1.0, 1.0), _AHEAD)
    red, blue, white, grey, yellow = (
        (colour[0] * tone[0], colour[1] * tone[1], colour[2] * tone[2])
        for colour in (_RED, _BLUE, _WHITE, (128.0, 130.0, 130.0), (226.0, 180.0, 40.0))
    )
    middle, radius = y - 0.36, 0.36
    match form % 8:
        case 0 | 1:
            board.ellipse((0.0, middle), (radius, radius), red)
            inner = white if form % 8 == 0 else red
            board.ellipse((0.0, middle), (0.72 * radius, 0.72 * radius), inner)
            board.rectangle(-0.22, middle - 0.06, 0.22, middle + 0.06, white if form % 8 else (40.0, 40.0, 40.0))
        case 2 | 3:
            turn = 1 if form % 8 == 2 else -1
            for size, colour in ((0.42, red), (0.27, white)):
                corners = [(-size, -turn * 0.6 * size), (size, -turn * 0.6 * size), (0.0, turn * size)]
                board.polygon([(px, middle + py) for px, py in corners], colour)
        case 4:
            board.rectangle(-0.32, y - 0.68, 0.32, y, blue)
            board.rectangle(-0.1, y - 0.56, -0.02, y - 0.12, white)
            board.rectangle(-0.02, y - 0.34, 0.14, y - 0.12, white)
        case 5:
            for size, colour in ((0.42, white), (0.31, yellow)):
                board.polygon([(0, middle - size), (size, middle), (0, middle + size), (-size, middle)], colour)
        case 6:
            board.rectangle(-0.75, y - 0.36, 0.75, y, white if form % 16 > 8 else yellow)
            board.rectangle(-0.62, y - 0.22, 0.5, y - 0.14, (50.0, 50.0, 54.0))
        case _:
            board.ellipse((0.0, middle), (radius, radius), grey)
            board.rectangle(-0.04, middle - radius, 0.04, middle + radius, scaled(grey, 0.7))


def _lights(canvas: Canvas, x: float, z: float, y: float, lit: int) -> None:
    """A box with three lamps, one of them on, its lower edge at height `y`."""
    board = canvas.board("traffic light", "metal", x, z)
    board.rectangle(-0.20, y - 0.05, 0.20, y + 0.98, (30.0, 32.0, 32.0))
    glow = ((255.0, 52.0, 40.0), (255.0, 190.0, 50.0), (70.0, 240.0, 150.0))
    board.light = 1.0
    for number, colour in enumerate(glow):
        on = scaled(colour, 1.25) if number == lit else scaled(colour, 0.22)
        board.ellipse((0.0, y + 0.80 - 0.31 * number), (0.14, 0.13), on)
