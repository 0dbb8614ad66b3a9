"""Pictures to look at: of 8 bits, opaque, no larger than a screen, quick to encode and to send.

JPEG of quality 95 with full colour resolution takes 0.4 ms for 256x256 and 11 ms for 1600x1200, where WebP takes 3 and
55 ms, PNG 6 and 150 ms.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from pix2pix.images import read_image, resize, to_rgb, to_rgb8, write_image

SIDE = 1600
READ_BEFORE = 2**62  # pixels: whoever wants a preview has read the file within the limits, and knows its size


def preview_shape(height: int, width: int) -> tuple[int, int]:
    """(height, width) of the preview of a picture: the same, or its long side at `SIDE`."""
    share = min(1.0, SIDE / max(height, width))
    return max(1, round(height * share)), max(1, round(width * share))


def read_preview(
    path: Path, height: int, width: int, all_pages: bool = False, pixel_limit: int = READ_BEFORE
) -> np.ndarray:
    """The picture in a file as (height, width, 3) uint8, over white where it is transparent."""
    # A large JPEG is decoded no larger than is shown.
    image = read_image(path, pixel_limit, all_pages, enough=min(height, width))
    opaque = to_rgb(image) if image.shape[2] != 1 else image
    return to_rgb8(opaque if opaque.shape[:2] == (height, width) else resize(opaque, height, width, nearest=False))


def write_preview(path: Path, image: np.ndarray) -> Path:
    """Write (H, W, 3) uint8 as JPEG, and give the path back."""
    write_image(path, image)
    return path


def spread_map(samples: Sequence[np.ndarray]) -> tuple[np.ndarray, float]:
    """Where samples (H, W, 3) differ: their standard deviation, of the channels the largest, as colours from black over
    red to white (H, W, 3); and how many levels of 255 the brightest means."""
    mean, squares = np.zeros(samples[0].shape, np.float32), np.zeros(samples[0].shape, np.float32)
    for count, sample in enumerate(samples, 1):  # Welford 1962: one pass, and no large sums that cancel
        step = sample - mean
        mean += step / count
        squares += step * (sample - mean)
    deviation = np.sqrt(squares / len(samples)).max(axis=2)
    most = float(deviation.max())
    shares = np.rint(deviation * (255 / most) if most else deviation).astype(np.uint8)
    return cv2.cvtColor(cv2.applyColorMap(shares, cv2.COLORMAP_HOT), cv2.COLOR_BGR2RGB), most
