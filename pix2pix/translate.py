"""`python -m pix2pix.translate --model NAME|FILE|RUN INPUT...`: turn pictures into other pictures."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
import tyro
from pydantic import Field
from tqdm import tqdm

from pix2pix.backend_choice import UncalibratedName
from pix2pix.batch.files import OUTPUT_FOLDER, Job, check_writable, find_pictures, plan
from pix2pix.batch.pipeline import Budget, in_order, processors
from pix2pix.command_line import parse, run
from pix2pix.config import Frozen
from pix2pix.images import PIXEL_LIMIT, write_image

if TYPE_CHECKING:
    from pix2pix.translator import Translator

PROG = "pix2pix translate"
MANY = 100  # pictures, from where on a hint at a faster backend is worth a line
MOST_WORKERS = 15  # each holds a picture in memory
BYTES_A_PIXEL = 100  # that a picture takes on its way; measured: 80, with the network at its training size
Backend = Literal["auto", "measure", UncalibratedName]


class Arguments(Frozen):
    """Turn pictures into pictures of the same size, or of the model's scale, with a trained model."""

    inputs: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="INPUT...")] = Field(
        (), description="image files, folders of them (not what is deeper inside), globs"
    )
    model: Annotated[str | None, tyro.conf.arg(metavar="NAME|FILE|RUN")] = Field(
        None, description="a shipped model, a model file, or a run folder"
    )
    task: Annotated[str | None, tyro.conf.arg(metavar="TASK")] = Field(
        None, description="instead of --model: the newest run under runs/TASK, else the shipped model"
    )
    out: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = Field(
        None, description=f"folder of the outputs; default: {OUTPUT_FOLDER}/ beside each input"
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
    """Translate as `arguments` say; 1 when a picture failed. Raises ValueError with one line for a user's mistake."""
    options = parse(Arguments, arguments, PROG)
    if options.seed is not None and options.samples is None:
        raise ValueError("--seed belongs to --samples N; without it nothing is drawn")
    pictures = find_pictures(options.inputs, options.out)

    from pix2pix import hub  # torch takes seconds, which --help and most mistakes need not wait for
    from pix2pix.checkpoint import load_model
    from pix2pix.translator import Translator

    model = load_model(hub.choose(options.model, options.task, print))
    if options.backend == "measure":
        translator = Translator(model, options.device, options.work_size, "torch")
        translator.measure(print)
    else:
        translator = Translator(model, options.device, options.work_size, options.backend)
    if options.samples is not None and not translator.is_stochastic:
        raise ValueError(f"{model.path}: no dropout or noise in this model, all samples would be one; drop --samples")
    if options.out is not None:
        check_writable(options.out)
    jobs = plan(pictures, options.out, options.samples, translator.suffix)
    seeds = [None] if options.samples is None else sample_seeds(options.seed or 0, options.samples)
    status = translate_all(jobs, translator, seeds, options.pixel_limit)
    if options.backend == "auto" and options.samples is None and len(jobs) >= MANY and not translator.is_measured:
        print(f"computed by '{translator.backend}'; --backend measure finds out once whether another one is faster")
    return status


def sample_seeds(seed: int, count: int) -> list[int | None]:
    """Seeds of samples 1 to `count`; the first ones are the same however many are drawn."""
    states = (np.random.SeedSequence((seed, index)).generate_state(1, np.uint64)[0] for index in range(count))
    return [int(state) >> 1 for state in states]


def translate_all(jobs: Sequence[Job], translator: Translator, seeds: Sequence[int | None], pixel_limit: int) -> int:
    """Read, translate and write, a few pictures at a time; 1 when a picture failed, which is named and left out.

    Of large pictures no more are translated at a time than a quarter of the memory holds.
    """
    in_memory, scale = Budget(memory_bytes() // 4), translator.task.data.scale

    def work(job: Job) -> None:
        try:
            image = translator.read(job.source, pixel_limit)
            if not job.outputs[0].parent.exists():
                check_writable(job.outputs[0].parent)
            with in_memory.take(BYTES_A_PIXEL * image.shape[0] * image.shape[1] * scale**2):
                for seed, output in zip(seeds, job.outputs, strict=True):
                    write_image(output, translator(image, seed))
        except MemoryError:
            raise ValueError("not enough memory for this picture; shrink it") from None

    start, failed = time.perf_counter(), 0
    # One more than there are processors: while one waits for the disk, another computes.
    ended = in_order(work, jobs, workers=min(processors(), MOST_WORKERS) + 1)
    for job, error in tqdm(ended, "translating", total=len(jobs), unit="picture", disable=None):
        if error is not None:
            failed += 1
            about = str(error) if str(job.source) in str(error) else f"{job.source}: {error}"
            tqdm.write(f"{PROG}: {about}", file=sys.stderr)
    done, seconds = len(jobs) - failed, time.perf_counter() - start
    if done:
        folders = list(dict.fromkeys(str(job.outputs[0].parent) for job in jobs))
        where = folders[0] if len(folders) == 1 else f"{len(folders)} folders, {folders[0]} the first"
        each = f", {len(seeds)} outputs each" if len(seeds) > 1 else ""
        count = f"{done} picture" + "s" * (done != 1)
        print(f"{count}{each}, written to {where}; {done * len(seeds) / seconds:.2f} images/s")
    if failed:
        print(f"{PROG}: {failed} of {len(jobs)} pictures could not be translated", file=sys.stderr)
    return 1 if failed else 0


def memory_bytes() -> int:
    """The machine's memory; 8 GiB where the system does not tell (Windows)."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 8 * 2**30


if __name__ == "__main__":
    run(main, PROG)
