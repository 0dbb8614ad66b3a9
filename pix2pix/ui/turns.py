"""Who computes now and who waits: a few at a time, and no longer a queue than people care to wait in."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pix2pix.ui.limits import Busy


class Turns:
    """At most `at_once` compute, at most `waiting` more wait for it; in the order in which they came."""

    def __init__(self, at_once: int, waiting: int) -> None:
        self._at_once = at_once
        self._most_waiting = waiting
        self._changed = threading.Condition()
        self._running = 0
        self._queue: list[object] = []

    @property
    def waiting(self) -> int:
        """How many wait now."""
        return len(self._queue)

    @contextmanager
    def take(self, is_patient: bool = False) -> Iterator[None]:
        """Wait for a turn, which ends with the block. Raises Busy where too many wait, unless `is_patient`."""
        with self._changed:
            is_free = self._running < self._at_once and not self._queue
            if not is_patient and not is_free and len(self._queue) >= self._most_waiting:
                raise Busy(f"the server is busy, {len(self._queue)} requests are waiting; try again in a moment")
            me = object()
            self._queue.append(me)
            try:
                self._changed.wait_for(lambda: self._running < self._at_once and self._queue[0] is me)
                self._running += 1
            finally:
                self._queue.remove(me)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()
