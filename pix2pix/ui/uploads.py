"""What visitors send in place of files: names of files that they sent before, and nothing else on this machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

GONE = "a file is no longer here, since they are kept for a while only; send it again"
NOT_SENT = "a file is none that was sent to this server; upload it first"


def sent_file(text: str | Path, folder: Path) -> Path:
    """The file that `text` names, one folder deep in `folder` or deeper, where what was sent lies and what was made.

    It counts as used, and is kept the longer. Raises ValueError for anything else, an address for instance.
    """
    try:
        path = Path(text).resolve()
    except (OSError, ValueError, RuntimeError):  # too long, a null byte, a loop of links
        raise ValueError(NOT_SENT) from None
    parts = path.relative_to(folder).parts if path.is_relative_to(folder) else ()
    if len(parts) < 2:
        raise ValueError(NOT_SENT)
    try:
        if not path.is_file():
            raise ValueError(GONE)
        os.utime(folder / parts[0])
    except OSError:
        raise ValueError(GONE) from None
    return path


def check_files(content: Any, folder: Path) -> Any:
    """JSON from a visitor with every file in it checked, as `sent_file` does, and every address of one left out.

    What a page or a client sends for a file is `{"path": ..., "url": ..., "meta": ...}`; Gradio would fetch a path that
    is an address, wherever it leads. Raises ValueError for a file that was not sent.
    """
    waiting = [content]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            if item.get("path") is not None:
                if not isinstance(item["path"], str):
                    raise ValueError(NOT_SENT)
                item["path"] = str(sent_file(item["path"], folder))
                item.pop("url", None)
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
    return content
