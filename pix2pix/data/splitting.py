"""Which split each picture goes to: always the same for the same names, duplicates always together."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

# Another than that of `dev`: the order that chooses one split must not foretell the other.
SPLIT_SALT = "split"

# Shares where none are given.
VAL, TEST = 0.1, 0.0


def assign_splits(stems: Sequence[str], together: Iterable[Sequence[int]], val: float, test: float) -> list[str]:
    """`train`, `val` or `test` for each of the N stems; those numbered in one sequence of `together` stay together.

    The order of the hashes of the stems decides, so the choice is the same on every machine and for every order of the
    files. A share of N is rounded, and at least one picture where the share is not 0 and there are three; what
    belongs together and does not fit into the share goes to train.
    """
    assert val >= 0 and test >= 0 and val + test < 1, (val, test)  # noqa: PT018
    groups = [list(members) for members in together]
    grouped = {member for members in groups for member in members}
    groups += [[index] for index in range(len(stems)) if index not in grouped]
    groups.sort(key=lambda members: min(_rank(stems[member]) for member in members))
    splits = ["train"] * len(stems)
    room = {split: _count(len(stems), share) for split, share in (("val", val), ("test", test))}
    for members in groups:
        split = next((split for split, left in room.items() if len(members) <= left), "train")
        if split != "train":
            room[split] -= len(members)
            for member in members:
                splits[member] = split
    return splits


def _count(pictures: int, share: float) -> int:
    return max(1, round(pictures * share)) if share > 0 and pictures >= 3 else 0


def _rank(stem: str) -> bytes:
    return hashlib.sha256(f"{SPLIT_SALT}/{stem}".encode()).digest()
