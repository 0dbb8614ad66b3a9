"""What a run is looked at through, every so often: a few figures of fixed training and `dev` pairs, by pixels alone.

No pretrained network is asked here, so that the ones that judge models in the end have never chosen between any.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss

from pix2pix.data.stream import Batch
from pix2pix.metrics.spectrum import checkerboard
from pix2pix.metrics.texture import picture_distance

COLOURFUL = 0.02  # targets of less chroma, as a share of the range, have no colour to lose


@dataclass(frozen=True)
class Examples:
    """Fixed pairs, (N, C, S, S) in [-1, 1]: of the training set, and of `dev`, which is never learned from."""

    train: Batch
    dev: Batch


def scores(examples: Examples, train_output: Tensor, dev_output: Tensor) -> dict[str, float]:
    """Distances to the targets, as shares of the range, and the signs that something goes wrong.

    - `dev_distance`: what the best model is chosen by, `picture_distance`
    - `dev_l1`, `train_l1`: half the mean absolute difference in [-1, 1]
    - `probe_swapped_inputs`: how much an output changes when it gets the next pair's input, over how much the targets
      differ; 0 is a generator that ignores its input
    - `probe_chroma`: spread of the outputs' colours over that of the targets'; 0 is grey. Of colour pictures only.
    - `probe_checkerboard`: peak at an upsampling period above the targets' own, in dB
    """
    train, dev = examples.train, examples.dev
    found = {
        "dev_distance": picture_distance(dev_output, dev.target),
        "dev_l1": float(l1_loss(dev_output, dev.target)) / 2,
        "train_l1": float(l1_loss(train_output, train.target)) / 2,
        "probe_checkerboard": checkerboard(dev_output, dev.target),
    }
    if len(dev.target) > 1:
        change, difference = (float(l1_loss(tensor, tensor.roll(1, 0))) for tensor in (dev_output, dev.target))
        found["probe_swapped_inputs"] = change / max(difference, 1e-6)
    if dev.target.shape[1] == 3 and (of_targets := chroma_spread(dev.target)) > COLOURFUL:
        found["probe_chroma"] = chroma_spread(dev_output) / of_targets
    return found


def chroma_spread(pictures: Tensor) -> float:
    """Standard deviation of the colours off the grey axis over all pixels, as a share of the range; (N, 3, H, W)."""
    red, green, blue = pictures.float().unbind(dim=1)
    opponents = torch.stack([red - green, (red + green) / 2 - blue])  # Hasler and Suesstrunk 2003
    return float(opponents.flatten(1).std(dim=1).square().sum().sqrt()) / 2


def gradient_norm(parameters: Iterable[nn.Parameter]) -> float:
    """Norm of what the last step's backward pass left in `parameters`; 0 when it left nothing."""
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    return float(torch.stack([gradient.float().norm() for gradient in gradients]).norm()) if gradients else 0.0
