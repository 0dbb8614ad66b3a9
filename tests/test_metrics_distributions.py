"""Distances of feature sets: closed forms, parity with torch-fidelity, hand-computed values, and what they refuse."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric
from torch_fidelity.metric_prc import prc_features_to_metric

from pix2pix.metrics import distributions
from pix2pix.metrics.distributions import frechet_distance, kernel_distance, precision_recall

SHAPES = [(60, 40, 8), (30, 50, 8), (12, 9, 64), (100, 5, 16)]  # real, fake, length: more and fewer rows than columns


def sets(real: int, fake: int, length: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two overlapping clouds of correlated features, neither centred on 0."""
    generator = np.random.default_rng(seed)
    mixing = generator.normal(size=(length, length)) / np.sqrt(length)
    one = generator.normal(size=(real, length)) @ mixing + 1
    other = 1.3 * generator.normal(size=(fake, length)) @ mixing + 1.2
    return one, other


def white(count: int, length: int, seed: int) -> np.ndarray:
    """Samples whose mean is exactly 0 and whose covariance (n - 1) exactly the identity."""
    samples = np.random.default_rng(seed).normal(size=(count, length))
    samples -= samples.mean(0)
    left, _, right = np.linalg.svd(samples, full_matrices=False)
    return np.asarray(left @ right * np.sqrt(count - 1))


# --- Frechet distance ---


@pytest.mark.parametrize(("real", "fake", "length"), SHAPES)
def test_frechet_distance_agrees_with_torch_fidelity(real: int, fake: int, length: int) -> None:
    one, other = sets(real, fake, length)
    statistics = [fid_features_to_statistics(torch.from_numpy(features)) for features in (one, other)]
    expected = fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"]
    # Its root of the eigenvalues of a singular product is off by the root of the rounding.
    assert frechet_distance(one, other) == pytest.approx(expected, rel=1e-4 if min(real, fake) <= length else 1e-9)


def test_frechet_distance_of_two_gaussians() -> None:
    spread_one, spread_two = np.array([1.0, 2.0, 0.5, 0.0]), np.array([3.0, 1.0, 0.5, 2.0])
    shift = np.array([1.0, -2.0, 0.0, 0.5])
    rotation, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(4, 4)))
    one = white(50, 4, 2) * spread_one @ rotation
    two = (white(7, 4, 3) * spread_two + shift) @ rotation
    # Covariances with common axes: the distance is that of the means plus that of the standard deviations.
    expected = np.square(shift).sum() + np.square(spread_one - spread_two).sum()
    assert frechet_distance(one, two) == pytest.approx(expected, rel=1e-12)


def test_frechet_distance_of_covariances_that_do_not_commute() -> None:
    generator = np.random.default_rng(4)
    mixing = generator.normal(size=(2, 2, 2))
    first, second = mixing[0].T @ mixing[0], mixing[1].T @ mixing[1]
    # For 2 x 2, tr sqrt(M) = sqrt(tr M + 2 sqrt(det M)).
    product = first @ second
    trace = np.sqrt(np.trace(product) + 2 * np.sqrt(np.linalg.det(product)))
    expected = np.trace(first) + np.trace(second) - 2 * trace
    measured = frechet_distance(white(9, 2, 5) @ mixing[0], white(30, 2, 6) @ mixing[1])
    assert measured == pytest.approx(expected, rel=1e-10)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 40), st.integers(2, 40), st.integers(1, 30), st.integers(0, 1000))
def test_frechet_distance_is_a_distance(real: int, fake: int, length: int, seed: int) -> None:
    one, other = sets(real, fake, length, seed)
    distance = frechet_distance(one, other)
    assert distance >= 0
    assert frechet_distance(other, one) == pytest.approx(distance, rel=1e-9)
    assert frechet_distance(one[::-1], np.random.default_rng(seed).permutation(other)) == pytest.approx(distance)
    assert 0 <= frechet_distance(one, one[::-1]) < 1e-6
    assert frechet_distance(one + 100, other + 100) == pytest.approx(distance, rel=1e-6)


def test_few_long_features_are_cheap_and_finite() -> None:
    one, other = np.random.default_rng(0).normal(size=(2, 40, 1280)).astype(np.float32)
    start = time.process_time()
    assert np.isfinite(frechet_distance(one, other))
    assert time.process_time() - start < 1


# --- kernel distance ---


@pytest.mark.parametrize(("count", "length"), [(60, 8), (12, 64), (2, 3)])
def test_kernel_distance_agrees_with_torch_fidelity(count: int, length: int) -> None:
    one, other = sets(count, count, length)
    expected = kid_features_to_metric(
        torch.from_numpy(one), torch.from_numpy(other), kid_subsets=1, kid_subset_size=count, verbose=False
    )["kernel_inception_distance_mean"]
    assert kernel_distance(one, other, resamples=10).value == pytest.approx(expected, rel=1e-9)


def test_kernel_distance_of_three_and_two_numbers() -> None:
    # k(x, y) = (xy + 1)^3. Real 0, 1, 2: pairs 1, 1, 27, mean 29/3. Fake 1, -1: pair 0. Across: 1, 1, 8, 0, 27, -1,
    # mean 6.
    measured = kernel_distance(np.array([[0], [1], [2]]), np.array([[1], [-1]]), resamples=50)
    assert measured.value == pytest.approx(29 / 3 - 12)
    assert measured.low <= measured.high


def test_kernel_bootstrap_agrees_with_loops() -> None:
    real, fake = sets(5, 4, 3, seed=7)
    generator = np.random.default_rng(11)
    weights = [distributions._weights(count, 6, generator) for count in (5, 4)]

    def kernel(x: np.ndarray, y: np.ndarray) -> float:
        return float((x @ y / 3 + 1) ** 3)

    def mean(features: np.ndarray, counts: np.ndarray) -> float:
        drawn = [i for i, count in enumerate(counts) for _ in range(int(count))]
        pairs = [kernel(features[i], features[j]) for i in drawn for j in drawn if i != j]
        return float(np.mean(pairs))

    expected = []
    for one, other in zip(*weights, strict=True):
        across = sum(one[i] * other[j] * kernel(real[i], fake[j]) for i in range(5) for j in range(4)) / 20
        expected.append(mean(real, one) + mean(fake, other) - 2 * across)
    measured = kernel_distance(real, fake, seed=11, resamples=6)
    assert measured.value == pytest.approx(expected[0])
    assert [measured.low, measured.high] == pytest.approx(np.percentile(expected[1:], [2.5, 97.5]))


def test_kernel_interval_is_repeatable_and_holds_the_value() -> None:
    one, other = sets(80, 70, 16)
    measured = kernel_distance(one, other, seed=3)
    assert measured == kernel_distance(one, other, seed=3)
    assert measured != kernel_distance(one, other, seed=4)
    assert measured.low < measured.value < measured.high


def test_kernel_interval_widens_with_fewer_pictures() -> None:
    one, other = sets(400, 400, 16)
    widths = [
        (measured := kernel_distance(one[:count], other[:count], resamples=300)).high - measured.low
        for count in (25, 100, 400)
    ]
    assert widths[0] > 1.4 * widths[1] > 1.4**2 * widths[2]


def test_kernel_interval_covers_the_truth() -> None:
    # One feature, uniform on 0..1 against 0..1 with density 2x: moments 1/(m + 1) and 2/(m + 2), and
    # MMD^2 = sum over m of C(3, m) (difference of the m-th moments)^2.
    truth = sum(c * (1 / (m + 1) - 2 / (m + 2)) ** 2 for m, c in ((1, 3), (2, 3), (3, 1)))
    covered = 0
    for seed in range(100):
        generator = np.random.default_rng(seed)
        real, fake = generator.uniform(size=(40, 1)), np.sqrt(generator.uniform(size=(40, 1)))
        measured = kernel_distance(real, fake, seed=seed, resamples=300)
        covered += measured.low <= truth <= measured.high
    assert covered >= 85


def test_kernel_interval_is_not_pulled_up_by_copies() -> None:
    one, other = np.random.default_rng(0).normal(size=(2, 30, 256))
    measured = kernel_distance(one, other)
    # Here k(x, x) is about 8 and k(x, y) about 1: pairing a picture with its copies would add 7 / 30 for each set.
    assert measured.low < measured.value < measured.high
    assert abs((measured.low + measured.high) / 2 - measured.value) < 7 / 30 / 4


def test_kernel_distance_does_not_depend_on_the_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = sets(33, 20, 5)
    whole, shares = kernel_distance(one, other, resamples=20), precision_recall(one, other)
    monkeypatch.setattr(distributions, "CHUNK", 70)
    pieces = kernel_distance(one, other, resamples=20)
    assert [pieces.value, pieces.low, pieces.high] == pytest.approx([whole.value, whole.low, whole.high], rel=1e-10)
    assert precision_recall(one, other) == shares


def test_a_thousand_resamples_of_a_hundred_pictures_are_quick() -> None:
    one, other = sets(100, 100, 1280)
    start = time.process_time()
    kernel_distance(one, other)
    assert time.process_time() - start < 2


# --- precision and recall ---


@pytest.mark.parametrize(("real", "fake", "length"), SHAPES)
@pytest.mark.parametrize("neighbours", [1, 3])
def test_precision_recall_agrees_with_torch_fidelity(real: int, fake: int, length: int, neighbours: int) -> None:
    one, other = sets(real, fake, length)
    expected = prc_features_to_metric(
        torch.from_numpy(other), torch.from_numpy(one), prc_neighborhood=neighbours, verbose=False, save_cpu_ram=False
    )
    precision, recall = precision_recall(one, other, neighbours)
    assert precision == pytest.approx(expected["precision"], abs=1e-6)
    assert recall == pytest.approx(expected["recall"], abs=1e-6)


def test_precision_recall_on_a_line() -> None:
    real = np.array([[0.0], [1], [3]])  # nearest neighbours at 1, 1, 2: balls -1..1, 0..2, 1..5
    fake = np.array([[5.0], [6], [-2], [-1.5]])  # at 1, 1, 0.5, 0.5: balls 4..6, 5..7, -2.5..-1.5, -2..-1
    assert precision_recall(real, fake, neighbours=1) == (0.25, 0.0)  # 5 is on a border, which belongs to the ball
    assert precision_recall(fake, real, neighbours=1) == (0.0, 0.25)


def test_copies_lie_at_distance_zero() -> None:
    generator = np.random.default_rng(0)
    real = generator.normal(5, 1, size=(50, 300))
    assert precision_recall(real, generator.permutation(real)) == (1.0, 1.0)
    collapsed = np.repeat(real[:1], 20, axis=0)  # balls of radius 0, which hold just the one real picture
    assert precision_recall(real, collapsed) == (1.0, 1 / 50)
    assert precision_recall(real, real + 1000) == (0.0, 0.0)


# --- all of them ---


def test_single_and_double_precision_agree() -> None:
    one, other = sets(50, 60, 32)
    single = one.astype(np.float32), other.astype(np.float32)
    exact = single[0].astype(np.float64), single[1].astype(np.float64)
    assert frechet_distance(*single) == frechet_distance(*exact)
    assert kernel_distance(*single, resamples=9) == kernel_distance(*exact, resamples=9)
    assert precision_recall(*single) == precision_recall(*exact)
    assert frechet_distance(*single) == pytest.approx(frechet_distance(one, other), rel=1e-5)


def test_sets_that_cannot_be_compared_are_refused() -> None:
    for distance in (frechet_distance, kernel_distance, precision_recall):
        with pytest.raises(ValueError, match=r"\(9, 4\) and \(9, 5\), expected \(n, d\) with one d"):
            distance(np.zeros((9, 4)), np.zeros((9, 5)))
        with pytest.raises(ValueError, match="got 9 real and 1 fake pictures, expected at least"):
            distance(np.zeros((9, 4)), np.zeros((1, 4)))
    with pytest.raises(ValueError, match="at least 4 of each"):
        precision_recall(np.zeros((3, 4)), np.zeros((9, 4)))
