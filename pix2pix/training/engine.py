"""One loop for every objective: device, precision, processes, saves and samples, and a clean end whatever happens.

The only place that imports Fabric. Progress is counted in images; every random draw of a step is a function of (seed,
rank, images seen), so a run that was killed and started again goes on exactly where its last saved state stood.
"""

from __future__ import annotations

import ctypes
import math
import os
import platform
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies.ddp import DDPStrategy
from torch import Tensor, nn
from tqdm import tqdm

from pix2pix.checkpoint import Facts, load_state, save_model, save_state
from pix2pix.data.stream import Batch
from pix2pix.schema import Configuration, Run
from pix2pix.signals import StopRequest
from pix2pix.training.choices import Choices
from pix2pix.training.course import Course
from pix2pix.training.objectives import Backward, Progress
from pix2pix.training.probes import Examples
from pix2pix.training.tracking import RunFolder

SAVE_SECONDS = 300.0
LOG_SECONDS = 2.0
SELDOM = 200  # images between two evaluations at least: they take as long as a few dozen images
AT_ONCE = 4  # pictures that an evaluation computes together, so that it needs no more memory than a step
EARLY = 255  # asked of all processes as a signal is, and above every signal's number


class Objective(Protocol):
    """What the loop trains. `networks` and `optimizers` are live: the engine puts prepared ones back."""

    networks: dict[str, nn.Module]
    optimizers: dict[str, torch.optim.Optimizer]

    def step(self, batch: Batch, progress: Progress, backward: Backward) -> dict[str, Tensor]: ...
    def preview(self, source: Tensor) -> Tensor: ...
    def score(self, examples: Examples, train_output: Tensor, dev_output: Tensor) -> dict[str, float]: ...
    def released(self) -> nn.Module: ...


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    images: int
    seconds: float  # of training, over all its parts
    finished: bool
    signal: int | None = None
    stopped_early: bool = False


class Diverged(ValueError):
    """A loss or a weight is no longer a number."""


@dataclass
class Clock:
    """Time of training, over all the parts of a run, and since when this part runs."""

    before: float
    started: float
    images_before: int

    def seconds(self) -> float:
        return self.before + time.monotonic() - self.started

    def rate(self, seen: int) -> float:
        """Images a second in this part of the run."""
        return (seen - self.images_before) / max(time.monotonic() - self.started, 1e-9)


def keep_freed_memory() -> None:
    """Have glibc reuse large blocks rather than give them back: page faults cost a fifth of a step on the CPU."""
    if platform.libc_ver()[0] == "glibc":
        largest = 2**30
        trim_threshold, mmap_threshold = -1, -3  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of malloc.h
        libc = ctypes.CDLL(None)
        if not libc.mallopt(mmap_threshold, largest):
            libc.mallopt(mmap_threshold, 2**25)  # the most that glibc before 2.35 takes
        libc.mallopt(trim_threshold, largest)


def prepare(objective: Objective, choices: Choices) -> Fabric:
    """Put the objective's networks on the device, in the chosen precision, compiled where chosen, in every process."""
    keep_freed_memory()
    # Buffers are equal everywhere as it is; sent before every forward, one process alone could not make a preview.
    strategy: Any = DDPStrategy(broadcast_buffers=False) if choices.processes > 1 else "auto"
    precision: Any = "bf16-mixed" if choices.precision == "bf16" else "32-true"
    local = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    nodes = max(1, choices.processes // local)
    fabric = Fabric(accelerator=choices.device, devices=local, num_nodes=nodes, strategy=strategy, precision=precision)
    fabric.launch()
    for name, module in objective.networks.items():
        module.to(memory_format=torch.channels_last)
        forward: Any = torch.compile(module) if choices.compile and name in objective.optimizers else module
        if name in objective.optimizers:
            with warnings.catch_warnings():
                warnings.filterwarnings(
                    "ignore", "`broadcast_buffers`", FutureWarning
                )  # its successor needs torch 2.15
                network, optimizer = fabric.setup(forward, objective.optimizers[name])
            objective.networks[name], objective.optimizers[name] = network, optimizer
        else:
            objective.networks[name] = fabric.to_device(module)
    return fabric


class Loop:
    """A run in progress: the objective, where it stands, and where it is written."""

    def __init__(
        self,
        objective: Objective,
        fabric: Fabric,
        choices: Choices,
        run: RunFolder,
        configuration: Configuration,
        facts: Facts,
        course: Course,
    ) -> None:
        self.objective, self.fabric, self.choices = objective, fabric, choices
        self.run, self.configuration, self.facts, self.course = run, configuration, facts, course
        self.seen = 0
        self.scoring = 0.0  # seconds of this part that evaluations took
        self.clock = Clock(0.0, time.monotonic(), 0)

    def restore(self) -> list[str]:
        """Go on from the run's saved state. Returns what was damaged on the way to a good one.

        Raises ValueError for a state of a version that trained other parts.
        """
        state = load_state(self.run.state)
        if missing := [name for name in self.objective.networks if name not in state["networks"]]:
            raise ValueError(
                f"{self.run.path}: was trained by an earlier version, its state has no '{missing[0]}'; use --init "
                f"{self.run.path} with another --out"
            )
        for name, network in self.objective.networks.items():
            network.load_state_dict(state["networks"][name])
        for name, optimizer in self.objective.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        self.seen = int(state["seen"])
        self.clock = Clock(float(state["seconds"]), time.monotonic(), self.seen)
        if self.fabric.is_global_zero:
            self.run.rewind(self.seen)
            self.course.restore(self.seen)
        return list(state["damaged"])

    def save(self) -> None:
        """Write the state and the released model, after a look at whether they are worth keeping."""
        self.check_weights()
        if not self.fabric.is_global_zero:
            return
        objective = self.objective
        state = {
            "networks": {name: network.state_dict() for name, network in objective.networks.items()},
            "optimizers": {name: optimizer.state_dict() for name, optimizer in objective.optimizers.items()},
            "seen": self.seen,
            "seconds": self.clock.seconds(),
            "choices": asdict(self.choices),
            "configuration": self.configuration.model_dump_json(),
        }
        save_state(self.run.state, state)
        self.release(self.run.model)

    def release(self, path: Path) -> None:
        """Write the generator that people use."""
        facts = self.facts.model_copy(update={"images_seen": self.seen, "history": self.run.history()})
        save_model(path, self.objective.released(), self.configuration, facts)

    def report(self, finished: bool = False, stopped_early: bool = False) -> None:
        """Write what is known of the run so far, in the first process."""
        if self.fabric.is_global_zero:
            elapsed = max(time.monotonic() - self.clock.started, 1e-9)
            self.course.write(self.seen, self.clock.seconds(), self.scoring / elapsed, finished, stopped_early)

    def check_weights(self) -> None:
        for name, network in self.objective.networks.items():
            for parameter in network.parameters():
                if not bool(parameter.isfinite().all()):
                    raise Diverged(self._diverged(f"a weight of the {name}"))

    def check_losses(self, losses: dict[str, Tensor]) -> dict[str, float]:
        """The losses as numbers. Raises Diverged when one is not: the last saved state stays as it is."""
        values = {name: float(value) for name, value in losses.items()}
        for name, value in values.items():
            if not math.isfinite(value):
                raise Diverged(self._diverged(f"the loss '{name}'"))
        return values

    def _diverged(self, what: str) -> str:
        kept = f"the state saved in {self.run.state} is good" if self.run.state.exists() else "nothing was saved yet"
        return (
            f"training stopped at {self.seen} images: {what} is not a number; {kept}; try a lower --train.learning-rate"
        )


def seed_step(seed: int, rank: int, seen: int) -> None:
    """Make the draws of one step (dropout, noise) a function of where the run stands."""
    torch.manual_seed(int(np.random.SeedSequence([seed, rank, seen]).generate_state(1, np.uint64)[0] >> np.uint64(1)))


def fit(
    loop: Loop,
    batches: Callable[[int, int], Iterable[Batch]],
    examples: Examples,
    show: Callable[[Batch, Tensor], np.ndarray],
    say: Callable[[str], None],
) -> Outcome:
    """Train until the configured number of images is seen, patience is over, or somebody asks to stop.

    `batches(start, stop)` gives this process' share of the stream from one position to another, `examples` the pairs
    that a run is looked at through, and `show` draws the grid of outputs. Raises Diverged when a loss or a weight stops
    being a number.
    """
    settings, fabric = loop.configuration.train, loop.fabric
    total = round_up(settings.images, settings.batch)
    sample_every = settings.sample_every or max(settings.batch, SELDOM, total // 20)
    last_save, last_log = time.monotonic(), time.monotonic()
    examples = Examples(_on_device(fabric, examples.train), _on_device(fabric, examples.dev))
    with StopRequest() as stop, _bar(fabric, total, loop.seen) as bar:
        if loop.seen == 0:
            evaluate(loop, examples, show)
        for batch in batches(loop.seen, total):
            seed_step(settings.seed, fabric.global_rank, loop.seen)
            progress = Progress(loop.seen, total, settings.batch)
            losses = loop.objective.step(_on_device(fabric, batch), progress, fabric.backward)
            before, loop.seen = loop.seen, loop.seen + settings.batch
            bar.update(settings.batch)

            now = time.monotonic()
            finished = loop.seen >= total
            evaluation_due = finished or _crossed(before, loop.seen, sample_every)
            if evaluation_due or now - last_log >= LOG_SECONDS:
                last_log = now
                values = loop.check_losses(losses)
                if evaluation_due:
                    loop.check_weights()  # or the best model so far could be one of no numbers
                record(loop, values | (evaluate(loop, examples, show) if evaluation_due else {}), bar)
            if evaluation_due:
                judge(loop)
            asked = EARLY if evaluation_due and loop.course.patience_is_over(loop.seen) else stop.signal
            leaving = None if finished else agreed(fabric, asked)
            if finished or leaving is not None or _save_due(settings, before, loop.seen, now - last_save):
                loop.check_losses(losses)
                loop.save()
                loop.report(finished or leaving == EARLY, leaving == EARLY)
                last_save = time.monotonic()
            if leaving == EARLY:
                waited = f"nothing better for {settings.patience:,} images"
                say(f"stopped early at {loop.seen:,} of {total:,} images: {waited}")
                return Outcome(loop.seen, loop.clock.seconds(), finished=True, stopped_early=True)
            if leaving is not None:
                say(f"stopped at {loop.seen:,} of {total:,} images; run the same command again to go on")
                return Outcome(loop.seen, loop.clock.seconds(), False, leaving)
    return Outcome(loop.seen, loop.clock.seconds(), finished=True)


def round_up(images: int, batch: int) -> int:
    """Images of a run: its last batch is whole."""
    return math.ceil(images / batch) * batch


def _save_due(settings: Run, before: int, seen: int, seconds: float) -> bool:
    if settings.save_every:
        return _crossed(before, seen, settings.save_every)
    return seconds >= SAVE_SECONDS


def agreed(fabric: Fabric, signal: int | None) -> int | None:
    """The signal that any process got: all must leave after the same step, or the others would wait for the first."""
    if fabric.world_size == 1:
        return signal
    highest: Any = fabric.all_reduce(torch.tensor(signal or 0, device=fabric.device), reduce_op="max")
    return int(highest) or None


def evaluate(loop: Loop, examples: Examples, show: Callable[[Batch, Tensor], np.ndarray]) -> dict[str, float]:
    """Look at the released generator's outputs, in the first process: a sample grid, and the scores."""
    if not loop.fabric.is_global_zero:
        return {}
    started = time.monotonic()
    with loop.fabric.autocast(), torch.no_grad():
        train_output, dev_output = (
            torch.cat([loop.objective.preview(part).float() for part in torch.split(batch.source, AT_ONCE)])
            for batch in (examples.train, examples.dev)
        )
    grid = show(examples.dev, dev_output)
    loop.run.write_sample(loop.seen, grid)
    loop.run.board.picture(loop.seen, grid)
    scores = loop.objective.score(examples, train_output, dev_output)
    loop.scoring += time.monotonic() - started
    return scores


def judge(loop: Loop) -> None:
    """Keep the model if no evaluation was better, and say what has come up; after its scores are in the log."""
    if not loop.fabric.is_global_zero:
        return
    started = time.monotonic()
    if loop.course.is_better(loop.seen, loop.run.evaluations()[-1]):
        loop.release(loop.run.best)
    loop.course.diagnose()
    loop.scoring += time.monotonic() - started


def record(loop: Loop, values: dict[str, float], bar: tqdm[Any]) -> None:
    """Put losses and scores into the log, TensorBoard and the progress bar: one line for this point of the run."""
    if not loop.fabric.is_global_zero:
        return
    values = {name: round(value, 6) for name, value in values.items()}
    rate = round(loop.clock.rate(loop.seen), 2)
    seconds = round(loop.clock.seconds(), 1)
    loop.run.append({"images": loop.seen, "seconds": seconds, "images_per_second": rate, **values})
    loop.run.board.scalars(loop.seen, values)
    bar.set_postfix({name: f"{value:.3f}" for name, value in values.items()}, refresh=False)


def _bar(fabric: Fabric, total: int, seen: int) -> tqdm[Any]:
    hidden = None if fabric.is_global_zero else True  # None: shown only where standard error is a terminal
    return tqdm(total=total, initial=seen, unit="img", disable=hidden, smoothing=0.05, dynamic_ncols=True)


def _on_device(fabric: Fabric, batch: Batch) -> Batch:
    target = batch.target.to(fabric.device, memory_format=torch.channels_last, non_blocking=True)
    layout = torch.channels_last if batch.source.ndim == 4 else torch.preserve_format  # latents are no pictures
    source = batch.source.to(fabric.device, memory_format=layout, non_blocking=True)
    return Batch(source, target, batch.positions)


def _crossed(before: int, after: int, every: int) -> bool:
    return before // every < after // every
