"""Chairs and lamps of the embedded objects, in simple perspective.

Laid out with y upwards from the ground at 0 and the middle at x = 0, and then placed in the picture.
"""

import numpy as np

from pix2pix.data.embedded.basics import Colour, shade
from pix2pix.data.embedded.objects.canvas import Canvas
from pix2pix.data.embedded.objects.outlines import Points, ellipse, moved, placement, ribbon, spline
from pix2pix.data.embedded.objects.palette import METALS, choose_colour, pick

Box = tuple[float, float, float, float]

WOODS: tuple[Colour, ...] = ((150.0, 100.0, 60.0), (196.0, 150.0, 100.0), (92.0, 58.0, 38.0), (222.0, 196.0, 156.0))


def _bar(canvas: Canvas, outline: Points, colour: Colour, texture: str, gloss: float, reach: float = 0.02) -> None:
    """One piece, rounded."""
    mask = canvas.mask(outline)
    canvas.shadow(mask, 0.012, 0.010, 0.25)
    canvas.fill(mask, colour, texture, 0.08)
    canvas.round_off(mask, reach, gloss=gloss, ambient=0.5)


def paint_chair(canvas: Canvas, rng: np.random.Generator, box: Box) -> None:
    """A chair or armchair, turned a little to one side."""
    half, depth, seat = rng.uniform((0.30, 0.14, 0.42), (0.42, 0.26, 0.55)).tolist()
    back, aside = float(rng.uniform(0.95, 1.3)), float(rng.uniform(0.06, 0.2))
    far = np.array([aside, depth])  # from the front edge of the seat to its back edge
    front = np.array([[-half, seat], [half, seat]])
    thick = float(rng.uniform(0.05, 0.14))
    canvas.pose = placement(
        [np.array([[-half - 0.1, 0.0], [half + aside + 0.1, back + 0.05]])], box, flip=rng.random() < 0.5
    )
    colour = pick(rng, WOODS) if rng.random() < 0.6 else choose_colour(rng)
    cushion = choose_colour(rng) if rng.random() < 0.7 else colour
    leg, splay = float(rng.uniform(0.035, 0.07)), float(rng.uniform(0.0, 0.07))
    corners = [front[0] + far, front[1] + far, front[0] + (0.03, 0.0), front[1] - (0.03, 0.0)]
    ground = canvas.mask(
        np.array([[-half, 0.0], [half, 0.0], [half + aside, 0.6 * depth], [-half + aside, 0.6 * depth]])
    )
    canvas.shadow(ground, 0.02, 0.03, 0.25)
    for number, corner in enumerate(corners[:2]):
        side = -1.0 if number == 0 else 1.0
        foot = np.array([corner[0] + side * splay, depth * 0.85])
        _bar(canvas, ribbon([tuple(foot), tuple(corner)], leg), shade(colour, 0.75), "wood", 0.1)
    _paint_back(canvas, front + far, back, leg, (colour, cushion), rng)
    edge = np.array([(0.0, -thick)])
    top = np.concatenate([front, (front + far)[::-1]])
    for piece, light in (
        (np.concatenate([front, (front + edge)[::-1]]), 0.8),
        (np.array([front[1], front[1] + far, front[1] + far + edge[0], front[1] + edge[0]]), 0.65),
    ):
        _bar(canvas, piece, shade(cushion, light), "canvas", 0.0)
    mask = canvas.mask(top)
    canvas.fill(mask, shade(cushion, 1.05), "canvas", 0.06)
    canvas.round_off(mask, 0.03, gloss=0.06, ambient=0.6)
    for number, corner in enumerate(corners[2:]):
        side = -1.0 if number == 0 else 1.0
        _bar(
            canvas,
            ribbon([(corner[0] + side * splay, 0.0), (corner[0], corner[1] - 0.02)], np.array([leg * 0.8, leg])),
            colour,
            "wood",
            0.12,
        )
    if rng.random() < 0.4:
        for side, at in ((-1.0, front[0]), (1.0, front[1])):
            rest = spline(
                [
                    tuple(moved(at, 0.0, 0.0)),
                    tuple(moved(at, side * 0.02, 0.22)),
                    tuple(at + far * 0.5 + (side * 0.02, 0.26)),
                    tuple(at + far + (0.0, 0.24)),
                ]
            )
            _bar(canvas, ribbon(rest, leg), colour, "wood", 0.12)


def _paint_back(
    canvas: Canvas, base: Points, top: float, leg: float, colours: tuple[Colour, Colour], rng: np.random.Generator
) -> None:
    """Posts with slats, spindles, a ladder, or an upholstered back."""
    colour, cushion = colours
    (left, y), (right, _) = base.tolist()
    style, lean = int(rng.integers(4)), float(rng.uniform(0.0, 0.06))
    if style == 0:
        bulge = float(rng.uniform(0.0, 0.08))
        outline = spline(
            [
                (left, y - 0.05),
                (left - bulge + lean, (y + top) / 2),
                (left + lean + 0.05, top),
                ((left + right) / 2 + lean, top + 0.03),
                (right + lean - 0.05, top),
                (right + bulge + lean, (y + top) / 2),
                (right, y - 0.05),
            ]
        )
        _bar(canvas, outline, cushion, "canvas", 0.05, 0.06)
        buttons = [
            ellipse((left + (right - left) * share + lean, y + (top - y) * height), (0.014, 0.014), steps=12)
            for share in (0.25, 0.5, 0.75)
            for height in (0.35, 0.7)
        ]
        canvas.fill(canvas.mask(buttons), shade(cushion, 0.55))
        return
    pieces: list[Points] = []
    if style == 1:
        pieces = [
            ribbon([(left + (right - left) * share, y), (left + (right - left) * share + lean, top - 0.03)], 0.03)
            for share in np.linspace(0.14, 0.86, 6).tolist()
        ]
    elif style == 2:
        pieces = [
            ribbon(spline([(left, row), ((left + right) / 2, row + 0.03), (right, row)]), 0.06)
            for row in np.linspace(y + 0.14, top - 0.16, 3).tolist()
        ]
    else:
        pieces = [ribbon([((left + right) / 2, y), ((left + right) / 2 + lean, top)], (right - left) * 0.36)]
    pieces += [ribbon([(x, y - 0.04), (x + lean, top)], leg) for x in (left + 0.02, right - 0.02)]
    pieces.append(
        ribbon(
            spline(
                [
                    (left + lean - 0.01, top - 0.03),
                    ((left + right) / 2 + lean, top + 0.02),
                    (right + lean + 0.01, top - 0.03),
                ]
            ),
            0.10,
        )
    )
    for piece in pieces:
        _bar(canvas, piece, colour, "wood", 0.12)


def paint_lamp(canvas: Canvas, rng: np.random.Generator, box: Box) -> None:
    """A table lamp: a turned foot and a shade that glows or not."""
    base, tall, wide = rng.uniform((0.16, 0.40, 0.28), (0.3, 0.75, 0.46)).tolist()
    top, high = wide * float(rng.uniform(0.45, 0.95)), float(rng.uniform(0.3, 0.5))
    body = np.array(
        [
            [0.03, tall],
            [0.05, tall * 0.9],
            [0.04, tall * 0.75],
            [0.10, tall * 0.5],
            [0.06, tall * 0.25],
            [base, 0.06],
            [base, 0.0],
            [0.0, -0.01],
        ]
    )
    body[2:5, 0] = rng.uniform(0.025, 0.8 * base, 3)
    right = spline(body)
    shade_outline = np.array([[-top, tall + high], [top, tall + high], [wide, tall - 0.04], [-wide, tall - 0.04]])
    bow = np.concatenate(
        [
            spline([(-top, tall + high), (0.0, tall + high + 0.03), (top, tall + high)]),
            spline([(wide, tall - 0.04), (0.0, tall - 0.09), (-wide, tall - 0.04)]),
        ]
    )
    foot = np.concatenate([right, (right * (-1.0, 1.0))[::-1]])
    canvas.pose = placement([foot, shade_outline], box)
    canvas.shadow(canvas.mask(ellipse((0.0, 0.0), (base * 1.05, 0.04))), 0.02, 0.015, 0.45)
    mask = canvas.mask(foot)
    canvas.fill(mask, choose_colour(rng) if rng.random() < 0.7 else pick(rng, METALS), "plain", 0.05)
    canvas.round_off(mask, 0.07, gloss=float(rng.uniform(0.15, 0.5)), ambient=0.38)
    cloth = choose_colour(rng) if rng.random() < 0.5 else (240.0, 226.0, 196.0)
    screen = canvas.mask(bow)
    canvas.shadow(screen, 0.02, 0.02, 0.35, clip=mask)
    canvas.fill(screen, cloth, "canvas", 0.06)
    if rng.random() < 0.4:
        pleats = [
            np.array([[top * share, tall + high + 0.05], [wide * share, tall - 0.1]])
            for share in np.linspace(-0.95, 0.95, 24).tolist()
        ]
        canvas.stroke(pleats, shade(cloth, 0.7), 0.010, 0.6, screen)
    canvas.round_off(screen, 0.16, ambient=0.5)
    if rng.random() < 0.5:
        glow = canvas.soften(canvas.mask(ellipse((0.0, tall + 0.4 * high), (wide * 0.5, high * 0.3))), 0.06)
        canvas.fill(glow.within(screen), (255.0, 238.0, 190.0), grain=0.0, share=0.8)
    for row in (bow[:17], bow[17:]):
        canvas.stroke(row, shade(cloth, 0.7), 0.022, 0.9, screen)
