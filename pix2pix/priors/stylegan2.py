"""StyleGAN2 for small pictures: Karras et al. 2020, arXiv 1912.04958, with skips to RGB and a residual discriminator.

No kernels of its own: modulation, resampling and noise are ordinary operations in any precision. In float16 maps could
overflow; bfloat16 is meant.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pix2pix.priors.layers import (
    SLOPE,
    EqualisedConv,
    EqualisedLinear,
    HalvingConv,
    StyledConv,
    ToRGB,
    enlarge,
    minibatch_deviation,
)
from pix2pix.priors.prior import Noise, check_size, latents, truncate

START = 4  # side of the first map


def channels_at(side: int, base: int, most: int) -> int:
    """Channels of maps of side x side: `base` / side, at most `most`."""
    return min(most, max(1, base // side))


class Mapping(nn.Module):
    """z (..., z_dim) to w (..., w_dim): normalised, then `depth` dense layers, which learn at `rate` of the others'."""

    def __init__(self, z_dim: int, w_dim: int, depth: int, rate: float, rng: torch.Generator | None) -> None:
        super().__init__()
        inputs = [z_dim] + [w_dim] * (depth - 1)
        self.layers = nn.ModuleList(EqualisedLinear(each, w_dim, rng, rate=rate) for each in inputs)

    def forward(self, z: Tensor) -> Tensor:
        w = z.float() * torch.rsqrt(z.float().square().mean(dim=-1, keepdim=True) + 1e-8)
        for layer in self.layers:
            w = F.leaky_relu(layer(w), SLOPE) * math.sqrt(2)
        return w


class StyleGAN2(nn.Module):
    """The generator, a `Prior`. Values are about [-1, 1] and not clamped: gradients must pass where they overshoot.

    `mean_w` (w_dim,) is a running mean, which `track` moves. One map of 4x4 is learned; every doubling is two styled
    convolutions, and each size adds to the RGB picture. Layer 0 is the convolution at 4x4; at 4 * 2^k layers 2k - 1 and
    2k are its two; each size's RGB takes the layer after its last. All together 2 log2(size) - 2.
    """

    mean_w: Tensor

    def __init__(
        self,
        size: int = 64,
        z_dim: int = 192,
        w_dim: int = 192,
        channel_base: int = 1024,
        channel_most: int = 192,
        mapping_depth: int = 4,
        mapping_rate: float = 0.01,
        rng: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        check_size(size, 8)
        self.size, self.z_dim, self.w_dim = size, z_dim, w_dim
        self.layers = 2 * int(math.log2(size)) - 2
        self.mapping = Mapping(z_dim, w_dim, mapping_depth, mapping_rate, rng)
        self.register_buffer("mean_w", torch.zeros(w_dim))
        before = channels_at(START, channel_base, channel_most)
        self.start = nn.Parameter(torch.empty(1, before, START, START).normal_(generator=rng))
        self.convolutions = nn.ModuleList([StyledConv(before, before, w_dim, START, False, 0, rng)])
        self.to_rgb = nn.ModuleList([ToRGB(before, w_dim, rng)])
        side = 2 * START
        while side <= size:
            after = channels_at(side, channel_base, channel_most)
            number = len(self.convolutions)
            self.convolutions.append(StyledConv(before, after, w_dim, side, True, number, rng))
            self.convolutions.append(StyledConv(after, after, w_dim, side, False, number + 1, rng))
            self.to_rgb.append(ToRGB(after, w_dim, rng))
            before, side = after, 2 * side

    def sample(self, count: int, rng: torch.Generator | None = None) -> Tensor:
        """Latents (count, z_dim) on the generator's device."""
        return latents(count, self.z_dim, rng).to(self.mean_w.device)

    def map(self, z: Tensor, truncation: float = 1.0) -> Tensor:
        """w (N, layers, w_dim) of z (N, z_dim) or (N, layers, z_dim); truncated towards `mean_w`."""
        w: Tensor = truncate(self.mapping(z), self.mean_w, truncation)
        return w if w.ndim == 3 else w[:, None].expand(-1, self.layers, -1)

    def synthesize(self, w: Tensor, noise: Noise = "fixed") -> Tensor:
        """Pictures (N, 3, size, size), float32, of w (N, layers, w_dim)."""
        assert w.shape[1:] == (self.layers, self.w_dim), w.shape
        styles = w.unbind(dim=1)
        x = self.start.expand(len(w), -1, -1, -1).contiguous(memory_format=torch.channels_last)
        x = self.convolutions[0](x, styles[0], noise)
        rgb: Tensor = self.to_rgb[0](x, styles[1])
        for level in range(1, len(self.to_rgb)):
            for layer in (2 * level - 1, 2 * level):
                x = self.convolutions[layer](x, styles[layer], noise)
            rgb = enlarge(rgb) + self.to_rgb[level](x, styles[2 * level + 1])
        return rgb

    def forward(self, z: Tensor, noise: Noise = "fixed", truncation: float = 1.0) -> Tensor:
        return self.synthesize(self.map(z, truncation), noise)

    @torch.no_grad()
    def track(self, z: Tensor, share: float) -> None:
        """Move `mean_w` by `share` towards the mean w of z (N, z_dim)."""
        self.mean_w.lerp_(self.mapping(z).mean(dim=0), share)


class ResidualBlock(nn.Module):
    """(skip(x) + conv(conv(x))) / sqrt(2), both at half the size. Shape: (N, C, H, W) to (N, C', H / 2, W / 2)."""

    def __init__(self, before: int, after: int, rng: torch.Generator | None) -> None:
        super().__init__()
        self.convolution = EqualisedConv(before, before, 3, rng)
        # sqrt(2) of the activation and 1 / sqrt(2) of the sum are one factor.
        self.halving = HalvingConv(before, after, 3, rng, gain=1.0)
        self.skip = HalvingConv(before, after, 1, rng, bias=False, gain=math.sqrt(0.5))

    def forward(self, x: Tensor) -> Tensor:
        inner = F.leaky_relu(self.halving(F.leaky_relu(self.convolution(x), SLOPE)), SLOPE)
        output: Tensor = inner + self.skip(x)
        return output


class StyleGAN2Discriminator(nn.Module):
    """Pictures (N, 3, size, size) to scores (N, 1): high for real ones."""

    def __init__(
        self,
        size: int = 64,
        channel_base: int = 1024,
        channel_most: int = 192,
        rng: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        check_size(size, 8)
        self.size = size
        before = channels_at(size, channel_base, channel_most)
        self.from_rgb = EqualisedConv(3, before, 1, rng)
        self.blocks = nn.ModuleList()
        side = size
        while side > START:
            side //= 2
            after = channels_at(side, channel_base, channel_most)
            self.blocks.append(ResidualBlock(before, after, rng))
            before = after
        self.last = EqualisedConv(before + 1, before, 3, rng)
        self.dense = EqualisedLinear(before * START**2, before, rng)
        self.score = EqualisedLinear(before, 1, rng)

    def forward(self, pictures: Tensor) -> Tensor:
        assert pictures.shape[1:] == (3, self.size, self.size), pictures.shape
        x = F.leaky_relu(self.from_rgb(pictures.contiguous(memory_format=torch.channels_last)), SLOPE)
        for block in self.blocks:
            x = block(x)
        x = F.leaky_relu(self.last(minibatch_deviation(x)), SLOPE)
        x = F.leaky_relu(self.dense(x.flatten(1)), SLOPE) * math.sqrt(2)
        scores: Tensor = self.score(x)
        return scores
