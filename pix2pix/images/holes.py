"""Holes of a picture filled smoothly with the colours around them.

The pull and push of Gortler et al. 1996, "The Lumigraph", section 3.3. A pixel of a level stands for 2x2 of the level
below, exactly; at odd sides it stands for half as many, the others being unknown.
"""

from typing import Any

import cv2
import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float32]]
FULLY_TRUSTED = 4  # a pixel of a level of which a quarter is known needs no other level; more sees less far
ONE, EPSILON = np.float32(1), np.float32(1e-9)
LINEAR_REACH = 1  # pixels that linear interpolation sees to every side
STRIP = 2**20  # pixels that are computed at a time


def fill_smoothly(image: np.ndarray, known: np.ndarray) -> Floats:
    """(H, W, 3) of any dtype and (H, W) bool, where it is known, to float32 in the same range; known pixels stay.

    A pixel takes its colour from the finest level of a pyramid that knows something there. 0 where nothing is known.
    """
    return fill_level(known_colours(image, known))


def known_colours(image: np.ndarray, known: np.ndarray) -> Floats:
    """The finest level of the pyramid, (H, W, 4): colours, 0 where they are not known, and how much of it is known."""
    level = np.empty((*known.shape, 4), np.float32)
    level[:, :, :3] = image
    level[:, :, 3] = 1
    level[~known] = 0
    return level


def halve(level: Floats) -> Floats:
    """(H, W, 4) to the level above, (H / 2, W / 2, 4) rounded up: the means of 2x2 pixels."""
    height, width = level.shape[:2]
    even = cv2.copyMakeBorder(level, 0, height % 2, 0, width % 2, cv2.BORDER_CONSTANT, value=(0, 0, 0, 0))
    return np.asarray(cv2.resize(even, (-(-width // 2), -(-height // 2)), interpolation=cv2.INTER_AREA), np.float32)


def double(filled: np.ndarray, rows: tuple[int, int], columns: tuple[int, int]) -> np.ndarray:
    """Part of (H, W, C) made (2 H, 2 W, C) linearly: `rows` and `columns`, the first and the one after the last."""
    near = [
        (max(0, start // 2 - LINEAR_REACH), min(side, -(-stop // 2) + LINEAR_REACH))
        for (start, stop), side in zip((rows, columns), filled.shape[:2], strict=True)
    ]
    part = np.ascontiguousarray(filled[slice(*near[0]), slice(*near[1])])
    doubled = np.asarray(cv2.resize(part, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR), filled.dtype)
    top, left = 2 * near[0][0], 2 * near[1][0]
    return doubled[rows[0] - top : rows[1] - top, columns[0] - left : columns[1] - left]


def fill_level(level: Floats) -> Floats:
    """Colours (H, W, 3) for a level (H, W, 4) of the pyramid, where it knows nothing from the levels above it.

    They take the place of the level's own colours, in strips: a large picture has no memory to spare.
    """
    height, width = level.shape[:2]
    above = fill_level(halve(level)) if height * width > 1 else None
    rows = max(1, STRIP // width)
    for top in range(0, height, rows):
        strip = level[top : top + rows]
        colours, cover = strip[:, :, :3], strip[:, :, 3:]
        colours /= np.maximum(cover, EPSILON)
        if above is not None:
            trusted = np.minimum(ONE, FULLY_TRUSTED * cover)
            colours *= trusted
            colours += (ONE - trusted) * double(above, (top, top + len(strip)), (0, width))
    return level[:, :, :3]
