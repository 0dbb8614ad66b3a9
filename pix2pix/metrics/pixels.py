"""Distances between two pictures pixel by pixel: L1, PSNR, SSIM and MS-SSIM.

SSIM is equation 13 of Wang et al. 2004, "Image quality assessment: from error visibility to structural similarity".
MS-SSIM is equation 7 of Wang, Simoncelli and Bovik 2003, "Multiscale structural similarity for image quality
assessment".

All take two pictures of one shape, (H, W, 3) or (H, W), with values in [0, 255], uint8 or float.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[Any]

RANGE = 255.0
WINDOW = 11  # side of SSIM's Gaussian window, in pixels
SIGMA = 1.5  # of that window
C1 = (0.01 * RANGE) ** 2
C2 = (0.03 * RANGE) ** 2
SCALES = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # exponents of MS-SSIM, finest scale first, section 3.2


def l1(output: Picture, target: Picture) -> float:
    """Mean absolute difference as a share of the range: 0 is equal, 1 is black against white.

    Raises ValueError for pictures of two shapes.
    """
    output, target = _both(output, target)
    return float(np.abs(output - target).mean() / RANGE)


def psnr(output: Picture, target: Picture) -> float:
    """Peak signal-to-noise ratio in dB, the peak being 255; infinite for equal pictures.

    Raises ValueError for pictures of two shapes.
    """
    output, target = _both(output, target)
    squared = float(np.square(output - target).mean())
    return float("inf") if squared == 0 else float(10 * np.log10(RANGE**2 / squared))


def ssim(output: Picture, target: Picture) -> float:
    """Structural similarity, at most 1: the mean over places and channels, each channel on its own.

    The window is a Gaussian of 11 x 11 and sigma 1.5, K1 is 0.01, K2 0.03. Windows that would reach over the border
    are left out, as in the authors' program.
    Raises ValueError for pictures of two shapes, or with a side below 11 pixels: no window fits there.
    """
    output, target = _both(output, target)
    if min(output.shape[:2]) < WINDOW:
        got = f"{output.shape[1]}x{output.shape[0]}"
        raise ValueError(f"SSIM: got a picture of {got}, expected at least {WINDOW}x{WINDOW}, its window")
    luminance, structure = _similarity(output, target)
    return float((luminance * structure).mean())


def ms_ssim(output: Picture, target: Picture) -> float:
    """Structural similarity over five scales, 0 to 1: the mean over channels, each channel on its own.

    Windows as in `ssim`. Contrast and structure count at every scale, luminance at the coarsest only; between scales
    the picture is averaged over 2 x 2, an odd last row or column with itself. A scale whose mean is negative counts
    as 0, as a negative number has no real power.
    Raises ValueError for pictures of two shapes, or with a side of 160 pixels or less: at the fifth scale no window
    would fit.
    """
    output, target = _both(output, target)
    least = (WINDOW - 1) * 2 ** (len(SCALES) - 1)
    if min(output.shape[:2]) <= least:
        got = f"{output.shape[1]}x{output.shape[0]}"
        raise ValueError(f"MS-SSIM: got a picture of {got}, expected more than {least} pixels a side, for five scales")
    product = np.ones(output.shape[2:])
    for scale, exponent in enumerate(SCALES):
        if scale:
            output, target = _halved(output), _halved(target)
        luminance, structure = _similarity(output, target)
        places = luminance * structure if scale == len(SCALES) - 1 else structure
        product *= np.maximum(places.mean((0, 1)), 0) ** exponent
    return float(product.mean())


def _similarity(
    output: NDArray[np.float64], target: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The luminance term, and contrast times structure, of every whole window, (H, W, ...) -> (H - 10, W - 10, ...)."""
    mean_output, mean_target = _local_mean(output), _local_mean(target)
    variance_output = _local_mean(output * output) - mean_output**2
    variance_target = _local_mean(target * target) - mean_target**2
    covariance = _local_mean(output * target) - mean_output * mean_target
    luminance = (2 * mean_output * mean_target + C1) / (mean_output**2 + mean_target**2 + C1)
    structure = (2 * covariance + C2) / (variance_output + variance_target + C2)
    return luminance, structure


def _halved(image: NDArray[np.float64]) -> NDArray[np.float64]:
    odd = [(0, side % 2) for side in image.shape[:2]] + [(0, 0)] * (image.ndim - 2)
    image = np.pad(image, odd, mode="edge")
    return (image[::2, ::2] + image[1::2, ::2] + image[::2, 1::2] + image[1::2, 1::2]) / 4


def _both(output: Picture, target: Picture) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if output.shape != target.shape or output.ndim not in (2, 3) or output.size == 0:
        got = f"{output.shape} and {target.shape}"
        raise ValueError(f"got pictures of shape {got}, expected one shape, (H, W) or (H, W, C)")
    return output.astype(np.float64), target.astype(np.float64)


def _local_mean(image: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gaussian mean of every whole window, (H, W, ...) -> (H - 10, W - 10, ...)."""
    offsets = np.arange(WINDOW) - WINDOW // 2
    kernel = np.exp(-(offsets**2) / (2 * SIGMA**2))
    kernel /= kernel.sum()
    border = WINDOW // 2
    blurred = cv2.sepFilter2D(image, cv2.CV_64F, kernel, kernel)
    return np.asarray(blurred[border:-border, border:-border], np.float64)
