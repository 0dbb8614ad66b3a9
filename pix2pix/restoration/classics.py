"""What repaired pictures before networks did, from scikit-image, OpenCV and bm3d: the rows that restoration must beat.

- total variation: Rudin, Osher and Fatemi 1992, by Chambolle's algorithm of 2004
- non-local means: Buades, Coll and Morel 2005
- BM3D: Dabov, Foi, Katkovnik and Egiazarian 2007
- NL-Bayes: Lebrun, Buades and Morel 2013, our own, as the best solvers end with a pass of it
- wavelets: BayesShrink of Chang, Yu and Vetterli 2000
- Telea 2004; Navier-Stokes: Bertalmio, Bertozzi and Sapiro 2001

Strengths follow from the noise level by the factors below, which were chosen on training pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from pix2pix.images import fill_smoothly
from pix2pix.restoration import patches

Picture = NDArray[np.uint8]
Kind = Literal["invert", "denoise", "inpaint", "superres"]

TV_WEIGHT = 0.7  # times the noise level as a share of the range
NLM_STRENGTH = 0.5  # times the noise level
RADIUS = 3  # pixels around a hole that Telea and Navier-Stokes look at


@dataclass(frozen=True)
class Damage:
    """What a classic may know of the damage: the noise level in levels of 255, the holes, the factor of enlargement."""

    sigma: float = 0.0
    holes: NDArray[np.bool_] | None = None  # (H, W)
    factor: int = 1


Classic = Callable[[Picture, Damage], Picture]
"""From a damaged picture (H, W, 3) to a restored one, `factor` times as large."""


def median(picture: Picture, damage: Damage) -> Picture:
    """Median of 3x3 pixels, of 5x5 from a noise level of 35 on."""
    return _picture(cv2.medianBlur(picture, 5 if damage.sigma >= 35 else 3))


def total_variation(picture: Picture, damage: Damage) -> Picture:
    from skimage.restoration import denoise_tv_chambolle

    denoise: Any = denoise_tv_chambolle
    return _from_unit(denoise(_unit(picture), weight=TV_WEIGHT * max(damage.sigma, 1) / 255, channel_axis=2))


def non_local_means(picture: Picture, damage: Damage) -> Picture:
    from skimage.restoration import denoise_nl_means

    sigma = max(damage.sigma, 1) / 255
    restored = denoise_nl_means(
        _unit(picture), patch_size=5, patch_distance=6, h=NLM_STRENGTH * sigma, sigma=sigma, channel_axis=2
    )
    return _from_unit(restored)


def wavelets(picture: Picture, damage: Damage) -> Picture:
    from skimage.restoration import denoise_wavelet

    restored = denoise_wavelet(
        _unit(picture), sigma=max(damage.sigma, 1) / 255, convert2ycbcr=True, channel_axis=2, rescale_sigma=True
    )
    return _from_unit(restored)


def bm3d(picture: Picture, damage: Damage) -> Picture:
    from bm3d import bm3d_rgb

    return _from_unit(bm3d_rgb(_unit(picture), max(damage.sigma, 1) / 255))


def nl_bayes(picture: Picture, damage: Damage) -> Picture:
    y = torch.from_numpy(_unit(picture)).permute(2, 0, 1).float()
    variance = torch.full_like(y, (max(damage.sigma, 1) / 255) ** 2)
    first = patches.nl_bayes(y, variance, None, patches.FIRST)
    second = patches.nl_bayes(y, variance, first, patches.SECOND)
    return _from_unit(second.permute(1, 2, 0).double().numpy())


def telea(picture: Picture, damage: Damage) -> Picture:
    return _inpaint(picture, damage, cv2.INPAINT_TELEA)


def navier_stokes(picture: Picture, damage: Damage) -> Picture:
    return _inpaint(picture, damage, cv2.INPAINT_NS)


def smooth_fill(picture: Picture, damage: Damage) -> Picture:
    """Holes filled by pull and push: what our inpainting model starts from."""
    assert damage.holes is not None
    return _picture(np.rint(fill_smoothly(picture, ~damage.holes)))


def biharmonic(picture: Picture, damage: Damage) -> Picture:
    """The smoothest surface that meets the border of each hole; Damelin and Hoang 2018. Slow for large holes."""
    from skimage.restoration import inpaint_biharmonic

    assert damage.holes is not None
    return _from_unit(inpaint_biharmonic(_unit(picture), damage.holes, channel_axis=2))


def bicubic(picture: Picture, damage: Damage) -> Picture:
    return _resized(picture, damage.factor, cv2.INTER_CUBIC)


def lanczos(picture: Picture, damage: Damage) -> Picture:
    return _resized(picture, damage.factor, cv2.INTER_LANCZOS4)


CLASSICS: Mapping[Kind, Mapping[str, Classic]] = MappingProxyType(
    {
        "invert": {},
        "denoise": {
            "median": median,
            "total variation": total_variation,
            "non-local means": non_local_means,
            "wavelets": wavelets,
            "NL-Bayes": nl_bayes,
            "BM3D": bm3d,
        },
        "inpaint": {
            "smooth fill": smooth_fill,
            "Telea": telea,
            "Navier-Stokes": navier_stokes,
            "biharmonic": biharmonic,
        },
        "superres": {"bicubic": bicubic, "Lanczos": lanczos},
    }
)
NEEDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "BM3D": ("bm3d", "pip install 'pix2pix[bm3d]' (its licence is for non-commercial use)"),
    }
)
"""Classics that need a package of an extra: the package, and how to get it."""


def _inpaint(picture: Picture, damage: Damage, method: int) -> Picture:
    assert damage.holes is not None
    return _picture(cv2.inpaint(picture, damage.holes.astype(np.uint8), RADIUS, method))


def _resized(picture: Picture, factor: int, interpolation: int) -> Picture:
    height, width = picture.shape[:2]
    return _picture(cv2.resize(picture, (width * factor, height * factor), interpolation=interpolation))


def _unit(picture: Picture) -> NDArray[np.float64]:
    return np.asarray(picture, np.float64) / 255


def _from_unit(values: NDArray[np.float64]) -> Picture:
    return np.asarray(np.rint(values * 255).clip(0, 255), np.uint8)


def _picture(values: object) -> Picture:
    return np.asarray(values, np.uint8)
