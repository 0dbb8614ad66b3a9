"""What noise hides of a picture that a search found: patches that are alike in it tell it together.

NL-Bayes, Lebrun, Buades and Morel 2013, "A nonlocal Bayesian image denoising algorithm", algorithm 1. There the patches
that are alike, and how they vary, are learned from a first pass over the noisy picture; here from the mean of that pass
and of what a search found. Each knows what the other cannot see.

Two things are added. Noise is cut off at black and white, which moves what is dark up and what is light down: its mean
is taken back out, as far as the pilot tells it. And its variance may be another for each value.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from pix2pix.restoration.cut_noise import cut_mean, cut_square
from pix2pix.restoration.damage import ROUNDING, Observation
from pix2pix.restoration.operators import Identity

CHUNK = 256  # patches whose likes are looked for at once


@dataclass(frozen=True)
class Pass:
    """One pass over a picture."""

    patch: int  # side, in pixels
    alike: int  # patches that are filtered together
    reach: int  # pixels to each side in which they are looked for
    stride: int = 2  # from one patch that others are compared with to the next


# Chosen on pictures of `dev`, by PSNR and LPIPS.
FIRST = Pass(patch=3, alike=90, reach=12)
SECOND = Pass(patch=3, alike=40, reach=8)


def is_plain_noise(observation: Observation) -> bool:
    """Whether all of the picture is seen, under noise of a known level and nothing else."""
    return isinstance(observation.operator, Identity) and bool(observation.sigma)


@torch.no_grad()
def collaborate(observation: Observation, found: Tensor) -> Tensor:
    """The picture `found` (1, 3, H, W) of a search under plain noise, with what is left of the noise filtered out."""
    assert is_plain_noise(observation)
    found = found.clamp(-1, 1)
    alone = nl_bayes(*_uncut(observation, found), None, FIRST)[None]
    pilot = (found + alone.clamp(-1, 1)) / 2
    return nl_bayes(*_uncut(observation, pilot), pilot[0], SECOND)[None].clamp(-1, 1)


def nl_bayes(y: Tensor, variance: Tensor, pilot: Tensor | None, settings: Pass) -> Tensor:
    """y (C, H, W) without its noise, whose `variance` is (C, H, W): the mean of all that is known of each pixel.

    For each patch the most alike ones around it are a sample of N(m, S), and each of them becomes
    m + S (S + V)^-1 (y - m). m and S are those of the pilot's patches; without a `pilot` of y's own, less V.
    """
    likeness = y if pilot is None else pilot
    side = settings.patch
    channels, height, width = y.shape
    rows, columns = height - side + 1, width - side + 1
    total, weight = torch.zeros_like(y).flatten(1), torch.zeros(height * width)
    patches, guides, noises = (_patches(each, side) for each in (y, likeness, variance))
    within = _patch_pixels(side, width)
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
        # Patch number r * columns + c begins at pixel r * width + c.
        pixels = (alike // columns * width + alike % columns)[:, :, None] + within
        values = made.view(*alike.shape, channels, side * side).permute(2, 0, 1, 3)
        total.index_add_(1, pixels.flatten(), values.reshape(channels, -1))
        weight.index_add_(0, pixels.flatten(), torch.ones(pixels.numel()))
    return (total / weight).view_as(y)


def _uncut(observation: Observation, pilot: Tensor) -> tuple[Tensor, Tensor]:
    """y (C, H, W) as if noise had not been cut off, of a picture near `pilot`, and the variance of its noise."""
    deviation = observation.deviation(pilot)
    shift = cut_mean(pilot, deviation) - pilot
    variance = cut_square(pilot, deviation) - shift.square() + (ROUNDING / 127.5) ** 2
    return (observation.y - shift)[0], variance[0]


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
