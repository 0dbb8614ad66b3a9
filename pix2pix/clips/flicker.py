"""How much a translation flickers: what changes from frame to frame beyond what moves.

The warping error of Lai et al. 2018, "Learning Blind Video Temporal Consistency", arXiv 1808.00449:
E_warp = mean over t of (1 / sum M) sum M |V_t - warp(V_t+1)|^2, with the flow of the source clip and M what both of its
frames show. Beside it the same for chroma alone, in Lab units, which a reader can see before the eye.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from pix2pix.clips.motion import flow, grey, is_seen, shrink, warp
from pix2pix.lab import rgb_to_lab

SEEN = 0.2  # of a frame that the next one must show; less is a cut, where nothing is to be steady


@dataclass(frozen=True)
class Flicker:
    """Of a clip; 0 where nothing changes but by motion. Even a filmed clip has some: noise, and error of the flow."""

    warping_error: float  # E_warp: mean squared distance of RGB in [0, 1]
    chroma: float  # mean distance of (a, b), Lab units
    pairs: int  # of consecutive frames that were compared


def flicker(sources: Iterable[np.ndarray], outputs: Iterable[np.ndarray]) -> Flicker:
    """Of the clip `outputs`, (H, W, 3) uint8 each, made from `sources`, whose motion counts; read once, side by side.

    Measured with the long side at 512. Raises ValueError for less than two frames without a cut between them.
    """
    errors, distances = [], []
    before: tuple[np.ndarray, np.ndarray] | None = None
    for source, output in zip(sources, outputs, strict=True):
        present = grey(source), shrink(output)
        if before is not None:
            forth, back = flow(before[0], present[0]), flow(present[0], before[0])
            seen = is_seen(forth, back)
            if seen.mean() >= SEEN:
                warped = warp(present[1], forth)
                apart = (before[1].astype(np.float32) - warped) / 255
                errors.append(np.square(apart).sum(2)[seen].mean())
                chroma = rgb_to_lab(before[1])[..., 1:] - rgb_to_lab(warped)[..., 1:]
                distances.append(np.sqrt(np.square(chroma).sum(2))[seen].mean())
        before = present
    if not errors:
        raise ValueError("flicker: got no two frames of one scene, expected a clip")
    return Flicker(float(np.mean(errors)), float(np.mean(distances)), len(errors))
