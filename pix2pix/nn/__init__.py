"""Networks by name: image-to-image generators, and the discriminators that judge them."""

from collections.abc import Callable
from typing import Literal

import torch
from torch import nn

from pix2pix.nn.blocks import Norm, Upsampling, initialise, set_stochastic
from pix2pix.nn.compact import CompactUNet
from pix2pix.nn.patchgan import PatchGAN, ReceptiveField
from pix2pix.nn.resnet import ResNetGenerator
from pix2pix.nn.unet import UNet

__all__ = [
    "GENERATORS",
    "GeneratorName",
    "Norm",
    "ReceptiveField",
    "Upsampling",
    "build_discriminator",
    "build_generator",
    "initialise",
    "set_stochastic",
]

GeneratorName = Literal["unet", "encoder_decoder", "resnet6", "resnet9", "compact_unet"]

# in_channels, out_channels, size, width, norm, dropout, upsampling; None takes the generator's own default.
Builder = Callable[[int, int, int, int | None, Norm, float | None, Upsampling | None], nn.Module]


def _unet(skips: bool) -> Builder:
    def build(
        in_channels: int,
        out_channels: int,
        size: int,
        width: int | None,
        norm: Norm,
        dropout: float | None,
        upsampling: Upsampling | None,
    ) -> nn.Module:
        dropout = 0.5 if dropout is None else dropout
        return UNet(in_channels, out_channels, size, width or 64, norm, dropout, upsampling or "transposed", skips)

    return build


def _resnet(blocks: int) -> Builder:
    def build(
        in_channels: int,
        out_channels: int,
        size: int,
        width: int | None,
        norm: Norm,
        dropout: float | None,
        upsampling: Upsampling | None,
    ) -> nn.Module:
        del size  # fully convolutional: nothing depends on it
        upsampling = upsampling or "transposed"
        return ResNetGenerator(in_channels, out_channels, blocks, width or 64, norm, dropout or 0.0, upsampling)

    return build


def _compact_unet(
    in_channels: int,
    out_channels: int,
    size: int,
    width: int | None,
    norm: Norm,
    dropout: float | None,
    upsampling: Upsampling | None,
) -> nn.Module:
    return CompactUNet(in_channels, out_channels, size, width or 32, norm, dropout or 0.0, upsampling or "resize")


GENERATORS: dict[GeneratorName, Builder] = {
    "unet": _unet(skips=True),
    "encoder_decoder": _unet(skips=False),
    "resnet6": _resnet(6),
    "resnet9": _resnet(9),
    "compact_unet": _compact_unet,
}


def build_generator(
    name: GeneratorName,
    in_channels: int,
    out_channels: int,
    *,
    size: int = 256,
    width: int | None = None,
    norm: Norm = "instance",
    dropout: float | None = None,
    upsampling: Upsampling | None = None,
    rng: torch.Generator | None = None,
) -> nn.Module:
    """Return the generator ``name`` with the paper's initial weights, drawn from ``rng`` (None: torch's global one).

    It maps (N, in_channels, H, W) to (N, out_channels, H, W) in [-1, 1]. Its attribute ``multiple`` tells what the
    sides must be multiples of. ``size`` is the side of the training pictures, for those whose levels follow from it.
    None for ``width``, ``dropout`` or ``upsampling`` takes the generator's own default.
    """
    network = GENERATORS[name](in_channels, out_channels, size, width, norm, dropout, upsampling)
    initialise(network, rng)
    return network


def build_discriminator(
    target_channels: int,
    source_channels: int = 0,
    *,
    receptive_field: ReceptiveField = 70,
    width: int = 64,
    norm: Norm = "instance",
    spectral: bool = False,
    rng: torch.Generator | None = None,
) -> PatchGAN:
    """Return a `PatchGAN` with the paper's initial weights; ``source_channels`` 0 makes it unconditional."""
    network = PatchGAN(target_channels, source_channels, receptive_field, width, norm, spectral)
    initialise(network, rng)
    return network
