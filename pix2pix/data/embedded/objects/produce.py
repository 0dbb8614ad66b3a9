"""Fruit and potted plants of the embedded objects.

Laid out with y upwards from the ground at 0 and the middle at x = 0, and then placed in the picture.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from pix2pix.data.embedded.basics import Colour, mix, shade
from pix2pix.data.embedded.objects.canvas import Canvas
from pix2pix.data.embedded.objects.outlines import (
    ellipse,
    mirrored,
    moved,
    placement,
    ribbon,
    spline,
)
from pix2pix.data.embedded.objects.palette import choose_colour, contrasting, hue_colour, pick
from pix2pix.data.embedded.objects.vessels import decorate, stand

Box = tuple[float, float, float, float]

FRUITS: Mapping[str, tuple[tuple[tuple[float, float], ...], tuple[Colour, ...]]] = MappingProxyType(
    {
        # right half of the outline, and colours from unripe to ripe
        "apple": (
            ((0.0, 0.86), (0.14, 0.93), (0.36, 0.88), (0.48, 0.6), (0.40, 0.22), (0.22, 0.02), (0.0, 0.05)),
            ((150.0, 176.0, 60.0), (196.0, 40.0, 36.0), (222.0, 190.0, 80.0)),
        ),
        "pear": (
            ((0.0, 1.12), (0.12, 1.1), (0.19, 0.9), (0.26, 0.7), (0.42, 0.42), (0.40, 0.14), (0.2, 0.01), (0.0, 0.02)),
            ((172.0, 184.0, 70.0), (206.0, 186.0, 90.0), (178.0, 130.0, 60.0)),
        ),
        "orange": (
            ((0.0, 0.94), (0.26, 0.9), (0.46, 0.66), (0.46, 0.32), (0.26, 0.05), (0.0, 0.01)),
            ((236.0, 138.0, 30.0), (240.0, 160.0, 40.0), (238.0, 196.0, 60.0)),
        ),
        "lemon": (
            (
                (0.0, 1.06),
                (0.07, 1.0),
                (0.24, 0.88),
                (0.40, 0.6),
                (0.38, 0.34),
                (0.20, 0.08),
                (0.06, 0.0),
                (0.0, -0.03),
            ),
            ((240.0, 212.0, 60.0), (226.0, 206.0, 70.0), (130.0, 170.0, 60.0)),
        ),
        "aubergine": (
            ((0.0, 1.2), (0.10, 1.18), (0.18, 0.95), (0.26, 0.7), (0.38, 0.35), (0.30, 0.06), (0.0, 0.0)),
            ((66.0, 34.0, 72.0), (52.0, 28.0, 60.0), (94.0, 50.0, 90.0)),
        ),
        "pumpkin": (
            ((0.0, 0.66), (0.2, 0.72), (0.46, 0.66), (0.60, 0.4), (0.50, 0.12), (0.2, 0.0), (0.0, 0.02)),
            ((224.0, 120.0, 30.0), (206.0, 140.0, 50.0), (150.0, 150.0, 70.0)),
        ),
    }
)


def paint_fruit(canvas: Canvas, rng: np.random.Generator, box: Box) -> None:
    """A fruit with its stalk, a leaf and speckles."""
    kind = str(rng.choice([*FRUITS]))
    half, colours = FRUITS[kind]
    points = np.asarray(half) * rng.uniform((0.88, 0.9), (1.12, 1.1))
    outline = moved(mirrored(spline(points), axis=0.0), 0.0, 0.0)
    top = float(points[0, 1])
    lean = float(rng.uniform(-0.12, 0.12))
    stalk = spline([(0.0, top - 0.05), (0.3 * lean, top + 0.08), (lean, top + 0.17)])
    canvas.pose = placement([outline, moved(stalk, 0.0, 0.02)], box, shear=float(rng.uniform(-0.1, 0.1)))
    stand(canvas, float(points[:, 0].max()) * 0.8)
    colour, blush = pick(rng, colours, 14.0), pick(rng, colours, 14.0)
    body = canvas.mask(outline)
    canvas.fill(body, colour, "leather" if kind in ("orange", "lemon") else "plain", 0.05)
    x, y = rng.uniform((-0.3, 0.2), (0.3, 0.8)).tolist()
    canvas.fill(
        canvas.soften(canvas.mask(ellipse((x, y), (0.30, 0.36))), 0.07).within(body), blush, "suede", 0.06, share=0.85
    )
    at = rng.uniform((-0.6, 0.0), (0.6, 1.1), (90, 2))
    canvas.fill(
        canvas.mask([ellipse((float(a), float(b)), (0.006, 0.006), steps=6) for a, b in at], body),
        mix(colour, (250.0, 240.0, 190.0), 0.6),
        share=0.6,
    )
    if kind == "pumpkin":
        for bend in (-0.5, -0.28, -0.08, 0.12, 0.32, 0.52):
            groove = canvas.mask(
                ribbon(spline([(bend * 0.2, top), (bend * 1.1, top * 0.55), (bend * 0.4, 0.0)]), 0.03), body
            )
            canvas.darken(canvas.soften(groove, 0.012).within(body), 0.5)
    canvas.round_off(body, 0.30, gloss=float(rng.uniform(0.15, 0.45)), power=22.0, ambient=0.40)
    dimple = canvas.soften(canvas.mask(ellipse((0.0, top - 0.02), (0.12, 0.05))), 0.015)
    canvas.darken(dimple.within(body), 0.5)
    mask = canvas.mask(ribbon(stalk, np.linspace(0.03, 0.055, len(stalk))))
    canvas.fill(mask, (96.0, 74.0, 40.0), "wood", 0.1)
    canvas.round_off(mask, 0.012, ambient=0.5)
    if rng.random() < 0.6:
        side = float(np.sign(rng.normal()))
        paint_leaf(canvas, (0.2 * lean, top + 0.06), (0.2 * lean + side * 0.34, top + 0.10), 0.14, rng)


def paint_leaf(
    canvas: Canvas, foot: tuple[float, float], tip: tuple[float, float], width: float, rng: np.random.Generator
) -> None:
    """A leaf with its veins."""
    line = spline([foot, ((foot[0] + tip[0]) / 2, (foot[1] + tip[1]) / 2 + 0.25 * width), tip])
    profile = width * np.sin(np.linspace(0.02, np.pi, len(line))) ** 0.8
    mask = canvas.mask(ribbon(line, profile))
    colour = hue_colour(float(rng.uniform(0.2, 0.40)), float(rng.uniform(0.4, 0.75)), float(rng.uniform(0.3, 0.65)))
    canvas.shadow(mask, 0.015, 0.01, 0.3)
    canvas.fill(mask, colour, "plain", 0.08)
    canvas.round_off(mask, 0.02, gloss=0.12, ambient=0.5)
    canvas.stroke(line, mix(colour, (230.0, 236.0, 180.0), 0.45), 0.010, 0.8, mask)


def paint_plant(canvas: Canvas, rng: np.random.Generator, box: Box) -> None:
    """A pot with earth and a plant: broad leaves, grass, a cactus or flowers."""
    top, foot, height = rng.uniform((0.24, 0.15, 0.3), (0.34, 0.24, 0.5)).tolist()
    right = spline([(top, height), (top * 0.95, height * 0.6), (foot, 0.03), (foot * 0.9, 0.0), (0.0, -0.01)])
    pot = np.concatenate([right, (right * (-1.0, 1.0))[::-1]])
    crown = ellipse((0.0, height + 0.42), (0.50, 0.48))
    canvas.pose = placement([pot, crown], box)
    stand(canvas, foot)
    colour = pick(rng, ((186.0, 100.0, 66.0), (200.0, 120.0, 84.0), choose_colour(rng), (226.0, 222.0, 212.0)))
    body = canvas.mask(pot)
    canvas.fill(body, colour, "suede", 0.05)
    decorate(canvas, body, 0.05, height * 0.8, contrasting(rng, colour), rng)
    canvas.round_off(body, 0.14, gloss=0.08, ambient=0.42)
    lip = canvas.mask(
        spline(
            [
                (-top * 1.08, height + 0.03),
                (top * 1.08, height + 0.03),
                (top * 1.06, height - 0.07),
                (0.0, height - 0.09),
                (-top * 1.06, height - 0.07),
            ],
            closed=True,
        )
    )
    canvas.shadow(lip, 0.02, 0.012, 0.4, clip=body)
    canvas.fill(lip, shade(colour, 1.05), "suede", 0.05)
    canvas.round_off(lip, 0.04, ambient=0.45)
    earth = canvas.mask(ellipse((0.0, height + 0.02), (top * 0.98, 0.045)))
    canvas.fill(earth, (70.0, 50.0, 38.0), "fur", 0.25)
    if rng.random() < 0.22:
        _paint_cactus(canvas, height, rng)
        return
    slim, count = float(rng.uniform(0.05, 0.26)), int(rng.integers(9, 20))
    flowers = rng.random() < 0.4
    petal = choose_colour(rng)
    for turn in rng.permutation(np.linspace(0.05, 0.95, count)).tolist():
        angle, reach = np.pi * turn, float(rng.uniform(0.45, 0.9))
        tip = (0.62 * reach * float(np.cos(angle)), height + 0.12 + 0.78 * reach * float(np.sin(angle)))
        canvas.stroke(
            spline(
                [(0.02, height), (tip[0] * 0.3, (height + tip[1]) / 2), (tip[0] * 0.6, tip[1] * 0.8 + 0.1 * height)]
            ),
            (80.0, 110.0, 50.0),
            0.014,
        )
        paint_leaf(canvas, (tip[0] * 0.25, height + 0.25 * (tip[1] - height)), tip, slim, rng)
        if flowers and rng.random() < 0.6:
            _paint_blossom(canvas, tip, petal)


def _paint_blossom(canvas: Canvas, centre: tuple[float, float], colour: Colour) -> None:
    angle = np.linspace(0.0, 2.0 * np.pi, 50, endpoint=False)
    reach = 0.10 * (0.7 + 0.3 * np.cos(5 * angle))
    mask = canvas.mask(np.stack([centre[0] + reach * np.cos(angle), centre[1] + reach * np.sin(angle)], axis=1))
    canvas.shadow(mask, 0.012, 0.008, 0.35)
    canvas.fill(mask, colour)
    canvas.round_off(mask, 0.025, ambient=0.55)
    canvas.fill(canvas.mask(ellipse(centre, (0.026, 0.026), steps=14)), (236.0, 190.0, 60.0))


def _paint_cactus(canvas: Canvas, height: float, rng: np.random.Generator) -> None:
    """A column with arms, ribs and thorns."""
    top, wide = height + float(rng.uniform(0.5, 0.85)), float(rng.uniform(0.13, 0.2))
    arms = [spline([(0.0, height), (0.0, top - 0.1), (0.0, top)])]
    for side in (-1.0, 1.0):
        y = height + float(rng.uniform(0.15, 0.35))
        arms.append(
            spline(
                [
                    (0.0, y),
                    (side * 0.22, y + 0.02),
                    (side * 0.30, y + 0.12),
                    (side * 0.30, y + float(rng.uniform(0.2, 0.35))),
                ]
            )
        )
    colour = hue_colour(float(rng.uniform(0.25, 0.42)), 0.5, 0.5)
    for number, arm in enumerate(arms[::-1]):
        thick = wide * (1.6 if number == len(arms) - 1 else 1.0)
        profile = thick * np.minimum(1.0, 0.35 + 2.2 * (1.0 - np.linspace(0.0, 1.0, len(arm))))
        mask = canvas.mask(ribbon(arm, profile))
        canvas.fill(mask, colour, "plain", 0.05)
        canvas.stroke(
            [moved(arm, offset * thick, 0.0) for offset in (-0.28, 0.0, 0.28)], shade(colour, 0.65), 0.014, 0.8, mask
        )
        canvas.round_off(mask, 0.06, gloss=0.05, ambient=0.42)
        thorns = [np.array([[x, y], [x + 0.02, y + 0.012]]) for x, y in (moved(arm[::2], 0.14 * thick, 0.0)).tolist()]
        canvas.stroke([*thorns, *[thorn - (0.3 * thick, 0.0) for thorn in thorns]], (240.0, 236.0, 210.0), 0.006, 0.9)
