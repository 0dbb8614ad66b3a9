"""What became of a picture as a function A with gradients: holes, fewer pixels, blur, JPEG, grey, fewer levels.

Each does to a tensor what the function of `data.conditions` of its name does to a picture, without rounding. Pictures
x are (N, 3, H, W) float32 in [-1, 1], one channel behind a `Gray`; what is observed, y, is on the same scale.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pix2pix.data.conditions.degradations import Interpolation, compress
from pix2pix.images import fill_smoothly

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as `images.to_gray`
POWER_STEPS = 30

Size = tuple[int, int]
"""Height and width."""


class Operator(Protocol):
    """A map A from a picture of `size` to what is observed of it."""

    @property
    def is_linear(self) -> bool: ...

    @property
    def size(self) -> Size:
        """Of the pictures that it takes."""

    @property
    def known(self) -> Tensor | None:
        """(1, 1 or 3, h, w), 1 where y tells something and 0 elsewhere; None where all of it does."""

    def forward(self, x: Tensor) -> Tensor:
        """y of x. Differentiable; what rounds passes gradients straight through."""

    def start(self, y: Tensor) -> Tensor:
        """A picture (N, C, H, W) to begin with and to show, made of y (N, C, h, w) without any prior."""


@dataclass(frozen=True)
class Identity:
    """All is seen, but for noise."""

    size: Size
    is_linear: bool = True
    known: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        return x

    def start(self, y: Tensor) -> Tensor:
        return y


@dataclass(frozen=True, eq=False)
class Mask:
    """Holes: y = known * x. `known` is (1, 1 or 3, H, W), 1 where the picture is known and 0 in its holes."""

    known: Tensor
    is_linear: bool = True

    @property
    def size(self) -> Size:
        return self.known.shape[2], self.known.shape[3]

    def forward(self, x: Tensor) -> Tensor:
        return x * self.known

    def start(self, y: Tensor) -> Tensor:
        """Holes filled smoothly, each channel by its own where they are not the same in all."""
        filled = y.clone()
        for channel, holed in enumerate(self.known[0].expand(y.shape[1], -1, -1) > 0):
            known = holed.cpu().numpy()
            for picture in filled:
                plane = picture[channel].cpu().numpy()[:, :, None].repeat(3, axis=2)
                picture[channel] = torch.from_numpy(fill_smoothly(plane, known)[:, :, 0].copy())
        return filled


@dataclass(frozen=True)
class Downsample:
    """Smaller by a whole factor; see `degradations.shrink`. Rows and columns that do not fill a pixel are not seen."""

    size: Size
    factor: int
    kind: Interpolation = "bicubic"
    is_linear: bool = True
    known: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        height, width = (side // self.factor for side in self.size)
        x = x[:, :, : height * self.factor, : width * self.factor]
        if self.kind == "area":
            return F.avg_pool2d(x, self.factor)
        return F.interpolate(x, (height, width), mode="bicubic", antialias=True)

    def start(self, y: Tensor) -> Tensor:
        covered = (y.shape[2] * self.factor, y.shape[3] * self.factor)
        enlarged = F.interpolate(y, covered, mode="bicubic").clamp(-1, 1)
        rest = (0, self.size[1] - covered[1], 0, self.size[0] - covered[0])
        return F.pad(enlarged, rest, mode="replicate")


@dataclass(frozen=True, eq=False)
class Blur:
    """Convolution with a kernel (K,), separable, or (K, L), the picture reflected at its border; see `blur_with`."""

    size: Size
    kernel: Tensor
    is_linear: bool = True
    known: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        first = self.kernel[:, None] if self.kernel.ndim == 1 else self.kernel
        rows, columns = (self.kernel.shape[0] // 2, self.kernel.shape[-1] // 2)
        x = x[:, :, reflected(x.shape[2], rows)][:, :, :, reflected(x.shape[3], columns)]
        planes = F.conv2d(x.flatten(0, 1)[:, None], first.flip(0, 1)[None, None])
        if self.kernel.ndim == 1:
            planes = F.conv2d(planes, self.kernel.flip(0)[None, None, None])
        return planes.view(*x.shape[:2], *planes.shape[2:])

    def start(self, y: Tensor) -> Tensor:
        return y


@dataclass(frozen=True)
class Gray:
    """ITU-R BT.601 luma of three channels, as one."""

    size: Size
    is_linear: bool = True
    known: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        return LUMA[0] * x[:, :1] + LUMA[1] * x[:, 1:2] + LUMA[2] * x[:, 2:]

    def start(self, y: Tensor) -> Tensor:
        return y.expand(-1, 3, -1, -1)


@dataclass(frozen=True)
class Repeat:
    """Grey as three equal channels, which is how grey pictures have holes."""

    size: Size
    is_linear: bool = True
    known: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        return x.expand(-1, 3, -1, -1)

    def start(self, y: Tensor) -> Tensor:
        return y.mean(dim=1, keepdim=True)


@dataclass(frozen=True)
class Jpeg:
    """What is left after saving as JPEG of `quality`, by OpenCV's own; gradients pass straight through.

    kornia's differentiable JPEG rounds by a polynomial: at qualities of 20 to 80 it is off by 1.3 to 2 levels of 255 on
    average and by 15 to 22 at most, a third of what JPEG itself does.
    """

    size: Size
    quality: int
    is_linear: bool = False
    known: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        return straight_through(x, self._saved)

    def _saved(self, x: Tensor) -> Tensor:
        levels = ((x.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).cpu().numpy()
        saved = np.stack([compress(picture, self.quality) for picture in levels])
        return torch.from_numpy(saved).permute(0, 3, 1, 2).to(x) / 127.5 - 1

    def start(self, y: Tensor) -> Tensor:
        return y


@dataclass(frozen=True)
class Quantize:
    """Each value at the nearest of `levels` evenly spaced ones; gradients pass straight through."""

    size: Size
    levels: int
    is_linear: bool = False
    known: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        return straight_through(x, self._rounded)

    def _rounded(self, x: Tensor) -> Tensor:
        steps = self.levels - 1
        return ((x.clamp(-1, 1) + 1) / 2 * steps).round() / steps * 2 - 1

    def start(self, y: Tensor) -> Tensor:
        return y


@dataclass(frozen=True)
class Composition:
    """One after the other, `parts[0]` first. Only the last one may have holes."""

    parts: tuple[Operator, ...]

    def __post_init__(self) -> None:
        assert self.parts
        assert all(part.known is None for part in self.parts[:-1]), "only the last operator may have holes"

    @property
    def size(self) -> Size:
        return self.parts[0].size

    @property
    def is_linear(self) -> bool:
        return all(part.is_linear for part in self.parts)

    @property
    def known(self) -> Tensor | None:
        return self.parts[-1].known

    def forward(self, x: Tensor) -> Tensor:
        for part in self.parts:
            x = part.forward(x)
        return x

    def start(self, y: Tensor) -> Tensor:
        for part in reversed(self.parts):
            y = part.start(y)
        return y


def compose(parts: Sequence[Operator], size: Size) -> Operator:
    """All of `parts`, the first one first; of none the identity on pictures of `size`."""
    if not parts:
        return Identity(size)
    return parts[0] if len(parts) == 1 else Composition(tuple(parts))


def adjoint(operator: Operator, y: Tensor) -> Tensor:
    """A^T y (N, 3, H, W) of y (N, C, h, w), exactly: <A x, y> = <x, A^T y>. For linear operators.

    It is what autograd makes of A: no second way to be wrong.
    """
    assert operator.is_linear, operator
    return pulled_back(operator, torch.zeros(len(y), 3, *operator.size, device=y.device), y)


def pulled_back(operator: Operator, x: Tensor, y: Tensor) -> Tensor:
    """y times the Jacobian of A at x, straight through what rounds: (N, 3, H, W)."""
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(operator.forward(x), x, y)
    return gradient


def squared_norm(operator: Operator, rng: torch.Generator) -> float:
    """The largest eigenvalue of A^T A, by power iteration; from below, and near it."""
    x = torch.randn(1, 3, *operator.size, generator=rng)
    zero, eigenvalue = torch.zeros_like(x), 0.0
    for _ in range(POWER_STEPS):
        x = x / x.norm().clamp_min(1e-12)
        x = pulled_back(operator, zero, operator.forward(x))
        eigenvalue = float(x.norm())
    return eigenvalue


def unseen(operator: Operator, x: Tensor, norm: float) -> Tensor:
    """<x, (1 - A^T A / |A|^2) x> a value, (N,): of x (N, 3, H, W) what A does not see; `norm` is `squared_norm`."""
    seen = operator.forward(x)
    seen = seen if operator.known is None else seen * operator.known
    return (x.square().sum(dim=(1, 2, 3)) - seen.square().sum(dim=(1, 2, 3)) / max(norm, 1e-6)) / x[0].numel()


def straight_through(x: Tensor, function: Callable[[Tensor], Tensor]) -> Tensor:
    """function(x), with the gradient of x: Bengio et al. 2013, arXiv 1308.3432."""
    with torch.no_grad():
        change = function(x) - x
    return x + change


def reflected(side: int, reach: int) -> Tensor:
    """Numbers of the rows from -reach to side + reach - 1, mirrored at the first and last, however often."""
    return torch.from_numpy(np.pad(np.arange(side), reach, mode="reflect"))
