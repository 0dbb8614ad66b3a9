"""Scores of class maps: brute force, parity with torchmetrics, hand-computed values, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchmetrics.functional.classification import (
    multiclass_accuracy,
    multiclass_confusion_matrix,
    multiclass_jaccard_index,
)

from pix2pix.metrics.segmentation import class_accuracy, confusion, mean_iou, pixel_accuracy, within_tolerance


def maps(seed: int, classes: int, height: int = 17, width: int = 23) -> tuple[np.ndarray, np.ndarray]:
    """A prediction and a truth that agree on about half the pixels."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, classes, (height, width))
    guess = generator.integers(0, classes, (height, width))
    return np.where(generator.uniform(size=truth.shape) < 0.5, truth, guess), truth


def test_scores_by_hand() -> None:
    truth = np.array([[0, 0, 0, 0], [1, 1, 255, 255]], np.uint8)
    predicted = np.array([[0, 0, 0, 2], [1, 0, 7, 0]], np.uint8)
    counts = confusion(predicted, truth, 4)
    assert counts.dtype == np.int64
    assert counts.tolist() == [[3, 0, 1, 0, 0], [1, 1, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]]
    assert pixel_accuracy(counts) == pytest.approx(4 / 6)
    assert class_accuracy(counts) == pytest.approx((3 / 4 + 1 / 2) / 2)
    assert mean_iou(counts) == pytest.approx((3 / 5 + 1 / 2 + 0) / 3)  # class 2 is only predicted, 3 is nowhere


def test_none_of_the_classes_is_wrong_and_no_class_of_its_own() -> None:
    truth, predicted = np.array([[0, 0, 0, 1]]), np.array([[0, 0, 2, 1]])
    counts = confusion(predicted, truth, 2)
    assert counts.tolist() == [[2, 0, 1], [0, 1, 0]]
    assert pixel_accuracy(counts) == pytest.approx(3 / 4)
    assert class_accuracy(counts) == pytest.approx((2 / 3 + 1) / 2)
    assert mean_iou(counts) == pytest.approx((2 / 3 + 1) / 2)


@pytest.mark.parametrize("classes", [2, 5, 19])
def test_scores_agree_with_torchmetrics(classes: int) -> None:
    predicted, truth = maps(classes, classes, 64, 64)
    counts = confusion(predicted, truth, classes)
    one, other = torch.from_numpy(predicted), torch.from_numpy(truth)
    assert (counts[:, :classes] == multiclass_confusion_matrix(one, other, classes).numpy()).all()
    assert not counts[:, classes].any()
    micro = multiclass_accuracy(one, other, classes, average="micro")
    assert pixel_accuracy(counts) == pytest.approx(float(micro), abs=1e-6)
    assert class_accuracy(counts) == pytest.approx(float(multiclass_accuracy(one, other, classes)), abs=1e-6)
    assert mean_iou(counts) == pytest.approx(float(multiclass_jaccard_index(one, other, classes)), abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 9), st.integers(1, 12), st.integers(1, 12), st.integers(0, 10_000))
def test_scores_agree_with_brute_force(classes: int, height: int, width: int, seed: int) -> None:
    predicted, truth = maps(seed, classes, height, width)
    truth = truth + np.random.default_rng(seed).choice([0, 0, 0, -100, 100], truth.shape)
    pairs = [(int(p), int(t)) for p, t in zip(predicted.flat, truth.flat, strict=True) if 0 <= t < classes]
    counts = confusion(predicted, truth, classes)
    assert counts.sum() == len(pairs)
    if not pairs:
        return
    accuracies, overlaps = [], []
    for label in range(classes):
        said = {i for i, (p, _) in enumerate(pairs) if p == label}
        true = {i for i, (_, t) in enumerate(pairs) if t == label}
        accuracies += [len(said & true) / len(true)] if true else []
        overlaps += [len(said & true) / len(said | true)] if said | true else []
    assert pixel_accuracy(counts) == pytest.approx(np.mean([p == t for p, t in pairs]))
    assert class_accuracy(counts) == pytest.approx(np.mean(accuracies))
    assert mean_iou(counts) == pytest.approx(np.mean(overlaps))
    assert mean_iou(counts) <= class_accuracy(counts) + 1e-12


def test_small_integers_do_not_overflow_and_sets_add_up() -> None:
    predicted, truth = maps(1, 120)
    whole = confusion(predicted.astype(np.int8), truth.astype(np.uint8), 120)  # 119 * 120 is no int8
    parts = confusion(predicted[:5], truth[:5], 120) + confusion(predicted[5:], truth[5:], 120)
    assert (whole == parts).all()
    assert pixel_accuracy(whole) == np.mean(predicted == truth)


def test_within_tolerance_by_hand() -> None:
    target = np.full((2, 2, 3), 100, np.uint8)
    output = target.copy()
    output[0, 0] = [105, 95, 100]  # exactly 5, either way
    output[0, 1] = [100, 100, 106]  # one channel is enough to be wrong
    output[1, 0] = [90, 100, 100]
    assert within_tolerance(output, target, 4) == 0.25
    assert within_tolerance(output, target, 5) == 0.5
    assert within_tolerance(output, target, 10) == 1.0
    assert within_tolerance(target, output, 5) == 0.5
    assert within_tolerance(output[..., 2], target[..., 2], 5) == 0.75
    assert within_tolerance(np.zeros((3, 3, 3), np.uint8), np.full((3, 3, 3), 255, np.uint8), 254) == 0.0


def test_mistakes_are_refused() -> None:
    labels = np.zeros((2, 3), np.int64)
    with pytest.raises(ValueError, match=r"\(2, 3\) and \(3, 2\), expected one shape"):
        confusion(labels, labels.T, 2)
    with pytest.raises(ValueError, match=r"float64 .* expected integers"):
        confusion(labels.astype(float), labels, 2)
    for strange in (3, -1):
        with pytest.raises(ValueError, match=rf"got class {strange} in the prediction, expected 0 to 1"):
            confusion(labels + strange, labels, 2)
    nothing = confusion(labels, labels + 255, 2)
    for score in (pixel_accuracy, class_accuracy, mean_iou):
        with pytest.raises(ValueError, match=r"without a pixel"):
            score(nothing)
    with pytest.raises(ValueError, match=r"expected one shape"):
        within_tolerance(np.zeros((4, 5, 3)), np.zeros((5, 4, 3)), 5)
