"""Cars and vans of an embedded street scene: bodies in perspective from any side, with glass, lamps and wheels."""

from typing import NamedTuple

import numpy as np

from pix2pix.data.embedded.basics import Colour, mix
from pix2pix.data.embedded.streets.canvas import Canvas
from pix2pix.data.embedded.streets.solids import RUBBER, Solid
from pix2pix.data.embedded.streets.types import Item
from pix2pix.data.embedded.streets.weather import pick, scaled

_PAINTS: tuple[Colour, ...] = (
    (34, 36, 40), (48, 50, 54), (28, 30, 34), (150, 154, 158), (182, 184, 186), (218, 218, 214), (98, 102, 106),
    (40, 58, 98), (62, 92, 138), (138, 34, 36), (104, 28, 32), (62, 84, 66), (150, 138, 116), (206, 206, 204),
    (176, 122, 52), (76, 80, 86),
)  # fmt: skip
_HUB: Colour = (108, 110, 112)


class Body(NamedTuple):
    """A side view in shares of length and height: glass from rear to front, below and on top, waist and bonnet."""

    length: float
    rear_low: float
    rear_top: float
    front_top: float
    front_low: float
    waist: float
    boot: float
    bonnet: float


BODIES: tuple[Body, ...] = (
    Body(4.1, -0.49, -0.40, 0.08, 0.24, 0.60, 0.60, 0.56),  # hatchback
    Body(4.6, -0.32, -0.18, 0.06, 0.22, 0.62, 0.62, 0.58),  # saloon
    Body(4.6, -0.49, -0.43, 0.06, 0.22, 0.60, 0.60, 0.57),  # estate
    Body(4.5, -0.49, -0.44, 0.10, 0.24, 0.58, 0.58, 0.56),  # off-road
    Body(4.9, -0.50, -0.49, 0.24, 0.36, 0.52, 0.52, 0.50),  # van
)


def paint_car(canvas: Canvas, item: Item, rng: np.random.Generator) -> None:
    """A car or van, its near end or side towards us."""
    van = item.kind == "van"
    body = BODIES[4] if van else BODIES[item.form % 4]
    paint = (222.0, 222.0, 218.0) if van and item.form % 3 == 0 else pick(rng, _PAINTS, 0.15)
    solid = Solid(canvas, item, "car", body.length)
    if item.form % 4 == 3 and not van:
        solid.height *= 1.12
    near = item.z < 28.0
    glass = scaled((46.0, 54.0, 60.0), 0.8 + 0.5 * float(rng.random()))
    if solid.side:
        _paint_side(solid, body, paint, glass, near, van and item.form % 2 == 0)
    if solid.end:
        _paint_end(solid, body, paint, glass, near)


def _paint_side(solid: Solid, body: Body, paint: Colour, glass: Colour, near: bool, panels: bool) -> None:
    """Doors, side windows, and wheels."""
    light, normal = solid.canvas.weather.shade, solid.side_normal
    length, height = solid.length, solid.height
    a, roof_a = 0.5 * solid.width * solid.side, 0.375 * solid.width * solid.side
    waist, sill = body.waist * height, 0.19 * height
    colour = light(paint, normal)
    outline = [(-0.5, sill), (-0.5, body.boot * height), (body.rear_low, waist), (body.front_low, waist)]
    outline += [(0.49, body.bonnet * height), (0.5, 0.97 * body.bonnet * height), (0.5, sill)]
    solid.flank(a, [(s * length, y) for s, y in outline], colour)
    if near:
        solid.flank(a, [(-0.5 * length, sill), (0.5 * length, sill), (0.48 * length, 0.08), (-0.48 * length, 0.08)],
                    (22.0, 22.0, 24.0))  # fmt: skip
    low, top = (body.rear_low * length, body.front_low * length), (body.rear_top * length, body.front_top * length)
    cabin = [(a, waist, low[0]), (roof_a, height, top[0]), (roof_a, height, top[1]), (a, waist, low[1])]
    solid.polygon(cabin, scaled(colour, 1.05))
    inset = 0.82 * (height - waist)
    mid_a = a + (roof_a - a) * 0.82
    if panels:
        low, top = (0.06 * length, low[1]), (0.06 * length, top[1])
    window = [(a, waist + 0.03, low[0] + 0.12), (mid_a, waist + inset, top[0] + 0.08)]
    window += [(mid_a, waist + inset, top[1] - 0.05), (a, waist + 0.03, low[1] - 0.16)]
    solid.polygon(window, light(glass, normal))
    if not near:
        return
    mirrored = light(mix(glass, solid.canvas.weather.horizon, 0.35), normal)
    solid.polygon([window[1], window[2], (0.5 * (a + mid_a), waist + 0.6 * inset, low[1] - 0.5),
                   (0.5 * (a + mid_a), waist + 0.6 * inset, low[0] + 0.2)], mirrored)  # fmt: skip
    solid.polygon([(a, waist, -0.04), (mid_a, height, -0.04), (mid_a, height, 0.05), (a, waist, 0.05)], colour)
    solid.flank(a, [(-0.46 * length, 0.76 * waist), (0.46 * length, 0.74 * waist), (0.46 * length, 0.90 * waist),
                    (-0.46 * length, 0.92 * waist)], mix(colour, (255.0, 255.0, 255.0), 0.13))  # fmt: skip
    solid.flank(a, [(-0.02 * length, sill), (-0.01 * length, sill), (-0.01 * length, waist), (-0.02 * length, waist)],
                scaled(colour, 0.6))  # fmt: skip
    for s in (-0.30, 0.31):
        solid.wheel(s * length, 0.215 * height, light(_HUB, normal))


def _paint_end(solid: Solid, body: Body, paint: Colour, glass: Colour, near: bool) -> None:
    """Rear or front: window, boot or bonnet, lamps, number plate, bumper and the tyres below."""
    light, normal = solid.canvas.weather.shade, solid.end_normal
    front, half, height = solid.end > 0, 0.5 * solid.width, solid.height
    waist, sill = body.waist * height, 0.19 * height
    deck = (body.bonnet if front else body.boot) * height
    low = (body.front_low if front else body.rear_low) * solid.length
    top = (body.front_top if front else body.rear_top) * solid.length
    s = 0.5 * solid.length * solid.end
    colour, dark = light(paint, normal), light((30.0, 31.0, 33.0), normal)
    roof = 0.75 * half
    sky = light(scaled(paint, 0.94), (0.0, 1.0, 0.0))
    cabin = [(-half, waist, low), (-roof, height, top), (roof, height, top), (half, waist, low)]
    solid.polygon(cabin, mix(colour, sky, 0.4))
    share = 0.86
    up, back = waist + share * (height - waist), low + share * (top - low)
    window = [(-0.90 * half, waist + 0.04, low), (-0.72 * half, up, back), (0.72 * half, up, back),
              (0.90 * half, waist + 0.04, low)]  # fmt: skip
    solid.polygon(window, light(glass, normal))
    deck_shape = [(-half, waist, low), (half, waist, low), (half, 0.97 * deck, s), (-half, 0.97 * deck, s)]
    solid.polygon(deck_shape, sky)
    if near:
        for tyre in (-1.0, 1.0):
            edges = sorted((tyre * 0.97 * half, tyre * 0.68 * half))
            solid.across(s - 0.1 * solid.end, edges[0], 0.0, edges[1], 0.32, RUBBER)
        mirrored = light(mix(glass, solid.canvas.weather.horizon, 0.40), normal)
        solid.polygon([window[1], window[2], (0.3 * half, waist + 0.5 * (up - waist), 0.5 * (low + back)),
                       (-0.80 * half, waist + 0.6 * (up - waist), 0.5 * (low + back))], mirrored)  # fmt: skip
    solid.across(s - 0.05 * solid.end, -0.9 * half, 0.13, 0.9 * half, sill + 0.02, (20.0, 20.0, 22.0))
    shape = [(-half, sill, s), (-half, 0.97 * deck, s), (-0.95 * half, deck, s), (0.95 * half, deck, s)]
    solid.polygon([*shape, (half, 0.97 * deck, s), (half, sill, s)], colour)
    solid.across(s, -half, sill, half, sill + 0.20 * deck, mix(dark, colour, 0.35 if front else 0.55))
    lamp = (250.0, 246.0, 226.0) if front else (176.0, 30.0, 28.0)
    for side in (-1.0, 1.0):
        edges = sorted((side * 0.97 * half, side * (0.62 if front else 0.70) * half))
        solid.across(s, edges[0], 0.66 * deck, edges[1], 0.84 * deck, lamp)
    if not near:
        return
    if front:
        solid.across(s, -0.52 * half, 0.60 * deck, 0.52 * half, 0.80 * deck, dark)
    solid.across(s, -half * 0.93, 0.93 * deck, half * 0.93, deck, mix(colour, (255.0, 255.0, 255.0), 0.18))
    solid.across(s, -0.28, 0.44 * deck, 0.28, 0.44 * deck + 0.12, (222.0, 222.0, 214.0))
    solid.across(s, -0.2, 0.44 * deck + 0.04, 0.2, 0.44 * deck + 0.08, (60.0, 60.0, 64.0))
