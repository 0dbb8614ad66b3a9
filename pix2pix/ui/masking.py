"""A photo and a mask joined into a photo with holes, and what is not in the holes given back to the byte."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from pix2pix.images import Picture, has_no_colour, read_image, read_picture, to_gray, to_rgb, write_image


def read_mask(path: Path, height: int, width: int, pixel_limit: int) -> np.ndarray:
    """(height, width) bool, True where a mask is white, or opaque by half where it has transparency.

    Raises ValueError for a mask of another size.
    """
    image = read_image(path, pixel_limit)
    if image.shape[:2] != (height, width):
        got = f"{image.shape[1]}x{image.shape[0]}"
        raise ValueError(f"mask: got {got}, expected the photo's size, {width}x{height}")
    half = np.iinfo(image.dtype).max // 2
    has_transparency = image.shape[2] == 4 and bool((image[:, :, 3] <= half).any())
    chosen: np.ndarray = (image[:, :, 3] if has_transparency else to_gray(image)[:, :, 0]) > half
    return chosen


def grown(mask: np.ndarray, pixels: int) -> np.ndarray:
    """(H, W) bool, and all that is no further than so many pixels from it."""
    if pixels == 0 or not mask.any():
        return mask
    # The same as a dilation by a disc, whose cost does not grow with it.
    distance = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    near: np.ndarray = distance <= pixels
    return near


def holes_of(picture: np.ndarray, mask: np.ndarray | None, grow: int) -> np.ndarray:
    """(H, W) bool: what is to be filled of a photo (H, W, C), by its mask, or without one by its own transparency.

    Raises ValueError where nothing is to be filled, or all of it.
    """
    transparent = np.zeros(picture.shape[:2], bool)
    if picture.shape[2] == 4:
        transparent = picture[:, :, 3] <= np.iinfo(picture.dtype).max // 2
    wanted = grown(transparent if mask is None else mask, grow)
    if not wanted.any():
        what = "the photo has no transparent part" if mask is None else "the mask is empty"
        raise ValueError(f"nothing to fill: {what}; paint over what should go, or send a mask that is white there")
    # What is invisible is nothing to go on, although with a mask it stays as it is.
    holes: np.ndarray = wanted | transparent
    if holes.all():
        raise ValueError("nothing to go on: all of the photo is to be filled; leave some of it")
    return holes


def join(photo: Path, mask: Path | None, grow: int, folder: Path, pixel_limit: int) -> Path:
    """The photo with its holes as a file in `folder`, with its stem and metadata; every pixel elsewhere is the photo's.

    Raises ValueError as `read_mask` and `holes_of` do.
    """
    from pix2pix.data.conditions.masks import with_mask  # by way of torch, which takes seconds

    picture = read_picture(photo, pixel_limit)
    height, width, channels = picture.pixels.shape
    chosen = None if mask is None else read_mask(mask, height, width, pixel_limit)
    holes = holes_of(picture.pixels, chosen, grow)
    colours = picture.pixels[:, :, :3] if channels == 4 else to_rgb(picture.pixels)
    joined = folder / f"{photo.stem}{'.tif' if picture.suffix == '.tif' else '.png'}"
    write_image(joined, with_mask(colours, holes), picture.metadata)
    return joined


def restore(output: Path, photo: Path, mask: Path | None, grow: int, pixel_limit: int) -> None:
    """Give a filled photo, in its file, the channels of `photo`: grey stays grey, and with a mask transparency stays.

    Outside of the mask every pixel is then the photo's, whatever it was.
    """
    before = read_image(photo, pixel_limit)
    height, width, channels = before.shape
    if channels == 3 or (channels == 4 and mask is None):
        return
    filled = read_picture(output, pixel_limit)
    if channels == 1:
        if has_no_colour(filled.pixels):
            _write(output, filled, filled.pixels[:, :, :1])
        return
    assert mask is not None
    wanted = grown(read_mask(mask, height, width, pixel_limit), grow)[:, :, None]
    opaque = np.full((height, width, 1), np.iinfo(before.dtype).max, before.dtype)
    _write(output, filled, np.where(wanted, np.dstack([filled.pixels, opaque]), before))


def _write(path: Path, picture: Picture, pixels: np.ndarray) -> None:
    profile = picture.metadata.icc_profile if pixels.shape[2] != 1 else None
    write_image(path, pixels, replace(picture.metadata, icc_profile=profile))
