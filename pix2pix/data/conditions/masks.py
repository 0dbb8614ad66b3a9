"""Pictures with holes to fill: free-form holes drawn into a photo, and any user's transparency made such holes.

The strokes follow the idea of Yu et al. 2019, "Free-Form Image Inpainting with Gated Convolution", algorithm 1: random
walks of a brush with round ends. Unlike there the share of the picture that is lost is given, and widths scale with it.
"""

import math
from typing import Annotated

import cv2
import numpy as np
from pydantic import AfterValidator, Field

from pix2pix.data.conditions.steps import ordered
from pix2pix.images import to_rgb

Share = Annotated[float, Field(ge=0, le=0.95)]
Area = Annotated[tuple[Share, Share], AfterValidator(ordered)]

LARGEST_AREA = 0.95  # of the picture: without anything to go on there is nothing to learn
TOLERANCE = 0.005  # of the picture: without it the last of a hole would be filled with specks
_BOX_PROBABILITY = 0.3
_BRUSHES = (0.01, 0.16)  # width as a share of the shorter side: from scratches to broad brushes


def mask(image: np.ndarray, rng: np.random.Generator, *, area: Area = (0.05, 0.4)) -> np.ndarray:
    """Holes in a picture, (H, W, C) -> (H, W, 4) of the same dtype: black with alpha 0 in the holes, opaque elsewhere.

    `area` is the range for the share of the picture that is lost; see `draw_mask`, which this is with `with_mask`.
    """
    return with_mask(to_rgb(image), draw_mask(rng, image.shape[0], image.shape[1], area))


def draw_mask(rng: np.random.Generator, height: int, width: int, area: tuple[float, float]) -> np.ndarray:
    """Holes of strokes and boxes, (height, width) bool, True in the holes.

    Their share of the picture is drawn evenly from `area` and met to within half a per cent of the picture, or half
    a pixel where that is more. Raises ValueError for a range in the wrong order or not within 0 to 0.95.
    """
    lowest, highest = ordered(area)
    if lowest < 0 or highest > LARGEST_AREA:
        raise ValueError(f"got the range {area} for the area of holes, expected it within 0 and {LARGEST_AREA}")
    wanted = rng.uniform(lowest, highest) * height * width
    tolerance = max(0.5, TOLERANCE * height * width)
    hole = np.zeros((height, width), np.uint8)
    while (missing := wanted - cv2.countNonZero(hole)) > tolerance:
        candidate = hole.copy()
        start = _known_place(rng, hole)
        if rng.random() < _BOX_PROBABILITY:
            _draw_box(rng, candidate, start, missing)
        else:
            _draw_stroke(rng, candidate, start, missing)
        if cv2.countNonZero(candidate) <= wanted + tolerance:
            hole = candidate
    return hole.astype(np.bool_)


def _known_place(rng: np.random.Generator, hole: np.ndarray) -> tuple[int, int]:
    """Row and column of a pixel that is still there; of 20 at least one is."""
    while True:
        row, column = (int(rng.integers(side)) for side in hole.shape)
        if not hole[row, column]:
            return row, column


def _draw_box(rng: np.random.Generator, hole: np.ndarray, start: tuple[int, int], missing: float) -> None:
    """A box of part of the missing area around a place; what lies outside the picture is lost."""
    pixels = missing * rng.uniform(0.2, 0.8)
    height = max(1, int(math.sqrt(pixels * math.exp(rng.uniform(-1, 1)))))
    width = max(1, int(pixels / height))
    top, left = start[0] - height // 2, start[1] - width // 2
    hole[max(top, 0) : top + height, max(left, 0) : left + width] = 1


def _draw_stroke(rng: np.random.Generator, hole: np.ndarray, start: tuple[int, int], missing: float) -> None:
    """A random walk with a round brush from a place, no longer than fits in the missing area."""
    side = min(hole.shape)
    thinnest, broadest = _BRUSHES
    brush = side * thinnest * (broadest / thinnest) ** rng.random()
    thickness = max(1, round(min(brush, math.sqrt(missing))))
    steps = int(rng.integers(2, 16))
    lengths = max(brush, side / 16) * rng.uniform(0.5, 1.5, steps)
    # A brush of the root of the missing area leaves room for its round ends, of 0.8 times its square.
    lengths *= min(1.0, max(missing / thickness - 0.8 * thickness, 0) / lengths.sum())
    restlessness = rng.uniform(0.1, 1.5)  # from a bow to a scribble, in radians a step
    headings = rng.uniform(0, 2 * math.pi) + np.cumsum(rng.normal(0, restlessness, steps))
    walk = np.cumsum(lengths * np.stack([np.cos(headings), np.sin(headings)]), axis=1).T
    points = np.concatenate([[(0.0, 0.0)], walk]) + start[::-1]
    cv2.polylines(hole, [np.rint(points).astype(np.int32)], False, 1, thickness)


def with_mask(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Colour (H, W, 3) and holes (H, W) bool -> (H, W, 4) of the same dtype: zero in the holes, opaque elsewhere.

    Raises ValueError where the two do not fit.
    """
    if image.ndim != 3 or image.shape[2] != 3 or mask.dtype != np.bool_ or mask.shape != image.shape[:2]:
        got = f"a picture of shape {image.shape} and a mask of shape {mask.shape}, {mask.dtype}"
        raise ValueError(f"got {got}, expected (H, W, 3) and (H, W), bool")
    known = ~mask
    holed = np.empty((*mask.shape, 4), image.dtype)
    np.multiply(image, known[:, :, None], out=holed[:, :, :3])
    np.multiply(known, np.iinfo(image.dtype).max, out=holed[:, :, 3], casting="unsafe")
    return holed


def holes(image: np.ndarray) -> np.ndarray:
    """Any picture as one with holes, (H, W, C) -> (H, W, 4) of the same dtype; what it gives stays as it is.

    Alpha below half is a hole, black with alpha 0; the rest is opaque in its own colour, not laid over anything. A
    picture without alpha has no holes.
    """
    if image.shape[2] != 4:
        return with_mask(to_rgb(image), np.zeros(image.shape[:2], np.bool_))
    half = np.iinfo(image.dtype).max // 2 + 1
    return with_mask(image[:, :, :3], image[:, :, 3] < half)
