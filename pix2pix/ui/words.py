"""Messages for visitors: one line, in which nothing of this machine's folders is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

_ASIDE = r"/(?:[\w-]{20,}/)?(?:(?:made|sent|mask|aside)/|unpacked/\d+/)?"
"""What lies between a folder of the server and a name that the visitor knows."""


def plain_words(message: str, folders: Iterable[Path]) -> str:
    """`message` in one line, without the paths of `folders` and what lies in them but for the file's name, and without
    advice that is for whoever runs the server."""
    for folder in sorted({str(each) for each in folders}, key=len, reverse=True):
        message = re.sub(re.escape(folder) + _ASIDE, "", message)
    return " ".join(message.split("; if you trust the file")[0].split())
