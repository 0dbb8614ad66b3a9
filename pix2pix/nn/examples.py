"""Inputs for a network that is only to be tried out or timed, always the same."""

import numpy as np
import torch
from torch import Tensor, nn


def rectangles(classes: int, height: int, width: int) -> Tensor:
    """A label map (1, classes, height, width), +1 for a pixel's class and -1 elsewhere, always the same."""
    rng = np.random.default_rng(0)
    labels = np.zeros((height, width), np.int64)
    for _ in range(40):
        top, left = rng.integers(0, height), rng.integers(0, width)
        tall, wide = rng.integers(1, height // 3 + 2), rng.integers(1, width // 3 + 2)
        labels[top : top + tall, left : left + wide] = rng.integers(0, classes)
    return torch.full((1, classes, height, width), -1.0).scatter_(1, torch.from_numpy(labels)[None, None], 1.0)


def clouds(channels: int, height: int, width: int) -> Tensor:
    """A smooth picture (1, channels, height, width) in [-1, 1] with a little noise, always the same."""
    rng = torch.Generator().manual_seed(0)
    coarse = torch.rand(1, channels, 9, 9, generator=rng) * 2 - 1
    smooth = nn.functional.interpolate(coarse, (height, width), mode="bicubic")
    return (smooth + 0.05 * torch.randn(1, channels, height, width, generator=rng)).clamp(-1, 1)
