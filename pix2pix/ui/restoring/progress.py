"""How far a search is, noted by the thread that works on it, and whether its visitor wants it to end."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from pix2pix.ui.wishes import Result


@dataclass(frozen=True)
class Going:
    """A search under way: `step` of `steps` of picture `number` of `count`, for `seconds` so far.

    `left` are the seconds until all pictures are made, at most; None before that can be told. `misfit` is in levels of
    255. `preview` is a JPEG.
    """

    step: int
    steps: int
    number: int
    count: int
    seconds: float
    left: float | None
    misfit: float | None
    preview: bytes


@dataclass
class Progress:
    """Shared by the search and whoever shows it. Before it `has_begun` it waits for its turn."""

    has_begun: bool = False
    going: Going | None = None
    stop: threading.Event = field(default_factory=threading.Event)

    def tell(self, going: Going) -> None:
        """Note how far it is."""
        self.going = going


@dataclass(frozen=True)
class Found:
    """The pictures of a search, a line on how each was found, and the command that does the same."""

    result: Result
    lines: tuple[str, ...]
    command: str
