"""The paper's discriminators: fully convolutional, one score for every overlapping patch (arXiv 1611.07004, 6.1.2)."""

from collections.abc import Sequence
from typing import Literal, overload

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from pix2pix.nn.blocks import Norm, make_norm

ReceptiveField = Literal[1, 16, 70, 286]

# (kernel, stride, channels as a multiple of the width) of every convolution but the last, which gives the score.
LAYERS: dict[ReceptiveField, list[tuple[int, int, int]]] = {
    1: [(1, 1, 1), (1, 1, 2)],
    16: [(4, 2, 1), (4, 1, 2)],
    70: [(4, 2, 1), (4, 2, 2), (4, 2, 4), (4, 1, 8)],
    286: [(4, 2, 1), (4, 2, 2), (4, 2, 4), (4, 2, 8), (4, 2, 8), (4, 1, 8)],
}


def receptive_field(layers: Sequence[tuple[int, int]]) -> int:
    """Return the side of the square of input pixels that one output of the (kernel, stride) ``layers`` sees."""
    side = 1
    for kernel, stride in reversed(layers):
        side = (side - 1) * stride + kernel
    return side


class PatchGAN(nn.Module):
    """Score patches of a picture as real (high) or made (low); raw scores, no sigmoid.

    With ``source_channels`` above 0 it is conditional: it sees the source stacked in front of the target. The first
    and the last layer have no norm. ``spectral`` bounds every layer by its largest singular value (arXiv 1802.05957),
    usually with ``norm="none"``.

    Sides must leave more than one value in every map that is normalised: 16, 32 and 128 suffice for 16, 70 and 286.

    Shape: target (N, target_channels, H, W), source (N, source_channels, H, W) or None, to scores (N, 1, h, w). With
    ``return_features``, a list of the activated maps of every layer and last the scores, for feature matching.
    """

    def __init__(
        self,
        target_channels: int,
        source_channels: int = 0,
        receptive_field: ReceptiveField = 70,
        width: int = 64,
        norm: Norm = "instance",
        spectral: bool = False,
    ) -> None:
        super().__init__()
        self.source_channels = source_channels
        self.stages = nn.ModuleList()
        before = target_channels + source_channels
        kernel = 1
        for index, (kernel, stride, multiple) in enumerate(LAYERS[receptive_field]):
            after = width * multiple
            stage_norm: Norm = "none" if index == 0 else norm
            convolution = nn.Conv2d(before, after, kernel, stride, padding=kernel // 4, bias=stage_norm == "none")
            layers = [_bounded(convolution, spectral), make_norm(stage_norm, after), nn.LeakyReLU(0.2)]
            self.stages.append(nn.Sequential(*layers))
            before = after
        self.stages.append(_bounded(nn.Conv2d(before, 1, kernel, padding=kernel // 4), spectral))

    @overload
    def forward(
        self, target: Tensor, source: Tensor | None = None, return_features: Literal[False] = False
    ) -> Tensor: ...

    @overload
    def forward(
        self, target: Tensor, source: Tensor | None = None, *, return_features: Literal[True]
    ) -> list[Tensor]: ...

    def forward(
        self, target: Tensor, source: Tensor | None = None, return_features: bool = False
    ) -> Tensor | list[Tensor]:
        assert (source is not None) == (self.source_channels > 0), "a source is for conditional discriminators only"
        x = target if source is None else torch.cat([source, target], dim=1)
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return features if return_features else x


def _bounded(convolution: nn.Conv2d, spectral: bool) -> nn.Module:
    return spectral_norm(convolution) if spectral else convolution
