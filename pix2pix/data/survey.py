"""What a set of pairs or photos holds: every picture opened once, and what is worth knowing of each kept."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from tqdm import tqdm

from pix2pix.config import Data
from pix2pix.data.conditions import nearest_class
from pix2pix.data.duplicates import Group, find_duplicates, small_version
from pix2pix.data.gathering import BadFile, Gathered
from pix2pix.data.layouts import Layout, Pair
from pix2pix.data.pair_files import check_header
from pix2pix.images import ImageError, read_image, to_rgb8

T = TypeVar("T")
R = TypeVar("R")

MOST_THREADS = 8  # each holds a picture in memory
FAR = 24.0  # in RGB levels; JPEG brings a fifth of the pixels of small label maps so far off
COUNTED = 1 << 20  # pixels of a label map that are counted; more would cost more than reading it


@dataclass(frozen=True)
class Seen:
    """One pair or photo that can be used. Sizes are (width, height) of its target; a photo has no input yet."""

    pair: Pair
    split: str
    size: tuple[int, int]
    input_kind: str | None
    target_kind: str
    content: bytes
    small: np.ndarray
    classes: np.ndarray | None
    """Pixels of each class, and last of those far from every palette colour, (K + 1,) int64; None without labels."""


@dataclass(frozen=True)
class Survey:
    """What can be used of a set, what cannot, and which pictures are duplicates, by their numbers in `seen`."""

    layout: Layout
    seen: tuple[Seen, ...]
    bad: tuple[BadFile, ...]
    duplicates: tuple[Group, ...]


def survey(gathered: Gathered, data: Data) -> Survey:
    """Open every picture, some at a time. One that cannot be used is named in `bad`, with the reason, never raised."""
    everything = [(split, pair) for split, pairs in gathered.splits.items() for pair in pairs]

    def look(item: tuple[str, Pair]) -> Seen | BadFile:
        try:
            return look_at(item[1], item[0], data, gathered.layout)
        except ImageError as error:
            return _bad(item[1], error, "unreadable")
        except ValueError as error:
            return _bad(item[1], error, "refused")

    results = in_threads(look, everything, "reading pictures")
    seen = tuple(result for result in results if isinstance(result, Seen))
    bad = tuple(result for result in results if isinstance(result, BadFile))
    groups = find_duplicates([each.content for each in seen], [each.small for each in seen])
    return Survey(gathered.layout, seen, gathered.bad + bad, tuple(groups))


def in_threads(work: Callable[[T], R], items: Sequence[T], title: str) -> list[R]:
    """`work` on every item, some at a time, with a progress bar; leaving early, as by Ctrl-C, begins no other item."""
    pool = ThreadPoolExecutor(min(MOST_THREADS, os.cpu_count() or 1))
    try:
        return list(tqdm(pool.map(work, items), title, len(items), delay=2, leave=False, disable=None))
    finally:
        pool.shutdown(cancel_futures=True)


def look_at(pair: Pair, split: str, data: Data, layout: Layout) -> Seen:
    """What there is to know of one pair or photo.

    Raises ImageError when a file cannot be read, ValueError when two halves do not fit together.
    """
    source, target = read_both(pair, data, layout)
    images = [target] if source is None else [source, target]
    digest = hashlib.blake2b(digest_size=16)
    for image in images:
        digest.update(f"{image.dtype} {image.shape}".encode())
        digest.update(np.ascontiguousarray(image).data)
    return Seen(
        pair,
        split,
        (target.shape[1], target.shape[0]),
        None if source is None else kind(source),
        kind(target),
        digest.digest(),
        small_version(target),
        _count_classes([image for image, labels in zip(images, _labels(source, data), strict=True) if labels], data),
    )


def read_both(pair: Pair, data: Data, layout: Layout) -> tuple[np.ndarray | None, np.ndarray]:
    """Input and target (H, W, C) as they are on disk; no input where it is yet to be derived. Raises as `look_at`."""
    if layout == "photos":
        return None, read_image(pair.input, data.pixel_limit, all_pages=data.target == "raw")
    picture = read_image(pair.input, data.pixel_limit, all_pages=data.input == "raw")
    if pair.target is not None:
        target = read_image(pair.target, data.pixel_limit, all_pages=data.target == "raw")
        check_header(pair, data, derives=False)
        return picture, target
    check_header(pair, data, derives=False)
    middle = picture.shape[1] // 2
    left, right = picture[:, :middle], picture[:, middle:]
    return (left, right) if data.input_side == "left" else (right, left)


def kind(image: np.ndarray) -> str:
    """(H, W, C) in words, as `8-bit colour`; grey in three equal channels is told apart from colour."""
    channels = image.shape[2]
    words = {1: "grey", 3: "colour", 4: "colour with transparency"}.get(channels, f"of {channels} channels")
    if (
        channels == 3
        and np.array_equal(image[:, :, 0], image[:, :, 1])
        and np.array_equal(image[:, :, 1], image[:, :, 2])
    ):
        words = "grey stored as colour"
    return f"{8 * image.dtype.itemsize}-bit {words}"


def _labels(source: np.ndarray | None, data: Data) -> list[bool]:
    """Which of input and target are label maps."""
    target_is = data.target == "labels_onehot"
    return [target_is] if source is None else [input_is_labels(data), target_is]


def input_is_labels(data: Data) -> bool:
    return data.input == "labels_onehot" or "palette" in data.normalise


def _count_classes(labels: Sequence[np.ndarray], data: Data) -> np.ndarray | None:
    if not labels or not data.palette:
        return None
    counts = np.zeros(len(data.palette) + 1, np.int64)
    for image in labels:
        step = int(np.ceil(np.sqrt(max(1.0, image.shape[0] * image.shape[1] / COUNTED))))
        classes, distances = nearest_class(to_rgb8(image[::step, ::step]), data.palette)
        far = distances > FAR**2
        counts[:-1] += np.bincount(classes[~far], minlength=len(data.palette))
        counts[-1] += int(far.sum())
    return counts


def _bad(pair: Pair, error: ValueError, kind: str) -> BadFile:
    """The file of the pair that the message names, and what it says of it."""
    message = str(error)
    path = pair.target if pair.target is not None and message.startswith(f"{pair.target}:") else pair.input
    reason = message.removeprefix(f"{path}: ").removeprefix(f"{path} ")
    return BadFile(path, reason, "unreadable" if kind == "unreadable" else "refused")
