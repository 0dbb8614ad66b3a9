"""How good a model is on pairs that it has not seen, beside guesses that need no network and the targets themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict
from tqdm import tqdm

from pix2pix.config import Task
from pix2pix.data.conditions import nearest_class, normalise, split_by_size
from pix2pix.data.pairs import PairSource
from pix2pix.images import ImageError, center_crop, make_grid, resize, to_rgb8
from pix2pix.metrics.colour import colourfulness, histogram_overlap, lab_histograms, psnr_ab
from pix2pix.metrics.distributions import frechet_distance, kernel_distance, precision_recall
from pix2pix.metrics.espnet import Segmenter
from pix2pix.metrics.features import FeatureExtractor
from pix2pix.metrics.names import REFERENCE, metric_title
from pix2pix.metrics.perceptual import Embedding, Lpips
from pix2pix.metrics.pixels import l1, ms_ssim, psnr, ssim
from pix2pix.metrics.segmentation import class_accuracy, confusion, mean_iou, pixel_accuracy, within_tolerance
from pix2pix.trivial import Guess

MODEL = "model"
NEIGHBOURS = 3  # of precision and recall, as in their paper
LEAST_SIDE = {"ssim": 11, "ms_ssim": 161, "lpips": 32}
"""Of a picture, in pixels: what SSIM's window, at the smallest scale of MS-SSIM, and any network of LPIPS need."""
ENOUGH = {"fid": 2048, "kid": 50, "precision": 1000}
"""Pictures below which a set's figure is said to be unsure."""


@dataclass(frozen=True)
class Judges:
    """Networks that look at pictures; a figure that needs one which is not there is left out."""

    lpips: Lpips | None = None
    features: FeatureExtractor | None = None
    segmenter: Segmenter | None = None

    def described(self) -> dict[str, str]:
        """Metric -> which network with which weights, for the record."""
        named = {"lpips": self.lpips, "fid, kid, precision, recall": self.features, "fcn-score": self.segmenter}
        return {metric: f"{judge.name}, weights {judge.weights}" for metric, judge in named.items() if judge}


class Scores(BaseModel):
    """Figures over a split: of the model, of each trivial guess, and of the targets themselves."""

    model_config = ConfigDict(frozen=True)

    n: int
    metrics: dict[str, float]
    trivial: dict[str, dict[str, float]]
    intervals: dict[str, tuple[float, float]]  # 95 %, of the model
    pictures: list[dict[str, Any]]  # of the model, `stem` and every metric that one picture has
    notes: list[str]


@dataclass
class Tally:
    """What is kept of one row while pictures pass: figures of each, and what only the whole set can be judged by."""

    single: list[dict[str, float]] = field(default_factory=list)
    features: list[np.ndarray] = field(default_factory=list)
    counts: dict[str, np.ndarray] = field(default_factory=dict)  # of `histograms`, `classes`, `segmented`

    def add_counts(self, name: str, counts: np.ndarray) -> None:
        self.counts[name] = self.counts[name] + counts if name in self.counts else counts


@dataclass(frozen=True)
class Target:
    """A target picture and what is taken from it once for all rows."""

    picture: np.ndarray
    embedding: Embedding | None
    source: np.ndarray


def evaluate(
    translate: Guess,
    pairs: PairSource,
    guesses: Mapping[str, Guess],
    task: Task,
    judges: Judges,
    say: Callable[[str], None],
) -> Scores:
    """Score `translate`, every trivial guess and the targets themselves on all `pairs`, in 8-bit RGB at their own size.

    What one picture can be judged by is taken picture by picture and averaged; FID and the like are of the set. A pair
    that cannot be read is named through `say` and left out.
    Raises ValueError when none can be read, or an output has another size than its target.
    """
    rows: dict[str, Guess | None] = {MODEL: translate, **guesses, REFERENCE: None}
    tallies = {row: Tally() for row in rows}
    stems = []
    for index in tqdm(range(len(pairs)), "evaluating", unit="picture", disable=None):
        try:
            source, picture = pairs.read_full(index)
        except ImageError as error:
            say(f"skipped: {error}")
            continue
        picture = to_rgb8(picture)
        try:
            target = Target(picture, embed(judges, picture), source)
            for row, guess in rows.items():
                output = picture if guess is None else to_rgb8(guess(source))
                look(tallies[row], output, target, task, judges)
        except ValueError as error:
            raise ValueError(f"{pairs.stem(index)}: {error}") from None
        stems.append(pairs.stem(index))
    n = len(stems)
    if n == 0:
        raise ValueError(f"none of the {len(pairs)} pairs can be read")
    metrics = {row: summarise(tally, tallies[REFERENCE], judges) for row, tally in tallies.items()}
    intervals: dict[str, tuple[float, float]] = {}
    if judges.features and n > 1:
        found = kernel_distance(np.stack(tallies[REFERENCE].features), np.stack(tallies[MODEL].features))
        intervals[f"kid_x1000[{judges.features.name}]"] = (1000 * found.low, 1000 * found.high)
    return Scores(
        n=n,
        metrics=metrics.pop(MODEL),
        trivial=metrics,
        intervals=intervals,
        pictures=[{"stem": stem, **each} for stem, each in zip(stems, tallies[MODEL].single, strict=True)],
        notes=notes_on(n, tallies[MODEL], judges, task),
    )


def look(tally: Tally, output: np.ndarray, target: Target, task: Task, judges: Judges) -> None:
    """Take into `tally` what one output (H, W, 3) uint8 shows."""
    picture, side = target.picture, min(target.picture.shape[:2])
    found = {"l1": l1(output, picture), "psnr": psnr(output, picture)}
    if side >= LEAST_SIDE["ssim"]:
        found["ssim"] = ssim(output, picture)
    if side >= LEAST_SIDE["ms_ssim"]:
        found["ms_ssim"] = ms_ssim(output, picture)
    if judges.lpips is not None and target.embedding is not None:
        embedding = target.embedding if output is picture else judges.lpips.embed(output)
        found[f"lpips[{judges.lpips.name}]"] = judges.lpips.distance(embedding, target.embedding)
    if is_colouring(task):
        found |= {"psnr_ab": psnr_ab(output, picture), "colourfulness": colourfulness(output)}
        tally.add_counts("histograms", lab_histograms(output))
    palette = task.data.palette
    if task.data.target == "labels_onehot":
        made, wanted = (nearest_class(each, palette)[0].astype(np.int64) for each in (output, picture))
        tally.add_counts("classes", confusion(made, wanted, len(palette)))
    elif task.evaluation.tolerance is not None:
        found["pixel_accuracy"] = within_tolerance(output, picture, task.evaluation.tolerance)
    if judges.segmenter is not None:
        truth = classes_of(target.source, task, judges.segmenter)
        seen = judges.segmenter.segment(output)
        tally.add_counts("segmented", confusion(seen, truth, len(judges.segmenter.classes)))
    if judges.features is not None:
        tally.features.append(judges.features(output))
    tally.single.append(found)


def is_colouring(task: Task) -> bool:
    """Whether colour is what the task adds: its input is a picture without, no drawing, and its target has some."""
    is_drawing = bool(split_by_size(task.data.normalise)[1])
    return task.data.input == "gray" and task.data.target != "gray" and not is_drawing


def classes_of(source: np.ndarray, task: Task, segmenter: Segmenter) -> np.ndarray:
    """A label map as the segmenter's class numbers, matched by name; -1 where it has no such class."""
    numbers = {name: number for number, name in enumerate(segmenter.classes)}
    table = np.array([numbers.get(name, -1) for name in task.data.palette], np.int64)
    labels = normalise(to_rgb8(source), ("palette",), task.data.palette)
    classes: np.ndarray = table[nearest_class(labels, task.data.palette)[0]]
    return classes


def summarise(tally: Tally, reference: Tally, judges: Judges) -> dict[str, float]:
    """The row's figures: means of what each picture has, then what the set has. Infinite PSNRs count as they are."""
    names = dict.fromkeys(name for each in tally.single for name in each)
    found = {name: float(np.mean([each[name] for each in tally.single if name in each])) for name in names}
    counts = tally.counts
    if "histograms" in counts:
        overlaps = histogram_overlap(counts["histograms"], reference.counts["histograms"])
        found |= dict(zip(("overlap_l", "overlap_a", "overlap_b"), overlaps, strict=True))
    if "classes" in counts:
        found |= accuracies(counts["classes"])
    if judges.segmenter is not None and counts["segmented"].any():
        # Per-pixel accuracy, per-class accuracy and class IoU as in table 1 of arXiv 1611.07004.
        scores = accuracies(counts["segmented"])
        found |= {f"fcn_{name}[{judges.segmenter.name}]": value for name, value in scores.items()}
    if judges.features is not None and len(tally.features) > 1:
        found |= of_the_set(np.stack(reference.features), np.stack(tally.features), judges.features.name)
    return found


def accuracies(counts: np.ndarray) -> dict[str, float]:
    """What a confusion matrix of the whole set comes to."""
    return {
        "pixel_accuracy": pixel_accuracy(counts),
        "class_accuracy": class_accuracy(counts),
        "mean_iou": mean_iou(counts),
    }


def embed(judges: Judges, picture: np.ndarray) -> Embedding | None:
    """What LPIPS sees of a picture; None without LPIPS, or where the picture is too small for it."""
    if judges.lpips is None or min(picture.shape[:2]) < LEAST_SIDE["lpips"]:
        return None
    return judges.lpips.embed(picture)


def of_the_set(real: np.ndarray, fake: np.ndarray, name: str) -> dict[str, float]:
    """FID, KID, precision and recall of features (n, d)."""
    found = {
        f"fid[{name}]": frechet_distance(real, fake),
        f"kid_x1000[{name}]": 1000 * kernel_distance(real, fake, resamples=1).value,
    }
    if len(real) > NEIGHBOURS:
        precision, recall = precision_recall(real, fake, NEIGHBOURS)
        found |= {f"precision[{name}]": precision, f"recall[{name}]": recall}
    return found


def notes_on(n: int, tally: Tally, judges: Judges, task: Task) -> list[str]:
    """What a reader of the figures must know."""
    notes = []
    asked = {"ssim": "ssim", "ms_ssim": "ms_ssim"} | ({"lpips": f"lpips[{judges.lpips.name}]"} if judges.lpips else {})
    for kind, name in asked.items():
        without = sum(name not in each for each in tally.single)
        if without:
            least = LEAST_SIDE[kind]
            notes.append(f"{metric_title(name)} is of {n - without} of {n} pictures: it needs {least} pixels a side")
    if judges.features is not None and n <= NEIGHBOURS:
        notes.append(
            f"n = {n}: FID and KID need 2 pictures, precision and recall {NEIGHBOURS + 1}; without what lacks them"
        )
    elif judges.features is not None:
        if judges.features.name != "inception":
            notes.append(
                f"FID, KID, precision and recall are taken from {judges.features.name}, not from the usual Inception "
                "features: never set them beside published ones"
            )
        if n < ENOUGH["fid"]:
            notes.append(
                f"n = {n} is small for FID, which falls as n grows (an unbiased one needs far more than "
                f"{ENOUGH['fid']}): compare it only at equal n; KID has no such bias"
            )
        if n < ENOUGH["kid"]:
            notes.append(f"n = {n} is small for KID too: go by its interval")
        if n < ENOUGH["precision"]:
            notes.append(f"n = {n} is small for precision and recall: they shift by several hundredths with the choice")
    if judges.segmenter is not None:
        missing = [name for name in task.data.palette if name not in judges.segmenter.classes]
        if not tally.counts["segmented"].any():
            notes.append(f"no FCN-score: no pixel of the label maps is of a class that {judges.segmenter.name} knows")
        elif missing:
            notes.append(f"the FCN-score leaves out what {judges.segmenter.name} does not know: {', '.join(missing)}")
    return notes


def ranked(
    pictures: Sequence[Mapping[str, Any]], metric: str, higher_is_better: bool, each: int
) -> dict[str, list[int]]:
    """Numbers of the worst, median and best pictures by `metric`, `each` of them, none twice."""
    order = sorted(range(len(pictures)), key=lambda index: float(pictures[index][metric]))
    if not higher_is_better:
        order.reverse()  # from worst to best
    each = min(each, max(1, len(order) // 3))
    middle = (len(order) - each) // 2
    chosen = {"worst": order[:each], "median": order[middle : middle + each], "best": order[::-1][:each]}
    seen: set[int] = set()
    for rank, indices in chosen.items():
        chosen[rank] = [index for index in indices if index not in seen]
        seen.update(indices)
    return chosen


def draw_grid(translate: Guess, pairs: PairSource, indices: Sequence[int], count: int = 4) -> np.ndarray:
    """Input, output and target of `count` pairs evenly spaced among `indices`, one row a pair, as an RGB picture."""
    rows = []
    for place in np.linspace(0, len(indices) - 1, min(count, len(indices))).round().astype(int):
        source, target = pairs.read_full(indices[place])
        rows.append([to_rgb8(picture) for picture in (source, translate(source), target)])
    shapes = {row[-1].shape[:2] for row in rows}
    if len(shapes) > 1:  # photos of many shapes: the middle of each
        rows = [[center_crop(tile, min(tile.shape[:2])) for tile in row] for row in rows]
    height, width = rows[0][-1].shape[:2]
    tiles = [[resize(tile, height, width, nearest=False) for tile in row] for row in rows]
    return make_grid(tiles, titles=("input", "output", "target"))
