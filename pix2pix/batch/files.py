"""Which pictures a command line names, and the names of the pictures made from them."""

from __future__ import annotations

import contextlib
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
    """One picture to translate: its file, and the output's folder and stem."""

    source: Path
    folder: Path
    stem: str

    def output(self, sample: int | None = None) -> Path:
        """The output's file; `sample` counts from 1."""
        return self.folder / (f"{self.stem}.png" if sample is None else f"{self.stem}-{sample}.png")


def find_pictures(inputs: Iterable[str], out: Path | None = None) -> list[Path]:
    """The picture files that `inputs` name, each once, in their order: files, folders (what is directly inside), globs.

    A file named outright is taken whatever its suffix is, and also when it is missing: reading it then says so. Folders
    that hold earlier outputs are left out: `out`, and a `translated` that comes together with what lies beside it, as
    `pictures/*` brings it.
    Raises ValueError when there is none, or a folder cannot be listed.
    """
    names = list(inputs)
    named = [path for name in names for path in _expand(name)]
    files = [path for path in named if not path.is_dir()]
    folders = [path for path in named if path.is_dir()]
    beside = {_identity(path.parent) for path in files} | {_identity(path) for path in folders}
    for path in named:
        if not path.is_dir():
            continue
        own = path.name == OUTPUT_FOLDER and _identity(path.parent) in beside
        if own or (out is not None and len(named) > 1 and _identity(path) == _identity(out)):
            folders.remove(path)
    found = {_identity(path): path for path in files}
    by_folder = {folder: list_images(folder) for folder in folders}
    ordered = [file for path in named for file in ([path] if path in files else by_folder.get(path, []))]
    found = {_identity(path): path for path in reversed(ordered)}
    pictures = [path for path in dict.fromkeys(ordered) if found[_identity(path)] == path]
    if not pictures:
        raise ValueError(f"no pictures in {', '.join(names) or 'the command'}; expected image files, folders or globs")
    return pictures
