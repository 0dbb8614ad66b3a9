"""A data set written to disk from pictures that were looked at: train, val and test, in place only when it is whole.

Until then it lies under a hidden name beside its place, and the next try goes on with what is there. Pictures that stay
as they are become hard links where the file system has them, else copies; the originals are never written to.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pix2pix.config import Data
from pix2pix.data.conditions import normalise
from pix2pix.data.gathering import BadFile
from pix2pix.data.inputs import derived_pair
from pix2pix.data.layouts import Layout, Pair
from pix2pix.data.survey import Seen, in_threads, input_is_labels, look_at, read_both
from pix2pix.data.survey_report import REPORT_FILE, read_report, write_report
from pix2pix.images import resize, to_rgb, write_image
from pix2pix.representations import representations

Form = Literal["photos", "folders", "side_by_side"]
INPUT, TARGET = "input", "target"  # any task finds folders of these names


@dataclass(frozen=True)
class Plan:
    """How a set is to be written: from which layout in which form, large pictures shrunk to `short_side`."""

    data: Data
    layout: Layout
    form: Form
    short_side: int | None


class Building:
    """A set under construction: begun or gone on with here, then `write`, then `finish` or `discard`.

    `making` says what decides its content: what an earlier try with another one left is removed.
    Raises OSError where it cannot be written.
    """

    def __init__(self, out: Path, making: dict[str, Any]) -> None:
        self._out, self._folder, self._making = out, out.parent / f".{out.name}.preparing", making
        assert not (out.exists() and any(out.iterdir())), out
        if self._folder.exists() and (read_report(self._folder) or {}).get("made") != making:
            shutil.rmtree(self._folder)
        self._folder.mkdir(parents=True, exist_ok=True)
        write_report(self._folder, making, {})

    def write(self, seen: Sequence[Seen], plan: Plan) -> tuple[list[Seen], list[BadFile]]:
        """Write every pair into its split; those written, as they are there, and the files that could not be."""
        files = [tuple(self._folder / place for place in places) for places in _places(seen, plan)]
        for folder in {path.parent for paths in files for path in paths}:
            folder.mkdir(parents=True, exist_ok=True)

        def write_one(item: tuple[Seen, tuple[Path, ...]]) -> Seen | BadFile:
            one, paths = item
            try:
                if not all(path.exists() for path in paths):
                    _write(one, paths, plan)
                pair = Pair(paths[0].stem, paths[0], paths[1] if len(paths) == 2 else None)
                # What is as it was need not be opened once more.
                return replace(one, pair=pair) if _stays(one, plan) else look_at(pair, one.split, plan.data, plan.form)
            except ValueError as error:
                return BadFile(one.pair.input, str(error).removeprefix(f"{one.pair.input}: "), "refused")

        results = in_threads(write_one, list(zip(seen, files, strict=True)), "writing pictures")
        self._remove_others({path for paths in files for path in paths})
        written = [result for result in results if isinstance(result, Seen)]
        return written, [result for result in results if isinstance(result, BadFile)]

    def _remove_others(self, wanted: set[Path]) -> None:
        """What an earlier try wrote of pictures that are gone, or in another split by now."""
        for path in self._folder.rglob("*"):
            if path.is_file() and path not in wanted and path.name != REPORT_FILE:
                path.unlink()

    def finish(self, report: dict[str, Any]) -> None:
        """Put the set, and its report, in its place."""
        write_report(self._folder, self._making, report)
        with contextlib.suppress(FileNotFoundError):
            self._out.rmdir()  # an empty folder, which Windows would not replace
        self._folder.rename(self._out)

    def discard(self) -> None:
        """Remove what there is of it, for a set that nothing can be written of."""
        shutil.rmtree(self._folder, ignore_errors=True)


def _places(seen: Sequence[Seen], plan: Plan) -> list[tuple[str, ...]]:
    """Where in the set each pair goes: flat in its split, under names no two of which differ in their case only."""
    places: list[tuple[str, ...]] = []
    taken: set[tuple[str, str]] = set()
    for each in seen:
        wanted = each.pair.stem.replace("/", "_")
        name, number = wanted, 1
        while (each.split, name.casefold()) in taken:
            number += 1
            name = f"{wanted}_{number}"
        taken.add((each.split, name.casefold()))
        inputs, targets = _suffixes(each, plan)
        if plan.form == "folders":
            places.append((f"{each.split}/{INPUT}/{name}{inputs}", f"{each.split}/{TARGET}/{name}{targets}"))
        else:
            places.append((f"{each.split}/{name}{inputs}",))
    return places


def _suffixes(one: Seen, plan: Plan) -> tuple[str, str]:
    """Of the input, or of the one picture that holds all, and of the target."""
    if _stays(one, plan):
        return one.pair.input.suffix, (one.pair.target or one.pair.input).suffix
    if plan.form == "photos":
        # A photo stays as small as it was; quality 95 loses next to nothing.
        suffix = (
            one.pair.input.suffix if one.pair.input.suffix.lower() in (".jpg", ".jpeg") else _lossless(one.target_kind)
        )
        return suffix, suffix
    return _lossless(one.input_kind), _lossless(one.target_kind)


def _lossless(kind: str | None) -> str:
    return ".tif" if kind is not None and "channels" in kind else ".png"


def _stays(one: Seen, plan: Plan) -> bool:
    """Whether the files of a pair can be taken as they are."""
    return plan.form == plan.layout and (plan.short_side is None or min(one.size) <= plan.short_side)


def _write(one: Seen, paths: tuple[Path, ...], plan: Plan) -> None:
    """The files of one pair. Raises ValueError for a picture that cannot be read or does not do."""
    if _stays(one, plan):
        for path, origin in zip(paths, (one.pair.input, one.pair.target), strict=False):
            assert origin is not None
            _link_or_copy(origin, path)
        return
    source, target = read_both(one.pair, plan.data, plan.layout)
    source, target = _shrunk(source, target, plan)
    if plan.form == "photos":
        write_image(paths[0], target)
        return
    if source is None:
        source, target = derived_pair(target, plan.data, paths[0].stem)
    if plan.form == "folders":
        write_image(paths[0], source)
        write_image(paths[1], target)
    else:
        halves = (source, target) if plan.data.input_side == "left" else (target, source)
        write_image(paths[0], side_by_side(*halves))


def _link_or_copy(origin: Path, path: Path) -> None:
    """`path` appears whole or not at all."""
    if path.exists():
        return
    try:
        os.link(os.path.realpath(origin), path)
    except OSError:  # another disk, somebody else's file, a file system without links
        temporary = path.with_name(f".{path.name}.copying")
        shutil.copy2(origin, temporary)
        os.replace(temporary, path)


def _shrunk(source: np.ndarray | None, target: np.ndarray, plan: Plan) -> tuple[np.ndarray | None, np.ndarray]:
    """Both halves with the target's short side at the plan's where it is longer; label maps in palette colours."""
    data, (height, width) = plan.data, target.shape[:2]
    new_width, new_height = _fitted((width, height), plan)
    if (new_width, new_height) == (width, height):
        return source, target
    if representations(data)[1].is_opaque and target.shape[2] == 4:
        target = to_rgb(target)  # or what is invisible bleeds into its neighbours
    smaller = _resized(target, new_height, new_width, data, data.target == "labels_onehot")
    if source is None:
        return None, smaller
    return _resized(source, new_height // data.scale, new_width // data.scale, data, input_is_labels(data)), smaller


def _resized(image: np.ndarray, height: int, width: int, data: Data, labels: bool) -> np.ndarray:
    # Snapped first: a mixture of two labels that is alone in what is left of its neighbours is hard to tell.
    image = normalise(image, ("palette",), data.palette) if labels else image
    return resize(image, height, width, nearest=labels)


def _fitted(size: tuple[int, int], plan: Plan) -> tuple[int, int]:
    """(width, height) with the short side at the plan's where it is longer; both multiples of the task's scale then."""
    if plan.short_side is None or min(size) <= plan.short_side:
        return size
    factor, scale = plan.short_side / min(size), plan.data.scale
    width, height = (max(1, round(side * factor / scale)) * scale for side in size)
    return width, height


def side_by_side(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Two pictures (H, W, C) as one, (H, 2 W, C): as deep as the deeper, coloured or transparent where one of them is.

    Raises ValueError for channels that mean no colours, where the two differ in number.
    """
    if left.dtype != right.dtype:
        left, right = (image if image.dtype == np.uint16 else image.astype(np.uint16) * 257 for image in (left, right))
    channels = max(left.shape[2], right.shape[2])
    if left.shape[2] != right.shape[2] and not {left.shape[2], right.shape[2]} <= {1, 3, 4}:
        raise ValueError(f"{left.shape[2]} and {right.shape[2]} channels do not fit side by side; write two folders")
    return np.concatenate([_with_channels(left, channels), _with_channels(right, channels)], axis=1)


def _with_channels(image: np.ndarray, channels: int) -> np.ndarray:
    """(H, W, C) with 3 or 4 channels from 1 or 3: grey repeated, opaque."""
    if image.shape[2] == channels:
        return image
    rgb = to_rgb(image)
    opaque = np.full_like(rgb[:, :, :1], np.iinfo(rgb.dtype).max)
    return rgb if channels == 3 else np.concatenate([rgb, opaque], axis=2)
