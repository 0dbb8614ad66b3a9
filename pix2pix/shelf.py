"""Things that take long to make, kept by name: made once for all who want one, and dropped when long unused."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass
class _Place(Generic[T]):
    """Where one thing is, or will be: those that want it wait for each other, and for nothing else."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    thing: T | None = None
    used: float = 0.0


class Shelf(Generic[T]):
    """At most `most` things by key, those that were used last; safe to share between threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._places: dict[Hashable, _Place[T]] = {}
        self._changing = threading.Lock()

    def take(self, key: Hashable, make: Callable[[], T]) -> T:
        """What is kept under `key`, made first where nothing is; what `make` raises is raised, and nothing is kept."""
        with self._changing:
            place = self._places.pop(key, None) or _Place[T]()
            self._places[key] = place  # the last one used is the last one here
            while len(self._places) > self._most:
                del self._places[next(iter(self._places))]
        with place.lock:
            place.used = time.monotonic()
            if place.thing is None:
                place.thing = make()
            return place.thing

    def ready(self) -> list[T]:
        """All that is made, the one used last as the last."""
        with self._changing:
            return [place.thing for place in self._places.values() if place.thing is not None]

    def drop_idle(self, seconds: float) -> int:
        """Let go of what nobody asked for in so many seconds; how many there were."""
        now = time.monotonic()
        with self._changing:
            idle = [
                key for key, place in self._places.items() if place.thing is not None and now - place.used >= seconds
            ]
            for key in idle:
                del self._places[key]
        return len(idle)
