"""Lorries, buses and trams of an embedded street scene: boxes whose faces are painted with windows, doors and lamps."""

import numpy as np

from pix2pix.data.embedded.basics import Colour, mix
from pix2pix.data.embedded.streets.canvas import Canvas, Face
from pix2pix.data.embedded.streets.solids import RUBBER, Solid
from pix2pix.data.embedded.streets.types import Item
from pix2pix.data.embedded.streets.weather import pick, scaled

_BUSES: tuple[Colour, ...] = (
    (222, 216, 196),
    (196, 44, 42),
    (226, 180, 52),
    (66, 110, 156),
    (214, 216, 214),
    (64, 126, 84),
)
_TRAMS: tuple[Colour, ...] = ((216, 190, 60), (200, 52, 48), (224, 222, 214), (60, 130, 96), (70, 104, 160))
_CABS: tuple[Colour, ...] = ((214, 214, 210), (176, 48, 44), (52, 82, 138), (210, 160, 52), (70, 104, 84))
_LOADS: tuple[Colour, ...] = (
    (214, 214, 210),
    (188, 190, 190),
    (66, 88, 128),
    (176, 62, 52),
    (96, 120, 84),
    (204, 178, 110),
)
_GLASS: Colour = (44, 52, 58)


def paint_bus(canvas: Canvas, item: Item, rng: np.random.Generator) -> None:
    """A city bus."""
    _coach(canvas, item, "bus", 11.0, pick(rng, _BUSES), rng)


def paint_tram(canvas: Canvas, item: Item, rng: np.random.Generator) -> None:
    """A tram in two colours on its rails, without visible wheels."""
    _coach(canvas, item, "train", 20.0, pick(rng, _TRAMS), rng)


def paint_truck(canvas: Canvas, item: Item, rng: np.random.Generator) -> None:
    """A lorry: cab in front, box or tarpaulin behind; the farther of the two is painted first."""
    whole = Solid(canvas, item, "truck", 7.5)
    paint, load = pick(rng, _CABS), pick(rng, _LOADS, 0.16)
    number = int(rng.integers(4))
    reach, s = 0.5 * whole.length, 0.5 * whole.length * whole.end
    if whole.end:
        whole.across(s, -0.46 * whole.width, 0.35, 0.46 * whole.width, 0.9, (30.0, 30.0, 32.0))
        for side in (-1.0, 1.0):
            edges = sorted((side * 0.48 * whole.width, side * 0.28 * whole.width))
            whole.across(s - 0.2 * whole.end, edges[0], 0.0, edges[1], 0.7, RUBBER)
    if whole.side:
        a = 0.47 * whole.width * whole.side
        whole.flank(a, [(-reach, 0.45), (reach, 0.45), (reach, 1.0), (-reach, 1.0)], (34.0, 34.0, 36.0))
    parts = (("cab", 5.4, 7.5, 0.80), ("load", 0.0, 5.2, 1.0))
    for name, rear, front, high in parts if whole.end <= 0 else parts[::-1]:
        span = (rear - reach, front - reach)
        if name == "cab":
            _cab(whole, span, whole.height * high, paint)
        else:
            _load(whole, span, whole.height * high, load, number)
    if whole.side:
        for wheel in (-0.32, -0.18, 0.36):
            whole.wheel(wheel * whole.length, 0.48, (120.0, 120.0, 118.0))


def _cab(solid: Solid, span: tuple[float, float], top: float, paint: Colour) -> None:
    """The driver's cab with windscreen, grille and lamps."""
    light, half = solid.canvas.weather.shade, 0.48 * solid.width
    if solid.side:
        a, (s0, s1) = half * solid.side, span
        solid.flank(a, [(s0, 0.55), (s1, 0.55), (s1, 0.66 * top), (s1 - 0.25, top), (s0, top)],
                    light(paint, solid.side_normal))  # fmt: skip
        low, high = 0.60 * top, 0.90 * top
        window = [(s0 + 0.5, low), (s1 - 0.12, low), (s1 - 0.3, high), (s0 + 0.5, high)]
        solid.flank(a, window, light(_GLASS, solid.side_normal))
    if solid.end > 0:
        s, normal = span[1], solid.end_normal
        solid.across(s, -half, 0.40, half, top, light(paint, normal))
        solid.across(s, -0.92 * half, 0.58 * top, 0.92 * half, 0.92 * top, light(_GLASS, normal))
        solid.polygon([(-0.92 * half, 0.76 * top, s), (-0.92 * half, 0.92 * top, s), (0.7 * half, 0.92 * top, s)],
                      light(mix(_GLASS, solid.canvas.weather.horizon, 0.4), normal))  # fmt: skip
        solid.across(s, -0.6 * half, 0.34 * top, 0.6 * half, 0.52 * top, light((40.0, 42.0, 44.0), normal))
        for side in (-1.0, 1.0):
            edges = sorted((side * 0.95 * half, side * 0.66 * half))
            solid.across(s, edges[0], 0.24 * top, edges[1], 0.33 * top, (246.0, 242.0, 224.0))


def _load(solid: Solid, span: tuple[float, float], top: float, colour: Colour, form: int) -> None:
    """The box behind: ribs or a stripe along its side, doors at its rear, and its front above the cab."""
    light, half = solid.canvas.weather.shade, 0.5 * solid.width
    if solid.side:
        a, (s0, s1) = half * solid.side, span
        lit = light(colour, solid.side_normal)
        solid.flank(a, [(s0, 0.95), (s1, 0.95), (s1, top), (s0, top)], lit)
        if form % 2:
            for s in np.linspace(s0, s1, 7)[:-1].tolist():
                solid.flank(a, [(s, 0.95), (s + 0.1, 0.95), (s + 0.1, top), (s, top)], scaled(lit, 0.8))
        else:
            solid.flank(a, [(s0, 1.7), (s1, 1.9), (s1, 2.4), (s0, 2.2)], scaled(lit, 0.6))
        solid.flank(a, [(s0, top - 0.12), (s1, top - 0.12), (s1, top), (s0, top)], scaled(lit, 1.12))
    if solid.end > 0:
        solid.across(span[1], -half, 0.95, half, top, light(colour, solid.end_normal))
    if solid.end < 0:
        s, lit = span[0], light(colour, solid.end_normal)
        solid.across(s, -half, 0.90, half, top, lit)
        solid.across(s, -half, top - 0.14, half, top, scaled(lit, 0.72))
        for x in (-half, -0.03, half - 0.08):
            solid.across(s, x, 0.95, x + 0.08, top, scaled(lit, 0.66))
        solid.across(s, -0.5 * half, 0.95, -0.46 * half, top - 0.2, scaled(lit, 0.5))
        solid.across(s, 0.46 * half, 0.95, 0.5 * half, top - 0.2, scaled(lit, 0.5))
        for side in (-1.0, 1.0):
            edges = sorted((side * 0.95 * half, side * 0.72 * half))
            solid.across(s, edges[0], 0.62, edges[1], 0.80, (190.0, 32.0, 28.0))
        solid.across(s, -0.3, 0.60, 0.3, 0.76, (222.0, 222.0, 214.0))


def _coach(canvas: Canvas, item: Item, name: str, length: float, paint: Colour, rng: np.random.Generator) -> None:
    """A long box with a band of windows, doors, and at its front a windscreen with the line above it."""
    solid = Solid(canvas, item, name, length)
    light, height, rail = canvas.weather.shade, item.height, name == "train"
    second = pick(rng, ((232.0, 230.0, 222.0), scaled(paint, 0.5), (70.0, 74.0, 80.0)))
    if solid.side:
        side, normal = solid.side_face(), solid.side_normal
        side.rectangle(0.0, 0.30, length, height, light(paint, normal))
        side.rectangle(0.0, 0.25, length, 0.85 if rail else 0.6, light(second, normal))
        side.rectangle(0.0, height - 0.28, length, height, light(mix(paint, second, 0.6), normal))
        side.rectangle(0.2, 0.42 * height, length - 0.2, 0.82 * height, light(_GLASS, normal))
        posts = np.arange(1.6, length - 0.5, 1.6)
        low, high = np.full(len(posts), 0.42 * height), np.full(len(posts), 0.82 * height)
        mirrored = light(mix(_GLASS, canvas.weather.horizon, 0.35), normal)
        tops = np.stack([posts - 1.4, 0.66 * high + 0.34 * low, posts - 0.1, high], axis=1)
        side.rectangles(tops[:: 1 + int(rng.integers(2))], mirrored)
        side.rectangles(np.stack([posts, low, posts + 0.12, high], axis=1), light(scaled(paint, 0.6), normal))
        for share in (0.12, 0.46, 0.86):
            side.rectangle(share * length, 0.4, share * length + 1.2, 0.80 * height, light(scaled(_GLASS, 0.8), normal))
        if rail:
            side.rectangle(0.4, 0.02, length - 0.4, 0.28, (24.0, 24.0, 26.0))
        else:
            for wheel in (-0.24, 0.32):
                solid.wheel(wheel * length, 0.48, light((110.0, 110.0, 108.0), normal))
    if solid.end:
        _coach_end(solid, light(paint, solid.end_normal), light(second, solid.end_normal), rail)


def _coach_end(solid: Solid, paint: Colour, second: Colour, rail: bool) -> None:
    """The front or rear of a bus or tram."""
    face: Face = solid.end_face()
    light, normal, width, height = solid.canvas.weather.shade, solid.end_normal, solid.width, solid.height
    glass, front = light(_GLASS, normal), solid.end > 0
    face.rectangle(0.12, 0.02, width - 0.12, 0.4, (24.0, 24.0, 26.0))
    face.polygon([(0, 0.3), (0, height - 0.35), (0.2, height), (width - 0.2, height), (width, height - 0.35),
                  (width, 0.3)], paint)  # fmt: skip
    face.rectangle(0.0, 0.3, width, 0.95 if rail else 0.62, second)
    low = (0.40 if front or rail else 0.56) * height
    face.rectangle(0.14, low, width - 0.14, 0.82 * height, glass)
    face.polygon([(0.14, 0.62 * height), (0.14, 0.82 * height), (0.7 * width, 0.82 * height)],
                 light(mix(_GLASS, solid.canvas.weather.horizon, 0.4), normal))  # fmt: skip
    face.rectangle(0.3, 0.85 * height, width - 0.3, 0.95 * height, (26.0, 26.0, 28.0))
    face.rectangle(0.6, 0.875 * height, width - 0.7, 0.925 * height, (236.0, 166.0, 52.0))
    lamp = (248.0, 244.0, 226.0) if front else (190.0, 34.0, 30.0)
    for x in (0.15, width - 0.5):
        face.rectangle(x, 0.66, x + 0.35, 0.88, lamp)
    face.rectangle(0.5 * width - 0.3, 0.42, 0.5 * width + 0.3, 0.56, (222.0, 222.0, 214.0))
