"""Guesses of a target that need no network: what a trained model must beat, or it has learnt nothing worth its time."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from tqdm import tqdm

from pix2pix.config import Task
from pix2pix.data.conditions import nearest_class, normalise
from pix2pix.data.inputs import network_input
from pix2pix.data.pairs import PairSource
from pix2pix.images import fill_smoothly, resize, to_rgb8
from pix2pix.representations import known_pixels, representations

TRAIN_PAIRS = 1000  # for the mean guesses; more would not move a mean by a visible amount

Guess = Callable[[np.ndarray], np.ndarray]
"""An input picture (H, W, C), as it is on disk, to a guess of the target, (H, W, C)."""


def trivial_guesses(task: Task, train: PairSource | None) -> dict[str, Guess]:
    """Name -> guess. What is learned from `train` (the training split of the same data) is left out without it."""
    guesses: dict[str, Guess] = {}
    if train is not None:
        if task.data.input == "labels_onehot" or "palette" in task.data.normalise:
            guesses["mean colour of each class"] = _class_colours(task, _training_pairs(train))
        guesses["mean target"] = _mean_target(_training_pairs(train), task.data.size, task.data.scale)
    shown, _ = representations(task.data)
    # As the network sees it: a grey input must not pass on the colours that its file may have.
    guesses["input unchanged"] = lambda source: shown.decode(shown.encode(network_input(source, task.data)))
    if task.data.target == "filled_rgb":
        guesses["holes in the mean colour"] = lambda source: _filled_with_mean(network_input(source, task.data))
        guesses["holes filled smoothly"] = lambda source: _filled_smoothly(network_input(source, task.data))
    return guesses


def _filled_with_mean(source: np.ndarray) -> np.ndarray:
    """A picture (H, W, 4) with the mean colour of what is known of it in its holes; (H, W, 3)."""
    known, colours = known_pixels(source), source[:, :, :3]
    mean = colours[known].mean(0) if known.any() else np.zeros(3)
    return np.where(known[:, :, None], colours, (mean + 0.5).astype(source.dtype))


def _filled_smoothly(source: np.ndarray) -> np.ndarray:
    """A picture (H, W, 4) with its holes filled from the colours around them; (H, W, 3)."""
    return (fill_smoothly(source[:, :, :3], known_pixels(source)) + 0.5).astype(source.dtype)


def _training_pairs(train: PairSource) -> Iterable[tuple[np.ndarray, np.ndarray]]:
    """Input (normalised) and target, square; evenly spaced pairs where there are very many."""
    indices = np.linspace(0, len(train) - 1, min(len(train), TRAIN_PAIRS)).round().astype(int)
    for index in tqdm(indices, "training pairs", delay=2, leave=False, disable=None):
        source, target = train.read(int(index))
        yield source, to_rgb8(target)


def _class_colours(task: Task, pairs: Iterable[tuple[np.ndarray, np.ndarray]]) -> Guess:
    """Each class of the input painted in its mean target colour; one that is in no training pair, in that of all."""
    palette = task.data.palette
    sums, counts = np.zeros((len(palette), 3)), np.zeros((len(palette), 1))
    for source, target in pairs:
        classes = nearest_class(to_rgb8(source), palette)[0].ravel()
        counts[:, 0] += np.bincount(classes, minlength=len(palette))
        for channel in range(3):
            sums[:, channel] += np.bincount(classes, target[..., channel].ravel(), minlength=len(palette))
    overall = sums.sum(0) / counts.sum()
    colours = np.where(counts > 0, sums / np.maximum(counts, 1), overall).round().astype(np.uint8)

    def guess(source: np.ndarray) -> np.ndarray:
        painted: np.ndarray = colours[nearest_class(to_rgb8(normalise(source, ("palette",), palette)), palette)[0]]
        return painted

    return guess


def _mean_target(pairs: Iterable[tuple[np.ndarray, np.ndarray]], side: int, scale: int) -> Guess:
    """The mean of all targets at every place, whatever the input."""
    total, count = np.zeros((side, side, 3)), 0
    for _, target in pairs:
        total, count = total + resize(target, side, side, nearest=False), count + 1
    mean = (total / count).round().astype(np.uint8)
    return lambda source: resize(mean, scale * source.shape[0], scale * source.shape[1], nearest=False)
