"""Several pictures in flight through one network, each computed on its own."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

SMALL = 4  # times the pixels of the usual picture: up to there a narrow lane computes a picture
SPINNING = 0.05  # seconds
Run = Callable[[Tensor], Tensor]  # (1, C, H, W) float32 to the same
T = TypeVar("T")

# A thread that sets its number of torch's threads sets that of all later threads too, until it is set back.
_numbers = threading.Lock()


def threads() -> int:
    """The number of torch's threads that new threads of this process compute with, whatever the caller's own is."""
    with _numbers:
        return _in_new_thread(torch.get_num_threads)


def settle() -> None:
    """Wait until no thread is busy with waiting: those of torch spin for up to 20 ms after their last work, in any
    process, and what is timed beside them is timed on fewer cores."""
    time.sleep(SPINNING)


def narrow(count: int) -> int:
    """How many of `count` threads compute a small picture, which wait for each other the more they are."""
    return max(1, count // 4)


def pool_of(count: int, each: int) -> ThreadPoolExecutor:
    """`count` threads, each of which computes with `each` of torch's, whatever other threads do."""
    with _numbers:
        before = _in_new_thread(torch.get_num_threads)
        all_ready = threading.Barrier(count)
        pool = ThreadPoolExecutor(count, "lane", _compute_with, (each,))
        try:
            for started in [pool.submit(all_ready.wait) for _ in range(count)]:
                started.result()
        except BaseException:  # no room for one more thread, or Ctrl-C: those that are there must not wait for ever
            all_ready.abort()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        finally:
            _in_new_thread(lambda: torch.set_num_threads(before))  # not here: the caller's own number stays
    return pool


def _in_new_thread(work: Callable[[], T]) -> T:
    results: list[T] = []
    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()
    thread.join()
    return results[0]


def _compute_with(threads: int) -> None:
    torch.get_num_threads()  # a thread's first question sets its number to that of the process
    torch.set_num_threads(threads)


@dataclass(frozen=True)
class _Lanes:
    """The threads of one process: after a fork, the child has none of its parent's."""

    process: int
    wide: ThreadPoolExecutor
    narrow: ThreadPoolExecutor


class _Joined:
    """Outputs of pictures that are computed in any order, as one batch in the order of the pictures."""

    outputs: Tensor

    def __init__(self, count: int) -> None:
        self._count = count
        self._starting = threading.Lock()

    def put(self, index: int, output: Tensor) -> None:
        with self._starting:
            if not hasattr(self, "outputs"):
                shape = (self._count, *output.shape[1:])
                self.outputs = torch.empty(
                    shape, dtype=output.dtype, device=output.device, memory_format=torch.channels_last
                )
        self.outputs[index] = output[0]


class PictureByPicture:
    """Run the pictures of a batch each on its own.

    Convolutions may sum in another order for another batch size: outputs of OpenVINO in bf16 moved by 3 levels of 255
    with the number of pictures beside them.

    Where `beside` is given, pictures of at most that many pixels are computed side by side, each by a quarter of the
    threads (one, where they are less than eight), and larger ones by all threads, one at a time. Threads that share a
    small picture wait for each other: the compact generator, 256x256, two cores, takes 7.1 ms in torch-bf16 with both,
    and 5.8 as two pictures at a time. The size alone decides, so that the number of pictures changes no byte: in bf16,
    outputs of one thread and of two differ by up to 10 levels of 255.
    """

    def __init__(self, name: str, multiple: int, run: Run, beside: int = 0, forks: bool = True) -> None:
        """`forks`: whether `run` works in a child of the process that made it; libraries with threads of their own do
        not, and a call there raises ValueError.
        """
        self.name = name
        self._process = os.getpid()
        self._forks = forks
        self._multiple = multiple
        self._run = run
        self._beside = beside
        self._threads = threads()
        self._starting = threading.Lock()
        self._lanes: _Lanes | None = None

    def __call__(self, batch: Tensor) -> Tensor:
        assert batch.ndim == 4, f"expected (N, C, H, W), got {tuple(batch.shape)}"
        assert batch.dtype == torch.float32, f"expected float32, got {batch.dtype}"
        assert batch.shape[2] % self._multiple == 0 == batch.shape[3] % self._multiple, (
            f"sides must be multiples of {self._multiple}, got {tuple(batch.shape)}"
        )
        is_small = batch.shape[2] * batch.shape[3] <= self._beside
        lanes = self._started().narrow if is_small else self._started().wide
        if len(batch) == 1:
            return lanes.submit(self._run, batch).result()
        joined = _Joined(len(batch))
        # Each lane joins what it computed: after a fork the thread that forked hangs in torch, its OpenMP team being
        # gone, and a team that has just joined a batch would keep spinning beside the next one.
        running = [
            lanes.submit(lambda index, picture: joined.put(index, self._run(picture)), index, picture)
            for index, picture in enumerate(torch.split(batch, 1))
        ]
        for each in running:
            each.result()
        return joined.outputs

    def with_all_threads(self, work: Callable[[], T]) -> T:
        """The result of `work`, computed where large pictures are, so that the caller's thread changes no byte."""
        return self._started().wide.submit(work).result()

    def _started(self) -> _Lanes:
        if not self._forks and self._process != os.getpid():
            raise ValueError(
                f"backend '{self.name}': made before a fork, and its threads are not in this process; load the model "
                "after the fork, or use backend 'torch'"
            )
        with self._starting:
            if self._lanes is None or self._lanes.process != os.getpid():
                each = narrow(self._threads)
                wide = pool_of(1, self._threads)
                # Lanes of a library with threads of its own only hand over: one does while another's is computed.
                lanes = self._threads // each * (1 if self._forks else 2)
                beside = pool_of(lanes, each) if self._beside else wide
                self._lanes = _Lanes(os.getpid(), wide, beside)
            return self._lanes
