"""The true pictures of a comparison: squares of one size, chosen from a split by their names alone."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pix2pix.config import Data
from pix2pix.data.layouts import find_pairs
from pix2pix.data.pair_files import load_pairs
from pix2pix.images import center_crop, to_rgb8
from pix2pix.restoration.cases import Picture

ORDER_SALT = "restore compare"  # keeps the order apart from that which `dev` is chosen by


@dataclass(frozen=True)
class Truth:
    """A picture (S, S, 3) uint8 and its stem, which decides its damage."""

    stem: str
    picture: Picture


def read_truths(root: Path, split: str, count: int, size: int, say: Callable[[str], None]) -> list[Truth]:
    """`count` pictures of `split` below `root`, or all where there are fewer: the largest square of each, resized.

    Which ones depends on their stems alone, and a larger count has those of a smaller one first. What cannot be read
    is named through `say` and left out. Raises ValueError with one line without such a folder, split or pictures.
    """
    data = Data.model_validate({"layout": "photos", "derive": ("gray",), "size": size, "load_size": size})
    found = find_pairs(root, split, data)
    ordered = sorted(found.pairs, key=lambda pair: hashlib.sha256(f"{ORDER_SALT}/{pair.stem}".encode()).digest())
    photos = load_pairs(replace(found, pairs=tuple(ordered[:count])), data, say)
    return [
        Truth(photos.stem(index), np.ascontiguousarray(to_rgb8(center_crop(photos.read(index)[1], size))))
        for index in range(len(photos))
    ]
