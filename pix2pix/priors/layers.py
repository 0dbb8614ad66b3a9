"""The layers of StyleGAN2 as ordinary convolutions, for CPUs too: Karras et al. 2020, arXiv 1912.04958.

All weights are drawn from N(0, 1) and scaled where they are used (equalised learning rate, Karras et al. 2018,
arXiv 1710.10196, section 4.1). The factor sqrt(2) that keeps the variance behind a leaky ReLU is applied before it, to
weights, biases and noise: the function is the same, as it is homogeneous, and no pass over the map is needed.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pix2pix.priors.prior import Noise

SLOPE = 0.2
GAIN = math.sqrt(2)
TAPS = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
KERNEL = torch.outer(TAPS, TAPS)


def normal(*shape: int, rng: torch.Generator | None) -> nn.Parameter:
    """A weight from N(0, 1), from `rng` or torch's global generator."""
    return nn.Parameter(torch.empty(shape).normal_(generator=rng))


class EqualisedLinear(nn.Module):
    """x @ weight.T / sqrt(inputs) + bias, in float32 whatever the precision around it.

    `rate` multiplies the learning rate; its effect at the start is taken back by weights drawn that much larger.
    Shape: (..., inputs) to (..., outputs).
    """

    def __init__(
        self, inputs: int, outputs: int, rng: torch.Generator | None, bias: float = 0.0, rate: float = 1.0
    ) -> None:
        super().__init__()
        self.weight = normal(outputs, inputs, rng=rng)
        with torch.no_grad():
            self.weight.div_(rate)
        self.bias = nn.Parameter(torch.full((outputs,), bias / rate))
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        # Styles of 8 bits would shift whole maps; the matrices are too small for the precision to cost anything.
        with torch.autocast(x.device.type, enabled=False):
            scale = self.rate / math.sqrt(self.weight.shape[1])
            return F.linear(x.float(), self.weight * scale, self.bias * self.rate)


class EqualisedConv(nn.Module):
    """A convolution of stride 1 that keeps the size, times `gain`. Shape: (N, inputs, H, W) to (N, outputs, H, W)."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        rng: torch.Generator | None,
        bias: bool = True,
        gain: float = GAIN,
    ) -> None:
        super().__init__()
        self.weight = normal(outputs, inputs, kernel, kernel, rng=rng)
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.gain = gain

    def scaled(self) -> tuple[Tensor, Tensor | None]:
        """Weight and bias as they are used."""
        weight = self.weight * (self.gain / math.sqrt(self.weight[0].numel()))
        return weight, None if self.bias is None else self.bias * self.gain

    def forward(self, x: Tensor) -> Tensor:
        weight, bias = self.scaled()
        return F.conv2d(x, weight, bias, padding=self.weight.shape[2] // 2)


class _Blur(torch.autograd.Function):
    """The blur, whose adjoint is itself with the rest of the padding.

    torch's own gradients of a convolution of each channel on its own are five times as slow as it, and their gradients
    go channel by channel: with them a step with R1 takes twice as long.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, padding: int) -> Tensor:
        ctx.padding = padding
        channels = x.shape[1]
        return F.conv2d(x, KERNEL.to(x).expand(channels, 1, 4, 4), padding=padding, groups=channels)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return blur(gradient, 3 - ctx.padding), None


def blur(x: Tensor, padding: int) -> Tensor:
    """(N, C, H, W) by [1, 3, 3, 1] / 8 both ways, zeros around it: sides grow by 2 * padding - 3."""
    blurred: Tensor = _Blur.apply(x, padding)
    return blurred


class HalvingConv(EqualisedConv):
    """The convolution behind a blur with [1, 3, 3, 1], every second position. (N, C, H, W) to (N, C', H / 2, W / 2)."""

    def forward(self, x: Tensor) -> Tensor:
        weight, bias = self.scaled()
        if weight.shape[2] == 1:  # blur and weight are one convolution: faster than a blur of its own
            return F.conv2d(x, weight * KERNEL.to(weight), bias, stride=2, padding=1)
        return F.conv2d(blur(x, 2), weight, bias, stride=2)


def enlarge(x: Tensor) -> Tensor:
    """(N, C, H, W) to (N, C, 2H, 2W) by the filter [1, 3, 3, 1], which at this scale is the bilinear one."""
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


class NoiseInput(nn.Module):
    """One channel of N(0, 1) noise for a map of size x size, times a learned strength that starts at 0; section 2.1.

    The fixed field is drawn from `seed`, the layer's number, and not saved.
    """

    field: Tensor

    def __init__(self, size: int, seed: int) -> None:
        super().__init__()
        self.strength = nn.Parameter(torch.zeros(()))
        field = torch.randn(1, 1, size, size, generator=torch.Generator().manual_seed(seed))
        self.register_buffer("field", field, persistent=False)

    def forward(self, count: int, noise: Noise) -> Tensor | None:
        """(count or 1, 1, size, size); None where there is none."""
        if noise == "none":
            return None
        field = self.field
        if noise != "fixed":
            rng = noise if isinstance(noise, torch.Generator) else None
            device = field.device if rng is None else rng.device
            field = torch.randn(count, *field.shape[1:], generator=rng, device=device).to(field)
        return field * (self.strength * GAIN)


class StyledConv(nn.Module):
    """Modulated and demodulated 3x3 convolution, noise, bias, leaky ReLU; eqs. 1 and 3. `up` doubles the size first.

    Modulated weights w'_oik = s_i w_oik would be others for each picture. Instead the input is multiplied by s, and the
    output by the demodulation 1 / sqrt(sum_ik (s_i w_oik)^2): equal, and one ordinary convolution for all pictures.
    Shape: x (N, inputs, H, W) and w (N, w_dim) to (N, outputs, H, W) or, with `up`, (N, outputs, 2H, 2W).
    """

    def __init__(
        self, inputs: int, outputs: int, w_dim: int, size: int, up: bool, seed: int, rng: torch.Generator | None
    ) -> None:
        super().__init__()
        self.up = up
        self.style = EqualisedLinear(w_dim, inputs, rng, bias=1.0)
        self.weight = normal(outputs, inputs, 3, 3, rng=rng)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.noise = NoiseInput(size, seed)

    def forward(self, x: Tensor, w: Tensor, noise: Noise) -> Tensor:
        style = self.style(w)
        weight = self.weight / math.sqrt(self.weight[0].numel())
        demodulation = GAIN * demodulate(weight, style)
        x = x * style[:, :, None, None].to(x.dtype)
        x = F.conv2d(enlarge(x) if self.up else x, weight, padding=1)
        bias = (self.bias * GAIN)[None, :, None, None].to(x.dtype)
        x = torch.addcmul(bias, x, demodulation[:, :, None, None].to(x.dtype))
        field = self.noise(len(x), noise)
        if field is not None:
            x = x + field.to(x.dtype)
        return F.leaky_relu(x, SLOPE)


def demodulate(weight: Tensor, style: Tensor) -> Tensor:
    """1 / sqrt(sum_ik (s_i w_oik)^2) of weight (O, I, k, k) and style (N, I), in float32: (N, O); eq. 3."""
    with torch.autocast(style.device.type, enabled=False):
        squares = weight.float().square().sum(dim=(2, 3))
        return torch.rsqrt(style.float().square() @ squares.T + 1e-8)


class ToRGB(nn.Module):
    """Modulated 1x1 convolution to three channels, without demodulation. (N, C, H, W), (N, w_dim) to (N, 3, H, W).

    Three output channels make so few weights that each picture gets its own, as one matrix product.
    """

    def __init__(self, inputs: int, w_dim: int, rng: torch.Generator | None) -> None:
        super().__init__()
        self.style = EqualisedLinear(w_dim, inputs, rng, bias=1.0)
        self.weight = normal(3, inputs, rng=rng)
        self.bias = nn.Parameter(torch.zeros(3))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        n, channels, height, width = x.shape
        style = self.style(w) / math.sqrt(channels)
        weight = style[:, :, None] * self.weight.T
        rows = x.permute(0, 2, 3, 1).reshape(n, height * width, channels)
        rgb = torch.bmm(rows, weight.to(rows.dtype)).float() + self.bias
        return rgb.view(n, height, width, 3).permute(0, 3, 1, 2)


def minibatch_deviation(x: Tensor, group: int = 4) -> Tensor:
    """Append a channel that tells how much pictures differ within their group; Karras et al. 2018, section 3.

    The standard deviation of each value over the group, averaged over the values. Groups are of up to `group` pictures,
    as many as divide the batch evenly; picture n is in group n modulo their number. (N, C, H, W) to (N, C + 1, H, W).
    """
    n, _, height, width = x.shape
    members = next(count for count in range(min(group, n), 0, -1) if n % count == 0)
    groups = x.float().reshape(members, n // members, -1)
    deviations = (groups.var(dim=0, correction=0) + 1e-8).sqrt().mean(dim=1)
    channel = deviations.repeat(members)[:, None, None, None].expand(n, 1, height, width)
    return torch.cat([x, channel.to(x.dtype)], dim=1)
