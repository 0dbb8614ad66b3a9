"""Eyes, brows, mouth and glasses of the embedded portraits."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pix2pix.data.embedded.basics import Colour, mix, shade
from pix2pix.data.embedded.objects.canvas import Canvas
from pix2pix.data.embedded.objects.outlines import Points, ellipse, moved, ribbon, spline
from pix2pix.data.embedded.objects.palette import choose_colour, pick

EYE_ANGLE = 0.42  # radians from the middle of the face around the axis of the head

IRISES: tuple[Colour, ...] = (
    (70.0, 44.0, 28.0),
    (96.0, 62.0, 36.0),
    (52.0, 34.0, 26.0),
    (92.0, 122.0, 150.0),
    (96.0, 124.0, 96.0),
    (126.0, 112.0, 74.0),
)


@dataclass(frozen=True)
class Head:
    """A planned head, y downwards: rows of its features, turn in radians, and traits within 0 to 1."""

    yaw: float
    wide: float
    chin: float
    outline: Points
    eye_row: float
    nose_row: float
    mouth_row: float
    smile: float
    age: float
    masculine: float
    skin: Colour
    dice: NDArray[np.float64]

    def at(self, angle: float, distance: float = 0.30) -> float:
        """Column of what lies at an angle and distance around the axis of the head; the whole stays centred."""
        reach = distance * self.wide / 0.26
        return 0.5 + float(reach * np.sin(self.yaw + angle) - 0.20 * np.sin(self.yaw))

    def foreshortened(self, angle: float) -> float:
        """How much narrower something at this angle looks."""
        return float(np.cos(0.75 * (self.yaw + angle)))


def paint_eyes(canvas: Canvas, head: Head, rng: np.random.Generator) -> None:
    """Both eyes, looking the same way."""
    iris = pick(rng, IRISES)
    half, opening = (
        float(rng.uniform(0.047, 0.055)),
        float(rng.uniform(0.015, 0.024)) * (1 - 0.25 * max(head.smile, 0.0)),
    )
    slant, gaze = float(rng.normal(0.0, 0.006)), float(np.clip(rng.normal(-0.3 * head.yaw, 0.15), -0.3, 0.3))
    crease = float(rng.uniform(0.010, 0.020))
    lashes = 1.0 - head.masculine
    for side in (-1.0, 1.0):
        _paint_eye(canvas, head, side, iris, (half, opening, slant, gaze, crease), lashes)


def _paint_eye(
    canvas: Canvas,
    head: Head,
    side: float,
    iris: Colour,
    shape: tuple[float, float, float, float, float],
    lashes: float,
) -> None:
    """White, iris, pupil and lights in the almond of the lids, then lids and lashes."""
    half, opening, slant, gaze, crease = shape
    x, y = head.at(side * EYE_ANGLE), head.eye_row
    half *= head.foreshortened(side * EYE_ANGLE)
    inner, outer = (x - side * half, y + 0.006), (x + side * half, y - slant)
    upper = spline(
        [
            inner,
            (x - side * 0.45 * half, y - 0.80 * opening),
            (x + side * 0.15 * half, y - opening),
            (x + side * 0.7 * half, y - 0.66 * opening),
            outer,
        ]
    )
    lower = spline(
        [outer, (x + side * 0.5 * half, y + 0.62 * opening), (x - side * 0.2 * half, y + 0.72 * opening), inner]
    )
    almond = canvas.mask(np.concatenate([upper, lower]))
    canvas.fill(almond, mix(shade((232.0, 228.0, 224.0), 0.92), head.skin, 0.12), grain=0.0)
    radius = 0.0205
    centre = (x + gaze * half, y - 0.12 * opening)
    disc = canvas.mask(ellipse(centre, (radius, radius)), almond)
    canvas.fill(disc, shade(iris, 0.5), grain=0.0)
    canvas.fill(canvas.mask(ellipse(centre, (radius * 0.82, radius * 0.82)), almond), iris, grain=0.0)
    glow = canvas.mask(ellipse((centre[0], centre[1] + 0.35 * radius), (radius * 0.6, radius * 0.45)), almond)
    canvas.fill(canvas.soften(glow, 0.003).within(almond), shade(iris, 1.6), share=0.7, grain=0.0)
    canvas.fill(canvas.mask(ellipse(centre, (radius * 0.42, radius * 0.42)), almond), (14.0, 12.0, 12.0), grain=0.0)
    lid_shadow = canvas.mask(ribbon(upper, 0.018), almond)
    canvas.darken(canvas.soften(lid_shadow, 0.004).within(almond), 0.5)
    light = (centre[0] + 0.4 * radius * np.sign(canvas.light[0]), centre[1] - 0.38 * radius)
    canvas.fill(
        canvas.mask(ellipse((float(light[0]), light[1]), (0.0052, 0.0052), steps=12)),
        (255.0, 255.0, 255.0),
        share=0.9,
        grain=0.0,
    )
    dark = mix((30.0, 22.0, 20.0), head.skin, 0.12)
    canvas.stroke(upper, dark, 0.007 + 0.006 * lashes, 0.9, taper=0.6)
    canvas.stroke(lower, shade(mix(head.skin, (150.0, 70.0, 60.0), 0.4), 0.62), 0.006, 0.6, taper=0.6)
    fold = upper - (0.0, crease)
    canvas.stroke(fold, shade(mix(head.skin, (110.0, 50.0, 40.0), 0.4), 0.6), 0.006, 0.55, taper=0.9)
    bag = moved(lower, 0.0, 0.014)
    canvas.stroke(bag, shade(head.skin, 0.6), 0.007, 0.15 + 0.3 * head.age, taper=0.95)
    if lashes > 0.45:
        tips = [
            np.array([upper[i], upper[i] + (side * (0.001 + 0.012 * i / len(upper)), -0.009)])
            for i in range(8, len(upper), 3)
        ]
        canvas.stroke(tips, dark, 0.0035, 0.8)


def paint_brows(canvas: Canvas, head: Head, colour: Colour, rng: np.random.Generator) -> None:
    """Brows: a soft band with hairs along it."""
    thick = float(rng.uniform(0.013, 0.018) + 0.011 * head.masculine)
    arch, lift = float(rng.uniform(0.004, 0.02)), float(rng.uniform(0.052, 0.066)) + 0.004 * head.smile
    frown = float(rng.normal(0.0, 0.006))
    for side in (-1.0, 1.0):
        x, y = head.at(side * EYE_ANGLE), head.eye_row - lift
        half = 0.066 * head.foreshortened(side * EYE_ANGLE)
        line = spline(
            [
                (x - side * half, y + 0.010 + frown),
                (x - side * 0.2 * half, y - 0.4 * arch),
                (x + side * 0.45 * half, y - arch),
                (x + side * 1.12 * half, y + 0.012),
            ]
        )
        width = thick * np.interp(np.linspace(0.0, 1.0, len(line)), [0.0, 0.15, 0.6, 1.0], [0.7, 1.0, 0.85, 0.15])
        band = canvas.mask(ribbon(line, width))
        canvas.fill(canvas.soften(band, 0.003), colour, grain=0.0, share=0.62)
        hairs = []
        for start, jitter in zip(line[1:-2], rng.normal(0.0, 0.002, len(line)), strict=False):
            foot = moved(start, 0.0, 0.35 * thick + jitter)
            hairs.append(np.array([foot, moved(foot, side * 0.014, -0.75 * thick + jitter)]))
        canvas.stroke(hairs, shade(colour, 0.75), 0.004, 0.6)


def paint_mouth(canvas: Canvas, head: Head, rng: np.random.Generator) -> None:
    """Lips, and teeth where they part."""
    half = float(rng.uniform(0.068, 0.082)) + 0.016 * max(head.smile, 0.0)
    full, gap = float(rng.uniform(0.014, 0.024)), 0.0
    if head.smile > 0.45 and head.dice[4] < 0.75:
        gap = float(rng.uniform(0.012, 0.034))
    bend = 0.020 * head.smile
    middle, y = head.at(0.0, 0.325), head.mouth_row
    left, right = head.at(-half / 0.27, 0.29), head.at(half / 0.27, 0.29)
    painted = float(rng.random()) * (1.0 - head.masculine) > 0.45
    natural = mix(shade(head.skin, 0.86), (176.0, 66.0, 70.0), 0.42)
    colour = mix(
        natural, ((186.0, 30.0, 48.0), (160.0, 60.0, 90.0), (205.0, 80.0, 80.0))[int(rng.integers(3))], 0.65 * painted
    )
    corners = (left, y - bend), (right, y - bend)
    seam = [
        corners[0],
        ((left + middle) / 2, y - 0.2 * bend),
        (middle, y + 0.3 * bend + 0.003),
        ((right + middle) / 2, y - 0.2 * bend),
        corners[1],
    ]
    top = spline(seam)
    low = spline(
        [
            seam[0],
            (seam[1][0], seam[1][1] + 0.8 * gap),
            (middle, seam[2][1] + gap),
            (seam[3][0], seam[3][1] + 0.8 * gap),
            seam[4],
        ]
    )
    bow = spline(
        [
            corners[1],
            ((right * 0.45 + middle * 0.55), y - 0.8 * full),
            (middle + 0.016, y - 1.15 * full),
            (middle, y - 0.9 * full),
            (middle - 0.016, y - 1.15 * full),
            ((left * 0.45 + middle * 0.55), y - 0.8 * full),
            corners[0],
        ]
    )
    pout = spline(
        [
            corners[1],
            ((right + middle) / 2 + 0.006, y + gap + 0.95 * full),
            (middle, y + gap + 1.55 * full),
            ((left + middle) / 2 - 0.006, y + gap + 0.95 * full),
            corners[0],
        ]
    )
    upper_lip, lower_lip = canvas.mask(np.concatenate([top, bow])), canvas.mask(np.concatenate([low, pout]))
    canvas.fill(canvas.soften(lower_lip, 0.002), shade(colour, 1.05), "plain", 0.04)
    canvas.round_off(lower_lip, 0.014, gloss=0.10 + 0.25 * painted, power=18.0, ambient=0.55)
    canvas.fill(canvas.soften(upper_lip, 0.002), shade(colour, 0.82), "plain", 0.04)
    if gap:
        _paint_teeth(canvas, np.concatenate([top, low[::-1]]), (middle, y), gap, half)
    dark = shade(mix(colour, (60.0, 20.0, 20.0), 0.5), 0.6)
    canvas.stroke(top, dark, 0.007, 0.75, taper=0.5)
    for x in (left, right):
        corner = canvas.mask(ellipse((x, y - bend), (0.009, 0.007), steps=10))
        canvas.darken(canvas.soften(corner, 0.004), 0.4)


def _paint_teeth(canvas: Canvas, opening: Points, centre: tuple[float, float], gap: float, half: float) -> None:
    """The upper row of teeth, in shadow towards the corners, and the dark below it."""
    inside = canvas.mask(opening)
    canvas.fill(inside, (70.0, 26.0, 28.0), grain=0.0)
    x, y = centre
    teeth = canvas.mask(ellipse((x, y), (0.85 * half, min(gap * 1.05, 0.026) + 0.002)), inside)
    canvas.fill(teeth, (240.0, 234.0, 222.0), grain=0.0)
    gaps = [
        np.array([[x + offset * half, y - 0.03], [x + offset * half, y + 0.05]])
        for offset in (-0.62, -0.42, -0.21, 0.0, 0.21, 0.42, 0.62)
    ]
    canvas.stroke(gaps, (160.0, 140.0, 130.0), 0.003, 0.5, teeth)
    for side in (-1.0, 1.0):
        corner = canvas.mask(ellipse((x + side * 0.85 * half, y), (0.3 * half, 0.04)))
        canvas.darken(canvas.soften(corner, 0.008).within(inside), 0.6)


def paint_glasses(canvas: Canvas, head: Head, rng: np.random.Generator) -> None:
    """A frame on the nose: round or square rims, lenses that reflect or are dark, temples to the ears."""
    dark = rng.random() < 0.15
    colour: Colour = choose_colour(rng) if rng.random() < 0.4 else (36.0, 32.0, 32.0)
    wide, tall = rng.uniform((0.072, 0.042), (0.088, 0.066)).tolist()
    squareness, thick = float(rng.uniform(0.45, 1.0)), float(rng.uniform(0.007, 0.020))
    inner_ends = []
    for side in (-1.0, 1.0):
        x, y = head.at(side * (EYE_ANGLE + 0.02), 0.315), head.eye_row + 0.010
        reach = wide * head.foreshortened(side * EYE_ANGLE)
        angle = np.linspace(0.0, 2.0 * np.pi, 48, endpoint=False)
        circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        bent = np.sign(circle) * np.abs(circle) ** squareness
        rim = bent * (reach, tall) + (x, y)
        inside = bent * (reach - thick, tall - thick) + (x, y)
        lens = canvas.mask(rim)
        canvas.fill(
            lens, (30.0, 28.0, 32.0) if dark else (236.0, 240.0, 246.0), grain=0.0, share=0.85 if dark else 0.07
        )
        shine = canvas.mask(ribbon([(x - 0.5 * reach, y + tall), (x + 0.2 * reach, y - tall)], 0.035), lens)
        canvas.fill(canvas.soften(shine, 0.004).within(lens), (255.0, 255.0, 255.0), grain=0.0, share=0.20)
        frame = canvas.mask([rim, inside])
        canvas.shadow(frame, 0.012, 0.006, 0.35)
        canvas.fill(frame, colour)
        canvas.round_off(frame, 0.006, gloss=0.35, ambient=0.5)
        inner_ends.append((x - side * (reach - 0.3 * thick), y - 0.012))
        ear = 0.5 + side * head.wide
        if side * (ear - (x + side * reach)) > 0.005:
            canvas.stroke([(x + side * reach, y - 0.015), (ear, y - 0.008)], shade(colour, 0.8), 0.8 * thick)
    (x0, y0), (x1, y1) = inner_ends
    canvas.stroke(spline([(x0, y0), ((x0 + x1) / 2, y0 - 0.014), (x1, y1)]), colour, thick)
