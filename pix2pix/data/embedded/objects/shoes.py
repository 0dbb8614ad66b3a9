"""Shoes from the side as in a shop's catalogue: sneakers, boots, pumps, loafers and sandals on white.

Laid out with the toe at x = 0 and the heel at x = 1, y upwards from the ground, and then placed in the picture.
"""

from dataclasses import dataclass

import numpy as np

from pix2pix.data.embedded.basics import Colour, mix, shade
from pix2pix.data.embedded.objects.canvas import Canvas
from pix2pix.data.embedded.objects.outlines import Points, moved, placement, spline
from pix2pix.data.embedded.objects.palette import choose_colour, contrasting
from pix2pix.data.embedded.objects.sandals import paint_sandal
from pix2pix.data.embedded.objects.shoe_parts import (
    Shoe,
    paint_boot_details,
    paint_loafer_details,
    paint_pump_details,
    paint_sneaker_details,
)
from pix2pix.data.embedded.objects.soles import paint_heel, paint_sole, plan_footbed, sole_outline


@dataclass(frozen=True)
class Form:
    """A kind of shoe: control points of its upper above the footbed, and ranges of its sole and heel."""

    vamp: tuple[tuple[float, float], ...]
    collar: tuple[tuple[float, float], ...]
    sole: tuple[float, float]
    heel: tuple[float, float]
    materials: tuple[str, ...]


FORMS = {
    "sneaker": Form(
        ((0.0, 0.02), (0.005, 0.09), (0.08, 0.15), (0.22, 0.19), (0.34, 0.26), (0.50, 0.38)),
        ((0.57, 0.40), (0.72, 0.30), (0.86, 0.31), (0.97, 0.40)),
        (0.06, 0.11),
        (0.0, 0.05),
        ("canvas", "leather", "suede", "mesh"),
    ),
    "high-top": Form(
        ((0.0, 0.02), (0.005, 0.09), (0.09, 0.15), (0.24, 0.19), (0.40, 0.29), (0.53, 0.50)),
        ((0.58, 0.62), (0.70, 0.58), (0.85, 0.58), (0.96, 0.64)),
        (0.06, 0.11),
        (0.0, 0.03),
        ("canvas", "leather", "suede"),
    ),
    "ankle boot": Form(
        ((0.0, 0.02), (0.005, 0.09), (0.09, 0.15), (0.25, 0.195), (0.42, 0.28), (0.53, 0.44)),
        ((0.55, 0.72), (0.68, 0.70), (0.84, 0.70), (0.98, 0.74)),
        (0.03, 0.07),
        (0.03, 0.22),
        ("leather", "leather", "suede"),
    ),
    "tall boot": Form(
        ((0.0, 0.02), (0.005, 0.085), (0.10, 0.14), (0.26, 0.19), (0.44, 0.30), (0.53, 0.56)),
        ((0.49, 1.45), (0.65, 1.42), (0.85, 1.42), (1.02, 1.46)),
        (0.03, 0.06),
        (0.03, 0.30),
        ("leather", "leather", "suede"),
    ),
    "pump": Form(
        ((0.0, 0.01), (0.01, 0.045), (0.07, 0.085), (0.16, 0.115), (0.23, 0.14)),
        ((0.28, 0.15), (0.42, 0.06), (0.68, 0.05), (0.97, 0.23)),
        (0.015, 0.03),
        (0.06, 0.42),
        ("leather", "plain", "suede"),
    ),
    "loafer": Form(
        ((0.0, 0.02), (0.005, 0.08), (0.08, 0.13), (0.20, 0.17), (0.34, 0.23)),
        ((0.43, 0.27), (0.60, 0.20), (0.80, 0.20), (0.97, 0.29)),
        (0.025, 0.06),
        (0.0, 0.05),
        ("leather", "suede", "leather"),
    ),
}


def paint_shoe(canvas: Canvas, rng: np.random.Generator, box: tuple[float, float, float, float]) -> None:
    """Paint one shoe of a random kind into the box."""
    kind = str(rng.choice([*FORMS, "sneaker", "pump", "sandal", "sandal"]))
    if kind == "sandal":
        paint_sandal(canvas, rng, box)
        return
    shoe = plan_shoe(kind, rng)
    canvas.pose = placement([shoe.upper, shoe.bottom], box, shear=float(rng.uniform(0.0, 0.17)))
    upper = canvas.mask(shoe.upper)
    ground = canvas.mask(shoe.bottom)
    canvas.shadow(ground, 0.012, 0.012, 0.25)
    _paint_inside(canvas, shoe, rng)
    if kind == "pump" or shoe.heel > 0.12:
        paint_heel(canvas, shoe, rng)
    canvas.fill(upper, shoe.colour, shoe.material, shoe.grain)
    details = {
        "sneaker": paint_sneaker_details,
        "high-top": paint_sneaker_details,
        "pump": paint_pump_details,
        "loafer": paint_loafer_details,
    }
    details.get(kind, paint_boot_details)(canvas, shoe, upper, rng)
    canvas.round_off(upper, 0.14, gloss=shoe.gloss, power=30.0, ambient=0.42)
    canvas.round_off(upper, 0.02, ambient=0.6)
    if kind in ("sneaker", "high-top"):
        shoe.laces(canvas, upper)
    canvas.shadow(canvas.mask(shoe.bottom), -0.008, 0.008, 0.45, clip=upper)
    paint_sole(canvas, shoe, rng)


def plan_shoe(kind: str, rng: np.random.Generator) -> Shoe:
    """Outlines, colours and material of a shoe."""
    form = FORMS[kind]
    sole, heel = float(rng.uniform(*form.sole)), float(rng.uniform(*form.heel))
    footbed = plan_footbed(sole, heel, float(rng.uniform(0.0, 0.05)))
    tall, bulk = float(rng.uniform(0.88, 1.2)), float(rng.uniform(0.85, 1.25))
    pointed = float(rng.uniform(-0.04, 0.10)) if kind in ("pump", "tall boot", "ankle boot") else 0.0

    def raised(points: tuple[tuple[float, float], ...], stretch: float) -> Points:
        at = np.asarray(points)
        at = at + rng.normal(0.0, 0.006, at.shape)
        height = np.interp(at[:, 0], footbed[:, 0], footbed[:, 1])
        return np.stack([at[:, 0], height + at[:, 1] * stretch], axis=1)

    vamp, collar = raised(form.vamp, bulk), raised(form.collar, tall)
    vamp[-1, 1] = form.vamp[-1][1] * (bulk + tall) / 2 + np.interp(vamp[-1, 0], footbed[:, 0], footbed[:, 1])
    vamp[1:3, 0] -= pointed * np.array([0.0, 0.5])
    vamp[0, 0] -= pointed
    end = footbed[-1]
    # The heel bulges below the ankle, where the shaft of a boot is slimmer.
    rise = collar[-1, 1] - end[1]
    back = np.array([[1.018, end[1] + min(0.5 * rise, 0.14)], [1.005, end[1] + 0.04], [0.985, end[1]]])
    if rise > 0.45:
        back = np.concatenate([[[0.955, end[1] + 0.42]], back])
    front = spline(np.concatenate([vamp, collar[:1]]))
    rim = spline(collar)
    heel_line = spline(np.concatenate([collar[-1:], back]))
    tip = vamp[:1]
    under = footbed[footbed[:, 0] > tip[0, 0]][::-1]
    material = str(rng.choice(form.materials))
    colour = choose_colour(rng)
    glossy = material in ("leather", "plain")
    bottom = sole_outline(footbed, sole, heel, tip, wedge=heel > 0.04 and rng.random() < 0.25)
    return Shoe(
        kind=kind,
        front=front,
        rim=rim,
        footbed=footbed,
        upper=np.concatenate([front, rim, heel_line, under]),
        bottom=bottom,
        sole=sole,
        heel=heel,
        colour=colour,
        second=contrasting(rng, colour),
        sole_colour=_sole_colour(rng, kind, colour),
        material=material,
        grain={"leather": 0.05, "plain": 0.02, "mesh": 0.08, "canvas": 0.08, "suede": 0.05}[material],
        gloss=float(rng.uniform(0.12, 0.55)) if glossy else 0.03,
        dice=rng.random(12),
    )


def _sole_colour(rng: np.random.Generator, kind: str, colour: Colour) -> Colour:
    """White rubber, gum, leather, black, or the colour of the shoe."""
    white, gum, leather, black = (238.0, 236.0, 230.0), (176.0, 122.0, 72.0), (120.0, 78.0, 46.0), (38.0, 36.0, 36.0)
    choices = [white, white, black, gum, colour] if kind in ("sneaker", "high-top") else [leather, black, black, colour]
    return choices[int(rng.integers(len(choices)))]


def _paint_inside(canvas: Canvas, shoe: Shoe, rng: np.random.Generator) -> None:
    """The far side of the opening with its lining, seen over the near rim."""
    first, last = shoe.rim[0], shoe.rim[-1]
    rise = float(rng.uniform(0.03, 0.07)) * (0.7 if shoe.kind == "pump" else 1.0)
    middle = (first + last) / 2 + (0.0, rise - 0.25 * abs(first[1] - last[1]))
    far = spline(
        [
            tuple(first),
            tuple(first * 0.75 + last * 0.25 + (0.0, rise * 0.8)),
            tuple(middle),
            tuple(moved(last, -0.05, rise * 0.2)),
            tuple(last),
        ]
    )
    if shoe.kind == "pump":  # the far topline runs alongside the near one, a little higher
        far = shoe.rim + np.stack(
            [np.zeros(len(shoe.rim)), np.sin(np.linspace(0, np.pi, len(shoe.rim))) * rise], axis=1
        )
    lining = mix(
        shoe.colour, ((225.0, 200.0, 165.0), (60.0, 55.0, 55.0), (240.0, 240.0, 238.0))[int(3 * shoe.dice[0])], 0.75
    )
    depth = 0.12 if shoe.kind != "tall boot" else 0.05
    below = (shoe.rim[::-1] - shoe.rim.mean(axis=0)) * (0.88, 1.0) + shoe.rim.mean(axis=0) - (0.0, depth)
    inside = canvas.mask(np.concatenate([far, below]))
    canvas.fill(inside, lining, "canvas", 0.05)
    canvas.round_off(inside, 0.05, ambient=0.55)
    canvas.shadow(canvas.mask(shoe.upper), 0.01, 0.02, 0.55, clip=inside)
    canvas.stroke(far, shade(shoe.colour, 0.75), 0.012, clip=inside)
