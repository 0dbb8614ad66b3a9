"""Pairs and photos on disk: opened once, kept in memory where they fit, damaged files named and left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from tqdm import tqdm

from pix2pix.config import Data
from pix2pix.data.inputs import NATIVE_CROPS, derived_pair, fit_pair, fit_photo, fitted_size
from pix2pix.data.layouts import Pair, PairList
from pix2pix.images import ImageError, is_grey, picture_size, read_image
from pix2pix.representations import RAW_CHANNELS

Say = Callable[[str], None]

DECODING_THREADS = 2
NAMED_AT_MOST = 20


def load_pairs(pair_list: PairList, data: Data, say: Say, licence: str = "unknown") -> PairSet:
    """Open every pair or photo once: decoded and kept when all fit into `data.cache_gib`, else headers are checked.

    Pictures that cannot be read are named through `say` and left out.
    Raises ValueError when none can be read, and when two halves differ in size: the set is then another than was meant.
    """
    derives = pair_list.layout == "photos"
    fits = _bytes_in_all(pair_list.pairs, data, derives) <= data.cache_gib * 2**30

    def open_one(pair: Pair) -> tuple[np.ndarray, np.ndarray] | ImageError | None:
        try:
            if fits:
                return read_for_training(pair, data, derives, data.resize_to)
            check_header(pair, data, derives)
            return None
        except ImageError as error:
            return error

    with ThreadPoolExecutor(DECODING_THREADS) as pool:
        work = pool.map(open_one, pair_list.pairs)
        opened = list(tqdm(work, "reading pairs", len(pair_list.pairs), delay=2, leave=False, disable=None))
    bad = [str(result) for result in opened if isinstance(result, ImageError)]
    good = [pair for pair, result in zip(pair_list.pairs, opened, strict=True) if not isinstance(result, ImageError)]
    if not good:
        raise ValueError(f"{pair_list.root}: none of the {len(bad)} pairs in {pair_list.split} can be read; {bad[0]}")
    for line in bad[:NAMED_AT_MOST]:
        say(f"skipped: {line}")
    description = pair_list.description
    if bad:
        description += f"; {len(bad)} unreadable, skipped"
        say(f"skipped {len(bad)} of {len(opened)} pairs in {pair_list.split}")
    kept = [result for result in opened if isinstance(result, tuple)]
    return PairSet(good, data, kept, derives, description, licence, say)


def _bytes_in_all(pairs: Sequence[Pair], data: Data, derives: bool) -> float:
    """Of all pairs or photos decoded: the first that can be read tells what a pixel takes, the headers how many."""
    for pair in pairs:
        try:
            source, target = read_for_training(pair, data, derives, data.resize_to)
        except ImageError:
            continue
        one = target.nbytes if derives else source.nbytes + target.nbytes
        if data.resize_to is not None and not derives:
            return one * len(pairs)
        pixels = sum(_fitted_pixels(each, data) for each in pairs)
        return pixels * one / float(target.shape[0] * target.shape[1])
    return 0


def _fitted_pixels(pair: Pair, data: Data) -> int:
    try:
        width, height = picture_size(pair.target or pair.input)
    except ImageError:
        return 0
    fitted = fitted_size(height, width, data, data.resize_to)
    return fitted[0] * fitted[1]


def read_for_training(pair: Pair, data: Data, derives: bool, side: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Input and target as `PairSource.read` gives them. Raises the errors of `read_halves`."""
    if not derives:
        return fit_pair(*read_halves(pair, data), data, side)
    photo = _read_photo(pair, data, side or NATIVE_CROPS * data.size)
    if side is None and 2 * min(photo.shape[:2]) < data.size:
        size = f"{photo.shape[1]}x{photo.shape[0]} pixels"
        raise ImageError(f"{pair.input}: {size}, too small to learn from at a training size of {data.size}")
    photo = fit_photo(photo, data, side)
    return photo, photo


def _read_photo(pair: Pair, data: Data, enough: int | None = None) -> np.ndarray:
    """The photo of a pair whose input is derived. Raises ImageError also for a grey one, where colour is the target."""
    photo = _read(pair.input, data, data.target, data.target_channels, enough)
    if data.target == "lab_chroma" and is_grey(photo):
        raise ImageError(f"{pair.input}: a grey photo, which has no colour to learn or to be judged by")
    return photo


def _read(path: Path, data: Data, name: str, channels: int | None, enough: int | None = None) -> np.ndarray:
    """A picture for the representation `name`. Raises ImageError, and ValueError where a raw one has other channels."""
    picture = read_image(path, data.pixel_limit, all_pages=name == "raw", enough=enough)
    _check_channels(path, picture, name, channels)
    return picture


def _check_channels(path: Path, picture: np.ndarray, name: str, channels: int | None) -> None:
    count, expected = picture.shape[2], channels or RAW_CHANNELS
    if name == "raw" and count != expected:
        raise ValueError(
            f"{path}: {count} channels, expected {expected}; "
            "say how many with --data.input-channels and --data.target-channels"
        )


def read_halves(pair: Pair, data: Data) -> tuple[np.ndarray, np.ndarray]:
    """Input and target of a pair, each (H, W, C) as they are on disk.

    Raises ImageError when a file cannot be read, ValueError when the halves are not of one size.
    """
    picture = _read(pair.input, data, data.input, data.input_channels)
    if pair.target is None:
        middle = _middle(pair, picture.shape[1])
        _check_channels(pair.input, picture, data.target, data.target_channels)
        left, right = picture[:, :middle], picture[:, middle:]
        return (left, right) if data.input_side == "left" else (right, left)
    target = _read(pair.target, data, data.target, data.target_channels)
    _check_same(pair, (picture.shape[1], picture.shape[0]), (target.shape[1], target.shape[0]), data.scale)
    return picture, target


def check_header(pair: Pair, data: Data, derives: bool) -> None:
    """What `read_halves` checks, as far as the headers tell, without decoding a pixel. Raises the same errors."""
    size = picture_size(pair.input)
    if pair.target is not None:
        _check_same(pair, size, picture_size(pair.target), data.scale)
    elif not derives:
        _middle(pair, size[0])


def _middle(pair: Pair, width: int) -> int:
    if width % 2:
        raise ValueError(
            f"{pair.input}: {width} pixels wide, expected an even width: two pictures of one size side by side"
        )
    return width // 2


def _check_same(pair: Pair, one: tuple[int, int], other: tuple[int, int], scale: int) -> None:
    if (scale * one[0], scale * one[1]) != other:
        sizes = f"{one[0]}x{one[1]} and {other[0]}x{other[1]}"
        expected = "two pictures of one size" if scale == 1 else f"a target {scale} times as large"
        raise ValueError(f"{pair.input} and {pair.target} differ in size: {sizes}; expected {expected}")


class PairSet:
    """Pairs of pictures or photos on disk (a `PairSource`), in memory where `kept` holds them."""

    def __init__(
        self,
        pairs: Sequence[Pair],
        data: Data,
        kept: Sequence[tuple[np.ndarray, np.ndarray]],
        derives: bool,
        description: str,
        licence: str,
        say: Say,
    ) -> None:
        assert len(kept) in (0, len(pairs)), (len(kept), len(pairs))
        self._pairs, self._data, self._kept, self._say = tuple(pairs), data, tuple(kept), say
        self._named: set[str] = set()
        self.derives, self.description, self.licence = derives, description, licence

    def __len__(self) -> int:
        return len(self._pairs)

    def stem(self, index: int) -> str:
        return self._pairs[index].stem

    def read(self, index: int, side: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """See `PairSource.read`.

        In a set too large to be decoded at start a file may turn out damaged only here. It is named once, and the next
        pair takes its place: as repeatable as the files are. Raises ValueError when no file can be read any more.
        """
        if self._kept and side in (None, self._data.resize_to):
            return self._kept[index]
        for step in range(len(self)):
            pair = self._pairs[(index + step) % len(self)]
            try:
                return read_for_training(pair, self._data, self.derives, side or self._data.resize_to)
            except ImageError as error:
                if pair.stem not in self._named:
                    self._named.add(pair.stem)
                    self._say(f"skipped: {error}")
        raise ValueError(f"{self._pairs[0].input.parent}: none of the {len(self)} pairs can be read any more")

    def read_full(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """See `PairSource.read_full`. Raises ImageError, naming the file, where it cannot be read."""
        pair, data = self._pairs[index], self._data
        if not self.derives:
            return read_halves(pair, data)
        return derived_pair(_read_photo(pair, data), data, pair.stem)
