"""Pictures of a folder as priors learn them: squares of one size, read once, in an endless resumable order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from pix2pix.config import Data
from pix2pix.data.layouts import find_pairs
from pix2pix.data.pair_files import PairSet, load_pairs
from pix2pix.data.stream import Batch, Order
from pix2pix.images import center_crop, to_rgb8
from pix2pix.priors.configuration import Pictures

Say = Callable[[str], None]
FLIP = 4  # keeps these draws apart from the others of a seed
WIDE = 1.9  # width over height from which a picture may be a pair side by side


class PictureSet:
    """Numbered squares of one split; the same number is the same picture at every call, from any thread."""

    def __init__(self, photos: PairSet, size: int, description: str) -> None:
        self._photos, self.size, self.description = photos, size, description

    def __len__(self) -> int:
        return len(self._photos)

    def picture(self, index: int) -> NDArray[np.uint8]:
        """(size, size, 3) uint8. Raises ValueError when no file can be read any more."""
        return np.ascontiguousarray(to_rgb8(center_crop(self._photos.read(index)[1], self.size)))


def open_pictures(data: Pictures, split: str, say: Say) -> PictureSet:
    """The pictures of `split` below the folder `data.path`, read now where they fit into `data.cache_gib`.

    A folder with `train` and, perhaps, `val` and `test` in it has those splits; all pictures of another are `train`.
    `dev` is a fixed tenth of `train`, which holds the rest. What cannot be read is named through `say` and left out.
    Raises ValueError with one line when there is no such folder or split, or no picture in it.
    """
    if data.path is None:
        raise ValueError("which pictures? give --data DIR, a folder of them")
    root = Path(data.path).expanduser()
    if not root.is_dir():
        raise ValueError(f"{root}: {'a file' if root.exists() else 'no such folder'}; expected a folder of pictures")
    found = find_pairs(root, split, _as_photos(data))
    photos = load_pairs(replace(found, description=""), _as_photos(data), say)
    _check_halves(photos, data, root, say)
    part = "" if data.part == "whole" else f", the {data.part} half of each"
    return PictureSet(photos, data.size, f"{root.resolve().name}: {len(photos)} pictures in {split}{part}")


def _as_photos(data: Pictures) -> Data:
    """A task's data whose targets are the pictures to learn."""
    common = {
        "size": data.size,
        "load_size": data.size,
        "cache_gib": data.cache_gib,
        "pixel_limit": data.pixel_limit,
    }
    if data.part == "whole":
        return Data.model_validate({**common, "layout": "photos", "derive": ("gray",)})
    other = "right" if data.part == "left" else "left"
    return Data.model_validate({**common, "layout": "side_by_side", "input_side": other})


def _check_halves(photos: PairSet, data: Pictures, root: Path, say: Say) -> None:
    """Tell where the pictures look like pairs side by side, of which the middle would be learned."""
    if data.part != "whole":
        return
    height, width = photos.read(0)[1].shape[:2]
    if width / height > WIDE:
        say(
            f"{root}: the first picture is {width / height:.1f} times as wide as high, and its middle is taken; "
            "for pairs side by side say --part left or --part right"
        )


class PictureStream:
    """Training pictures by position: every epoch runs through all in a new order; mirroring is drawn anew.

    What lies at a position depends on the seed and the position alone.
    """

    def __init__(self, pictures: PictureSet, flip: bool, seed: int) -> None:
        self._pictures, self._flip, self._seed = pictures, flip, seed
        self._order = Order(len(pictures), seed)

    def make(self, positions: tuple[int, ...]) -> Batch:
        """Targets (N, 3, S, S) in [-1, 1]; sources (N, 0), as latents are drawn by the objective."""
        size = self._pictures.size
        squares = np.empty((len(positions), size, size, 3), np.uint8)
        for row, position in enumerate(positions):
            picture = self._pictures.picture(self._order(position))
            mirrored = self._flip and np.random.default_rng((self._seed, FLIP, position)).random() < 0.5
            squares[row] = picture[:, ::-1] if mirrored else picture
        return Batch(torch.empty(len(positions), 0), as_targets(squares), positions)


def as_targets(squares: NDArray[np.uint8]) -> torch.Tensor:
    """(N, S, S, 3) uint8 -> (N, 3, S, S) float32 in [-1, 1]."""
    # In numpy: torch in a second thread would start threads of its own beside those of the step.
    return torch.from_numpy(squares.astype(np.float32) / 127.5 - 1).permute(0, 3, 1, 2)
