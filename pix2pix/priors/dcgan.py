"""DCGAN: Radford et al. 2016, arXiv 1511.06434; 4x4 convolutions that double or halve, batch norm, N(0, 0.02).

Kept as the classic to compare with. In evaluation mode batch norm takes its running statistics, so that outputs never
depend on batch mates.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from pix2pix.nn.blocks import initialise
from pix2pix.nn.matrix_convolutions import StridedConv, TransposedConv
from pix2pix.priors.prior import Noise, check_size, latents


class DCGAN(nn.Module):
    """The generator, a `Prior` with one layer: w is z, and truncation scales it. `width` is 128 in the paper.

    Its only randomness is z: every kind of noise gives the same picture.
    """

    def __init__(self, size: int = 64, z_dim: int = 100, width: int = 32, rng: torch.Generator | None = None) -> None:
        super().__init__()
        check_size(size, 16)
        self.size, self.z_dim, self.w_dim, self.layers = size, z_dim, z_dim, 1
        before = width * size // 8
        stages: list[nn.Module] = [nn.ConvTranspose2d(z_dim, before, 4, bias=False), nn.BatchNorm2d(before), nn.ReLU()]
        for _ in range(int(math.log2(size)) - 3):
            stages += [TransposedConv(before, before // 2, bias=False), nn.BatchNorm2d(before // 2), nn.ReLU()]
            before //= 2
        self.stages = nn.Sequential(*stages, TransposedConv(before, 3), nn.Tanh())
        initialise(self, rng)

    def sample(self, count: int, rng: torch.Generator | None = None) -> Tensor:
        """Latents (count, z_dim) on the generator's device."""
        return latents(count, self.z_dim, rng).to(next(self.parameters()).device)

    def map(self, z: Tensor, truncation: float = 1.0) -> Tensor:
        """w (N, 1, z_dim) of z (N, z_dim) or (N, 1, z_dim): truncation * z."""
        w = truncation * z
        return w if w.ndim == 3 else w[:, None]

    def synthesize(self, w: Tensor, noise: Noise = "fixed") -> Tensor:
        """Pictures (N, 3, size, size) in [-1, 1] of w (N, 1, z_dim)."""
        del noise
        assert w.shape[1:] == (1, self.z_dim), w.shape
        pictures: Tensor = self.stages(w.reshape(len(w), self.z_dim, 1, 1))
        return pictures.float()

    def forward(self, z: Tensor, noise: Noise = "fixed", truncation: float = 1.0) -> Tensor:
        return self.synthesize(self.map(z, truncation), noise)

    def track(self, z: Tensor, share: float) -> None:
        """Nothing: the mean of w is that of z, 0."""


class DCGANDiscriminator(nn.Module):
    """Pictures (N, 3, size, size) to scores (N, 1): high for real ones."""

    def __init__(self, size: int = 64, width: int = 32, rng: torch.Generator | None = None) -> None:
        super().__init__()
        check_size(size, 16)
        self.size = size
        stages: list[nn.Module] = [StridedConv(3, width), nn.LeakyReLU(0.2)]
        before = width
        for _ in range(int(math.log2(size)) - 3):
            after = 2 * before
            stages += [StridedConv(before, after, bias=False), nn.BatchNorm2d(after), nn.LeakyReLU(0.2)]
            before = after
        self.stages = nn.Sequential(*stages, nn.Conv2d(before, 1, 4))
        initialise(self, rng)

    def forward(self, pictures: Tensor) -> Tensor:
        assert pictures.shape[1:] == (3, self.size, self.size), pictures.shape
        scores: Tensor = self.stages(pictures)
        return scores.flatten(1).float()
