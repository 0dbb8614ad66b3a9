"""Read, translate and write many pictures, a few at a time, and keep a record of each; one bad file stops nothing."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from pix2pix.batch.files import check_writable, is_clip
from pix2pix.batch.names import Job
from pix2pix.batch.pipeline import Budget, in_order, processors
from pix2pix.batch.report import Outcome, Record
from pix2pix.images import check_fits, stored_size, write_image
from pix2pix.signals import StopRequest

if TYPE_CHECKING:
    from pix2pix.guidance import Guidance
    from pix2pix.translator import Translator

MOST_WORKERS = 15  # each holds a picture in memory
BYTES_A_PIXEL = 300  # of the network and its numbers, up to where a picture is computed in parts; measured: 290
MOST_BYTES = 1_100_000_000  # in parts, of any picture
DEEP_BYTES_A_PIXEL = 18  # of the picture itself, with 16 bits: read, made ready, made, encoded
Work = Callable[[Job], tuple[int, int]]


def picture_work(
    translator: Translator,
    seeds: Sequence[int | None],
    pixel_limit: int | None,
    is_exact: bool = False,
    guidance: Callable[[Path], Guidance] | None = None,
) -> Work:
    """What is done with one picture: read it, translate it with each seed, write the outputs; it tells (width, height).

    `guidance` gives what a person says of the colours of the picture in a file.
    Metadata travel with the picture; `is_exact` outputs hold values rather than colours, and get no colour profile.
    Of large pictures no more are translated at a time than a quarter of the memory holds. For pictures that a GPU
    would compute as one batch, this is the place: gather like sizes here and hand them to the backend together. On
    processors that gains nothing, and each picture is computed on its own.
    """
    in_memory, scale = Budget(memory_bytes() // 4), translator.task.data.scale

    def work(job: Job) -> tuple[int, int]:
        width, height = stored_size(job.source) or (1, 1)
        if pixel_limit is not None and width * height > pixel_limit:
            width = height = 1  # reading refuses it
        check_fits(job.outputs[0], height * scale, width * scale)
        if not job.outputs[0].parent.exists():
            check_writable(job.outputs[0].parent)
        guided = None if guidance is None else guidance(job.source)
        with in_memory.take(bytes_of(height * width * scale**2)):
            picture = translator.read_picture(job.source, pixel_limit)
            height, width = picture.pixels.shape[:2]
            metadata = replace(picture.metadata, icc_profile=None) if is_exact else picture.metadata
            for seed, output in zip(seeds, job.outputs, strict=True):
                write_image(output, translator(picture.pixels, seed, guided), metadata)
        return width, height

    return work


def sample_seeds(seed: int, count: int) -> list[int | None]:
    """Seeds of samples 1 to `count`; the first ones are the same however many are drawn."""
    states = (np.random.SeedSequence((seed, index)).generate_state(1, np.uint64)[0] for index in range(count))
    return [int(state) >> 1 for state in states]


def bytes_of(pixels: int) -> int:
    """Memory that a picture takes on its way, at most."""
    return min(BYTES_A_PIXEL * pixels, MOST_BYTES) + DEEP_BYTES_A_PIXEL * pixels


class Stopped(Exception):
    """A clip was left because the run is to end: that takes as long as ten thousand pictures."""


def clip_work(
    translator: Translator, smooth: float, guidance: Callable[[Path], Guidance] | None, stop: StopRequest
) -> Work:
    """What is done with one clip: every frame is translated; what the new clip has not of the old one is told.

    Once `stop` is asked, it is left, and nothing of it written.
    """

    def work(job: Job) -> tuple[int, int]:
        from pix2pix.clips.translating import translate_video

        if len(job.outputs) > 1:
            raise ValueError("a clip has one output; leave out --samples")
        guided = None if guidance is None else guidance(job.source)
        if guided is not None and guided.hints is not None:
            raise ValueError("hints are for pictures, not for clips; leave out --hints")
        if not job.outputs[0].parent.exists():
            check_writable(job.outputs[0].parent)
        with tqdm(desc=job.source.name, unit="frame", disable=None, leave=False) as bar:

            def show(done: int, count: int | None) -> None:
                if stop.signal is not None:
                    raise Stopped
                bar.total = count
                bar.update(done - bar.n)

            result = translate_video(job.source, job.outputs[0], translator, smooth, show, guided)
        for note in result.notes:
            tqdm.write(f"{job.source}: {note}")
        return result.size

    return work


def any_work(pictures: Work, clips: Work) -> Work:
    """What is done with a file of either kind."""
    return lambda job: (clips if is_clip(job.source) else pictures)(job)


def run_all(jobs: Sequence[Job], left: Sequence[Job], work: Work, stop: StopRequest | None = None) -> Outcome:
    """`work` on those of `jobs` that are `left`, with a progress bar on a terminal; the others count as skipped.

    Every picture that ends has a record, however it ends.

    The first Ctrl-C or SIGTERM, which `stop` notes, ends the run once the pictures in hand are complete.
    """
    records: dict[int, Record | None] = dict.fromkeys(map(id, left))
    start = time.perf_counter()

    def recorded(job: Job) -> None:
        records[id(job)] = _record(job, work)

    # Two more than there are processors, since reading and writing wait. Measured with the compact colorizer on two
    # cores, mixed files: 19.0 pictures a second with 4 such workers, 17.4 with 3, 19.9 as stages with 4 threads.
    ended = in_order(recorded, left, workers=min(processors(), MOST_WORKERS) + 2)
    # Smoothing 0: the time left follows the mean of all pictures so far, which mixed sizes make jump least.
    bar = tqdm(total=len(left), desc="translating", unit="picture", disable=None, smoothing=0)
    with stop or StopRequest() as stop, contextlib.closing(ended), bar:  # type: ignore[type-var]
        failed = 0
        for job, _ in ended:
            record = records[id(job)]
            failed += record is not None and record.status == "failed"
            if failed:
                bar.set_postfix_str(f"{failed} failed", refresh=False)
            bar.update()
            if stop.signal is not None:
                break
    all_ended = (records.get(id(job), Record(job, "skipped")) for job in jobs)
    in_turn = [record for record in all_ended if record is not None]
    return Outcome(in_turn, len(jobs), time.perf_counter() - start, stop.signal)


def _record(job: Job, work: Work) -> Record | None:
    start = time.perf_counter()
    try:
        width, height = work(job)
    except Stopped:
        return None
    except MemoryError:
        return Record(job, "failed", "not enough memory for this picture; shrink it")
    except ValueError as error:
        return Record(job, "failed", " ".join(str(error).split()))
    except Exception as error:
        # A fault of ours, not the user's; among thousands of pictures the others are worth more than a traceback.
        return Record(job, "failed", f"unexpected {type(error).__name__}: {' '.join(str(error).split())}")
    return Record(job, "done", "", width, height, time.perf_counter() - start)


def memory_bytes() -> int:
    """The machine's memory; 8 GiB where the system does not tell (Windows)."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 8 * 2**30
