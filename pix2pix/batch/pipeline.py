"""Work on many things at once and tell of it in their order."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")


def in_order(work: Callable[[T], None], items: Iterable[T], workers: int) -> Iterator[tuple[T, ValueError | None]]:
    """`work` on each item in `workers` threads; each item in order with the ValueError it ended in, or None.

    Each thread computes with one of torch's threads, which have enough to do beside each other.
    At most twice as many items as workers are begun and not yet told of. Any other exception, and leaving early as with
    Ctrl-C, ends the work: what has been begun is finished, nothing else is started.
    """
    from pix2pix.batch.lanes import pool_of  # torch takes a second, which --help need not wait for

    waiting: deque[tuple[T, Future[None]]] = deque()
    pool = pool_of(workers, 1)
    try:
        for item in items:
            waiting.append((item, pool.submit(work, item)))
            if len(waiting) == 2 * workers:
                yield _ended(*waiting.popleft())
        while waiting:
            yield _ended(*waiting.popleft())
    finally:
        pool.shutdown(cancel_futures=True)


def _ended(item: T, future: Future[None]) -> tuple[T, ValueError | None]:
    try:
        future.result()
    except ValueError as error:
        return item, error
    return item, None


class Budget:
    """So much of something may be in use at a time. What needs more than all of it waits until it is alone."""

    def __init__(self, amount: int) -> None:
        self._amount = self._free = amount
        self._changed = threading.Condition()

    @contextmanager
    def take(self, amount: int) -> Iterator[None]:
        """Wait for `amount` of it, which is given back at the end."""
        amount = min(amount, self._amount)
        with self._changed:
            self._changed.wait_for(lambda: self._free >= amount)
            self._free -= amount
        try:
            yield
        finally:
            with self._changed:
                self._free += amount
                self._changed.notify_all()


def processors() -> int:
    """How many processors this process may use, which containers and `taskset` limit."""
    if hasattr(os, "sched_getaffinity"):  # absent on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
