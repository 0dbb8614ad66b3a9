"""Work on many things at once and tell of it in their order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
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
