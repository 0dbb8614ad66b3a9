"""Remove the temporary files that killed runs left among their outputs, and never those of a run that is alive.

A run holds a shared lock (flock) on one folder that all its outputs lie in or below; the system gives it back when the
process ends, however it ends. A folder is cleaned while its own lock and those of all folders above it are held alone.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows, where a file that a process has open cannot be removed
    fcntl = None

TEMPORARY = re.compile(r"\.[0-9a-f]{16}\.tmp")
"""The names of the files that `images.write_image` renames when they are complete."""


@contextlib.contextmanager
def in_use(folders: Iterable[Path]) -> Iterator[None]:
    """While entered, no other run cleans one of `folders`, which need not be there yet, or what is below them."""
    descriptor = None if fcntl is None else _open(_shared(folders))
    try:
        if descriptor is not None:
            _share(descriptor)
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _share(descriptor: int) -> None:
    for _ in range(50):  # another run that cleans does so in no time; who holds it longer is no run
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            time.sleep(0.1)
        except OSError:  # a network drive without locks, where nobody can clean either
            return


def _shared(folders: Iterable[Path]) -> Path:
    """The deepest folder there is that all of `folders` are, or will be, in."""
    shared = Path(os.path.commonpath([os.path.abspath(folder) for folder in folders]))
    return next(each for each in (shared, *shared.parents) if each.is_dir())


def remove_leftovers(folders: Iterable[Path]) -> int:
    """Remove what killed runs left directly in `folders`, where no run is at work; how many files that were.

    To be called before `in_use`: of its own process, too, a run that is alive keeps its files.
    """
    return sum(_remove_in(folder) for folder in folders)


def _remove_in(folder: Path) -> int:
    if not _leftovers(folder):  # the usual case, which costs one listing
        return 0
    place, removed = Path(os.path.abspath(folder)), 0
    with contextlib.ExitStack() as held:
        for each in (place, *place.parents) if fcntl is not None else ():
            descriptor = _open(each)
            if descriptor is None:
                continue
            held.callback(os.close, descriptor)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:  # in use, or a drive that cannot tell
                return 0
        for leftover in _leftovers(folder):
            with contextlib.suppress(OSError):
                leftover.unlink()
                removed += 1
    return removed


def _leftovers(folder: Path) -> list[Path]:
    try:
        return [folder / name for name in os.listdir(folder) if TEMPORARY.fullmatch(name)]
    except OSError:
        return []


def _open(folder: Path) -> int | None:
    try:
        return os.open(folder, os.O_RDONLY)
    except OSError:  # not there, or not ours to read: then no run of ours holds it
        return None
