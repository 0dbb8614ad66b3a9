"""Put what was made into a picture: seamlessly into its holes, over a square of it, tile beside tile.

Holes take the made colours plus a membrane that carries the difference on their border inside: Perez et al. 2003,
"Poisson image editing", equation 6.
"""

from __future__ import annotations

import cv2
import numpy as np

from pix2pix.images import fill_smoothly
from pix2pix.restoration.wanted import Box

RELAXATIONS = 300  # of the membrane; it begins as a smooth filling, so only what is near is left to settle
FEATHER = 16  # a square's side is so many times as long as the border over which it blends in


def resized(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """(H, W, C) float32 to (height, width, C): the mean over area where it shrinks, cubic where it grows."""
    grows = height > values.shape[0] or width > values.shape[1]
    found = cv2.resize(values, (width, height), interpolation=cv2.INTER_CUBIC if grows else cv2.INTER_AREA)
    return np.asarray(found, np.float32).reshape(height, width, values.shape[2])


def rounded(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Values in levels of `dtype`, of any size, as such."""
    return np.asarray(np.rint(values).clip(0, np.iinfo(dtype).max), dtype)


def paste_into_holes(picture: np.ndarray, made: np.ndarray, holes: np.ndarray) -> np.ndarray:
    """`picture` (H, W, 3) with its `holes` (H, W) bool filled by `made` (H, W, 3), in the same levels; nothing else.

    The colours made are moved by the membrane of the difference, so that they meet the picture at the border.
    """
    moved = made + membrane(picture.astype(np.float32) - made, holes)
    pasted = picture.copy()
    pasted[holes] = rounded(moved[holes], picture.dtype)
    return pasted


def membrane(difference: np.ndarray, holes: np.ndarray) -> np.ndarray:
    """(H, W, 3) float32 in which every pixel of the `holes` is the mean of its four neighbours; the others stay.

    Without a known pixel it is 0. Solved by relaxation, in the part of the picture that the holes touch.
    """
    if not holes.any():
        return difference
    rows, columns = (_reach(np.any(holes, axis=axis, keepdims=True).ravel()) for axis in (1, 0))
    inner = holes[rows, columns]
    found = fill_smoothly(difference, ~holes)
    part = np.ascontiguousarray(found[rows, columns])
    four = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.float32) / 4
    for _ in range(RELAXATIONS):
        mean = cv2.filter2D(part, -1, four, borderType=cv2.BORDER_REPLICATE).reshape(part.shape)
        part[inner] = mean[inner]
    found[rows, columns] = part
    return np.asarray(found)


def _reach(lines: np.ndarray) -> slice:
    """From the line before the first one with holes to that behind the last."""
    (where,) = np.nonzero(lines)
    return slice(max(0, int(where[0]) - 1), int(where[-1]) + 2)


def paste_square(base: np.ndarray, made: np.ndarray, box: Box) -> np.ndarray:
    """`base` (H, W, 3) with `made` (side, side, 3), in the same levels, over its `box`.

    It blends in over a strip along those of its sides that are not the picture's own.
    """
    height, width = base.shape[:2]
    opacity = np.outer(
        _fade(box.side, box.top > 0, box.top + box.side < height),
        _fade(box.side, box.left > 0, box.left + box.side < width),
    )[:, :, None]
    pasted = base.copy()
    below = base[box.rows, box.columns].astype(np.float32)
    pasted[box.rows, box.columns] = rounded(below + opacity * (made - below), base.dtype)
    return pasted


def _fade(side: int, at_first: bool, at_last: bool) -> np.ndarray:
    """Opacity (side,) float32, which rises from the first pixel and falls to the last one where asked."""
    steps = max(1, side // FEATHER)
    rising = (np.minimum(np.arange(side, dtype=np.float32), steps - 0.5) + 0.5) / steps
    ones = np.ones(side, np.float32)
    return np.asarray((rising if at_first else ones) * (rising[::-1] if at_last else ones))
