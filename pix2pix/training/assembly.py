"""From a task to a running loop: data, networks, objective, run folder, and going on where an earlier run stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor, nn

from pix2pix import __version__, model_files
from pix2pix.checkpoint import Facts, load_model, load_state
from pix2pix.config import Task, differences
from pix2pix.data.pairs import open_pairs
from pix2pix.data.stream import Batch, TrainingStream, batches, fixed_examples
from pix2pix.images import make_grid, to_rgb8
from pix2pix.nn import Norm, build_discriminator
from pix2pix.representations import Representation, representations
from pix2pix.training import processes
from pix2pix.training.choices import Choices, choose
from pix2pix.training.course import Course
from pix2pix.training.engine import Loop, Outcome, fit, prepare, round_up
from pix2pix.training.objectives import Pix2Pix
from pix2pix.training.probes import Examples
from pix2pix.training.tracking import RunFolder
from pix2pix.translator import build_model_generator

Say = Callable[[str], None]
PREVIEWS = 4
LOOKED_AT = {"train": 8, "dev": 16}  # pairs that a run is looked at through: enough to choose by, a few % of the time
MAY_CHANGE = {"train.images", "train.save_every", "train.sample_every", "train.patience", "data.cache_gib", "work_size"}


def train(task: Task, run: RunFolder, say: Say, command: str = "") -> Outcome:
    """Train `task` into `run`, or go on with the run that is there. The model notes the `command` that trained it.

    Raises ValueError with one line for what a user can put right: the configuration has changed since the run was
    started, the folder cannot be written, there is no data, the training diverged.
    """
    processes.meet()
    if processes.rank() > 0:
        say = silent
    run, choices, resumed, outcome = processes.decided_by_first(lambda: settle(task, run, say))
    if outcome is not None:
        return outcome

    source, target = representations(task.data)
    pairs = processes.after_first(lambda: open_pairs(task, "train", say))
    dev = open_pairs(task, "dev", silent) if len(pairs) > 1 else pairs
    if dev is pairs:
        say("one pair only: there is none to keep aside as dev, so nothing tells whether it is learnt by heart")
    processes.decided_by_first(lambda: begin(task, run, resumed))  # after the data: a mistake there leaves no folder
    stream = TrainingStream(pairs, task.data, source, target, task.train.seed)
    say(f"runs on {choices.sentence()}")
    if task.train.compile and not choices.compile:
        say("no C++ compiler found: the networks run uncompiled; install g++ or clang++ to compile them")

    objective = build_objective(task, source, target, say)
    fabric = prepare(objective, choices)
    facts = Facts(images_seen=0, data=pairs.description, licence=pairs.licence, software=software(), command=command)
    course = begin_course(task, run, objective, choices, facts, say)
    loop = Loop(objective, fabric, choices, run, task, facts, course)
    if resumed:
        for line in loop.restore():
            say(f"{line}; going on from the state before it")
        say(f"going on at {loop.seen:,} images")
        if loop.seen >= task.train.images:
            loop.save()  # killed between the last state and its model, or the report
            loop.report(finished=True)

    examples = Examples(
        fixed_examples(pairs, task.data, source, target, LOOKED_AT["train"]),
        fixed_examples(dev, task.data, source, target, LOOKED_AT["dev"]),
    )

    def share(start: int, stop: int) -> Iterator[Batch]:
        return batches(stream, start, stop, task.train.batch, fabric.global_rank, fabric.world_size)

    def show(batch: Batch, output: Tensor) -> np.ndarray:
        return grid(batch, output, source, target)

    try:
        outcome = fit(loop, share, examples, show, say)
        if outcome.finished and processes.rank() == 0:
            for line in course.closing_words(outcome.images):
                say(line)
        return outcome
    finally:
        run.close()


def begin_course(task: Task, run: RunFolder, objective: Pix2Pix, choices: Choices, facts: Facts, say: Say) -> Course:
    """The course of a run before its first step."""
    settings = task.train
    networks = {name: objective.networks[name] for name in objective.optimizers}
    of_the_run = {
        "task": task.name,
        "machine": choices.machine,
        "choices": choices.sentence(),
        "data": facts.data,
        "software": facts.software,
        "seed": settings.seed,
        "parameters": {name: sum(p.numel() for p in network.parameters()) for name, network in networks.items()},
    }
    return Course(run, round_up(settings.images, settings.batch), settings.patience, of_the_run, say)


def settle(task: Task, run: RunFolder, say: Say) -> tuple[RunFolder, Choices, bool, Outcome | None]:
    """The run folder; what is chosen for the machine; whether the run goes on; how it ended, if it has."""
    if task.train.batch % processes.count():
        raise ValueError(f"--batch: got {task.train.batch}, expected a multiple of the {processes.count()} processes")
    if not run.state.exists():
        if run.model.exists():
            raise ValueError(
                f"{run.path}: holds a model but no state.pt to go on from; use --init {run.path} with another --out"
            )
        return run, choose(task.train), False, None
    planned = run.stored_task().train.images
    choices, seen, seconds = resumed_choices(task, run, say)
    if seen >= task.train.images and run.is_complete():
        say(f"{run.path}: finished at {seen:,} images; raise --images to go on")
        return run, choices, True, Outcome(seen, seconds, finished=True)
    if stopped_early(task, run, seen) and run.is_complete():
        say(f"{run.path}: stopped early at {seen:,} images; raise --patience, or leave it out, to go on")
        return run, choices, True, Outcome(seen, seconds, finished=True, stopped_early=True)
    if planned != task.train.images:
        say(f"length changed from {planned:,} to {task.train.images:,} images: the decay of the rate is planned anew")
    return run, choices, True, None


def stopped_early(task: Task, run: RunFolder, seen: int) -> bool:
    """Whether the run that is there ended because nothing better came within `--patience` images."""
    evaluated = any(record["images"] == seen for record in run.evaluations())
    if task.train.patience is None or not evaluated:  # a run ends early at an evaluation, never between two
        return False
    course = Course(run, task.train.images, task.train.patience, {}, silent)
    course.restore(seen)
    return course.patience_is_over(seen)


def begin(task: Task, run: RunFolder, resumed: bool) -> None:
    """Make the run folder, or write down what has changed in the one that is gone on with."""
    run.create(task)
    if not resumed:
        run.rewind(-1)


def silent(line: str) -> None:
    """A `say` for what is not to be said."""


def build_objective(task: Task, source: Representation, target: Representation, say: Say) -> Pix2Pix:
    """The objective with fresh networks, drawn from the task's seed, the generator filled from `--init` if given."""
    settings, model = task.train, task.model
    rng = torch.Generator().manual_seed(settings.seed)
    generator = build_model_generator(task, rng)
    if settings.init is not None:
        initialise_from(generator, settings.init, say)
    discriminator = None
    if settings.gan_weight > 0:
        discriminator = build_discriminator(
            target.channels,
            source.channels if model.conditional else 0,
            receptive_field=model.receptive_field,
            width=model.discriminator_width,
            norm=discriminator_norm(task),
            spectral=model.spectral,
            rng=rng,
        )
    return Pix2Pix(generator, discriminator, settings)


def initialise_from(generator: nn.Module, name: str, say: Say) -> None:
    """Fill `generator` from a released model; layers whose shape differs (another number of classes, say) start afresh.

    Raises ValueError when less than half of the weights fit: the networks are then others.
    """
    released = load_model(model_files.resolve(name))
    own = generator.state_dict()
    fitting = {key: value for key, value in released.weights.items() if key in own and own[key].shape == value.shape}
    if 2 * sum(value.numel() for value in fitting.values()) < sum(value.numel() for value in own.values()):
        raise ValueError(
            f"--init {name}: a '{released.task.model.generator}' of other shape; use its own --model settings"
        )
    generator.load_state_dict(fitting, strict=False)
    taken = f"{len(fitting)} of {len(own)} weights taken"
    say(f"starts from {released.path} ({released.facts.images_seen:,} images), {taken}")


def resumed_choices(task: Task, run: RunFolder, say: Say) -> tuple[Choices, int, float]:
    """What was chosen when the run began, on the machine as it is now; the images seen so far, and the seconds it took.

    Raises ValueError naming what changed in the configuration. A change of machine is said: bit equality ends there.
    """
    changed = {field: pair for field, pair in differences(run.stored_task(), task).items() if field not in MAY_CHANGE}
    if changed:
        what = ", ".join(f"{field} {old!r} -> {new!r}" for field, (old, new) in changed.items())
        raise ValueError(
            f"{run.path}: cannot go on with a changed configuration: {what}; keep it, or give another --out"
        )
    state = load_state(run.state)
    then = Choices(**state["choices"])
    now = choose(
        task.train.model_copy(update={"precision": then.precision, "compile": then.compile, "device": then.device})
    )
    for name in ("compile", "threads", "processes", "torch", "machine"):
        if getattr(now, name) != getattr(then, name):
            say(f"{name} was {getattr(then, name)}, is {getattr(now, name)}: goes on, but not bit for bit as before")
    return now, int(state["seen"]), float(state["seconds"])


def grid(batch: Batch, output: Tensor, source: Representation, target: Representation) -> np.ndarray:
    """Sample grid of a few pairs spread evenly over `batch`, one row a pair: input, output, target."""
    count = min(PREVIEWS, len(output))
    chosen = [place * len(output) // count for place in range(count)]
    rows = []
    for row in chosen:
        shown = source.decode(batch.source[row].cpu())
        pictures = (target.decode(each[row].cpu(), shown) for each in (output, batch.target))
        rows.append([to_rgb8(picture) for picture in (shown, *pictures)])
    return make_grid(rows, titles=("input", "output", "target"))


def discriminator_norm(task: Task) -> Norm:
    """Spectral norm takes the place of the discriminator's norm layers; a WGAN-GP critic may not mix a batch either."""
    return "none" if task.model.spectral or task.train.adversarial == "wgan_gp" else task.model.norm


def software() -> str:
    return f"pix2pix {__version__}, torch {torch.__version__}"
