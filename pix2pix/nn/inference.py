"""The same generator for inference, one picture at a time, with less work.

Three rewrites, exact up to rounding: what enlarges a map by two becomes a sub-pixel convolution (arXiv 1609.05158) at
the smaller size, batch norms go into the convolutions before them, and fixed noise meets its weights once.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from pix2pix.nn.blocks import InstanceNorm, NoiseInjection
from pix2pix.nn.compact import CompactUNet, UpStage
from pix2pix.nn.inference_compact import conv_of, merge_plain_stages, tile
from pix2pix.nn.unet import UNet


def simplify(generator: nn.Module, exporting: bool = False) -> nn.Module:
    """A copy of `generator` for inference, one picture at a time, equal up to rounding. Shapes stay.

    Weights that stay as they are share their memory with the generator's; a new type or layout makes them its own.
    `exporting` is for a copy that will be traced to ONNX: torch's own flag for it is true in all threads at once.
    """
    shared: dict[int, Any] = {id(weight): nn.Parameter(weight.detach(), False) for weight in generator.parameters()}
    shared |= {id(tensor): tensor.detach() for tensor in generator.buffers()}
    network = copy.deepcopy(generator, shared).eval()
    _fold_batch_norms(network)
    if isinstance(network, CompactUNet):
        merge_plain_stages(network, exporting)
        channels = network.middle[0].get_submodule("layers.0").in_channels
        for index, stage in enumerate(network.up):
            if not isinstance(stage, UpStage):
                break
            assert isinstance(channels, int)
            if isinstance(stage.enlarge, nn.Upsample):
                network.up[index] = _SplitUpStage(stage, channels)
            channels = stage.get_submodule("layers.0").out_channels
    if isinstance(network, UNet):
        innermost = network.down[-1]
        assert isinstance(innermost, nn.Sequential)
        assert isinstance(innermost[1], nn.Conv2d)
        innermost[1] = _WidenedConv(innermost[1])
    for parent in list(network.modules()):
        for name, layer in list(parent.named_children()):
            setattr(parent, name, _simplified(layer, exporting))
    return network


def _fold_batch_norms(network: nn.Module) -> None:
    for parent in [layer for layer in network.modules() if isinstance(layer, nn.Sequential)]:
        for index in range(1, len(parent)):
            norm, before, holder, place = parent[index], parent[index - 1], parent, index - 1
            if isinstance(before, nn.Sequential):  # resize and convolve
                holder, place, before = before, len(before) - 1, before[-1]
            if isinstance(norm, nn.BatchNorm2d) and isinstance(before, nn.Conv2d | nn.ConvTranspose2d):
                holder[place] = fuse_conv_bn_eval(before, norm, isinstance(before, nn.ConvTranspose2d))
                parent[index] = nn.Identity()


def _simplified(layer: nn.Module, exporting: bool) -> nn.Module:
    if isinstance(layer, nn.ConvTranspose2d):
        return _SubPixelConv(layer.weight.transpose(0, 1), layer.bias)
    if isinstance(layer, nn.Sequential) and len(layer) == 2 and isinstance(layer[0], nn.Upsample):
        assert isinstance(layer[1], nn.Conv2d)
        return _SubPixelConv(_as_transposed(layer[1].weight), layer[1].bias)
    if isinstance(layer, InstanceNorm):
        return _OnePictureNorm(layer, exporting)
    if (
        isinstance(layer, nn.Conv2d) and type(layer) is not nn.Conv2d
    ):  # variants of training, where they differ in speed
        assert isinstance(layer.padding, tuple)
        return conv_of(layer.weight, layer.bias, layer.stride[0], layer.padding[0])
    return _SettledNoise(layer, exporting) if isinstance(layer, NoiseInjection) else layer


def _as_transposed(weight: Tensor) -> Tensor:
    """The (O, I, 4, 4) transposed convolution of stride 2 that equals nearest neighbour times 2, then this 3x3 one."""
    # Along one axis: both copies of a value meet the kernel, flipped and one position apart.
    spread = weight.new_tensor([[0, 0, 1], [0, 1, 1], [1, 1, 0], [1, 0, 0]])
    return torch.einsum("ar,bs,oirs->oiab", spread, spread, weight)


class _SubPixelConv(nn.Module):
    """A 4x4 transposed convolution of stride 2 as an ordinary 2x2 one to four times the channels, and a shuffle.

    Every output sees two inputs along each axis: output 2i sees i - 1 and i, output 2i + 1 sees i and i + 1. With a
    border of one the convolution meets all of these pairs. The pair (i - 1, i) makes the outputs 2i - 1 and 2i, which
    are neighbours, so the shuffled map is the output with one position too many on every side.

    Ordinary convolutions have the better kernels: the paper's U-Net in bf16, one picture, two cores, went from 53 to
    36 ms in torch and from 50 to 20 in OpenVINO.

    Shape: (N, I, H, W) to (N, O, 2H, 2W). ``weight`` is (O, I, 4, 4).
    """

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        outputs, inputs = weight.shape[:2]
        # Slot 0 of a pair is output 2i - 1, fed by i - 1 through tap 2 and by i through tap 0; slot 1 is 2i: 3 and 1.
        taps = torch.tensor([[2, 0], [3, 1]], device=weight.device)
        kernels = weight[:, :, taps[:, None, :, None], taps[None, :, None, :]]  # (O, I, slot, slot, 2, 2)
        kernels = kernels.permute(0, 2, 3, 1, 4, 5).reshape(4 * outputs, inputs, 2, 2)
        self.conv = conv_of(kernels, None if bias is None else bias.repeat_interleave(4), padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return F.pixel_shuffle(self.conv(x), 2)[:, :, 1:-1, 1:-1]


class _WidenedConv(nn.Module):
    """A 4x4 convolution of stride 2, two columns of zeros at its right, and the output column they make cut off.

    In bf16 on CPUs with matrix units, the oneDNN in torch 2.15 and OpenVINO 2026.4 reads memory that nobody wrote
    where stride 2 leaves one output column and several rows, as for pictures as wide as the training size and twice
    as high: outputs off by 20 levels of 255 and more, different at each call. Two columns come out right.

    Shape: as the convolution's.
    """

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.conv = conv

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.pad(x, (0, 2)))[:, :, :, :-1]  # type: ignore[no-any-return]


class _SplitUpStage(nn.Module):
    """`UpStage` without its enlarged and joined maps: convolve both inputs on their own and add.

    Shape: as `UpStage`; ``before`` are the channels of its first input.
    """

    def __init__(self, stage: UpStage, before: int) -> None:
        super().__init__()
        joint = stage.layers[0]
        assert isinstance(joint, nn.Conv2d)
        self.enlarge = _SubPixelConv(_as_transposed(joint.weight[:, :before]), None)
        self.skip = copy.deepcopy(joint)
        self.skip.in_channels = joint.in_channels - before
        self.skip.weight = nn.Parameter(joint.weight[:, before:].clone(), requires_grad=False)
        self.layers = stage.layers[1:]

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        return self.layers(self.skip(skip) + self.enlarge(x))  # type: ignore[no-any-return]


class _OnePictureNorm(InstanceNorm):
    """Instance norm of a batch of one; statistics in float32 whatever the type of the map."""

    def __init__(self, norm: InstanceNorm, exporting: bool) -> None:
        super().__init__(len(norm.weight))
        self.exporting = exporting
        self.weight, self.bias, self.eps = norm.weight, norm.bias, norm.eps

    def forward(self, x: Tensor) -> Tensor:
        if torch.compiler.is_compiling():
            return self._formula(x)
        if x.device.type != "cpu" or self.exporting:
            return F.instance_norm(x, weight=self.weight, bias=self.bias, eps=self.eps)
        return F.batch_norm(x, None, None, self.weight, self.bias, True, 0.0, self.eps)


class _SettledNoise(nn.Module):
    """The fixed field of `NoiseInjection` times its weights. Shape: (N, C, H, W) to the same."""

    texture: Tensor

    def __init__(self, noise: NoiseInjection, exporting: bool) -> None:
        super().__init__()
        self.exporting = exporting
        self.register_buffer("texture", noise.field * noise.weight)

    def forward(self, x: Tensor) -> Tensor:
        return x + tile(self.texture, x.shape[2], x.shape[3], self.exporting)
