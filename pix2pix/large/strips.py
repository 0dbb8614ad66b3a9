"""Large pictures a strip of rows at a time, where floating point numbers for the whole would fill the memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pix2pix.data.conditions import Palette, nearest_class
from pix2pix.images import to_rgb8
from pix2pix.representations import Rgb
from pix2pix.upsampling import LABELS_SMOOTHNESS, PICTURE_SMOOTHNESS, class_means, slope

STRIP = 2**20  # pixels
MARGIN = 8  # rows; steps that look around look no further


def strips(top: int, bottom: int, width: int) -> Iterator[tuple[int, int]]:
    """First row and row after the last, for strips of at most `STRIP` pixels where the width allows."""
    rows = max(1, STRIP // width)
    for start in range(top, bottom, rows):
        yield start, min(start + rows, bottom)


def in_strips(function: Callable[[np.ndarray], np.ndarray], image: np.ndarray) -> np.ndarray:
    """`function` of (H, W, C), which gives (H, W, C'), where every pixel depends on those within `MARGIN` rows."""
    height, width = image.shape[:2]
    made: np.ndarray | None = None
    for top, bottom in strips(0, height, width):
        first = max(0, top - MARGIN)
        strip = function(image[first : bottom + MARGIN])[top - first : bottom - first]
        if made is None:
            made = np.empty((height, *strip.shape[1:]), strip.dtype)
        made[top:bottom] = strip
    assert made is not None
    return made


def enlarged_by_picture(output: Tensor, full: np.ndarray) -> Iterator[tuple[int, int, Tensor]]:
    """`upsampling.enlarge_by_picture`, up to rounding, in strips: first row, row after the last, (C, rows, W)."""

    def guide(top: int, bottom: int) -> Tensor:
        return Rgb().encode(full[top:bottom]).mean(0, keepdim=True)

    return _enlarged(output, guide, full.shape[0], full.shape[1], PICTURE_SMOOTHNESS)


def enlarged_by_classes(
    output: Tensor, work: np.ndarray, full: np.ndarray, palette: Palette
) -> Iterator[tuple[int, int, Tensor]]:
    """`upsampling.enlarge_by_classes` in the same way, from the label maps that the network saw and of full size."""

    def classes(image: np.ndarray) -> Tensor:
        return torch.from_numpy(nearest_class(to_rgb8(image), palette)[0]).long()

    means = class_means(output, classes(work), len(palette))

    def guide(top: int, bottom: int) -> Tensor:
        return means[classes(full[top:bottom])].permute(2, 0, 1)

    return _enlarged(output, guide, full.shape[0], full.shape[1], LABELS_SMOOTHNESS)


def _enlarged(
    output: Tensor, guide: Callable[[int, int], Tensor], height: int, width: int, smoothness: float
) -> Iterator[tuple[int, int, Tensor]]:
    enlargement = _Enlargement(output, guide, height, width, smoothness)
    for top, bottom in strips(0, height, width):
        yield top, bottom, enlargement.rows(top, bottom)


class _Enlargement:
    """A small output and what is needed to enlarge any of its rows."""

    def __init__(
        self, output: Tensor, guide: Callable[[int, int], Tensor], height: int, width: int, smoothness: float
    ) -> None:
        """`output` (C, h, w) is to have the size of the guide; `guide(top, bottom)` are rows of it, (1 or C, n, W)."""
        small_height, small_width = output.shape[1:]
        narrow = []  # one axis after the other gives the same, and rows are independent of each other along the first
        for top, bottom in strips(0, height, width):
            rows = guide(top, bottom)[None]
            narrow.append(F.interpolate(rows, (bottom - top, small_width), mode="bilinear", antialias=True))
        seen = F.interpolate(torch.cat(narrow, 2), (small_height, small_width), mode="bilinear", antialias=True)
        self._guide, self._height = guide, height
        wide = (small_height, width)
        self._slope = F.interpolate(slope(output, seen[0], smoothness)[None], wide, mode="bilinear")
        self._output = F.interpolate(output[None], wide, mode="bicubic")
        self._seen = F.interpolate(seen, wide, mode="bicubic")

    def rows(self, top: int, bottom: int) -> Tensor:
        """Rows `top` to `bottom` of the whole, (C, bottom - top, W)."""
        lost = self._guide(top, bottom) - self._rows(self._seen, "bicubic", top, bottom)
        return (
            self._rows(self._output, "bicubic", top, bottom) + self._rows(self._slope, "bilinear", top, bottom) * lost
        )

    def _rows(self, small: Tensor, mode: str, top: int, bottom: int) -> Tensor:
        """Rows of `small` (1, C, h, W) enlarged to the full height, as sums of its rows with the weights of `mode`."""
        weights = _row_weights(small.shape[2], self._height, mode, top, bottom)
        used = weights.any(0).nonzero()
        first, last = int(used[0]), int(used[-1]) + 1
        return torch.einsum("yr,crx->cyx", weights[:, first:last], small[0, :, first:last])


def _row_weights(rows: int, height: int, mode: str, top: int, bottom: int) -> Tensor:
    """How much of each of `rows` is in rows `top` to `bottom` of the `height` that they are enlarged to."""
    return F.interpolate(torch.eye(rows)[None, None], (height, rows), mode=mode)[0, 0, top:bottom]
