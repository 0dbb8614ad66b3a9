"""The names and formats of the outputs: those of the pictures they are made from, and never the same twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image

from pix2pix.batch.files import OUTPUT_FOLDER, Found, identity, is_clip
from pix2pix.clips.writing import clip_suffix
from pix2pix.images import IMAGE_SUFFIXES

Format = Literal["png", "jpg", "webp", "tiff", "avif"]

SUFFIXES: dict[Format, tuple[str, ...]] = {
    "png": (".png",),
    "jpg": (".jpg", ".jpeg"),
    "webp": (".webp",),
    "tiff": (".tif", ".tiff"),
    "avif": (".avif",),
}
"""Of the formats that are written; the first one is what a new name gets."""

EXACT: tuple[Format, ...] = ("png", "tiff")
"""Formats that give every value back as it was, which label maps and raw bands need."""

_OTHER_NAMES: dict[str, Format] = {".jpe": "jpg", ".jfif": "jpg", ".mpo": "jpg"}
_BY_PILLOW_NAME: dict[str | None, Format] = {
    "JPEG": "jpg",
    "MPO": "jpg",
    "WEBP": "webp",
    "TIFF": "tiff",
    "AVIF": "avif",
}


@dataclass(frozen=True, slots=True)
class Job:
    """One picture to translate, and the file of each output."""

    source: Path
    outputs: tuple[Path, ...]


def exact_formats(suffix: str) -> list[Format]:
    """The formats that give values back as they were, where `suffix` is that of files which hold any of them."""
    return [name for name in EXACT if suffix in (*SUFFIXES[name], ".png")]


def output_suffix(picture: Path, chosen: Format | None, only: Collection[Format] = tuple(SUFFIXES)) -> str:
    """The suffix of the output of `picture`: of the format `chosen`, else of the picture's own where it is in `only`.

    Otherwise it is that of the first of `only`. A suffix of the right format stays as it is written. The format is what
    the suffix says; a file whose suffix says nothing is opened for it. A clip stays a clip.
    """
    if is_clip(picture):
        return clip_suffix(picture)
    own = next((name for name, suffixes in SUFFIXES.items() if picture.suffix.lower() in suffixes), None)
    if own is not None and own == (chosen or own) and own in only:
        return picture.suffix
    wanted = chosen or own or _OTHER_NAMES.get(picture.suffix.lower())
    if wanted is None and picture.suffix.lower() not in IMAGE_SUFFIXES:
        wanted = _read_format(picture)
    return SUFFIXES[wanted if wanted is not None and wanted in only else next(iter(only))][0]


def _read_format(picture: Path) -> Format | None:
    try:
        with Image.open(picture) as image:
            return _BY_PILLOW_NAME.get(image.format)
    except Exception:  # no picture, which reading it will say; damaged headers make readers raise nearly anything
        return None


def plan(
    pictures: Sequence[Found],
    out: Path | None = None,
    samples: int | None = None,
    suffix: Callable[[Path], str] = lambda picture: output_suffix(picture, None),
    reserved: Collection[Path] = (),
) -> list[Job]:
    """Where the outputs of each picture go: below `out`, or below `translated/` in its root; `samples` each, or one.

    Below it an output has the place and the stem that its picture has below its root. Where two would get one name, the
    one whose picture has that very name keeps it, if there is only one. The names of the others grow, as do those that
    an input or one of the `reserved` files has: stem_suffix, then parent_stem_suffix, then that and a number. Letters
    that differ in case only count as equal, since some file systems take them so.
    """
    taken = {identity(picture.path).casefold() for picture in pictures} | {identity(p).casefold() for p in reserved}
    endings = [""] if samples is None else [f"-{sample}" for sample in range(1, samples + 1)]
    folders = [
        (found.root / OUTPUT_FOLDER if out is None else out) / found.path.parent.relative_to(found.root)
        for found in pictures
    ]
    suffixes = [suffix(found.path) for found in pictures]
    levels = [0] * len(pictures)
    jobs: list[Job] = [Job(found.path, ()) for found in pictures]
    keys: list[list[str]] = [[] for _ in pictures]
    uses: Counter[str] = Counter()
    keepers: Counter[str] = Counter()  # how many pictures have the very name of that output
    unclear = list(range(len(pictures)))
    while unclear:
        for index in unclear:
            picture = pictures[index].path
            stem = _name(picture, index + 1, levels[index])
            outputs = tuple(folders[index] / f"{stem}{ending}{suffixes[index]}" for ending in endings)
            uses.subtract(keys[index])
            jobs[index], keys[index] = Job(picture, outputs), [identity(output).casefold() for output in outputs]
            uses.update(keys[index])
            if levels[index] == 0:
                keepers.update(key for key, output in zip(keys[index], outputs, strict=True) if keeps(picture, output))
        unclear = [
            index
            for index, (job, of_one) in enumerate(zip(jobs, keys, strict=True))
            if any(
                key in taken or (uses[key] > 1 and not (keeps(job.source, output) and keepers[key] == 1))
                for key, output in zip(of_one, job.outputs, strict=True)
            )
        ]
        for index in unclear:
            levels[index] += 1
    return jobs


def keeps(picture: Path, output: Path) -> bool:
    """Whether an output has the very name of its picture."""
    return picture.name == output.name


def _name(picture: Path, number: int, level: int) -> str:
    """The stem of an output; a higher level is longer and less likely to be another's."""
    if level == 0:
        return picture.stem
    with_suffix = picture.stem + picture.suffix.lower().replace(".", "_")
    with_parent = f"{Path(identity(picture)).parent.name}_{with_suffix}"
    if level < 3:
        return with_suffix if level == 1 else with_parent
    return f"{with_parent}_{number}{'_' * (level - 3)}"
