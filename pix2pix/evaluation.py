"""How good a model is on pairs that it has not seen, beside guesses that need no network at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

import numpy as np
from pydantic import BaseModel, ConfigDict
from tqdm import tqdm

from pix2pix.config import Task
from pix2pix.data.conditions import nearest_class, normalise
from pix2pix.data.pairs import PairSource
from pix2pix.images import ImageError, make_grid, resize, to_rgb8
from pix2pix.metrics.pixels import l1, psnr, ssim

METRICS: Mapping[str, Callable[[np.ndarray, np.ndarray], float]] = MappingProxyType(
    {"l1": l1, "psnr": psnr, "ssim": ssim}
)
TRAIN_PAIRS = 1000  # for the mean guesses; more would not move a mean by a visible amount

Guess = Callable[[np.ndarray], np.ndarray]
"""An input picture (H, W, C), as it is on disk, to a guess of the target, (H, W, C)."""


class Scores(BaseModel):
    """Means over the pictures of a split: of the model, and of each trivial guess."""

    model_config = ConfigDict(frozen=True)

    n: int
    metrics: dict[str, float]
    trivial: dict[str, dict[str, float]]


def evaluate(
    translate: Guess, pairs: PairSource, guesses: Mapping[str, Guess], say: Callable[[str], None], title: str = ""
) -> Scores:
    """Score `translate` and every trivial guess on all `pairs`, in 8-bit RGB at the pictures' own size.

    Each metric is taken picture by picture and averaged. A pair that cannot be read is named through `say` and left
    out.
    Raises ValueError when none can be read, or a picture is too small for a metric.
    """
    rows: dict[str, Guess] = {"": translate, **guesses}
    scores: dict[str, dict[str, list[float]]] = {row: {metric: [] for metric in METRICS} for row in rows}
    for index in tqdm(range(len(pairs)), title or "evaluating", unit="picture", disable=None):
        try:
            source, target = pairs.read_full(index)
        except ImageError as error:
            say(f"skipped: {error}")
            continue
        target = to_rgb8(target)
        for row, guess in rows.items():
            output = to_rgb8(guess(source))
            for metric, function in METRICS.items():
                try:
                    scores[row][metric].append(function(output, target))
                except ValueError as error:
                    raise ValueError(f"{pairs.stem(index)}: {error}") from None
    n = len(scores[""]["l1"])
    if n == 0:
        raise ValueError(f"none of the {len(pairs)} pairs can be read")
    means = {row: {metric: float(np.mean(values)) for metric, values in of.items()} for row, of in scores.items()}
    return Scores(n=n, metrics=means.pop(""), trivial=means)


def draw_grid(translate: Guess, pairs: PairSource, count: int = 4) -> np.ndarray:
    """Input, output and target of `count` pairs evenly spaced in the split, one row a pair, as an RGB picture."""
    rows = []
    for index in np.linspace(0, len(pairs) - 1, min(count, len(pairs))).round().astype(int):
        source, target = pairs.read_full(int(index))
        rows.append([to_rgb8(picture) for picture in (source, translate(source), target)])
    height, width = rows[0][0].shape[:2]
    tiles = [[resize(tile, height, width, nearest=False) for tile in row] for row in rows]
    return make_grid(tiles, titles=("input", "output", "target"))


def trivial_guesses(task: Task, train: PairSource | None) -> dict[str, Guess]:
    """Name -> guess. What is learned from `train` (the training split of the same data) is left out without it."""
    guesses: dict[str, Guess] = {}
    if train is not None:
        if task.data.input == "labels_onehot" or "palette" in task.data.normalise:
            guesses["mean colour of each class"] = _class_colours(task, _training_pairs(train))
        guesses["mean target"] = _mean_target(_training_pairs(train))
    guesses["input unchanged"] = lambda source: source
    return guesses


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


def _mean_target(pairs: Iterable[tuple[np.ndarray, np.ndarray]]) -> Guess:
    """The mean of all targets at every place, whatever the input."""
    total, count = np.zeros((1, 1, 3)), 0
    for _, target in pairs:
        total, count = total + target, count + 1
    mean = (total / count).round().astype(np.uint8)
    return lambda source: resize(mean, source.shape[0], source.shape[1], nearest=False)
