"""Tiles of a large picture: where they lie, how they are blended into one, and windows that stand for the whole.

Tiles overlap. Their borders, where a network sees the end of the tile instead of the picture, are dropped, and between
two tiles the outputs pass into each other over the middle of the overlap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

TILE = 1536
"""Side of a tile in pixels. Larger ones take more memory, smaller ones more time: a third is computed twice."""
OVERLAP = 256
"""Of two tiles in pixels. Three eighths at either end are dropped, the quarter between them is the blend."""
LARGEST = TILE**2
"""Pixels up to which a picture is computed as a whole."""


class Span(NamedTuple):
    """Where a tile begins and ends along one axis, the end not included."""

    start: int
    stop: int

    @property
    def length(self) -> int:
        return self.stop - self.start


class Grid(NamedTuple):
    """The tiles of a picture: every one of `rows` with every one of `columns`.

    Neighbours have `overlap` pixels in common; tiles start at multiples of `period`.
    """

    rows: list[Span]
    columns: list[Span]
    overlap: int
    period: int


def make_grid(height: int, width: int, period: int, multiple: int) -> Grid:
    """Tiles for a picture of these sides, which are multiples of `multiple`, as all lengths of tiles are.

    Tiles start at multiples of `period`, after which a network's fixed noise repeats: they get the noise that their
    place has in the whole picture.
    """
    assert height % multiple == width % multiple == period % multiple == 0, (height, width, period, multiple)
    overlap = -(-OVERLAP // multiple) * multiple
    stride = -(-(TILE - OVERLAP) // period) * period
    return Grid(_spans(height, stride, overlap), _spans(width, stride, overlap), overlap, period)


def _spans(length: int, stride: int, overlap: int) -> list[Span]:
    count = max(1, -(-(length - overlap) // stride))
    return [Span(index * stride, min(index * stride + stride + overlap, length)) for index in range(count)]


def blend(grid: Grid, compute: Callable[[Span, Span], Tensor]) -> Iterator[tuple[int, int, Tensor]]:
    """The outputs of all tiles as one, in strips from the top: first row, row after the last, and (C, rows, width).

    `compute(rows, columns)` gives (C, h, w) float32 of one tile. Only one row of tiles is in memory. A strip is
    overwritten after the next one has been asked for.
    """
    width = grid.columns[-1].stop
    column_weights = [_weights(index, grid.columns, grid.overlap) for index in range(len(grid.columns))]
    band: Tensor | None = None
    for index, rows in enumerate(grid.rows):
        row_weights = _weights(index, grid.rows, grid.overlap)[:, None]
        for columns, weights in zip(grid.columns, column_weights, strict=True):
            output = compute(rows, columns)
            if band is None:
                band = output.new_zeros(output.shape[0], max(each.length for each in grid.rows), width)
            part = band[:, : rows.length, columns.start : columns.stop]
            part += output * row_weights * weights
        assert band is not None
        is_last = index == len(grid.rows) - 1
        done = rows.length if is_last else grid.rows[index + 1].start - rows.start
        yield rows.start, rows.start + done, band[:, :done]
        if not is_last:
            band[:, : grid.overlap] = band[:, done : done + grid.overlap].clone()
            band[:, grid.overlap :] = 0


def _weights(index: int, spans: list[Span], overlap: int) -> Tensor:
    """Of every position of a tile, (length,): 1, but falling to 0 where a neighbour takes over; the sum is 1."""
    weights = torch.ones(spans[index].length)
    position = (torch.arange(overlap) + 0.5) / overlap
    rising = ((position - 0.375) * 4).clamp(0, 1)
    if index > 0:
        weights[:overlap] = rising
    if index < len(spans) - 1:
        weights[-overlap:] = 1 - rising
    return weights
