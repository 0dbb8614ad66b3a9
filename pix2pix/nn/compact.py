"""A small U-Net that two CPU cores can train: at most 1.5 M parameters and 1.5 GMAC for a picture of 256x256."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from pix2pix.nn.blocks import NoiseInjection, Norm, PlainConv, Upsampling, join, make_norm, make_upsampling

DROPOUT_STAGES = 3
INNERMOST = 8
PLAIN_STAGES = 2  # the last stages of the decoder, at full and half size, have no norm
INPUT_CHANNELS = 4  # what the input is reduced to where it joins the last stage


class DilatedBlock(nn.Module):
    """x + norm(conv(relu(norm(conv(x))))), 3x3, the second with dilation 2. Shape: (N, C, H, W) to the same."""

    def __init__(self, channels: int, norm: Norm) -> None:
        super().__init__()
        bias = norm == "none"
        self.layers = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=bias),
            make_norm(norm, channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=2, dilation=2, bias=bias),
            make_norm(norm, channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        residual: Tensor = self.layers(x)
        return x + residual


class UpStage(nn.Module):
    """Enlarge by two, join the skip of that size, then convolve, normalise, add noise, activate.

    The skip joins at its own size: joined before enlarging, as in the paper's U-Net, it would be a level coarser and
    cost half as much arithmetic again.

    Shape: (N, before, H, W) and a skip (N, skip, 2H, 2W) to (N, after, 2H, 2W).
    """

    def __init__(
        self, before: int, skip: int, after: int, norm: Norm, dropout: float, upsampling: Upsampling, noise_period: int
    ) -> None:
        super().__init__()
        self.enlarge: nn.Module = nn.Upsample(scale_factor=2, mode="nearest")
        if upsampling == "transposed":
            self.enlarge = make_upsampling("transposed", before, before, bias=True)
        kind = PlainConv if norm == "none" else nn.Conv2d
        self.layers = nn.Sequential(
            kind(before + skip, after, 3, padding=1, bias=norm == "none"),
            make_norm(norm, after),
            NoiseInjection(after, noise_period),
            nn.LeakyReLU(0.2),
            nn.Dropout(dropout) if dropout > 0 else nn.Identity(),
        )

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        return self.layers(join(self.enlarge(x), skip))  # type: ignore[no-any-return]


class CompactUNet(nn.Module):
    """A U-Net for little data and little time.

    - Levels follow from ``size``, a power of 2 from 64 to 1024, so that the innermost map is 8x8 at that size (five
      levels at 256). Two dilated residual blocks there reach 6 positions to every side: the receptive field covers
      the whole picture, at 3 % of the arithmetic.
    - Dense convolutions with channels in multiples of 16, which matrix units like; depthwise ones do not use them.
    - The first layer halves the map; only the last two layers work at full size, on half of ``width`` channels. They
      follow a nearest-neighbour resize, which cannot leave a checkerboard; a pixel shuffle is free of it only at
      the start of training.
    - The last two stages of the decoder have no norm: it would make the colour that a label gets depend on how much of
      the picture has that label. Without it a fixed colour a class is learnt in half the steps.
    - The input itself joins at full size, through a 1x1 convolution to a few channels: edges of label maps and sketches
      stay as sharp as they are drawn, for 3 % of the arithmetic.
    - Regions where the input is flat get their texture from noise added in every decoder stage. In eval mode it is a
      fixed field, and outputs are deterministic (see `NoiseInjection`); `set_stochastic` draws samples. The paper's
      dropout is there as an option, off by default: on channels this few it blurs.

    Sides must be multiples of ``multiple`` and at least twice that (no norm of a 1x1 map).

    Shape: (N, in_channels, H, W) to (N, out_channels, H, W), in [-1, 1].
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        size: int = 256,
        width: int = 32,
        norm: Norm = "instance",
        dropout: float = 0.0,
        upsampling: Upsampling = "resize",
    ) -> None:
        super().__init__()
        assert size in (64, 128, 256, 512, 1024), f"size must be a power of 2 from 64 to 1024, got {size}"
        levels = (size // INNERMOST).bit_length() - 1
        self.multiple = 2**levels
        channels = [width * min(level, 4) for level in range(1, levels + 1)]  # at 256: 32 64 96 128 128

        self.down = nn.ModuleList([PlainConv(in_channels, width, 4, stride=2, padding=1)])
        for before, after in pairwise(channels):
            convolution = nn.Conv2d(before, after, 3, stride=2, padding=1, bias=norm == "none")
            self.down.append(nn.Sequential(convolution, make_norm(norm, after)))
        self.activation = nn.LeakyReLU(0.2)
        self.middle = nn.Sequential(*(DilatedBlock(channels[-1], norm) for _ in range(2)))

        self.up = nn.ModuleList()
        before = channels[-1]
        for stage, level in enumerate(reversed(range(levels))):
            skip = channels[level - 1] if level > 0 else INPUT_CHANNELS
            after = width // 2 * min(level + 1, 6)  # at 256: 80 64 48 32 16
            stage_dropout = dropout if stage < DROPOUT_STAGES else 0.0
            period = INNERMOST * 2 ** (stage + 1)  # the side of this map at training size
            stage_norm: Norm = norm if level >= PLAIN_STAGES else "none"
            self.up.append(UpStage(before, skip, after, stage_norm, stage_dropout, upsampling, period))
            before = after
        self.join_input = PlainConv(in_channels, INPUT_CHANNELS, 1)
        self.output = nn.Conv2d(before, out_channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        assert x.shape[2] % self.multiple == 0 == x.shape[3] % self.multiple, (
            f"sides must be multiples of {self.multiple}, got {tuple(x.shape)}"
        )
        maps = [self.join_input(x)]
        for down in self.down:
            x = self.activation(down(x))
            maps.append(x)
        x = self.middle(maps.pop())
        for up in self.up:
            x = up(x, maps.pop())
        return torch.tanh(self.output(x))
