"""Read any image people have, upright, as (H, W, C) arrays of 8 or 16 bits."""

import contextlib
import math
import re
import struct
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
from PIL import Image, ImageCms

from pix2pix.images.arrays import ImageError, one_line
from pix2pix.images.bands import NUMPY_SUFFIX, TIFF_SUFFIXES, band_size, read_bands, read_numpy

PIXEL_LIMIT: int = 200_000_000
"""Larger pictures are refused: a file of a few kilobytes can claim to be many gigabytes of pixels."""

IMAGE_SUFFIXES: frozenset[str] = frozenset(
    {
        *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".webp", ".avif", ".gif", ".tif", ".tiff"),
        *(".bmp", ".dib", ".pbm", ".pgm", ".ppm", ".pnm", ".tga", ".jp2", ".j2k", ".ico", ".icns", ".pcx", ".psd"),
        NUMPY_SUFFIX,
    }
)

# Not every format Pillow knows: to decode EPS it would start Ghostscript.
_FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "GIF", "TIFF", "BMP", "DIB", "PPM", "JPEG2000", "ICO", "ICNS", "PCX", "PSD")

# `warnings.catch_warnings` swaps state of the whole process, so only one thread at a time may use it.
_warnings_lock = threading.Lock()


def read_image(
    path: str | Path, pixel_limit: int = PIXEL_LIMIT, all_pages: bool = False, enough: int | None = None
) -> np.ndarray:
    """The picture in a file, upright by its EXIF orientation; of an animation the first frame.

    Returns (H, W, C) of uint8 or uint16: one channel for grey, 3 for colour (palette, CMYK, YCbCr and LAB become
    RGB), 4 where there is transparency; up to 16 from a .npy file or, with `all_pages`, a TIFF of so many bands or
    grey pages. 16-bit files keep every bit. Where a side of `enough` pixels will do, a JPEG is decoded at a half, a
    quarter or an eighth of its size, its short side still that long: a large photo takes a fraction of the time.
    Raises ImageError for a file that is missing, empty, damaged, no picture, or of more than `pixel_limit` pixels.
    """
    path = Path(path)
    try:
        if path.suffix.lower() == NUMPY_SUFFIX:
            return read_numpy(path, pixel_limit)
        with path.open("rb") as file:
            if all_pages and path.suffix.lower() in TIFF_SUFFIXES:
                bands = read_bands(path, pixel_limit)
                if bands is not None:
                    return bands
            return _read_open_file(file, path, pixel_limit, enough)
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


def _read_open_file(file: BinaryIO, path: Path, pixel_limit: int, enough: int | None) -> np.ndarray:
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
    with _quiet_pillow() if image.format in ("TIFF", "ICO") else contextlib.nullcontext():
        image.load()
    if image.mode in ("RGB", "RGBA", "LA") and _has_16_bits(image, file):
        # Pillow has no 16-bit colour and drops the low bytes.
        file.seek(0)
        deep = cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_UNCHANGED)
        if deep is not None and deep.dtype == np.uint16 and deep.ndim == 3:
            order = cv2.COLOR_BGRA2RGBA if deep.shape[2] == 4 else cv2.COLOR_BGR2RGB
            # OpenCV turns a TIFF upright by itself, as Pillow does; the other formats neither.
            return _upright(cv2.cvtColor(deep, order), _orientation(image))
    try:
        return from_pil(image)
    except ImageError as error:
        raise ImageError(f"{path}: {error}") from None


def _open_header(file: BinaryIO, path: Path) -> Image.Image:
    """A lazy Pillow image: only the header is read.

    `Image.open` itself would judge the size by Pillow's own limit, a variable of the whole process; its registry
    of formats does not.
    """
    prefix = file.read(16)
    if not prefix:
        raise ImageError(f"{path}: the file is empty")
    Image.init()
    # TGA has no signature, any bytes may pass for one.
    formats = (*_FORMATS, "TGA") if path.suffix.lower() == ".tga" else _FORMATS
    reason = "not an image of a known format"
    with _quiet_pillow():
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
    if image.format == "TIFF":
        bits = getattr(image, "tag_v2", {}).get(258, ())
        return set(bits) == {16}
    if image.format == "PPM":
        file.seek(0)
        fields = re.match(rb"P6(?:\s+|#[^\n]*\n)+\d+(?:\s+|#[^\n]*\n)+\d+(?:\s+|#[^\n]*\n)+(\d+)", file.read(4096))
        # Other maxima than 65535 need scaling, which Pillow does, to 8 bits.
        return fields is not None and int(fields[1]) == 65535
    return False


def from_pil(image: Image.Image) -> np.ndarray:
    """A Pillow image of any mode as (H, W, C) uint8 or uint16, upright; the same treatment as `read_image`.

    Raises ImageError for floating point pixels and for integers outside 0..65535: they have no agreed range.
    """
    image.load()
    return _upright(_pixels(image), _orientation(image))


def _pixels(image: Image.Image) -> np.ndarray:
    mode = image.mode
    if mode == "F":
        raise ImageError("floating point pixels have no agreed range; save the picture with 8 or 16 bits a channel")
    if mode.startswith("I"):
        values = np.asarray(image)
        if values.size and (values.min() < 0 or values.max() > 65535):
            raise ImageError(f"integers from {values.min()} to {values.max()}, expected 0 to 65535 (16 bits)")
        return values.astype(np.uint16)[:, :, None]
    if mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
        assert converted is not None
        return np.array(converted)
    if image.has_transparency_data:
        return np.array(image if mode == "RGBA" else image.convert("RGBA"))
    if mode in ("1", "L"):
        return np.array(image.convert("L"))[:, :, None]
    return np.array(image if mode == "RGB" else image.convert("RGB"))


def _orientation(image: Image.Image) -> int:
    with _quiet_pillow():
        value = image.getexif().get(0x0112, 1)
    return value if isinstance(value, int) else 1


def _upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """(H, W, C) turned as EXIF orientation 1 to 8 asks; other values are noise and change nothing."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


@contextlib.contextmanager
def _quiet_pillow() -> Iterator[None]:
    """Without Pillow's warnings about odd metadata; of other modules' warnings none is lost."""
    with _warnings_lock, warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        yield


def list_images(folder: str | Path, recursive: bool = False) -> list[Path]:
    """The image files right in a folder, or also in those below it, 2.jpg before 10.jpg; what is hidden is left out.

    Raises ImageError when the folder is missing or cannot be read.
    """
    root = Path(folder)
    try:
        entries = root.rglob("*") if recursive else root.iterdir()
        files = [path for path in entries if path.suffix.lower() in IMAGE_SUFFIXES]
    except OSError as error:
        raise ImageError(f"{folder}: cannot list the folder: {error.strerror}") from None
    shown = (path for path in files if not any(part[0] == "." for part in path.relative_to(root).parts))
    return sorted((path for path in shown if path.is_file()), key=lambda path: _natural_key(path.relative_to(root)))


def picture_size(path: Path) -> tuple[int, int]:
    """(width, height) as the picture is shown, from its header alone. Raises ImageError where that cannot be read."""
    try:
        if path.suffix.lower() == NUMPY_SUFFIX:
            shape = np.load(path, mmap_mode="r", allow_pickle=False).shape
            return shape[1], shape[0]
        with Image.open(path) as image:
            turned = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
            return (image.height, image.width) if turned else (image.width, image.height)
    except Exception as error:  # damaged headers make readers raise nearly anything
        if path.suffix.lower() in TIFF_SUFFIXES and (size := band_size(path)) is not None:
            return size
        empty = path.is_file() and path.stat().st_size == 0
        raise ImageError(
            f"{path}: {'the file is empty' if empty else f'no readable image ({type(error).__name__})'}"
        ) from None


def _natural_key(path: Path) -> tuple[list[str | int], str]:
    # Split on numbers: text and numbers alternate, so the same position never compares one with the other.
    parts = re.split(r"(\d+)", path.as_posix().lower())
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], path.as_posix()
