"""Parts of a large picture as a network takes them, without the rest of it in floating point numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from pix2pix.images import enlarge, reflect_pad
from pix2pix.images.holes import double, fill_level, halve, known_colours
from pix2pix.large.strips import strips
from pix2pix.representations import MaskedRgb, Representation, Rgb, known_pixels

CUBIC_REACH = 2  # source pixels that cubic interpolation sees to every side
HALF = np.float32(0.5)


def part_encoder(
    picture: np.ndarray, scale: int, representation: Representation
) -> Callable[[tuple[int, int], tuple[int, int]], Tensor]:
    """What gives `rows` and `columns`, first and after the last, of the picture `scale` times as large, (C, h, w).

    What lies beyond the picture at the bottom and right is mirrored.
    """
    if isinstance(representation, MaskedRgb):
        assert scale == 1, "a picture with holes keeps its size"
        return HoledParts(picture).encode

    def encode(rows: tuple[int, int], columns: tuple[int, int]) -> Tensor:
        part = enlarged_part(picture, scale, rows, columns)
        return representation.encode(reflect_pad(part, rows[1] - rows[0], columns[1] - columns[0]))

    return encode


def enlarged_part(image: np.ndarray, scale: int, rows: tuple[int, int], columns: tuple[int, int]) -> np.ndarray:
    """Part of `enlarge(image, scale)` without the rest; the ends may lie beyond the picture, and are cut off there."""
    if scale == 1:
        return image[rows[0] : rows[1], columns[0] : columns[1]]
    near = [
        (max(0, start // scale - CUBIC_REACH), min(side, -(-stop // scale) + CUBIC_REACH))
        for (start, stop), side in zip((rows, columns), image.shape[:2], strict=True)
    ]
    part = enlarge(np.ascontiguousarray(image[slice(*near[0]), slice(*near[1])]), scale)
    top, left = near[0][0] * scale, near[1][0] * scale
    return part[rows[0] - top : rows[1] - top, columns[0] - left : columns[1] - left]


class HoledParts:
    """Parts of a picture with holes as `masked_rgb` encodes them, the holes filled from the whole picture.

    The colours for the holes are kept at half the size, where they are as smooth as the holes will have them.
    """

    def __init__(self, image: np.ndarray) -> None:
        """(H, W, 4) with holes where it is transparent by half or more."""
        self._image = image
        height, width = image.shape[:2]
        level = np.empty((-(-height // 2), -(-width // 2), 4), np.float32)
        for top, bottom in strips(0, len(level), 4 * width):
            strip = image[2 * top : 2 * bottom]
            level[top:bottom] = halve(known_colours(strip[:, :, :3], known_pixels(strip)))
        filled = fill_level(level)
        filled += HALF
        # Rounded: what it costs is below what 8 bits show, and floating point numbers would take four times the memory.
        self._filled = filled.astype(image.dtype)

    def encode(self, rows: tuple[int, int], columns: tuple[int, int]) -> Tensor:
        """(4, h, w) in [-1, 1]; what lies beyond the picture is mirrored."""
        part = self._image[slice(*rows), slice(*columns)]
        known = known_pixels(part)
        whole = part.copy()
        inside = [(start, start + length) for (start, _), length in zip((rows, columns), part.shape[:2], strict=True)]
        whole[:, :, :3][~known] = double(self._filled, *inside)[~known]
        padded = reflect_pad(whole, rows[1] - rows[0], columns[1] - columns[0])
        mask = torch.from_numpy(known_pixels(padded)).float() * 2 - 1
        return torch.cat([Rgb().encode(padded[:, :, :3]), mask[None]])
