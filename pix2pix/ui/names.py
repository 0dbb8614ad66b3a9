"""Names that visitors give to files, made safe for any file system and any page."""

from __future__ import annotations

import unicodedata
from pathlib import Path

LONGEST = 120  # bytes of a stem; what is added to it still fits into the 255 of a file system
LONGEST_SUFFIX = 16
FORBIDDEN = frozenset('/\\:*?"<>|')


def safe_name(name: str) -> str:
    """`name` as one part of a path: its letters in any script, digits, most signs; never hidden, nor long."""
    shown = "".join(c for c in name if c not in FORBIDDEN and unicodedata.category(c)[0] != "C")
    shown = " ".join(shown.split()).lstrip(".-~ ")
    path = Path(shown or "file")
    suffix = path.suffix if len(path.suffix.encode()) <= LONGEST_SUFFIX else ""
    stem = path.name.removesuffix(suffix).encode("utf-8", "ignore")[:LONGEST].decode("utf-8", "ignore")
    return f"{stem.rstrip('. ') or 'file'}{suffix.rstrip('. ')}"
