"""How a verb's figures are printed and read again: lines for people, or one JSON object for programs."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

Figures = Mapping[str, Any]


def command(verb: str, arguments: Sequence[str]) -> str:
    """The command as it was typed, to stand beside its figures."""
    return f"python -m pix2pix.benchmark {shlex.join([verb, *arguments])}"


def read_object(path: Path, writer: str) -> dict[str, Any]:
    """The JSON object in the file that the command `writer` wrote. Raises ValueError with one line for any other."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise ValueError(f"{path}: got no JSON object, expected a file that {writer} wrote")
    return content


def show(figures: Figures, lines: Callable[[Figures], list[str]], as_json: bool, typed: str) -> int:
    """Print `figures` of the command `typed` on standard output; 0, the status of a verb that went well."""
    print(json.dumps({**figures, "command": typed}) if as_json else "\n".join(lines(figures)))
    return 0
