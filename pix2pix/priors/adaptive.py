"""How many of a discriminator's pictures are augmented: as many as keep it from learning them by heart.

Karras et al. 2020, arXiv 2006.06676, section 3, by their r_v, which asks pictures that are never learned from.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pix2pix.training import processes

FULL_AFTER = 100_000  # images in which the share of augmented pictures may rise from none to all
REMEMBERED = 4_000  # images over which scores are averaged


class Adaptive(nn.Module):
    """The share of pictures to augment, and the mean scores that move it: (pictures, kept pictures, samples)."""

    share: Tensor
    scores: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("share", torch.zeros(()))
        self.register_buffer("scores", torch.zeros(3))

    @torch.no_grad()
    def follow(self, scores: Tensor, before: int, images: int, limit: float) -> None:
        """Take in the mean `scores` (3,) of a step of `images`, after `before` images: the share rises where
        r_v = (pictures - kept) / (pictures - samples) is above `limit`, and falls where it is not.

        0 is a discriminator to which kept pictures are like those it learns from, 1 one to which they are like samples.
        """
        self.scores.lerp_(processes.mean(scores), max(images / REMEMBERED, images / (images + before)))
        pictures, kept, samples = self.scores
        above = pictures - kept > limit * (pictures - samples)
        self.share.add_(images / FULL_AFTER * (2.0 * above - 1.0)).clamp_(0, 1)
