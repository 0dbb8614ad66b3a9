"""Soles and heels of the embedded shoes, from flat rubber to a stiletto."""

import numpy as np

from pix2pix.data.embedded.basics import shade
from pix2pix.data.embedded.objects.canvas import Canvas, Mask
from pix2pix.data.embedded.objects.outlines import (
    Points,
    moved,
    spline,
)
from pix2pix.data.embedded.objects.shoe_parts import Shoe


def plan_footbed(sole: float, heel: float, spring: float) -> Points:
    """The line between upper and sole, from the toe to the heel."""
    return spline(
        [
            (0.0, sole + spring),
            (0.12, sole + 0.2 * spring),
            (0.30, sole + 0.01 * heel),
            (0.50, sole + 0.26 * heel),
            (0.72, sole + 0.75 * heel),
            (0.88, sole + 0.97 * heel),
            (1.0, sole + heel),
        ]
    )


def sole_outline(footbed: Points, sole: float, heel: float, tip: Points, wedge: bool) -> Points:
    """The outline of the sole: flat on the ground, following the arch where a heel stands apart, or a wedge."""
    top = np.concatenate(
        [moved(tip, -0.002, 0.006), footbed[footbed[:, 0] > tip[0, 0] + 0.01], [[1.015, footbed[-1, 1]]]]
    )
    if heel > 0.06 and not wedge:
        under = footbed[footbed[:, 0] > 0.25] - (0.0, sole)
        return np.concatenate(
            [top, [[1.0, footbed[-1, 1] - sole]], under[::-1], [[0.1, 0.0], [tip[0, 0] + 0.03, tip[0, 1] - sole]]]
        )
    ground = spline(
        [
            (1.01, 0.02),
            (0.99, 0.0),
            (0.99, 0.0),
            (0.6, 0.0),
            (0.2, 0.0),
            (0.10, 0.002),
            (0.03, 0.5 * (tip[0, 1] - sole)),
            (-0.008, tip[0, 1] - 0.5 * sole),
            (-0.002, tip[0, 1]),
        ]
    )
    return np.concatenate([top, ground])


def paint_heel(canvas: Canvas, shoe: Shoe, rng: np.random.Generator) -> None:
    """A heel of its own: from a stiletto to a block."""
    if shoe.heel < 0.05:
        return
    top = shoe.footbed[-1, 1] - shoe.sole * 0.5
    front = float(rng.uniform(0.70, 0.82))
    slim = float(rng.uniform(0.02, 0.22)) if shoe.heel > 0.14 else float(rng.uniform(0.14, 0.26))
    foot = float(rng.uniform(0.93, 1.0))
    at = float(np.interp(front, shoe.footbed[:, 0], shoe.footbed[:, 1])) - shoe.sole * 0.6
    left = max(front, foot - slim) if slim > 0.12 else foot - slim
    outline = np.concatenate(
        [
            spline([(front, at), (front + 0.35 * (left - front) + 0.02, at * 0.72), (left, top * 0.3), (left, 0.0)]),
            spline([(foot, 0.0), (foot + 0.002, top * 0.35), (1.0, top * 0.8), (1.015, top + 0.01)]),
        ]
    )
    mask = canvas.mask(outline)
    colour = shoe.colour if rng.random() < 0.5 else shoe.sole_colour
    canvas.fill(mask, colour, "wood" if rng.random() < 0.4 else "plain", 0.05)
    tip = canvas.mask(
        np.array([[left - 0.02, -0.02], [foot + 0.02, -0.02], [foot + 0.02, 0.02], [left - 0.02, 0.02]]), mask
    )
    canvas.fill(tip, (40.0, 38.0, 38.0))
    canvas.round_off(mask, 0.03, gloss=shoe.gloss * 0.8, ambient=0.5)


def paint_sole(canvas: Canvas, shoe: Shoe, rng: np.random.Generator) -> None:
    """The sole with its lines, tread and welt."""
    mask = canvas.mask(shoe.bottom)
    canvas.fill(mask, shoe.sole_colour, "plain", 0.03)
    if shoe.sole > 0.05:
        _paint_sole_lines(canvas, shoe, mask)
    elif 0.0 < shoe.heel <= 0.06:  # a stacked heel
        block = canvas.mask(
            np.array([[0.72, 0.0], [1.05, 0.0], [1.05, shoe.sole * 0.6], [0.72, shoe.sole * 0.6]]), mask
        )
        canvas.fill(block, shade(shoe.sole_colour, 0.7), "wood", 0.08)
    canvas.round_off(mask, 0.03, gloss=0.06, ambient=0.62)
    edge = shade(shoe.sole_colour, 0.55)
    canvas.stroke(shoe.footbed - (0.0, 0.008), edge, 0.008, 0.8, clip=mask)


def _paint_sole_lines(canvas: Canvas, shoe: Shoe, mask: Mask) -> None:
    """Stripes along the rubber, a coloured layer, or a tread."""
    middle = np.stack([shoe.footbed[:, 0], shoe.footbed[:, 1] * 0.5], axis=1)
    style = shoe.dice[1]
    if style < 0.35:
        canvas.stroke(spline(moved(middle[::6], 0.0, 0.005)), shoe.second, 0.014, clip=mask)
    elif style < 0.7:
        layer = np.concatenate([moved(middle, 0.0, -0.1 * shoe.sole), [[1.1, -0.05], [-0.1, -0.05]]])
        canvas.fill(canvas.mask(layer, mask), shoe.second if shoe.dice[2] < 0.6 else shade(shoe.sole_colour, 0.6))
    if shoe.dice[3] < 0.6:
        count = int(14 + 18 * shoe.dice[4])
        x = np.linspace(0.02, 0.98, count)
        treads = [np.array([[at, -0.01], [at + 0.006, 0.35 * shoe.sole]]) for at in x]
        canvas.stroke(treads, shade(shoe.sole_colour, 0.45), 0.010, 0.8, clip=mask)
