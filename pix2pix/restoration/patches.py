"""Patches that are alike in a picture tell together what each of them hides: noise, or holes.

NL-Bayes, Lebrun, Buades and Morel 2013, "A nonlocal Bayesian image denoising algorithm", algorithm 1; the variance of
the noise may be another for each value. Holes are noise without bound: what is known of a patch tells the rest of it by
how patches like it vary, as in Yu, Sapiro and Mallat 2012, "Solving inverse problems with piecewise linear estimators",
section III.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

CHUNK = 256  # patches whose likes are looked for at once


@dataclass(frozen=True)
class Pass:
    """One pass over a picture."""

    patch: int  # side, in pixels
    alike: int  # patches that are filtered together
    reach: int  # pixels to each side in which they are looked for
    stride: int = 2  # from one patch that others are compared with to the next


# Chosen on pictures of `dev`, by PSNR and LPIPS.
FIRST = Pass(patch=3, alike=120, reach=12)
SECOND = Pass(patch=3, alike=20, reach=8)
HOLES = Pass(patch=3, alike=40, reach=8)

LOOSE = 2 / 127.5  # deviation of a known value from what its patch's likes may tell of it
UNKNOWN = 2.0  # that of one that may be anything
SLACK = 0.4 / 127.5  # by which patches vary at least, so that equal ones can be told apart from holes


def nl_bayes(y: Tensor, variance: Tensor, pilot: Tensor | None, settings: Pass) -> Tensor:
    """y (C, H, W) without its noise, whose `variance` is (C, H, W): the mean of all that is known of each pixel.

    For each patch the most alike ones around it are a sample of N(m, S), and each of them becomes
    m + S (S + V)^-1 (y - m). m and S are those of the pilot's patches; without a `pilot` of y's own, less V.
    """
    likeness = y if pilot is None else pilot
    side = settings.patch
    rows, columns = y.shape[1] - side + 1, y.shape[2] - side + 1
    mean_of_all = _Mean(y, side)
    patches, guides, noises = (_patches(each, side) for each in (y, likeness, variance))
    for chosen in torch.split(_references(rows, columns, settings.stride), CHUNK):
        alike = _alike(guides, chosen, rows, columns, settings)
        mine, noise = guides[alike], noises[alike].mean(dim=1)
        mean = mine.mean(dim=1, keepdim=True)
        spread = mine - mean
        covariance = spread.transpose(1, 2) @ spread / max(alike.shape[1] - 1, 1)
        if pilot is None:
            covariance = _positive(covariance - torch.diag_embed(noise))
        shrink = torch.linalg.solve(covariance + torch.diag_embed(noise), covariance)
        made = mean + (patches[alike] - mean) @ shrink
        mean_of_all.add(alike, made)
    return mean_of_all.of(y)


def fill_by_likes(picture: Tensor, known: Tensor, settings: Pass) -> Tensor:
    """`picture` (C, H, W) with what is not `known` (H, W) bool of it told by patches that are alike; the rest stays.

    Each patch becomes m + S (S + V)^-1 (y - m) with m and S of its likes, and V that of known values and of unknown
    ones. A patch of which nothing is known tells nothing; what lies in no other stays as it is.
    """
    side, (channels, height, width) = settings.patch, picture.shape
    rows, columns = height - side + 1, width - side + 1
    patches, shown = _patches(picture, side), _patches(known[None], side)
    noises = torch.where(shown, LOOSE**2, UNKNOWN**2).repeat(1, channels)
    slack = SLACK**2 * torch.eye(noises.shape[1])
    mean_of_all = _Mean(picture, side)
    references = _references(rows, columns, settings.stride)
    for chosen in torch.split(references[~shown[references].all(dim=1)], CHUNK):
        alike = _alike(patches, chosen, rows, columns, settings)
        mine = patches[alike]
        mean = mine.mean(dim=1, keepdim=True)
        covariance = (mine - mean).transpose(1, 2) @ (mine - mean) / max(alike.shape[1] - 1, 1) + slack
        seen = shown[alike]
        group, member = (seen.any(dim=2) & ~seen.all(dim=2)).nonzero(as_tuple=True)
        told, spread, middle = alike[group, member], covariance[group], mean[group]
        factors = torch.linalg.cholesky(spread + torch.diag_embed(noises[told]))
        weighted = torch.cholesky_solve((patches[told][:, None] - middle).transpose(1, 2), factors)
        mean_of_all.add(told, middle[:, 0] + (spread @ weighted)[..., 0])
    return torch.where(known, picture, mean_of_all.of(picture))


class _Mean:
    """The mean of patches that overlap, at each pixel of a picture (C, H, W)."""

    def __init__(self, like: Tensor, side: int) -> None:
        self._width = like.shape[2]
        self._side, self._columns = side, self._width - side + 1
        self._total = torch.zeros_like(like).flatten(1)
        self._weight = torch.zeros_like(self._total[0])

    def add(self, numbers: Tensor, patches: Tensor) -> None:
        """`patches` (..., C * side * side) with their `numbers` (...) in row by row order."""
        # Patch number r * columns + c begins at pixel r * width + c.
        first = numbers // self._columns * self._width + numbers % self._columns
        pixels = (first[..., None] + _patch_pixels(self._side, self._width)).flatten()
        values = patches.view(*numbers.shape, len(self._total), self._side**2)
        self._total.index_add_(1, pixels, values.movedim(-2, 0).reshape(len(self._total), -1))
        self._weight.index_add_(0, pixels, self._weight.new_ones(len(pixels)))

    def of(self, otherwise: Tensor) -> Tensor:
        """The mean, and `otherwise` (C, H, W) where there is none."""
        mean = self._total / self._weight.clamp_min(1e-6)
        return torch.where(self._weight > 0, mean, otherwise.flatten(1)).view_as(otherwise)


def _patches(picture: Tensor, side: int) -> Tensor:
    """All patches of (C, H, W), row by row: (patches, C * side * side)."""
    unfolded = picture.unfold(1, side, 1).unfold(2, side, 1)
    return unfolded.permute(1, 2, 0, 3, 4).reshape(-1, picture.shape[0] * side * side)


def _patch_pixels(side: int, width: int) -> Tensor:
    """Of a patch's values in one channel, the pixel's number after that of its first."""
    return (torch.arange(side)[:, None] * width + torch.arange(side)).flatten()


def _references(rows: int, columns: int, stride: int) -> Tensor:
    """Numbers of every `stride`-th patch both ways, and of the last ones: together they touch each pixel."""
    found = [
        torch.unique(torch.cat([torch.arange(0, count, stride), torch.tensor([count - 1])]))
        for count in (rows, columns)
    ]
    numbers: Tensor = found[0][:, None] * columns + found[1]
    return numbers.flatten()


def _alike(guides: Tensor, chosen: Tensor, rows: int, columns: int, settings: Pass) -> Tensor:
    """Numbers of the patches around each of `chosen` (n,) that are nearest to it: (n, alike)."""
    spans = [min(2 * settings.reach + 1, count) for count in (rows, columns)]
    places = (chosen // columns, chosen % columns)
    # A window that would leave the picture is moved back into it.
    first = [
        (place - settings.reach).clamp(0, count - span)
        for place, count, span in zip(places, (rows, columns), spans, strict=True)
    ]
    window = (torch.arange(spans[0])[:, None] * columns + torch.arange(spans[1])).flatten()
    candidates = (first[0] * columns + first[1])[:, None] + window
    distances = (guides[candidates] - guides[chosen][:, None]).square().sum(dim=2)
    distances[candidates == chosen[:, None]] = -1.0  # itself first, however many are equal to it
    nearest = distances.topk(min(settings.alike, len(window)), largest=False).indices
    return candidates.gather(1, nearest)


def _positive(matrices: Tensor) -> Tensor:
    """The nearest symmetric matrices without negative eigenvalues."""
    values, vectors = torch.linalg.eigh(matrices)
    nearest: Tensor = vectors * values.clamp_min(0)[:, None] @ vectors.transpose(1, 2)
    return nearest
