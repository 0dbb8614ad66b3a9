"""Directions in a prior's latent space that change its pictures most: GANSpace, Harkonen et al. 2020, arXiv 2004.02546.

Principal axes of w over many samples, section 3.1. Where w is z itself all axes are alike; there pictures are regressed
on w, and the axes are those along which they then change most: the paper's section 3.2 regresses the other way, which
leaves the weaker axes to chance. The paper orders axes by the spread of w; what a step along one does to a picture is
another matter, so the widest are taken, and ordered by how much a standard deviation changes pictures: in pixels, which
needs no judging network, and counts a change of light or ground as one of shape.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from pix2pix.priors.judging import AT_ONCE
from pix2pix.priors.prior import Prior

CANDIDATES = 2  # widest axes that are looked at for each one that is wanted
LOOKED_AT = 8  # pictures in which the change along each is measured; of 24 in place of 8 the order is nearly the same
PICTURES = 1024  # that are made for a regression
SIDE = 16  # pixels to which those are shrunk
LEVELS = 127.5  # of 255, of one unit of [-1, 1]


@dataclass(frozen=True)
class Directions:
    """Axes of w, the one that changes pictures most first; along each, pictures get brighter rather than darker."""

    mean: Tensor  # (D,), of w
    axes: Tensor  # (count, D), of length 1
    spread: Tensor  # (count,), the standard deviation of w along each
    change: Tensor  # (count,), of pictures by one standard deviation: root mean square, in levels of 255

    def step(self, shifts: tuple[float, ...]) -> Tensor:
        """What to add to a row of w to go `shifts` standard deviations along the first directions: (D,)."""
        assert len(shifts) <= len(self.axes), (len(shifts), len(self.axes))
        amounts = torch.tensor(shifts, dtype=self.axes.dtype, device=self.axes.device)
        return (amounts * self.spread[: len(shifts)]) @ self.axes[: len(shifts)]


@torch.no_grad()
def principal(prior: Prior, count: int = 8, samples: int = 4096, seed: int = 0) -> Directions:
    """The `count` directions of `prior` (fewer where w has fewer numbers), found from `samples` latents of `seed`."""
    z = prior.sample(samples, torch.Generator().manual_seed(seed))
    w = torch.cat([prior.map(part)[:, 0] for part in torch.split(z, 1024)])
    candidates = min(CANDIDATES * count, w.shape[1])
    mean = w.mean(dim=0)
    axes = _axes_of_pictures(prior, w[:PICTURES], candidates) if prior.layers == 1 else _axes(w - mean, candidates)
    spread = ((w - mean) @ axes.T).std(dim=0)
    changes = _changes(prior, w[:LOOKED_AT], axes * spread[:, None])
    # Which end is which says nothing: the brighter one is taken.
    axes = axes * torch.where(changes.mean(dim=(1, 2)) < 0, -1, 1)[:, None]
    change = changes.square().mean(dim=(1, 2)).sqrt() * LEVELS
    order = change.argsort(descending=True, stable=True)[:count]
    return Directions(mean, axes[order], spread[order], change[order])


def _axes(centred: Tensor, count: int) -> Tensor:
    """Of rows (N, D) around 0: the `count` axes (count, D) along which they spread most."""
    covariance = centred.double().T @ centred.double()
    axes: Tensor = torch.linalg.eigh(covariance).eigenvectors.flip(1)[:, :count].T
    return axes.to(centred.dtype)


def _axes_of_pictures(prior: Prior, w: Tensor, count: int) -> Tensor:
    """Of w (N, D): the `count` axes (count, D) along which a linear regression of the pictures changes most."""
    small = []
    for part in torch.split(w, AT_ONCE):
        pictures = prior.synthesize(part[:, None].expand(-1, prior.layers, -1))
        small.append(F.interpolate(pictures, size=(SIDE, SIDE), mode="area").flatten(1))
    pictures = torch.cat(small)
    pictures = pictures - pictures.mean(dim=0)
    effect: Tensor = torch.linalg.lstsq(w - w.mean(dim=0), pictures).solution
    return _axes(effect.T, count)


def _changes(prior: Prior, w: Tensor, steps: Tensor) -> Tensor:
    """What each of `steps` (K, D) does to the pictures of w (N, D): (K, N, values), a central difference."""
    changes = []
    for step in steps:
        ends = torch.cat([w + step, w - step])[:, None].expand(-1, prior.layers, -1)
        brighter, darker = prior.synthesize(ends).clamp(-1, 1).flatten(1).chunk(2)
        changes.append((brighter - darker) / 2)
    return torch.stack(changes)
