"""The paper's generator: a U-Net, or without its skips an encoder-decoder (arXiv 1611.07004, section 3.2.1, 6.1.1)."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from pix2pix.nn.blocks import Norm, Upsampling, join, make_norm, make_upsampling
from pix2pix.nn.matrix_convolutions import StridedConv

DROPOUT_STAGES = 3


def encoder_channels(size: int, width: int) -> list[int]:
    """Channels after each level of the encoder; every level halves the map, until ``size`` has become 1.

    At 256 and width 64: 64 128 256 512 512 512 512 512. The decoder is the mirror: 512 512 512 512 256 128 64, output.
    """
    levels = size.bit_length() - 1
    return [width * min(2**level, 8) for level in range(levels)]


class UNet(nn.Module):
    """Encoder of 4x4 convolutions with stride 2, decoder of the same number of stages, skips between equal sizes.

    The levels follow from ``size``, the side of the training pictures, a power of 2 from 64 to 1024: at that size the
    innermost map is 1x1. Larger and oblong inputs work, with sides that are multiples of ``multiple`` (which is
    ``size``). The first and the innermost encoder stage and the output have no norm.

    Each stage starts with its activation, so that skips carry values before it: the encoder sees them through leaky
    ReLU, the decoder through ReLU.

    Shape: (N, in_channels, H, W) to (N, out_channels, H, W), in [-1, 1].
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        size: int = 256,
        width: int = 64,
        norm: Norm = "instance",
        dropout: float = 0.5,
        upsampling: Upsampling = "transposed",
        skips: bool = True,
    ) -> None:
        super().__init__()
        assert size in (64, 128, 256, 512, 1024), f"size must be a power of 2 from 64 to 1024, got {size}"
        self.multiple = size
        self.skips = skips
        channels = encoder_channels(size, width)

        self.down = nn.ModuleList([StridedConv(in_channels, width)])
        for level, (before, after) in enumerate(pairwise(channels), start=1):
            level_norm: Norm = "none" if level == len(channels) - 1 else norm  # 1x1: one value would normalise to 0
            convolution = StridedConv(before, after, bias=level_norm == "none")
            self.down.append(nn.Sequential(nn.LeakyReLU(0.2), convolution, make_norm(level_norm, after)))

        self.up = nn.ModuleList()
        before = channels[-1]
        for stage, after in enumerate(reversed(channels[:-1])):
            layers = [nn.ReLU(), make_upsampling(upsampling, before, after, norm == "none"), make_norm(norm, after)]
            if stage < DROPOUT_STAGES and dropout > 0:
                layers.append(nn.Dropout(dropout))
            self.up.append(nn.Sequential(*layers))
            before = 2 * after if skips else after
        self.up.append(nn.Sequential(nn.ReLU(), make_upsampling(upsampling, before, out_channels, bias=True)))

    def forward(self, x: Tensor) -> Tensor:
        assert x.shape[2] % self.multiple == 0 == x.shape[3] % self.multiple, (
            f"sides must be multiples of {self.multiple}, got {tuple(x.shape)}"
        )
        maps = []
        for down in self.down:
            x = down(x)
            maps.append(x)
        maps.pop()
        for stage, up in enumerate(self.up):
            if stage > 0 and self.skips:
                x = join(x, maps.pop())
            x = up(x)
        return torch.tanh(x)
