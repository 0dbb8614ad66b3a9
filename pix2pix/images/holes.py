"""Holes of a picture filled smoothly with the colours around them.

The pull and push of Gortler et al. 1996, "The Lumigraph", section 3.3.
"""

from typing import Any

import cv2
import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float32]]
FULLY_TRUSTED = 4  # a pixel of a level of which a quarter is known needs no other level; more sees less far
ONE, EPSILON = np.float32(1), np.float32(1e-9)


def fill_smoothly(image: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(H, W, 3) of any dtype and (H, W) bool, where it is known, to float32 in the same range; known pixels stay.

    A pixel takes its colour from the finest level of a pyramid that knows something there. 0 where nothing is known.
    """
    colours: Floats = np.where(known[:, :, None], image, 0).astype(np.float32)
    levels: list[tuple[Floats, Floats]] = [(colours, known.astype(np.float32))]
    while levels[-1][1].size > 1:  # pull: known colours, and how much of a pixel they cover
        height, width = levels[-1][1].shape
        half = (width + 1) // 2, (height + 1) // 2
        colours, cover = levels[-1]
        levels.append((_resized(colours, half, cv2.INTER_AREA), _resized(cover, half, cv2.INTER_AREA)))
    colours, cover = levels.pop()
    filled: np.ndarray = colours / np.maximum(cover, EPSILON)[:, :, None]
    for colours, cover in reversed(levels):  # push: what knows nothing takes from the level above
        height, width = cover.shape
        above = _resized(filled, (width, height), cv2.INTER_LINEAR)
        trusted = np.minimum(ONE, FULLY_TRUSTED * cover)[:, :, None]
        filled = trusted * (colours / np.maximum(cover, EPSILON)[:, :, None]) + (1 - trusted) * above
    return filled


def _resized(image: np.ndarray, size: tuple[int, int], interpolation: int) -> Floats:
    return np.asarray(cv2.resize(image, size, interpolation=interpolation), np.float32)
