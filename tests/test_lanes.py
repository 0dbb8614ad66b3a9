"""Pictures in flight: the same bytes whatever runs beside them, order kept, errors told, threads left as they were."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

from pix2pix.backends import build_backend
from pix2pix.batch.lanes import PictureByPicture, pool_of
from pix2pix.batch.pipeline import in_order
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
    assert torch.get_num_threads() == 2
    seen: list[int] = []
    later = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    later.start()
    later.join()
    assert seen == [2]


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
    def work(item: int) -> None:
        if item == 2:
            raise KeyError(item)

    with pytest.raises(KeyError):
        list(in_order(work, range(100), 2))


def test_the_decoder_in_blocks_is_the_same_function() -> None:
    """Random weights, noise and biases; sides that are no multiple of the noise's period."""
    for size, width, norm in [(64, 8, "instance"), (128, 16, "none"), (64, 16, "batch")]:
        generator = build_generator("compact_unet", 5, 2, size=size, width=width, norm=norm).eval()  # type: ignore[arg-type]
        with torch.no_grad():
            for parameter in generator.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
        for height, width_ in [(size, size), (size + 16, 2 * size + 48)]:
            picture = torch.randn(1, 5, height, width_)
            with torch.inference_mode():
                assert (simplify(generator)(picture) - generator(picture)).abs().max() < 1e-4
