"""The verbs that explore a prior: parse, load, draw, write; what a user can do wrong is told before the work.

torch takes seconds, which --help and most mistakes need not wait for: each verb imports it when it is due.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pix2pix.command_line import parse
from pix2pix.priors.options import (
    ArithmeticOptions,
    InterpolateOptions,
    MixOptions,
    SampleOptions,
    TruncateOptions,
    check_weights,
    prior_file,
    seeds_in,
    values_in,
)

if TYPE_CHECKING:
    from pix2pix.priors.families import ReleasedPrior
    from pix2pix.priors.prior import Prior

MOST_ON_A_SHEET = 4096


def sample(arguments: Sequence[str], prog: str) -> int:
    options = parse(SampleOptions, arguments, prog)
    seeds, path = options.chosen(64), prior_file(options.prior)
    is_folder = options.out.is_dir() or not options.out.suffix

    from pix2pix.batch.files import check_writable
    from pix2pix.images import write_image

    if is_folder:
        check_writable(options.out)
    else:
        check_picture(options.out, "a folder")
        if len(seeds) > MOST_ON_A_SHEET:
            raise ValueError(f"--count {len(seeds)}: a sheet holds at most {MOST_ON_A_SHEET}; give --out a folder")

    from pix2pix.priors.exploring import sample_sheet, seeded_pictures
    from pix2pix.priors.judging import AT_ONCE

    prior, _ = open_prior(path)
    if not is_folder:
        write_image(options.out, sample_sheet(seeded_pictures(prior, seeds, options.truncation), seeds))
        return done(options.out)
    for first in range(0, len(seeds), AT_ONCE):
        part = seeds[first : first + AT_ONCE]
        for seed, picture in zip(part, seeded_pictures(prior, part, options.truncation), strict=True):
            write_image(options.out / f"{seed:04d}.png", picture)
    print(f"{len(set(seeds))} pictures, named by their seeds, written to {options.out}")
    return 0


def interpolate(arguments: Sequence[str], prog: str) -> int:
    options = parse(InterpolateOptions, arguments, prog)
    seeds, path = options.chosen(4), prior_file(options.prior)
    if len(seeds) < 2:
        raise ValueError(f"got one picture, of seed {seeds[0]}, expected at least two to walk between; see --seeds")
    options.check_backbone()

    from pix2pix.priors.commands_moving import SUFFIXES, check_moving, write_moving

    is_moving = options.out.suffix.lower() in SUFFIXES
    if is_moving:
        check_moving(options.out)
    else:
        check_picture(options.out, ", ".join(SUFFIXES))

    from pix2pix.images import write_image
    from pix2pix.priors.commands_figures import find_lpips, step_figures
    from pix2pix.priors.exploring import walk_pictures, walk_sheet

    prior, _ = open_prior(path)
    frames, keys = walk_pictures(prior, seeds, options.steps, options.path, options.loop, options.truncation)
    if is_moving:
        write_moving(options.out, frames)
    else:
        write_image(options.out, walk_sheet(frames, keys, seeds))
    done(options.out)
    judge = find_lpips(options, say)
    if judge is not None:
        print(step_figures(frames, judge).line())
    return 0


def mix(arguments: Sequence[str], prog: str) -> int:
    options = parse(MixOptions, arguments, prog)
    rows, columns = seeds_in("--rows", options.rows), seeds_in("--columns", options.columns)
    path = prior_file(options.prior)
    check_picture(options.out)

    from pix2pix.images import write_image
    from pix2pix.priors.exploring import mixing_sheet
    from pix2pix.priors.walks import named_layers

    prior, released = open_prior(path)
    if prior.layers == 1:
        family = released.configuration.model.family
        raise ValueError(f"{path}: a {family} has one layer and no styles to mix; expected a stylegan2")
    chosen = named_layers(options.layers, prior.layers)
    write_image(options.out, mixing_sheet(prior, rows, columns, chosen, options.truncation))
    print(f"layers {chosen.start} to {chosen.stop - 1} of {prior.layers} are those of the column's picture")
    return done(options.out)


def arithmetic(arguments: Sequence[str], prog: str) -> int:
    options = parse(ArithmeticOptions, arguments, prog)
    terms = (("--with", options.with_), ("--without", options.without), ("--plus", options.plus))
    present, absent, plus = (seeds_in(flag, text) for flag, text in terms)
    path = prior_file(options.prior)
    check_picture(options.out)

    from pix2pix.images import write_image
    from pix2pix.priors.exploring import arithmetic_sheet

    prior, _ = open_prior(path)
    write_image(options.out, arithmetic_sheet(prior, present, absent, plus, options.truncation, options.seed))
    return done(options.out)


def truncate(arguments: Sequence[str], prog: str) -> int:
    options = parse(TruncateOptions, arguments, prog)
    seeds, values = options.chosen(8), values_in("--values", options.values)
    path = prior_file(options.prior)
    check_picture(options.out)
    options.check_backbone()
    check_weights("features", options.features, options.features_file)
    if options.json_ is not None:
        if options.data is None and options.lpips == "none":
            raise ValueError("--json: nothing is measured without --data or LPIPS; give --data DIR")
        check_json(options.json_)

    from pix2pix.images import write_image
    from pix2pix.priors.commands_figures import truncation_figures
    from pix2pix.priors.exploring import truncation_sheet

    prior, released = open_prior(path)
    figures = truncation_figures(prior, released, values, options, say, show)
    if figures is not None and options.json_ is not None:
        figures.write(options.json_)
        done(options.json_)
    write_image(options.out, truncation_sheet(prior, seeds, values))
    return done(options.out)


def open_prior(path: Path) -> tuple[Prior, ReleasedPrior]:
    from pix2pix.priors.families import load_prior, prior_of

    released = load_prior(path)
    return prior_of(released), released


def check_picture(out: Path, *others: str) -> None:
    """Raises ValueError where no picture could be written to `out`; `others` are what the verb can write beside."""
    from pix2pix.batch.files import check_writable
    from pix2pix.images import ImageError, check_output

    try:
        check_output(out)
    except ImageError as error:
        also = "" if out.is_dir() else "".join(f", or {other}" for other in others)
        raise ValueError(f"{error}{also}") from None
    check_writable(out.parent)


def check_json(path: Path) -> None:
    """Raises ValueError where no such file could be written."""
    from pix2pix.batch.files import check_writable

    if path.is_dir():
        raise ValueError(f"{path}: a folder, expected a file to write")
    check_writable(path.parent)


def show(line: str) -> None:
    print(line, flush=True)


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def done(path: Path) -> int:
    print(f"written to {path}")
    return 0
