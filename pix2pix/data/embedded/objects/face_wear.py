"""Beards and hats of the embedded portraits."""

import numpy as np

from pix2pix.data.embedded.basics import mix, shade
from pix2pix.data.embedded.objects.canvas import Canvas, Mask
from pix2pix.data.embedded.objects.face_features import Head
from pix2pix.data.embedded.objects.hair import Hair, dome_outline
from pix2pix.data.embedded.objects.outlines import (
    ellipse,
    ribbon,
    spline,
)
from pix2pix.data.embedded.objects.palette import choose_colour


def paint_beard(canvas: Canvas, head: Head, hair: Hair, face: Mask) -> None:
    """From stubble to a full beard, or a moustache alone."""
    if not hair.beard:
        return
    y, middle = head.mouth_row, head.at(0.0, 0.31)
    moustache = canvas.mask(
        spline(
            [
                (middle, head.nose_row + 0.022),
                (middle + 0.06, head.nose_row + 0.045),
                (middle + 0.105, y + 0.03),
                (middle + 0.075, y + 0.02),
                (middle, y - 0.012),
                (middle - 0.075, y + 0.02),
                (middle - 0.105, y + 0.03),
                (middle - 0.06, head.nose_row + 0.045),
            ],
            closed=True,
        ),
        face,
    )
    share = 0.25 + 0.65 * float(head.dice[9])
    colour = mix(shade(hair.colour, 0.85), head.skin, 0.15)
    canvas.fill(canvas.soften(moustache, 0.006).within(face), colour, "fur", 0.13, share)
    if hair.beard < 0.3:
        return
    high = 0.56 if hair.beard > 0.55 else y
    wide = head.wide if hair.beard > 0.55 else 0.09
    jaw = [
        (middle - wide, high),
        (middle - 0.85 * wide, y - 0.02),
        (middle - 0.105, y - 0.01),
        (middle - 0.06, y + 0.052),
        (middle, y + 0.045),
        (middle + 0.06, y + 0.052),
        (middle + 0.105, y - 0.01),
        (middle + 0.85 * wide, y - 0.02),
        (middle + wide, high),
    ]
    long = 0.02 + (0.06 if hair.beard > 0.8 else 0.0)
    under = [
        (middle + wide, 0.75),
        (middle + 0.6 * wide, head.chin),
        (middle, head.chin + long),
        (middle - 0.6 * wide, head.chin),
        (middle - wide, 0.75),
    ]
    beard = canvas.mask(
        np.concatenate([spline(jaw), spline(under)]), None if hair.beard > 0.8 and share > 0.7 else face
    )
    soft = canvas.soften(beard, 0.012)
    canvas.fill(soft if long > 0.03 and share > 0.7 else soft.within(face), colour, "fur", 0.13, share)


def paint_hat(canvas: Canvas, head: Head, hair: Hair, rng: np.random.Generator) -> None:
    """A knitted hat, a cap or a hat with a brim."""
    if not hair.hat:
        return
    colour = choose_colour(rng)
    dome = dome_outline(head, 0.045, 0.30)
    crown = canvas.mask(np.concatenate([dome, spline([tuple(dome[-1]), (0.5, 0.24), tuple(dome[0])])]))
    canvas.fill(crown, colour, "canvas", 0.08)
    if hair.hat == 1:
        ribs = [np.array([[0.5 + offset * 0.5, 0.0], [0.5 + offset, 0.35]]) for offset in np.linspace(-0.34, 0.34, 26)]
        canvas.stroke(ribs, shade(colour, 0.6), 0.008, 0.5, crown)
    canvas.round_off(crown, 0.14, ambient=0.42)
    wide = head.wide + 0.05
    if hair.hat == 1:
        brim = canvas.mask(ribbon(spline([(0.5 - wide, 0.31), (0.5, 0.235), (0.5 + wide, 0.31)]), 0.085))
    elif hair.hat == 2:
        at = 0.5 + 0.25 * float(np.sin(head.yaw))
        brim = canvas.mask(
            spline(
                [
                    (0.5 - wide * 0.95, 0.27),
                    (at, 0.20),
                    (0.5 + wide * 0.95, 0.27),
                    (at + 0.2, 0.335),
                    (at, 0.355),
                    (at - 0.2, 0.335),
                ],
                closed=True,
            )
        )
    else:
        brim = canvas.mask(ellipse((0.5, 0.26), (0.46, 0.085)))
    canvas.shadow(brim, 0.03, 0.02, 0.5)
    canvas.fill(brim, shade(colour, 0.9), "canvas", 0.08)
    canvas.round_off(brim, 0.035, ambient=0.45)
