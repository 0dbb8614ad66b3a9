"""The pixels of a Pillow image of any mode, as (H, W, C) of 8 or 16 bits, upright and in sRGB where they need to be."""

from __future__ import annotations

import contextlib
import threading
import warnings
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image, ImageCms
from PIL.TiffImagePlugin import TiffImageFile

from pix2pix.images.arrays import ImageError, bands
from pix2pix.images.profiles import cmyk_to_srgb, grey_to_srgb

# A large image is converted in bands of so many pixels: Pillow would make several whole copies on the way.
_BAND = 2**21
_PHOTOMETRIC, _WHITE_IS_ZERO = 262, 0  # a tag of TIFF, and one of its values

# `warnings.catch_warnings` swaps state of the whole process, so only one thread at a time may use it.
_warnings_lock = threading.Lock()


def from_pil(image: Image.Image) -> np.ndarray:
    """A Pillow image of any mode as (H, W, C) uint8 or uint16, upright; the same treatment as `read_image`.

    Raises ImageError for floating point pixels and for integers outside 0..65535: they have no agreed range.
    """
    image.load()
    return upright(pixels(image), orientation(image))


def pixels(image: Image.Image) -> np.ndarray:
    """(H, W, C) as stored, not turned; grey and CMYK by their colour profile, where they have one, in sRGB."""
    mode, profile = image.mode, image.info.get("icc_profile")
    if mode == "F":
        raise ImageError("floating point pixels have no agreed range; save the picture with 8 or 16 bits a channel")
    if mode.startswith("I"):
        grey = _array(image, 1, _in_range if mode == "I" else None)
        if mode != "I" and isinstance(image, TiffImageFile) and image.tag_v2.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
            np.subtract(np.uint16(65535), grey, out=grey)  # as Pillow does where there are 8 bits
        return _in_srgb(_with_transparent_value(grey, image.info.get("transparency")), profile)
    if mode == "LAB":
        transform = ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB")
        return _array(image, 3, lambda band: ImageCms.applyTransform(band, transform))
    if image.has_transparency_data:
        rgba = _array(image, 4, None if mode == "RGBA" else lambda band: band.convert("RGBA"))
        return _in_srgb(rgba, profile) if mode in ("L", "LA") else rgba
    if mode in ("1", "L"):
        return _in_srgb(_array(image, 1, None if mode == "L" else lambda band: band.convert("L")), profile)
    if mode == "CMYK" and (convert := cmyk_to_srgb(profile)) is not None:
        return _array(image, 3, convert)
    return _array(image, 3, None if mode == "RGB" else lambda band: band.convert("RGB"))


def _array(
    image: Image.Image, channels: int, convert: Callable[[Image.Image], Image.Image | None] | None
) -> np.ndarray:
    """The image, each band of it converted, as (H, W, `channels`)."""
    width, height = image.size
    array = np.empty((height, width, channels), np.uint16 if image.mode.startswith("I") else np.uint8)
    for rows in bands(height, width, _BAND):
        whole = rows.stop - rows.start == height
        band = image if whole else image.crop((0, rows.start, width, rows.stop))
        array[rows] = np.asarray(convert(band) if convert else band).reshape(-1, width, channels)
    return array


def _with_transparent_value(grey: np.ndarray, value: object) -> np.ndarray:
    """(H, W, 1) uint16 as (H, W, 4), transparent where it is `value`; as it is where that is no number."""
    if not isinstance(value, int):
        return grey
    return np.concatenate([grey, grey, grey, np.where(grey == value, 0, 65535).astype(np.uint16)], axis=2)


def _in_range(image: Image.Image) -> Image.Image:
    low, high = image.getextrema()
    if low < 0 or high > 65535:  # type: ignore[operator]
        raise ImageError(f"integers from {low} to {high}, expected 0 to 65535 (16 bits)")
    return image


def _in_srgb(image: np.ndarray, profile: bytes | None) -> np.ndarray:
    """`image` with its grey, or the three equal channels before its transparency, changed in place to sRGB."""
    table = grey_to_srgb(profile, image.dtype)
    if table is not None:
        colours = image[:, :, : 3 if image.shape[2] == 4 else 1]
        for rows in bands(*image.shape[:2]):
            colours[rows] = table[colours[rows]]
    return image


def orientation(image: Image.Image) -> int:
    """How the image has to be turned, by EXIF: 1 to 8, or another number, which means nothing; damage counts as 1."""
    with quiet_pillow():
        try:
            value = image.getexif().get(0x0112, 1)
        except Exception:  # a damaged block makes Pillow raise nearly anything, and hides no pixels
            return 1
    return value if isinstance(value, int) else 1


def upright(image: np.ndarray, turn: int) -> np.ndarray:
    """(H, W, C) turned as EXIF orientation 1 to 8 asks; other values are noise and change nothing."""
    if turn in (5, 6, 7, 8):
        image = image.swapaxes(0, 1)
    if turn in (2, 3, 6, 7):
        image = image[:, ::-1]
    if turn in (3, 4, 7, 8):
        image = image[::-1]
    return np.ascontiguousarray(image)


@contextlib.contextmanager
def quiet_pillow() -> Iterator[None]:
    """Without Pillow's warnings about odd metadata; of other modules' warnings none is lost."""
    with _warnings_lock, warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        yield
