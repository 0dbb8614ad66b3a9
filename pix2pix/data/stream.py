"""The endless, resumable stream of training examples, and its batches, made ahead in the background.

What lies at a position depends on the seed and the position alone: not on the batch size, the number of processes, or
where a run was interrupted.
"""

from __future__ import annotations

import os
import random
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch

from pix2pix.config import Data
from pix2pix.data.inputs import training_input
from pix2pix.data.pairs import PairSource
from pix2pix.images import center_crop
from pix2pix.representations import Representation

ORDER, AUGMENTATION, PREVIEW = 1, 2, 3  # keep the draws of the uses of a seed apart
WORKERS = 2  # what runs at once is mostly decoding; the rest holds Python's lock


class Batch(NamedTuple):
    """Inputs (N, C, S, S) and targets (N, C', S, S), float32 in [-1, 1], and their N positions in the stream."""

    source: torch.Tensor
    target: torch.Tensor
    positions: tuple[int, ...]


class Order:
    """Which of `count` examples stands at a position: every epoch runs through all of them in a new order."""

    def __init__(self, count: int, seed: int) -> None:
        self._count, self._seed = count, seed
        self._known: tuple[int, np.ndarray] = (-1, np.empty(0, np.int64))

    def __call__(self, position: int) -> int:
        epoch, place = divmod(position, self._count)
        known, order = self._known
        if known != epoch:
            order = np.random.default_rng((self._seed, ORDER, epoch)).permutation(self._count)
            self._known = epoch, order
        return int(order[place])


class Stream(Protocol):
    """Training examples by their position."""

    def make(self, positions: tuple[int, ...]) -> Batch:
        """The examples at `positions`, which may be none; from several threads at once."""
        ...


class TrainingStream:
    """Examples by position: every epoch runs through all pairs in a new order; crop and mirroring are drawn anew.

    Section 6.2 of arXiv 1611.07004: both sides are resized to `resize_to`, cropped to `size` at one place, and mirrored
    together in half of the cases. Where inputs are derived, each is derived anew from the cut photo. May be used from
    several threads.
    """

    def __init__(
        self, pairs: PairSource, data: Data, source: Representation, target: Representation, seed: int
    ) -> None:
        assert len(pairs) > 0, "a training needs pairs"
        self.size = data.size
        self.source, self.target = source, target
        self._pairs, self._data, self._seed = pairs, data, seed
        self._augment = _augmentation(data)
        self._lock = threading.Lock()
        self._order = Order(len(pairs), seed)

    def example(self, position: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Input (C, S, S) and target (C', S, S) at a position from 0 on, float32 in [-1, 1]."""
        assert position >= 0, position
        source, target = self._pairs.read(self.index(position))
        generator = np.random.default_rng((self._seed, AUGMENTATION, position))
        python = random.Random(int(generator.integers(2**63)))
        with self._lock:
            # Not `set_random_seed`: it gives every transform a generator of the same seed, and then the mirroring
            # follows the crop (measured: correlation -0.83 with its height). Here all draw from one, in turn.
            self._augment.set_random_state(generator, python)
            cut = self._augment(image=source, target=target)
        made = training_input(cut["image"], self._data, generator, self._pairs.derives)
        return self.source.encode(made), self.target.encode(cut["target"])

    def make(self, positions: tuple[int, ...]) -> Batch:
        """The examples at `positions`, a row each."""
        inputs = torch.empty(len(positions), self.source.channels, self.size, self.size)
        targets = torch.empty(len(positions), self.target.channels, self.size, self.size)
        for row, position in enumerate(positions):
            inputs[row], targets[row] = self.example(position)
        return Batch(inputs, targets, positions)

    def index(self, position: int) -> int:
        """Number of the pair at a position."""
        return self._order(position)


def _augmentation(data: Data) -> Any:
    # Before the import: albumentations asks a server for its newest version otherwise. Imported here because it takes
    # seconds, which whoever only evaluates should not pay.
    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
    import albumentations

    steps = [albumentations.RandomCrop(data.size, data.size)]
    if data.flip:
        steps.append(albumentations.HorizontalFlip(p=0.5))
    return albumentations.Compose(steps, additional_targets={"target": "image"})


def batches(
    stream: Stream, start: int, stop: int, batch: int, rank: int = 0, world: int = 1, prefetch: int = 2
) -> Iterator[Batch]:
    """The positions from `start` to `stop` (exclusive) in order, `batch` at a time over all `world` processes together.

    Process `rank` gets those positions of each batch with `position % world == rank`. The last batch may be smaller;
    every process gets the same number of batches, so a share of it may be empty (N = 0).
    `prefetch` batches are made ahead by threads, which end when the iterator is closed; their errors are raised here.
    Raises ValueError when the batch is too small to be shared.
    """
    if batch < world:
        raise ValueError(f"batch: got {batch}, expected at least one image for each of the {world} processes")
    assert 0 <= start <= stop, (start, stop)
    assert 0 <= rank < world, (rank, world)
    return _batches(stream, start, stop, batch, rank, world, prefetch)


def _batches(
    stream: Stream, start: int, stop: int, batch: int, rank: int, world: int, prefetch: int
) -> Iterator[Batch]:
    ahead: deque[Future[Batch]] = deque()
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="batches") as pool:
        try:
            for first in range(start, stop, batch):
                share = tuple(p for p in range(first, min(first + batch, stop)) if p % world == rank)
                ahead.append(pool.submit(stream.make, share))
                if len(ahead) > prefetch:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for future in ahead:
                future.cancel()


def fixed_examples(pairs: PairSource, data: Data, source: Representation, target: Representation, count: int) -> Batch:
    """Up to `count` pairs spread evenly over the set, always the same, for previews: whole, or where pictures are taken
    at their own size or shape the middle of them.

    `positions` holds the numbers of the pairs.
    """
    count = min(count, len(pairs))
    assert count > 0, count
    chosen = tuple(place * len(pairs) // count for place in range(count))
    plain = data.model_copy(update={"augment": ()})
    inputs, targets = [], []
    for index in chosen:
        read = pairs.read(index, data.size if data.resize_to else None)
        image, wanted = (center_crop(each, data.size) for each in read)
        made = training_input(image, plain, np.random.default_rng((PREVIEW, index)), pairs.derives)
        inputs.append(source.encode(made))
        targets.append(target.encode(wanted))
    return Batch(torch.stack(inputs), torch.stack(targets), chosen)
