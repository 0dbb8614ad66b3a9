"""Find a picture in a generator's space so that it can be had again: a pivot w, and the weights tuned around it.

Roich et al. 2021, arXiv 2106.05744.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from pix2pix.images import resize, to_rgb
from pix2pix.priors.layers import NoiseInput
from pix2pix.priors.prior import Prior
from pix2pix.restoration.damage import observe
from pix2pix.restoration.operators import Identity
from pix2pix.restoration.searching import Watch
from pix2pix.restoration.solvers import SOLVERS, Projector, Tuned
from pix2pix.restoration.spaces import LatentW, Weights
from pix2pix.restoration.wanted import Box, check_inside, largest_square


@dataclass(frozen=True)
class Inversion:
    """A picture as `prior.synthesize(w)`, w (1, layers, w_dim), and the steps that it took to find it."""

    prior: Prior
    w: Tensor
    steps: int

    @torch.no_grad()
    def picture(self) -> Tensor:
        """(1, 3, size, size), about [-1, 1]."""
        return self.prior.synthesize(self.w)


def invertible(name: str) -> Projector | Tuned:
    """The solver of that name. Raises ValueError for one that does not end at a w."""
    solver = SOLVERS[name]
    if not isinstance(solver, Projector | Tuned):
        raise ValueError(f"--solver {name}: does not end at a w that can be kept; expected w, w+ or tuned")
    return solver


def invert(picture: np.ndarray, prior: Prior, solver: Projector | Tuned, seed: int, watch: Watch) -> Inversion:
    """Where a picture (size, size, 3) uint8 or uint16 is found in the space of `prior`, which stays as it is."""
    observation = observe(picture, Identity((prior.size, prior.size)))
    found = solver(observation, prior, torch.Generator().manual_seed(seed), watch)
    assert isinstance(found.space, LatentW | Weights)
    return Inversion(fixed(found.space.prior), found.space.pivot(), found.steps)


def square_for(pixels: np.ndarray, box: Box | None, side: int) -> np.ndarray:
    """The `box` of a picture (H, W, C), by default the largest square in its middle, as (side, side, 3).

    Raises ValueError for a box that reaches out of it.
    """
    height, width = pixels.shape[:2]
    box = box or largest_square(height, width)
    check_inside(box, height, width)
    return resize(to_rgb(pixels[box.rows, box.columns]), side, side, nearest=False)


def psnr(made: np.ndarray, square: np.ndarray) -> float:
    """Of a picture uint8 against one uint8 or uint16, in dB; infinite where they are equal."""
    difference = made / 255 - square / np.iinfo(square.dtype).max
    with np.errstate(divide="ignore"):
        return float(-10 * np.log10(np.mean(difference**2)))


def noise_inputs(module: nn.Module) -> list[tuple[str, NoiseInput]]:
    """Each with its name; the fixed fields are no part of a generator's saved weights."""
    return [(name, each) for name, each in module.named_modules() if isinstance(each, NoiseInput)]


def fixed(prior: Prior) -> Prior:
    """The prior itself, whose weights and noise inputs nobody optimises any more."""
    assert isinstance(prior, nn.Module)
    prior.requires_grad_(False).eval()
    for _, each in noise_inputs(prior):
        each.field = each.field.detach()
    return prior
