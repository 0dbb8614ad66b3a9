"""Which pictures a command line names: files, folders, globs, and never the outputs of an earlier run."""

from __future__ import annotations

import contextlib
import glob
import os
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pix2pix.images import IMAGE_SUFFIXES, ImageError, list_images, picture_size

OUTPUT_FOLDER = "translated"
VIDEO_SUFFIXES: frozenset[str] = frozenset(
    {
        *(".mp4", ".mov", ".mkv", ".webm", ".m4v", ".avi", ".mpg", ".mpeg"),
        *(".ts", ".mts", ".wmv", ".flv", ".3gp"),
    }
)
"""Of clips, which are taken where they are named outright or by a glob; in folders they would take hours unasked."""


@dataclass(frozen=True, slots=True)
class Found:
    """A picture, and the folder below which its output has the same place as the picture itself."""

    path: Path
    root: Path


def find_pictures(
    inputs: Iterable[str], out: Path | None = None, recursive: bool = False, say: Callable[[str], None] = print
) -> list[Found]:
    """The picture files that `inputs` name, each once, in their order: files, folders, globs.

    Of a folder those directly inside, and `say` is told how many lie deeper; with `recursive` all of them, but for
    hidden folders and links to folders. A file named outright is taken whatever its suffix, clips too, and also when it
    is missing: reading it then says so. In folders, a file without any suffix counts when it begins as a picture does.
    Folders of earlier outputs are left out: `out`, every `translated` below a folder or `**`, and one that is named
    together with what lies beside it, as the shell does for `pictures/*`.
    Raises ValueError when nothing is found, a glob matches nothing, a folder cannot be listed, or is `out` itself.
    """
    inputs = list(inputs)
    named = [each for text in inputs for each in _expand(text)]
    places = {identity(path if path.is_dir() else path.parent) for path, _ in named}
    own = identity(out) if out is not None else None
    found: dict[str, Found] = {}
    for path, root in named:
        files = [path]
        if path.is_dir():
            if own == identity(path) and len(named) == 1:
                raise ValueError(f"{path}: both the inputs' folder and that of the outputs; give another --out")
            is_earlier = (path.name == OUTPUT_FOLDER and identity(path.parent) in places) or own == identity(path)
            files = [] if is_earlier else _pictures_in(path, recursive, own)
            if not is_earlier and not recursive and root is None and (deeper := _count_deeper(path, own)):
                say(f"{path}: {deeper} more picture{'s lie' if deeper > 1 else ' lies'} deeper; --recursive takes all")
            if not is_earlier and (clips := _count_clips(path, recursive, own)):
                say(f"{path}: {clips} clip{'s' if clips > 1 else ''} left out; a clip is taken when it is named itself")
        elif root is not None and own is not None and identity(path).startswith(own + os.sep):
            files = []
        for file in files:
            found.setdefault(identity(file), Found(file, root or (path if path.is_dir() else path.parent)))
    if not found:
        where = f"no picture in {', '.join(inputs)}" if inputs else "no INPUT"
        raise ValueError(f"{where}; expected image files, folders that hold some, or globs")
    return list(found.values())


def _expand(text: str) -> list[tuple[Path, Path | None]]:
    """The paths that one word of the command line means; those of a glob with `**` with the folder it starts from.

    A file whose name looks like a glob is that file.
    """
    path = Path(text)
    with contextlib.suppress(RuntimeError):  # nobody of that name: the file's own name begins so
        path = path.expanduser()
    if path.exists() or not glob.has_magic(text):
        return [(path, None)]
    matches = [Path(match) for match in sorted(glob.glob(str(path), recursive=True))]
    root = None
    if "**" in path.parts:
        fixed = next(index for index, part in enumerate(path.parts) if glob.has_magic(part))
        root = Path(*path.parts[:fixed])
        matches = [match for match in matches if OUTPUT_FOLDER not in match.relative_to(root).parts]
    known = IMAGE_SUFFIXES | VIDEO_SUFFIXES
    matches = [match for match in matches if match.suffix.lower() in known or match.is_dir()]
    if not matches:
        raise ValueError(f"no picture matches '{text}'")
    return [(match, root) for match in matches]


def _pictures_in(folder: Path, recursive: bool, out: str | None) -> list[Path]:
    pictures: list[Path] = []
    for place, names in _walk(folder, out, _refuse):
        pictures += list_images(place)
        pictures += [file for name in sorted(names) if "." not in name and _is_picture(file := place / name)]
        if not recursive:
            break
    return pictures


def _count_deeper(folder: Path, out: str | None) -> int:
    """How many pictures lie below `folder`, going by their names, those directly inside left out."""
    return sum(
        name[0] != "." and os.path.splitext(name)[1].lower() in IMAGE_SUFFIXES
        for place, names in _walk(folder, out)
        if place != folder
        for name in names
    )


def _count_clips(folder: Path, recursive: bool, out: str | None) -> int:
    return sum(
        is_clip(Path(name))
        for place, names in _walk(folder, out)
        if recursive or place == folder
        for name in names
        if name[0] != "."
    )


def _walk(
    folder: Path, out: str | None, refuse: Callable[[OSError], None] | None = None
) -> Iterator[tuple[Path, list[str]]]:
    """`folder` and the folders below it, each with its files' names; not what is hidden or holds earlier outputs."""
    for place, folders, names in os.walk(folder, onerror=refuse):
        shown = (name for name in sorted(folders) if name[0] != "." and name != OUTPUT_FOLDER)
        folders[:] = [name for name in shown if out is None or identity(Path(place, name)) != out]
        yield Path(place), names


def _refuse(error: OSError) -> None:
    raise ImageError(f"{error.filename}: cannot list the folder: {error.strerror}")


def _is_picture(file: Path) -> bool:
    try:
        return file.is_file() and min(picture_size(file)) > 0
    except ImageError:
        return False


def check_writable(folder: Path) -> None:
    """Make `folder` and try to write into it. Raises ValueError saying why that fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (FileExistsError, NotADirectoryError):
        raise ValueError(f"{folder}: a file, expected a folder to write into") from None
    except OSError as error:
        raise ValueError(f"{folder}: cannot be written: {error.strerror}; choose another folder") from None


def is_there(output: Path) -> bool:
    """Whether an output has been written; files of ours appear under their names when they are complete."""
    try:
        facts = output.stat()
        return stat.S_ISREG(facts.st_mode) and facts.st_size > 0
    except OSError:
        return False


def is_clip(path: Path) -> bool:
    """Whether a file is a clip, going by its name."""
    return path.suffix.lower() in VIDEO_SUFFIXES


def identity(path: Path) -> str:
    """Equal for two ways to write one path. Links are not followed: a folder of links to one file holds as many
    pictures as it seems to."""
    return os.path.abspath(path)
