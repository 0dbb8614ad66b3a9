"""The page of one evaluation: what was measured and how, the figures beside those of trivial guesses, and pictures.

It draws the record that `pix2pix evaluate` writes as JSON and adds nothing to it but the chosen cases.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pix2pix.metrics.names import REFERENCE, UNDEFINED, as_number, higher_is_better, metric_title, value_text
from pix2pix.reporting.page import count_text, data_uri, render, write_page
from pix2pix.reporting.plots import POINTS, Plot, dots, evenly

RANKS: tuple[Literal["worst", "median", "best"], ...] = ("worst", "median", "best")
ARROWS = {True: ("↑", "higher is better"), False: ("↓", "lower is better"), None: ("", "neither direction is better")}

Metrics = Mapping[str, float | None]


@dataclass(frozen=True)
class Case:
    """One picture to look at: `source`, `output` and `target` are (H, W, C) uint8."""

    stem: str
    rank: Literal["worst", "median", "best"]
    metrics: Mapping[str, float]
    source: np.ndarray
    output: np.ndarray
    target: np.ndarray


@dataclass(frozen=True)
class Cell:
    """A value of the table; `best` where no other competitor of its column is better, as far as the digits tell."""

    text: str
    best: bool = False
    interval: str = ""


def write_evaluation_report(path: Path, evaluation: Mapping[str, Any], cases: Sequence[Case]) -> None:
    """Write the page of one evaluation record, with the pictures of `cases`. Raises ValueError when it cannot be."""
    names = metric_names(evaluation)
    ranked_by = evaluation.get("ranked_by")
    context = {
        "model": str(evaluation["model"]),
        "facts": _facts(evaluation),
        "judges": dict(evaluation.get("judges") or {}),
        "notes": list(evaluation.get("notes") or []),
        "columns": [_column(name) for name in names],
        "rows": table(evaluation),
        "n": count_text(evaluation["n"]),
        "reference": REFERENCE,
        "intervals": bool(evaluation.get("intervals")),
        "plots_drawn": picture_plots(evaluation.get("pictures") or [], {case.stem for case in cases}),
        "cases": [(rank, [_drawn(case) for case in cases if case.rank == rank]) for rank in RANKS],
        "ranked_by": "" if ranked_by is None else metric_title(str(ranked_by)),
    }
    write_page(path, render("evaluation.html", context))


def metric_names(evaluation: Mapping[str, Any]) -> list[str]:
    """Every metric of the model or of a trivial row, in the record's order."""
    rows: list[Metrics] = [evaluation["metrics"], *(evaluation.get("trivial") or {}).values()]
    return list(dict.fromkeys(name for row in rows for name in row))


def table(evaluation: Mapping[str, Any]) -> list[tuple[str, list[Cell]]]:
    """Row name -> cells: the model, then the trivial guesses, and the reference row last."""
    trivial: Mapping[str, Metrics] = evaluation.get("trivial") or {}
    rows: dict[str, Metrics] = {str(evaluation["model"]): evaluation["metrics"]}
    rows |= {row: values for row, values in trivial.items() if row != REFERENCE}
    intervals: Mapping[str, Sequence[float]] = evaluation.get("intervals") or {}
    names = metric_names(evaluation)
    winners = {name: _winner(name, list(rows.values())) for name in names}
    cells = []
    for number, (row, values) in enumerate(rows.items()):
        texts = {name: _text(name, values) for name in names}
        cells.append(
            (
                row,
                [
                    Cell(text, text == winners[name], _interval(name, intervals.get(name)) if number == 0 else "")
                    for name, text in texts.items()
                ],
            )
        )
    if REFERENCE in trivial:
        cells.append((REFERENCE, [Cell(_text(name, trivial[REFERENCE])) for name in names]))
    return cells


def picture_plots(pictures: Sequence[Mapping[str, Any]], shown: set[str]) -> list[Plot]:
    """One plot a metric, every picture a dot, from worst to best; those in `shown` are marked."""
    names = dict.fromkeys(name for picture in pictures for name in picture if name != "stem")
    plots = [_picture_plot(name, pictures, shown) for name in names]
    return [plot for plot in plots if plot is not None]


def _picture_plot(name: str, pictures: Sequence[Mapping[str, Any]], shown: set[str]) -> Plot | None:
    values = [(str(picture["stem"]), _finite(picture.get(name))) for picture in pictures]
    points = [(stem, value) for stem, value in values if value is not None]
    if not points:
        return None
    direction = higher_is_better(name)
    points.sort(key=lambda point: point[1], reverse=direction is False)
    kept = [points[index] for index in evenly(len(points), POINTS)]
    marked = [point for point in kept if point[0] in shown]
    places = {stem: place for place, (stem, _) in enumerate(kept, 1)}
    traces = [dots("pictures", [value for _, value in kept], [stem for stem, _ in kept], range(1, len(kept) + 1), 0)]
    if marked:
        trace = dots(
            "shown below",
            [value for _, value in marked],
            [stem for stem, _ in marked],
            [places[s] for s, _ in marked],
            1,
        )
        traces.append({**trace, "marker": {**trace["marker"], "size": 10, "opacity": 1, "symbol": "diamond"}})
    absent = len(values) - len(points)
    words = f" {count_text(absent)} without a finite value left out." if absent else ""
    order = "from lowest to highest" if direction is None else "from worst to best"
    explanation = (
        f"Every dot is a picture, {order}; point at one for its name. Healthy: a gentle slope. A cliff at an end is a "
        f"kind of picture that the model treats unlike the others.{words}"
    )
    return Plot(metric_title(name), explanation, traces, "pictures, " + order, metric_title(name))


def _winner(name: str, rows: Sequence[Metrics]) -> str | None:
    """The best value of a column as it is written, so that what looks equal is marked alike."""
    direction = higher_is_better(name)
    numbers = [as_number(name, row[name]) for row in rows if name in row]
    known = [number for number in numbers if number is not None]
    if direction is None or len(known) < 2:
        return None
    return value_text(name, max(known) if direction else min(known))


def _text(name: str, row: Metrics) -> str:
    return value_text(name, row[name]) if name in row else UNDEFINED


def _interval(name: str, interval: Sequence[float] | None) -> str:
    return "" if interval is None else " to ".join(value_text(name, end) for end in interval)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _column(name: str) -> dict[str, str]:
    title, _, small = metric_title(name).partition(" (")
    arrow, words = ARROWS[higher_is_better(name)]
    return {"title": title, "small": small.removesuffix(")"), "arrow": arrow, "words": words}


def _facts(evaluation: Mapping[str, Any]) -> list[tuple[str, str]]:
    seed, seen = evaluation.get("seed"), evaluation.get("images_seen")
    facts = [
        ("Id", evaluation.get("model_id")),
        ("Task", evaluation.get("task")),
        ("Training", None if seen is None else f"{count_text(seen)} images seen"),
        ("Data", evaluation.get("data")),
        ("Split", evaluation.get("split")),
        ("n", count_text(evaluation["n"])),
        ("Seed", "none" if seed is None else seed),
        ("Dropout", "on" if evaluation.get("dropout") else "off"),
        ("Machine", evaluation.get("machine")),
        ("Software", evaluation.get("software")),
        ("Date", evaluation.get("date")),
    ]
    return [(name, str(value)) for name, value in facts if value not in (None, "")]


def _drawn(case: Case) -> dict[str, Any]:
    pictures = {"input": case.source, "output": case.output, "target": case.target}
    return {
        "stem": case.stem,
        "metrics": [(metric_title(name), value_text(name, value)) for name, value in case.metrics.items()],
        "pictures": [(name, data_uri(picture, longest=768, quality=85)) for name, picture in pictures.items()],
    }
