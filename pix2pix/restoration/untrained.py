"""An hourglass network with skip connections whose untrained weights are a prior of their own.

Ulyanov et al. 2018, arXiv 1711.10925, figure 21, narrower where maps are large, so that two CPU cores are enough.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pix2pix.large.network import sampling

WIDTHS = (16, 32, 64, 128, 128)  # of the levels below the full size, each of half the side
SKIP = 4  # channels that pass each level by
INPUTS = 32  # channels of the noise that goes in
SLOPE = 0.2
LEAST_SIDE = 4  # of the smallest map: a norm needs several values


class Hourglass(nn.Module):
    """Noise (1, 32, H, W) to a picture (1, 3, H, W) in [-1, 1]; any size from 8 pixels a side, 0.9 M weights at most.

    It has as many levels as the shorter side allows. The first weights depend on `rng` alone.
    """

    def __init__(self, height: int, width: int, rng: torch.Generator) -> None:
        super().__init__()
        levels = sum(min(height, width) >= LEAST_SIDE * 2 ** (level + 1) for level in range(len(WIDTHS)))
        assert levels, f"at least {2 * LEAST_SIDE} pixels a side, got {height}x{width}"
        self.multiple = 2**levels
        seed = int(torch.randint(2**31, (), generator=rng))
        # torch's own first weights are right here, but take no generator; another thread may draw from torch's own.
        with sampling, torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            widths = (INPUTS, *WIDTHS[:levels])
            self.down = nn.ModuleList(
                nn.Sequential(*layer(before, after, 3, stride=2), *layer(after, after, 3))
                for before, after in pairwise(widths)
            )
            self.skip = nn.ModuleList(nn.Sequential(*layer(before, SKIP, 1)) for before in widths[:-1])
            outputs = (WIDTHS[0], *WIDTHS[: levels - 1])
            self.up = nn.ModuleList(
                nn.Sequential(*layer(before + SKIP, after, 3), *layer(after, after, 1))
                for before, after in zip(WIDTHS[:levels], outputs, strict=True)
            )
            self.last = nn.Conv2d(WIDTHS[0], 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[2:]
        x = F.pad(x, (0, -width % self.multiple, 0, -height % self.multiple))
        passed = []
        for down, skip in zip(self.down, self.skip, strict=True):
            passed.append(skip(x))
            x = down(x)
        for up, skipped in zip(reversed(self.up), reversed(passed), strict=True):
            x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            x = up(torch.cat([x, skipped], dim=1))
        picture: Tensor = torch.tanh(self.last(x))
        return picture[:, :, :height, :width]


def layer(before: int, after: int, kernel: int, stride: int = 1) -> list[nn.Module]:
    """A convolution, reflected at the border, with its norm and activation."""
    convolution = nn.Conv2d(before, after, kernel, stride, kernel // 2, padding_mode="reflect", bias=False)
    return [convolution, nn.InstanceNorm2d(after, affine=True), nn.LeakyReLU(SLOPE)]
