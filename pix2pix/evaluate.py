"""`python -m pix2pix.evaluate --model NAME|FILE|RUN --data DIR --split S`: measure a model on pairs it has not seen."""

from __future__ import annotations

import hashlib
import json
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

import tyro
from pydantic import Field

from pix2pix.command_line import parse, run
from pix2pix.config import Frozen

PROG = "pix2pix evaluate"


class Arguments(Frozen):
    """Measure a model on pairs it has not seen: L1 (0 to 1), PSNR (dB) and SSIM, beside guesses that need no model."""

    model: Annotated[str | None, tyro.conf.arg(metavar="NAME|FILE|RUN")] = Field(
        None, description="a shipped model, a model file, or a run folder"
    )
    task: Annotated[str | None, tyro.conf.arg(metavar="TASK")] = Field(
        None, description="instead of --model: the newest run under runs/TASK, else the shipped model"
    )
    data: Annotated[str | None, tyro.conf.arg(metavar="DIR|embedded")] = Field(
        None, description="a folder of pairs, or 'embedded'; default: what the model was trained on"
    )
    split: Literal["train", "dev", "val", "test"] = "val"
    out: Annotated[Path | None, tyro.conf.arg(metavar="FILE.json")] = Field(
        None, description="write the figures as JSON too"
    )
    grid: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = Field(
        None, description="draw input, output and target of four pairs, evenly spaced in the split, as one picture"
    )
    device: Annotated[str, tyro.conf.arg(metavar="auto|cpu|cuda|mps")] = "auto"


def main(arguments: Sequence[str]) -> int:
    """Measure as `arguments` say and print a table. Raises ValueError with one line for a user's mistake."""
    options = parse(Arguments, arguments, PROG)
    if options.out is not None and options.out.is_dir():
        raise ValueError(f"{options.out}: a folder, expected a file to write, as {options.out / 'metrics.json'}")

    from pix2pix import hub  # torch takes seconds, which --help and most mistakes need not wait for
    from pix2pix.batch.files import check_writable
    from pix2pix.checkpoint import load_model, write_atomically
    from pix2pix.data.pairs import open_pairs
    from pix2pix.evaluation import draw_grid, evaluate, trivial_guesses
    from pix2pix.images import write_image
    from pix2pix.translator import Translator

    path = hub.choose(options.model, options.task, print)
    translator = Translator(load_model(path), options.device)
    data = translator.task.data.model_copy(update={"path": options.data or translator.task.data.path})
    task = translator.task.model_copy(update={"data": data})
    # Scored at their own size: to decode and resize them all first would be wasted.
    uncached = task.model_copy(update={"data": data.model_copy(update={"cache_gib": 0})})
    pairs = open_pairs(uncached, options.split, print)
    try:
        train = open_pairs(task, "train", lambda line: None)
    except ValueError as error:
        train = None
        say(f"without the guesses that need training pairs: {error}")
    for file in (options.out, options.grid):
        if file is not None:
            check_writable(file.parent)
    scores = evaluate(translator, pairs, trivial_guesses(task, train), say)
    name = options.model or str(path)
    print(table({f"model {name}": scores.metrics, **scores.trivial}, scores.n))
    if options.grid is not None:
        write_image(options.grid, draw_grid(translator, pairs))
        print(f"drawn to {options.grid}")
    if options.out is not None:
        record = {
            "model": name,
            "model_id": hashlib.sha256(path.read_bytes()).hexdigest()[:12],
            "task": task.name,
            "data": task.data.path or pairs.description,
            "split": options.split,
            "n": scores.n,
            "seed": None,
            "dropout": False,
            "metrics": _finite(scores.metrics),
            "trivial": {row: _finite(values) for row, values in scores.trivial.items()},
            "images_seen": translator.facts.images_seen,
        }
        content = (json.dumps(record, indent=2) + "\n").encode()

        def write(temporary: Path) -> None:
            temporary.write_bytes(content)

        write_atomically(options.out, write)
        print(f"written to {options.out}")
    return 0


def table(rows: Mapping[str, Mapping[str, float]], n: int) -> str:
    """One line a row and one column a metric, n in every line."""
    width = max(len(row) for row in rows)
    lines = [f"{'':{width}}  {'L1':>7}  {'PSNR':>7}  {'SSIM':>7}  {'n':>5}"]
    for row, values in rows.items():
        figures = f"{values['l1']:7.4f}  {values['psnr']:7.2f}  {values['ssim']:7.4f}"
        lines.append(f"{row:{width}}  {figures}  {n:5}")
    return "\n".join(lines)


def say(line: str) -> None:
    print(f"{PROG}: {line}", file=sys.stderr)


def _finite(metrics: Mapping[str, float]) -> dict[str, float | None]:
    """JSON has no infinity, which is the PSNR of two equal pictures."""
    return {name: value if math.isfinite(value) else None for name, value in metrics.items()}


if __name__ == "__main__":
    run(main, PROG)
