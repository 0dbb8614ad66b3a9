"""The temporary folder of one server; what a server that was killed has left is removed by the next."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "pix2pix-"
LOCK = ".lock"


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A fresh folder, removed with the block, or else by the next one who asks for one of these."""
    parent = Path(tempfile.gettempdir()).resolve()
    remove_left_behind(parent)
    # Its name comes last, once it is locked: nobody takes it for one that was left.
    made = Path(tempfile.mkdtemp(prefix=f".{PREFIX}", dir=parent))
    with open(made / LOCK, "wb") as file:
        _lock(file.fileno())
        folder = made.rename(parent / made.name[1:])
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def remove_left_behind(parent: Path) -> int:
    """Remove the folders in `parent` whose servers have ended; how many there were. Others' are left alone."""
    removed = 0
    for entry in parent.glob(f"{PREFIX}*/{LOCK}"):
        folder = entry.parent
        with suppress(OSError):  # another one removes it, or its server runs
            if folder.is_symlink() or entry.is_symlink() or _is_others(folder):
                continue
            with open(entry, "rb") as file:
                _lock(file.fileno())
                shutil.rmtree(folder, ignore_errors=True)
                removed += not folder.exists()
    return removed


def _is_others(folder: Path) -> bool:
    return sys.platform != "win32" and folder.stat().st_uid != os.getuid()


def _lock(descriptor: int) -> None:
    """Hold a file until it is closed, by the end of the process at the latest. Raises OSError where another does."""
    if sys.platform == "win32":
        return  # what is open cannot be removed there
    import fcntl

    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
