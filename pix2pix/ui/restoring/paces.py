"""How long a search will take, at most: a guess by its pixels and steps, then what this server has measured."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from types import MappingProxyType

LEAST_PIXELS = 64 * 64  # of smaller pictures a step takes as long
MEGAPIXEL = 1e6
GUESSES: Mapping[str, float] = MappingProxyType(
    {"csgm": 20.0, "pgd": 60.0, "w": 6.0, "w+": 6.0, "tuned": 8.0, "untrained": 4.0, "patches": 60.0}
)
"""Seconds that a step takes for each million pixels, on two cores that do something else besides."""


class Paces:
    """Seconds a step and million pixels of each solver, as this server has needed last; safe to share."""

    def __init__(self) -> None:
        self._learned: dict[str, float] = {}
        self._lock = threading.Lock()

    def learn(self, solver: str, pixels: int, steps: int, seconds: float) -> None:
        """Note what a search took."""
        if steps:
            with self._lock:
                self._learned[solver] = seconds / steps / _megapixels(pixels)

    def seconds(self, solver: str, pixels: int, steps: int) -> float:
        """What a search of so many pixels and steps would take."""
        with self._lock:
            pace = self._learned.get(solver, GUESSES[solver])
        return pace * steps * _megapixels(pixels)


def _megapixels(pixels: int) -> float:
    return max(pixels, LEAST_PIXELS) / MEGAPIXEL
