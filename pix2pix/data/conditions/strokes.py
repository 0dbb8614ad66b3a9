"""Training drawings made to look as people draw: wobbly, thick and thin, broken, in pencil, some strokes lost or stray.

What thickness and tone vary here, `lines` takes away again; what is left is the error it makes on real drawings.
"""

from __future__ import annotations

from typing import Annotated

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field

from pix2pix.data.conditions.steps import ordered
from pix2pix.images import to_gray

Mask = NDArray[np.bool_]
Plane = NDArray[np.float32]

Share = Annotated[float, Field(ge=0, le=1)]
Width = Annotated[float, Field(ge=1)]
Widths = Annotated[tuple[Width, Width], AfterValidator(ordered)]


def strokes(
    image: np.ndarray,
    rng: np.random.Generator,
    *,
    wobble: Annotated[float, Field(ge=0, le=0.1)] = 0.01,
    thickness: Widths = (1.0, 5.0),
    gaps: Share = 0.1,
    lost: Share = 0.4,
    stray: Share = 0.1,
    tone: Share = 1.0,
    blur: Annotated[float, Field(ge=0)] = 0.8,
) -> np.ndarray:
    """A line drawing, dark on white, as a person might draw it: (H, W, C) -> (H, W, 1) of the same dtype.

    Every number is the most; how much a picture gets is drawn from zero to it.
    `wobble`: how far lines are displaced, as a share of the side. `thickness`: range of the width in pixels; along
    the strokes it varies by a third. `gaps`, `lost`, `stray`: the ink erased in short breaks, lost in whole strokes,
    and added in strokes of no meaning, as shares of the ink. `tone`: how far ink may become grey and paper shaded and
    noisy. `blur`: sigma in pixels. Ink is what is darker than half. With a thickness of (1, 1) and all else 0 nothing
    changes.
    """
    thickness = ordered(thickness)
    gray = to_gray(image)
    if thickness[1] == 1 and not (wobble or gaps or lost or stray or tone or blur):
        return gray.copy()
    white = int(np.iinfo(image.dtype).max)
    ink = gray[:, :, 0] <= white // 2
    amount = int(ink.sum())
    if amount:
        ink = _lose(ink, rng, lost * rng.uniform())
        ink = _break(ink, rng, gaps * rng.uniform())
        ink = _scribble(ink, rng, stray * rng.uniform() * amount)
    coverage = _coverage(ink, rng, wobble * rng.uniform(), rng.uniform(*thickness))
    drawn = _shade(coverage, rng, tone)
    sigma = blur * rng.uniform()
    if sigma > 0.1:  # less is nothing, and OpenCV refuses 0
        drawn = np.asarray(cv2.GaussianBlur(drawn, (0, 0), sigma), np.float32)
    if tone:
        drawn += rng.normal(0, tone * rng.uniform(0, 0.03), drawn.shape).astype(np.float32)
    finished: np.ndarray = np.rint(np.clip(drawn, 0, 1) * white).astype(image.dtype)
    return finished[:, :, None]


def _field(rng: np.random.Generator, shape: tuple[int, ...], cells: int) -> Plane:
    """Smooth noise (H, W) of standard deviation near 1, with about `cells` hills along a side."""
    coarse = rng.standard_normal((cells + 2, cells + 2), np.float32)
    height, width = shape[0], shape[1]
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def _lose(ink: Mask, rng: np.random.Generator, share: float) -> Mask:
    """Erase whole pieces: the drawing is cut at crossings and by a random mosaic."""
    if share == 0:
        return ink
    neighbours = cv2.boxFilter(ink.view(np.uint8), -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
    _, labels = cv2.connectedComponents((ink & (neighbours <= 3)).view(np.uint8), connectivity=8)
    seeds = rng.uniform(0, 32, (24, 2))
    grid = np.indices((32, 32)).reshape(2, -1).T + 0.5
    nearest = ((grid[:, None] - seeds) ** 2).sum(2).argmin(1).reshape(32, 32).astype(np.int32)
    mosaic = cv2.resize(nearest, ink.shape[::-1], interpolation=cv2.INTER_NEAREST)
    _, pieces, sizes = np.unique(labels[ink] * len(seeds) + mosaic[ink], return_inverse=True, return_counts=True)
    order = rng.permutation(len(sizes))
    gone = np.zeros(len(sizes), np.bool_)
    # Those that would go over the share stay, smaller ones after them may still go.
    left = share * len(pieces)
    for piece in order:
        if sizes[piece] <= left:
            gone[piece] = True
            left -= sizes[piece]
    kept = ink.copy()
    kept[ink] = ~gone[pieces]
    return kept


def _break(ink: Mask, rng: np.random.Generator, share: float) -> Mask:
    """Erase short breaks, discs of 1 to 2 % of the side."""
    places = np.argwhere(ink)
    radius = np.sqrt(ink.size) * rng.uniform(0.006, 0.015)
    count = round(share * len(places) / (2 * radius + 1))
    if count == 0:
        return ink
    erased = np.zeros(ink.shape, np.uint8)
    for row, column in places[rng.integers(len(places), size=count)].tolist():
        cv2.circle(erased, (column, row), round(radius), 1, cv2.FILLED)
    kept: Mask = ink & (erased == 0)
    return kept


def _scribble(ink: Mask, rng: np.random.Generator, length: float) -> Mask:
    """Add curves of this length in all, in pixels, each 3 to 20 % of the side long."""
    side = np.sqrt(ink.size)
    drawn = ink.astype(np.uint8)
    steps = np.linspace(0, 1, 12)
    while length > 0:
        span = min(side * rng.uniform(0.03, 0.2), length)
        if span < 2:
            break
        turns = rng.uniform(0, 2 * np.pi) + rng.normal(0, 1.5) * steps
        path = np.stack([np.cos(turns), np.sin(turns)], 1).cumsum(0) * span / len(steps)
        path += rng.uniform(0, 1, 2) * ink.shape[::-1]
        cv2.polylines(drawn, [np.rint(path).astype(np.int32)], False, 1)
        length -= span
    return drawn > 0


def _coverage(ink: Mask, rng: np.random.Generator, wobble: float, width: float) -> Plane:
    """How much of each pixel the displaced, thickened strokes cover, (H, W) in 0..1."""
    if not ink.any():
        return np.zeros(ink.shape, np.float32)
    distance = np.asarray(cv2.distanceTransform((~ink).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5), np.float32)
    if wobble:
        # The distances are moved, not the ink: thin lines stay whole, and fall between pixels smoothly.
        reach = np.float32(wobble * np.sqrt(ink.size))
        places: Plane = np.indices(ink.shape, np.float32)
        for plane in places:
            plane += reach * (_field(rng, ink.shape, 4) + np.float32(0.3) * _field(rng, ink.shape, 20))
        distance = np.asarray(
            cv2.remap(distance, places[1], places[0], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32
        )
    radius = np.float32((width - 1) / 2)
    if width > 1:
        radius = radius * np.clip(1 + np.float32(0.33) * _field(rng, ink.shape, 12), 0.3, 2)
    return np.asarray(np.clip(radius + 1 - distance, 0, 1), np.float32)


def _shade(coverage: Plane, rng: np.random.Generator, tone: float) -> Plane:
    """Ink on paper, (H, W) in 0..1: grey pencil that presses more and less, paper with a shade and a slope of light."""
    if not tone:
        return 1 - coverage
    darkness = 1 - np.float32(tone * rng.uniform(0, 0.6)) * (1 + np.float32(0.3) * _field(rng, coverage.shape, 10))
    paper = 1 - np.float32(tone * rng.uniform(0, 0.15)) * (1 + np.float32(0.3) * _field(rng, coverage.shape, 1))
    return np.asarray(paper * (1 - np.clip(darkness, 0.15, 1) * coverage), np.float32)
