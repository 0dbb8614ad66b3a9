"""The verbs of `pix2pix restore`: pictures one after the other, a line for each, and one bad file stops nothing.

torch takes seconds, which --help and most mistakes need not wait for: each verb imports it when it is due.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pix2pix.batch.files import OUTPUT_FOLDER, Found, check_writable, find_pictures, is_clip, is_there
from pix2pix.batch.leftovers import in_use, remove_leftovers
from pix2pix.batch.names import EXACT, Job, output_suffix, plan
from pix2pix.batch.report import pictures_in_words, printable
from pix2pix.command_line import parse
from pix2pix.images import read_image, read_picture, write_image
from pix2pix.priors.options import prior_file
from pix2pix.restoration.options import InvertOptions, RestoreOptions, Searched
from pix2pix.restoration.wanted import FLAGS, Box, Fault, box_in, saved_quality
from pix2pix.signals import StopRequest

if TYPE_CHECKING:
    from pix2pix.restoration.diagnosing import Damaged
    from pix2pix.restoration.pipeline import Restored
    from pix2pix.restoration.watching import Watching

Work = Callable[[Job, StopRequest], None]


def restore(arguments: Sequence[str], prog: str) -> int:
    """Restore pictures; 1 when one failed, 130 after Ctrl-C. Raises ValueError with one line for a user's mistake."""
    options = parse(RestoreOptions, arguments, prog)
    fault, (_, prior_path), box = options.fault(), options.chosen(), box_of(options)
    pictures = found(options)
    mask = None if options.mask is None else read_image(options.mask, options.pixel_limit)
    # Formats that give every value back: what is no hole stays exactly as it is.
    jobs = plan(pictures, options.out, options.completions, lambda path: output_suffix(path, None, EXACT))

    from pix2pix.priors.families import load_prior, prior_of
    from pix2pix.restoration.choosing import solver_for
    from pix2pix.restoration.diagnosing import damaged
    from pix2pix.restoration.pipeline import restore_with_prior, restore_without_prior
    from pix2pix.restoration.solvers import SOLVERS
    from pix2pix.restoration.watching import Watching

    prior = None if prior_path is None else prior_of(load_prior(prior_path))

    def work(job: Job, stop: StopRequest) -> None:
        picture = read_picture(job.source, options.pixel_limit)
        damage = damaged(picture.pixels, fault_of(fault, job.source), mask)
        name = solver_for(options, damage.fault, damage.holes)
        solver = SOLVERS[name]
        for number, output in enumerate(job.outputs):
            if stop.signal is not None:
                break
            seed = options.seed + number
            with Watching(output.stem, options.seconds, options.previews, stop) as watching:
                if prior is None:
                    made = restore_without_prior(damage, solver, seed, watching)
                else:
                    made = restore_with_prior(damage, prior, solver, box, seed, watching)
            write_image(output, made.picture, picture.metadata)
            print(printable(f"{job.source}: {line(name, damage, made, watching)} -> {output}"), flush=True)

    return run_each(jobs, options, pictures, prog, work)


def line(name: str, damage: Damaged, made: Restored, watching: Watching) -> str:
    """What is told of a restored picture."""
    why = ", ".join(watching.in_words(ending) for ending in made.endings)
    said = f"{name}, {made.steps} steps in {watching.seconds:.1f} s, {why}, misfit {made.misfit:.1f} levels of 255"
    return said + (f"; noise level estimated: {damage.fault.sigma:.1f}" if damage.is_estimated else "")


def invert(arguments: Sequence[str], prog: str) -> int:
    """Find pictures in a prior's space and keep where they are; as `restore` otherwise."""
    options = parse(InvertOptions, arguments, prog)
    prior_path, box, pictures = prior_file(options.prior), box_of(options), found(options)
    planned = plan(pictures, options.out, None, lambda path: ".png")
    jobs = [Job(job.source, (*job.outputs, job.outputs[0].with_suffix(".safetensors"))) for job in planned]

    import numpy as np

    from pix2pix.priors.families import load_prior, prior_of
    from pix2pix.restoration.inverting import invert as search
    from pix2pix.restoration.inverting import invertible, psnr, square_for
    from pix2pix.restoration.observing import as_levels
    from pix2pix.restoration.pasting import rounded
    from pix2pix.restoration.pipeline import Look
    from pix2pix.restoration.saved import save_inversion
    from pix2pix.restoration.watching import Watching

    released, solver = load_prior(prior_path), invertible(options.solver)
    prior = prior_of(released)

    def work(job: Job, stop: StopRequest) -> None:
        square = square_for(read_image(job.source, options.pixel_limit), box, prior.size)
        with Watching(job.outputs[0].stem, options.seconds, options.previews, stop) as watching:
            inversion = search(
                square,
                prior,
                solver,
                options.seed,
                lambda step, picture: watching(Look(step, solver.steps, 0, 1, picture)),
            )
        made = rounded(as_levels(inversion.picture(), np.dtype(np.uint8)), np.dtype(np.uint8))
        write_image(job.outputs[0], made)
        save_inversion(job.outputs[1], inversion, released)
        said = (
            f"{options.solver}, {inversion.steps} steps in {watching.seconds:.1f} s, PSNR {psnr(made, square):.2f} dB"
        )
        print(printable(f"{job.source}: {said} -> {job.outputs[0]}, {job.outputs[1].name}"), flush=True)

    return run_each(jobs, options, pictures, prog, work)


def found(options: Searched) -> list[Found]:
    """The pictures that are named. Raises ValueError for none, and for clips."""
    pictures = find_pictures(options.inputs, options.out, options.recursive)
    if clips := [each.path for each in pictures if is_clip(each.path)]:
        raise ValueError(f"{clips[0]}: a clip, expected pictures; a search of every frame would take days")
    return pictures


def box_of(options: Searched) -> Box | None:
    return None if options.box is None else box_in(options.box)


def fault_of(fault: Fault, path: Path) -> Fault:
    """With the quality of a JPEG file where none was given."""
    is_unknown = "quality" in FLAGS[fault.degradation] and fault.quality is None
    return replace(fault, quality=saved_quality(path)) if is_unknown else fault


def run_each(jobs: Sequence[Job], options: Searched, pictures: Sequence[Found], prog: str, work: Work) -> int:
    """`work` on each job, one at a time: a search keeps all processors busy. The status of the process."""
    left = [job for job in jobs if not (options.skip_existing and all(map(is_there, job.outputs)))]
    folders = {output.parent for job in left for output in job.outputs}
    for folder in sorted({*folders, *([] if options.previews is None else [options.previews])}):
        check_writable(folder)
    remove_leftovers(folders)
    failed = begun = 0
    homes = {each.root / OUTPUT_FOLDER if options.out is None else options.out for each in pictures}
    with in_use(homes), StopRequest() as stop:
        for job in left:
            if stop.signal is not None:
                break
            begun += 1
            try:
                work(job, stop)
            except (ValueError, MemoryError) as error:
                failed += 1
                reason = " ".join(str(error).split()) or "not enough memory for this picture; shrink it"
                about = reason if str(job.source) in reason else f"{job.source}: {reason}"
                print(f"{prog}: {printable(about)}", file=sys.stderr, flush=True)
    if len(left) < len(jobs):
        print(f"{pictures_in_words(len(jobs) - len(left))} left alone, the outputs are there already")
    if failed and len(jobs) > 1:
        print(f"{prog}: {failed} of {pictures_in_words(len(jobs))} could not be done", file=sys.stderr)
    if stop.signal is not None:
        rest = pictures_in_words(len(left) - begun)
        print(f"{prog}: stopped, {rest} not begun; the same command with --skip-existing goes on", file=sys.stderr)
        return 128 + stop.signal
    return int(failed > 0)
