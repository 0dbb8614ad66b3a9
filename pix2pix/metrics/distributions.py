"""How far a set of translated pictures is from a set of real ones, as distributions of their features.

Frechet distance: Heusel et al. 2017, "GANs trained by a two time-scale update rule converge to a local Nash
equilibrium", equation 6. Kernel distance: Binkowski et al. 2018, "Demystifying MMD GANs", section 4. Precision and
recall: Kynkaanniemi et al. 2019, "Improved precision and recall metric for assessing generative models", equation 1.

All take features, (n, d) arrays of one row a picture, whatever network they come from, and compute in float64. The
order of the rows does not matter. Figures compare only where the network and the numbers of pictures are the same:
the Frechet distance of few pictures is biased upwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Features = NDArray[Any]
Matrix = NDArray[np.float64]

CHUNK = 2**23  # numbers of a pairwise table held at a time: 64 MiB


@dataclass(frozen=True)
class KernelDistance:
    """The squared distance and its 95 % interval, in the kernel's own units (papers often print 1000 times that)."""

    value: float
    low: float
    high: float


def frechet_distance(real: Features, fake: Features) -> float:
    """Frechet distance of two Gaussians with the sets' means and covariances (n - 1): 0 is equal, larger is farther.

    Any n from 2 on: a covariance of fewer pictures than features is singular, which does no harm here.
    Raises ValueError for fewer than two pictures or features of two lengths.
    """
    real, fake = _both(real, fake, least=2)
    mean_real, mean_fake = real.mean(0), fake.mean(0)
    root_real, root_fake = _covariance_root(real - mean_real), _covariance_root(fake - mean_fake)
    # With S1 = A'A and S2 = B'B, S1 S2 has the eigenvalues of (AB')(AB')', squares of AB's singular values: their sum
    # is the trace of (S1 S2)^(1/2), without the root of a matrix, which is unstable and complex when S1 S2 is singular.
    overlap = np.linalg.svd(root_real @ root_fake.T, compute_uv=False).sum()
    spread = np.square(root_real).sum() + np.square(root_fake).sum()
    return max(0.0, float(np.square(mean_real - mean_fake).sum() + spread - 2 * overlap))


def kernel_distance(real: Features, fake: Features, seed: int = 0, resamples: int = 1000) -> KernelDistance:
    """Squared maximum mean discrepancy under the kernel (x.y / d + 1)^3: unbiased, so below 0 at times for equal sets.

    Over all pictures, not the mean over subsets. The interval is the percentile bootstrap over the pictures of both
    sets, drawn apart with `seed`. A picture drawn twice is never paired with its own copy, or k(x, x) would pull the
    interval up, away from the value. It says how much the choice of test pictures matters, not that of training.
    About 60 GFLOP for each 1000 resamples of n = 3000; memory does not grow with n squared.
    Raises ValueError for fewer than two pictures or features of two lengths.
    """
    assert resamples > 0, "an interval needs resamples"
    real, fake = _both(real, fake, least=2)
    generator = np.random.default_rng(seed)
    weights_real = _weights(len(real), resamples, generator)
    weights_fake = _weights(len(fake), resamples, generator)
    squared = (
        _mean_kernel(real, real, weights_real, weights_real, same=True)
        + _mean_kernel(fake, fake, weights_fake, weights_fake, same=True)
        - 2 * _mean_kernel(real, fake, weights_real, weights_fake, same=False)
    )
    low, high = np.percentile(squared[1:], [2.5, 97.5])
    return KernelDistance(float(squared[0]), float(low), float(high))


def precision_recall(real: Features, fake: Features, neighbours: int = 3) -> tuple[float, float]:
    """Share of fakes within the reals' manifold, and of reals within the fakes': precision, recall, each 0 to 1.

    A set's manifold is the union of balls around its pictures, each reaching to its picture's nearest but
    `neighbours`, itself not counted; the border belongs to the ball.
    Raises ValueError for `neighbours` pictures or fewer in a set, or features of two lengths.
    """
    assert neighbours > 0, "a ball reaches to a neighbour"
    real, fake = _both(real, fake, least=neighbours + 1)
    return _share_inside(fake, real, neighbours), _share_inside(real, fake, neighbours)


def _both(real: Features, fake: Features, least: int) -> tuple[Matrix, Matrix]:
    if real.ndim != 2 or fake.ndim != 2 or real.shape[1] != fake.shape[1]:
        raise ValueError(f"got features of shape {real.shape} and {fake.shape}, expected (n, d) with one d")
    if min(len(real), len(fake)) < least:
        got = f"{len(real)} real and {len(fake)} fake pictures"
        raise ValueError(f"got {got}, expected at least {least} of each: take a larger set")
    return real.astype(np.float64), fake.astype(np.float64)


def _covariance_root(centred: Matrix) -> Matrix:
    """A of min(n, d) rows with A'A the covariance: the pictures themselves, or where there are many, QR's R."""
    count, length = centred.shape
    root = np.linalg.qr(centred, mode="r") if count > length else centred
    return np.asarray(root / np.sqrt(count - 1), np.float64)


def _weights(count: int, resamples: int, generator: np.random.Generator) -> Matrix:
    """How often each picture counts, (1 + resamples, count): first the set as it is, then every resample."""
    drawn = generator.multinomial(count, np.full(count, 1 / count), size=resamples)
    while (single := drawn.max(1) == count).any():  # one picture over and over has no pairs: draw again
        drawn[single] = generator.multinomial(count, np.full(count, 1 / count), size=int(single.sum()))
    return np.vstack([np.ones(count), drawn])


def _mean_kernel(one: Matrix, other: Matrix, weights_one: Matrix, weights_other: Matrix, same: bool) -> Matrix:
    """Mean of the kernel over all pairs under each row of weights; within one set (`same`) over i != j only."""
    total = np.zeros(len(weights_one))
    for rows in _chunks(len(one), len(other)):
        kernel = (one[rows] @ other.T / one.shape[1] + 1) ** 3
        if same:
            kernel[np.arange(len(kernel)), np.arange(rows.start, rows.start + len(kernel))] = 0
        total += np.einsum("br,br->b", weights_one[:, rows], weights_other @ kernel.T)
    pairs = weights_one.sum(1) * weights_other.sum(1) - (np.square(weights_one).sum(1) if same else 0)
    return np.asarray(total / pairs, np.float64)


def _share_inside(points: Matrix, centres: Matrix, neighbours: int) -> float:
    """Share of `points` within at least one centre's ball."""
    radii = np.empty(len(centres))
    for rows in _chunks(len(centres), len(centres)):
        # Sorted place 0 is the centre itself, at distance 0.
        radii[rows] = np.partition(_squared_distances(centres[rows], centres), neighbours, axis=1)[:, neighbours]
    inside = 0
    for rows in _chunks(len(points), len(centres)):
        inside += int((_squared_distances(points[rows], centres) <= radii).any(1).sum())
    return inside / len(points)


def _squared_distances(one: Matrix, other: Matrix) -> Matrix:
    """(m, d) and (n, d) -> (m, n)."""
    scale = np.square(one).sum(1)[:, None] + np.square(other).sum(1)
    squared = scale - 2 * one @ other.T
    squared[squared < 1e-12 * scale] = 0  # rounding: copies of one picture must be at distance 0, and never below
    return np.asarray(squared, np.float64)


def _chunks(rows: int, columns: int) -> Iterator[slice]:
    """The rows of a table in runs of at most CHUNK numbers."""
    step = max(1, CHUNK // columns)
    yield from (slice(start, min(start + step, rows)) for start in range(0, rows, step))
