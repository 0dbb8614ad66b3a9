"""What programs and pages send beside files: JSON values, checked for their type, told of by name where wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def file(name: str, value: Any) -> Path:
    """A file that was sent. Raises ValueError for anything else."""
    # The gate has let only files through that were sent here.
    path = value.get("path") if isinstance(value, dict) else None
    if not isinstance(path, str):
        raise ValueError(f"{name}: expected a file; upload it first, or use handle_file() of gradio_client")
    return Path(path)


def text(name: str, value: Any) -> str:
    """A text. Raises ValueError for anything else."""
    if not isinstance(value, str):
        raise ValueError(f"{name}: expected text, got {_shown(value)}")
    return value


def number(name: str, value: Any) -> float:
    """A number. Raises ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name}: expected a number, got {_shown(value)}")
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{name}: got {_shown(value)}..., which is too large") from None


def whole(name: str, value: Any) -> int:
    """A whole number, also as 7.0. Raises ValueError for anything else."""
    if not number(name, value).is_integer():
        raise ValueError(f"{name}: expected a whole number, got {_shown(value)}")
    return int(value)


def flag(name: str, value: Any) -> bool:
    """True or false. Raises ValueError for anything else."""
    if not isinstance(value, bool):
        raise ValueError(f"{name}: expected true or false, got {_shown(value)}")
    return value


def items(name: str, value: Any, most: int) -> list[Any]:
    """A list of at most `most`. Raises ValueError for anything else."""
    if not isinstance(value, list):
        raise ValueError(f"{name}: expected a list, got {_shown(value)}")
    if len(value) > most:
        raise ValueError(f"{name}: got {len(value)}, expected at most {most}")
    return value


def _shown(value: Any) -> str:
    return repr(value)[:40]
