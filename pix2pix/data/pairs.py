"""Paired pictures as trainings and evaluations see them: read from disk, kept in memory where they fit, or drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import numpy as np
from tqdm import tqdm

from pix2pix.config import Data, Task, nearest
from pix2pix.data.conditions import normalise
from pix2pix.data.embedded import DRAWERS, Drawer
from pix2pix.data.layouts import Pair, PairList, check_split, dev_stems, find_pairs, picture_size
from pix2pix.data.recipes import OfflineError, fetch
from pix2pix.images import ImageError, read_image, resize, to_rgb

Say = Callable[[str], None]

EMBEDDED_COUNTS = {"train": 2000, "val": 100, "test": 100}
EMBEDDED_OFFSETS = {"train": 0, "val": 1_000_000, "test": 2_000_000}
EMBEDDED_SEED = 0
LARGEST_DRAWING = 512
DECODING_THREADS = 2
NAMED_AT_MOST = 20


class PairSource(Protocol):
    """Numbered pairs of one split; the same number is the same pair at every call, from any thread."""

    @property
    def description(self) -> str: ...

    @property
    def licence(self) -> str: ...

    def __len__(self) -> int: ...

    def stem(self, index: int) -> str:
        """The name of the pair, for files made from it."""

    def read(self, index: int, side: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Input and target for training, each (side, side, C) uint8 or uint16; side: `data.resize_to` unless given.

        The input is normalised as the task says, label maps hold palette colours only. Not to be written to.
        """

    def read_full(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Input and target for evaluation, each (H, W, C) as they are: own size, nothing normalised."""


def open_pairs(task: Task, split: str, say: Say) -> PairSource:
    """The pairs of `split` (train, dev, val or test) that a task is to be trained or evaluated on.

    `data.path` decides where it is given: a folder, or 'embedded'. Else `datasets/<task>` under the current folder is
    taken, downloaded first where it is not there; without a network or a source, the embedded pairs, and `say` is told.
    Raises ValueError with one line for everything that a user can put right.
    """
    check_split(split)
    data, root = task.data, Path("datasets") / task.name
    licence = data.source.licence if data.source is not None else "unknown"
    if data.path == "embedded":
        return _say_what(EmbeddedPairs(data, split), say)
    if data.path is not None:
        root, licence = Path(data.path).expanduser(), "unknown"
    elif not root.exists():
        missing = _fetch_or_reason(task, root, say)
        if missing and data.embedded is None:
            raise ValueError(f"no data for {task.name}: {missing}; pass --data DIR, a folder of pairs")
        if missing:
            say(
                f"no real data: {missing}; taking the embedded pairs. For real data pass --data DIR or put it in {root}"
            )
            return _say_what(EmbeddedPairs(data, split), say)
    return _say_what(load_pairs(find_pairs(root, split, data), data, say, licence), say)


def _fetch_or_reason(task: Task, root: Path, say: Say) -> str | None:
    """Download to `root`; in words why not, when there is no source or no network."""
    if task.data.source is None:
        return f"{root} is not there and the task names no source"
    try:
        fetch(task.data.source, root.parent, root.name, say)
    except OfflineError as error:
        return str(error)
    return None


def _say_what(pairs: PairSource, say: Say) -> PairSource:
    say(f"data: {pairs.description}")
    return pairs


def load_pairs(pair_list: PairList, data: Data, say: Say, licence: str = "unknown") -> PairSet:
    """Open every pair once: decoded and kept when all fit into `data.cache_gib`, else only their headers are checked.

    Pictures that cannot be read are named through `say` and left out.
    Raises ValueError when none can be read, and when two halves differ in size: the set is then another than was meant.
    """
    fits = len(pair_list.pairs) * _bytes_per_pair(pair_list.pairs, data) <= data.cache_gib * 2**30

    def open_one(pair: Pair) -> tuple[np.ndarray, np.ndarray] | ImageError | None:
        try:
            if fits:
                return prepare(*read_halves(pair, data), data, data.resize_to)
            check_header(pair)
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
    return PairSet(good, data, [result for result in opened if isinstance(result, tuple)], description, licence, say)


def _bytes_per_pair(pairs: Sequence[Pair], data: Data) -> int:
    """Of the first pair that can be read; a set holds pictures of one kind."""
    for pair in pairs:
        try:
            return sum(side.nbytes for side in prepare(*read_halves(pair, data), data, data.resize_to))
        except ImageError:
            continue
    return 0


def read_halves(pair: Pair, data: Data) -> tuple[np.ndarray, np.ndarray]:
    """Input and target of a pair, each (H, W, C) as they are on disk.

    Raises ImageError when a file cannot be read, ValueError when the halves are not of one size.
    """
    picture = read_image(pair.input, data.pixel_limit)
    if pair.target is None:
        middle = _middle(pair, picture.shape[1])
        left, right = picture[:, :middle], picture[:, middle:]
        return (left, right) if data.input_side == "left" else (right, left)
    target = read_image(pair.target, data.pixel_limit)
    _check_same(pair, (picture.shape[1], picture.shape[0]), (target.shape[1], target.shape[0]))
    return picture, target


def check_header(pair: Pair) -> None:
    """What `read_halves` checks, as far as the headers tell, without decoding a pixel. Raises the same errors."""
    size = picture_size(pair.input)
    if pair.target is None:
        _middle(pair, size[0])
    else:
        _check_same(pair, size, picture_size(pair.target))


def _middle(pair: Pair, width: int) -> int:
    if width % 2:
        raise ValueError(
            f"{pair.input}: {width} pixels wide, expected an even width: two pictures of one size side by side"
        )
    return width // 2


def _check_same(pair: Pair, one: tuple[int, int], other: tuple[int, int]) -> None:
    if one != other:
        sizes = f"{one[0]}x{one[1]} and {other[0]}x{other[1]}"
        raise ValueError(f"{pair.input} and {pair.target} differ in size: {sizes}; expected two pictures of one size")


def prepare(source: np.ndarray, target: np.ndarray, data: Data, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Input and target (H, W, C), normalised and resized to (side, side, C).

    Label maps are snapped to the palette before they are resized, and then by nearest: no colour between two classes
    ever comes up.
    """
    source = normalise(source, data.normalise, data.palette)
    if data.target == "labels_onehot":
        target = normalise(target, ("palette",), data.palette)
    source_is_labels = data.input == "labels_onehot" or "palette" in data.normalise
    return _to_square(source, side, source_is_labels), _to_square(target, side, data.target == "labels_onehot")


def _to_square(image: np.ndarray, side: int, nearest_pixel: bool) -> np.ndarray:
    # Without transparency first: what is invisible must not bleed into its neighbours.
    opaque = to_rgb(image) if image.shape[2] == 4 else image
    resized = resize(opaque, side, side, nearest_pixel)
    return resized.copy() if resized.base is not None else resized  # a view would keep the whole picture in memory


class PairSet:
    """Pairs of pictures on disk (a `PairSource`), in memory where `kept` holds them."""

    def __init__(
        self,
        pairs: Sequence[Pair],
        data: Data,
        kept: Sequence[tuple[np.ndarray, np.ndarray]],
        description: str,
        licence: str,
        say: Say,
    ) -> None:
        assert len(kept) in (0, len(pairs)), (len(kept), len(pairs))
        self._pairs, self._data, self._kept, self._say = tuple(pairs), data, tuple(kept), say
        self._named: set[str] = set()
        self.description, self.licence = description, licence

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
                return prepare(*read_halves(pair, self._data), self._data, side or self._data.resize_to)
            except ImageError as error:
                if pair.stem not in self._named:
                    self._named.add(pair.stem)
                    self._say(f"skipped: {error}")
        raise ValueError(f"{self._pairs[0].input.parent}: none of the {len(self)} pairs can be read any more")

    def read_full(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """See `PairSource.read_full`. Raises ImageError, naming the file, where it cannot be read."""
        return read_halves(self._pairs[index], self._data)


class EmbeddedPairs:
    """Pairs drawn from a seed (a `PairSource`), kept as drawn as far as `data.cache_gib` goes.

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
        self.description = f"embedded {data.embedded}: {len(self)} drawn pairs in {split}"

    def __len__(self) -> int:
        return len(self._indices)

    def stem(self, index: int) -> str:
        return f"{self._data.embedded}-{self._indices[index]:07d}"

    def read(self, index: int, side: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """See `PairSource.read`."""
        if side not in (None, self._data.resize_to):
            return prepare(*self._drawn(index, side), self._data, side)
        kept = self._kept.get(index)
        if kept is None:
            kept = prepare(*self._drawn(index, self._data.resize_to), self._data, self._data.resize_to)
            if (len(self._kept) + 1) * (kept[0].nbytes + kept[1].nbytes) <= self._data.cache_gib * 2**30:
                self._kept[index] = kept
        return kept

    def read_full(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """See `PairSource.read_full`; the own size of a drawing is the task's."""
        return self._drawn(index, self._data.size)

    def _drawn(self, index: int, side: int) -> tuple[np.ndarray, np.ndarray]:
        source, target = self._draw(EMBEDDED_SEED, self._indices[index], min(side, LARGEST_DRAWING))
        if source.ndim == 2:
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
