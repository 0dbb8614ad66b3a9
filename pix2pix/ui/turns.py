"""Who computes now and who waits: a few at a time, and no longer a queue than people care to wait in."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pix2pix.ui.limits import Busy
from pix2pix.ui.visitors import is_local

MOST_OF_ONE = 4  # requests of one visitor that wait or are computed
LOOK = 0.1  # seconds between two looks at whether someone who waits still wants to


class Cancelled(ValueError):
    """What waited for its turn is no longer wanted."""


class Turns:
    """At most `at_once` compute, at most `waiting` more wait for it; in the order in which they came.

    Of one visitor at most `of_one` do either, so that there is room for others; this machine itself may fill it.
    """

    def __init__(self, at_once: int, waiting: int, of_one: int = MOST_OF_ONE) -> None:
        self._at_once = at_once
        self._most_waiting = waiting
        self._most_of_one = of_one
        self._changed = threading.Condition()
        self._running = 0
        self._queue: list[object] = []
        self._of_visitor: Counter[str] = Counter()

    @property
    def waiting(self) -> int:
        """How many wait now."""
        return len(self._queue)

    @contextmanager
    def take(
        self, visitor: str, is_patient: bool = False, is_cancelled: Callable[[], bool] | None = None
    ) -> Iterator[None]:
        """Wait for a turn, which ends with the block.

        Raises Busy where too many wait, or too many of this visitor, unless `is_patient`; and Cancelled once
        `is_cancelled` says so.
        """
        me = object()
        with self._changed:
            if not is_patient:
                self._check_room(visitor)
            self._of_visitor[visitor] += 1
            self._queue.append(me)
        try:
            self._wait(me, is_cancelled)
            try:
                yield
            finally:
                with self._changed:
                    self._running -= 1
                    self._changed.notify_all()
        finally:
            with self._changed:
                self._of_visitor[visitor] -= 1
                if not self._of_visitor[visitor]:
                    del self._of_visitor[visitor]

    def _check_room(self, visitor: str) -> None:
        if not is_local(visitor) and self._of_visitor[visitor] >= self._most_of_one:
            are = "is" if self._most_of_one == 1 else "are"
            raise Busy(f"{self._most_of_one} of your requests {are} not done yet; wait for one of them")
        is_free = self._running < self._at_once and not self._queue
        if not is_free and len(self._queue) >= self._most_waiting:
            raise Busy(f"the server is busy, {len(self._queue)} requests are waiting; try again in a moment")

    def _wait(self, me: object, is_cancelled: Callable[[], bool] | None) -> None:
        def is_next() -> bool:
            return self._running < self._at_once and self._queue[0] is me

        with self._changed:
            try:
                while not self._changed.wait_for(is_next, None if is_cancelled is None else LOOK):
                    if is_cancelled is not None and is_cancelled():
                        raise Cancelled("it was cancelled")
                self._running += 1
            finally:
                self._queue.remove(me)
                self._changed.notify_all()
