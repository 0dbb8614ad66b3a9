"""How good a training is after how many minutes: evaluations of its models, set against its undisturbed speed.

Minutes are images seen / images a second / 60, so a training may share its machine with others while its models are
made: what counts is its rate alone on the machine, measured once.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, Field, ValidationError, model_validator

from pix2pix import __version__
from pix2pix.command_line import machine
from pix2pix.metrics.names import REFERENCE, as_number
from pix2pix.schema import Frozen, explain, nearest, read_yaml
from pix2pix.timing.output import read_object

Model = TypeVar("Model", bound=BaseModel)
METRICS = {"l1": "L1", "lpips": "LPIPS", "kid_x1000": "KID"}
SAME = ("task", "split", "n", "judges")  # or the figures say nothing about each other


class Curve(Frozen):
    """One training."""

    name: str = Field(description="as it is to stand in the table and the legend")
    images_per_second: float = Field(gt=0, description="of the training alone on the machine")
    measured_by: str = Field(min_length=1, description="how that rate was measured")
    evaluations: tuple[Path, ...] = Field(min_length=1, description="files that `evaluate --out` wrote")

    @model_validator(mode="after")
    def _shows(self) -> Curve:
        # A bar or line break would end a cell of the table; dollars are formulas in a legend, which leaves out _names.
        if not self.name[:1].isalnum() or set(self.name) & set("|$\n"):
            raise ValueError(f"name: got {self.name!r}, expected one line without | and $, a letter or digit first")
        return self


class Curves(Frozen):
    """The trainings to compare."""

    curves: tuple[Curve, ...] = Field(min_length=1)


class Evaluation(Frozen, extra="ignore"):
    """What is read of the file that `evaluate --out` writes."""

    task: str
    split: str
    n: int
    seed: int | None
    images_seen: int = Field(gt=0)
    judges: dict[str, str]
    metrics: dict[str, float | None]
    intervals: dict[str, tuple[float, float]]
    trivial: dict[str, dict[str, float | None]]


def measure(path: Path, command: str) -> dict[str, Any]:
    """Table rows, best trivial rows and what they were measured by, for the curves that the YAML file `path` names.

    Raises ValueError with one line, naming the file and the field, for a mistake in it or in an evaluation, and for
    evaluations that cannot be compared.
    """
    curves = _validated(Curves, read_yaml(path), path).curves
    names = [curve.name for curve in curves]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{path}: got two curves named '{name}', expected a name of its own for each")
    read = [{path.parent / file: read_evaluation(path.parent / file) for file in curve.evaluations} for curve in curves]
    every = {file: evaluation for one in read for file, evaluation in one.items()}
    check_same(every)
    first = next(iter(every.values()))
    full = {plain: full_name(first.metrics, plain) for plain in METRICS}
    return {
        "command": command,
        "machine": machine(),
        "software": f"pix2pix {__version__}",
        **{name: getattr(first, name) for name in SAME},
        "seeds": list(dict.fromkeys(each.seed for each in every.values())),
        "metrics": full,
        "curves": [curve.model_dump(mode="json", exclude={"evaluations"}) for curve in curves],
        "trivial": {plain: best_trivial(first, full[plain]) for plain in METRICS},
        "rows": [row for curve, one in zip(curves, read, strict=True) for row in rows(curve, one, full)],
    }


def add_to_page(figures: Mapping[str, Any], out: Path) -> Path:
    """Put what `measure` gave into performance.json, .md and quality.webp in the folder `out`, beside what `growth`
    has left there; the page. Raises ValueError if performance.json is of another kind, or cannot be written."""
    from pix2pix.timing.document import write_document  # with torch, for which mistakes need not wait
    from pix2pix.timing.growth import read_results, write_results

    results = {**read_results(out / "performance.json"), "quality": dict(figures)}
    out.mkdir(parents=True, exist_ok=True)
    write_results(out / "performance.json", results)
    write_document(results, out)
    return out / "performance.md"


def minutes(images: int, images_per_second: float) -> float:
    """How long a training takes to see `images`."""
    return images / images_per_second / 60


def rows(curve: Curve, evaluations: Mapping[Path, Evaluation], full: Mapping[str, str]) -> list[dict[str, Any]]:
    """One row an evaluation, by images seen. Raises ValueError for two after equally many images."""
    found: dict[int, dict[str, Any]] = {}
    for path, evaluation in evaluations.items():
        images = evaluation.images_seen
        if images in found:
            raise ValueError(f"{path}: images_seen: got {images} again, expected one evaluation each in '{curve.name}'")
        low, high = evaluation.intervals[full["kid_x1000"]]
        found[images] = {
            "curve": curve.name,
            "minutes": minutes(images, curve.images_per_second),
            "images": images,
            **{plain: evaluation.metrics[name] for plain, name in full.items()},
            "kid_x1000_low": low,
            "kid_x1000_high": high,
            "n": evaluation.n,
        }
    return [found[images] for images in sorted(found)]


def best_trivial(evaluation: Evaluation, metric: str) -> dict[str, Any] | None:
    """The guess without a network that has the lowest `metric`, by name and value; None if there is none."""
    values = {
        name: value
        for name, row in evaluation.trivial.items()
        if name != REFERENCE and (value := as_number(metric, row.get(metric))) is not None
    }
    if not values:
        return None
    best = min(values, key=lambda name: values[name])
    return {"name": best, "value": values[best]}


def full_name(names: Mapping[str, object], plain: str) -> str:
    """`lpips` as it is named with its judge, `lpips[squeeze]`; it must be among `names`."""
    return next(name for name in names if name.partition("[")[0] == plain)


def read_evaluation(path: Path) -> Evaluation:
    """The file that `evaluate --out` wrote. Raises ValueError for any other, and for one without LPIPS or KID."""
    evaluation = _validated(Evaluation, read_object(path, "evaluate --out"), path)
    known = {name.partition("[")[0] for name, value in evaluation.metrics.items() if value is not None}
    for plain, title in METRICS.items():
        if plain not in known:
            raise ValueError(f"{path}: metrics: got no {title}, expected it; evaluate with --lpips and --features")
    if full_name(evaluation.metrics, "kid_x1000") not in evaluation.intervals:
        raise ValueError(f"{path}: intervals: got none of KID, expected [low, high]; evaluate the model again")
    return evaluation


def check_same(evaluations: Mapping[Path, Evaluation]) -> None:
    """Raises ValueError with one line if they are not of the same pictures by the same judges."""
    (first, expected), *others = evaluations.items()
    for path, got in others:
        for field in SAME:
            a, b = getattr(got, field), getattr(expected, field)
            if a != b:
                raise ValueError(f"{path}: {field}: got {a!r}, expected {b!r} as in {first}")


def _validated(model: type[Model], content: Mapping[str, Any], path: Path) -> Model:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        problem = error.errors()[0]
        if problem["type"] != "extra_forbidden":
            raise ValueError(f"{path}: {explain(error, model)}") from None
        *above, name = problem["loc"]
        field = ".".join(map(str, problem["loc"]))
        known = Curve.model_fields if above else Curves.model_fields
        raise ValueError(f"{path}: unknown field '{field}'; {nearest(str(name), known)}") from None
