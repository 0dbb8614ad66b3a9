"""`python -m pix2pix.prepare --task T [--from DIR [DIR2]] [--out DIR]`: make a data set, and tell what it holds.

The same command again goes on where it stopped, and of a set that is whole only tells.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro
from pydantic import Field

from pix2pix.command_line import parse, run
from pix2pix.config import load_task, task_names
from pix2pix.data.splitting import TEST, VAL
from pix2pix.schema import Frozen

PROG = "pix2pix prepare"


class Arguments(Frozen):
    """Download a task's data set, or make one of your own pictures: split, with no duplicates across the splits.

    Without --from, the set that the task names. With it, one folder of photos or pairs, or two, of inputs and of
    targets, matched by name. It ends with a report on what there is, also in DIR/report.json. With --from and without
    --out nothing is written, only told. Originals are never changed: pictures become hard links, or copies.
    """

    task: Annotated[str, tyro.conf.arg(metavar="TASK|FILE")] = Field("", description="name of a task, or its YAML file")
    from_: Annotated[tuple[Path, ...], tyro.conf.arg(name="from", metavar="DIR [DIR2]")] = Field(
        (), description="photos or pairs; or inputs, and targets of the same names"
    )
    out: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = Field(
        None, description="where to write; default for a download: datasets/TASK"
    )
    val: Annotated[float | None, tyro.conf.arg(metavar="SHARE")] = Field(
        None, ge=0, lt=1, description=f"share of the pictures for val; default: {VAL:g}, or the splits that are there"
    )
    test: Annotated[float | None, tyro.conf.arg(metavar="SHARE")] = Field(
        None, ge=0, lt=1, description="share of the pictures for test; default: none, or the splits that are there"
    )
    pairs: bool = Field(False, description="write derived inputs beside their targets, rather than photos alone")
    side_by_side: bool = Field(False, description="write each pair as one picture, rather than in two folders")
    short_side: Annotated[int | None, tyro.conf.arg(metavar="PX")] = Field(
        None,
        ge=16,
        description="shrink larger pictures to it; default: as they are, derived pairs as a training sees them",
    )
    pixel_limit: Annotated[int | None, tyro.conf.arg(metavar="N")] = Field(
        None, gt=0, description="larger pictures are refused; default: the task's limit"
    )


def main(arguments: Sequence[str]) -> int:
    """Prepare as `arguments` say; 1 when no picture is of use. Raises ValueError with one line for a user's mistake."""
    options = parse(Arguments, arguments, PROG)
    check(options)
    task = load_task(options.task)

    # torch takes seconds, which --help and mistakes need not wait for
    from pix2pix.data.conditions import check_steps
    from pix2pix.data.known_sets import fetch_known
    from pix2pix.data.preparing import Wishes, make_set, survey_in_place, survey_set
    from pix2pix.data.survey_report import report_lines

    check_steps(task)
    if options.pixel_limit is not None:
        task = task.model_copy(update={"data": task.data.model_copy(update={"pixel_limit": options.pixel_limit})})
    usual = Path("datasets") / task.name
    where = options.out or usual
    if options.from_ and options.out is None:
        report, shown = survey_set(options.from_, task), options.from_
    elif options.from_:
        wishes = Wishes(options.val, options.test, options.pairs, options.side_by_side, options.short_side)
        report, shown = make_set(options.from_, where, task, wishes, say), (where,)
    else:
        if not where.exists() or (where.is_dir() and not any(where.iterdir())):
            fetch_known(task, where, say)
        report, shown = survey_in_place(where, task), (where,)
    print("\n".join(report_lines(report, " and ".join(map(str, shown)), task.data)))
    if not report["pictures"]:
        say(f"{PROG}: no picture is of use, so there is no set")
        return 1
    if options.from_ and options.out is None:
        say(f"nothing was written; add --out {usual} to make a data set of it")
    else:
        data = "" if where == usual else f" --data {where}"
        say(f"train on it: python -m pix2pix.train --task {options.task}{data}")
    return 0


def check(options: Arguments) -> None:
    """Raises ValueError for flags that do not go together."""
    if not options.task:
        raise ValueError(f"--task is missing; expected one of: {', '.join(task_names())}, or a YAML file")
    if len(options.from_) > 2:
        raise ValueError(f"--from: got {len(options.from_)} folders, expected one, or two: inputs and targets")
    of_writing = ("val", "test", "pairs", "side_by_side", "short_side")
    given = [f"--{name.replace('_', '-')}" for name in of_writing if getattr(options, name) not in (None, False)]
    if given and not (options.from_ and options.out):
        raise ValueError(f"{given[0]} says how a set is to be written, so it needs --from DIR and --out DIR")
    val, test = VAL if options.val is None else options.val, TEST if options.test is None else options.test
    if val + test >= 1:
        raise ValueError(f"--val {val:g} and --test {test:g} leave nothing to train on; expected a sum below 1")
    for folder in options.from_ if options.out is not None else ():
        if options.out is not None and options.out.resolve().is_relative_to(folder.resolve()):
            raise ValueError(f"--out {options.out} lies in {folder}, where its pictures would be found again")


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    run(main, PROG)
