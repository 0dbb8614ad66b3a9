"""Embedded pairs as a data set: drawn when they are asked for, the same number always the same drawing."""

from __future__ import annotations

import numpy as np

from pix2pix.config import Data
from pix2pix.data.embedded import DRAWERS, Drawer
from pix2pix.data.inputs import derived_pair, fit_pair, fit_photo
from pix2pix.data.layouts import check_split, dev_stems
from pix2pix.schema import nearest

EMBEDDED_COUNTS = {"train": 2000, "val": 100, "test": 100}
EMBEDDED_OFFSETS = {"train": 0, "val": 1_000_000, "test": 2_000_000}
EMBEDDED_SEED = 0
LARGEST_DRAWING = 512


class EmbeddedPairs:
    """Pairs drawn from a seed (a `PairSource`), kept as drawn as far as `data.cache_gib` goes.

    Where the task derives its inputs, the drawn picture is the photo.

    Raises ValueError when the task names no drawer, an unknown one, or one of more classes than the palette has.
    """

    licence = "drawn by this program, free of others' rights"

    def __init__(self, data: Data, split: str, count: int | None = None) -> None:
        """`count`: how many pairs the split has on disk, so to say, `dev` being part of `train`; default: the usual."""
        check_split(split)
        if data.embedded is None:
            raise ValueError("the task has no embedded pairs (data.embedded); pass --data DIR, a folder of pairs")
        if data.embedded not in DRAWERS:
            raise ValueError(f"data.embedded: no drawer '{data.embedded}'; {nearest(data.embedded, DRAWERS)}")
        self._draw: Drawer = DRAWERS[data.embedded]
        self._data = data
        self._colours = np.array(list(data.palette.values()), np.uint8)
        self._indices = _embedded_indices(split, count)
        self._kept: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        self.derives = bool(data.derive)
        self.description = f"embedded {data.embedded}: {len(self)} drawn pairs in {split}"

    def __len__(self) -> int:
        return len(self._indices)

    def stem(self, index: int) -> str:
        return f"{self._data.embedded}-{self._indices[index]:07d}"

    def read(self, index: int, side: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """See `PairSource.read`."""
        usual = self._data.resize_to or self._data.size
        if side not in (None, usual):
            return self._fitted(index, side)
        kept = self._kept.get(index)
        if kept is None:
            kept = self._fitted(index, usual)
            size = kept[0].nbytes + (0 if kept[0] is kept[1] else kept[1].nbytes)
            if (len(self._kept) + 1) * size <= self._data.cache_gib * 2**30:
                self._kept[index] = kept
        return kept

    def _fitted(self, index: int, side: int) -> tuple[np.ndarray, np.ndarray]:
        source, target = self._drawn(index, side)
        if not self.derives:
            return fit_pair(source, target, self._data, side)
        photo = fit_photo(target, self._data, side)
        return photo, photo

    def read_full(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """See `PairSource.read_full`; the own size of a drawing is the task's."""
        source, target = self._drawn(index, self._data.size)
        return derived_pair(target, self._data, self.stem(index)) if self.derives else (source, target)

    def _drawn(self, index: int, side: int) -> tuple[np.ndarray, np.ndarray]:
        source, target = self._draw(EMBEDDED_SEED, self._indices[index], min(side, LARGEST_DRAWING))
        if source.ndim == 2 and not self.derives:
            if source.max() >= len(self._colours):
                raise ValueError(
                    f"palette: {len(self._colours)} classes, but the embedded {self._data.embedded} have more"
                )
            source = self._colours[source]
        return source, target


def _embedded_indices(split: str, count: int | None) -> tuple[int, ...]:
    on_disk = "train" if split == "dev" else split
    offset = EMBEDDED_OFFSETS[on_disk]
    indices = range(offset, offset + (EMBEDDED_COUNTS[on_disk] if count is None else count))
    if on_disk != "train":
        return tuple(indices)
    held_out = dev_stems(str(index) for index in indices)
    return tuple(index for index in indices if (str(index) in held_out) == (split == "dev"))
