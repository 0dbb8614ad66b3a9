"""Read any image people have, upright, as (H, W, C) arrays of 8 or 16 bits, with what the file holds besides."""

from __future__ import annotations

import contextlib
import math
import re
import struct
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from pix2pix.images.arrays import ImageError, bands, one_line
from pix2pix.images.bands import NUMPY_SUFFIX, TIFF_SUFFIXES, read_bands, read_grey_and_alpha, read_numpy, read_planes
from pix2pix.images.metadata import Metadata, Picture, read_metadata
from pix2pix.images.pixels import orientation, pixels, quiet_pillow, upright

PIXEL_LIMIT: int = 200_000_000
"""Larger pictures are refused: a file of a few kilobytes can claim to be many gigabytes of pixels."""

# Not every format Pillow knows: to decode EPS it would start Ghostscript.
_FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "GIF", "TIFF", "BMP", "DIB", "PPM", "JPEG2000", "ICO", "ICNS", "PCX", "PSD")

_PLANAR_CONFIGURATION, _EXTRA_SAMPLES = 284, 338  # tags of TIFF

_SUFFIXES = {"JPEG": ".jpg", "MPO": ".jpg", "WEBP": ".webp", "AVIF": ".avif", "TIFF": ".tif", "BMP": ".bmp"}


def read_picture(
    path: str | Path, pixel_limit: int = PIXEL_LIMIT, all_pages: bool = False, enough: int | None = None
) -> Picture:
    """The picture in a file, upright by its EXIF orientation, with its metadata; of an animation the first frame.

    Pixels are (H, W, C) of uint8 or uint16: one channel for grey, 3 for colour (palette, CMYK, YCbCr and LAB become
    RGB), 4 where there is transparency; up to 16 from a .npy file or, with `all_pages`, a TIFF of so many bands or
    grey pages. 16-bit files keep every bit, but for 16-bit CMYK. Grey and CMYK are brought to sRGB by the file's colour
    profile; colours stay as they are, and their profile is in the metadata. Metadata that is damaged is left out. Where
    a side of `enough` pixels will do, a JPEG is decoded at a half, a quarter or an eighth of its size, its short side
    still that long: a large photo takes a fraction of the time.
    Raises ImageError for a file that is missing, empty, damaged, no picture, or of more than `pixel_limit` pixels.
    """
    return _read(Path(path), pixel_limit, all_pages, enough, with_metadata=True)


def read_image(
    path: str | Path, pixel_limit: int = PIXEL_LIMIT, all_pages: bool = False, enough: int | None = None
) -> np.ndarray:
    """The pixels of `read_picture` alone, without looking at the metadata."""
    return _read(Path(path), pixel_limit, all_pages, enough, with_metadata=False).pixels


def _read(path: Path, pixel_limit: int, all_pages: bool, enough: int | None, with_metadata: bool) -> Picture:
    try:
        if path.suffix.lower() == NUMPY_SUFFIX:
            return Picture(read_numpy(path, pixel_limit), Metadata(), NUMPY_SUFFIX)
        with path.open("rb") as file:
            if all_pages and path.suffix.lower() in TIFF_SUFFIXES:
                channels = read_bands(path, pixel_limit)
                if channels is not None:
                    return Picture(channels, Metadata(), ".tif")
            return _read_open_file(file, path, pixel_limit, enough, with_metadata)
    except ImageError:
        raise
    except FileNotFoundError:
        raise ImageError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise ImageError(f"{path}: is a folder, expected an image file") from None
    except PermissionError:
        raise ImageError(f"{path}: no permission to read it") from None
    except MemoryError:
        raise ImageError(f"{path}: not enough memory to decode it") from None
    except Exception as error:
        # A damaged file makes decoders raise nearly anything: OSError, SyntaxError, struct.error, cv2.error ...
        raise ImageError(f"{path}: damaged or truncated image: {one_line(error)}") from None


def stored_size(path: Path) -> tuple[int, int] | None:
    """(width, height) as a file says them before any of it is decoded, not turned upright; None where it does not."""
    try:
        with path.open("rb") as file:
            return _open_header(file, path).size
    except Exception:  # reading it will say what is wrong
        return None


def _read_open_file(file: BinaryIO, path: Path, pixel_limit: int, enough: int | None, with_metadata: bool) -> Picture:
    try:
        image = _load(file, path, pixel_limit, enough)
    except ImageError:
        rare = read_grey_and_alpha(file, pixel_limit) if path.suffix.lower() in TIFF_SUFFIXES else None
        if rare is None:
            raise
        return Picture(upright(*rare), Metadata(), ".tif")
    suffix, turn, metadata = _SUFFIXES.get(image.format or "", ".png"), orientation(image), Metadata()
    if with_metadata:
        width, height = image.size if turn not in (5, 6, 7, 8) else (image.height, image.width)
        with quiet_pillow():
            metadata = read_metadata(image, width, height)
    if image.mode in ("RGB", "RGBA", "LA") and _has_16_bits(image, file):
        tags = image.tag_v2 if isinstance(image, TiffImageFile) else {}
        # Pillow has no 16-bit colour and drops the low bytes. That it could decode the file says that it is whole; now
        # its copy of the pixels goes before there is another.
        del image
        deep = _decode_planes(file) if tags.get(_PLANAR_CONFIGURATION) == 2 else _decode_16_bits(file)
        if deep is not None:
            if tags.get(_EXTRA_SAMPLES) == (1,):
                _divide_by_opacity(deep)
            return Picture(upright(deep, turn), metadata, suffix)
        image = _load(file, path, pixel_limit, enough)
    try:
        decoded = pixels(image)
    except ImageError as error:
        raise ImageError(f"{path}: {error}") from None
    del image
    return Picture(upright(decoded, turn), metadata, suffix)


def _load(file: BinaryIO, path: Path, pixel_limit: int, enough: int | None) -> Image.Image:
    file.seek(0)
    image = _open_header(file, path)
    width, height = image.size
    if width * height > pixel_limit:
        raise ImageError(
            f"{path}: {width}x{height} is {width * height} pixels, more than the limit of {pixel_limit}; "
            f"if you trust the file, raise it with --pixel-limit {width * height}"
        )
    if enough is not None and image.format == "JPEG" and min(width, height) > enough:
        share = enough / min(width, height)
        image.draft(None, (math.ceil(width * share), math.ceil(height * share)))
    # These two can warn while decoding; the lock makes them wait for each other, the common formats run in parallel.
    with quiet_pillow() if image.format in ("TIFF", "ICO") else contextlib.nullcontext():
        image.load()
    return image


def _decode_16_bits(file: BinaryIO) -> np.ndarray | None:
    """(H, W, 3 or 4) of uint16, not turned, but for TIFF, which OpenCV turns as Pillow does; None where it cannot."""
    file.seek(0)
    deep = cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_UNCHANGED)
    if deep is None or deep.dtype != np.uint16 or deep.ndim != 3:
        return None
    order = cv2.COLOR_BGRA2RGBA if deep.shape[2] == 4 else cv2.COLOR_BGR2RGB
    for rows in bands(*deep.shape[:2]):
        deep[rows] = cv2.cvtColor(deep[rows], order)
    return np.asarray(deep)


def _decode_planes(file: BinaryIO) -> np.ndarray | None:
    """The same for a TIFF of one plane a channel, which OpenCV takes for interleaved; turned."""
    read = read_planes(file)
    if read is None or read[0].dtype != np.uint16 or read[0].shape[2] not in (3, 4):
        return None
    return upright(*read)


def _divide_by_opacity(rgba: np.ndarray) -> None:
    """Undo, in place, that the colours of (H, W, 4) uint16 were multiplied by their opacity, as some TIFFs have it."""
    for rows in bands(*rgba.shape[:2]):
        colour, alpha = rgba[rows, :, :3].astype(np.uint32), np.maximum(rgba[rows, :, 3:], 1).astype(np.uint32)
        rgba[rows, :, :3] = np.minimum((colour * 65535 + alpha // 2) // alpha, 65535)


def _open_header(file: BinaryIO, path: Path) -> Image.Image:
    """A lazy Pillow image: only the header is read.

    `Image.open` itself would judge the size by Pillow's own limit, a variable of the whole process; its registry
    of formats does not.
    """
    prefix = file.read(16)
    if not prefix:
        raise ImageError(f"{path}: the file is empty")
    if len(prefix) < 8:  # some readers' first look takes as many for granted
        raise ImageError(f"{path}: not an image of a known format")
    Image.init()
    # TGA has no signature, any bytes may pass for one.
    formats = (*_FORMATS, "TGA") if path.suffix.lower() == ".tga" else _FORMATS
    reason = "not an image of a known format"
    with quiet_pillow():
        for name in formats:
            if name not in Image.OPEN:
                continue
            factory, accept = Image.OPEN[name]
            accepted = accept(prefix) if accept else True
            if isinstance(accepted, str):
                reason = accepted
            elif accepted:
                file.seek(0)
                try:
                    return factory(file, str(path))
                except (SyntaxError, IndexError, TypeError, struct.error) as error:
                    reason = f"{name} that cannot be read: {one_line(error)}"
    raise ImageError(f"{path}: {reason}")


def _has_16_bits(image: Image.Image, file: BinaryIO) -> bool:
    """Whether the file holds 16 bits a channel, although Pillow's mode has 8."""
    if image.format == "PNG":
        file.seek(24)  # signature 8, chunk head 8, width and height 8
        return file.read(1) == b"\x10"
    if isinstance(image, TiffImageFile):
        return set(image.tag_v2.get(258, ())) == {16}
    if image.format == "PPM":
        file.seek(0)
        fields = re.match(rb"P6(?:\s+|#[^\n]*\n)+\d+(?:\s+|#[^\n]*\n)+\d+(?:\s+|#[^\n]*\n)+(\d+)", file.read(4096))
        # Other maxima than 65535 need scaling, which Pillow does, to 8 bits.
        return fields is not None and int(fields[1]) == 65535
    return False
