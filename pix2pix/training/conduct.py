"""A run from its configuration to its end: the folder, the machine, going on where it stopped, and the loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from pix2pix import __version__
from pix2pix.checkpoint import Facts, Released, load_state
from pix2pix.data.stream import Batch, Stream, batches
from pix2pix.schema import Configuration, differences
from pix2pix.training import processes
from pix2pix.training.choices import Choices, choose
from pix2pix.training.course import Course
from pix2pix.training.diagnosis import Rule
from pix2pix.training.engine import Loop, Objective, Outcome, fit, prepare, round_up
from pix2pix.training.probes import Examples
from pix2pix.training.tracking import RunFolder

Say = Callable[[str], None]
MAY_CHANGE = {"train.images", "train.save_every", "train.sample_every", "train.patience", "data.cache_gib", "work_size"}


@dataclass(frozen=True)
class Parts:
    """What a run trains, and what on."""

    objective: Objective
    stream: Stream
    examples: Examples
    show: Callable[[Batch, Tensor], np.ndarray]  # the grid of outputs for a few examples
    rules: tuple[Rule, ...]  # what may go wrong
    data: str  # what it learns from, in words
    licence: str


def conduct(
    configuration: Configuration, run: RunFolder, assemble: Callable[[Say], Parts], say: Say, command: str = ""
) -> Outcome:
    """Train what `assemble` gives into `run`, or go on with the run that is there. The model notes the `command`.

    Raises ValueError with one line for what a user can put right: the configuration has changed since the run was
    started, the folder cannot be written, there is no data, the training diverged.
    """
    processes.meet()
    if processes.rank() > 0:
        say = silent
    settings = configuration.train
    run, choices, resumed, outcome = processes.decided_by_first(lambda: settle(configuration, run, say))
    if outcome is not None:
        return outcome

    parts = assemble(say)
    # After the data: a mistake there leaves no folder.
    processes.decided_by_first(lambda: begin(configuration, run, resumed))
    say(f"runs on {choices.sentence()}")
    if settings.compile and not choices.compile:
        say("no C++ compiler found: the networks run uncompiled; install g++ or clang++ to compile them")

    fabric = prepare(parts.objective, choices)
    facts = Facts(images_seen=0, data=parts.data, licence=parts.licence, software=software(), command=command)
    course = begin_course(configuration, run, parts, choices, facts, say)
    loop = Loop(parts.objective, fabric, choices, run, configuration, facts, course)
    if resumed:
        for line in loop.restore():
            say(f"{line}; going on from the state before it")
        say(f"going on at {loop.seen:,} images")
        if loop.seen >= settings.images:
            loop.save()  # killed between the last state and its model, or the report
            loop.report(finished=True)

    def share(start: int, stop: int) -> Iterator[Batch]:
        return batches(parts.stream, start, stop, settings.batch, fabric.global_rank, fabric.world_size)

    try:
        outcome = fit(loop, share, parts.examples, parts.show, say)
        if outcome.finished and processes.rank() == 0:
            for line in course.closing_words(outcome.images):
                say(line)
        return outcome
    finally:
        run.close()


def begin_course(
    configuration: Configuration, run: RunFolder, parts: Parts, choices: Choices, facts: Facts, say: Say
) -> Course:
    """The course of a run before its first step."""
    settings, objective = configuration.train, parts.objective
    networks = {name: objective.networks[name] for name in objective.optimizers}
    of_the_run = {
        "task": configuration.name,
        "machine": choices.machine,
        "choices": choices.sentence(),
        "data": facts.data,
        "software": facts.software,
        "seed": settings.seed,
        "parameters": {name: sum(p.numel() for p in network.parameters()) for name, network in networks.items()},
    }
    total = round_up(settings.images, settings.batch)
    return Course(run, configuration.kind, total, settings.patience, of_the_run, say, parts.rules)


def settle(configuration: Configuration, run: RunFolder, say: Say) -> tuple[RunFolder, Choices, bool, Outcome | None]:
    """The run folder; what is chosen for the machine; whether the run goes on; how it ended, if it has."""
    if configuration.train.batch % processes.count():
        raise ValueError(
            f"--batch: got {configuration.train.batch}, expected a multiple of the {processes.count()} processes"
        )
    if not run.state.exists():
        if run.model.exists():
            raise ValueError(
                f"{run.path}: holds a model but no state.pt to go on from; use --init {run.path} with another --out"
            )
        return run, choose(configuration.train), False, None
    planned = run.stored(type(configuration)).train.images
    choices, seen, seconds = resumed_choices(configuration, run, say)
    if seen >= configuration.train.images and run.is_complete():
        say(f"{run.path}: finished at {seen:,} images; raise --images to go on")
        return run, choices, True, Outcome(seen, seconds, finished=True)
    if stopped_early(configuration, run, seen) and run.is_complete():
        say(f"{run.path}: stopped early at {seen:,} images; raise --patience, or leave it out, to go on")
        return run, choices, True, Outcome(seen, seconds, finished=True, stopped_early=True)
    length = configuration.train.images
    if planned != length:
        say(f"length changed from {planned:,} to {length:,} images: the decay of the rate is planned anew")
    return run, choices, True, None


def stopped_early(configuration: Configuration, run: RunFolder, seen: int) -> bool:
    """Whether the run that is there ended because nothing better came within `--patience` images."""
    evaluated = any(record["images"] == seen for record in run.evaluations())
    if configuration.train.patience is None or not evaluated:  # a run ends early at an evaluation, never between two
        return False
    course = Course(run, configuration.kind, configuration.train.images, configuration.train.patience, {}, silent)
    course.restore(seen)
    return course.patience_is_over(seen)


def begin(configuration: Configuration, run: RunFolder, resumed: bool) -> None:
    """Make the run folder, or write down what has changed in the one that is gone on with."""
    run.create(configuration)
    if not resumed:
        run.rewind(-1)


def silent(line: str) -> None:
    """A `say` for what is not to be said."""


def initialise_from(generator: nn.Module, released: Released, name: str, say: Say) -> None:
    """Fill `generator` from a released model; layers whose shape differs (another number of classes, say) start afresh.

    Raises ValueError when less than half of the weights fit: the networks are then others.
    """
    own = generator.state_dict()
    fitting = {key: value for key, value in released.weights.items() if key in own and own[key].shape == value.shape}
    if 2 * sum(value.numel() for value in fitting.values()) < sum(value.numel() for value in own.values()):
        raise ValueError(f"--init {name}: networks of other shape; use its own --model settings")
    generator.load_state_dict(fitting, strict=False)
    taken = f"{len(fitting)} of {len(own)} weights taken"
    say(f"starts from {released.path} ({released.facts.images_seen:,} images), {taken}")


def resumed_choices(configuration: Configuration, run: RunFolder, say: Say) -> tuple[Choices, int, float]:
    """What was chosen when the run began, on the machine as it is now; the images seen so far, and the seconds it took.

    Raises ValueError naming what changed in the configuration. A change of machine is said: bit equality ends there.
    """
    changed = {
        field: pair
        for field, pair in differences(run.stored(type(configuration)), configuration).items()
        if field not in MAY_CHANGE
    }
    if changed:
        what = ", ".join(f"{field} {old!r} -> {new!r}" for field, (old, new) in changed.items())
        raise ValueError(
            f"{run.path}: cannot go on with a changed configuration: {what}; keep it, or give another --out"
        )
    state = load_state(run.state)
    then = Choices(**state["choices"])
    now = choose(
        configuration.train.model_copy(
            update={"precision": then.precision, "compile": then.compile, "device": then.device}
        )
    )
    for name in ("compile", "threads", "processes", "torch", "machine"):
        if getattr(now, name) != getattr(then, name):
            say(f"{name} was {getattr(then, name)}, is {getattr(now, name)}: goes on, but not bit for bit as before")
    return now, int(state["seen"]), float(state["seconds"])


def software() -> str:
    return f"pix2pix {__version__}, torch {torch.__version__}"
