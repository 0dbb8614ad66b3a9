"""Differentiable augmentation of what a discriminator sees, real and made alike: Zhao et al. 2020, arXiv 2006.10738.

The discriminator cannot learn few pictures by heart then, and the generator does not learn the augmentation, as its
gradients pass through it. Ranges are those of the paper's code.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from pix2pix.priors.configuration import Augmentation

SHIFT = 0.125  # largest translation, as a share of the side
HOLE = 0.5  # side of the cutout, as a share of the pictures'


def augment(pictures: Tensor, policy: tuple[Augmentation, ...], share: Tensor | float = 1.0) -> Tensor:
    """`pictures` (N, C, H, W) in [-1, 1], each changed by its own draws of torch's global generator.

    In this order, whatever that of `policy`: colour, translation, cutout; each of them changes a picture with the
    probability `share`, independently of the others. Values may leave [-1, 1]. Differentiable as often as wanted.
    Draws come from the generator of the pictures' device.
    """
    if "colour" in policy:
        draws = torch.rand(3, len(pictures), 1, 1, 1, device=pictures.device)
        spared = _spared(pictures, share)[:, None, None, None]
        brightness, saturation, contrast = draws[0] - 0.5, 2 * draws[1], draws[2] + 0.5
        pictures = change_colour(
            pictures,
            brightness.masked_fill(spared, 0.0),
            saturation.masked_fill(spared, 1.0),
            contrast.masked_fill(spared, 1.0),
        )
    if "translation" in policy:
        pictures = translate(pictures, _places(pictures, SHIFT).masked_fill(_spared(pictures, share)[:, None], 0))
    if "cutout" in policy:
        outside = -max(pictures.shape[2:])
        pictures = cut_out(pictures, _centres(pictures).masked_fill(_spared(pictures, share)[:, None], outside))
    return pictures


def change_colour(pictures: Tensor, brightness: Tensor, saturation: Tensor, contrast: Tensor) -> Tensor:
    """Add `brightness`, scale the distances from each pixel's grey, then those from the picture's mean.

    The three are (N, 1, 1, 1). The mean of the greys is that of the picture, and so all is one expression:
    c (s x + (1 - s) grey) + (1 - c) mean + b.
    """
    grey = pictures.mean(dim=1, keepdim=True)
    mean = grey.mean(dim=(2, 3), keepdim=True)
    rest = contrast * (1 - saturation) * grey + (1 - contrast) * mean + brightness
    return torch.addcmul(rest, pictures, contrast * saturation)


def translate(pictures: Tensor, shifts: Tensor) -> Tensor:
    """Move picture n by `shifts[n]` = (down, right) pixels, integers (N, 2); zeros come in."""
    moved = []
    for picture, (down, right) in zip(torch.split(pictures, 1), shifts.tolist(), strict=True):
        moved.append(F.pad(picture, (right, -right, down, -down)))
    return torch.cat(moved)


def cut_out(pictures: Tensor, centres: Tensor) -> Tensor:
    """Zero a rectangle of `HOLE` of each side around `centres` (N, 2) = (row, column); it may leave the picture."""
    inside = []
    for side, centre in zip(pictures.shape[2:], centres.unbind(dim=1), strict=True):
        hole = int(side * HOLE + 0.5)
        first = (centre - hole // 2)[:, None]
        positions = torch.arange(side, device=pictures.device)
        inside.append((positions >= first) & (positions < first + hole))
    kept = ~(inside[0][:, None, :, None] & inside[1][:, None, None, :])
    return pictures * kept.to(pictures.dtype)


def _spared(pictures: Tensor, share: Tensor | float) -> Tensor:
    """Which pictures stay as they are: (N,), true."""
    return torch.rand(len(pictures), device=pictures.device) >= share


def _places(pictures: Tensor, share: float) -> Tensor:
    """Shifts (N, 2), uniform in whole pixels up to `share` of each side both ways."""
    most = [int(side * share + 0.5) for side in pictures.shape[2:]]
    columns = [torch.randint(-each, each + 1, (len(pictures),), device=pictures.device) for each in most]
    return torch.stack(columns, dim=1)


def _centres(pictures: Tensor) -> Tensor:
    """Centres (N, 2), uniform over the positions of each side, the one behind the last included."""
    columns = [torch.randint(0, side + 1, (len(pictures),), device=pictures.device) for side in pictures.shape[2:]]
    return torch.stack(columns, dim=1)
