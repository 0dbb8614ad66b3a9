"""Parts of a large picture as a network takes them, without the rest of it in floating point numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from pix2pix.data.conditions.masks import holes
from pix2pix.images import enlarge, fill_smoothly, reflect_pad, resize
from pix2pix.large.strips import in_strips
from pix2pix.representations import MaskedRgb, Representation, Rgb, known_pixels

COARSE = 4  # times as many pixels along each side as the colours that holes get
LEAST_COVER = np.float32(0.25)  # of a coarse pixel that is known; with less its colour is mostly rounding
CUBIC_REACH = 2  # source pixels that cubic interpolation sees to every side


def part_encoder(
    picture: np.ndarray, scale: int, representation: Representation
) -> Callable[[tuple[int, int], tuple[int, int]], Tensor]:
    """What gives `rows` and `columns`, first and after the last, of the picture `scale` times as large, (C, h, w).

    What lies beyond the picture at the bottom and right is mirrored.
    """
    if isinstance(representation, MaskedRgb):
        assert scale == 1, "a picture with holes keeps its size"
        return HoledParts(in_strips(holes, picture)).encode

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

    The colours for the holes are made at a quarter of the size; they are smooth.
    """

    def __init__(self, image: np.ndarray) -> None:
        """(H, W, 4), black in its holes."""
        self._image = image
        height, width = (max(1, side // COARSE) for side in image.shape[:2])
        # Areas of whole blocks; what is left over at the bottom and right is as its neighbours are.
        small = resize(image[: height * COARSE, : width * COARSE], height, width, nearest=False)
        cover = small[:, :, 3:] / np.float32(np.iinfo(image.dtype).max)
        colours = small[:, :, :3] / np.maximum(cover, LEAST_COVER)
        filled = fill_smoothly(colours.astype(np.float32), cover[:, :, 0] >= LEAST_COVER)
        self._coarse = np.clip(filled + 0.5, 0, np.iinfo(image.dtype).max).astype(image.dtype)

    def encode(self, rows: tuple[int, int], columns: tuple[int, int]) -> Tensor:
        """(4, h, w) in [-1, 1]; what lies beyond the picture is mirrored."""
        part = self._image[slice(*rows), slice(*columns)]
        coarse = enlarged_part(self._coarse, COARSE, rows, columns)
        coarse = np.pad(
            coarse, [(0, a - b) for a, b in zip(part.shape[:2], coarse.shape[:2], strict=True)] + [(0, 0)], "edge"
        )
        known = known_pixels(part)
        whole = np.concatenate([np.where(known[:, :, None], part[:, :, :3], coarse), part[:, :, 3:]], axis=2)
        padded = reflect_pad(whole, rows[1] - rows[0], columns[1] - columns[0])
        mask = torch.from_numpy(known_pixels(padded)).float() * 2 - 1
        return torch.cat([Rgb().encode(padded[:, :, :3]), mask[None]])
