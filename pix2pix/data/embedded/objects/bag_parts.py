"""What the body of a handbag shows: patterns, quilting, panels, pockets, flaps, zips and locks."""

from dataclasses import dataclass

import numpy as np

from pix2pix.data.embedded.basics import Colour, mix, shade
from pix2pix.data.embedded.objects.canvas import Canvas, Mask
from pix2pix.data.embedded.objects.outlines import (
    Points,
    dashes,
    ellipse,
    moved,
    ribbon,
    spline,
)
from pix2pix.data.embedded.objects.palette import choose_colour


@dataclass(frozen=True)
class Bag:
    """A planned bag: half its width, its height, outline and colours."""

    kind: str
    half: float
    height: float
    outline: Points
    colour: Colour
    second: Colour
    metal: Colour
    material: str
    gloss: float


def paint_pattern(canvas: Canvas, bag: Bag, body: Mask, rng: np.random.Generator) -> None:
    """Plain, stripes, checks, dots, quilting, flowers or scales over the whole body."""
    style = int(rng.integers(12))
    half, height = bag.half, bag.height
    step = float(rng.uniform(0.07, 0.15))
    xs, ys = np.arange(-half - 1.0, half + 1.0, step), np.arange(-0.1, height * 1.2, step)
    tone = bag.second if rng.random() < 0.6 else shade(bag.colour, 0.7 if sum(bag.colour) > 240 else 1.7)
    width = step * float(rng.uniform(0.15, 0.5))
    if style in (0, 1):
        upright = [np.array([[x, -1.0], [x, 2.0]]) for x in xs] if rng.random() < 0.5 else []
        level = [np.array([[-1.0, y], [1.0, y]]) for y in ys] if not upright or style == 1 else []
        for lines in (upright, level):
            if lines:
                canvas.stroke(lines, tone, width, 0.75, body)
    elif style == 2:
        centres = [
            (x + 0.5 * step * (row % 2), y) for row, y in enumerate(ys.tolist()) for x in xs[np.abs(xs) < half].tolist()
        ]
        canvas.fill(
            canvas.mask([ellipse(centre, (width * 0.8, width * 0.8), steps=14) for centre in centres], body), tone
        )
    elif style in (3, 4):
        _paint_quilting(canvas, bag, body, xs)
    elif style == 5:
        for x, y, radius, turn in rng.uniform((-half, 0.0, 0.03, 0.0), (half, height, 0.09, 6.0), (16, 4)).tolist():
            petals = 6
            angle = turn + np.linspace(0.0, 2 * np.pi, 60, endpoint=False)
            reach = radius * (0.65 + 0.35 * np.cos(petals * angle))
            flower = np.stack([x + reach * np.cos(angle), y + reach * np.sin(angle)], axis=1)
            canvas.fill(canvas.mask(flower, body), tone if turn < 3 else mix(tone, choose_colour(rng), 0.7), share=0.9)
            canvas.fill(
                canvas.mask(ellipse((x, y), (radius * 0.25, radius * 0.25), steps=14), body), shade(bag.colour, 0.8)
            )
    elif style == 6:  # reptile
        scales = [
            spline(
                [
                    (x + 0.5 * step * (row % 2) - 0.36 * step, y),
                    (x + 0.5 * step * (row % 2), y - 0.3 * step),
                    (x + 0.5 * step * (row % 2) + 0.36 * step, y),
                    (x + 0.5 * step * (row % 2), y + 0.3 * step),
                ],
                closed=True,
                steps=4,
            )
            for row, y in enumerate((ys * 0.6).tolist() + (ys * 0.6 + ys[-1] * 0.6).tolist())
            for x in xs[np.abs(xs) < half + step].tolist()
        ]
        mask = canvas.mask(scales, body)
        canvas.fill(mask, shade(bag.colour, 1.15), "plain", 0.05)
        canvas.round_off(mask, 0.012, gloss=0.2, ambient=0.5)


def _paint_quilting(canvas: Canvas, bag: Bag, body: Mask, xs: Points) -> None:
    """Diamonds with seams between them."""
    slanted = []
    for x in xs.tolist():
        slanted += [np.array([[x, -0.3], [x + 1.4, 1.1]]), np.array([[x, -0.3], [x - 1.4, 1.1]])]
    for line in (slanted[0::2], slanted[1::2]):
        seams = canvas.mask([ribbon(one, 0.02) for one in line], body)
        canvas.darken(canvas.soften(seams, 0.008).within(body), 0.55)
        canvas.stroke([moved(one, 0.012, 0.012) for one in line], shade(bag.colour, 1.4), 0.012, 0.35, body)
        canvas.stroke(line, shade(bag.colour, 0.45), 0.006, 0.8, body)


def paint_panels(canvas: Canvas, bag: Bag, body: Mask, rng: np.random.Generator) -> None:
    """Reinforced corners or base, side panels, pockets and seams."""
    half, height = bag.half, bag.height
    seam = shade(bag.colour, 0.55) if sum(bag.colour) > 200 else shade(mix(bag.colour, (255.0, 255.0, 255.0), 0.3), 1.1)
    pieces: list[Points] = []
    style = int(rng.integers(6))
    if style == 0:
        top = height * float(rng.uniform(0.15, 0.3))
        pieces.append(
            np.concatenate([spline([(-1.0, top), (0.0, top * 0.9), (1.0, top)]), [[1.0, -1.0], [-1.0, -1.0]]])
        )
    elif style == 1:
        pieces += [ellipse((side * half, 0.0), (0.16, 0.16)) for side in (-1, 1)]
    elif style == 2:
        inner = half * float(rng.uniform(0.55, 0.75))
        pieces += [
            spline(
                [
                    (side * inner, height * 1.1),
                    (side * inner * 1.04, height * 0.5),
                    (side * inner, -0.1),
                    (side * 2, -0.1),
                    (side * 2, height),
                ]
            )
            for side in (-1, 1)
        ]
    elif style == 3:
        wide, top = half * float(rng.uniform(0.5, 0.75)), height * float(rng.uniform(0.45, 0.6))
        pieces.append(
            spline(
                [
                    (-wide, top),
                    (-wide, top),
                    (0.0, top * 0.97),
                    (wide, top),
                    (wide, top),
                    (wide * 1.02, top * 0.3),
                    (wide * 0.8, top * 0.14),
                    (0.0, top * 0.13),
                    (-wide * 0.8, top * 0.14),
                    (-wide * 1.02, top * 0.3),
                ],
                closed=True,
            )
        )
    colour = bag.second if rng.random() < 0.4 else shade(bag.colour, float(rng.uniform(0.7, 1.1)))
    for piece in pieces:
        mask = canvas.mask(piece, body)
        canvas.shadow(mask, 0.006, 0.006, 0.45, clip=body)
        canvas.fill(mask, colour, bag.material, 0.05)
        canvas.round_off(mask, 0.008, ambient=0.6)
        middle = piece.mean(axis=0)
        canvas.stroke(dashes(middle + (piece - middle) * 0.95, 0.024), seam, 0.006, 0.8, mask)
    inset = bag.outline * (0.94, 0.95) + (0.0, 0.025 * height)
    canvas.stroke(dashes(inset, 0.024), seam, 0.006, 0.75, body)


def paint_closing(canvas: Canvas, bag: Bag, body: Mask, rng: np.random.Generator) -> None:
    """A flap with its lock, a zip, straps with buckles, or an open top."""
    half, height = bag.half, bag.height
    style = int(rng.integers(5)) if bag.kind != "hobo" else 1
    if style in (0, 4):
        _paint_flap(canvas, bag, body, rng)
    elif style == 1:
        _paint_zip(canvas, bag, body, rng)
    elif style == 2:
        for x in (0.0,) if rng.random() < 0.5 else (-0.5 * half, 0.5 * half):
            strap = canvas.mask(ribbon([(x, height * 1.02), (x, height * 0.55)], 0.075))
            canvas.shadow(strap, 0.012, 0.01, 0.5, clip=body)
            canvas.fill(strap, bag.second if rng.random() < 0.4 else shade(bag.colour, 0.85), bag.material, 0.05)
            canvas.round_off(strap, 0.012, gloss=bag.gloss, ambient=0.5)
            paint_lock(canvas, bag, (x, height * 0.62), rng)


def _paint_flap(canvas: Canvas, bag: Bag, body: Mask, rng: np.random.Generator) -> None:
    """A flap over the upper part, curved at its edge, with a lock in the middle."""
    half, height = bag.half, bag.height
    drop = height * float(rng.uniform(0.35, 0.62))
    bow = float(rng.uniform(0.0, 0.2)) * height
    edge = spline(
        [
            (half * 1.1, height - drop + bow),
            (half * 0.6, height - drop + 0.3 * bow),
            (0.0, height - drop - 0.2 * bow),
            (-half * 0.6, height - drop + 0.3 * bow),
            (-half * 1.1, height - drop + bow),
        ]
    )
    outline = np.concatenate([edge, [[-1.2, 2.0], [1.2, 2.0]]])
    flap = canvas.mask(outline, body)
    canvas.shadow(flap, 0.02, 0.014, 0.55, clip=body)
    canvas.fill(flap, bag.second if rng.random() < 0.25 else bag.colour, bag.material, 0.05)
    if rng.random() < 0.3:
        _paint_quilting(canvas, bag, flap, np.arange(-1.5, 1.5, 0.11))
    canvas.round_off(flap, 0.045, gloss=bag.gloss, ambient=0.5)
    canvas.stroke(
        dashes(moved(edge, 0.0, 0.025), 0.024),
        shade(bag.colour, 0.5 if sum(bag.colour) > 200 else 2.2),
        0.006,
        0.8,
        flap,
    )
    paint_lock(canvas, bag, (0.0, height - drop + 0.02), rng)


def _paint_zip(canvas: Canvas, bag: Bag, body: Mask, rng: np.random.Generator) -> None:
    """A zip near the top and its pull."""
    half, height = bag.half, bag.height
    row = height * (0.70 if bag.kind == "hobo" else 0.93)
    sag = -0.04 if bag.kind == "hobo" else 0.0
    line = spline([(-0.8 * half, row), (0.0, row + sag), (0.8 * half, row)])
    canvas.stroke(line, shade(bag.colour, 0.45), 0.035, clip=body)
    canvas.stroke(dashes(line, 0.016, 0.55), bag.metal, 0.016, 0.95, body)
    x, y = line[3].tolist()
    pull = canvas.mask(
        spline(
            [
                (x, y + 0.012),
                (x + 0.014, y),
                (x + 0.02, y - 0.09),
                (x, y - 0.11),
                (x - 0.02, y - 0.09),
                (x - 0.014, y),
            ],
            closed=True,
        )
    )
    canvas.shadow(pull, 0.01, 0.006, 0.5, clip=body)
    canvas.fill(pull, bag.metal if rng.random() < 0.5 else bag.second)
    canvas.round_off(pull, 0.008, gloss=0.3, ambient=0.5)


def paint_lock(canvas: Canvas, bag: Bag, centre: tuple[float, float], rng: np.random.Generator) -> None:
    """A round, square or turning clasp, or a buckle, in metal."""
    x, y = centre
    radius = float(rng.uniform(0.03, 0.055))
    square = np.array([[-1.0, -0.8], [1.0, -0.8], [1.0, 0.8], [-1.0, 0.8]])
    outer = ellipse((x, y), (radius, radius)) if rng.random() < 0.5 else square * radius + (x, y)
    hollow = rng.random() < 0.45
    inner = (outer - (x, y)) * 0.62 + (x, y)
    mask = canvas.mask([outer, inner] if hollow else outer)
    canvas.shadow(mask, 0.012, 0.008, 0.6)
    canvas.fill(mask, bag.metal)
    canvas.round_off(mask, 0.014, gloss=0.6, power=12.0, ambient=0.35)
    if not hollow:
        canvas.stroke([(x - 0.5 * radius, y), (x + 0.5 * radius, y)], shade(bag.metal, 0.4), 0.25 * radius)
    else:
        canvas.stroke([(x - radius, y), (x + 0.9 * radius, y)], shade(bag.metal, 0.9), 0.2 * radius)
