"""Checkerboard patterns: a spectral peak where an upsampling layer repeats itself (Odena et al. 2016, distill.pub).

A transposed convolution of stride 2 treats every second pixel alike; what it leaves shows as power at a period of 2
pixels, of 4 from the layer before, and of 8 from the one before that.
"""

from __future__ import annotations

import torch
from torch import Tensor

PERIODS = (2, 4)  # at 8 the blocks of a JPEG have their peak too
NEIGHBOURS = 16  # the peak is measured against this share of the frequencies around it
UNSEEN = 2 / 255  # amplitude of a wave that goes one level of 255 up and down, in [-1, 1]


def checkerboard(outputs: Tensor, targets: Tensor) -> float:
    """How far the strongest peak at an upsampling period stands out of its neighbours, in dB, above the targets' own.

    Shape: both (N, C, H, W), sides of at least 64. Near 0, or below, without a pattern; 10 is ten times the power.
    """
    return max(
        peak(outputs, period, axis) - max(0.0, peak(targets, period, axis)) for period in PERIODS for axis in (2, 3)
    )


def peak(pictures: Tensor, period: int, axis: int) -> float:
    """Power at a period of `period` pixels along `axis` over that of the frequencies around it, in dB.

    The mean is that of the decibels, as many on either side, so that a spectrum which only falls has no peak anywhere.
    """
    lines = pictures.float().movedim(axis, -1)
    lines = lines[..., : lines.shape[-1] // 8 * 8]  # so that the period has a frequency of its own
    length = lines.shape[-1]
    window = torch.hann_window(length, device=lines.device)  # or the step between the two ends covers all
    power = torch.fft.rfft((lines - lines.mean(dim=-1, keepdim=True)) * window).abs().square()
    spectrum = power.flatten(0, -2).mean(dim=0) / window.sum().square()
    decibels = 10 * torch.log10(spectrum + (UNSEEN / 2) ** 2)  # a wave of amplitude a has power (a / 2)^2 here
    place, reach = length // period, max(3, length // (2 * NEIGHBOURS))
    # The window spreads a peak over the two frequencies beside its own. After a period of 2 nothing comes.
    around = torch.cat([decibels[place - reach : place - 1], decibels[place + 2 : place + reach + 1]])
    return float(decibels[place] - around.mean())
