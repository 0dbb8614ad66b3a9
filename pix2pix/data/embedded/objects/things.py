"""Balls and clocks of the embedded objects, and the list of all things of the household.

Laid out with y upwards from the ground at 0 and the middle at x = 0, and then placed in the picture.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from pix2pix.data.embedded.basics import Colour, mix, shade
from pix2pix.data.embedded.objects.canvas import Canvas
from pix2pix.data.embedded.objects.furniture import paint_chair, paint_lamp
from pix2pix.data.embedded.objects.outlines import Points, ellipse, placement, ribbon, spline
from pix2pix.data.embedded.objects.palette import METALS, choose_colour, contrasting, pick
from pix2pix.data.embedded.objects.produce import paint_fruit, paint_plant
from pix2pix.data.embedded.objects.vessels import paint_bottle, paint_cup, stand

Box = tuple[float, float, float, float]


def paint_ball(canvas: Canvas, rng: np.random.Generator, box: Box) -> None:
    """A ball: panels of leather, a beach ball's stripes, a basketball's seams, or marbled."""
    disc = ellipse((0.0, 0.5), (0.5, 0.5), steps=64)
    canvas.pose = placement([disc], box)
    stand(canvas, 0.4)
    body = canvas.mask(disc)
    colour, style, turn = choose_colour(rng), int(rng.integers(4)), float(rng.uniform(0.0, np.pi))
    second = contrasting(rng, colour)
    canvas.fill(body, colour, "leather", 0.06)
    cosine, sine = np.cos(turn), np.sin(turn)

    def turned(points: Points) -> Points:
        return np.asarray(points @ np.array([[cosine, sine], [-sine, cosine]]) + (0.0, 0.5))

    meridians = [
        ellipse((0.0, 0.0), (0.5 * float(np.sin(angle)), 0.5)) for angle in np.linspace(-np.pi / 2, np.pi / 2, 7)
    ]
    if style == 0:
        for number, line in enumerate(meridians[:3]):
            canvas.fill(canvas.mask(turned(line), body), second if number % 2 == 0 else choose_colour(rng))
    elif style == 1:
        lines = [
            np.array([[0.0, -0.5], [0.0, 0.5]]),
            np.array([[-0.5, 0.0], [0.5, 0.0]]),
            spline([(-0.36, 0.36), (-0.16, 0.0), (-0.36, -0.36)]),
            spline([(0.36, 0.36), (0.16, 0.0), (0.36, -0.36)]),
        ]
        canvas.stroke([turned(np.asarray(line)) for line in lines], shade(second, 0.5), 0.018, 0.9, body)
    elif style == 2:
        for x, y in ((0.0, 0.0), *[(0.36 * np.cos(a), 0.36 * np.sin(a)) for a in np.arange(5) * 2 * np.pi / 5]):
            flat = 1.0 - 0.9 * float(np.hypot(x, y))
            patch = ellipse((float(x), float(y)), (0.125 * flat + 0.02, 0.14), float(np.arctan2(y, x)), steps=5)
            canvas.fill(canvas.mask(turned(patch), body), second, "leather", 0.05)
            canvas.stroke(turned(np.array([[x, y], [1.8 * x, 1.8 * y]])), shade(colour, 0.6), 0.010, 0.7, body)
    else:
        for y in np.linspace(-0.4, 0.4, 5).tolist():
            x = np.linspace(-0.6, 0.6, 40)
            canvas.stroke(
                turned(np.stack([x, y + 0.05 * np.sin(9 * x + 7 * y)], axis=1)),
                mix(second, colour, abs(y)),
                0.06,
                0.85,
                body,
            )
    canvas.round_off(body, 0.42, gloss=float(rng.uniform(0.1, 0.5)), power=26.0, ambient=0.36)


def paint_clock(canvas: Canvas, rng: np.random.Generator, box: Box) -> None:
    """A round or square clock with marks and hands, as one that stands or an alarm clock with bells."""
    square = float(rng.uniform(0.3, 1.0)) if rng.random() < 0.4 else 1.0
    angle = np.linspace(0.0, 2.0 * np.pi, 72, endpoint=False)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    bent = np.sign(circle) * np.abs(circle) ** square
    centre = np.array([0.0, 0.56])
    canvas.pose = placement([bent * 0.5 + centre, np.array([[0.0, 0.0], [0.0, 1.2]])], box)
    colour = choose_colour(rng)
    stand(canvas, 0.36)
    extras = [ribbon([(side * 0.30, 0.2), (side * 0.36, 0.0)], 0.07) for side in (-1, 1)]
    if rng.random() < 0.5:
        extras += [ellipse((side * 0.26, 1.06), (0.17, 0.12), -side * 0.5) for side in (-1, 1)]
    for extra in extras:
        mask = canvas.mask(extra)
        canvas.fill(mask, pick(rng, METALS))
        canvas.round_off(mask, 0.04, gloss=0.5, ambient=0.4)
    case, face = canvas.mask(bent * 0.5 + centre), canvas.mask(bent * 0.41 + centre)
    canvas.fill(case, colour, "wood" if rng.random() < 0.4 else "plain", 0.06)
    canvas.round_off(case, 0.05, gloss=0.4, ambient=0.42)
    canvas.fill(face, pick(rng, ((244.0, 242.0, 234.0), (40.0, 42.0, 48.0), (236.0, 220.0, 186.0))), "plain", 0.02)
    canvas.shadow(canvas.mask([bent * 0.5 + centre, bent * 0.41 + centre]), 0.02, 0.012, 0.4, clip=face)
    ink: Colour = (30.0, 28.0, 28.0) if float(canvas.colour[face.area].mean()) > 120.0 else (236.0, 232.0, 220.0)
    marks = [
        np.array([[np.sin(a), np.cos(a)]]) * np.array([[0.33], [0.38]]) + centre for a in np.arange(12) * np.pi / 6
    ]
    canvas.stroke(marks, ink, 0.022, 0.9)
    for turn, reach, width in zip(rng.uniform(0.0, 2 * np.pi, 2).tolist(), (0.20, 0.31), (0.036, 0.024), strict=True):
        hand = canvas.mask(ribbon([tuple(centre), (reach * np.sin(turn), 0.56 + reach * np.cos(turn))], width))
        canvas.shadow(hand, 0.012, 0.006, 0.35, clip=face)
        canvas.fill(hand, ink)
    canvas.fill(canvas.mask(ellipse((0.0, 0.56), (0.03, 0.03))), choose_colour(rng))


THINGS: Mapping[str, Callable[[Canvas, np.random.Generator, Box], None]] = MappingProxyType(
    {
        "cup": paint_cup,
        "bottle": paint_bottle,
        "fruit": paint_fruit,
        "plant": paint_plant,
        "ball": paint_ball,
        "clock": paint_clock,
        "chair": paint_chair,
        "lamp": paint_lamp,
    }
)
