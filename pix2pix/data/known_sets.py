"""The data set that a task names: told of before it is downloaded, and refused where the disk cannot hold it."""

from __future__ import annotations

import http.client
import shutil
import urllib.request
from collections.abc import Callable
from pathlib import Path

from pix2pix.config import Task
from pix2pix.data.recipes import TIMEOUT_SECONDS, OfflineError, fetch

UNPACKED = 2.2  # the archive and what comes out of it; pictures hardly compress


def fetch_known(task: Task, root: Path, say: Callable[[str], None]) -> None:
    """Download the task's set to `root`, which is not there or empty, after `say` told address, terms and size.

    Raises ValueError with one line on what to do where the task names no set, the server gives nothing, or the disk is
    too full, and as `recipes.fetch` does.
    """
    source = task.data.source
    if source is None:
        raise ValueError(f"{task.name}: {root} is not there, and the task names no set to download; {instead(task)}")
    size = source.bytes if source.bytes is not None else told_size(source.url)
    say(f"address  {source.url}")
    say(f"terms    {source.licence}")
    say(f"size     {'not told by the server' if size is None else f'{size / 1e6:,.1f} MB'}, to {root}")
    root.parent.mkdir(parents=True, exist_ok=True)
    if size is not None and (free := shutil.disk_usage(root.parent).free) < UNPACKED * size:
        raise ValueError(
            f"{root.parent}: {free / 1e9:.1f} GB free, but archive and pictures take about "
            f"{UNPACKED * size / 1e9:.1f} GB; choose another disk with --out DIR"
        )
    if root.exists():
        root.rmdir()
    try:
        fetch(source, root.parent, root.name, say)
    except OfflineError as error:
        raise ValueError(f"{error}; {instead(task)}") from None


def instead(task: Task) -> str:
    """What can be done without a download."""
    kinds = "photos, or of pairs" if task.data.derive else "pairs"
    text = f"take your own with --from DIR, a folder of {kinds}"
    if task.data.embedded is not None:
        text += f"; or train on drawn pairs, which need no folder: pix2pix train --task {task.name} --data embedded"
    return text


def told_size(url: str) -> int | None:
    """The size of a file in bytes as its server tells it beforehand; None where it does not."""
    request = urllib.request.Request(url, method="HEAD")
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
            length = response.headers.get("Content-Length")
    except (OSError, http.client.HTTPException):  # the download itself will say what is wrong
        return None
    return int(length) if length is not None and length.isdigit() else None
