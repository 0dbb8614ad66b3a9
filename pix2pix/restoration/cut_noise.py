"""Gaussian noise where values that would leave [-1, 1] are cut off, as in every picture file: its moments."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def cut_mean(values: Tensor, deviation: Tensor) -> Tensor:
    """E[cut(v + n)] of values v in [-1, 1] and noise n: above v near black, below it near white."""
    s, low, high, below, above = _cuts(values, deviation)
    inside = values * (1 - below - above) + s * (_density(low) - _density(high))
    return above - below + inside


def cut_square(values: Tensor, deviation: Tensor) -> Tensor:
    """E[(cut(v + n) - v)^2]: less than the noise's own variance near black and white."""
    s, low, high, below, above = _cuts(values, deviation)
    inside = 1 - below - above - high * _density(high) + low * _density(low)
    squares: Tensor = s.square() * (inside + low.square() * below + high.square() * above)
    return squares


def _cuts(values: Tensor, deviation: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """The deviation, both limits in units of it, and how likely noise goes beyond them."""
    s = deviation.clamp_min(1e-6)
    low, high = (-1 - values) / s, (1 - values) / s
    return s, low, high, torch.special.ndtr(low), torch.special.ndtr(-high)


def _density(x: Tensor) -> Tensor:
    return torch.exp(-x.square() / 2) / math.sqrt(2 * math.pi)
