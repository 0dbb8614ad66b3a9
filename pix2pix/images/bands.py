"""Pictures of more channels than a screen shows: NumPy arrays, and TIFFs of many bands or pages."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import numpy as np

from pix2pix.images.arrays import MAX_CHANNELS, ImageError

NUMPY_SUFFIX = ".npy"
TIFF_SUFFIXES = (".tif", ".tiff")


def read_numpy(path: Path, pixel_limit: int) -> np.ndarray:
    """A saved array (H, W) or (H, W, C) of uint8 or uint16 as (H, W, C). Raises ImageError for any other."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ImageError(f"{path}: no readable NumPy array: {str(error).splitlines()[0]}") from None
    return _checked(path, array, pixel_limit)


def read_bands(path: Path, pixel_limit: int) -> np.ndarray | None:
    """The bands or pages of a TIFF as the channels of (H, W, C); None where it holds one plain picture.

    That is for other readers: up to 4 bands, one page. Raises ImageError for more than 16 channels or another type.
    """
    import tifffile

    with tifffile.TiffFile(path) as tiff:
        pages, first = len(tiff.pages), tiff.pages[0]
        assert isinstance(first, tifffile.TiffPage)
        if pages == 1 and first.samplesperpixel <= 4:
            return None
        if first.imagewidth * first.imagelength > pixel_limit:
            raise ImageError(f"{path}: {first.imagewidth}x{first.imagelength} is more than the limit of {pixel_limit}")
        series = tiff.series[0]
        try:
            bands = series.asarray()
        except ValueError as error:
            if "imagecodecs" not in str(error):
                raise
            raise ImageError(f"{path}: compressed in a way that `pip install imagecodecs` is needed for") from None
        axes = series.axes
    # Bands lie behind the pixels (YXS), before them (SYX), or each on a page of its own (QYX, IYX, CYX).
    if bands.ndim == 3 and axes.endswith("YX"):
        bands = np.moveaxis(bands, 0, 2)
    return _checked(path, bands, pixel_limit)


def band_size(path: Path) -> tuple[int, int] | None:
    """(width, height) of a TIFF whose bands other readers do not know, from its header; None where it has none."""
    import tifffile

    try:
        with tifffile.TiffFile(path) as tiff:
            first = tiff.pages[0]
            assert isinstance(first, tifffile.TiffPage)
            return first.imagewidth, first.imagelength
    except (tifffile.TiffFileError, OSError, IndexError):
        return None


def _checked(path: Path, array: np.ndarray, pixel_limit: int) -> np.ndarray:
    image = array[:, :, None] if array.ndim == 2 else array
    if image.ndim != 3 or image.dtype not in (np.uint8, np.uint16) or not 1 <= image.shape[2] <= MAX_CHANNELS:
        raise ImageError(
            f"{path}: an array of shape {array.shape} and type {array.dtype}, expected (H, W) or (H, W, C) with up to "
            f"{MAX_CHANNELS} channels, of type uint8 or uint16"
        )
    if image.size == 0:
        raise ImageError(f"{path}: an array without pixels, shape {array.shape}")
    if image.shape[0] * image.shape[1] > pixel_limit:
        raise ImageError(f"{path}: {image.shape[1]}x{image.shape[0]} is more than the limit of {pixel_limit} pixels")
    return np.ascontiguousarray(image)


def read_planes(file: BinaryIO) -> tuple[np.ndarray, int] | None:
    """(H, W, C) of a TIFF that stores one channel after the other, not turned, and its orientation, 1 to 8.

    None for one that does not, or is compressed in a way that only other readers know.
    """
    import tifffile

    file.seek(0)
    with tifffile.TiffFile(file) as tiff:
        page = tiff.pages[0]
        assert isinstance(page, tifffile.TiffPage)
        if page.planarconfig != tifffile.PLANARCONFIG.SEPARATE:
            return None
        try:
            planes = page.asarray()
        except ValueError:
            return None
        turn = page.tags.get(274)
    return np.ascontiguousarray(np.moveaxis(planes, 0, 2)), int(turn.value) if turn else 1


def read_grey_and_alpha(file: BinaryIO, pixel_limit: int) -> tuple[np.ndarray, int] | None:
    """A TIFF of grey and its opacity, which Pillow does not know with 16 bits, as (H, W, 4) not turned, and its
    orientation, 1 to 8. None for any other."""
    import tifffile

    file.seek(0)
    try:
        with tifffile.TiffFile(file) as tiff:
            page = tiff.pages[0]
            assert isinstance(page, tifffile.TiffPage)
            if page.samplesperpixel != 2 or page.imagewidth * page.imagelength > pixel_limit:
                return None
            image, turn = page.asarray(), page.tags.get(274)
            if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE:
                image[..., 0] = np.iinfo(image.dtype).max - image[..., 0]
    except (tifffile.TiffFileError, ValueError):
        return None
    if image.dtype != np.uint16 or image.ndim != 3 or image.shape[2] != 2:
        return None
    return image[:, :, [0, 0, 0, 1]], int(turn.value) if turn else 1
