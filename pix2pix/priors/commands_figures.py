"""Figures that stand beside a sheet: how even the steps of a walk are, what truncation costs and buys."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pix2pix.checkpoint import write_atomically
from pix2pix.metrics.features import CachedExtractor, Extractor, cache_folder, load_extractor
from pix2pix.metrics.judges import Unavailable
from pix2pix.metrics.perceptual import Lpips, load_lpips
from pix2pix.priors.exploring import seeded_pictures
from pix2pix.priors.families import ReleasedPrior
from pix2pix.priors.judging import features_of, judge, samples, watched
from pix2pix.priors.options import Compared, TruncateOptions
from pix2pix.priors.pictures import PictureSet, open_pictures
from pix2pix.priors.prior import Prior

Say = Callable[[str], None]
JUDGED, COMPARED = 500, 100  # samples at each truncation, with real pictures and without


@dataclass(frozen=True)
class StepFigures:
    """LPIPS between neighbouring frames of a walk."""

    network: str
    mean: float
    largest: float

    @property
    def ratio(self) -> float:
        """Of the largest step to the mean: 1 where all are equal."""
        return self.largest / self.mean if self.mean > 0 else 1.0

    def line(self) -> str:
        return (
            f"LPIPS ({self.network}) from frame to frame: mean {self.mean:.4f}, largest {self.largest:.4f}, "
            f"{self.ratio:.1f} times the mean"
        )


@dataclass(frozen=True)
class TruncationFigures:
    """What was measured at each truncation. A row has `truncation`, and the figures by name.

    With real pictures KID, FID, precision and recall, else the mean LPIPS of pairs of samples, their diversity.
    """

    judge: str
    weights: str
    samples: int
    seed: int
    against: str | None
    rows: tuple[Mapping[str, float], ...]

    def lines(self) -> list[str]:
        """As a table for people."""
        if self.against is None:
            head = [f"mean LPIPS ({self.judge}) of {self.samples // 2} pairs of samples: diversity, not fidelity"]
            return head + ["truncation  LPIPS"] + [f"{row['truncation']:<10g}  {row['lpips']:.3f}" for row in self.rows]
        head = [f"{self.samples} samples against {self.against}; features {self.judge}"]
        head.append(f"truncation  {'KID x 1000 (95 %)':<24}  FID    precision  recall")
        for row in self.rows:
            low, high = 1000 * row["kid_low"], 1000 * row["kid_high"]
            kid = f"{1000 * row['kid']:.1f} ({low:.1f} to {high:.1f})"
            shares = f"{row['precision']:<9.3f}  {row['recall']:.3f}"
            head.append(f"{row['truncation']:<10g}  {kid:<24}  {row['fid']:<5.1f}  {shares}")
        return head

    def write(self, path: Path) -> None:
        """As JSON. Raises ValueError where it cannot be written."""
        content = json.dumps(asdict(self), indent=2) + "\n"
        write_atomically(path, lambda temporary: temporary.write_text(content))


def find_lpips(options: Compared, say: Say) -> Lpips | None:
    """The network that compares pictures, None for `none` and where none can be had, which is said.

    Raises Unavailable where one was asked for by name.
    """
    if options.lpips == "none":
        return None
    try:
        return load_lpips("squeeze" if options.lpips == "auto" else options.lpips, options.lpips_backbone, "cpu", say)
    except Unavailable as error:
        if options.lpips != "auto":
            raise
        say(f"without LPIPS: {error}; --lpips NAME --lpips-backbone FILE takes a file")
        return None


def step_figures(frames: NDArray[np.uint8], judge: Lpips) -> StepFigures:
    """Of frames (N, S, S, 3), N of at least 2, in their order."""
    before, steps = judge.embed(frames[0]), []
    for frame in frames[1:]:
        present = judge.embed(frame)
        steps.append(judge.distance(before, present))
        before = present
    return StepFigures(judge.name, float(np.mean(steps)), max(steps))


def truncation_figures(
    prior: Prior, released: ReleasedPrior, values: Sequence[float], options: TruncateOptions, say: Say, show: Say
) -> TruncationFigures | None:
    """At each of `values`, against `options.data` where it is given; None where there is nothing to judge by.

    The table's lines are shown as they come about.
    Raises ValueError where there are no such pictures, or too few, and Unavailable where a network is missing.
    """
    if options.data is not None:
        return _against_pictures(prior, released, values, options, say, show)
    lpips = find_lpips(options, say)
    if lpips is None:
        return None
    count, first = options.samples or COMPARED, options.seed or 0
    seeds = range(first, first + count // 2 * 2)

    def row(value: float) -> dict[str, float]:
        found = watched(seeded_pictures(prior, seeds, value), len(seeds), f"truncation {value:g}")
        return {"truncation": value, "lpips": float(np.mean([lpips(one, next(found)) for one in found]))}

    return _filled(TruncationFigures(lpips.name, lpips.weights, len(seeds), first, None, ()), map(row, values), show)


def _against_pictures(
    prior: Prior, released: ReleasedPrior, values: Sequence[float], options: TruncateOptions, say: Say, show: Say
) -> TruncationFigures:
    data = released.configuration.data.model_copy(update={"path": options.data})
    pictures = open_pictures(data, options.split, say)
    extractor = load_extractor(options.features, options.features_file, "cpu", say)
    real = real_features(pictures, extractor)
    count, seed = options.samples or JUDGED, options.seed or 0

    def row(value: float) -> dict[str, float]:
        made = watched(samples(prior, count, seed, value), count, f"truncation {value:g}")
        found = judge(real, features_of(made, extractor), extractor.name)
        kid = {"kid": found.kid.value, "kid_low": found.kid.low, "kid_high": found.kid.high}
        return {"truncation": value, **kid, "fid": found.fid, "precision": found.precision, "recall": found.recall}

    empty = TruncationFigures(extractor.name, extractor.weights, count, seed, pictures.description, ())
    return _filled(empty, map(row, values), show)


def _filled(empty: TruncationFigures, rows: Iterable[Mapping[str, float]], show: Say) -> TruncationFigures:
    """With each row shown as soon as it is there."""
    for line in empty.lines():
        show(line)
    found = empty
    for row in rows:
        found = replace(found, rows=(*found.rows, row))
        show(found.lines()[-1])
    return found


def real_features(pictures: PictureSet, extractor: Extractor) -> NDArray[np.float32]:
    """Features (n, d) of all `pictures`, which are remembered on disk: they take longer than some hundred samples."""
    kept = CachedExtractor(extractor, cache_folder())
    each = (pictures.picture(index) for index in range(len(pictures)))
    return features_of(watched(each, len(pictures), "real pictures"), kept)
