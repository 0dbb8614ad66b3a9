"""How far a set of pictures is from the targets, in layout and in texture, by pixels alone: no network judges here.

Texture is compared by the sliced Wasserstein distance between small patches of each band of a Laplacian pyramid (Karras
et al. 2018, arXiv 1710.10196, section 5; there each set is normalised first, here the contrast counts). A soft picture
lacks the values that make texture, a noisy one has too many, and both are far.

All take two tensors of one shape (N, C, H, W) with values in [-1, 1], sides of at least 64.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d, interpolate, pad

BANDS = 4  # details of about 2, 4, 8 and 16 pixels
PATCH = 7
PATCHES = 128  # of a picture and band
DIRECTIONS = 64
COARSE = 8  # layout is compared at an eighth of the size
RANGE = 2.0  # from -1 to 1


def picture_distance(outputs: Tensor, targets: Tensor) -> float:
    """Mean difference of the layout plus the distance of the textures, as a share of the range: 0 is equal.

    Layout is L1 between the pictures at an eighth of their size: there a right answer exists, where fine detail is a
    matter of chance. The sum rises for what L1 alone rewards, blur, and for what texture alone cannot see, a picture
    of something else.
    """
    assert outputs.shape == targets.shape, (outputs.shape, targets.shape)
    outputs, targets = outputs.float(), targets.float()
    layout = (avg_pool2d(outputs, COARSE) - avg_pool2d(targets, COARSE)).abs().mean() / RANGE
    return float(layout + texture_distances(outputs, targets).sum())


def texture_distances(outputs: Tensor, targets: Tensor) -> Tensor:
    """Sliced Wasserstein distance of each band, finest first, as a share of the range: (BANDS,).

    Patches are drawn at the same places of both sets and projected on the same directions, drawn from a fixed seed.
    """
    assert outputs.shape == targets.shape, (outputs.shape, targets.shape)
    rng = torch.Generator().manual_seed(0)
    distances = []
    for made, wanted in zip(laplacian_bands(outputs.float()), laplacian_bands(targets.float()), strict=True):
        places = torch.randint(0, (made.shape[2] - PATCH + 1) * (made.shape[3] - PATCH + 1), (PATCHES,), generator=rng)
        directions = torch.randn(made.shape[1] * PATCH**2, DIRECTIONS, generator=rng)
        directions = (directions / directions.norm(dim=0)).to(made.device)
        projected = [(_patches(band, places) @ directions).sort(dim=0).values for band in (made, wanted)]
        distances.append((projected[0] - projected[1]).abs().mean() / RANGE)
    return torch.stack(distances)


def laplacian_bands(pictures: Tensor) -> list[Tensor]:
    """What each halving of the size loses, finest first; sides halve from band to band. Burt and Adelson 1983."""
    bands = []
    for _ in range(BANDS):
        smaller = _blur(pictures)[:, :, ::2, ::2]
        bands.append(pictures - interpolate(smaller, size=pictures.shape[2:], mode="bilinear", align_corners=False))
        pictures = smaller
    return bands


def _blur(pictures: Tensor) -> Tensor:
    channels = pictures.shape[1]
    line = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0], device=pictures.device) / 16
    padded = pad(pictures, (2, 2, 2, 2), mode="reflect")
    rows = conv2d(padded, line.view(1, 1, 1, 5).expand(channels, 1, 1, 5), groups=channels)
    return conv2d(rows, line.view(1, 1, 5, 1).expand(channels, 1, 5, 1), groups=channels)


def _patches(band: Tensor, places: Tensor) -> Tensor:
    """(N, C, H, W) to (N * PATCHES, C * PATCH^2), those at `places`, counted row by row."""
    columns = band.shape[3] - PATCH + 1
    cut = [
        band[:, :, place // columns : place // columns + PATCH, place % columns : place % columns + PATCH]
        for place in places.tolist()
    ]
    return torch.stack(cut, dim=1).flatten(0, 1).flatten(1)
