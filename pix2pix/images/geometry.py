"""Resizing, cropping and padding of (H, W, C) arrays."""

import cv2
import numpy as np

from pix2pix.images.arrays import check


def resize(image: np.ndarray, height: int, width: int, nearest: bool) -> np.ndarray:
    """(H, W, C) to (height, width, C) of the same dtype.

    `nearest` invents no new colours, for label maps. Otherwise an axis that shrinks is averaged over area, one
    that grows is interpolated by cubic.
    """
    check(image)
    assert min(height, width) > 0, "an image has at least one pixel"
    if image.shape[2] > 4:  # more than OpenCV averages over area at once
        parts = [
            resize(image[:, :, first : first + 4], height, width, nearest) for first in range(0, image.shape[2], 4)
        ]
        return np.concatenate(parts, axis=2)
    if nearest:
        resized = cv2.resize(image, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    else:
        smaller = min(width, image.shape[1]), min(height, image.shape[0])
        resized = cv2.resize(image, smaller, interpolation=cv2.INTER_AREA)
        if smaller != (width, height):
            resized = cv2.resize(resized, (width, height), interpolation=cv2.INTER_CUBIC)
    return resized.reshape(height, width, image.shape[2])  # OpenCV drops an axis of one channel


def reflect_pad(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """(H, W, C) to (height, width, C): added at the bottom and right, by reflection where the side is long enough
    for it (padding < side), else by repeating the edge."""
    assert min(height - image.shape[0], width - image.shape[1]) >= 0, "padding never shrinks"
    for axis, size in enumerate((height, width)):
        side = image.shape[axis]
        amounts = [(0, 0)] * 3
        amounts[axis] = (0, size - side)
        image = np.pad(image, amounts, mode="reflect") if size - side < side else np.pad(image, amounts, mode="edge")
    return image


def enlarge(image: np.ndarray, scale: int) -> np.ndarray:
    """(H, W, C) to (scale * H, scale * W, C) by cubic interpolation; the same picture where `scale` is 1."""
    return image if scale == 1 else resize(image, image.shape[0] * scale, image.shape[1] * scale, nearest=False)


def center_crop(image: np.ndarray, side: int) -> np.ndarray:
    """The middle (side, side, C) of (H, W, C); the picture is at least that large."""
    top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
    assert min(top, left) >= 0, (image.shape, side)
    return image[top : top + side, left : left + side]
