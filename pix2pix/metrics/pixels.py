"""Distances between two pictures pixel by pixel: L1, PSNR and SSIM.

SSIM is equation 13 of Wang et al. 2004, "Image quality assessment: from error visibility to structural similarity".

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
    mean_output, mean_target = _local_mean(output), _local_mean(target)
    variance_output = _local_mean(output * output) - mean_output**2
    variance_target = _local_mean(target * target) - mean_target**2
    covariance = _local_mean(output * target) - mean_output * mean_target
    luminance = (2 * mean_output * mean_target + C1) / (mean_output**2 + mean_target**2 + C1)
    structure = (2 * covariance + C2) / (variance_output + variance_target + C2)
    return float((luminance * structure).mean())


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
