"""How a verb's figures are printed: lines for people, or one JSON object for programs."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Figures = Mapping[str, Any]


def command(verb: str, arguments: Sequence[str]) -> str:
    """The command as it was typed, to stand beside its figures."""
    return f"python -m pix2pix.benchmark {shlex.join([verb, *arguments])}"


def show(figures: Figures, lines: Callable[[Figures], list[str]], as_json: bool, typed: str) -> int:
    """Print `figures` of the command `typed` on standard output; 0, the status of a verb that went well."""
    print(json.dumps({**figures, "command": typed}) if as_json else "\n".join(lines(figures)))
    return 0
