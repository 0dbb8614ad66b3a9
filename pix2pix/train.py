"""`python -m pix2pix.train --task T`: learn a task from pairs.

The same command with the same --out goes on where it stopped.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro
from pydantic import Field

from pix2pix import model_files
from pix2pix.command_line import parse, parse_known, portable, run
from pix2pix.config import Preset, Task, load_task, task_names, validate
from pix2pix.schema import Frozen, dump, merge

PROG = "pix2pix train"
# What --init takes over from a released model beside its weights, unless a flag says otherwise.
FROM_MODEL = {"model": ("generator", "width", "norm", "dropout", "upsampling", "residual"), "data": ("size",)}
FROM_SAME_TASK = ("input", "target", "input_channels", "target_channels")  # of `data`; another task keeps its own


class Selection(Frozen):
    """What decides the defaults of all the other fields."""

    task: str = Field("", description="name of a task, or a task's YAML file")
    preset: Preset = Field(
        "standard", description="paper: as in it; standard: larger batches; quick: minutes on two cores"
    )
    config: Path | None = Field(None, description="YAML laid over task and preset")
    out: Path | None = Field(None, description="run folder; default runs/<task>/<time>; a run there goes on")
    dry_run: bool = Field(False, description="print the resolved configuration and leave")


class Help(Selection):
    """Learn a task from pairs. Every field below can be set; --dry-run shows what it comes to."""

    settings: Annotated[Task, tyro.conf.arg(name="")]


def main(arguments: Sequence[str]) -> int:
    """Train as `arguments` say. Raises ValueError with one line for a user's mistake."""
    if {"-h", "--help"} & set(arguments):
        shown = next(task for task in map(load_task, task_names()) if task.data.source)  # or it would not be listed
        parse(Help, ["--help"], PROG, default=Help(task=shown.name, settings=shown))
    selection, rest = parse_known(Selection, arguments)
    if not selection.task:
        raise ValueError(f"--task is missing; expected one of: {', '.join(task_names())}, or a YAML file")
    task = resolve(selection, rest)
    if selection.dry_run:
        print(dump(task), end="")
        return 0

    # torch and Fabric take seconds, which --dry-run and mistakes need not wait for
    from pix2pix.training.assembly import train
    from pix2pix.training.processes import rank
    from pix2pix.training.tracking import RunFolder, default_folder

    folder = RunFolder(selection.out or default_folder(task.name))
    outcome = train(task, folder, say, portable(["pix2pix", "train", *arguments]))
    if outcome.finished and rank() == 0:
        say(f"{outcome.images:,} images in {outcome.seconds / 60:.1f} minutes; the model is {folder.model}")
        say(f"try it: python -m pix2pix.translate --model {folder.path} INPUT")
    return 128 + outcome.signal if outcome.signal else 0


def resolve(selection: Selection, flags: Sequence[str]) -> Task:
    """Defaults < task < preset < networks of --init < --config < flags. Raises ValueError with one line."""
    base = load_task(selection.task, selection.preset, selection.config)
    task = parse(Task, flags, PROG, default=base)
    if task.train.init is None:
        return task
    from pix2pix.checkpoint import load_model

    theirs = load_model(model_files.resolve(task.train.init)).task.model_dump()
    taken = {section: {name: theirs[section][name] for name in names} for section, names in FROM_MODEL.items()}
    if theirs["name"] == task.name:
        taken["data"] |= {name: theirs["data"][name] for name in FROM_SAME_TASK}
    return parse(Task, flags, PROG, default=validate(merge(base.model_dump(), taken), f"--init {task.train.init}"))


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    run(main, PROG)
