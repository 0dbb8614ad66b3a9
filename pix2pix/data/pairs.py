"""Paired pictures as trainings and evaluations see them: read from disk, kept in memory where they fit, or drawn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from pix2pix.config import Task
from pix2pix.data.conditions import check_scale, check_steps
from pix2pix.data.drawn_pairs import EmbeddedPairs
from pix2pix.data.layouts import check_split, find_pairs
from pix2pix.data.pair_files import load_pairs
from pix2pix.data.recipes import OfflineError, fetch

Say = Callable[[str], None]


class PairSource(Protocol):
    """Numbered pairs of one split; the same number is the same pair at every call, from any thread."""

    @property
    def description(self) -> str: ...

    @property
    def licence(self) -> str: ...

    @property
    def derives(self) -> bool:
        """Whether the inputs are yet to be derived from the targets, as the task says."""

    def __len__(self) -> int: ...

    def stem(self, index: int) -> str:
        """The name of the pair, for files made from it."""

    def read(self, index: int, side: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Input and target for training, each (H, W, C) uint8 or uint16; side: `data.resize_to` unless given.

        Pairs are squares of that side, or without one as large as they are; the input is normalised as the task says,
        label maps hold palette colours only. Where the set derives its inputs, both are the photo, its short side of
        that length. Not to be written to.
        """

    def read_full(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Input and target for evaluation, each (H, W, C) as they are: own size, nothing normalised.

        A derived input is always the same for the same name.
        """


def open_pairs(task: Task, split: str, say: Say) -> PairSource:
    """The pairs of `split` (train, dev, val or test) that a task is to be trained or evaluated on.

    `data.path` decides where it is given: a folder, or 'embedded'. Else `datasets/<task>` under the current folder is
    taken, downloaded first where it is not there; without a network or a source, the embedded pairs, and `say` is told.
    Raises ValueError with one line for everything that a user can put right.
    """
    check_split(split)
    check_steps(task)
    check_scale(task.data)
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
