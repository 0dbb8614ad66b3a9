"""How near the samples of a prior come to real pictures, as sets: KID, FID, precision and recall of their features."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from pix2pix.metrics.distributions import (
    KernelDistance,
    frechet_distance,
    kernel_distance,
    precision_recall,
)
from pix2pix.metrics.features import FeatureExtractor
from pix2pix.priors.prior import Prior

AT_ONCE = 16  # pictures that are made together: no more memory than a step takes


@dataclass(frozen=True)
class Judgement:
    """Of `samples` samples against `pictures` real ones, under the features `extractor`."""

    extractor: str
    samples: int
    pictures: int
    kid: KernelDistance
    fid: float
    precision: float
    recall: float


def samples(prior: Prior, count: int, seed: int, truncation: float = 1.0) -> Iterator[NDArray[np.uint8]]:
    """`count` pictures (size, size, 3), the same for a seed; each with noise of its own."""
    rng = torch.Generator().manual_seed(seed)
    z = prior.sample(count, rng)
    for part in torch.split(z, AT_ONCE):
        with torch.no_grad():
            yield from pictures_of(prior(part, rng, truncation))


def pictures_of(outputs: Tensor) -> NDArray[np.uint8]:
    """(N, 3, H, W) around [-1, 1] -> (N, H, W, 3), what lies outside clipped."""
    levels = ((outputs.float().clamp(-1, 1) + 1) * 127.5).round().byte()
    return np.ascontiguousarray(levels.permute(0, 2, 3, 1).cpu().numpy())


def watched(pictures: Iterable[NDArray[np.uint8]], count: int, what: str) -> Iterator[NDArray[np.uint8]]:
    """The same `count` pictures, with a progress bar on a terminal, which tells the time left and goes in the end."""
    # Smoothing 0: the time left follows the mean of all pictures so far.
    yield from tqdm(pictures, what, count, unit="picture", disable=None, leave=False, smoothing=0)


def features_of(pictures: Iterable[NDArray[np.uint8]], extractor: FeatureExtractor) -> NDArray[np.float32]:
    """Features (n, d) of n pictures (H, W, 3)."""
    return np.stack([extractor(picture) for picture in pictures])


def judge(real: NDArray[np.float32], made: NDArray[np.float32], extractor: str) -> Judgement:
    """Both sets as features. Raises ValueError for fewer than four pictures in one of them."""
    precision, recall = precision_recall(real, made)
    distance = kernel_distance(real, made)
    return Judgement(extractor, len(made), len(real), distance, frechet_distance(real, made), precision, recall)
