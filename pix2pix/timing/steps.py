"""The two training steps that are compared, each ready to be run in a process of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from pix2pix.batch.lanes import settle
from pix2pix.config import Task, validate
from pix2pix.data.stream import Batch
from pix2pix.nn import set_stochastic
from pix2pix.representations import representations
from pix2pix.schema import merge
from pix2pix.timing.machine import peak_memory_bytes, synchronizer
from pix2pix.timing.pictures import example_batch
from pix2pix.timing.plain import PlainStep
from pix2pix.timing.profile import where_time_goes
from pix2pix.training.assembly import build_objective
from pix2pix.training.choices import Choices, choose
from pix2pix.training.engine import prepare
from pix2pix.training.objectives import AVERAGED_EVERY, Progress
from pix2pix.training.probes import gradient_norm

# Moves of one number for each weight that no step can do without: read in the forward and in the backward pass, its
# gradient written; Adam reads gradient, weight and two moments, and writes weight and moments.
MOVES_A_WEIGHT = 2 + 1 + 4 + 3
MOVES_OF_AN_AVERAGE = 3 / AVERAGED_EVERY  # two weights read, one written, every so many steps


@dataclass
class Side:
    """One way to make a training step, on one fixed batch."""

    step: Callable[[], dict[str, Tensor]]
    networks: dict[str, nn.Module]  # those that learn
    choices: Choices
    average: bool = False

    def seconds(self, steps: int) -> float:
        """Seconds of `steps` steps together."""
        wait = synchronizer(self.choices.device)
        wait()
        settle()
        started = time.perf_counter()
        for _ in range(steps):
            self.step()
        wait()
        return time.perf_counter() - started

    def losses(self, seed: int) -> dict[str, float]:
        """The losses of one step, and the norm of each network's gradient."""
        torch.manual_seed(seed)
        losses = {name: float(value.detach()) for name, value in self.step().items()}
        norms = {f"gradient_{name}": gradient_norm(each.parameters()) for name, each in self.networks.items()}
        return losses | norms

    def moves(self, seed: int) -> dict[str, float]:
        """How far one step moves the weights of each network, on average, without signs."""
        torch.manual_seed(seed)
        before = {name: [p.detach().clone() for p in each.parameters()] for name, each in self.networks.items()}
        self.step()
        return {
            f"move_{name}": mean_move(before[name], list(each.parameters())) for name, each in self.networks.items()
        }

    def flops(self) -> int:
        """Floating-point operations of one step's convolutions and matrix products, counted by torch as it runs."""
        with FlopCounterMode(display=False) as counter:
            self.step()
        return int(counter.get_total_flops())

    def least_bytes(self) -> int:
        """Bytes that a step moves at least for weights (float32), gradients and Adam's moments; activations not."""
        weights = {name: sum(p.numel() for p in network.parameters()) for name, network in self.networks.items()}
        moves = MOVES_A_WEIGHT * sum(weights.values())
        return round(4 * (moves + (MOVES_OF_AN_AVERAGE * weights["generator"] if self.average else 0)))

    def where_time_goes(self, steps: int) -> dict[str, float]:
        """Shares of the time by kind of work."""
        return where_time_goes(self.step, steps, self.choices.device)

    def peak_memory(self) -> int:
        """The most bytes that this process has held so far."""
        return peak_memory_bytes(self.choices.device)

    def chosen(self) -> Choices:
        """What was chosen for the machine."""
        return self.choices


class Check:
    """What one step of a way to make it computes, for a `Worker`."""

    def __init__(self, build: Callable[[Task, bool], Side], task: Task) -> None:
        """`build` is `our_side` or `plain_side`. Raises as they do."""
        self.build = build
        self.side = build(for_the_check(task), True)
        settled = task.train.model_copy(update={"precision": self.side.choices.precision})
        self.task = task.model_copy(update={"train": settled})

    def figures(self, seed: int) -> dict[str, float]:
        """The losses of one step, the norm of each network's gradient, and how far each Adam moves its weights."""
        moving = self.build(for_the_check(self.task, self.task.train.learning_rate), True)
        return self.side.losses(seed) | moving.moves(seed)

    def flops(self) -> int:
        """As `Side.flops`, of one pair."""
        return self.side.flops()

    def chosen(self) -> Choices:
        """What was chosen for the machine."""
        return self.side.choices


@torch.no_grad()
def mean_move(before: Sequence[Tensor], after: Sequence[Tensor]) -> float:
    """Mean absolute difference of all numbers in two lists of tensors of the same shapes."""
    moved = sum(float((b - a).abs().sum(dtype=torch.float64)) for a, b in zip(before, after, strict=True))
    return moved / sum(each.numel() for each in before)


def for_the_check(task: Task, learning_rate: float = 1e-30) -> Task:
    """`task` as both ways can compute one step of it alike: batch 1, no dropout, and at first no weight moves.

    Where a step looks at the discriminator before and where after its update differs between the two ways; with a
    rate that moves no weight the losses do not tell the difference. Compiled or not makes none that matters.
    """
    changes: dict[str, Any] = {"batch": 1, "learning_rate": learning_rate, "compile": False, "r1": 0.0, "ema": 0.0}
    return validate(merge(task.model_dump(), {"model": {"dropout": 0.0}, "train": changes}), task.name)


def _hold_still(generator: nn.Module) -> None:
    """Switch off what makes two computations of the same step differ: dropout, noise, a GPU's short products."""
    set_stochastic(generator, False)
    torch.backends.cudnn.allow_tf32 = False


def our_side(task: Task, still: bool = False) -> Side:
    """One training step as `train` makes it; `still` is for the check, see `_hold_still`."""
    settings = task.train
    source, target = representations(task.data)
    objective = build_objective(task, source, target, lambda line: None)
    choices = choose(settings)
    built = {"generator": objective.generator}
    if objective.critic is not None:
        built["discriminator"] = objective.critic
    fabric = prepare(objective, choices)
    drawn = example_batch(task, settings.batch)
    inputs = [picture.to(fabric.device, memory_format=torch.channels_last) for picture in (drawn.source, drawn.target)]
    batch = Batch(inputs[0], inputs[1], drawn.positions)
    if still:
        _hold_still(objective.generator)
    seen = 0

    def step() -> dict[str, Tensor]:
        nonlocal seen
        progress = Progress(seen % settings.images, settings.images, settings.batch)
        seen += settings.batch
        return objective.step(batch, progress, fabric.backward)

    return Side(step, built, choices, average=settings.ema > 0)


def plain_side(task: Task, still: bool = False) -> Side:
    """The usual step, of networks with the same weights as `our_side` draws for that task; always of one pair."""
    source, target = representations(task.data)
    settings = task.train.model_copy(update={"precision": "fp32", "compile": False, "batch": 1, "ema": 0.0})
    objective = build_objective(task.model_copy(update={"train": settings}), source, target, lambda line: None)
    choices = choose(settings)
    generator, discriminator = objective.generator.to(choices.device), objective.critic
    built: dict[str, nn.Module] = {"generator": generator}
    if discriminator is not None:
        built["discriminator"] = discriminator = discriminator.to(choices.device)
    plain = PlainStep(generator, discriminator, settings)
    if still:
        _hold_still(generator)
    batch = example_batch(task, 1)
    pair = batch.source.to(choices.device).contiguous(), batch.target.to(choices.device).contiguous()
    return Side(lambda: plain(*pair), built, choices)
