"""Overlapping tiles of a picture that is too large to be searched at once, and the mean of what was made of them."""

from __future__ import annotations

import math

import numpy as np

TILE = 512  # longest side that is searched at once
OVERLAP = 64


def tiles(height: int, width: int, longest: int, overlap: int) -> list[tuple[slice, slice]]:
    """Rows and columns of equal tiles that cover the picture, spread evenly, at least `overlap` in common."""
    assert 0 <= overlap < longest
    return [
        (rows, columns) for rows in _spread(height, longest, overlap) for columns in _spread(width, longest, overlap)
    ]


def _spread(side: int, longest: int, overlap: int) -> list[slice]:
    if side <= longest:
        return [slice(0, side)]
    count = math.ceil((side - overlap) / (longest - overlap))
    starts = (round(index * (side - longest) / (count - 1)) for index in range(count))
    return [slice(start, start + longest) for start in starts]


class Blend:
    """The weighted mean of tiles (h, w, 3): a tile counts less towards its border, so that none shows."""

    def __init__(self, height: int, width: int) -> None:
        self._sum = np.zeros((height, width, 3), np.float32)
        self._weight = np.zeros((height, width, 1), np.float32)

    def add(self, place: tuple[slice, slice], made: np.ndarray) -> None:
        weight = np.outer(*(_hat(side) for side in made.shape[:2]))[:, :, None]
        self._sum[place] += weight * made
        self._weight[place] += weight

    def mean(self) -> np.ndarray:
        """(H, W, 3) float32, once tiles cover everything."""
        assert self._weight.min() > 0
        return np.asarray(self._sum / self._weight)


def _hat(side: int) -> np.ndarray:
    """1 in the middle, falling to next to nothing over OVERLAP pixels at both ends."""
    from_border = np.minimum(np.arange(side), np.arange(side)[::-1]) + 0.5
    return np.asarray(np.minimum(1, from_border / OVERLAP), np.float32)
