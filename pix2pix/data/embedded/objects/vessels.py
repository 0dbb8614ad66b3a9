"""Cups and bottles of the embedded objects, their decoration, and the shadow that things cast where they stand.

Laid out with y upwards from the ground at 0 and the middle at x = 0, and then placed in the picture.
"""

import numpy as np

from pix2pix.data.embedded.basics import Colour, mix, shade
from pix2pix.data.embedded.objects.canvas import Canvas, Mask
from pix2pix.data.embedded.objects.outlines import (
    ellipse,
    placement,
    ribbon,
    spline,
)
from pix2pix.data.embedded.objects.palette import METALS, choose_colour, contrasting, hue_colour, pick

Box = tuple[float, float, float, float]


def stand(canvas: Canvas, half: float, depth: float = 0.45) -> None:
    """The shadow where something touches the ground, and a longer one away from the light."""
    canvas.shadow(canvas.mask(ellipse((0.0, 0.01), (half * 0.95, half * 0.13))), 0.008, 0.010, depth)
    canvas.shadow(canvas.mask(ellipse((0.0, 0.0), (half * 1.15, half * 0.20))), 0.05, 0.03, 0.5 * depth)


def decorate(canvas: Canvas, body: Mask, low: float, high: float, colour: Colour, rng: np.random.Generator) -> None:
    """Bands, dots, waves or a glaze on a body between two heights."""
    style = int(rng.integers(6))
    rows = np.linspace(low, high, int(rng.integers(3, 8)))
    if style == 0:
        width = (high - low) * float(rng.uniform(0.03, 0.10))
        canvas.stroke(
            [spline([(-1.0, y + 0.05), (0.0, y - 0.03), (1.0, y + 0.05)]) for y in rows], colour, width, 0.9, body
        )
    elif style == 1:
        dots = [
            ellipse((x + 0.06 * (row % 2), y), (0.028, 0.028), steps=14)
            for row, y in enumerate(rows.tolist())
            for x in np.arange(-0.9, 0.9, 0.12).tolist()
        ]
        canvas.fill(canvas.mask(dots, body), colour)
    elif style == 2:
        x = np.linspace(-1.0, 1.0, 60)
        waves = [np.stack([x, y + 0.03 * np.sin(22 * x + 2 * y)], axis=1) for y in rows]
        canvas.stroke(waves, colour, 0.022, 0.9, body)
    elif style == 3:
        x = np.linspace(-1.0, 1.0, 40)
        edge = np.stack([x, (low + high) / 2 + 0.06 * np.sin(11 * x + 3.0) + 0.03 * np.sin(31 * x)], axis=1)
        canvas.fill(canvas.mask(np.concatenate([edge, [[1.0, 3.0], [-1.0, 3.0]]]), body), colour, "plain", 0.05)


def paint_cup(canvas: Canvas, rng: np.random.Generator, box: Box) -> None:
    """A cup or mug with its handle, what is in it, and perhaps a saucer."""
    top, foot, height = rng.uniform((0.34, 0.16, 0.45), (0.46, 0.36, 0.95)).tolist()
    rim = float(rng.uniform(0.06, 0.12))
    right = spline([(top, height), (top * 0.97, height * 0.7), ((top + foot) / 2, height * 0.25), (foot, 0.02)])
    outline = np.concatenate(
        [
            right,
            spline([(foot, 0.02), (0.0, -0.03), (-foot, 0.02)]),
            (right * (-1.0, 1.0))[::-1],
            ellipse((0.0, height), (top, rim))[16:],
        ]
    )
    reach = top + float(rng.uniform(0.16, 0.26))
    handle = spline(
        [
            (top * 0.9, height * 0.82),
            (reach, height * 0.80),
            (reach * 1.02, height * 0.42),
            (foot * 1.05, height * 0.28),
        ]
    )
    saucer = rng.random() < 0.45
    plate = ellipse((0.0, 0.0), (top * 1.7, 0.13))
    canvas.pose = placement([outline, handle, plate] if saucer else [outline, handle], box, flip=rng.random() < 0.5)
    colour = choose_colour(rng) if rng.random() < 0.6 else (240.0, 236.0, 228.0)
    second, gloss = contrasting(rng, colour), float(rng.uniform(0.2, 0.55))
    stand(canvas, top * 1.7 if saucer else foot)
    if saucer:
        for outer, light in (((top * 1.7, 0.13), 0.95), ((top * 1.1, 0.075), 0.85)):
            mask = canvas.mask(ellipse((0.0, 0.01), outer))
            canvas.fill(mask, shade(colour, light))
            canvas.round_off(mask, 0.03, gloss=0.2, ambient=0.6)
        canvas.shadow(canvas.mask(ellipse((0.0, 0.0), (foot, 0.05))), 0.02, 0.02, 0.5)
    loop = canvas.mask(ribbon(handle, 0.075))
    canvas.fill(loop, colour)
    canvas.round_off(loop, 0.025, gloss=gloss, ambient=0.45)
    body = canvas.mask(outline)
    canvas.fill(body, colour, "plain", 0.03)
    decorate(canvas, body, height * 0.15, height * 0.85, second, rng)
    canvas.round_off(body, 0.22, gloss=gloss, power=30.0, ambient=0.42)
    _paint_opening(canvas, (0.0, height), (top, rim), colour, rng)


def _paint_opening(
    canvas: Canvas, centre: tuple[float, float], radii: tuple[float, float], colour: Colour, rng: np.random.Generator
) -> None:
    """The rim of a vessel, its inside, and the level of what it holds."""
    wide, tall = radii
    canvas.fill(canvas.mask(ellipse(centre, radii)), shade(mix(colour, (255.0, 255.0, 255.0), 0.25), 1.05))
    inside = canvas.mask(ellipse(centre, (wide * 0.93, tall * 0.86)))
    canvas.fill(inside, shade(colour, 0.62))
    drink: Colour = pick(rng, ((70.0, 40.0, 24.0), (150.0, 96.0, 50.0), (178.0, 90.0, 36.0), (236.0, 226.0, 206.0)))
    level = canvas.mask(ellipse((centre[0], centre[1] - 0.35 * tall), (wide * 0.90, tall * 0.75)), inside)
    canvas.fill(level, drink, "plain", 0.08)
    canvas.shadow(canvas.mask(ribbon(ellipse(centre, (wide, tall))[16:], 0.05)), 0.015, 0.01, 0.35, clip=inside)


def paint_bottle(canvas: Canvas, rng: np.random.Generator, box: Box) -> None:
    """A bottle, flask, jar or vase of glass or glaze, with label and stopper."""
    wide, height, neck, shoulder = rng.uniform((0.18, 1.0, 0.055, 0.45), (0.34, 1.5, 0.11, 0.72)).tolist()
    foot = wide * float(rng.uniform(0.75, 1.0))
    right = spline(
        [
            (neck, height),
            (neck, height),
            (neck * 0.95, height * (0.3 + 0.7 * shoulder)),
            (wide * 0.9, height * shoulder * 0.95),
            (wide, height * shoulder * 0.7),
            ((wide + foot) / 2, height * 0.2),
            (foot, 0.03),
            (foot * 0.9, 0.0),
            (0.0, 0.0),
        ]
    )
    outline = np.concatenate([right, (right * (-1.0, 1.0))[::-1]])
    cap = np.array([[-1.1, -0.01], [1.1, -0.01], [1.1, 0.09], [-1.1, 0.09]]) * (neck, 1.0) + (0.0, height)
    canvas.pose = placement([outline, cap], box)
    colour = hue_colour(float(rng.random()), float(rng.uniform(0.25, 0.8)), float(rng.uniform(0.25, 0.85)))
    stand(canvas, foot)
    body = canvas.mask(outline)
    canvas.fill(body, colour, "plain", 0.04)
    if rng.random() < 0.6:  # glass: light passes through, and the level of what is inside shows
        core = canvas.soften(canvas.mask(outline * (0.7, 0.92) + (0.0, 0.04 * height)), 0.012)
        canvas.fill(core.within(body), mix(colour, (255.0, 255.0, 250.0), 0.45), share=0.7)
        level = height * float(rng.uniform(0.3, 0.75))
        contents = canvas.mask(np.array([[-1.0, level], [1.0, level], [1.0, -1.0], [-1.0, -1.0]]), body)
        canvas.fill(contents, shade(colour, 0.7), share=0.6)
    if rng.random() < 0.7:
        low, high = rng.uniform((0.15, 0.6), (0.3, 0.85)).tolist()
        _paint_label(canvas, body, (low * height * shoulder, high * height * shoulder), wide, rng)
    else:
        decorate(canvas, body, 0.1, height * shoulder, contrasting(rng, colour), rng)
    canvas.round_off(body, 0.14, gloss=0.3, power=20.0, ambient=0.45)
    gleam = spline([(-wide * 0.55, height * shoulder * 0.9), (-wide * 0.62, height * 0.35), (-wide * 0.55, 0.12)])
    canvas.fill(
        canvas.soften(canvas.mask(ribbon(gleam, wide * 0.12), body), 0.005).within(body),
        (255.0, 255.0, 255.0),
        share=0.55,
    )
    stopper = canvas.mask(cap)
    canvas.fill(stopper, pick(rng, (*METALS, (178.0, 140.0, 98.0), (40.0, 40.0, 44.0))), "wood", 0.04)
    canvas.round_off(stopper, 0.03, gloss=0.3, ambient=0.45)


def _paint_label(canvas: Canvas, body: Mask, rows: tuple[float, float], wide: float, rng: np.random.Generator) -> None:
    """A paper label between two heights, with a mark and two lines; its edges bend as those of a cylinder."""
    low, high = rows
    corners = [(-1.0, low), (-1.0, low), (0.0, low - 0.03), (1.0, low), (1.0, low)]
    corners += [(1.0, high), (1.0, high), (0.0, high - 0.03), (-1.0, high), (-1.0, high)]
    label = canvas.mask(spline(corners, closed=True), body)
    canvas.fill(label, (240.0, 232.0, 214.0), "canvas", 0.03)
    mark = canvas.mask(ellipse((0.0, (low + high) / 2), (wide * 0.4, (high - low) * 0.28)), label)
    canvas.fill(mark, choose_colour(rng))
    lines = [np.array([[-1.0, y], [1.0, y]]) for y in (low + 0.01, high - 0.05)]
    canvas.stroke(lines, choose_colour(rng), 0.02, 1.0, label)
