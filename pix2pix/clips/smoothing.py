"""Steady chroma for clips that are coloured frame by frame, while every frame keeps its own lightness.

The chroma of the frame before, moved to where its pixels are now, is mixed with the present one where the motion can be
trusted: a recursive filter along the motion, as in Lang et al. 2012, "Practical Temporal Consistency for Image-Based
Graphics Applications".
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pix2pix.clips.motion import Floats, flow, grey, is_seen, shrink, warp
from pix2pix.images import to_rgb
from pix2pix.lab import lab_to_rgb, lightness, rgb_to_lab

STRENGTH = 0.8  # share of what was there before: an unsteady colour counts for about five frames
SAME_LIGHTNESS = 10.0  # of 255: apart by so much, two pixels count as the same by 60 %
CUT = 0.4  # share of the pixels that change their place in the histogram of lightness
BINS = 32


@dataclass(frozen=True)
class _Before:
    grey: np.ndarray  # (h, w) uint8
    histogram: Floats
    chroma: Floats  # (h, w, 2), smoothed


class ChromaSmoothing:
    """The frames of one clip, in their order; a cut begins anew."""

    def __init__(self, strength: float = STRENGTH) -> None:
        """`strength` from 0, which changes nothing, to below 1. Raises ValueError elsewhere."""
        if not 0 <= strength < 1:
            raise ValueError(f"smoothing: got {strength}, expected 0 (none) to less than 1, as 0.8")
        self._strength = strength
        self._before: _Before | None = None

    def __call__(self, source: np.ndarray, output: np.ndarray) -> np.ndarray:
        """`output` with steadier chroma and the lightness of `source`, its input; (H, W, 3) uint8 each."""
        assert source.shape == output.shape, (source.shape, output.shape)
        chroma = rgb_to_lab(output)[..., 1:]
        present = grey(source)
        histogram = _histogram(present)
        smoothed: Floats = shrink(chroma)
        before = self._before
        steady = before is not None and np.abs(histogram - before.histogram).sum() / 2 < CUT
        change: np.ndarray | None = None
        if before is not None and steady:
            motion = flow(present, before.grey)
            trust = _trust(present, before.grey, motion, flow(before.grey, present))
            change = np.float32(self._strength) * trust[..., None] * (warp(before.chroma, motion) - smoothed)
            smoothed = np.asarray(smoothed + change, np.float32)
        self._before = _Before(present, histogram, smoothed)
        if change is None:
            return output
        height, width = output.shape[:2]
        if change.shape[:2] != (height, width):
            change = np.asarray(cv2.resize(change, (width, height), interpolation=cv2.INTER_LINEAR))
        lab = np.concatenate([lightness(to_rgb(source))[..., None], chroma + change], axis=2)
        return lab_to_rgb(lab, output.dtype)


def _histogram(picture: np.ndarray) -> Floats:
    """(32,): the shares of the levels."""
    counts = np.bincount(picture.reshape(-1) // (256 // BINS), minlength=BINS)
    return (counts / picture.size).astype(np.float32)


def _trust(present: np.ndarray, before: np.ndarray, motion: Floats, back: Floats) -> Floats:
    """(h, w) in 0..1: 0 where the frame before does not show the pixel, less where it was lighter or darker."""
    apart = (warp(before, motion).astype(np.float32) - present) / SAME_LIGHTNESS
    return np.asarray(is_seen(motion, back) * np.exp(-np.square(apart) / 2), np.float32)
