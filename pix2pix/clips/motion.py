"""What moved where between two frames, and where that can be trusted.

Dense inverse search (Kroeger et al. 2016, arXiv 1603.03590), as in OpenCV, on grey with a long side of at most 512.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pix2pix.images import to_rgb

Floats = NDArray[np.float32]
LONG_SIDE = 512  # pixels: what is smoothed is smooth in space as well


def small_size(height: int, width: int) -> tuple[int, int]:
    """Height and width of a picture once its long side is brought down to 512."""
    share = min(1.0, LONG_SIDE / max(height, width))
    return max(1, round(height * share)), max(1, round(width * share))


def shrink(values: np.ndarray) -> np.ndarray:
    """(H, W, ...) of uint8 or float32, averaged down to a long side of at most 512."""
    height, width = small_size(*values.shape[:2])
    if (height, width) == values.shape[:2]:
        return values
    return np.asarray(cv2.resize(values, (width, height), interpolation=cv2.INTER_AREA))


def grey(picture: np.ndarray) -> np.ndarray:
    """(H, W, C) uint8 -> (h, w) uint8: what motion is looked for in."""
    return np.asarray(cv2.cvtColor(shrink(to_rgb(picture)), cv2.COLOR_RGB2GRAY))


def flow(present: np.ndarray, other: np.ndarray) -> Floats:
    """(h, w, 2): for each pixel of `present`, how far right and down it is in `other`; both (h, w) uint8."""
    assert present.shape == other.shape, (present.shape, other.shape)
    if min(present.shape) < 16:  # smaller than two of its patches
        return np.zeros((*present.shape, 2), np.float32)
    library: Any = cv2  # its stubs leave this class out
    found = library.DISOpticalFlow_create(library.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(present, other, None)
    return np.asarray(found, np.float32)


def warp(values: np.ndarray, motion: Floats) -> np.ndarray:
    """`values` (h, w, ...) of the other frame where the present one has them; beyond the border the border's."""
    rows, columns = np.indices(motion.shape[:2], np.float32)
    return np.asarray(
        cv2.remap(
            values, columns + motion[..., 0], rows + motion[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
    )


def is_seen(motion: Floats, back: Floats) -> NDArray[np.bool_]:
    """(h, w): whether a pixel is in the other frame as well, `back` being the motion from there.

    There and back again ends within |forth + back|^2 <= 0.01 (|forth|^2 + |back|^2) + 0.5 pixels squared, inside the
    frame: Sundaram et al. 2010, "Dense point trajectories by GPU-accelerated large displacement optical flow".
    """
    height, width = motion.shape[:2]
    rows, columns = np.indices((height, width), np.float32)
    right, down = columns + motion[..., 0], rows + motion[..., 1]
    inside = (right >= 0) & (right <= width - 1) & (down >= 0) & (down <= height - 1)
    returned = warp(back, motion)
    apart = np.square(motion + returned).sum(2)
    allowed = 0.01 * (np.square(motion).sum(2) + np.square(returned).sum(2)) + 0.5
    return np.asarray(inside & (apart <= allowed))
