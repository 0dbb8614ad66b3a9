"""Finding the pairs of a data set on disk: how it is laid out, which files belong together, and which split each is in.

Three layouts, looked for in this order when the task says `layout: auto`:

- `folders`: inputs and targets in folders of their own, matched by stem: `train/labels` + `train/photos`,
  `labels/train` + `photos/train`, `trainA` + `trainB`, or `labels` + `photos` alone, which is all `train`. Folder names
  are tried in this order: the task's own, input + target, A + B, labels + photos. A is the input, or B where the task's
  input side is right.
- `side_by_side`: both halves in one picture, in `train/`, `val/`, `test/`, or in the root itself, which is all `train`.
- `photos`: where the task derives its inputs, photos in the same places, or in folders below them. Pictures that are
  all twice as wide as high are taken for pairs side by side.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pix2pix.config import Data
from pix2pix.images import ImageError, list_images, picture_size
from pix2pix.schema import nearest

SPLITS = ("train", "dev", "val", "test")
ON_DISK = ("train", "val", "test")

# Part of the data, not of a run: another seed would show earlier models' `dev` to their training.
DEV_SALT = "dev"
DEV_SHARE = 10

LOOKED_AT = 50  # pictures whose shape tells photos from pairs side by side

Layout = Literal["side_by_side", "folders", "photos"]


@dataclass(frozen=True)
class Pair:
    """One pair on disk. `target` is None where the picture `input` holds all of it: both halves, or the photo."""

    stem: str
    input: Path
    target: Path | None


@dataclass(frozen=True)
class PairList:
    """The pairs of one split, in the order of their names, and one line in words on what they are."""

    root: Path
    layout: Layout
    split: str
    pairs: tuple[Pair, ...]
    description: str


@dataclass(frozen=True)
class Place:
    """Where one split lies: one folder of side-by-side pictures or photos, or one of inputs and one of targets."""

    layout: Layout
    input: Path
    target: Path | None = None


def find_pairs(root: Path, split: str, data: Data) -> PairList:
    """The pairs of `split` (train, dev, val or test) under the folder `root`.

    `dev` is a fixed tenth of the training pictures, chosen by their stems alone; `train` is the other nine tenths.
    Only names are looked at here: `pairs.load_pairs` opens the pictures.

    Raises ValueError with one line: no such folder, no pairs in it, no such split, a partner missing.
    """
    check_split(split)
    if not root.is_dir():
        raise ValueError(f"{root}: {'a file' if root.exists() else 'no such folder'}; expected a folder of pairs")
    places = find_places(root, data)
    if not places:
        raise ValueError(_nothing_found(root, data))
    on_disk = "train" if split == "dev" else split
    if on_disk not in places:
        there = [name for name in SPLITS if name in places or (name == "dev" and "train" in places)]
        raise ValueError(f"{root}: no split '{split}'; there are: {', '.join(there)}")
    pairs = match(places[on_disk])
    if on_disk == "train":
        held_out = dev_stems(pair.stem for pair in pairs)
        pairs = [pair for pair in pairs if (pair.stem in held_out) == (split == "dev")]
        if not pairs:
            raise ValueError(f"{root}: the one pair in train leaves none for dev; expected at least 2")
    layout = places[on_disk].layout
    return PairList(root, layout, split, tuple(pairs), _describe(root, split, pairs, places, data))


def check_split(split: str) -> None:
    """Raises ValueError, with the nearest name, when there is no such split."""
    if split not in SPLITS:
        raise ValueError(f"unknown split '{split}'; {nearest(split, SPLITS)}")


def dev_stems(stems: Iterable[str]) -> frozenset[str]:
    """The tenth of the training stems that is kept for `dev`; at least one when there are two.

    The order of the hashes decides: the choice is the same on every machine, and pairs added later hardly change it.
    """
    ordered = sorted(stems, key=lambda stem: hashlib.sha256(f"{DEV_SALT}/{stem}".encode()).digest())
    count = max(1, len(ordered) // DEV_SHARE) if len(ordered) >= 2 else 0
    return frozenset(ordered[:count])


def _folder_names(data: Data) -> list[tuple[str, str]]:
    a_and_b = ("B", "A") if data.input_side == "right" else ("A", "B")
    names = [(data.input_folder, data.target_folder), ("input", "target"), a_and_b, ("labels", "photos")]
    return list(dict.fromkeys(names))


def find_places(root: Path, data: Data) -> dict[str, Place]:
    """Where each split on disk lies under the folder `root`; empty where there is nothing of the kind."""
    if data.layout in ("auto", "folders"):
        places = _folder_places(root, data)
        if places or data.layout == "folders":
            return places
    photos = _picture_places(root, "photos") if data.derive and data.layout != "side_by_side" else {}
    pairs = _picture_places(root, "side_by_side") if data.layout != "photos" and data.scale == 1 else {}
    return photos if photos and not (pairs and _are_side_by_side(photos)) else pairs


def _picture_places(root: Path, layout: Layout) -> dict[str, Place]:
    deep = layout == "photos"
    places = {split: Place(layout, root / split) for split in ON_DISK if _holds_pictures(root / split, deep)}
    whole = {"train": Place(layout, root)} if _holds_pictures(root, deep) else {}
    if "train" in places or not whole:
        return places
    # Without `train`, a folder called `test` may be one album of many.
    in_splits = sum(map(_count, places.values()))
    outside = _count(whole["train"]) - (in_splits if deep else 0)
    return whole if outside > in_splits else places


def _are_side_by_side(places: Mapping[str, Place]) -> bool:
    """Whether all pictures, of the first ones that can be read, are twice as wide as high, and none lies deeper."""
    shapes = []
    for place in places.values():
        pictures = list_images(place.input, recursive=True)
        if any(path.parent != place.input for path in pictures):
            return False
        for path in pictures[:LOOKED_AT]:
            try:
                width, height = picture_size(path)
            except ImageError:
                continue
            shapes.append(width == 2 * height)
    return bool(shapes) and all(shapes)


def _folder_places(root: Path, data: Data) -> dict[str, Place]:
    for names in _folder_names(data):
        for form in ("{split}/{name}", "{name}/{split}", "{split}{name}"):
            found = {}
            for split in ON_DISK:
                source, target = (root / form.format(split=split, name=name) for name in names)
                if _holds_pictures(source) or _holds_pictures(target):
                    found[split] = Place("folders", source, target)
            if found:
                return found
        source, target = (root / name for name in names)
        if _holds_pictures(source) and _holds_pictures(target):
            return {"train": Place("folders", source, target)}
    return {}


def _holds_pictures(folder: Path, deep: bool = False) -> bool:
    return folder.is_dir() and bool(list_images(folder, deep))


def match(place: Place) -> list[Pair]:
    """The pairs that lie there, in the order of their names. Raises ValueError where a partner is missing."""
    if place.layout == "photos":
        return _photos(place.input)
    if place.target is None:
        return [Pair(stem, path, None) for stem, path in _by_stem(place.input).items()]
    inputs, targets = _by_stem(place.input), _by_stem(place.target)
    for here, there, folder in ((inputs, targets, place.target), (targets, inputs, place.input)):
        lonely = [path for stem, path in here.items() if stem not in there]
        if lonely:
            others = f" (and {len(lonely) - 1} more)" if len(lonely) > 1 else ""
            raise ValueError(
                f"a pair whose partner is missing: {lonely[0]} has no picture of that name in {folder}{others}"
            )
    return [Pair(stem, path, targets[stem]) for stem, path in inputs.items()]


def _photos(folder: Path) -> list[Pair]:
    """Named by their place below the folder, without suffix where no other has that name."""
    found: dict[str, Path] = {}
    for path in list_images(folder, recursive=True):
        name = path.relative_to(folder)
        stem = name.with_suffix("").as_posix()
        found[name.as_posix() if stem in found else stem] = path
    return [Pair(stem, path, None) for stem, path in found.items()]


def _by_stem(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in list_images(folder) if folder.is_dir() else []:
        if path.stem in found:
            raise ValueError(
                f"{folder}: {found[path.stem].name} and {path.name} have the same stem; expected one picture a stem"
            )
        found[path.stem] = path
    return found


def _nothing_found(root: Path, data: Data) -> str:
    """One line: what was looked for, and what the folder holds instead."""
    looked_for = []
    if data.layout in ("auto", "folders"):
        looked_for.append(
            f"folders {' or '.join(f'{a} + {b}' for a, b in _folder_names(data))} (in train/, or holding train/)"
        )
    if data.layout in ("auto", "side_by_side"):
        looked_for.append("side-by-side pictures in train/ or in the folder itself")
    if data.derive and data.layout in ("auto", "photos"):
        looked_for.append("photos in train/ or in the folder itself, and below")
    held = sorted(
        f"{path.name}/" if path.is_dir() else path.name for path in root.iterdir() if not path.name.startswith(".")
    )
    holds = ", ".join(held[:6]) + (f" and {len(held) - 6} more" if len(held) > 6 else "") if held else "nothing"
    return f"{root}: no pairs found; looked for {'; '.join(looked_for)}; the folder holds {holds}"


def _describe(root: Path, split: str, pairs: list[Pair], places: Mapping[str, Place], data: Data) -> str:
    """E.g. `facades: 360 side-by-side pairs (512x256) in train, 40 in dev, 100 in val; input right, ...`."""
    place = places["train" if split == "dev" else split]
    counts = {name: _count(each) for name, each in places.items()}
    if "train" in counts:
        held_out = max(1, counts["train"] // DEV_SHARE) if counts["train"] >= 2 else 0
        counts["dev"], counts["train"] = held_out, counts["train"] - held_out
    others = "".join(f", {counts[name]} in {name}" for name in SPLITS if counts.get(name) and name != split)
    size = _first_size(pairs)
    kind = {"side_by_side": "side-by-side pairs", "folders": "pairs", "photos": "photos"}[place.layout]
    where = {
        "side_by_side": f"input {data.input_side}",
        "folders": f"input in {os.path.relpath(pairs[0].input.parent, root)}",
        "photos": f"inputs derived: {', '.join(data.derive)}",
    }[place.layout]
    pixels = f" ({size[0]}x{size[1]})" if size else ""
    line = f"{root.resolve().name}: {len(pairs)} {kind}{pixels} in {split}{others}; {where}"
    if "palette" in data.normalise or "labels_onehot" in (data.input, data.target):
        line += f", labels snapped to {len(data.palette)} classes"
    if size and data.scale == 1 and min(size[0] // (2 if place.layout == "side_by_side" else 1), size[1]) < data.size:
        line += f", enlarged to {data.size}{'' if place.layout == 'photos' else f'x{data.size}'}"
    return line


def _count(place: Place) -> int:
    return len(list_images(place.input, place.layout == "photos")) if place.input.is_dir() else 0


def _first_size(pairs: list[Pair]) -> tuple[int, int] | None:
    for pair in pairs:
        try:
            return picture_size(pair.input)
        except ImageError:
            continue
    return None
