"""Latents of named pictures: walks between them, styles of one with another's, sums and differences, variations.

Walks: Shoemake 1985 by way of `spherical`. Mixed styles: Karras et al. 2019, arXiv 1812.04948, figure 3. Arithmetic and
variations: Radford et al. 2016, arXiv 1511.06434, figure 7.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor

from pix2pix.priors.prior import Prior, linear, mix, spherical

Path = Literal["spherical", "linear"]
PATHS: dict[Path, Callable[[Tensor, Tensor, Tensor], Tensor]] = {"spherical": spherical, "linear": linear}
FIRST_OF_SIDE_16, FIRST_OF_SIDE_64 = 3, 7
# Figure 7 adds uniform noise of +-0.25 to latents that are uniform in [-1, 1], which deviate by sqrt(1/3).
VARIATION = 0.25 * math.sqrt(3)


def latents_of(prior: Prior, seeds: Sequence[int]) -> Tensor:
    """The latents z (N, z_dim) that `seeds` name: each the first of a generator of its own."""
    return torch.cat([prior.sample(1, torch.Generator().manual_seed(seed)) for seed in seeds])


def walk(keys: Tensor, places: Tensor, path: Path, loop: bool) -> Tensor:
    """Where one is at `places` (frames,) on the way through `keys` (K, ...), with `loop` back to the first.

    Place k is key k, bit for bit, K is the first again; k + 0.25 is a quarter of the way to the next. To (frames, ...).
    `spherical` is for z (K, z_dim), `linear` for w (K, layers, w_dim); which places look evenly spaced, says `paced`.
    """
    assert len(keys) >= 2, keys.shape
    stops = torch.cat([keys, keys[:1] if loop else keys[-1:]])
    legs = places.floor().long()
    shares = (places - legs).to(keys).reshape(-1, *[1] * (keys.ndim - 1))
    first, second = stops[legs], stops[(legs + 1).clamp(max=len(stops) - 1)]
    return torch.where(shares == 0, first, PATHS[path](first, second, shares))


def named_layers(name: str, layers: int) -> range:
    """The layers of a synthesis that `name` means: coarse, middle, fine, or A-B, both included, counted from 0.

    The names are those of figure 3: coarse are the maps of 4 and 8 pixels a side, middle those of 16 and 32, fine all
    from 64 on and the last layer, which colours the picture. Raises ValueError for any other name, and for layers that
    are not there.
    """
    known = {
        "coarse": range(FIRST_OF_SIDE_16),
        "middle": range(FIRST_OF_SIDE_16, FIRST_OF_SIDE_64),
        "fine": range(FIRST_OF_SIDE_64, layers),
    }
    if name in known:
        return known[name]
    bounds = re.fullmatch(r"(\d+)-(\d+)", name)
    if bounds is None or not int(bounds[1]) <= int(bounds[2]) < layers:
        raise ValueError(f"--layers {name}: expected coarse, middle, fine, or A-B within 0-{layers - 1}, as 2-5")
    return range(int(bounds[1]), int(bounds[2]) + 1)


def with_layers_of(first: Tensor, second: Tensor, chosen: range) -> Tensor:
    """w (N, layers, w_dim): that of `second` at the `chosen` layers, of `first` at the others."""
    layers = first.shape[1]
    return mix(mix(first, second, chosen.start, layers), first, chosen.stop, layers)


def arithmetic(present: Tensor, absent: Tensor, plus: Tensor) -> Tensor:
    """mean(present) - mean(absent) + mean(plus), of w (N, layers, w_dim) each: (layers, w_dim).

    In w, not in z: a StyleGAN2 normalises z, so that a mean of several, which is short, would count as much as any
    other direction, and only its mapping straightens what pictures differ in. A DCGAN's w is its z, and this is
    figure 7.
    """
    return present.mean(dim=0) - absent.mean(dim=0) + plus.mean(dim=0)


def spread(prior: Prior, truncation: float, rng: torch.Generator, samples: int = 256) -> Tensor:
    """How much each number of w varies from picture to picture: the standard deviation (w_dim,) over `samples`."""
    return prior.map(prior.sample(samples, rng), truncation)[:, 0].std(dim=0)


def variations(w: Tensor, deviation: Tensor, count: int, rng: torch.Generator) -> Tensor:
    """`count` neighbours (count, layers, w_dim) of w (layers, w_dim): uniform noise of +-`VARIATION` * `deviation`.

    `deviation` is (w_dim,); all layers of a neighbour move together, as they do between pictures.
    """
    noise = 2 * torch.rand(count, 1, w.shape[-1], generator=rng).to(w.device) - 1
    return w + VARIATION * deviation * noise
