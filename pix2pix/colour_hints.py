"""Predicted colours that follow strokes of colour, and more or less of them.

Strokes spread as in Levin, Lischinski and Weiss 2004, "Colorization using optimization": neighbours of like lightness
get like colours. But here something pulls weakly back to what was predicted, and what no stroke reaches stays that.

Every pixel gets a share of the strokes' chroma and the rest of its own. Spreading the difference at the strokes instead
keeps the blotches of a prediction: on 20 photos with 4 strokes of true colour each, a and b were off by 12.6 on
average, against 12.0 this way and 17 without strokes.

Chroma is in the network's numbers: a and b of CIE Lab over 110, within [-1, 1].
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, from_numpy

from pix2pix.lab import CHROMA_SCALE, rgb_to_lab

if TYPE_CHECKING:
    import scipy.sparse

Floats = NDArray[np.float32]
Chroma = TypeVar("Chroma", Tensor, Floats)

LIKENESS = 2.0  # in L: neighbours that differ by a few of these hardly share a colour
LEAST_LIKENESS = 1e-6  # of any two neighbours, so that no pixel is alone
REACH = 1.0  # of the picture's long side: over how far a stroke fades to 1 / e where lightness is even


def saturate(chroma: Chroma, factor: float) -> Chroma:
    """Chroma (2, H, W) times `factor`: 0 is grey, 1 as it is. Hue stays: what would leave [-1, 1] shrinks to it.

    What sRGB has not of that is the decoder's to bring in.
    Raises ValueError for a factor that is negative or no number.
    """
    if not 0 <= factor < float("inf"):
        raise ValueError(f"saturation: got {factor}, expected 0 (grey) or more; 1 is as predicted")
    return _like(chroma, _within_range(_array(chroma) * np.float32(factor)))


def follow_hints(chroma: Chroma, lightness: Floats, hints: np.ndarray) -> Chroma:
    """Predicted chroma (2, h, w) made to follow strokes of colour, within objects and fading away from them.

    `lightness` (h, w) is the photo's, 0 to 100. `hints` (H, W, 4), uint8 or uint16 sRGB with alpha, is of its shape but
    any size; where it is opaque by half or more there is a stroke. Of a stroke counts the chroma alone, and grey says
    that there is none. Without strokes the same numbers come back. Takes 0.06 s for 192x128 and
    0.6 s for 400x300.
    Raises ValueError for hints without transparency or of another shape.
    """
    predicted = _array(chroma)
    height, width = lightness.shape
    assert predicted.shape == (2, height, width), f"{predicted.shape}, expected (2, {height}, {width})"
    wanted, stroked = strokes(hints, height, width)
    if not stroked.any():
        return chroma
    given = np.concatenate([wanted, np.ones((1, height, width), np.float32)]) * stroked
    spread = _spread(given, stroked, lightness)
    return _like(chroma, spread[:2] + (1 - spread[2]) * predicted)


def strokes(hints: np.ndarray, height: int, width: int) -> tuple[Floats, NDArray[np.bool_]]:
    """What hints (H, W, 4) say at another size: chroma (2, height, width), and (height, width) where there is a stroke.

    A pixel that a stroke only touches is stroked, so that none is lost when a large picture shrinks, and has the mean
    of the strokes' pixels within it. Raises ValueError for hints without transparency or of another shape.
    """
    if hints.ndim != 3 or hints.shape[2] != 4:
        channels = hints.shape[2] if hints.ndim == 3 else 1
        raise ValueError(f"hints: got {channels} channels, expected 4: strokes of colour, transparent elsewhere")
    _check_shape(hints.shape[0], hints.shape[1], height, width)
    rows, columns = (_at_least(hints.shape[axis], size) for axis, size in ((0, height), (1, width)))
    if len(rows) > hints.shape[0] or len(columns) > hints.shape[1]:
        hints = hints[rows][:, columns]
    y, x = np.nonzero(hints[:, :, 3] > np.iinfo(hints.dtype).max // 2)
    place = y * height // hints.shape[0] * width + x * width // hints.shape[1]
    counts = np.bincount(place, minlength=height * width)
    means = np.zeros((2, height * width), np.float32)
    if y.size:
        colours = rgb_to_lab(hints[y, x, :3][None])[0, :, 1:] / CHROMA_SCALE
        sums = np.stack([np.bincount(place, channel, height * width) for channel in colours.T])
        means[:] = sums / np.maximum(counts, 1)
    return means.reshape(2, height, width), (counts > 0).reshape(height, width)


def _check_shape(hint_height: int, hint_width: int, height: int, width: int) -> None:
    """Up to a hundredth, and the rounding of either size, hints have to be of the photo's shape."""
    # A side of one pixel may have been rounded up from next to none.
    least_height, least_width = ((size - 0.5) * (size > 1) for size in (height, width))
    is_too_low = hint_height * (width + 0.5) < 0.99 * least_height * (hint_width - 0.5)
    is_too_narrow = hint_width * (height + 0.5) < 0.99 * least_width * (hint_height - 0.5)
    if is_too_low or is_too_narrow:
        raise ValueError(f"hints: got {hint_width}x{hint_height}, expected the photo's shape; draw them over the photo")


def _at_least(size: int, wanted: int) -> NDArray[np.intp]:
    """The nearest of `size` pixels for each of `wanted`, or every one where there are more."""
    return np.arange(max(size, wanted)) * size // max(size, wanted)


def _spread(given: Floats, stroked: NDArray[np.bool_], lightness: Floats) -> Floats:
    """Values (K, h, w), known where `stroked` and 0 elsewhere, brought everywhere; with distance they fade to 0.

    Minimises the sum over neighbours of likeness * (difference)^2, plus over pixels pull * (sum of likenesses) *
    (value)^2: every pixel is the mean of its neighbours, by likeness, over 1 + pull. So none is beyond those given.
    """
    import scipy.sparse
    from scipy.sparse.linalg import splu

    free = np.flatnonzero(~stroked.ravel())
    if not free.size:
        return given
    likeness = _likeness(lightness)
    degree = np.asarray(likeness.sum(axis=1)).ravel()
    pull = 1 / (2 * REACH * max(lightness.shape)) ** 2
    rows = likeness[free]
    system = scipy.sparse.diags_array(degree[free] * (1 + pull)) - rows[:, free]
    flat = given.reshape(len(given), -1).astype(np.float64)
    # Symmetric and dominated by its diagonal: no pivots. Small supernodes and panels: columns are as sparse as can be,
    # and it takes half the time.
    factors = splu(
        system.tocsc(),
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        relax=4,
        panel_size=8,
        options={"SymmetricMode": True},
    )
    flat[:, free] = factors.solve(rows @ flat.T).T
    return flat.reshape(given.shape).astype(np.float32)


def _likeness(lightness: Floats) -> scipy.sparse.csr_array:
    """The weights between neighbours, (h * w, h * w): for every pixel its neighbours above, below, left and right."""
    import scipy.sparse

    place = np.arange(lightness.size).reshape(lightness.shape)
    one = np.concatenate([place[1:].ravel(), place[:, 1:].ravel()])
    other = np.concatenate([place[:-1].ravel(), place[:, :-1].ravel()])
    steps = (lightness.ravel()[one] - lightness.ravel()[other]).astype(np.float64) / LIKENESS
    weights = np.exp(-0.5 * steps**2) + LEAST_LIKENESS
    both_ways = np.tile(weights, 2), (np.concatenate([one, other]), np.concatenate([other, one]))
    return scipy.sparse.coo_array(both_ways, shape=(lightness.size, lightness.size)).tocsr()


def _within_range(chroma: Floats) -> Floats:
    """(2, H, W) in [-1, 1]: a and b shrink together, so that hue stays, and not each alone."""
    clipped: Floats = chroma / np.maximum(np.abs(chroma).max(0), 1)
    return clipped


def _array(chroma: Tensor | Floats) -> Floats:
    return chroma.detach().float().cpu().numpy() if isinstance(chroma, Tensor) else chroma


def _like(chroma: Chroma, result: Floats) -> Chroma:
    """`result` as what `chroma` is."""
    return from_numpy(result).to(chroma.device) if isinstance(chroma, Tensor) else result
