"""How far a picture is from explaining what is observed: the difference of pixels, at several scales.

Pixels alone: features that judge restored pictures are no part of a search.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from pix2pix.restoration.damage import Observation

HUBER = 0.05  # in units of [-1, 1]: differences above six levels of 255 count linearly where pixels may be lost


def residual(observation: Observation, pictures: Tensor) -> Tensor:
    """A(x) - y of pictures x (N, 3, H, W), 0 in holes: (N, C, h, w)."""
    difference = observation.operator.forward(pictures) - observation.y
    known = observation.operator.known
    return difference if known is None else difference * known


def squares(observation: Observation, pictures: Tensor) -> Tensor:
    """|A(x) - y|^2 of each, (N,)."""
    return residual(observation, pictures).square().sum(dim=(1, 2, 3))


def misfit(observation: Observation, pictures: Tensor, halvings: int) -> Tensor:
    """The mean loss of known values of each picture, (N,), and of the same residual halved up to `halvings` times.

    Squares; with salt and pepper Huber's loss of the same curvature, as not all lost pixels are found. Coarser scales
    make large parts agree before their details do, and count as much as the finest one.
    """
    difference = residual(observation, pictures)
    share = observation.count / observation.y.numel()
    total = difference.new_zeros(len(difference))
    for scale in range(halvings + 1):
        if scale:
            if min(difference.shape[2:]) < 2:
                break
            difference = F.avg_pool2d(difference, 2)
        total = total + _losses(difference, observation.kind == "salt_and_pepper").mean(dim=(1, 2, 3))
    return total / max(share, 1e-9)


def _losses(difference: Tensor, has_outliers: bool) -> Tensor:
    if not has_outliers:
        return difference.square()
    return 2 * F.huber_loss(difference, difference.new_zeros(()).expand_as(difference), reduction="none", delta=HUBER)
