"""What every prior can do: draw latents z, map them to the w that synthesis takes, make pictures of w; paths between.

The names are those of Karras et al. 2019, arXiv 1812.04948: z is drawn from N(0, 1), w = map(z) has a row for each
layer of the synthesis.
"""

from __future__ import annotations

from typing import Literal, Protocol

import torch
from torch import Tensor

Noise = Literal["fixed", "fresh", "none"] | torch.Generator
"""Where the noise inputs of a synthesis come from.

- `fixed`: one field for each layer, the same for every picture and call
- `fresh`: drawn for each picture from torch's global generator, as in training
- `none`: no noise
- a generator: drawn for each picture from it
"""


class Prior(Protocol):
    """A trained generator. `z` is (N, z_dim) or, with a latent for each layer, (N, layers, z_dim); see `mix`."""

    z_dim: int
    w_dim: int
    size: int  # of the pictures' sides
    layers: int  # rows of w

    def sample(self, count: int, rng: torch.Generator | None = None) -> Tensor:
        """Latents (count, z_dim); see `latents`."""
        ...

    def map(self, z: Tensor, truncation: float = 1.0) -> Tensor:
        """w (N, layers, w_dim) of `z`. `truncation` in [0, 1] moves it towards the mean: fewer kinds, better ones."""
        ...

    def synthesize(self, w: Tensor, noise: Noise = "fixed") -> Tensor:
        """Pictures (N, 3, size, size) of w (N, layers, w_dim), in [-1, 1]; see the family on what may exceed it."""
        ...

    def __call__(self, z: Tensor, noise: Noise = "fixed", truncation: float = 1.0) -> Tensor:
        """`synthesize(map(z, truncation), noise)`."""
        ...

    def track(self, z: Tensor, share: float) -> None:
        """Move the running mean of w by `share` towards that of `z`; nothing where the mean is known."""
        ...


def latents(count: int, z_dim: int, rng: torch.Generator | None = None) -> Tensor:
    """(count, z_dim) from N(0, 1), on the generator's device; None is torch's global one.

    The first rows of a larger count are those of a smaller one: a seed names the same pictures, however many.
    """
    device = None if rng is None else rng.device
    # Row by row: one call for all takes other numbers for other counts.
    return torch.stack([torch.randn(z_dim, generator=rng, device=device) for _ in range(count)])


def truncate(w: Tensor, mean: Tensor, truncation: float) -> Tensor:
    """mean + truncation * (w - mean); Karras et al. 2019, appendix B. At 0 all are the mean."""
    return w if truncation == 1 else mean + truncation * (w - mean)


def mix(first: Tensor, second: Tensor, crossing: Tensor | int, layers: int) -> Tensor:
    """Style mixing, Karras et al. 2019, section 3.1: layers before `crossing` take `first`, the others `second`.

    Latents or w (N, D), or (N, layers, D), to (N, layers, D). `crossing` is one number or one for each picture (N,);
    at 0 all layers take `second`, at `layers` all take `first`.
    """
    first, second = (_by_layer(each, layers) for each in (first, second))
    where = torch.as_tensor(crossing, device=first.device).reshape(-1, 1)
    before = torch.arange(layers, device=first.device) < where
    return torch.where(before[:, :, None], first, second)


def _by_layer(rows: Tensor, layers: int) -> Tensor:
    rows = rows if rows.ndim == 3 else rows[:, None].expand(-1, layers, -1)
    assert rows.shape[1] == layers, (rows.shape, layers)
    return rows


def linear(first: Tensor, second: Tensor, share: Tensor | float) -> Tensor:
    """first + share * (second - first): the path between two w. `share` in [0, 1], a number or broadcast."""
    return first + share * (second - first)


def spherical(first: Tensor, second: Tensor, share: Tensor | float) -> Tensor:
    """The path between two latents z that keeps their norms: along the great circle; Shoemake 1985, eq. 1.

    A straight line would pass near 0, where N(0, 1) of many dimensions has next to nothing. Norms go linearly from
    that of `first` (..., D) to that of `second`. Directions that are equal or opposite have no circle, and take the
    line. `share` in [0, 1], a number or broadcast against (..., 1).
    """
    norms = [each.norm(dim=-1, keepdim=True).clamp_min(1e-12) for each in (first, second)]
    one, other = first / norms[0], second / norms[1]
    angle = torch.acos((one * other).sum(dim=-1, keepdim=True).clamp(-1, 1))
    sine = torch.sin(angle)
    no_circle = sine < 1e-3
    sine = torch.where(no_circle, 1, sine)
    share = torch.as_tensor(share, dtype=first.dtype, device=first.device)
    circle = (torch.sin((1 - share) * angle) * one + torch.sin(share * angle) * other) / sine
    along = circle * linear(norms[0], norms[1], share)
    return torch.where(no_circle, linear(first, second, share), along)


def check_size(size: int, least: int) -> None:
    """Raise ValueError unless `size` is a power of two of at least `least`: generators double from a small map."""
    if size < least or size & (size - 1):
        raise ValueError(f"size: got {size}, expected a power of two from {least} on; use 64, 128 or 256")
