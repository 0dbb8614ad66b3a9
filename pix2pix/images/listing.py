"""Which pictures lie in a folder, and how large they are, without reading any."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from PIL import Image

from pix2pix.images.arrays import ImageError
from pix2pix.images.bands import NUMPY_SUFFIX, TIFF_SUFFIXES, band_size
from pix2pix.images.pixels import orientation

IMAGE_SUFFIXES: frozenset[str] = frozenset(
    {
        *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".webp", ".avif", ".gif", ".tif", ".tiff"),
        *(".bmp", ".dib", ".pbm", ".pgm", ".ppm", ".pnm", ".tga", ".jp2", ".j2k", ".ico", ".icns", ".pcx", ".psd"),
        NUMPY_SUFFIX,
    }
)


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
            turned = orientation(image) in (5, 6, 7, 8)
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
