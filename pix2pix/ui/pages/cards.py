"""The small pictures of tasks, as part of the page itself: a page with ten of them stays one request."""

from __future__ import annotations

import base64
from functools import cache
from pathlib import Path

CARDS = Path(__file__).parents[1] / "cards"


@cache
def card(name: str) -> str | None:
    """The picture of that task, input and output side by side, as a data URI; None where it has none."""
    path = CARDS / f"{name}.webp"
    if not path.is_file():
        return None
    return "data:image/webp;base64," + base64.b64encode(path.read_bytes()).decode("ascii")


def card_style(name: str) -> str:
    """CSS for a template of Gradio: the picture behind `.result-card`."""
    picture = card(name)
    return "" if picture is None else f".result-card {{ display: block; background-image: url('{picture}'); }}"
