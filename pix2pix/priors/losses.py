"""Path length regularisation: Karras et al. 2020, arXiv 1912.04958, eq. 4, E (||J^T y||_2 - a)^2 with J = dg(w) / dw.

Steps of one length in w then change pictures by about the same amount everywhere, which makes a generator smooth to
walk in and easier to invert.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

SLOWEST = 0.01  # share by which the running mean moves in a long run


def path_lengths(pictures: Tensor, w: Tensor, directions: Tensor) -> Tensor:
    """||J^T y||_2 of each picture: (N,), to be differentiated further.

    `pictures` (N, C, H, W) were made of `w` (N, L, D); `directions` y ~ N(0, 1) like them. As in the paper's code y is
    divided by sqrt(H W), so that lengths do not grow with the size, and squares are averaged over the L layers.
    """
    scaled = (pictures * directions).sum() / math.sqrt(pictures.shape[2] * pictures.shape[3])
    (gradient,) = torch.autograd.grad(scaled, w, create_graph=True)
    return gradient.square().sum(dim=2).mean(dim=1).sqrt()


class PathLengthPenalty(nn.Module):
    """Mean squared distance of path lengths from their running mean `a`, which is its only state.

    `a` is the mean of all lengths so far, and later an exponential average: no start at 0, which would first pull the
    generator towards pictures that do not depend on w.
    """

    mean: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(()))

    def forward(self, lengths: Tensor, before: int) -> Tensor:
        """The penalty of `lengths` (N,); `before` is how many times the mean was moved so far."""
        with torch.no_grad():
            self.mean.lerp_(lengths.mean(), max(SLOWEST, 1 / (1 + before)))
        return (lengths - self.mean.clone()).square().mean()
