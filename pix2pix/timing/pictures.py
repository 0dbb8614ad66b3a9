"""The pairs that steps and translations are timed on, the same in every process."""

from __future__ import annotations

import torch

from pix2pix.config import Task
from pix2pix.data.drawn_pairs import EmbeddedPairs
from pix2pix.data.stream import Batch, fixed_examples
from pix2pix.representations import representations


def example_batch(task: Task, count: int) -> Batch:
    """`count` pairs of the task's size: drawn ones where the task has them, else noise from its seed."""
    source, target = representations(task.data)
    if task.data.embedded is not None:
        pairs = EmbeddedPairs(task.data, "train")
        drawn = fixed_examples(pairs, task.data, source, target, min(count, len(pairs)))
        rows = torch.arange(count) % len(drawn.positions)
        return Batch(drawn.source[rows], drawn.target[rows], tuple(range(count)))
    rng = torch.Generator().manual_seed(task.train.seed)
    shapes = [(count, kind.channels, task.data.size, task.data.size) for kind in (source, target)]
    noise = [torch.rand(shape, generator=rng) * 2 - 1 for shape in shapes]
    return Batch(noise[0], noise[1], tuple(range(count)))
