"""People and two-wheelers of an embedded street scene: walkers, cyclists, motorcyclists, parked bicycles."""

import numpy as np

from pix2pix.data.embedded.basics import Colour
from pix2pix.data.embedded.streets.canvas import CIRCLE, Canvas, Face
from pix2pix.data.embedded.streets.types import Item
from pix2pix.data.embedded.streets.weather import pick, scaled

_CLOTHES: tuple[Colour, ...] = (
    (44, 48, 58), (70, 70, 74), (150, 44, 44), (52, 82, 130), (188, 186, 180), (96, 104, 74), (160, 130, 92),
    (108, 66, 96), (40, 92, 92), (206, 170, 70), (30, 32, 36),
)  # fmt: skip
_TROUSERS: tuple[Colour, ...] = ((46, 52, 70), (34, 36, 40), (86, 84, 80), (120, 108, 88), (62, 76, 104))
_SKIN: tuple[Colour, ...] = ((216, 172, 144), (190, 142, 112), (150, 104, 78), (108, 74, 56))
_HAIR: tuple[Colour, ...] = ((44, 34, 28), (90, 64, 42), (150, 120, 76), (28, 26, 26), (130, 128, 126))
_HELMETS: tuple[Colour, ...] = ((40, 42, 46), (196, 44, 40), (220, 220, 216), (50, 90, 160))
_PAINTS: tuple[Colour, ...] = ((40, 44, 52), (150, 40, 40), (50, 90, 140), (180, 180, 176), (50, 96, 66))
_AHEAD = (0.0, 0.4, -0.8)


def paint_person(canvas: Canvas, item: Item, rng: np.random.Generator) -> None:
    """Somebody who walks or stands, with a coat or a bag now and then."""
    x = canvas.camera.bend(item.x, item.z)
    board = canvas.board("person", "cloth", x, item.z)
    shade, tall = canvas.weather.shade, item.height
    top, legs, skin = (shade(pick(rng, choices, 0.2), _AHEAD) for choices in (_CLOTHES, _TROUSERS, _SKIN))
    stride = (0.02, 0.10, 0.16, 0.20)[item.form % 4] * tall
    lean = 1.0 if item.heading == 0.0 else -1.0
    hip, near = 0.48 * tall, item.z < 18.0
    for foot, tone in ((-stride, 0.75), (stride, 1.0)):
        knee = 0.35 * foot + 0.03 * tall * lean
        board.stroke((-0.04 * lean, hip), (knee, 0.26 * tall), 0.17, scaled(legs, tone))
        board.stroke((knee, 0.28 * tall), (foot, 0.05), 0.13, scaled(legs, tone))
        if near:
            board.rectangle(foot - 0.09, 0.0, foot + 0.12 * lean, 0.07, (34.0, 30.0, 28.0))
    if item.form % 8 > 5:
        coat = [(-0.22, 0.30 * tall), (-0.19, 0.80 * tall), (0.19, 0.80 * tall), (0.22, 0.30 * tall)]
        board.polygon(coat, scaled(top, 0.9))
    _torso(canvas, board, hip, 0.83 * tall, top)
    for side in (-1.0, 1.0):
        hand = (side * 0.20 + 0.9 * stride * lean * side, 0.47 * tall)
        board.stroke((side * 0.19, 0.79 * tall), hand, 0.10, scaled(top, 0.82 if side < 0 else 1.05))
        if near:
            board.ellipse(hand, (0.05, 0.05), skin)
    if item.form % 16 in (3, 9):
        board.rectangle(0.16, 0.30 * tall, 0.44, 0.47 * tall, shade(pick(rng, _CLOTHES), _AHEAD))
    _head(canvas, board, 0.0, 0.915 * tall, skin, shade(pick(rng, _HAIR), _AHEAD), item.form)


def paint_bicycle(canvas: Canvas, item: Item, rng: np.random.Generator) -> None:
    """A parked bicycle."""
    x = canvas.camera.bend(item.x, item.z)
    board = canvas.board("bicycle", "metal", x, item.z)
    _bicycle(canvas, board, canvas.weather.shade(pick(rng, _PAINTS, 0.2), _AHEAD), 1.0 if item.heading else -1.0, 0.95)


def paint_cyclist(canvas: Canvas, item: Item, rng: np.random.Generator) -> None:
    """Somebody on a bicycle, from behind, from ahead, or from the side when the road is crossed."""
    x, shade = canvas.camera.bend(item.x, item.z), canvas.weather.shade
    board = canvas.board("bicycle", "metal", x, item.z)
    paint, top, legs = (shade(pick(rng, choices, 0.2), _AHEAD) for choices in (_PAINTS, _CLOTHES, _TROUSERS))
    skin = shade(pick(rng, _SKIN), _AHEAD)
    tall, sideways = item.height, abs(np.sin(item.heading)) > 0.5
    way = 1.0 if np.sin(item.heading) > 0 else -1.0
    if sideways:
        _bicycle(canvas, board, paint, way, 1.0)
    else:
        board.ellipse((0.0, 0.35), (0.06, 0.35), (30.0, 30.0, 32.0))
        board.rectangle(-0.05, 0.5, 0.05, 1.0, paint)
        board.rectangle(-0.27, 0.98, 0.27, 1.04, (40.0, 40.0, 42.0))
    rider = canvas.board("rider", "cloth", x, item.z)
    seat, shoulder = (-0.18 * way if sideways else 0.0), (0.14 * way if sideways else 0.0)
    knees = ((seat + 0.42 * way, 0.62), (seat + 0.34 * way, 0.82)) if sideways else ((-0.15, 0.6), (0.15, 0.72))
    for (knee_x, knee_y), tone in zip(knees, (0.75, 1.0), strict=True):
        rider.stroke((seat, 0.97), (knee_x, knee_y), 0.17, scaled(legs, tone))
        rider.stroke(
            (knee_x, knee_y), (0.04 * way if sideways else 0.75 * knee_x, knee_y - 0.42), 0.12, scaled(legs, tone)
        )
    half = 0.15 if sideways else 0.21
    torso = [(seat - half, 0.92), (shoulder - half, 1.46), (shoulder + half, 1.46), (seat + half, 0.92)]
    rider.polygon(torso, top)
    rider.polygon([(0.0, 0.92), (shoulder, 1.46), (shoulder + half, 1.46), (seat + half, 0.92)], scaled(top, 0.82))
    bars = ((0.5 * way, 1.04),) if sideways else ((-0.27, 1.02), (0.27, 1.02))
    for hand_x, hand_y in bars:
        start = shoulder if sideways else 0.75 * hand_x
        rider.stroke((start, 1.42), (hand_x, hand_y), 0.10, scaled(top, 0.95))
    helmet = pick(rng, _HELMETS if item.form % 2 else _HAIR)
    _head(canvas, rider, shoulder * 1.2, tall - 0.14, skin, shade(helmet, _AHEAD), item.form)


def paint_motorcycle(canvas: Canvas, item: Item, rng: np.random.Generator) -> None:
    """A parked motorcycle, seen from its side."""
    board = canvas.board("motorcycle", "metal", canvas.camera.bend(item.x, item.z), item.z)
    paint = canvas.weather.shade(pick(rng, _PAINTS, 0.25), _AHEAD)
    way = 1.0 if item.heading else -1.0
    _motorcycle(canvas, board, paint, way)


def paint_motorcyclist(canvas: Canvas, item: Item, rng: np.random.Generator) -> None:
    """Somebody in helmet and dark clothes on a motorcycle, from behind or from ahead."""
    x, shade = canvas.camera.bend(item.x, item.z), canvas.weather.shade
    board = canvas.board("motorcycle", "metal", x, item.z)
    paint, top = (shade(pick(rng, choices, 0.2), _AHEAD) for choices in (_PAINTS, _CLOTHES))
    board.ellipse((0.0, 0.33), (0.10, 0.33), (24.0, 24.0, 26.0))
    board.polygon([(-0.2, 0.4), (-0.3, 0.95), (0.3, 0.95), (0.2, 0.4)], paint)
    board.rectangle(-0.42, 0.98, 0.42, 1.06, (36.0, 36.0, 38.0))
    away = abs(item.heading) < 1.0
    lamp = (206.0, 36.0, 30.0) if away else (255.0, 246.0, 214.0)
    board.ellipse((0.0, 0.86), (0.09, 0.07), lamp)
    rider = canvas.board("rider", "cloth", x, item.z)
    for side in (-1.0, 1.0):
        rider.stroke((side * 0.12, 0.95), (side * 0.34, 0.60), 0.18, (40.0, 42.0, 48.0))
        rider.stroke((side * 0.34, 0.64), (side * 0.30, 0.26), 0.14, (30.0, 31.0, 34.0))
        rider.stroke((side * 0.22, 1.42), (side * 0.42, 1.06), 0.13, scaled(top, 0.85))
    _torso(canvas, rider, 0.90, 1.48, top)
    rider.ellipse((0.0, 1.60), (0.14, 0.16), shade(pick(rng, _HELMETS), _AHEAD))
    if not away:
        rider.rectangle(-0.10, 1.56, 0.10, 1.66, (30.0, 34.0, 40.0))


def _torso(canvas: Canvas, board: Face, low: float, high: float, colour: Colour) -> None:
    """A trunk with shoulders, darker on the side away from the sun."""
    board.polygon([(-0.16, low), (-0.23, high - 0.08), (-0.12, high), (0.12, high), (0.23, high - 0.08), (0.16, low)],
                  colour)  # fmt: skip
    away = -1.0 if canvas.weather.sun[0] > 0 else 1.0
    shaded = [(0.03 * away, low), (0.06 * away, high), (0.23 * away, high - 0.08), (0.16 * away, low)]
    board.polygon(shaded, scaled(colour, 0.76))


def _head(canvas: Canvas, board: Face, x: float, y: float, skin: Colour, hair: Colour, form: int) -> None:
    """A head with hair, turned towards us or away, and the neck below."""
    board.rectangle(x - 0.05, y - 0.20, x + 0.05, y, scaled(skin, 0.8))
    board.ellipse((x, y), (0.10, 0.135), skin)
    cap = CIRCLE[:9] * (0.115, 0.13 if form % 3 else 0.09) + (x, y + 0.015)
    if form % 3 == 1:
        board.ellipse((x, y + 0.02), (0.115, 0.14), hair)
    else:
        board.polygons(cap, hair)


def _bicycle(canvas: Canvas, board: Face, paint: Colour, way: float, size: float) -> None:
    """Two wheels, a frame, saddle and handlebar from the side; the discs of the wheels count as bicycle."""
    wheel, axle = 0.34 * size, 0.53 * size
    dark = (28.0, 28.0, 30.0)
    for x in (-axle, axle):
        board.ellipse((x, wheel), (wheel, wheel), dark)
        board.ellipse((x, wheel), (0.80 * wheel, 0.80 * wheel), canvas.weather.shade((104.0, 104.0, 100.0), _AHEAD))
        board.ellipse((x, wheel), (0.14 * wheel, 0.14 * wheel), dark)
    rear, front = (-axle * way, wheel), (axle * way, wheel)
    crank, saddle, head = (-0.06 * way, wheel - 0.04), (-0.20 * way, 0.86 * size), (0.36 * way, 0.80 * size)
    for start, end in ((rear, crank), (crank, saddle), (saddle, head), (crank, head), (head, front), (rear, saddle)):
        board.stroke(start, end, 0.05, paint)
    board.stroke(head, (0.33 * way, 1.0 * size), 0.05, dark)
    board.stroke((0.30 * way, 1.02 * size), (0.50 * way, 0.98 * size), 0.05, dark)
    board.rectangle(saddle[0] - 0.13, saddle[1], saddle[0] + 0.13, saddle[1] + 0.07, dark)


def _motorcycle(canvas: Canvas, board: Face, paint: Colour, way: float) -> None:
    """Wheels, engine, tank, seat and fork from the side."""
    dark, steel = (26.0, 26.0, 28.0), canvas.weather.shade((130.0, 132.0, 134.0), _AHEAD)
    for x in (-0.68, 0.68):
        board.ellipse((x, 0.32), (0.32, 0.32), dark)
        board.ellipse((x, 0.32), (0.18, 0.18), scaled(steel, 0.7))
    board.polygon([(-0.5, 0.3), (-0.42, 0.7), (0.42, 0.72), (0.5, 0.3)], scaled(steel, 0.55))
    board.polygon([(-0.95 * way, 0.78), (-0.1 * way, 0.66), (0.0, 0.80), (-0.9 * way, 0.92)], dark)
    board.polygon([(-0.1 * way, 0.68), (0.0, 0.98), (0.36 * way, 1.0), (0.46 * way, 0.7)], paint)
    board.polygon([(0.42 * way, 0.72), (0.40 * way, 1.1), (0.62 * way, 0.92), (0.60 * way, 0.6)], scaled(paint, 0.85))
    board.stroke((0.42 * way, 1.05), (0.70 * way, 0.32), 0.08, steel)
    board.stroke((0.30 * way, 1.15), (0.46 * way, 1.05), 0.06, dark)
