"""How cost grows: with the side of the pictures, the batch, and the size of the data set.

Every point is measured in a process of its own, and written down as soon as it is known.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, get_args

from pix2pix import __version__
from pix2pix.checkpoint import write_atomically
from pix2pix.command_line import machine
from pix2pix.config import Task, validate
from pix2pix.schema import merge
from pix2pix.timing.data import Delivery
from pix2pix.timing.document import write_document
from pix2pix.timing.machine import available_memory_bytes
from pix2pix.timing.output import read_object
from pix2pix.timing.training import described, period, periods, time_sides
from pix2pix.timing.translation import PLAIN, chosen_backends
from pix2pix.timing.translation import measure as measure_translation
from pix2pix.timing.worker import Worker

Part = Literal["train", "batch", "translate", "data"]
Say = Callable[[str], None]
Row = dict[str, Any]

MOST_MEMORY = 20 * 2**30
SHARE_OF_AVAILABLE = 0.9
BACKENDS = ("torch-bf16", "openvino-bf16")  # the fast ones of either kind, where they are to be had


@dataclass(frozen=True)
class Plan:
    """The points that are measured."""

    sizes: Sequence[int] = (128, 256, 512, 1024)
    batches: Sequence[int] = (1, 2, 4, 8, 16, 32)
    pairs: Sequence[int] = (400, 4_000, 40_000, 100_000)
    generators: Sequence[str] = ("unet", "compact_unet")
    steps: int = 5


def grow(
    task: Task, plan: Plan, parts: Sequence[Part], out: Path, include: Sequence[Path], command: str, say: Say
) -> dict[str, Any]:
    """Measure `parts` of the plan; `out` gets performance.json, .md and .webp. Parts measured before stay in them.

    `include` are files that `benchmark --json` printed, to be shown as well. Raises ValueError for one that is not.
    """
    results = read_results(out / "performance.json")
    for path in include:
        figures = read_figures(path)
        results["included"][name_of(figures)] = figures
    out.mkdir(parents=True, exist_ok=True)
    for part in parts:
        rows: list[Row] = []
        results["parts"][part] = {
            "command": command,
            "machine": machine(),
            "software": f"pix2pix {__version__}",
            "seed": task.train.seed,
            "steps": plan.steps,
            **(timed_steps(task, plan) if part in ("train", "batch") else {}),
            "rows": rows,
        }
        for row in MEASURES[part](task, plan):
            rows.append(row)
            say(f"{part}: " + ", ".join(f"{name} {_short(value)}" for name, value in row.items()))
            write_results(out / "performance.json", results)
    write_results(out / "performance.json", results)
    write_document(results, out)
    return results


def name_of(figures: Mapping[str, Any]) -> str:
    """What tells figures apart: the same measurement made again takes the place of the earlier one."""
    told = (figures.get(key) for key in ("what", "model", "generator", "size", "batch", "precision"))
    return " ".join(str(each) for each in told if each is not None)


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def read_results(path: Path) -> dict[str, Any]:
    """What earlier runs have left. Raises ValueError for a file of another kind."""
    if not path.exists():
        return {"included": {}, "parts": {}}
    results = read_object(path, "benchmark --json")
    if not isinstance(results.get("parts"), dict) or not isinstance(results.get("included"), dict):
        raise ValueError(f"{path}: got no results of this command; move it away, or give another --out")
    return results


def write_results(path: Path, results: Mapping[str, Any]) -> None:
    """Write all that is known so far."""
    text = json.dumps(results, indent=1) + "\n"
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def read_figures(path: Path) -> dict[str, Any]:
    """What `benchmark train|translate|data --json` printed into a file. Raises ValueError for anything else."""
    figures = read_object(path, "benchmark --json")
    if figures.get("what") not in ("train", "translate", "data"):
        raise ValueError(f"--include {path}: got no figures of benchmark train, translate or data; save their --json")
    return figures


def _with(task: Task, generator: str, size: int, batch: int) -> Task:
    changes: dict[str, Any] = {
        "model": {"generator": generator},
        "data": {"size": size, "load_size": None},
        "train": {"batch": batch},
    }
    return validate(merge(task.model_dump(), changes), task.name)


def timed_steps(task: Task, plan: Plan) -> dict[str, int]:
    """The steps of a training that are timed at each point, whole periods of it."""
    block = period(task.train)
    return {"steps": periods(plan.steps, task.train) * block, "period": block}


def _train(task: Task, plan: Plan) -> Iterator[Row]:
    for generator in plan.generators:
        yield from _steps(plan, [_with(task, generator, size, task.train.batch) for size in plan.sizes])


def _batch(task: Task, plan: Plan) -> Iterator[Row]:
    for generator in plan.generators:
        yield from _steps(plan, [_with(task, generator, task.data.size, batch) for batch in plan.batches])


def _steps(plan: Plan, tasks: Sequence[Task]) -> Iterator[Row]:
    """One row a task, in the order of what they need; those that need too much memory say so instead."""
    known: list[tuple[float, float]] = []
    for task in tasks:
        pixels = task.train.batch * task.data.size**2
        row: Row = {"generator": task.model.generator, "size": task.data.size, "batch": task.train.batch}
        needed = expected_memory(known, pixels)
        if needed > memory_limit():
            yield row | {"skipped": f"would need about {needed / 2**30:.0f} GiB"}
            continue
        timed = time_sides(task, plan.steps, against_plain=False, profiled=False)
        known.append((pixels, timed["memory"]["ours"]))
        seconds = timed["seconds"]["ours"]
        yield row | {
            "precision": described(task, timed["choices"])["precision"],
            "images_per_second": task.train.batch / seconds,
            "seconds_a_step": seconds,
            "peak_memory_bytes": timed["memory"]["ours"],
        }


def expected_memory(known: Sequence[tuple[float, float]], pixels: float) -> float:
    """Bytes that `pixels` need if memory grows as along the steepest stretch of the `known` (pixels, bytes); 0 if
    fewer than two are known."""
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(known)]
    return known[-1][1] + max(slopes) * (pixels - known[-1][0]) if slopes else 0.0


def memory_limit() -> float:
    """Bytes that one point may take."""
    available = available_memory_bytes()
    return MOST_MEMORY if available is None else min(MOST_MEMORY, SHARE_OF_AVAILABLE * available)


def _translate(task: Task, plan: Plan) -> Iterator[Row]:
    backends = [name for name in chosen_backends(None, "cpu") if name in BACKENDS]
    cpu = task.model_copy(update={"train": task.train.model_copy(update={"device": "cpu"})})
    for generator in plan.generators:
        for size in plan.sizes:
            one = _with(cpu, generator, task.data.size, task.train.batch)
            figures = measure_translation(one, None, size, backends, plan.steps, against_plain=True)
            for name in [PLAIN, *backends]:
                way = figures["backends"][name]
                yield {"generator": generator, "size": size, "backend": name, **way}


def _data(task: Task, plan: Plan) -> Iterator[Row]:
    for count in plan.pairs:
        with Worker(Delivery, task, count, name=f"{count} drawn pairs") as worker:
            opened = worker.ask("opened")
        figures = {name: opened[name] for name in ("start_seconds", "peak_memory_bytes")}
        yield {"pairs": count, "kept_for_training": opened["pairs"], **figures}


MEASURES: Mapping[Part, Callable[[Task, Plan], Iterator[Row]]] = {
    "train": _train,
    "batch": _batch,
    "translate": _translate,
    "data": _data,
}
assert tuple(MEASURES) == get_args(Part)
