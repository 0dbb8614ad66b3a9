"""Sandals and flip-flops: a sole seen a little from above, and straps over the foot."""

import numpy as np

from pix2pix.data.embedded.basics import mix, shade
from pix2pix.data.embedded.objects.canvas import Canvas
from pix2pix.data.embedded.objects.outlines import (
    Points,
    along,
    placement,
    ribbon,
    spline,
)
from pix2pix.data.embedded.objects.palette import choose_colour, contrasting
from pix2pix.data.embedded.objects.shoe_parts import Shoe, over_foot
from pix2pix.data.embedded.objects.soles import paint_heel, paint_sole, plan_footbed, sole_outline


def paint_sandal(canvas: Canvas, rng: np.random.Generator, box: tuple[float, float, float, float]) -> None:
    """A sandal: a sole seen a little from above, and straps over the foot."""
    sole, heel = float(rng.uniform(0.03, 0.08)), float(rng.choice([0.0, 0.02, rng.uniform(0.05, 0.35)]))
    footbed = plan_footbed(sole, heel, float(rng.uniform(0.0, 0.04)))
    depth = float(rng.uniform(0.06, 0.10))
    far = footbed + np.stack(
        [np.zeros(len(footbed)), depth * np.sin(np.linspace(0.0, np.pi, len(footbed))) ** 0.5], axis=1
    )
    surface = np.concatenate([footbed, far[::-1]])
    bottom = sole_outline(footbed, sole, heel, footbed[:1], wedge=rng.random() < 0.5)
    colour, leather = choose_colour(rng), mix(choose_colour(rng), (190.0, 150.0, 105.0), 0.6)
    straps = _plan_straps(footbed, far, heel, rng)
    canvas.pose = placement([surface, bottom, *straps], box, shear=float(rng.uniform(0.0, 0.17)))
    ground, plate = canvas.mask(bottom), canvas.mask(surface)
    canvas.shadow(ground, 0.012, 0.012, 0.25)
    shoe = Shoe.bare("sandal", footbed, bottom, sole, heel, colour, contrasting(rng, colour), leather, rng.random(12))
    if heel > 0.04:
        paint_heel(canvas, shoe, rng)
    canvas.fill(plate, shade(leather, 1.1), "suede", 0.06)
    canvas.round_off(plate, 0.03, ambient=0.7)
    material = str(rng.choice(["leather", "canvas", "suede", "plain"]))
    masks = [canvas.mask(strap) for strap in straps]
    for mask in masks:
        canvas.shadow(mask, 0.025, 0.01, 0.45, clip=plate)
    paint_sole(canvas, shoe, rng)
    gloss = float(rng.uniform(0.05, 0.4))
    for number, mask in enumerate(masks):
        canvas.fill(mask, shade(colour, 0.6 if number % 2 == 0 else 1.0), material, 0.06)
        canvas.round_off(mask, 0.022, gloss=gloss * (number % 2), ambient=0.5)
    if rng.random() < 0.7:
        buckle = along(straps[-1][: len(straps[-1]) // 2], 0.45)
        ring = [np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * side + buckle for side in (0.024, 0.014)]
        canvas.fill(canvas.mask([np.asarray(loop, np.float64) for loop in ring]), (205.0, 190.0, 150.0))


def _plan_straps(footbed: Points, far: Points, heel: float, rng: np.random.Generator) -> list[Points]:
    """Bands from the near edge of the footbed over the foot to the far one, and perhaps around the ankle."""

    def floor(x: float) -> float:
        return float(np.interp(x, footbed[:, 0], footbed[:, 1])) - 0.005

    def beyond(x: float) -> float:
        return float(np.interp(x, far[:, 0], far[:, 1]))

    if rng.random() < 0.25 and heel < 0.05:  # flip-flop: two arms from between the toes
        toe = (0.20, floor(0.20) + 0.05)
        arms = []
        for side, at in ((far, 0.62), (footbed, 0.58)):
            end = (at, float(np.interp(at, side[:, 0], side[:, 1])) + 0.005)
            lift = 0.14 if side is far else 0.09
            arms.append(ribbon(spline([toe, (toe[0] + 0.08, toe[1] + lift * 0.8), (0.45, toe[1] + lift), end]), 0.05))
        return arms
    count = int(rng.integers(1, 4))
    wide = float(rng.uniform(0.07, 0.13)) if count > 1 else float(rng.uniform(0.16, 0.28))
    straps = []
    for at in (np.linspace(0.14, 0.40, count) if count > 1 else np.array([0.2])).tolist():
        height = (0.09 + 0.32 * at) * float(rng.uniform(0.85, 1.15))
        straps += over_foot(
            (at, floor(at)), (at + wide, floor(at + wide)), height, (at + wide + 0.05, beyond(at + wide))
        )
    if rng.random() < 0.7:  # heel strap, from the instep around the ankle
        end = footbed[-1]
        height = float(rng.uniform(0.2, 0.34))
        y = end[1]
        front = spline(
            [
                (0.60, floor(0.60)),
                (0.66, y + 0.7 * height),
                (0.82, y + 0.85 * height),
                (0.99, y + height),
                (1.02, y + 0.5 * height),
                (0.99, y),
            ]
        )
        behind = spline(
            [(0.66, y + 0.72 * height), (0.70, y + height + 0.05), (0.86, y + height + 0.06), (0.99, y + height)]
        )
        straps += [ribbon(behind, 0.04), ribbon(front, 0.045)]
    return straps
