"""Portraits framed like aligned photographs: a head as a relief under one light, in soft colours.

The relief is an ellipsoid with Gaussian hills and hollows (nose, sockets, cheeks, lips, chin), turned by moving every
feature around the axis of the head. The relief alone shades the skin; eyes, lips and hair are painted on it.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pix2pix.data.embedded.basics import Colour, mix, shade
from pix2pix.data.embedded.objects import face_features as features
from pix2pix.data.embedded.objects.canvas import Canvas, Mask
from pix2pix.data.embedded.objects.face_features import Head
from pix2pix.data.embedded.objects.face_wear import paint_beard, paint_hat
from pix2pix.data.embedded.objects.hair import paint_back_hair, paint_front_hair, plan_hair
from pix2pix.data.embedded.objects.outlines import Points, ellipse, moved, spline
from pix2pix.data.embedded.objects.palette import choose_colour, hue_colour, pick
from pix2pix.data.embedded.perlin import Field, enlarge, fractal_noise

RELIEF_SIDE = 128

SKINS: tuple[Colour, ...] = (
    (240.0, 208.0, 186.0),
    (232.0, 190.0, 160.0),
    (226.0, 180.0, 142.0),
    (205.0, 154.0, 114.0),
    (172.0, 120.0, 84.0),
    (132.0, 88.0, 62.0),
    (98.0, 64.0, 48.0),
)


@dataclass(frozen=True)
class Hill:
    """A Gaussian on the relief: centre, standard deviations and height, all in picture widths."""

    x: float
    y: float
    wide: float
    tall: float
    height: float


def paint_portrait(canvas: Canvas, rng: np.random.Generator) -> None:
    """Fill the canvas with one portrait."""
    head = plan_head(rng)
    hair = plan_hair(rng, head)
    turn, scale = float(rng.normal(0.0, 0.05)), float(rng.uniform(0.98, 1.16))
    x, y = rng.uniform(-0.025, 0.025, 2).tolist()
    cosine, sine = scale * np.cos(turn), scale * np.sin(turn)
    shift = (0.5 + x - 0.5 * cosine + 0.5 * sine, 0.5 + y - 0.5 * sine - 0.5 * cosine)
    paint_background(canvas, rng)
    canvas.pose = np.array([[cosine, -sine, shift[0]], [sine, cosine, shift[1]]])
    paint_back_hair(canvas, head, hair)
    _paint_body(canvas, head, rng)
    _paint_ears(canvas, head)
    face = canvas.mask(head.outline)
    canvas.shadow(face, 0.015, 0.012, 0.35)
    _paint_skin(canvas, head, face, rng)
    paint_beard(canvas, head, hair, face)
    features.paint_eyes(canvas, head, rng)
    features.paint_brows(canvas, head, mix(hair.colour, (40.0, 30.0, 26.0), 0.35), rng)
    features.paint_mouth(canvas, head, rng)
    paint_front_hair(canvas, head, hair, face)
    if head.dice[0] < 0.28:
        features.paint_glasses(canvas, head, rng)
    paint_hat(canvas, head, hair, rng)


def paint_background(canvas: Canvas, rng: np.random.Generator) -> None:
    """Out of focus: two tones, soft shapes and a gradient of light."""
    side = canvas.side
    hue = float(rng.random())
    near = hue_colour(hue, float(rng.uniform(0.05, 0.45)), float(rng.uniform(0.35, 0.92)))
    far = hue_colour(hue + float(rng.normal(0.0, 0.12)), float(rng.uniform(0.05, 0.4)), float(rng.uniform(0.2, 0.95)))
    cells = (int(rng.integers(1, 4)), int(rng.integers(1, 5)))
    blobs = enlarge(fractal_noise(rng, (64, 64), cells, octaves=2, gain=0.3), (side, side))
    share = np.clip(0.5 + 1.3 * blobs, 0.0, 1.0)[..., None]
    canvas.colour[...] = np.asarray(near, np.float32) * (1 - share) + np.asarray(far, np.float32) * share
    for _ in range(int(rng.integers(0, 5))):
        x, y, wide, tall = rng.uniform((0.0, 0.0, 0.03, 0.2), (1.0, 0.8, 0.25, 0.9)).tolist()
        box = canvas.mask(np.array([[x, y], [x + wide, y], [x + wide, y + tall], [x, y + tall]]))
        colour = mix(near, choose_colour(rng), 0.5)
        canvas.fill(canvas.soften(box, float(rng.uniform(0.012, 0.04))), colour, share=float(rng.uniform(0.3, 0.8)))


def plan_head(rng: np.random.Generator) -> Head:
    """A head: its turn, proportions, age and colours."""
    yaw = float(np.clip(rng.normal(0.0, 0.26), -0.6, 0.6))
    wide = float(rng.uniform(0.235, 0.285))
    jaw, chin = float(rng.uniform(0.86, 1.1)), float(rng.uniform(0.83, 0.88))
    skin = pick(rng, SKINS)
    rows = np.array([0.10, 0.13, 0.21, 0.34, 0.48, 0.60, 0.70, 0.78, 0.835, 0.86])
    rows[-4:] += (chin - 0.86) * np.array([0.5, 0.8, 1.0, 1.0])
    spread = np.array([0.0, 0.55, 0.87, 1.0, 0.98, 0.93, 0.82 * jaw, 0.60 * jaw, 0.32 * jaw, 0.0]) * wide
    lean = 0.5 - 0.02 * yaw + np.sin(yaw) * np.interp(rows, [0.1, 0.5, 0.86], [-0.02, 0.0, 0.10])
    right = np.stack([lean + spread, rows], axis=1)
    left = np.stack([lean - spread, rows], axis=1)[::-1]
    return Head(
        yaw=yaw,
        wide=wide,
        chin=float(rows[-1]),
        outline=spline(np.concatenate([right, left[1:-1]]), closed=True, steps=5),
        eye_row=float(rng.uniform(0.455, 0.485)),
        nose_row=float(rng.uniform(0.60, 0.645)),
        mouth_row=float(rng.uniform(0.715, 0.745)),
        smile=float(np.clip(rng.normal(0.4, 0.45), -0.4, 1.0)),
        age=float(rng.random() ** 1.5),
        masculine=float(rng.random()),
        skin=skin,
        dice=rng.random(12),
    )


def _hills(head: Head) -> list[Hill]:
    """What stands out of the head's ellipsoid, and what is hollow (negative)."""
    bridge, tip = head.at(0.0, 0.29), head.at(0.0, 0.40)
    hills = []
    for share in np.linspace(0.0, 1.0, 6).tolist():
        x = bridge + (tip - bridge) * share
        y = head.eye_row - 0.01 + (head.nose_row - 0.02 - head.eye_row) * share
        hills.append(Hill(x, y, 0.017 + 0.008 * share, 0.024, 0.008 + 0.014 * share))
    hills.append(Hill(tip, head.nose_row - 0.02, 0.028, 0.024, 0.028 + 0.012 * head.dice[1]))
    middle = head.at(0.0, 0.31)
    for side in (-1.0, 1.0):
        eye = head.at(side * features.EYE_ANGLE)
        hills.append(Hill(head.at(side * 0.11, 0.345), head.nose_row - 0.006, 0.018, 0.015, 0.020))
        hills.append(Hill(eye, head.eye_row - 0.005, 0.055, 0.034, -0.034))
        hills.append(Hill(eye, head.eye_row, 0.032, 0.022, 0.022))
        hills.append(Hill(eye, head.eye_row - 0.065, 0.06, 0.02, 0.010 + 0.014 * head.masculine))
        cheek = 0.020 + 0.026 * max(head.smile, 0.0)
        hills.append(Hill(head.at(side * 0.52), head.eye_row + 0.14, 0.06, 0.05, cheek))
        fold = head.at(side * 0.30)
        hills.append(Hill(fold, head.mouth_row - 0.035, 0.018, 0.045, -0.004 - 0.008 * head.age))
        hills.append(Hill(head.at(side * 0.36), head.mouth_row, 0.02, 0.02, -0.008))
        hills.append(Hill(middle + side * 0.14, 0.26, 0.10, 0.07, 0.012))
    hills.append(Hill(middle, head.mouth_row - 0.016, 0.055, 0.013, 0.012))
    hills.append(Hill(middle, head.mouth_row + 0.024, 0.045, 0.014, 0.018))
    hills.append(Hill(middle, head.mouth_row + 0.055, 0.05, 0.016, -0.014))
    hills.append(Hill(head.at(0.0, 0.29), head.chin - 0.055, 0.045, 0.032, 0.026))
    hills.append(Hill(middle, head.mouth_row - 0.05, 0.008, 0.02, -0.006))
    return hills


def _relief(canvas: Canvas, head: Head) -> Field:
    """Height of the head at (128, 128) points of the picture, in their distances."""
    axis = (np.arange(RELIEF_SIDE) + 0.5) / RELIEF_SIDE
    inverse = cv2.invertAffineTransform(canvas.pose)
    # Rows and columns stay separable because the small roll of the head is left out of the hills.
    x = axis * inverse[0, 0] + 0.5 * inverse[0, 1] + inverse[0, 2]
    y = axis * inverse[1, 1] + 0.5 * inverse[1, 0] + inverse[1, 2]
    middle = 0.5 + 0.05 * np.sin(head.yaw)
    left = ((x - middle) / (1.10 * head.wide)) ** 2
    down = ((y - 0.47) / 0.43) ** 2
    height = 0.30 * np.sqrt(np.maximum(1.0 - left[None, :] - down[:, None], 0.0))
    hills = _hills(head)
    columns = np.stack([np.exp(-0.5 * ((x - hill.x) / hill.wide) ** 2) * hill.height for hill in hills])
    rows = np.stack([np.exp(-0.5 * ((y - hill.y) / hill.tall) ** 2) for hill in hills])
    nose = 7
    # The nose ends below its tip instead of fading into the lip.
    rows[:nose] *= 1.0 / (1.0 + np.exp((y - head.nose_row) / 0.012))
    height += rows.T @ columns
    turned = _rolled(np.asarray(height * RELIEF_SIDE, np.float32), canvas.pose)
    return turned


def _rolled(field: Field, pose: Points) -> Field:
    """The field turned around the middle of the picture by the roll of the pose."""
    angle = float(np.degrees(np.arctan2(pose[1, 0], pose[0, 0])))
    matrix = cv2.getRotationMatrix2D((RELIEF_SIDE / 2 - 0.5,) * 2, -angle, 1.0)
    turned = cv2.warpAffine(field, matrix, (RELIEF_SIDE, RELIEF_SIDE), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(turned, np.float32)


def _paint_skin(canvas: Canvas, head: Head, face: Mask, rng: np.random.Generator) -> None:
    """Skin with flushed cheeks and freckles, then the light on the relief, redder where it fades."""
    canvas.fill(face, head.skin, "plain", 0.025)
    flush = mix(head.skin, (205.0, 80.0, 70.0), 0.4)
    for x, y, radius, share in (
        (head.at(-0.62), head.eye_row + 0.15, 0.055, 0.45),
        (head.at(0.62), head.eye_row + 0.15, 0.055, 0.45),
        (head.at(0.0, 0.40), head.nose_row - 0.02, 0.022, 0.4),
        (head.at(0.0), head.chin - 0.05, 0.03, 0.25),
    ):
        spot = canvas.soften(canvas.mask(ellipse((x, y), (radius, radius * 0.8)), face), 0.02)
        canvas.fill(spot.within(face), flush, share=share * (0.4 + 0.9 * float(head.dice[2])))
    for side in (-1.0, 1.0):  # darker around the eyes
        spot = canvas.mask(ellipse((head.at(side * features.EYE_ANGLE), head.eye_row + 0.004), (0.052, 0.034)), face)
        canvas.fill(
            canvas.soften(spot, 0.012).within(face), shade(mix(head.skin, (120.0, 60.0, 70.0), 0.3), 0.85), share=0.5
        )
    if head.dice[3] < 0.2:
        at = moved(rng.normal((0.0, head.eye_row + 0.12), (0.11, 0.035), (50, 2)), head.at(0.0), 0.0)
        dots = [ellipse((float(x), float(y)), (0.004, 0.004), steps=6) for x, y in at]
        canvas.fill(canvas.mask(dots, face), shade(head.skin, 0.75), share=0.5)
    _light_skin(canvas, face, _relief(canvas, head), float(rng.uniform(0.04, 0.16)))
    _paint_folds(canvas, head, face)


def _light_skin(canvas: Canvas, face: Mask, relief: Field, gloss: float) -> None:
    """Multiply the skin by the light on the relief; blood under it keeps shadows warm."""
    diffuse, highlight = canvas.lighting(relief, 14.0)
    light = enlarge(np.asarray((0.30 + 0.70 * diffuse) ** 0.75, np.float32), (canvas.side, canvas.side))[face.area]
    shine = enlarge(highlight, (canvas.side, canvas.side))[face.area]
    warm = light[..., None] ** np.array([0.82, 1.05, 1.15], np.float32)
    view = canvas.colour[face.area]
    view *= 1.0 + face.cover[..., None] * (warm - 1.0)
    view += (face.cover * shine * np.float32(255.0 * gloss))[..., None] * np.array([1.0, 0.95, 0.88], np.float32)


def _paint_folds(canvas: Canvas, head: Head, face: Mask) -> None:
    """Nostrils, the shadow under the nose, the wings' creases and wrinkles."""
    tip = head.at(0.0, 0.385)
    dark = shade(mix(head.skin, (90.0, 30.0, 25.0), 0.5), 0.45)
    under = canvas.mask(ellipse((tip, head.nose_row + 0.012), (0.045, 0.014)), face)
    canvas.darken(canvas.soften(under, 0.008).within(face), 0.22)
    for side in (-1.0, 1.0):
        x = head.at(side * 0.068, 0.36)
        hole = canvas.mask(ellipse((x, head.nose_row + 0.002), (0.0135, 0.0075), side * 0.35), face)
        canvas.fill(canvas.soften(hole, 0.002), dark, share=0.85)
        wing = head.at(side * 0.155, 0.34)
        crease = spline(
            [
                (wing - side * 0.004, head.nose_row - 0.032),
                (wing + side * 0.006, head.nose_row - 0.008),
                (wing - side * 0.008, head.nose_row + 0.007),
            ]
        )
        canvas.stroke(crease, dark, 0.007, 0.45, face, taper=0.8)
        start, end = head.at(side * 0.20, 0.32), head.at(side * 0.42, 0.30)
        fold = spline(
            [
                (start, head.nose_row - 0.01),
                ((start + end) / 2 + side * 0.008, head.nose_row + 0.035),
                (end, head.mouth_row - 0.005),
            ]
        )
        depth = 0.10 + 0.35 * head.age + 0.25 * max(head.smile, 0.0)
        canvas.stroke(fold, shade(mix(head.skin, dark, 0.4), 0.8), 0.009, min(depth, 0.6), face, taper=0.9)
    for number in range(int(4 * max(head.age - 0.4, 0.0) / 0.6)):
        row = 0.24 + 0.03 * number
        middle = head.at(0.0, 0.3)
        line = spline([(middle - 0.12, row + 0.006), (middle, row - 0.004), (middle + 0.12, row + 0.006)])
        canvas.stroke(line, shade(head.skin, 0.6), 0.006, 0.4, face, taper=0.9)


def _paint_ears(canvas: Canvas, head: Head) -> None:
    """Ears at both sides, as far as the head does not hide them."""
    for side in (-1.0, 1.0):
        x = 0.5 + side * (head.wide * 0.99 - 0.01) - 0.06 * np.sin(head.yaw) * (1.0 if side * head.yaw > 0 else 0.2)
        ear = canvas.mask(ellipse((float(x), head.eye_row + 0.055), (0.036, 0.075), side * -0.15))
        canvas.fill(ear, shade(mix(head.skin, (200.0, 90.0, 80.0), 0.16), 0.88))
        canvas.round_off(ear, 0.025, ambient=0.5)
        inner = canvas.mask(ellipse((float(x) + side * 0.006, head.eye_row + 0.05), (0.016, 0.045), side * -0.2))
        canvas.darken(canvas.soften(inner, 0.006), 0.35)


def _paint_body(canvas: Canvas, head: Head, rng: np.random.Generator) -> None:
    """Neck in the chin's shadow, shoulders and a collar or neckline."""
    middle = 0.5 + 0.03 * float(np.sin(head.yaw))
    slim = head.wide * (0.62 + 0.24 * head.masculine)
    neck = canvas.mask(
        np.concatenate(
            [
                spline([(middle + slim, 0.60), (middle + slim * 0.93, 0.82), (middle + slim * 1.25, 1.05)]),
                spline([(middle - slim * 1.25, 1.05), (middle - slim * 0.93, 0.82), (middle - slim, 0.60)]),
            ]
        )
    )
    canvas.fill(neck, shade(head.skin, 0.88), "plain", 0.03)
    canvas.round_off(neck, 0.10, ambient=0.45)
    under = canvas.mask(moved(head.outline, 0.0, 0.035))
    canvas.darken(canvas.soften(under, 0.018).within(neck), 0.55)
    cloth, slope = choose_colour(rng), float(rng.uniform(0.02, 0.08))
    reach, dip = slim * float(rng.uniform(1.0, 1.3)), float(rng.uniform(0.0, 0.09))
    right: NDArray[np.float64] = spline(
        [
            (middle + 0.02, 0.93 + dip),
            (middle + reach * 0.98, 0.885),
            (middle + reach * 1.1, 0.89),
            (0.86, 0.92 + slope),
            (1.1, 1.0 + slope),
        ]
    )
    body = np.concatenate([right, [[1.1, 1.2], [-0.1, 1.2]], (right * (-1.0, 1.0) + (2 * middle, 0.0))[::-1]])
    mask = canvas.mask(body)
    canvas.shadow(mask, -0.008, 0.008, 0.4, clip=neck)
    canvas.fill(mask, cloth, str(rng.choice(["canvas", "plain", "suede"])), 0.07)
    if rng.random() < 0.3:
        stripes = [np.array([[-0.2, y], [1.2, y]]) for y in np.arange(0.9, 1.05, 0.04)]
        canvas.stroke(stripes, choose_colour(rng), 0.016, 0.9, mask)
    canvas.round_off(mask, 0.10, ambient=0.45)
    if rng.random() < 0.5:
        for line in (right[:17], right[:17] * (-1.0, 1.0) + (2 * middle, 0.0)):
            canvas.stroke(moved(line, 0.0, 0.008), shade(cloth, 0.7), 0.018, 0.9, mask)
