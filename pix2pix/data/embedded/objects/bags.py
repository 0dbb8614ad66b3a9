"""Handbags from the front: totes, satchels, hobos, clutches and bucket bags with handles, flaps, zips and patterns.

Laid out with y upwards from the ground at 0 and the middle at x = 0, and then placed in the picture.
"""

import numpy as np

from pix2pix.data.embedded.basics import mix, shade
from pix2pix.data.embedded.objects.bag_parts import Bag, paint_closing, paint_panels, paint_pattern
from pix2pix.data.embedded.objects.canvas import Canvas, Mask
from pix2pix.data.embedded.objects.outlines import Points, dashes, ellipse, mirrored, placement, ribbon, spline
from pix2pix.data.embedded.objects.palette import METALS, choose_colour, contrasting, pick

SHAPES = {
    # right half from the top of the axis down: (share of half the width, share of the height)
    "tote": (
        (0.0, 1.0),
        (0.5, 0.995),
        (0.93, 1.0),
        (0.93, 1.0),
        (0.99, 0.5),
        (0.98, 0.06),
        (0.93, 0.0),
        (0.5, 0.0),
        (0.0, 0.0),
    ),
    "trapeze": (
        (0.0, 1.0),
        (0.5, 1.0),
        (0.72, 0.98),
        (0.78, 0.9),
        (0.92, 0.4),
        (1.0, 0.06),
        (0.94, 0.0),
        (0.5, 0.0),
        (0.0, 0.0),
    ),
    "bowling": ((0.0, 1.0), (0.4, 0.98), (0.74, 0.86), (0.94, 0.55), (1.0, 0.15), (0.94, 0.01), (0.5, 0.0), (0.0, 0.0)),
    "satchel": ((0.0, 1.0), (0.6, 1.0), (0.93, 0.98), (1.0, 0.86), (1.0, 0.12), (0.94, 0.01), (0.6, 0.0), (0.0, 0.0)),
    "hobo": (
        (0.0, 0.78),
        (0.3, 0.82),
        (0.62, 1.0),
        (0.78, 1.04),
        (0.92, 0.85),
        (1.0, 0.42),
        (0.85, 0.10),
        (0.5, 0.01),
        (0.0, 0.0),
    ),
    "bucket": (
        (0.0, 1.0),
        (0.4, 1.02),
        (0.86, 1.0),
        (0.86, 1.0),
        (0.92, 0.6),
        (1.0, 0.2),
        (0.86, 0.03),
        (0.5, 0.0),
        (0.0, 0.0),
    ),
}


def paint_bag(canvas: Canvas, rng: np.random.Generator, box: tuple[float, float, float, float]) -> None:
    """Paint one bag of a random kind into the box."""
    bag = plan_bag(rng)
    handles = plan_handles(bag, rng)
    lean = float(rng.uniform(-0.06, 0.06))
    canvas.pose = placement([bag.outline, *[line for line, _ in handles]], box, shear=lean)
    body = canvas.mask(bag.outline)
    canvas.shadow(canvas.mask(ellipse((0.0, 0.015), (bag.half * 0.98, 0.03))), 0.012, 0.016, 0.35)
    chain = rng.random() < 0.22
    for line, width in handles[1:]:
        paint_handle(canvas, bag, line, width, 0.7, chain)
    canvas.fill(body, bag.colour, bag.material, 0.02 if bag.material == "plain" else 0.06)
    paint_pattern(canvas, bag, body, rng)
    paint_panels(canvas, bag, body, rng)
    canvas.round_off(body, 0.11, gloss=bag.gloss, power=26.0, ambient=0.45)
    canvas.round_off(body, 0.015, ambient=0.6)
    paint_closing(canvas, bag, body, rng)
    if handles:
        line, width = handles[0]
        paint_handle(canvas, bag, line, width, 1.0, chain)
        _paint_mounts(canvas, bag, line, width, body)
    if rng.random() < 0.3:
        _paint_charm(canvas, bag, handles, rng)


def plan_bag(rng: np.random.Generator) -> Bag:
    """Shape, proportions, colours and material."""
    kind = str(rng.choice([*SHAPES]))
    half = float(rng.uniform(0.40, 0.58))
    height = half * 2.0 * float(rng.uniform(0.55, 0.95)) * (1.15 if kind == "bucket" else 1.0)
    points = np.asarray(SHAPES[kind])
    shift = rng.normal(0.0, 0.012, points.shape)
    shift[[0, -1]] = 0.0
    doubled = np.flatnonzero((points[1:] == points[:-1]).all(axis=1))
    shift[doubled + 1] = shift[doubled]
    points = points + shift
    outline = mirrored(spline(points * (half, height)), axis=0.0)
    colour = choose_colour(rng)
    material = str(rng.choice(["leather", "leather", "suede", "canvas", "plain"]))
    return Bag(
        kind=kind,
        half=half,
        height=height,
        outline=outline,
        colour=colour,
        second=contrasting(rng, colour),
        metal=pick(rng, METALS),
        material=material,
        gloss=float(rng.uniform(0.08, 0.45)) if material in ("leather", "plain") else 0.03,
    )


def plan_handles(bag: Bag, rng: np.random.Generator) -> list[tuple[Points, float]]:
    """Centre lines and widths of the handles, the near one first; a clutch has none."""
    style = int(rng.integers(10))
    if style == 0 and bag.kind != "hobo":
        return []
    width = float(rng.uniform(0.028, 0.065))
    if bag.kind == "hobo" or style in (1, 2):  # one wide arc
        foot = bag.half * (0.75 if bag.kind == "hobo" else 0.9)
        rise = bag.height * float(rng.uniform(0.45, 0.9))
        base = bag.height * (0.98 if bag.kind == "hobo" else 0.92)
        line = spline(
            [
                (-foot, base),
                (-0.72 * foot, base + 0.6 * rise),
                (0.0, base + rise),
                (0.72 * foot, base + 0.6 * rise),
                (foot, base),
            ]
        )
        return [(line, width * 0.9)]
    foot, rise = bag.half * float(rng.uniform(0.32, 0.55)), bag.height * float(rng.uniform(0.3, 0.8))
    base = bag.height * float(rng.uniform(0.72, 0.9))
    top = bag.height + rise
    square = float(rng.uniform(0.65, 0.95))
    line = spline(
        [
            (-foot, base),
            (-foot * 0.98, bag.height + 0.4 * rise),
            (-foot * square, top - 0.12 * rise),
            (0.0, top),
            (foot * square, top - 0.12 * rise),
            (foot * 0.98, bag.height + 0.4 * rise),
            (foot, base),
        ]
    )
    return [(line, width), (line * (0.94, 1.0) + (0.02, float(rng.uniform(0.02, 0.06))), width)]


def paint_handle(canvas: Canvas, bag: Bag, line: Points, width: float, light: float, chain: bool) -> None:
    """A handle of leather with stitches, or a chain."""
    if chain:
        links = [ellipse((float(x), float(y)), (0.022, 0.013), angle) for x, y, angle in _chain(line)]
        inner = [ellipse((float(x), float(y)), (0.012, 0.005), angle) for x, y, angle in _chain(line)]
        for ring in range(2):
            mask = canvas.mask([*links[ring::2], *inner[ring::2]])
            canvas.shadow(mask, 0.006, 0.004, 0.35)
            canvas.fill(mask, shade(bag.metal, light))
            canvas.round_off(mask, 0.006, gloss=0.5, ambient=0.4)
        return
    mask = canvas.mask(ribbon(line, width))
    canvas.shadow(mask, 0.02, 0.012, 0.3 * light)
    canvas.fill(mask, shade(mix(bag.colour, bag.second, 0.0), light), bag.material, 0.04)
    canvas.round_off(mask, 0.5 * width * float(np.hypot(*canvas.pose[:, 0])), gloss=bag.gloss, ambient=0.42)
    if width > 0.04:
        for offset in (-0.34, 0.34):
            edge = ribbon(line, 2 * abs(offset) * width)
            side = edge[: len(line)] if offset < 0 else edge[len(line) :]
            canvas.stroke(
                dashes(side, 0.024), shade(bag.colour, 0.6 if sum(bag.colour) > 240 else 1.8), 0.005, 0.7, mask
            )


def _chain(line: Points) -> list[tuple[float, float, float]]:
    """Places and turns of the links of a chain."""
    reach = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    at = np.arange(0.0, reach[-1], 0.031)
    x, y = np.interp(at, reach, line[:, 0]), np.interp(at, reach, line[:, 1])
    return list(zip(x.tolist(), y.tolist(), np.arctan2(np.gradient(y), np.gradient(x)).tolist(), strict=True))


def _paint_mounts(canvas: Canvas, bag: Bag, line: Points, width: float, body: Mask) -> None:
    """Leather tabs with rivets or rings where the handle is fixed."""
    for x, y in (line[0], line[-1]):
        tab = canvas.mask(
            spline(
                [
                    (x - width, y + width),
                    (x + width, y + width),
                    (x + width, y - 1.2 * width),
                    (x, y - 2.2 * width),
                    (x - width, y - 1.2 * width),
                ],
                closed=True,
            )
        )
        canvas.shadow(tab, 0.008, 0.006, 0.45, clip=body)
        canvas.fill(tab, shade(bag.colour, 0.85), bag.material, 0.04)
        canvas.round_off(tab, 0.012, gloss=bag.gloss, ambient=0.5)
        rivet = canvas.mask(ellipse((x, y - 0.5 * width), (0.013, 0.013), steps=16))
        canvas.fill(rivet, bag.metal)
        canvas.round_off(rivet, 0.006, gloss=0.5, ambient=0.4)


def _paint_charm(canvas: Canvas, bag: Bag, handles: list[tuple[Points, float]], rng: np.random.Generator) -> None:
    """A tag or tassel that hangs from the handle."""
    x = float(handles[0][0][0, 0]) if handles else -0.5 * bag.half
    y = bag.height * 0.88
    end = y - bag.height * float(rng.uniform(0.2, 0.35))
    canvas.stroke([(x, y), (x + 0.01, (y + end) / 2)], bag.metal, 0.010)
    tag = canvas.mask(
        spline(
            [(x - 0.01, (y + end) / 2), (x + 0.03, (y + end) / 2), (x + 0.055, end), (x - 0.035, end)],
            closed=True,
            steps=4,
        )
    )
    canvas.shadow(tag, 0.015, 0.008, 0.45)
    canvas.fill(tag, bag.second, "leather", 0.05)
    canvas.round_off(tag, 0.015, ambient=0.5)
