"""Instance norms whose statistics are measured once and then stay, so that parts of a picture come out as in the whole.

Instance norm (Ulyanov et al. 2016, arXiv 1607.08022) takes mean and variance over the map that it sees; of a part they
are others than of the picture. Fixed, a norm is an affine map, which goes into the convolution before it.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pix2pix.nn.blocks import InstanceNorm

N = TypeVar("N", bound=nn.Module)
TINY = 1e-6  # of variance, below that of any map that says something


class Statistics(NamedTuple):
    """What one instance norm saw: mean and variance of every channel, (C,) float32."""

    mean: Tensor
    variance: Tensor


def has_instance_norms(network: nn.Module) -> bool:
    """Whether what `network` gives for a place depends on the rest of the picture through its norms."""
    return any(isinstance(layer, InstanceNorm) for layer in network.modules())


@torch.inference_mode()
def measure(network: nn.Module, batch: Tensor, corrections: Sequence[Correction] | None = None) -> list[Statistics]:
    """Of every instance norm of `network`, in their order, over all of `batch` (N, C, H, W) together.

    Every layer sees what it would see, were the batch one picture: each norm uses what it measures, corrected where
    there are `corrections`. `network` is rebuilt for it, and of no other use afterwards; what follows its last norm is
    not computed.
    """
    measured: list[Statistics] = []
    norms = _replace(
        network, lambda norm, index: _JointNorm(norm, measured, None if corrections is None else corrections[index])
    )
    if not norms:
        return []
    norms[-1].is_last = True
    with contextlib.suppress(_Measured):
        network(batch)
    assert len(measured) == len(norms), "a norm was passed twice or never"
    return measured


class Correction(NamedTuple):
    """From the statistics of a sample to those of all: what is added to the mean, and a factor of the variance."""

    shift: Tensor
    factor: Tensor


def corrections(of_sample: Sequence[Statistics], of_all: Sequence[Statistics]) -> list[Correction]:
    """Of every norm, from statistics of the same network with the same norms before that one."""
    return [
        Correction(whole.mean - part.mean, (whole.variance + TINY) / (part.variance + TINY))
        for part, whole in zip(of_sample, of_all, strict=True)
    ]


class Recount:
    """Statistics of a picture from all of its parts, each passed through norms that use earlier ones.

    Every layer is counted as it is after those: what a few windows got wrong is nearly right after one count.
    """

    def __init__(self, network: nn.Module, statistics: Sequence[Statistics]) -> None:
        """`network` is rebuilt for it, and of no other use afterwards."""
        self._network = network
        self._norms: list[_CountingNorm] = _replace(
            network, lambda norm, index: _CountingNorm(_fixed_norm(norm, statistics[index]))
        )
        self._norms[-1].is_last = True

    @torch.inference_mode()
    def add(self, part: Tensor, rows: tuple[int, int], columns: tuple[int, int]) -> None:
        """Count `rows` and `columns`, first and after the last, of (1, C, H, W); the rest is only seen.

        Over all parts every pixel of the picture should be counted once.
        """
        height, width = part.shape[2:]
        for norm in self._norms:
            norm.inside = rows[0] / height, rows[1] / height, columns[0] / width, columns[1] / width
        with contextlib.suppress(_Measured):
            self._network(part)

    def statistics(self) -> list[Statistics]:
        return [norm.statistics() for norm in self._norms]


def fix(generator: nn.Module, statistics: Sequence[Statistics]) -> nn.Module:
    """A copy of `generator` whose instance norms use `statistics`, of `measure`, whatever they see; weights are shared.

    They become batch norms in eval mode, which `simplify` merges with the convolutions.
    """
    network = shared_copy(generator)
    norms = _replace(network, lambda norm, index: _fixed_norm(norm, statistics[index]))
    assert len(norms) == len(statistics)
    return network


def shared_copy(generator: nn.Module) -> nn.Module:
    """A copy in eval mode that has the same weights in memory, and modules and fixed noise of its own."""
    shared: dict[int, Any] = {id(weight): nn.Parameter(weight.detach(), False) for weight in generator.parameters()}
    return copy.deepcopy(generator, shared).eval()


class _Measured(Exception):
    """The last norm has its statistics."""


class _JointNorm(nn.Module):
    """Instance norm over all pictures of a batch together, which notes its statistics. Shape: (N, C, H, W) to same."""

    def __init__(self, norm: InstanceNorm, measured: list[Statistics], correction: Correction | None) -> None:
        super().__init__()
        self.weight, self.bias, self.eps = norm.weight, norm.bias, norm.eps
        self.measured, self.correction = measured, correction
        self.is_last = False

    def forward(self, x: Tensor) -> Tensor:
        output, (mean, variance) = _joint_norm(x, self.weight, self.bias, self.eps)
        if self.correction is not None:
            mean, variance = mean + self.correction.shift, variance * self.correction.factor
            output = F.batch_norm(x, mean, variance, self.weight, self.bias, False, 0.0, self.eps)
        self.measured.append(Statistics(mean, variance))
        if self.is_last:
            raise _Measured
        return output


class _CountingNorm(nn.Module):
    """A norm with fixed statistics that counts what it sees in the part `inside`, given as shares of the sides."""

    inside: tuple[float, float, float, float]

    def __init__(self, norm: nn.BatchNorm2d) -> None:
        super().__init__()
        self.norm = norm
        self.is_last = False
        self._counted = 0
        self._sum = self._squares = torch.zeros(norm.num_features, dtype=torch.float64)

    def forward(self, x: Tensor) -> Tensor:
        top, bottom, left, right = (
            round(share * side) for share, side in zip(self.inside, (*x.shape[2:3] * 2, *x.shape[3:] * 2), strict=True)
        )
        seen = x[:, :, top:bottom, left:right]
        count = seen.numel() // seen.shape[1]
        _, (mean, variance) = _joint_norm(seen, self.norm.weight, self.norm.bias, self.norm.eps)
        mean, variance = mean.double().cpu(), variance.double().cpu()
        self._sum = self._sum + count * mean
        self._squares = self._squares + count * (variance + mean**2)
        self._counted += count
        if self.is_last:
            raise _Measured
        return self.norm(x)  # type: ignore[no-any-return]

    def statistics(self) -> Statistics:
        mean = self._sum / self._counted
        variance = (self._squares / self._counted - mean**2).clamp_min(0)
        place = self.norm.weight.device
        return Statistics(mean.float().to(place), variance.float().to(place))


def _joint_norm(x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> tuple[Tensor, Statistics]:
    """`x` normalised over all of its pictures, and with which statistics."""
    # Batch norm's own sums: much faster than torch.var_mean over maps whose channels lie last.
    mean, variance = torch.zeros_like(bias), torch.zeros_like(bias)
    output = F.batch_norm(x, mean, variance, weight, bias, True, 1.0, eps)
    count = x.numel() // x.shape[1]
    return output, Statistics(mean, variance * ((count - 1) / count))  # it notes the unbiased variance


def _fixed_norm(norm: InstanceNorm, statistics: Statistics) -> nn.BatchNorm2d:
    fixed = nn.BatchNorm2d(len(norm.weight), eps=norm.eps, device=norm.weight.device)
    fixed.weight, fixed.bias = norm.weight, norm.bias
    fixed.running_mean, fixed.running_var = statistics.mean.clone(), statistics.variance.clone()
    return fixed.eval()


def _replace(network: nn.Module, made: Callable[[InstanceNorm, int], N]) -> list[N]:
    """Put `made(norm, index)` in the place of every instance norm; the new ones, in the order they are passed."""
    replaced: list[N] = []
    for name, layer in list(network.named_modules()):
        if isinstance(layer, InstanceNorm):
            replaced.append(made(layer, len(replaced)))
            network.set_submodule(name, replaced[-1])
    return replaced
