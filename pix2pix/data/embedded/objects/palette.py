"""Colours of the embedded objects: leather and cloth, skin, hair, irises and grounds."""

import colorsys

import numpy as np

from pix2pix.data.embedded.basics import Colour, mix

LEATHERS: tuple[Colour, ...] = (
    (34.0, 32.0, 34.0),
    (92.0, 56.0, 34.0),
    (150.0, 92.0, 50.0),
    (186.0, 138.0, 92.0),
    (70.0, 40.0, 32.0),
    (214.0, 190.0, 158.0),
    (236.0, 232.0, 224.0),
    (128.0, 126.0, 124.0),
    (120.0, 28.0, 34.0),
    (40.0, 48.0, 82.0),
)
METALS: tuple[Colour, ...] = (
    (212.0, 184.0, 110.0),
    (200.0, 202.0, 206.0),
    (120.0, 112.0, 104.0),
    (196.0, 148.0, 118.0),
)


def pick(rng: np.random.Generator, colours: tuple[Colour, ...], spread: float = 8.0) -> Colour:
    """One of the colours, varied by a few levels."""
    red, green, blue = colours[int(rng.integers(len(colours)))]
    shift = rng.normal(0.0, spread / 2, 3) + rng.normal(0.0, spread)
    red, green, blue = np.clip(np.array([red, green, blue]) + shift, 6.0, 248.0).tolist()
    return red, green, blue


def hue_colour(hue: float, saturation: float, value: float) -> Colour:
    """A colour from hue, saturation and value within 0 to 1."""
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, saturation, value)
    return 255.0 * red, 255.0 * green, 255.0 * blue


def choose_colour(rng: np.random.Generator) -> Colour:
    """A leather's colour, a strong dye or a pastel."""
    if rng.random() < 0.45:
        return pick(rng, LEATHERS)
    strong = rng.random() < 0.65
    saturation, value = rng.uniform((0.5, 0.35) if strong else (0.12, 0.7), (0.95, 0.92) if strong else (0.42, 0.95))
    return hue_colour(float(rng.random()), float(saturation), float(value))


def contrasting(rng: np.random.Generator, colour: Colour) -> Colour:
    """A colour that stands out from another: much lighter or darker, or of another hue."""
    bright = sum(colour) / 3.0
    plain: Colour = (240.0, 238.0, 232.0) if bright < 130.0 else (44.0, 42.0, 44.0)
    if rng.random() < 0.5:
        return plain
    return mix(choose_colour(rng), plain, 0.3)
