"""`python -m pix2pix.translate --model NAME|FILE|RUN INPUT...`: turn pictures into other pictures."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro
from pydantic import Field

from pix2pix import __version__, model_files
from pix2pix.backend_choice import UncalibratedName
from pix2pix.batch.files import OUTPUT_FOLDER, Found, check_writable, find_pictures, identity, is_clip, is_there
from pix2pix.batch.leftovers import in_use, remove_leftovers
from pix2pix.batch.names import SUFFIXES, Format, Job, exact_formats, output_suffix, plan
from pix2pix.batch.report import (
    REPORT,
    Outcome,
    failure_lines,
    pictures_in_words,
    printable,
    success_lines,
    write_report,
)
from pix2pix.batch.sheet import SHEET, write_sheet
from pix2pix.batch.translating import any_work, clip_work, picture_work, run_all, sample_seeds
from pix2pix.command_line import parse, run
from pix2pix.config import Task
from pix2pix.images import PIXEL_LIMIT, list_images, read_image
from pix2pix.schema import Frozen
from pix2pix.signals import StopRequest

if TYPE_CHECKING:
    from pix2pix.guidance import Guidance
    from pix2pix.translator import Translator

PROG = "pix2pix translate"
MANY = 100  # pictures, from where on a hint at a faster backend is worth a line
Backend = Literal["auto", "measure", UncalibratedName]


class Arguments(Frozen):
    """Turn pictures into pictures of the same size, or of the model's scale, with a trained model.

    An output has its picture's name, format and metadata. Ended early, the same command with --skip-existing goes on.
    """

    inputs: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="INPUT...")] = Field(
        (), description="image files and clips, folders of images, globs ('**' for any folders between)"
    )
    model: Annotated[str | None, tyro.conf.arg(metavar="NAME|FILE|RUN")] = Field(
        None, description="a shipped model, a model file, or a run folder"
    )
    task: Annotated[str | None, tyro.conf.arg(metavar="TASK")] = Field(
        None, description="instead of --model: the newest run under runs/TASK, else the shipped model"
    )
    out: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = Field(
        None, description=f"folder of the outputs; default: {OUTPUT_FOLDER}/ beside each input, or in the folder named"
    )
    recursive: Annotated[bool, tyro.conf.FlagCreatePairsOff, tyro.conf.arg(aliases=("-r",))] = Field(
        False, description="of folders also what is deeper inside; the tree is kept"
    )
    format: Annotated[Format | None, tyro.conf.arg(metavar="|".join(SUFFIXES))] = Field(
        None, description="of the outputs; default: each picture's own, else png"
    )
    skip_existing: Annotated[bool, tyro.conf.FlagCreatePairsOff] = Field(
        False, description="leave outputs alone that are there already"
    )
    sheet: Annotated[bool, tyro.conf.FlagCreatePairsOff] = Field(
        False, description=f"draw some pictures before and after, as {SHEET} beside the outputs"
    )
    dry_run: Annotated[bool, tyro.conf.FlagCreatePairsOff] = Field(
        False, description="only list what would be written, and where"
    )
    saturation: float = Field(
        1.0, ge=0, le=10, description="of models that colour: 0 leaves grey, 1 is as predicted, 1.3 is livelier"
    )
    hints: Annotated[Path | None, tyro.conf.arg(metavar="FILE|DIR")] = Field(
        None,
        description="of models that colour: strokes of colour on transparency that the one picture follows; or a "
        "folder of such, NAME.png for the picture NAME.jpg",
    )
    strength: float = Field(
        1.0, ge=0, le=1, description="of models that mend: 0 leaves the picture as it is, 1 is as the model makes it"
    )
    as_drawn: Annotated[bool, tyro.conf.FlagCreatePairsOff] = Field(
        False, description="of models of line drawings: leave the lines as they are, rather than make them alike"
    )
    smooth: float = Field(
        0.8, ge=0, lt=1, description="of clips with a model that colours: share of its colour a frame takes from before"
    )
    samples: Annotated[int | None, tyro.conf.arg(metavar="N")] = Field(
        None, gt=0, le=1000, description="draw N outputs of each picture, with dropout and noise"
    )
    seed: Annotated[int | None, tyro.conf.arg(metavar="S")] = Field(None, ge=0, description="of the samples; default 0")
    work_size: Annotated[int | None, tyro.conf.arg(metavar="PX")] = Field(
        None, description="short side at which the network works; default: the size it was trained at"
    )
    pixel_limit: Annotated[int, tyro.conf.arg(metavar="N")] = Field(
        PIXEL_LIMIT, gt=0, description="larger pictures are refused"
    )
    device: Annotated[str, tyro.conf.arg(metavar="auto|cpu|cuda|mps")] = "auto"
    backend: Backend = Field(
        "auto",
        description="what computes; measure: try all there are, and from then on auto is the fastest on this machine",
    )


def main(arguments: Sequence[str]) -> int:
    """Translate as `arguments` say; 1 when a picture failed, 130 after Ctrl-C, 143 after SIGTERM.

    Raises ValueError with one line for a user's mistake.
    """
    options = parse(Arguments, arguments, PROG)
    if options.seed is not None and options.samples is None:
        raise ValueError("--seed belongs to --samples N; without it nothing is drawn")
    pictures = find_pictures(options.inputs, options.out, options.recursive)
    translator = load(options)
    if options.samples is not None and not translator.is_stochastic:
        raise ValueError(
            f"{translator.path}: no dropout or noise in this model, all samples would be one; drop --samples"
        )
    check_wishes(options, translator.task)
    jobs = plan_outputs(pictures, options, translator)
    left = [job for job in jobs if not (options.skip_existing and all(map(is_there, job.outputs)))]
    if options.dry_run:
        list_jobs(jobs, left)
        return 0
    return translate_all(jobs, left, pictures, options, translator)


def check_wishes(options: Arguments, task: Task) -> None:
    """Raises ValueError for flags that ask for something that `task` cannot do."""
    if (options.hints is not None or options.saturation != 1) and not task.takes_colour:
        raise ValueError(f"--saturation and --hints are for models that colour; '{task.name}' does not, leave them out")
    if options.strength != 1 and not task.takes_strength:
        raise ValueError(f"--strength is for models that mend whole pictures; '{task.name}' does not, leave it out")
    if options.as_drawn and not task.takes_lines:
        raise ValueError(f"--as-drawn is for models of line drawings; '{task.name}' takes none, leave it out")


def load(options: Arguments) -> Translator:
    """The translator that is asked for. Raises ValueError when there is none such."""
    from pix2pix.checkpoint import load_model  # torch takes seconds, which --help and most mistakes need not wait for
    from pix2pix.translator import Translator

    model = load_model(model_files.choose(options.model, options.task, print))
    if options.backend != "measure":
        return Translator(model, options.device, options.work_size, options.backend)
    translator = Translator(model, options.device, options.work_size, "torch")
    translator.measure(print)
    return translator


def plan_outputs(pictures: Sequence[Found], options: Arguments, translator: Translator) -> list[Job]:
    """The files of the outputs. Raises ValueError for a format that would change what the outputs mean."""
    formats: Collection[Format] = tuple(SUFFIXES)
    if translator.task.is_exact:
        if clips := [found.path for found in pictures if is_clip(found.path)]:
            raise ValueError(f"{clips[0]}: a clip cannot hold this model's exact values, expected pictures")
        formats = exact_formats(translator.suffix)
        if options.format is not None and options.format not in formats:
            expected = " or ".join(formats)
            raise ValueError(f"--format {options.format}: cannot hold this model's exact values, expected {expected}")
    home, report = report_folder(pictures, options.out), report_file(pictures, options)
    inputs = {identity(found.path) for found in pictures}
    if options.sheet and identity(home / SHEET) in inputs:
        raise ValueError(f"{home / SHEET}: an input, which the sheet would replace; give another --out")
    if report is not None and not is_ours(report):
        raise ValueError(f"{report}: not a report of ours, and it would be replaced; give another --out")
    suffixes = {found.path: output_suffix(found.path, options.format, formats) for found in pictures}
    return plan(pictures, options.out, options.samples, suffixes.__getitem__, (home / REPORT, home / SHEET))


def is_ours(report: Path) -> bool:
    """Whether nothing is lost when a report is written there: nothing is there, or an earlier report."""
    try:
        with report.open(encoding="utf-8") as file:
            return PROG in file.read(100)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):
        return False


def report_folder(pictures: Sequence[Found], out: Path | None) -> Path:
    """Where the report and the sheet go: to the outputs, of several folders the first."""
    return pictures[0].root / OUTPUT_FOLDER if out is None else out


def report_file(pictures: Sequence[Found], options: Arguments) -> Path | None:
    """The report of a run; one picture that was named outright needs none."""
    is_single = len(options.inputs) == 1 and len(pictures) == 1 and not Path(options.inputs[0]).is_dir()
    return None if is_single else report_folder(pictures, options.out) / REPORT


def list_jobs(jobs: Sequence[Job], left: Sequence[Job]) -> None:
    """Tell what would be done, a line for each output."""
    for job in left:
        for output in job.outputs:
            print(printable(f"{job.source} -> {output}"))
    there = f", {len(jobs) - len(left)} more are there already" if len(left) < len(jobs) else ""
    print(f"{pictures_in_words(len(left))} to translate{there}; nothing was written")


def translate_all(
    jobs: Sequence[Job], left: Sequence[Job], pictures: Sequence[Found], options: Arguments, translator: Translator
) -> int:
    """Do the jobs that are `left`, tell of all, and write the report; the status of the process."""
    if options.out is not None:
        check_writable(options.out)
    home, started = report_folder(pictures, options.out), datetime.now().astimezone()
    seeds = [None] if options.samples is None else sample_seeds(options.seed or 0, options.samples)
    remove_leftovers({output.parent for job in jobs for output in job.outputs} | {home})
    with in_use({report_folder([found], options.out) for found in pictures}):
        guidance, stop = guidance_for(options, [job.source for job in jobs]), StopRequest()
        pictures_work = picture_work(translator, seeds, options.pixel_limit, translator.task.is_exact, guidance)
        outcome = run_all(
            jobs, left, any_work(pictures_work, clip_work(translator, options.smooth, guidance, stop)), stop
        )
        report = report_file(pictures, options)
        if report is not None:
            check_writable(home)
            write_report(report, facts(options, translator, started), outcome)
        if options.sheet and outcome.signal is None:
            draw_sheet(home / SHEET, outcome, translator, options.pixel_limit)
    for line in success_lines(outcome, len(seeds)):
        print(line)
    for line in failure_lines(outcome, report):
        print(f"{PROG}: {line}", file=sys.stderr)
    is_usual = options.backend == "auto" and options.samples is None
    if is_usual and len(left) >= MANY and not translator.is_measured:
        print(f"computed by '{translator.backend}'; --backend measure finds out once whether another one is faster")
    return outcome.status


def guidance_for(options: Arguments, pictures: Sequence[Path]) -> Callable[[Path], Guidance] | None:
    """What is asked of each picture beside its translation.

    Raises ValueError for hints that are not clearly those of one picture.
    """
    from pix2pix.guidance import Guidance

    hints = options.hints
    same = Guidance(options.saturation, None, options.strength, options.as_drawn)
    if hints is None:
        return None if same == Guidance() else lambda picture: same
    if not hints.is_dir():
        if len(pictures) > 1:
            raise ValueError(f"--hints {hints}: one file for {len(pictures)} pictures; give a folder of NAME.png each")
        strokes = read_image(hints)
        return lambda picture: replace(same, hints=strokes)
    files = {file.stem: file for file in list_images(hints)}
    wanted = Counter(picture.stem for picture in pictures)
    if twice := [stem for stem in files if wanted[stem] > 1]:
        raise ValueError(f"{files[twice[0]]}: {wanted[twice[0]]} pictures have that name; translate them one by one")
    if idle := [file for stem, file in files.items() if stem not in wanted]:
        if len(idle) == len(files):
            raise ValueError(f"--hints {hints}: no picture there is called as one to translate; expected NAME.png")
        print(printable(f"{hints}: {len(idle)} of {len(files)} hints belong to no picture, {idle[0].name} the first"))
    return lambda picture: replace(same, hints=read_image(files[picture.stem])) if picture.stem in files else same


def facts(options: Arguments, translator: Translator, started: datetime) -> dict[str, object]:
    """What the report says of the run beside what became of the pictures."""
    return {
        "program": PROG,
        "version": __version__,
        "model": str(translator.path),
        "backend": translator.backend,
        "device": str(translator.device),
        "settings": options.model_dump(mode="json", exclude={"inputs"}, exclude_defaults=True),
        "folder": str(Path.cwd()),
        "started": started.isoformat(timespec="seconds"),
    }


def draw_sheet(path: Path, outcome: Outcome, translator: Translator, pixel_limit: int) -> None:
    """Some of the pictures whose outputs are there, before and after."""
    count = write_sheet(path, outcome.translated, lambda source: translator.read(source, pixel_limit))
    print(f"{pictures_in_words(count)} before and after: {path}" if count else "no picture for a sheet")


if __name__ == "__main__":
    run(main, PROG)
