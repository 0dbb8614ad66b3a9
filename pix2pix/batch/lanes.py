"""Several pictures in flight through one network, each computed on its own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import torch
from torch import Tensor

SMALL = 4  # times the pixels of the usual picture: up to there one thread computes a picture
Run = Callable[[Tensor], Tensor]  # (1, C, H, W) float32 to the same


def pool_of(count: int, threads: int) -> ThreadPoolExecutor:
    """`count` threads, each of which computes with `threads` of torch's, whatever other threads do."""
    before = torch.get_num_threads()
    all_ready = Barrier(count)
    pool = ThreadPoolExecutor(count, "lane", _compute_with, (threads,))
    for started in [pool.submit(all_ready.wait) for _ in range(count)]:
        started.result()
    torch.set_num_threads(before)  # a thread that sets its own number sets that of all later threads too
    return pool


def _compute_with(threads: int) -> None:
    torch.get_num_threads()  # a thread's first question sets its number to that of the process
    torch.set_num_threads(threads)


class PictureByPicture:
    """Run the pictures of a batch each on its own.

    Convolutions may sum in another order for another batch size: outputs of OpenVINO in bf16 moved by 3 levels of 255
    with the number of pictures beside them.

    Where `beside` is given, pictures of at most that many pixels are computed by one thread each, as many at a time as
    there are threads, and larger ones by all threads, one at a time. Threads that share a small picture wait for each
    other: the compact generator, 256x256, two cores, takes 7.1 ms in torch-bf16 with both, and 5.8 as two pictures at
    a time. The size alone decides, so that the number of pictures changes no byte.
    """

    def __init__(self, name: str, multiple: int, run: Run, beside: int = 0) -> None:
        self.name = name
        self._multiple = multiple
        self._run = run
        self._beside = beside
        threads = torch.get_num_threads()
        self._wide = pool_of(1, threads)
        self._narrow = pool_of(threads, 1) if beside else self._wide

    def __call__(self, batch: Tensor) -> Tensor:
        assert batch.ndim == 4, f"expected (N, C, H, W), got {tuple(batch.shape)}"
        assert batch.dtype == torch.float32, f"expected float32, got {batch.dtype}"
        assert batch.shape[2] % self._multiple == 0 == batch.shape[3] % self._multiple, (
            f"sides must be multiples of {self._multiple}, got {tuple(batch.shape)}"
        )
        lanes = self._narrow if batch.shape[2] * batch.shape[3] <= self._beside else self._wide
        running = [lanes.submit(self._run, picture) for picture in torch.split(batch, 1)]
        outputs = [output.result() for output in running]
        return (torch.cat(outputs) if len(outputs) > 1 else outputs[0]).contiguous()
