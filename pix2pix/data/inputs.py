"""From what lies on disk to what trainings and evaluations are given: inputs derived and normalised, sizes matched."""

from __future__ import annotations

import hashlib

import numpy as np

from pix2pix.config import Data
from pix2pix.data.conditions import augment, derive, normalise, split_by_size
from pix2pix.images import ImageError, enlarge, resize, to_rgb
from pix2pix.representations import representations

NATIVE_CROPS = 4  # a larger photo would be decoded whole for each small crop


def fit_pair(source: np.ndarray, target: np.ndarray, data: Data, side: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Input and target of a pair, normalised and both resized to (side, side, C); with None, to the target's size.

    Label maps are snapped to the palette before they are resized, and then by nearest: no colour between two classes
    ever comes up.
    """
    early, late = split_by_size(data.normalise)
    source = normalise(source, early, data.palette)
    if data.target == "labels_onehot":
        target = normalise(target, ("palette",), data.palette)
    size = (side, side) if side else _at_least(target.shape[:2], data.size)
    source_is_labels = data.input == "labels_onehot" or "palette" in data.normalise
    opaque_source, opaque_target = (each.is_opaque for each in representations(data))
    source = _resized(source, size, source_is_labels, opaque_source)
    return (
        normalise(source, late, data.palette),
        _resized(target, size, data.target == "labels_onehot", opaque_target),
    )


def fit_photo(photo: np.ndarray, data: Data, side: int | None) -> np.ndarray:
    """A photo at the size that `fitted_size` says, without transparency where that means nothing to the task."""
    height, width, _ = photo.shape
    return _resized(photo, fitted_size(height, width, data, side), False, representations(data)[1].is_opaque)


def fitted_size(height: int, width: int, data: Data, side: int | None) -> tuple[int, int]:
    """(height, width) of a photo with its short side at `side`; with None as it is, but no smaller than one crop and
    no larger than four."""
    short = min(height, width)
    wanted = side or min(max(short, data.size), NATIVE_CROPS * data.size)
    return max(wanted, round(height * wanted / short)), max(wanted, round(width * wanted / short))


def _at_least(size: tuple[int, ...], side: int) -> tuple[int, int]:
    scale = max(1.0, side / min(size))
    return round(size[0] * scale), round(size[1] * scale)


def _resized(image: np.ndarray, size: tuple[int, int], nearest_pixel: bool, opaque: bool) -> np.ndarray:
    # Without transparency first: what is invisible must not bleed into its neighbours.
    image = to_rgb(image) if opaque and image.shape[2] == 4 else image
    resized = resize(image, *size, nearest_pixel) if image.shape[:2] != size else image
    return resized.copy() if resized.base is not None else resized  # a view would keep the whole picture in memory


def training_input(image: np.ndarray, data: Data, rng: np.random.Generator, derives: bool) -> np.ndarray:
    """The input of one example: from its cut photo where the set `derives`, else from the cut input; (H, W, C)."""
    if derives:
        image = derive(image, data.derive, rng)
    if data.augment:
        image = augment(image, data.augment, rng)
    if not derives:  # as `fit_pair` left it, but for what was varied
        return normalise(image, data.normalise, data.palette) if data.augment else image
    return network_input(image, data)


def network_input(image: np.ndarray, data: Data) -> np.ndarray:
    """An input, normalised and at the target's size."""
    return enlarge(normalise(image, data.normalise, data.palette), data.scale)


def derived_pair(photo: np.ndarray, data: Data, stem: str) -> tuple[np.ndarray, np.ndarray]:
    """Input and target for evaluation from a photo (H, W, C): always the same for the same `stem`.

    The target is cut to a multiple of `data.scale`. Where the input are lines, which no resizing may follow, the photo
    is first brought to the size that they are drawn at in training. Raises ImageError for a photo too small to be cut.
    """
    if split_by_size(data.normalise)[1]:
        photo = fit_photo(photo, data, data.size)
    elif representations(data)[1].is_opaque and photo.shape[2] == 4:
        photo = to_rgb(photo)
    height, width = (side // data.scale * data.scale for side in photo.shape[:2])
    if min(height, width) == 0:
        raise ImageError(f"{stem}: {photo.shape[1]}x{photo.shape[0]} pixels, expected at least {data.scale} a side")
    target = photo[:height, :width]
    seed = int.from_bytes(hashlib.sha256(stem.encode()).digest()[:8], "little")
    return derive(target, data.derive, np.random.default_rng(seed)), target
