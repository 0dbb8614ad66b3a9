"""A generator over a picture too large for it: its norms measured on the whole picture first, then tile by tile.

The norms are measured on windows spread over the picture, together, and once more on all of it, each part with the
norms of the windows. By the difference the windows are corrected, which is a control variate: what a layer's input
changes by because of corrected norms before it is taken from the windows, which are quick. Counting all of the picture
costs about a fifth of the time.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from pix2pix.batch.lanes import PictureByPicture
from pix2pix.large.tiles import Grid, Span, blend
from pix2pix.nn.blocks import NoiseInjection
from pix2pix.nn.inference import simplify
from pix2pix.nn.packed import in_bf16
from pix2pix.nn.residual import Residual
from pix2pix.nn.statistics import Recount, Statistics, corrections, fix, has_instance_norms, measure, shared_copy

WINDOW = 2
"""Times the training size: the side of a window. Sixteen of them are nearer to the whole than sixty-four of half the
side, where the border, at which the network sees zeros, is a larger part."""
SAMPLE = 2**22
"""Pixels of all windows together; they are computed at once."""
FEWEST = 4  # windows, where the training size is large
T = TypeVar("T")

sampling = threading.Lock()
"""To be held by who draws dropout and noise: from torch's generator, which is the process's."""


@contextlib.contextmanager
def enough_memory(height: int, width: int) -> Iterator[None]:
    """Raises ValueError with advice where what is done inside needs more memory than there is."""
    try:
        yield
    except RuntimeError as error:
        if "memory" not in str(error):  # torch has no class of its own for a full main memory
            raise
        raise ValueError(f"{width}x{height} pixels need more memory than there is; shrink the picture") from None


class TiledNetwork:
    """A generator, and how it computes: with 16 bits or 32, and in which threads."""

    def __init__(self, generator: nn.Module, is_bf16: bool, lanes: PictureByPicture) -> None:
        self._generator = generator
        self._is_bf16 = is_bf16
        self._lanes = lanes

    def strips(
        self, encode: Callable[[Span, Span], Tensor], grid: Grid, seed: int | None
    ) -> Iterator[tuple[int, int, Tensor]]:
        """The output in strips from the top: first row, row after the last, (C, rows, W) float32 on the CPU.

        `encode(rows, columns)` is any part of the picture (1, C, h, w) as the generator takes it. A strip is
        overwritten after the next one has been asked for. With `seed` it is a sample: noise is one field for the
        picture, which repeats as the fixed one does; dropout is drawn for every tile.
        """
        residual = self._generator if isinstance(self._generator, Residual) else None
        inner = self._generator if residual is None else residual.inner
        assert isinstance(inner, nn.Module)
        source = inner if seed is None else _with_noise(inner, seed)
        if has_instance_norms(source):
            source = fix(source, self._statistics(source, encode, grid, seed))
        network = self._ready(source, seed)

        def compute(rows: Span, columns: Span) -> Tensor:
            part = encode(rows, columns)
            output = self._run(lambda: network(self._typed(part)).float(), seed, rows.start, columns.start)
            return (output if residual is None else residual.add(part, output))[0].cpu()

        yield from blend(grid, compute)

    def _statistics(
        self, source: nn.Module, encode: Callable[[Span, Span], Tensor], grid: Grid, seed: int | None
    ) -> list[Statistics]:
        windows = self._typed(torch.cat([encode(*window) for window in _windows(grid, source)]))
        first = self._run(lambda: measure(self._ready(source, seed), windows), seed)
        recount = Recount(self._ready(source, seed), first)
        for rows, counted_rows in zip(grid.rows, _counted(grid.rows, grid.overlap), strict=True):
            for columns, counted_columns in zip(grid.columns, _counted(grid.columns, grid.overlap), strict=True):
                part = self._typed(encode(rows, columns))
                count = partial(recount.add, part, counted_rows, counted_columns)
                self._run(count, seed, rows.start, columns.start)
        corrected = corrections(first, recount.statistics())
        return self._run(lambda: measure(self._ready(source, seed), windows, corrected), seed)

    def _ready(self, network: nn.Module, seed: int | None) -> nn.Module:
        ready = simplify(network)
        ready = in_bf16(ready) if self._is_bf16 else ready.to(memory_format=torch.channels_last)
        for layer in ready.modules():
            if isinstance(layer, nn.Dropout):
                layer.train(seed is not None)
        return ready

    def _typed(self, picture: Tensor) -> Tensor:
        return picture.to(torch.bfloat16 if self._is_bf16 else torch.float32, memory_format=torch.channels_last)

    def _run(self, work: Callable[[], T], seed: int | None, *place: int) -> T:
        def without_gradients() -> T:
            with torch.inference_mode():
                return work()

        def seeded() -> T:
            with sampling, torch.random.fork_rng():
                torch.manual_seed(int(np.random.SeedSequence((seed or 0, *place)).generate_state(1, np.uint64)[0]))
                return without_gradients()

        return self._lanes.with_all_threads(without_gradients if seed is None else seeded)


def _with_noise(generator: nn.Module, seed: int) -> nn.Module:
    """A copy whose fixed noise is drawn from `seed`, at the strength that it has in training."""
    sample = shared_copy(generator)
    rng = torch.Generator().manual_seed(seed)
    for layer in sample.modules():
        if isinstance(layer, NoiseInjection):
            layer.field = torch.randn(layer.field.shape, generator=rng).to(layer.field)
    return sample


def _windows(grid: Grid, generator: nn.Module) -> Iterator[tuple[Span, Span]]:
    """Windows of one size, spread evenly over the picture."""
    multiple = generator.multiple
    assert isinstance(multiple, int)
    height, width = grid.rows[-1].stop, grid.columns[-1].stop
    side = -(-WINDOW * grid.period // multiple) * multiple
    tall, wide = min(side, height), min(side, width)
    count = max(FEWEST, SAMPLE // side**2)
    down = min(max(1, round((count * height / width) ** 0.5)), count)
    for top in np.linspace(0, height - tall, down).astype(int).tolist():
        for left in np.linspace(0, width - wide, max(1, count // down)).astype(int).tolist():
            yield Span(top, top + tall), Span(left, left + wide)


def _counted(spans: list[Span], overlap: int) -> list[tuple[int, int]]:
    """Of each tile, from the middle of one overlap to the middle of the next: first and after the last."""
    ends = len(spans) - 1
    return [
        (0 if index == 0 else overlap // 2, span.length - (0 if index == ends else overlap // 2))
        for index, span in enumerate(spans)
    ]
