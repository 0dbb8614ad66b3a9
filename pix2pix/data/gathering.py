"""All the pairs or photos that a folder holds, or two folders of inputs and targets together, whatever their splits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pix2pix.config import Data
from pix2pix.data.layouts import ON_DISK, Layout, Pair, find_pairs, find_places, match
from pix2pix.images import list_images


@dataclass(frozen=True)
class BadFile:
    """A file that is of no use, and why.

    `unmatched`: its partner is missing; `unreadable`: trainings skip it; `refused`: trainings stop at it.
    """

    path: Path
    reason: str
    kind: Literal["unmatched", "unreadable", "refused"]


@dataclass(frozen=True)
class Gathered:
    """The pairs of each split on disk (`dev` is a part of `train`), in the order of their names, none opened yet."""

    roots: tuple[Path, ...]
    layout: Layout
    splits: Mapping[str, tuple[Pair, ...]]
    bad: tuple[BadFile, ...] = ()

    def name(self, path: Path) -> str:
        """A file as people are told of it: below the one root, or with the whole of its path."""
        return path.relative_to(self.roots[0]).as_posix() if len(self.roots) == 1 else str(path)


def gather(roots: tuple[Path, ...], data: Data) -> Gathered:
    """What lies under one root, in any layout, or under a root of inputs and one of targets.

    Raises ValueError with one line for a folder that is missing or holds nothing of the kind, and, under one root, for
    a missing partner.
    """
    return _gather_two(*roots) if len(roots) == 2 else _gather_one(roots[0], data)


def _gather_one(root: Path, data: Data) -> Gathered:
    places = find_places(root, data) if root.is_dir() else {}
    if not places:
        find_pairs(root, "train", data)  # says what is wrong
    splits = {split: tuple(match(place)) for split, place in places.items()}
    return Gathered((root,), next(iter(places.values())).layout, splits)


def _gather_two(inputs: Path, targets: Path) -> Gathered:
    """Files of the same name without suffix, at the same place below the two folders.

    Folders `train`, `val` and `test` are splits, where there is nothing beside them.
    """
    bad: list[BadFile] = []
    found_inputs, found_targets = (_by_place(root, bad) for root in (inputs, targets))
    for here, there, folder in ((found_inputs, found_targets, targets), (found_targets, found_inputs, inputs)):
        lonely = [path for place, path in here.items() if place not in there]
        bad += [BadFile(path, f"no picture of that name in {folder}", "unmatched") for path in lonely]
    both = [place for place in found_inputs if place in found_targets]
    if not both:
        first, second = (next(iter(found.values())).name for found in (found_inputs, found_targets))
        raise ValueError(
            f"no picture in {inputs} has a partner in {targets}: the first ones are {first} and {second}; "
            "expected the same names, without their suffixes"
        )
    has_splits = all("/" in place and place.split("/")[0] in ON_DISK for place in both)
    splits: dict[str, list[Pair]] = {split: [] for split in ON_DISK}
    for place in both:
        split, _, stem = place.partition("/") if has_splits else ("train", "", place)
        splits[split].append(Pair(stem, found_inputs[place], found_targets[place]))
    held = {split: tuple(pairs) for split, pairs in splits.items() if pairs}
    return Gathered((inputs, targets), "folders", held, tuple(bad))


def _by_place(root: Path, bad: list[BadFile]) -> dict[str, Path]:
    """Pictures in a folder and below it by their path without suffix. Raises ValueError where there are none."""
    if not root.is_dir():
        raise ValueError(f"{root}: {'a file' if root.exists() else 'no such folder'}; expected a folder of pictures")
    found: dict[str, Path] = {}
    for path in list_images(root, recursive=True):
        place = path.relative_to(root).with_suffix("").as_posix()
        if place in found:
            bad.append(BadFile(path, f"{found[place].name} has the same name without its suffix", "refused"))
        else:
            found[place] = path
    if not found:
        raise ValueError(f"{root}: holds no pictures; expected two folders, of inputs and of targets")
    return found
