"""How well a map of classes is met: accuracies and mean IoU from a confusion matrix, and accuracy of flat colours.

Accuracies and mean IoU: Long et al. 2015, "Fully convolutional networks for semantic segmentation", section 5. Flat
colours: Fu et al. 2019, "Geometry-consistent generative adversarial networks" (GcGAN), the Google Maps experiment.

Scores are those of one matrix: sum the matrices of a set and score the sum, rather than average scores of pictures.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[Any]
Confusion = NDArray[np.int64]


def confusion(predicted: Labels, truth: Labels, classes: int) -> Confusion:
    """Counts of pixels of two integer maps of one shape: (classes, classes + 1), rows truth, columns prediction.

    Pixels whose truth is below 0 or not below `classes` have no label and do not count. A prediction of `classes` is
    "none of them", which is always wrong, and has the last column.
    Raises ValueError for two shapes, maps that are not of integers, or any other prediction where it counts.
    """
    if predicted.shape != truth.shape:
        raise ValueError(f"got label maps of shape {predicted.shape} and {truth.shape}, expected one shape")
    if not (np.issubdtype(predicted.dtype, np.integer) and np.issubdtype(truth.dtype, np.integer)):
        raise ValueError(f"got label maps of {predicted.dtype} and {truth.dtype}, expected integers")
    counted = (truth >= 0) & (truth < classes)
    columns, rows = predicted[counted].astype(np.int64), truth[counted].astype(np.int64)
    strange = columns[(columns < 0) | (columns > classes)]
    if strange.size:
        raise ValueError(
            f"got class {strange[0]} in the prediction, expected 0 to {classes - 1}, or {classes} for none"
        )
    counts = np.bincount(rows * (classes + 1) + columns, minlength=classes * (classes + 1))
    return counts.reshape(classes, classes + 1).astype(np.int64)


def pixel_accuracy(confusion: Confusion) -> float:
    """Share of pixels with the right class, 0 to 1. Raises ValueError when no pixel counts."""
    return float(np.trace(confusion) / _total(confusion))


def class_accuracy(confusion: Confusion) -> float:
    """Mean over classes of the share of their pixels that is right, 0 to 1; classes absent from the truth are left out.

    Raises ValueError when no pixel counts.
    """
    _total(confusion)
    truth = confusion.sum(1)
    present = truth > 0
    return float((np.diag(confusion)[present] / truth[present]).mean())


def mean_iou(confusion: Confusion) -> float:
    """Mean over classes of intersection over union, 0 to 1; classes in neither truth nor prediction are left out.

    A class that is only predicted, never true, counts as 0.
    Raises ValueError when no pixel counts.
    """
    _total(confusion)
    right = np.diag(confusion)
    union = confusion[:, : len(right)].sum(0) + confusion.sum(1) - right
    present = union > 0
    return float((right[present] / union[present]).mean())


def within_tolerance(output: NDArray[Any], target: NDArray[Any], tolerance: float) -> float:
    """Share of pixels whose largest channel difference is at most `tolerance`, in levels of 255: 0 to 1.

    For maps drawn in flat colours, where a pixel is right or wrong; GcGAN uses 5 and 10. Pictures are (H, W, 3) or
    (H, W), values in [0, 255].
    Raises ValueError for pictures of two shapes.
    """
    if output.shape != target.shape or output.ndim not in (2, 3) or output.size == 0:
        got = f"{output.shape} and {target.shape}"
        raise ValueError(f"got pictures of shape {got}, expected one shape, (H, W) or (H, W, C)")
    difference = np.abs(output.astype(np.float64) - target.astype(np.float64))
    largest = difference.max(2) if difference.ndim == 3 else difference
    return float((largest <= tolerance).mean())


def _total(confusion: Confusion) -> int:
    total = int(confusion.sum())
    if total == 0:
        raise ValueError("got a confusion matrix without a pixel, expected labelled pixels in the truth")
    return total
