"""Colour or one of two greys of any picture: luma as television has it, or the lightness that the eye sees."""

import numpy as np

from pix2pix import lab
from pix2pix.images import to_gray, to_rgb


def rgb(image: np.ndarray) -> np.ndarray:
    """(H, W, C) -> (H, W, 3) of the same dtype: grey repeated, transparency over white."""
    return to_rgb(image)


def gray(image: np.ndarray) -> np.ndarray:
    """(H, W, C) -> (H, W, 1) of the same dtype: ITU-R BT.601 luma; grey stays as it is."""
    return to_gray(image)


def lightness(image: np.ndarray) -> np.ndarray:
    """The grey with the CIE L* of the colour, (H, W, C) -> (H, W, 1) of the same dtype; grey stays as it is.

    A colorizer is given it: with the a and b of a picture it makes that picture. Transparency is laid over white.
    """
    if image.shape[2] == 1:
        return image
    return lab.encoded(lab.luminance(to_rgb(image)), image.dtype)[:, :, None]
