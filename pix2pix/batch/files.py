"""Which pictures a command line names, and the names of the pictures made from them."""

from __future__ import annotations

import glob
import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pix2pix.images import IMAGE_SUFFIXES, list_images

OUTPUT_FOLDER = "translated"


@dataclass(frozen=True)
class Job:
    """One picture to translate, and the file of each output."""

    source: Path
    outputs: tuple[Path, ...]


def find_pictures(inputs: Iterable[str], out: Path | None = None) -> list[Path]:
    """The picture files that `inputs` name, each once, in their order: files, folders (what is directly inside), globs.

    A file named outright is taken whatever its suffix, and also when it is missing: reading it then says so. Folders of
    earlier outputs are left out: `out`, and a `translated` that is named together with what lies beside it, as the
    shell does for `pictures/*`.
    Raises ValueError when nothing is found, a glob matches nothing, or a folder cannot be listed.
    """
    inputs = list(inputs)
    named = [path for text in inputs for path in _expand(text)]
    places = {_identity(path if path.is_dir() else path.parent) for path in named}
    found: dict[str, Path] = {}
    for path in named:
        files = [path]
        if path.is_dir():
            is_earlier = path.name == OUTPUT_FOLDER and _identity(path.parent) in places
            is_out = out is not None and len(named) > 1 and _identity(path) == _identity(out)
            files = [] if is_earlier or is_out else list_images(path)
        for file in files:
            found.setdefault(_identity(file), file)
    if not found:
        where = f"no picture in {', '.join(inputs)}" if inputs else "no INPUT"
        raise ValueError(f"{where}; expected image files, folders that hold some, or globs")
    return list(found.values())


def _expand(text: str) -> list[Path]:
    """The paths that one word of the command line means. A file whose name looks like a glob is that file."""
    path = Path(text).expanduser()
    if path.exists() or not glob.has_magic(text):
        return [path]
    matches = [Path(match) for match in sorted(glob.glob(str(path), recursive=True))]
    matches = [match for match in matches if match.is_dir() or match.suffix.lower() in IMAGE_SUFFIXES]
    if not matches:
        raise ValueError(f"no picture matches '{text}'")
    return matches


def plan(
    pictures: Sequence[Path], out: Path | None = None, samples: int | None = None, suffix: str = ".png"
) -> list[Job]:
    """Where the outputs of each picture go: into `out`, or `translated/` beside it; `samples` outputs each, or one.

    An output keeps the stem of its picture. Where two would get one name, or an output the name of a picture, the names
    in question grow: stem_suffix, then parent_stem_suffix, then that and a number. Letters that differ in case only
    count as equal, since some file systems take them so.
    """
    taken = {_identity(picture).casefold() for picture in pictures}
    levels = [0] * len(pictures)
    while True:
        jobs = []
        for number, (picture, level) in enumerate(zip(pictures, levels, strict=True), start=1):
            folder = picture.parent / OUTPUT_FOLDER if out is None else out
            stem = _name(picture, number, level)
            endings = [""] if samples is None else [f"-{sample}" for sample in range(1, samples + 1)]
            jobs.append(Job(picture, tuple(folder / f"{stem}{ending}{suffix}" for ending in endings)))
        keys = [[_identity(output).casefold() for output in job.outputs] for job in jobs]
        uses = Counter(key for of_one in keys for key in of_one)
        unclear = [index for index, of_one in enumerate(keys) if any(uses[key] > 1 or key in taken for key in of_one)]
        if not unclear:
            return jobs
        for index in unclear:
            levels[index] += 1


def _name(picture: Path, number: int, level: int) -> str:
    """The stem of an output; a higher level is longer and less likely to be another's."""
    with_suffix = picture.stem + picture.suffix.lower().replace(".", "_")
    with_parent = f"{Path(_identity(picture)).parent.name}_{with_suffix}"
    if level < 3:
        return (picture.stem, with_suffix, with_parent)[level]
    return f"{with_parent}_{number}{'_' * (level - 3)}"


def check_writable(folder: Path) -> None:
    """Make `folder` and try to write into it. Raises ValueError saying why that fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except FileExistsError:
        raise ValueError(f"{folder}: a file, expected a folder to write into") from None
    except OSError as error:
        raise ValueError(f"{folder}: cannot be written: {error.strerror}; choose another folder") from None


def _identity(path: Path) -> str:
    # Links are not followed: a folder of links to one file holds as many pictures as it seems to.
    return os.path.abspath(path)
