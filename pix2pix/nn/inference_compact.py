"""The compact generator's last stages for inference: fewer passes over large maps, the same function up to rounding.

At full size moving values costs more than computing with them. So the last stage works at half size on blocks: the 2x2
positions of a map as four channels of one.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pix2pix.nn.blocks import NoiseInjection
from pix2pix.nn.compact import INPUT_CHANNELS, CompactUNet, UpStage


def merge_plain_stages(network: CompactUNet, exporting: bool) -> None:
    """Rewrite the decoder stages without a norm, where there are any, and what the last one is fed by and feeds."""
    for index, stage in enumerate(network.up):
        assert isinstance(stage, UpStage)
        if not isinstance(stage.enlarge, nn.Upsample) or not isinstance(stage.layers[1], nn.Identity):
            continue
        if index == len(network.up) - 1:
            network.up[index] = _BlockStage(stage, network.output, exporting)
            network.join_input = _join_in_blocks(network.join_input)  # type: ignore[assignment]
            network.output = nn.Identity()  # type: ignore[assignment]
        else:
            network.up[index] = _PlainStage(stage, exporting)


def conv_of(weight: Tensor, bias: Tensor | None, stride: int = 1, padding: int = 0) -> nn.Conv2d:
    """A convolution that has these very weights (O, I, k, k), without drawing others first."""
    outputs, inputs, size, _ = weight.shape
    conv = nn.Conv2d(inputs, outputs, size, stride, padding, bias=bias is not None, device="meta")
    conv.weight = nn.Parameter(weight.contiguous(), requires_grad=False)
    if bias is not None:
        conv.bias = nn.Parameter(bias, requires_grad=False)
    return conv


def tile(field: Tensor, height: int, width: int, exporting: bool) -> Tensor:
    """(1, C, P, P) repeated to (1, C, height, width); a traced copy must not take the example's size for all."""
    period = field.shape[2]
    if not exporting and height == width == period:  # most often, and saves a copy
        return field
    # No -(-height // period): division of negative numbers rounds the other way in ONNX.
    rows, columns = ((side + period - 1) // period for side in (height, width))
    return field.repeat(1, 1, rows, columns)[:, :, :height, :width]


class _PlainStage(nn.Module):
    """`UpStage` with its noise as one more channel of the input, so that nothing but the activation follows.

    Shape: as `UpStage`.
    """

    field: Tensor

    def __init__(self, stage: UpStage, exporting: bool) -> None:
        super().__init__()
        self.exporting = exporting
        joint, noise = stage.layers[0], stage.layers[2]
        assert isinstance(joint, nn.Conv2d)
        assert isinstance(noise, NoiseInjection)
        weight = joint.weight.new_zeros(joint.out_channels, 1, 3, 3)
        weight[:, 0, 1, 1] = noise.weight[:, 0, 0]
        self.conv = conv_of(torch.cat([joint.weight, weight], 1), joint.bias, padding=1)
        self.activation = stage.layers[3]
        self.register_buffer("field", noise.field.clone())

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        field = tile(self.field, skip.shape[2], skip.shape[3], self.exporting)
        return self.activation(  # type: ignore[no-any-return]
            self.conv(torch.cat([F.interpolate(x, scale_factor=2.0, mode="nearest"), skip, field], 1))
        )


class _BlockStage(nn.Module):
    """The last `UpStage` and the output convolution, on blocks until the very end.

    The blocks between the two convolutions lie one position up and left of those before and after: there they hold
    the positions 2i - 1 and 2i. Then a 3x3 convolution is a 2x2 one of blocks, where aligned ones need 3x3. Half of
    each block at the border lies outside of the picture, where the output convolution must find zeros.

    Shape: (N, before, H, W) and the joined input in blocks (N, 4 * skip, H, W) to (N, out_channels, 2H, 2W).
    """

    field: Tensor
    top: Tensor  # (4 * O, 1, 1), 1 where a block of the first row is inside of the picture, else 0
    left: Tensor

    def __init__(self, stage: UpStage, output: nn.Conv2d, exporting: bool) -> None:
        super().__init__()
        self.exporting = exporting
        joint, noise = stage.layers[0], stage.layers[2]
        assert isinstance(joint, nn.Conv2d)
        assert isinstance(noise, NoiseInjection)
        before = joint.in_channels - INPUT_CHANNELS
        noise_weight = F.pad(noise.weight[:, None], (1, 1, 1, 1))
        weights = [
            _enlarged_in_blocks(joint.weight[:, :before]),
            _in_blocks(joint.weight[:, before:]),
            _in_blocks(noise_weight),
        ]
        self.conv = conv_of(torch.cat(weights, 1), _four_times(joint.bias), padding=1)
        self.activation = stage.layers[3]
        self.output = conv_of(_in_blocks(output.weight), _four_times(output.bias))
        self.register_buffer("field", F.pixel_unshuffle(noise.field, 2))
        second = torch.tensor([0.0, 1.0]).to(joint.weight)
        self.register_buffer("top", second.repeat_interleave(2).repeat(joint.out_channels)[:, None, None])
        self.register_buffer("left", second.repeat(2 * joint.out_channels)[:, None, None])

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        field = tile(self.field, x.shape[2], x.shape[3], self.exporting)
        blocks = self._inside(self.activation(self.conv(torch.cat([x, skip, field], 1))))
        return F.pixel_shuffle(self.output(blocks), 2)

    def _inside(self, blocks: Tensor) -> Tensor:
        """`blocks` (1, 4 * O, H + 1, W + 1) with zeros where they lie outside of the picture."""
        if self.exporting:  # as two factors: a traced copy must not write into a map
            channels, (rows, columns) = self.output.in_channels, blocks.shape[2:]
            down = torch.cat([self.top, self.top.new_ones(1).expand(channels, rows - 2, 1), 1 - self.top], 1)
            right = torch.cat([self.left, self.left.new_ones(1).expand(channels, 1, columns - 2), 1 - self.left], 2)
            return blocks * down * right
        positions = blocks.view(-1, 2, 2, *blocks.shape[2:])
        positions[:, 0, :, 0].zero_()
        positions[:, 1, :, -1].zero_()
        positions[:, :, 0, :, 0].zero_()
        positions[:, :, 1, :, -1].zero_()
        return blocks


def _join_in_blocks(join: nn.Conv2d) -> nn.Conv2d:
    """The 1x1 convolution to (N, 4 * O, H / 2, W / 2): a 2x2 one of stride 2, each block position its own outputs."""
    outputs, inputs = join.weight.shape[:2]
    weight = join.weight.new_zeros(outputs, 4, inputs, 4)
    weight[:, range(4), :, range(4)] = join.weight[:, :, 0, 0]
    return conv_of(weight.reshape(4 * outputs, inputs, 2, 2), _four_times(join.bias), stride=2)


def _four_times(bias: Tensor | None) -> Tensor | None:
    return None if bias is None else bias.repeat_interleave(4)


def _in_blocks(weight: Tensor) -> Tensor:
    """(O, I, 3, 3) to (4 O, 4 I, 2, 2), from aligned blocks to those one position up and left, or back.

    Along one axis, to block j there, which holds positions 2j - 1 and 2j: output 2j - 1 + p meets through tap k the
    input 2j - 2 + p + k, which is position r of block j - 1 + a where p + k = 2a + r. On the way back, output 2i + p
    meets input 2i + p + k - 1, which is position r of block i + a there, by the same equation.
    """
    route = weight.new_zeros(2, 3, 2, 2)  # p, k, r, a
    for p in range(2):
        for k in range(3):
            block, r = divmod(p + k, 2)
            route[p, k, r, block] = 1
    blocks = torch.einsum("oikl,pkra,qlsb->opqirsab", weight, route, route)
    return blocks.reshape(4 * weight.shape[0], 4 * weight.shape[1], 2, 2)


def _enlarged_in_blocks(weight: Tensor) -> Tensor:
    """(O, I, 3, 3), nearest neighbour times 2 before it, to (4 O, I, 2, 2): a block of it is one value."""
    outputs, inputs = weight.shape[:2]
    return _in_blocks(weight).reshape(4 * outputs, inputs, 4, 2, 2).sum(2)
