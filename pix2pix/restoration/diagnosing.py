"""What is wrong with a picture, and where: its holes, from a mask, from transparency or found, and its noise level."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from pix2pix.images import to_gray, to_rgb
from pix2pix.restoration.noise import estimate_noise, lost_values
from pix2pix.restoration.wanted import Degradation, Fault


@dataclass(frozen=True)
class Damaged:
    """A picture to restore.

    `colours` are (H, W, 3) uint8 or uint16; `alpha` (H, W, 1) or None; `holes` (H, W) bool or None; `fault` has a noise
    level where one is needed, which `is_estimated` says was not given.
    """

    colours: np.ndarray
    alpha: np.ndarray | None
    holes: np.ndarray | None
    fault: Fault
    is_estimated: bool
    is_grey: bool


def damaged(pixels: np.ndarray, fault: Fault, mask: np.ndarray | None = None) -> Damaged:
    """What is wrong with `pixels` (H, W, 1, 3 or 4) and where: `mask` (h, w, C) is white where they are to be made.

    Without a mask that is where they are transparent. Raises ValueError where nothing is to be made, or nothing known.
    """
    colours = to_rgb(pixels[:, :, :3])
    alpha = pixels[:, :, 3:] if pixels.shape[2] == 4 else None
    holes = HOLES[fault.degradation](colours, alpha, mask) if fault.degradation in HOLES else None
    if holes is not None and holes.all():
        raise ValueError("the mask covers all of the picture, and nothing is known to go on; choose a smaller one")
    if holes is not None and alpha is not None:
        opaque = np.where(holes[:, :, None], alpha.dtype.type(np.iinfo(alpha.dtype).max), alpha)
        alpha = None if opaque.min() == np.iinfo(alpha.dtype).max else opaque
    is_estimated = fault.degradation in ESTIMATED and fault.sigma is None
    if is_estimated:
        fault = replace(fault, sigma=estimate_noise(colours))
    is_grey = pixels.shape[2] in (1, 2) and fault.degradation not in RECOLOURED
    return Damaged(colours, alpha, holes, fault, is_estimated, is_grey)


def _holes_of_mask(colours: np.ndarray, alpha: np.ndarray | None, mask: np.ndarray | None) -> np.ndarray:
    if mask is None:
        if alpha is None:
            raise ValueError("which part is to be made? give --mask FILE, white there, or a transparent picture")
        holes = alpha[:, :, 0] == 0
        if not holes.any():
            raise ValueError(
                "no pixel is fully transparent, so nothing is to be made; erase a part, or give --mask FILE"
            )
        return np.asarray(holes)
    if mask.shape[:2] != colours.shape[:2]:
        got, expected = (f"{each.shape[1]}x{each.shape[0]}" for each in (mask, colours))
        raise ValueError(f"got a mask of {got} for a picture of {expected}; make them equally large")
    holes = to_gray(mask)[:, :, 0] > np.iinfo(mask.dtype).max // 2
    if not holes.any():
        raise ValueError("the mask is black, so nothing is to be made; paint white what is")
    return np.asarray(holes)


def _holes_of_lost(colours: np.ndarray, alpha: np.ndarray | None, mask: np.ndarray | None) -> np.ndarray:
    holes = lost_values(colours).any(axis=2)
    if not holes.any():
        raise ValueError("no salt and no pepper: not one white or black pixel that differs from those around it")
    return np.asarray(holes)


HOLES: Mapping[Degradation, Callable[[np.ndarray, np.ndarray | None, np.ndarray | None], np.ndarray]] = (
    MappingProxyType({"inpaint": _holes_of_mask, "salt_and_pepper": _holes_of_lost})
)
"""Where pixels are to be made, of damage that leaves the others as they are."""

ESTIMATED: frozenset[Degradation] = frozenset({"denoise"})
RECOLOURED: frozenset[Degradation] = frozenset({"gray"})
