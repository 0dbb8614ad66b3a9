"""Pictures as arrays, (H, W, C) of uint8 or uint16: what is one, and from one kind to another."""

from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image

MAX_CHANNELS = 16
_BAND = 2**18  # pixels; what is computed of them in 32 bits stays in the processor's cache, and no copy of a whole


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

    def over_white(band: np.ndarray) -> np.ndarray:
        # The sum is at most white squared: for 16 bits that just fits, together with the half for rounding.
        colour, alpha = band[:, :, :3].astype(np.uint32), band[:, :, 3:].astype(np.uint32)
        return np.asarray((colour * alpha + white * (white - alpha) + white // 2) // white)

    return _by_bands(image, 3, image.dtype, over_white)


def to_rgb8(image: np.ndarray) -> np.ndarray:
    """(H, W, C) to (H, W, 3) uint8; 16 bits become 8 by rounding v * 255 / 65535."""
    return to_8_bits(to_rgb(image))


def to_gray(image: np.ndarray) -> np.ndarray:
    """(H, W, C) to (H, W, 1) of the same dtype: ITU-R BT.601 luma, rounded; grey stays exactly as it is."""
    check(image)
    if image.shape[2] == 1:
        return image

    def luma(band: np.ndarray) -> np.ndarray:
        red, green, blue = np.moveaxis(to_rgb(band).astype(np.uint32), 2, 0)
        return np.asarray((299 * red + 587 * green + 114 * blue + 500) // 1000)[:, :, None]

    return _by_bands(image, 1, image.dtype, luma)


def without_alpha(image: np.ndarray) -> np.ndarray:
    """(H, W, 4) as (H, W, 3) in its own colours, with white where nothing of it is seen."""
    white = np.iinfo(image.dtype).max
    return np.where(image[:, :, 3:] > 0, image[:, :, :3], np.array(white, image.dtype))


def has_no_colour(image: np.ndarray) -> bool:
    """Whether a picture (H, W, 1, 3 or 4) is grey to the last bit, whatever its channels; transparency aside."""
    if image.shape[2] == 1:
        return True
    first = image[:, :, 0]
    return bool((first == image[:, :, 1]).all() and (first == image[:, :, 2]).all())


def is_grey(image: np.ndarray) -> bool:
    """Whether a picture (H, W, C) has no colour, but for a level in 255 of rounding and compression on average."""
    if image.shape[2] in (1, 2):
        return True
    red, green, blue = np.moveaxis(to_rgb8(image).astype(np.int16), 2, 0)
    return float(np.abs(red - green).mean() + np.abs(green - blue).mean()) < 2


def to_8_bits(image: np.ndarray) -> np.ndarray:
    if image.dtype == np.uint8:
        return image
    # 65535 = 255 * 257, and 257 is odd: no value lies on a half.
    return _by_bands(image, image.shape[2], np.dtype(np.uint8), lambda band: (band.astype(np.uint32) + 128) // 257)


def bands(height: int, width: int, pixels: int = _BAND) -> Iterator[slice]:
    """The rows of a picture in slices of about so many pixels."""
    rows = max(1, pixels // max(1, width))
    yield from (slice(top, min(top + rows, height)) for top in range(0, height, rows))


def _by_bands(
    image: np.ndarray, channels: int, dtype: np.dtype, convert: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    converted = np.empty((*image.shape[:2], channels), dtype)
    for rows in bands(*image.shape[:2]):
        converted[rows] = convert(image[rows])
    return converted


def check(image: np.ndarray) -> None:
    if image.ndim != 3 or not 1 <= image.shape[2] <= MAX_CHANNELS or image.dtype not in (np.uint8, np.uint16):
        raise ValueError(
            f"got an array of shape {image.shape} and type {image.dtype}, "
            f"expected (H, W, C) with C from 1 to {MAX_CHANNELS}, of type uint8 or uint16"
        )
