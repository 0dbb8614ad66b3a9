"""How well colours are met: PSNR of chroma, colourfulness, and the spread of colours over a whole set, in CIE Lab.

Colourfulness: Hasler and Suesstrunk 2003, "Measuring colourfulness in natural images", section 7. Histograms: Isola
et al. 2017 (arXiv 1611.07004), section 4.2 and figure 7.

Pictures are (H, W, 3) uint8, sRGB. Lab has L in 0..100 and a, b within about -108..98, white point D65.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pix2pix.lab import rgb_to_lab

Picture = NDArray[np.uint8]
Counts = NDArray[np.int64]

PEAK = 255.0
BINS = 256


def lab(picture: Picture) -> NDArray[np.float32]:
    """(H, W, 3) uint8 sRGB -> (H, W, 3) CIE Lab. Raises ValueError for any other kind of picture."""
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8 or picture.size == 0:
        raise ValueError(f"got a picture of shape {picture.shape}, {picture.dtype}, expected (H, W, 3), uint8")
    return rgb_to_lab(picture)


def psnr_ab(output: Picture, target: Picture) -> float:
    """Peak signal-to-noise ratio in dB over the a and b channels of Lab; infinite for equal chroma.

    The mean square is over both channels and all pixels, in Lab units; the peak is 255, the width of a and b in
    8 bits. Lightness, which a colorizer is given, does not count. This is not the PSNR of Zhang et al. 2017,
    "Real-time user-guided image colorization": theirs is over R, G and B, which is `psnr` in `pixels.py`.
    Raises ValueError for pictures of two shapes or not (H, W, 3) uint8.
    """
    if output.shape != target.shape:
        raise ValueError(f"got pictures of shape {output.shape} and {target.shape}, expected one shape")
    difference = (lab(output) - lab(target))[..., 1:]
    squared = float(np.square(difference).mean())
    return float("inf") if squared == 0 else float(10 * np.log10(PEAK**2 / squared))


def colourfulness(picture: Picture) -> float:
    """M3 of Hasler and Suesstrunk: 0 for any grey, about 33 for an averagely, 109 for an extremely colourful picture.

    It needs no target: a colorizer that plays safe shows as a lower mean than that of the real pictures.
    Raises ValueError for a picture that is not (H, W, 3).
    """
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.size == 0:
        raise ValueError(f"got a picture of shape {picture.shape}, expected (H, W, 3)")
    red, green, blue = np.moveaxis(picture.astype(np.float64), 2, 0)
    red_green, yellow_blue = red - green, (red + green) / 2 - blue
    spread = np.hypot(red_green.std(), yellow_blue.std())
    return float(spread + 0.3 * np.hypot(red_green.mean(), yellow_blue.mean()))


def lab_histograms(picture: Picture) -> Counts:
    """How many pixels have each L, a and b: (3, 256) counts, to be summed over a set.

    The bins are the levels of 8-bit Lab: L is scaled from 0..100 to 0..255, a and b are shifted by 128. Bins of a and
    b are centred on whole numbers, so that grey, with rounding on either side of 0, falls in one of them.
    Raises ValueError for a picture that is not (H, W, 3) uint8.
    """
    levels = np.rint(lab(picture) * np.array([PEAK / 100, 1, 1]) + np.array([0, 128, 128]))
    channels = np.clip(levels, 0, BINS - 1).astype(np.int64).reshape(-1, 3).T
    return np.stack([np.bincount(channel, minlength=BINS) for channel in channels])


def histogram_overlap(output: Counts, target: Counts) -> tuple[float, float, float]:
    """Intersection of two sets' histograms in L, a and b, each 0 to 1: 1 is the same distribution of that channel.

    `output` and `target` are (3, bins) counts from `lab_histograms`, summed over each set; sets of different sizes
    compare, as each is divided by its total. The paper names no bins: figures compare with figures from here only.
    Raises ValueError for shapes that differ or an empty set.
    """
    if output.shape != target.shape or output.ndim != 2 or len(output) != 3:
        raise ValueError(f"got histograms of shape {output.shape} and {target.shape}, expected one shape, (3, bins)")
    totals = output.sum(1, keepdims=True), target.sum(1, keepdims=True)
    if not (totals[0].all() and totals[1].all()):
        raise ValueError("got a histogram without counts, expected at least one picture in each set")
    lightness, a, b = np.minimum(output / totals[0], target / totals[1]).sum(1)
    return float(lightness), float(a), float(b)
