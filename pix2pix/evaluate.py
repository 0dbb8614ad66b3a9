"""`python -m pix2pix.evaluate --model NAME|FILE|RUN --data DIR --split S`: measure a model on pairs it has not seen."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro
from pydantic import Field

from pix2pix import __version__, model_files
from pix2pix.command_line import machine, parse, run
from pix2pix.config import Task
from pix2pix.schema import Frozen

if TYPE_CHECKING:
    import numpy as np

    from pix2pix.data.pairs import PairSource
    from pix2pix.evaluation import Judges
    from pix2pix.trivial import Guess

PROG = "pix2pix evaluate"
SHOWN = 3  # pictures of each of worst, median and best


class Arguments(Frozen):
    """Measure a model on pairs it has not seen: L1, PSNR, SSIM, MS-SSIM, LPIPS, FID, KID, precision and recall.

    What else suits the task comes too, and beside the model stand guesses that need none, and the targets themselves.

    LPIPS, FID and the like need `pip install pix2pix[eval]` and weights, which are downloaded once or given as files.
    """

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
    seed: Annotated[int | None, tyro.conf.arg(metavar="S")] = Field(
        None, ge=0, lt=2**63, description="draw the model's dropout and noise from it; default: off, as in translate"
    )
    work_size: Annotated[int | None, tyro.conf.arg(metavar="PX")] = Field(
        None, description="short side that the network works at; default: the model's own"
    )
    lpips: Literal["auto", "alex", "vgg", "squeeze", "none"] = Field(
        "auto", description="network of LPIPS; auto: alex, the usual one, or what can be had, which is said"
    )
    lpips_backbone: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = Field(
        None, description="torchvision's ImageNet weights of that network; default: torchvision's own download"
    )
    features: Literal["auto", "inception", "efficientnet_lite0", "none"] = Field(
        "auto", description="of FID, KID, precision, recall; auto: inception, or what can be had, which is said"
    )
    features_file: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = Field(
        None, description="weights of that network; default: torch-fidelity's download, or the package's own"
    )
    segmenter: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = Field(
        None, description="ESPNet weights for the FCN-score of labels tasks, or a photo-to-labels model of this program"
    )
    derive: Annotated[str | None, tyro.conf.arg(metavar="STEP")] = Field(
        None, description="make the inputs from the targets in another way than the task does; e.g. drawn_lines"
    )
    out: Annotated[Path | None, tyro.conf.arg(metavar="FILE.json")] = Field(
        None, description="write the figures as JSON too"
    )
    report: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = Field(
        None, description="write DIR/report.html with the worst, median and best pictures, and DIR/metrics.json"
    )
    grid: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = Field(
        None, description="draw input, output and target of four pairs, evenly spaced in the split, as one picture"
    )
    device: Annotated[str, tyro.conf.arg(metavar="auto|cpu|cuda|mps")] = "auto"


def main(arguments: Sequence[str]) -> int:
    """Measure as `arguments` say and print a table. Raises ValueError with one line for a user's mistake."""
    options = parse(Arguments, arguments, PROG)
    check(options)

    from pix2pix.checkpoint import load_model  # torch takes seconds, which --help and most mistakes need not wait for
    from pix2pix.data.pairs import open_pairs
    from pix2pix.evaluation import draw_grid, evaluate
    from pix2pix.images import write_image
    from pix2pix.metrics.judges import fingerprint
    from pix2pix.metrics.table import table
    from pix2pix.translator import Translator
    from pix2pix.trivial import trivial_guesses

    path = model_files.choose(options.model, options.task, print)
    translator = Translator(load_model(path), options.device, options.work_size, "torch")  # the same figures anywhere
    if options.derive and not translator.task.data.derive:
        raise ValueError(f"--derive {options.derive}: '{translator.task.name}' takes pairs, whose inputs are given")
    data = translator.task.data.model_copy(
        update={
            "path": options.data or translator.task.data.path,
            "derive": (options.derive,) if options.derive else translator.task.data.derive,
        }
    )
    task = translator.task.model_copy(update={"data": data})
    # Scored at their own size: to decode and resize them all first would be wasted.
    uncached = task.model_copy(update={"data": data.model_copy(update={"cache_gib": 0})})
    pairs = open_pairs(uncached, options.split, print)
    if options.derive and not pairs.derives:
        raise ValueError(f"--derive {options.derive}: these are pairs, whose inputs are given; expected photos")
    try:
        train = open_pairs(task, "train", lambda line: None)
    except ValueError as error:
        train = None
        say(f"without the guesses that need training pairs: {error}")
    judges, missing = find_judges(options, task, str(translator.device))  # after the data: it may ask the network

    def translate(source: np.ndarray) -> np.ndarray:
        return translator(source, seed=options.seed)

    scores = evaluate(translate, pairs, trivial_guesses(task, train), task, judges, say)
    name = options.model or str(path)
    notes = [*missing, *scores.notes]
    print(f"model: {name}")
    print(table({"model": scores.metrics, **scores.trivial}, scores.intervals, scores.n))
    for note in notes:
        print(f"note: {note}")
    record = {
        "model": name,
        "model_id": fingerprint(path),
        "task": task.name,
        "data": task.data.path or pairs.description,
        "split": options.split,
        "n": scores.n,
        "seed": options.seed,
        "dropout": options.seed is not None,
        "images_seen": translator.facts.images_seen,
        "work_size": translator.work_size if task.work == "trained" else None,
        "judges": judges.described(),
        "notes": notes,
        "metrics": _finite(scores.metrics),
        "intervals": scores.intervals,
        "trivial": {row: _finite(values) for row, values in scores.trivial.items()},
        "machine": machine(),
        "software": f"pix2pix {__version__}, torch {version('torch')}",
        "date": datetime.now(UTC).date().isoformat(),
        "pictures": [_finite(each) for each in scores.pictures],
    }
    # The figures first: what took longest must not be lost to a picture that cannot be written.
    for file in (options.out, options.report and options.report / "metrics.json"):
        if file is not None:
            write_json(file, record)
            print(f"written to {file}")
    numbers = {pairs.stem(index): index for index in range(len(pairs))}
    scored = [numbers[picture["stem"]] for picture in scores.pictures]
    if options.grid is not None:
        write_image(options.grid, draw_grid(translate, pairs, scored))
        print(f"drawn to {options.grid}")
    if options.report is not None:
        write_report(options.report / "report.html", record, translate, pairs, scored)
        print(f"the report is {options.report / 'report.html'}")
    return 0


def check(options: Arguments) -> None:
    """What can be told wrong before the work. Raises ValueError with one line."""
    from pix2pix.batch.files import check_writable
    from pix2pix.images import check_output

    if options.out is not None and options.out.is_dir():
        raise ValueError(f"{options.out}: a folder, expected a file to write, as {options.out / 'metrics.json'}")
    if options.grid is not None:
        check_output(options.grid)
    if options.report is not None and options.report.is_file():
        raise ValueError(f"--report {options.report}: a file, expected a folder to write to")
    for flag, choice, file in (
        ("lpips", options.lpips, options.lpips_backbone),
        ("features", options.features, options.features_file),
    ):
        if file is not None and choice in ("auto", "none"):
            raise ValueError(f"--{flag} {choice}: a weights file needs the name of its network; give --{flag} NAME too")
    for file in (options.lpips_backbone, options.features_file, options.segmenter):
        if file is not None and not file.is_file():
            raise ValueError(f"{file}: no such file")
    for folder in (options.out and options.out.parent, options.grid and options.grid.parent, options.report):
        if folder is not None:
            check_writable(folder)


def find_judges(options: Arguments, task: Task, device: str) -> tuple[Judges, list[str]]:
    """The networks that judge, and a note on each that cannot be had. Raises ValueError when one was asked for."""
    from pix2pix.evaluation import Judges
    from pix2pix.metrics.features import CachedExtractor, cache_folder, load_extractor
    from pix2pix.metrics.judges import Unavailable
    from pix2pix.metrics.perceptual import load_lpips
    from pix2pix.segmenters import load_segmenter

    missing, lpips, features, segmenter = [], None, None, None
    if options.lpips != "none":
        try:
            lpips = load_lpips(options.lpips, options.lpips_backbone, device, say)
        except Unavailable as error:
            if options.lpips != "auto":
                raise
            missing.append(f"without LPIPS: {error}; --lpips NAME --lpips-backbone FILE takes a file")
    if options.features != "none":
        try:
            extractor = load_extractor(options.features, options.features_file, device, say)
            features = CachedExtractor(extractor, cache_folder())
        except Unavailable as error:
            if options.features != "auto":
                raise
            missing.append(
                f"without FID, KID, precision and recall: {error}; --features NAME --features-file FILE takes a file"
            )
    if options.segmenter is not None:
        segmenter = load_segmenter(options.segmenter, task, device)
    return Judges(lpips, features, segmenter), missing


def write_report(
    path: Path, record: dict[str, Any], translate: Guess, pairs: PairSource, scored: Sequence[int]
) -> None:
    """The page of an evaluation, with the worst, median and best of the `scored` pictures by LPIPS, else by L1."""
    from pix2pix.evaluation import ranked
    from pix2pix.images import to_rgb8
    from pix2pix.metrics.names import higher_is_better
    from pix2pix.reporting.evaluation_report import RANKS, Case, write_evaluation_report

    pictures = record["pictures"]
    in_all = [name for name in pictures[0] if all(name in picture for picture in pictures)]
    by = next((name for name in in_all if name.startswith("lpips")), "l1")
    chosen = ranked(pictures, by, bool(higher_is_better(by)), SHOWN)
    cases = []
    for rank in RANKS:
        for index in chosen[rank]:
            stem = pictures[index]["stem"]
            source, target = pairs.read_full(scored[index])
            output = translate(source)
            figures = {name: value for name, value in pictures[index].items() if name != "stem"}
            cases.append(Case(stem, rank, figures, to_rgb8(source), to_rgb8(output), to_rgb8(target)))
    write_evaluation_report(path, {**record, "ranked_by": by}, cases)


def write_json(path: Path, record: Mapping[str, Any]) -> None:
    from pix2pix.checkpoint import write_atomically

    content = (json.dumps(record, indent=2) + "\n").encode()

    def write(temporary: Path) -> None:
        temporary.write_bytes(content)

    write_atomically(path, write)


def say(line: str) -> None:
    print(f"{PROG}: {line}", file=sys.stderr)


def _finite(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """JSON has no infinity, which is the PSNR of two equal pictures."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in metrics.items()
    }


if __name__ == "__main__":
    run(main, PROG)
