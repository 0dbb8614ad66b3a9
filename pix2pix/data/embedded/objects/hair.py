"""Hair of the embedded portraits; strands are Perlin noise stretched along the way the hair falls."""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from pix2pix.data.embedded.basics import Colour, mix, shade
from pix2pix.data.embedded.objects.canvas import Canvas, Mask
from pix2pix.data.embedded.objects.face_features import Head
from pix2pix.data.embedded.objects.outlines import Points, ellipse, spline
from pix2pix.data.embedded.objects.palette import pick
from pix2pix.data.embedded.perlin import Field, enlarge, fractal_noise

HAIRS: tuple[Colour, ...] = (
    (34.0, 28.0, 26.0),
    (58.0, 40.0, 30.0),
    (92.0, 62.0, 40.0),
    (136.0, 94.0, 56.0),
    (198.0, 160.0, 102.0),
    (224.0, 196.0, 146.0),
    (146.0, 66.0, 34.0),
    (150.0, 148.0, 146.0),
    (196.0, 192.0, 186.0),
)

Cut = Literal["bald", "cropped", "swept", "bob", "long", "bun", "curly"]
CUTS: tuple[Cut, ...] = ("bald", "cropped", "cropped", "swept", "swept", "bob", "long", "long", "bun", "curly")


@dataclass(frozen=True)
class Hair:
    """A planned head of hair: `line` is the row of the hairline, `part` where it is parted, `end` how far it falls."""

    cut: Cut
    colour: Colour
    line: float
    part: float
    thick: float
    end: float
    fringe: float
    beard: float
    hat: int
    strands: Field


def plan_hair(rng: np.random.Generator, head: Head) -> Hair:
    """A cut that suits the head, its colour greyer with age."""
    cut = CUTS[int(rng.integers(len(CUTS)))]
    if cut == "bald" and head.masculine < 0.4:
        cut = "long"
    if cut in ("bob", "long", "bun") and head.masculine > 0.75:
        cut = "swept"
    colour = pick(rng, HAIRS[:3] if sum(head.skin) < 490 else HAIRS)
    if head.age > 0.6:
        colour = mix(colour, (190.0, 188.0, 186.0), float(rng.uniform(0.3, 0.9)))
    wave = {"curly": 0.9, "long": 0.25, "bob": 0.2}.get(cut, 0.12) * float(rng.uniform(0.4, 1.3))
    part = float(rng.choice([-1.0, 1.0])) * float(rng.uniform(0.0, 0.12))
    end = {"bob": float(rng.uniform(0.68, 0.84)), "long": 1.1}.get(cut, 0.42)
    return Hair(
        cut=cut,
        colour=colour,
        line=float(rng.uniform(0.20, 0.27)) - (0.03 if cut == "bald" else 0.0),
        part=part,
        thick=float(rng.uniform(0.02, 0.05)) + (0.06 if cut == "curly" else 0.0),
        end=end,
        fringe=float(rng.uniform(0.33, 0.40)) if cut in ("bob", "long", "cropped") and rng.random() < 0.35 else 0.0,
        beard=float(rng.random()) if head.masculine > 0.55 and rng.random() < 0.55 else 0.0,
        hat=int(rng.integers(1, 4)) if rng.random() < 0.14 else 0,
        strands=_strands(rng, 0.5 + part, wave, cut == "curly"),
    )


def _strands(rng: np.random.Generator, part: float, wave: float, curly: bool) -> Field:
    """Brightness of the hair at (256, 256) points: lines from the parting outwards and then down."""
    noise = fractal_noise(rng, (128, 256), (4, 40), octaves=2, gain=0.8)
    bend = enlarge(fractal_noise(rng, (64, 64), (9, 9) if curly else (4, 4), octaves=2), (256, 256))
    axis = (np.arange(256, dtype=np.float32) + 0.5) / 256
    x, y = axis[None, :] - np.float32(part), axis[:, None] - np.float32(0.04)
    # Below the crown the denominator stays constant, so lines of equal angle hang straight down.
    angle = np.arctan2(x, np.minimum(y, 0.22) + 0.06)
    away = np.sqrt(x * x + y * y)
    column = (
        angle * np.float32(1.1 / np.pi) + np.float32(wave * 0.12) * bend + np.float32(0.02 * wave) * np.sin(28.0 * away)
    ) * 256
    row = (away * (2.2 if curly else 1.0) + np.float32(0.5 * wave) * bend) * 128
    field = cv2.remap(
        noise,
        column.astype(np.float32) % 256,
        row.astype(np.float32) % 128,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_WRAP,
    )
    # Where the lines meet at the parting they would form a star.
    return np.asarray(field * np.minimum(1.0, away * 5.0) / max(float(field.std()), 1e-6), np.float32)


def _paint_hair(canvas: Canvas, hair: Hair, mask: Mask, dark: float, reach: float) -> None:
    """Fill a mask with strands, rounded, with the band of light that hair shows."""
    rows = slice(mask.area[0].start, mask.area[0].stop)
    strands = hair.strands if canvas.side == 256 else enlarge(hair.strands, (canvas.side, canvas.side))
    field = strands[rows, mask.area[1]]
    view = canvas.colour[mask.area]
    shine = np.clip(field - 0.2, 0.0, 2.0)[..., None] * np.float32(14.0 + 0.04 * sum(hair.colour) / 3)
    pigment = np.asarray(shade(hair.colour, dark), np.float32) * (1.0 + 0.17 * field[..., None]) + dark * shine
    view += (pigment - view) * mask.cover[..., None]
    canvas.round_off(mask, reach, gloss=0.08, power=8.0, ambient=0.45)


def dome_outline(head: Head, thick: float, base: float) -> Points:
    """The outline of the hair over the skull, from the left at row `base` over the top to the right."""
    middle = 0.5 - 0.03 * float(np.sin(head.yaw))
    wide = head.wide + thick
    top = 0.10 - 0.8 * thick
    right = [
        (head.wide * 0.985 + 0.2 * thick, base),
        (head.wide + 0.7 * thick, 0.40),
        (wide * 1.0, 0.32),
        (wide * 0.90, 0.20),
        (wide * 0.55, top + 0.025),
    ]
    points = [(middle - x, y) for x, y in right] + [(middle, top)] + [(middle + x, y) for x, y in right[::-1]]
    return spline(points)


def _ragged(outline: Points, amount: float, seed: float) -> Points:
    """An outline with tufts, of `amount` in height."""
    step = np.arange(len(outline))
    wave = np.sin(step * 2.1 + 9 * seed) + np.sin(step * 1.3 + 40 * seed) * 0.8
    centre = np.array([0.5, 0.4])
    return np.asarray(centre + (outline - centre) * (1.0 + amount * wave)[:, None])


def paint_back_hair(canvas: Canvas, head: Head, hair: Hair) -> None:
    """What is seen behind head and neck: long hair, curls, a bun."""
    seed = float(head.dice[5])
    if hair.cut == "curly":
        cloud = _ragged(
            ellipse((0.5 - 0.04 * np.sin(head.yaw), 0.36), (head.wide + hair.thick + 0.04, 0.34), steps=60), 0.02, seed
        )
        _paint_hair(canvas, hair, canvas.mask(cloud), 0.75, 0.10)
    elif hair.cut == "bun":
        knot = canvas.mask(_ragged(ellipse((0.5 + hair.part, 0.06), (0.10, 0.085)), 0.01, seed))
        _paint_hair(canvas, hair, knot, 0.9, 0.06)
    elif hair.cut in ("bob", "long"):
        dome = dome_outline(head, hair.thick, 0.45)
        flare = 0.02 + 0.06 * seed
        wide = head.wide + hair.thick + flare
        ends = [
            (0.5 + wide, 0.62),
            (0.5 + wide * 0.98, hair.end),
            (0.5, hair.end + 0.02),
            (0.5 - wide * 0.98, hair.end),
            (0.5 - wide, 0.62),
        ]
        _paint_hair(canvas, hair, canvas.mask(np.concatenate([dome, spline(ends)])), 0.6, 0.08)


def paint_front_hair(canvas: Canvas, head: Head, hair: Hair, face: Mask) -> None:
    """The hair over forehead and temples, its locks and its shadow on the skin."""
    if hair.hat == 1 and hair.cut not in ("bob", "long", "curly"):
        return
    for mask in _front_masks(canvas, head, hair):
        canvas.shadow(mask, 0.014, 0.010, 0.5, clip=face)
        _paint_hair(canvas, hair, mask, 1.0, 0.07)


def _front_masks(canvas: Canvas, head: Head, hair: Hair) -> list[Mask]:
    """The shapes of the front hair, from the back to the front."""
    seed = float(head.dice[6])
    if hair.cut == "bald":
        return _wreath(canvas, head) if seed < 0.5 else []
    base = {"cropped": 0.47, "swept": 0.50, "bun": 0.44, "curly": 0.46}.get(hair.cut, 0.52)
    outer = dome_outline(head, hair.thick, base)
    if hair.cut in ("cropped", "swept", "curly"):
        outer = np.concatenate(
            [outer[:4], _ragged(outer[4:-4], 0.012 if hair.cut != "curly" else 0.03, seed), outer[-4:]]
        )
    low = hair.fringe or hair.line
    inner = spline(_hairline(head, hair, base, low))
    if hair.cut in ("cropped", "swept", "curly") or hair.fringe:
        inner = inner + np.stack([np.zeros(len(inner)), 0.008 * np.sin(np.arange(len(inner)) * 1.9 + 7 * seed)], axis=1)
    masks = [canvas.mask(np.concatenate([outer, inner]))]
    if hair.cut in ("bob", "long"):
        masks += _locks(canvas, head, hair, low)
    return masks


def _wreath(canvas: Canvas, head: Head) -> list[Mask]:
    """The hair that a bald head keeps over the ears."""
    sides = []
    for side in (-1.0, 1.0):
        x = 0.5 + side * head.wide
        offsets = ((-0.015, 0.52), (0.025, 0.46), (0.02, 0.32), (-0.05, 0.22), (-0.015, 0.34))
        sides.append(canvas.mask(spline([(x + side * offset, y) for offset, y in offsets], closed=True)))
    return sides


def _hairline(head: Head, hair: Hair, base: float, low: float) -> list[tuple[float, float]]:
    """Where the hair ends on temples and forehead, from right to left: a fringe, swept aside, or off the face."""
    middle = 0.5 + 0.05 * float(np.sin(head.yaw))
    temple = head.wide * 0.90
    burn = head.wide * 0.965  # sideburns end in a point
    if hair.fringe:
        return [
            (middle + burn, base),
            (middle + temple, base - 0.05),
            (middle + temple * 0.93, low - 0.03),
            (middle + 0.10, low),
            (middle, low - 0.01),
            (middle - 0.10, low),
            (middle - temple * 0.93, low - 0.03),
            (middle - temple, base - 0.05),
            (middle - burn, base),
        ]
    if hair.cut == "swept" or (hair.cut in ("bob", "long") and abs(hair.part) > 0.03):
        at, side = middle + hair.part, float(np.sign(hair.part) or 1.0)
        sweep = [
            (middle + side * burn, base),
            (middle + side * temple, base - 0.05),
            (middle + side * temple * 0.92, 0.30),
            (at + side * 0.04, low - 0.02),
            (at, low - 0.035),
            (at - side * 0.10, low + 0.03),
            (middle - side * temple * 0.9, low + 0.10),
            (middle - side * temple, base - 0.05),
            (middle - side * burn, base),
        ]
        return sweep if side > 0 else sweep[::-1]
    return [
        (middle + burn, base),
        (middle + temple, base - 0.05),
        (middle + temple * 0.90, 0.33),
        (middle + temple * 0.66, low + 0.01),
        (middle, low - 0.01),
        (middle - temple * 0.66, low + 0.01),
        (middle - temple * 0.90, 0.33),
        (middle - temple, base - 0.05),
        (middle - burn, base),
    ]


def _locks(canvas: Canvas, head: Head, hair: Hair, low: float) -> list[Mask]:
    """Locks that fall at both sides of the face."""
    masks = []
    seed = float(head.dice[7])
    for side in (-1.0, 1.0):
        edge = 0.5 + side * head.wide - 0.03 * float(np.sin(head.yaw))
        out = hair.thick + 0.03 + 0.05 * seed
        tuck = 0.005 + 0.05 * float(head.dice[8])
        inner = [
            (edge - side * 0.05, low + 0.02),
            (edge - side * tuck, 0.45),
            (edge - side * (tuck + 0.015), 0.60),
            (edge - side * 0.025, hair.end),
        ]
        outer = [
            (edge + side * 0.06, hair.end + 0.01),
            (edge + side * (out + 0.015), 0.62),
            (edge + side * out, 0.44),
            (edge + side * 0.01, 0.24),
        ]
        masks.append(canvas.mask(np.concatenate([spline(inner), spline(outer)])))
    return masks
