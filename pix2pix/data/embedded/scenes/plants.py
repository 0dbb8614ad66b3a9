"""Trees, bushes and flowers of the embedded scenes, lit from the sun's side, with their shadows on the ground."""

from typing import Literal

import cv2
import numpy as np

from pix2pix.data.embedded.basics import Colour, shade
from pix2pix.data.embedded.perlin import Field
from pix2pix.data.embedded.scenes.canvas import SUBPIXEL_BITS, Canvas, Points
from pix2pix.data.embedded.scenes.land import Season

Kind = Literal["broad", "poplar", "spruce", "pine", "bare", "bush"]

TRUNK = (92.0, 74.0, 58.0)
# kind: width of the crown and height of its lower edge, both as shares of the tree's height
CROWNS: dict[Kind, tuple[float, float]] = {
    "broad": (0.78, 0.22),
    "poplar": (0.30, 0.10),
    "spruce": (0.44, 0.06),
    "pine": (0.56, 0.45),
    "bare": (0.70, 0.25),
    "bush": (1.50, 0.0),
}


def choose_tree(rng: np.random.Generator, season: Season, evergreen: float) -> tuple[Kind, Colour]:
    """A kind of tree for a season and its colour; `evergreen` is the chance of a conifer."""
    throws = rng.random(4).tolist()
    wear = 0.86 + 0.28 * throws[3]
    if throws[0] < evergreen:
        kind: Kind = "spruce" if throws[1] < 0.75 else "pine"
        return kind, shade(season.needles, wear)
    colour = season.leaves[int(throws[2] * len(season.leaves))]
    if throws[1] < season.bare:
        return "bare", shade((104.0, 88.0, 76.0), wear)
    return ("poplar" if throws[1] > 0.86 else "broad"), shade(colour, wear)


def paint_tree(canvas: Canvas, kind: Kind, x: float, z: float, height: float, colour: Colour, snow: float) -> None:
    """A tree `height` metres tall that stands at (x, z), and its shadow."""
    width, lower = CROWNS[kind]
    width *= height
    _cast(canvas, x, z, height, width, lower, 0.45 if kind == "bare" else 0.08)
    if kind != "bush":
        thick = 0.022 * height * (1.4 if kind == "broad" else 1.0)
        top = height * (0.5 if kind != "bare" else 0.6)
        trunk = canvas.camera.project(
            x + np.array([-thick, -0.5 * thick, 0.5 * thick, thick]), np.array([0.0, top, top, 0.0]), z
        )
        canvas.fill(trunk, TRUNK, 0.4, z, 0.6)
    if kind == "bare":
        _paint_branches(canvas, x, z, height, colour)
    _paint_crown(canvas, kind, (x, z), (width, lower * height, height), colour, snow)


def _cast(canvas: Canvas, x: float, z: float, height: float, width: float, lower: float, rest: float) -> None:
    """The shadow: the crown as an upright ellipse, laid on the ground along the sun's rays."""
    sun = canvas.direction
    angle = np.linspace(0.0, 2.0 * np.pi, 20, endpoint=False)
    up = height * (0.5 * (1.0 + lower) + 0.5 * (1.0 - lower) * np.sin(angle))
    reach = np.minimum(up / max(sun.y, 0.25), 2.5 * height)
    across = x + 0.5 * width * np.cos(angle) - sun.x * reach
    ahead = np.maximum(z - sun.z * reach, 1.5)
    canvas.shadow(canvas.camera.project(across, 0.0, ahead), rest)
    foot = np.array([-0.02, 0.02]) * height + x
    tip = float(reach.min())
    ends_x, ends_z = np.append(foot, foot[::-1] - sun.x * tip), np.array([z, z, z - sun.z * tip, z - sun.z * tip])
    canvas.shadow(canvas.camera.project(ends_x, 0.0, np.maximum(ends_z, 1.5)), rest)


def _paint_crown(
    canvas: Canvas,
    kind: Kind,
    place: tuple[float, float],
    extent: tuple[float, float, float],
    colour: Colour,
    snow: float,
) -> None:
    x, z = place
    width, bottom, top = extent
    corners = canvas.camera.project(np.array([x - 0.6 * width, x + 0.6 * width]), np.array([top * 1.04, bottom]), z)
    (left, upper), (right, lower) = corners.tolist()
    rows, columns, down, across = canvas.area((left, upper, right, lower))
    coarse, leaf = (canvas.noise(grain, len(down), len(across)) for grain in ("middle", "fine"))
    if not len(down) or not len(across) or right - left > 3.0:
        return
    v = ((down - np.float32(upper)) / np.float32(lower - upper))[:, None]
    u = ((across - np.float32(0.5 * (left + right))) / np.float32(0.5 * (right - left)))[None] * 1.2
    depth = _crown_depth(kind, u, v) + 0.22 * coarse + 0.13 * leaf
    # Leaves have sharp edges as far as pixels allow; from afar a crown has a soft one.
    pixels = max(4.0, (lower - upper) * canvas.side)
    sharp = np.float32(min(0.16 * pixels, 5.0))
    density = 0.30 if kind == "bare" else 1.0
    cover = np.clip(depth * sharp + 0.5, 0.0, 1.0) * np.float32(density)
    side = np.float32(-np.sign(canvas.direction.x) * 0.34)
    sun = 0.52 - side * u - 0.42 * (v - 0.45) + 0.20 * coarse + 0.17 * leaf
    dark = 1.0 + 0.10 * coarse + 0.11 * leaf - 0.35 * np.clip(v - 0.55, 0.0, 1.0)
    tinted = np.asarray(colour, np.float32) * dark[..., None]
    if snow > 0.0 and kind != "bare":
        white = np.clip((0.35 * leaf + 0.8 * coarse + 0.2) * 1.5, 0.0, 0.85)[..., None]
        tinted += (np.array([232, 237, 245], np.float32) - tinted) * white * np.float32(snow)
    canvas.blend((rows, columns), cover, tinted, sun * np.float32(0.95), float(canvas.remoteness(z)), 0.45)


def _crown_depth(kind: Kind, u: Field, v: Field) -> Field:
    """How far inside the crown's outline a point lies: u within -1 to 1 across, v from 0 at the top to 1 below."""
    if kind == "spruce":
        tiers = 0.72 + 0.28 * ((v**0.8 * 7.0) % 1.0)
        return np.asarray(((0.95 * v + 0.02) * tiers - np.abs(u)) * 2.4, np.float32)
    if kind == "pine":
        return np.asarray(0.9 - u**2 - ((v - 0.5) * 2.0) ** 2 + 0.2 * np.cos(9.0 * v), np.float32)
    if kind == "bush":
        return np.asarray(0.86 - u**2 - ((v - 0.66) / np.where(v < 0.66, 0.66, 0.40)) ** 2, np.float32)
    lift = np.float32(0.46 if kind == "broad" else 0.55)
    return np.asarray(0.86 - u**2 - ((v - lift) / np.where(v < lift, lift, 1.0 - lift)) ** 2, np.float32)


def _paint_branches(canvas: Canvas, x: float, z: float, height: float, colour: Colour) -> None:
    """The boughs of a tree without leaves; its twigs are a thin crown."""
    rng = canvas.rng
    low, out, rise = (
        height * rng.uniform(0.2, 0.62, 18),
        height * rng.uniform(-0.36, 0.36, 18),
        rng.uniform(0.5, 1.0, 18),
    )
    share = np.array([0.0, 0.35, 0.7, 1.0])
    up = np.minimum(low[:, None] + 0.45 * height * rise[:, None] * share**0.8, height)
    boughs = np.stack([x + out[:, None] * share**0.85, up], axis=-1)
    # Each twig starts somewhere along a bough and goes on upwards.
    which, along = rng.integers(0, 18, 80), rng.integers(1, 4, 80)
    start = boughs[which, along]
    twigs = np.stack([start, start + height * rng.uniform((-0.11, 0.03), (0.11, 0.15), (80, 2))], axis=1)
    nature = (float(canvas.remoteness(z)), 0.0, 60.0)
    for lines, width in ((boughs, 0.009), (twigs, 0.003)):
        thick = max(1, round(width * height / z * canvas.camera.focal * canvas.side))
        fixed = list(canvas.fixed(canvas.camera.project(lines[..., 0], lines[..., 1], z)))
        for buffer, value in ((canvas.colour, shade(colour, 0.8)), (canvas.sun, (140.0,)), (canvas.nature, nature)):
            cv2.polylines(buffer, fixed, False, value, thick, cv2.LINE_AA, SUBPIXEL_BITS)


def paint_flowers(canvas: Canvas, colours: tuple[Colour, ...], count: int, far: float, clearing: Points | None) -> None:
    """Flower heads in drifts over the meadow from the camera to `far` metres, none within the polygon `clearing`."""
    rng, camera = canvas.rng, canvas.camera
    near = camera.distance(1.0)
    z = near * (far / near) ** rng.random(count)
    across = rng.normal(0.0, 0.5, count) + rng.choice(rng.uniform(-1.0, 1.0, 5), count)
    kinds = rng.integers(0, len(colours), count) if rng.random() < 0.5 else np.zeros(count, int)
    centres = camera.project(across * camera.half_width(far) * z / far * 1.2, rng.uniform(0.0, 0.25, count), z)
    radii = np.clip(0.07 * camera.focal / z, 0.0, 0.012) * canvas.side * (1 << SUBPIXEL_BITS)
    hull = None if clearing is None else canvas.fixed(clearing).astype(np.float32).reshape(-1, 1, 2)
    for (px, py), radius, kind in zip(canvas.fixed(centres).tolist(), radii.tolist(), kinds.tolist(), strict=True):
        if hull is not None and cv2.pointPolygonTest(hull, (float(px), float(py)), False) >= 0:
            continue
        colour = colours[kind]
        axes = (max(4, round(radius)), max(4, round(0.7 * radius)))
        cv2.ellipse(canvas.colour, (px, py), axes, 0, 0, 360, colour, -1, cv2.LINE_AA, SUBPIXEL_BITS)
