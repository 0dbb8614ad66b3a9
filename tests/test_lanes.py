"""Pictures in flight: the same bytes whatever runs beside them, order kept, errors told, threads left as they were."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

from pix2pix.backends import build_backend
from pix2pix.batch import lanes
from pix2pix.batch.lanes import PictureByPicture, narrow, pool_of, threads
from pix2pix.batch.pipeline import Budget, in_order, processors
from pix2pix.nn import build_generator
from pix2pix.nn.inference import simplify


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_pools_compute_with_their_own_number_and_change_nobody_elses() -> None:
    pool = pool_of(3, 1)
    assert {future.result() for future in [pool.submit(torch.get_num_threads) for _ in range(9)]} == {1}
    assert torch.get_num_threads() == threads() == 2


def test_pools_made_at_once_leave_the_number_of_the_process() -> None:
    for _ in range(20):
        makers = [threading.Thread(target=pool_of, args=(2, 1)) for _ in range(4)]
        for maker in makers:
            maker.start()
        for maker in makers:
            maker.join()
        assert threads() == 2


def test_what_is_made_in_a_worker_counts_the_threads_of_the_process() -> None:
    worker = pool_of(1, 1)
    backend = worker.submit(PictureByPicture, "x", 8, lambda picture: picture).result()
    assert worker.submit(lambda: backend.with_all_threads(torch.get_num_threads)).result() == 2
    assert worker.submit(threads).result() == 2
    assert worker.submit(torch.get_num_threads).result() == 1
    assert threads() == 2


def test_a_thread_that_cannot_start_leaves_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start

    def refuse_the_third(thread: threading.Thread) -> None:
        if thread.name == "lane_2":
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse_the_third)
    before = set(threading.enumerate())
    with pytest.raises(RuntimeError, match="can't start"):
        pool_of(4, 1)
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
        assert not thread.is_alive()
    assert threads() == 2


def test_many_threads_compute_a_small_picture_by_a_quarter_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [narrow(count) for count in (1, 2, 7, 8, 16, 63)] == [1, 1, 1, 2, 4, 15]
    monkeypatch.setattr(lanes, "threads", lambda: 8)
    seen: set[int] = set()

    def run(picture: Tensor) -> Tensor:
        seen.add(torch.get_num_threads())
        return picture

    PictureByPicture("x", 8, run, beside=64)(torch.zeros(9, 3, 8, 8))
    assert seen == {2}


FORK = """
import os, signal, torch
from pix2pix.batch.lanes import PictureByPicture
torch.set_num_threads(2)
run = lambda picture: torch.nn.functional.conv2d(picture, torch.ones(3, 3, 1, 1))
torch_one, foreign = PictureByPicture("a", 8, run, 64 * 64), PictureByPicture("b", 8, run, forks=False)
batches = [torch.ones(4, 3, 64, 64), torch.ones(2, 3, 128, 128)]
for batch in batches:
    torch_one(batch), foreign(batch)
child = os.fork()
if child == 0:
    signal.alarm(20)
    shapes = [torch_one(batch).shape == batch.shape for batch in batches]
    try:
        foreign(batches[0])
    except ValueError as error:
        os._exit(0 if all(shapes) and "made before a fork" in str(error) else 4)
    os._exit(5)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_after_a_fork_there_are_new_lanes() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORK], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "0"


def test_a_budget_is_kept_and_large_things_are_alone() -> None:
    budget, lock, used, most = Budget(10), threading.Lock(), [0, 0], [0, 0]

    def work(amount: int) -> None:
        with budget.take(amount):
            with lock:
                used[:] = used[0] + amount, used[1] + 1
                most[:] = max(most[0], used[0] if used[1] > 1 else 0), max(most[1], used[1])
            time.sleep(0.002)
            with lock:
                used[:] = used[0] - amount, used[1] - 1

    assert [error for _, error in in_order(work, [3, 3, 25, 3, 9, 1, 4, 10, 2] * 4, 6)] == [None] * 36
    assert most[0] <= 10
    assert most[1] > 1


def test_only_the_processors_of_this_process_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {3, 5, 8}, raising=False)
    assert processors() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    assert processors() == (os.cpu_count() or 1)


def test_the_size_alone_decides_how_many_threads_compute() -> None:
    threads: list[int] = []

    def run(picture: Tensor) -> Tensor:
        threads.append(torch.get_num_threads())
        return picture

    backend = PictureByPicture("x", 8, run, beside=64 * 64)
    for side, count, expected in [(64, 1, 1), (64, 5, 1), (72, 1, 2), (72, 3, 2)]:
        threads.clear()
        assert backend(torch.zeros(count, 3, side, side)).shape == (count, 3, side, side)
        assert threads == [expected] * count


@pytest.mark.parametrize("name", ["torch-bf16", "torch"])
def test_many_callers_get_the_bytes_of_one(name: str) -> None:
    generator = build_generator("compact_unet", 3, 3, size=64, width=8).eval()
    rng = torch.Generator().manual_seed(0)
    backend = build_backend(name, generator, torch.zeros(1, 3, 64, 64))  # type: ignore[arg-type]
    pictures = [torch.rand(1, 3, 64 * (1 + i % 3), 64, generator=rng) for i in range(12)]
    alone = [backend(picture) for picture in pictures]
    pool = pool_of(4, 1)
    together = [each.result() for each in [pool.submit(backend, picture) for picture in pictures]]
    assert all(torch.equal(a, b) for a, b in zip(alone, together, strict=True))


def test_results_come_in_order_with_their_errors() -> None:
    rng = np.random.default_rng(0)
    delays = rng.uniform(0, 0.01, 40)

    def work(item: int) -> None:
        time.sleep(delays[item])
        if item % 7 == 3:
            raise ValueError(f"bad {item}")

    ended = list(in_order(work, range(40), 3))
    assert [item for item, _ in ended] == list(range(40))
    assert [item for item, error in ended if error] == [3, 10, 17, 24, 31, 38]
    assert str(ended[3][1]) == "bad 3"


def test_few_are_begun_at_a_time_and_leaving_stops_the_rest() -> None:
    begun: list[int] = []
    taken = in_order(begun.append, range(1000), 2)
    for _ in range(5):
        next(taken)
    assert len(begun) <= 5 + 2 * 2
    taken.close()  # type: ignore[attr-defined]
    count = len(begun)
    time.sleep(0.02)
    assert len(begun) == count < 1000


def test_any_other_error_ends_the_work() -> None:
    begun: list[int] = []

    def work(item: int) -> None:
        begun.append(item)
        if item == 2:
            raise KeyError(item)

    with pytest.raises(KeyError):
        list(in_order(work, range(100), 2))
    assert len(begun) <= 3 + 2 * 2


def test_the_decoder_in_blocks_is_the_same_function() -> None:
    """Random weights, noise and biases; sides that are no multiple of the noise's period."""
    torch.manual_seed(0)
    for size, width, norm in [(64, 8, "instance"), (128, 16, "none"), (64, 16, "batch")]:
        generator = build_generator("compact_unet", 5, 2, size=size, width=width, norm=norm).eval()  # type: ignore[arg-type]
        with torch.no_grad():
            for parameter in generator.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
        for height, width_ in [(size, size), (size + 16, 2 * size + 48)]:
            picture = torch.randn(1, 5, height, width_)
            with torch.inference_mode():
                assert (simplify(generator)(picture) - generator(picture)).abs().max() < 3e-4
