"""From a damaged picture, or a part of it, to what a solver is given, at its own size or at a prior's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor

from pix2pix.data.conditions.degradations import gaussian_kernel
from pix2pix.images import fill_smoothly, resize, to_gray
from pix2pix.restoration.damage import Kind, Observation, observe
from pix2pix.restoration.misfit import squares
from pix2pix.restoration.operators import Blur, Downsample, Gray, Identity, Jpeg, Mask, Operator, Size
from pix2pix.restoration.pasting import resized
from pix2pix.restoration.wanted import Degradation, Fault

LEAST_COVER = 0.1  # share of a pixel's area that must be known for its mean to count


def _blur(fault: Fault, size: Size, share: float) -> Operator:
    assert fault.blur is not None
    kernel = torch.from_numpy(gaussian_kernel(fault.blur * share))
    return Blur(size, kernel.float())


def _jpeg(fault: Fault, size: Size, share: float) -> Operator:
    """Of a picture that was made smaller, little is left of JPEG's blocks, and they are no operator any more."""
    assert fault.quality is not None
    return Jpeg(size, fault.quality) if share == 1 else Identity(size)


OPERATORS: Mapping[Degradation, Callable[[Fault, Size, float], Operator]] = MappingProxyType(
    {
        "denoise": lambda fault, size, share: Identity(size),
        "superres": lambda fault, size, share: Downsample(size, fault.factor, "area"),
        "deblur": _blur,
        "jpeg": _jpeg,
        "gray": lambda fault, size, share: Gray(size),
    }
)
"""For pictures of a size that is `share` of the damaged one's; the others are holes."""


def observed(fault: Fault, part: np.ndarray, holes: np.ndarray | None) -> Observation:
    """A part (h, w, 3) uint8 or uint16 as it is, with its `holes` (h, w) bool; the search is at h * scale, w * scale.

    Raises ValueError for a part without anything known.
    """
    size = (part.shape[0] * fault.scale, part.shape[1] * fault.scale)
    return _observation(fault, part, holes, size, 1.0)


def observed_at(fault: Fault, square: np.ndarray, holes: np.ndarray | None, side: int) -> Observation:
    """A square (s, s, 3), made to fit a search at side x side.

    A picture to enlarge is brought to the side divided by a power of two, the largest that it fills and that is below
    the side: where it has nearly as many pixels as the prior's pictures, the prior still doubles it.
    Noise averages out as pixels do. Raises ValueError for a square too large to be enlarged, or without anything known.
    """
    own = square.shape[0]
    if fault.scale > 1:
        if own >= side:
            raise ValueError(
                f"got a square of {own} pixels to enlarge and a prior of {side}, which has no more to give; "
                "search without --prior, or with a larger one"
            )
        factor = 2
        while side // factor > own:
            factor *= 2
        fault = Fault(fault.degradation, fault.sigma, factor)
        small = resize(square, side // factor, side // factor, nearest=False)
        return _observation(fault, small, None, (side, side), side / factor / own)
    if holes is None:
        return _observation(fault, resize(square, side, side, nearest=False), None, (side, side), side / own)
    return _observation(fault, *_with_holes(square, holes, side), (side, side), side / own)


def _with_holes(square: np.ndarray, holes: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Both at side x side. What is known of a pixel's area makes its colour, and it is a hole where that is next to
    nothing."""
    known = ~holes
    if side >= len(holes):
        filled = np.rint(fill_smoothly(square, known)).astype(square.dtype)
        mask = resize(holes.astype(np.uint8)[:, :, None], side, side, nearest=True)
        return resize(filled, side, side, nearest=False), mask[:, :, 0] > 0
    cover = resized(known.astype(np.float32)[:, :, None], side, side)
    colours = resized(square * known[:, :, None].astype(np.float32), side, side) / np.maximum(cover, 1e-6)
    return np.rint(colours).clip(0, np.iinfo(square.dtype).max).astype(square.dtype), cover[:, :, 0] < LEAST_COVER


def _observation(fault: Fault, part: np.ndarray, holes: np.ndarray | None, size: Size, share: float) -> Observation:
    """`share` is the part's side divided by what it was in the damaged picture."""
    sigma = (fault.sigma or 0.0) * min(1.0, share)
    if holes is not None:
        if holes.all():
            raise ValueError(
                "nothing is known of what is to be searched, all of it is to be made; choose a smaller mask"
            )
        known = torch.from_numpy(~holes)[None, None].float()
        kind: Kind = "salt_and_pepper" if fault.degradation == "salt_and_pepper" else "gaussian"
        return observe(part, Mask(known), sigma, kind)
    operator = OPERATORS[fault.degradation](fault, size, share)
    return observe(to_gray(part) if fault.degradation == "gray" else part, operator, sigma)


def levels_apart(observation: Observation, picture: Tensor) -> float:
    """How far (1, 3, H, W) is from explaining what is observed: root of the mean square, in levels of 255."""
    with torch.no_grad():
        return float((squares(observation, picture)[0] / max(observation.count, 1)).sqrt()) * 127.5


def as_levels(picture: Tensor, dtype: np.dtype) -> np.ndarray:
    """(1, 3, H, W) in [-1, 1] as (H, W, 3) float32 in the levels of `dtype`, not rounded."""
    most = np.iinfo(dtype).max
    levels = (picture[0].clamp(-1, 1) + 1) * (most / 2)
    return np.ascontiguousarray(levels.permute(1, 2, 0).cpu().numpy())
