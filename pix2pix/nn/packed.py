"""A network for inference in bfloat16, its weights laid out in memory as the processor reads them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from pix2pix.nn.blocks import InstanceNorm


def in_bf16(network: nn.Module) -> nn.Module:
    """`network` itself in bf16, but for the norms, whose few numbers cost nothing in float32."""
    for layer in network.modules():
        if not isinstance(layer, InstanceNorm | nn.BatchNorm2d):
            for tensor in (*layer.parameters(recurse=False), *layer.buffers(recurse=False)):
                tensor.data = tensor.data.to(torch.bfloat16)
    return network.to(memory_format=torch.channels_last)


def has_fast_bf16() -> bool:
    """Whether the processor multiplies in bf16; elsewhere oneDNN converts back and forth, which takes longer."""
    return bool(torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported())


class _PackedConv(nn.Module):
    """A convolution whose weights lie in memory as the CPU's matrix units read them, rearranged once.

    Else that happens at every call. Shape: as the convolution's.
    """

    weight: Tensor

    def __init__(self, conv: nn.Conv2d, shape: Sequence[int]) -> None:
        super().__init__()
        assert isinstance(conv.padding, tuple)
        self.geometry = (conv.padding, conv.stride, conv.dilation, conv.groups)
        plain = conv.weight.data.contiguous().to_mkldnn()
        reorder: Any = torch._C._nn.mkldnn_reorder_conv2d_weight  # its stub is wrong
        self.register_buffer("weight", reorder(plain, *self.geometry, list(shape)))
        self.bias = conv.bias

    def forward(self, x: Tensor) -> Tensor:
        return torch.mkldnn_convolution(x, self.weight, self.bias, *self.geometry)


def pack_heavy_convolutions(network: nn.Module, example: Tensor) -> None:
    """Pack what has far more weights than inputs, where rearranging is most of the work.

    Elsewhere the packed layout is not the fastest one: with all of them packed, the compact generator took 1.7 times as
    long.
    The paper's U-Net, one picture, two cores: 36 ms without, 29 with.
    """
    shapes: dict[nn.Module, torch.Size] = {}

    def note(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        shapes[layer] = inputs[0].shape

    hooks = [layer.register_forward_pre_hook(note) for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    with torch.inference_mode():
        network(example)
    for hook in hooks:
        hook.remove()
    for parent in list(network.modules()):
        for name, layer in list(parent.named_children()):
            if not isinstance(layer, nn.Conv2d) or layer.padding_mode != "zeros":
                continue
            if layer.weight.numel() > 4 * shapes[layer].numel():
                setattr(parent, name, _PackedConv(layer, shapes[layer]))
