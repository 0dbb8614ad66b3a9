"""What nobody needs any more is let go, every few seconds: old files, idle models."""

from __future__ import annotations

import gc
import logging
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pix2pix.ui.folders import LOCK
from pix2pix.ui.limits import Limits

EVERY = 10.0  # seconds
UNFINISHED = 900.0  # seconds, after which an upload that was broken off is removed
AT_LEAST = 120.0  # seconds that any file stays
KEEPERS = ("pix2pix.hub", "pix2pix.priors.opened")  # of what models and priors are loaded
ROOM = 8  # uploads of the largest size that are to fit on the disk; with half of it they are refused


class Housekeeping:
    """A thread that runs each of `chores` every few seconds, from `start` until `stop`."""

    def __init__(self, chores: list[Callable[[], object]], every: float = EVERY) -> None:
        self._chores = chores
        self._every = every
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, once the chore in hand is done."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(self._every):
            for chore in self._chores:
                try:
                    chore()
                except Exception:  # a file that went away; the others are still to be done
                    logging.getLogger(__name__).exception("housekeeping")


def remove_old_files(folder: Path, limits: Limits, now: float | None = None) -> int:
    """Remove what was sent or made and has not been used for `keep_seconds`; how many files and folders there were.

    Where the disk has no room for more uploads, the oldest go first, and sooner.
    """
    now = time.time() if now is None else now
    entries = []
    for entry in os.scandir(folder):
        if entry.name != LOCK:
            with suppress(OSError):  # it has just gone, as an upload does from where it was received
                entries.append((entry.stat(follow_symlinks=False).st_mtime, entry))
    removed = 0
    for used, entry in sorted(entries, key=lambda each: each[0]):
        is_folder, age = entry.is_dir(follow_symlinks=False), now - used
        is_scarce = shutil.disk_usage(folder).free < ROOM * limits.upload_bytes
        if age <= (AT_LEAST if is_scarce else limits.keep_seconds if is_folder else UNFINISHED):
            continue
        if is_folder:
            shutil.rmtree(entry.path, ignore_errors=True)
        else:
            Path(entry.path).unlink(missing_ok=True)
        removed += 1
    return removed


def drop_idle_models(limits: Limits) -> int:
    """Let go of the models that nobody used for `idle_seconds`; how many there were."""
    dropped = 0
    for keeper in KEEPERS:
        drop = getattr(sys.modules.get(keeper), "drop_idle", None)  # not imported for this: without it is no model
        dropped += 0 if drop is None else drop(limits.idle_seconds)
    if dropped:
        gc.collect()
    return dropped
