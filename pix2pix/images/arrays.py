"""Pictures as arrays, (H, W, C) of uint8 or uint16: what is one, and from one kind to another."""

import numpy as np
from PIL import Image

MAX_CHANNELS = 16


class ImageError(ValueError):
    """A picture that cannot be read or written; the message is one line, file and reason."""


def one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def to_pil(image: np.ndarray) -> Image.Image:
    """(H, W, C) as a Pillow image of mode L, RGB, RGBA or, for 16-bit grey, I;16.

    Raises ValueError for what Pillow cannot hold, 16-bit colour and other numbers of channels: convert with `to_rgb8`
    or keep the array.
    """
    check(image)
    if not fits_pillow(image):
        raise ValueError(
            f"Pillow cannot hold {image.shape[2]} channels of {image.dtype}: convert with to_rgb8() or keep the array"
        )
    return Image.fromarray(np.ascontiguousarray(image[:, :, 0] if image.shape[2] == 1 else image))


def fits_pillow(image: np.ndarray) -> bool:
    """Whether Pillow has a mode for such a picture (H, W, C)."""
    return image.shape[2] == 1 or (image.dtype == np.uint8 and image.shape[2] in (3, 4))


def to_rgb(image: np.ndarray) -> np.ndarray:
    """(H, W, C) to (H, W, 3) of the same dtype: grey is repeated, transparency laid over white.

    Of two channels, or more than four, which mean no colours, the first one or three are shown.
    """
    check(image)
    channels = image.shape[2]
    if channels in (1, 2):
        return np.repeat(image[:, :, :1], 3, axis=2)
    if channels != 4:
        return image if channels == 3 else np.ascontiguousarray(image[:, :, :3])
    white = int(np.iinfo(image.dtype).max)
    # The sum is at most white squared: for 16 bits that just fits, together with the half for rounding.
    colour, alpha = image[:, :, :3].astype(np.uint32), image[:, :, 3:].astype(np.uint32)
    blended: np.ndarray = (colour * alpha + white * (white - alpha) + white // 2) // white
    return blended.astype(image.dtype)


def to_rgb8(image: np.ndarray) -> np.ndarray:
    """(H, W, C) to (H, W, 3) uint8; 16 bits become 8 by rounding v * 255 / 65535."""
    return to_8_bits(to_rgb(image))


def to_gray(image: np.ndarray) -> np.ndarray:
    """(H, W, C) to (H, W, 1) of the same dtype: ITU-R BT.601 luma, rounded; grey stays exactly as it is."""
    check(image)
    if image.shape[2] == 1:
        return image
    red, green, blue = np.moveaxis(to_rgb(image).astype(np.uint32), 2, 0)
    luma: np.ndarray = (299 * red + 587 * green + 114 * blue + 500) // 1000
    return luma.astype(image.dtype)[:, :, None]


def is_grey(image: np.ndarray) -> bool:
    """Whether a picture (H, W, C) has no colour, but for a level in 255 of rounding and compression on average."""
    if image.shape[2] in (1, 2):
        return True
    red, green, blue = np.moveaxis(to_rgb8(image).astype(np.int16), 2, 0)
    return float(np.abs(red - green).mean() + np.abs(green - blue).mean()) < 2


def to_8_bits(image: np.ndarray) -> np.ndarray:
    # 65535 = 255 * 257, and 257 is odd: no value lies on a half.
    return image if image.dtype == np.uint8 else ((image.astype(np.uint32) + 128) // 257).astype(np.uint8)


def check(image: np.ndarray) -> None:
    if image.ndim != 3 or not 1 <= image.shape[2] <= MAX_CHANNELS or image.dtype not in (np.uint8, np.uint16):
        raise ValueError(
            f"got an array of shape {image.shape} and type {image.dtype}, "
            f"expected (H, W, C) with C from 1 to {MAX_CHANNELS}, of type uint8 or uint16"
        )
