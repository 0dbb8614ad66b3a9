"""The residual generator of Johnson et al. (arXiv 1603.08155) in CycleGAN's form (arXiv 1703.10593, 7.2)."""

import torch
from torch import Tensor, nn

from pix2pix.nn.blocks import Norm, Upsampling, make_norm, make_upsampling


class ResidualBlock(nn.Module):
    """x + norm(conv(dropout(relu(norm(conv(x)))))), 3x3 with reflection padding. Shape: (N, C, H, W) to the same."""

    def __init__(self, channels: int, norm: Norm, dropout: float) -> None:
        super().__init__()
        bias = norm == "none"
        self.layers = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, padding_mode="reflect", bias=bias),
            make_norm(norm, channels),
            nn.ReLU(),
            nn.Dropout(dropout) if dropout > 0 else nn.Identity(),
            nn.Conv2d(channels, channels, 3, padding=1, padding_mode="reflect", bias=bias),
            make_norm(norm, channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        residual: Tensor = self.layers(x)
        return x + residual


class ResNetGenerator(nn.Module):
    """c7s1-64, d128, d256, ``blocks`` times R256, u128, u64, c7s1-out: all details pass through maps of a quarter side.

    Sides must be multiples of ``multiple`` and at least 8 (reflection cannot pad a map of 1x1). The receptive field is
    about 170 pixels with nine blocks, so unlike the U-Net it does not see the whole of a larger picture.

    Shape: (N, in_channels, H, W) to (N, out_channels, H, W), in [-1, 1].
    """

    multiple = 4

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        blocks: int = 9,
        width: int = 64,
        norm: Norm = "instance",
        dropout: float = 0.0,
        upsampling: Upsampling = "transposed",
    ) -> None:
        super().__init__()
        bias = norm == "none"
        layers: list[nn.Module] = [
            nn.Conv2d(in_channels, width, 7, padding=3, padding_mode="reflect", bias=bias),
            make_norm(norm, width),
            nn.ReLU(),
        ]
        for before, after in ((width, 2 * width), (2 * width, 4 * width)):
            layers += [nn.Conv2d(before, after, 3, stride=2, padding=1, bias=bias), make_norm(norm, after), nn.ReLU()]
        layers += [ResidualBlock(4 * width, norm, dropout) for _ in range(blocks)]
        for before, after in ((4 * width, 2 * width), (2 * width, width)):
            layers += [make_upsampling(upsampling, before, after, bias), make_norm(norm, after), nn.ReLU()]
        layers.append(nn.Conv2d(width, out_channels, 7, padding=3, padding_mode="reflect"))
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        assert x.shape[2] % self.multiple == 0 == x.shape[3] % self.multiple, (
            f"sides must be multiples of {self.multiple}, got {tuple(x.shape)}"
        )
        return torch.tanh(self.layers(x))
