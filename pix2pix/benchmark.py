"""`python -m pix2pix.benchmark train`: images a second of this machine, beside the field's usual way in the same run.

The usual way is the plain step: fp32, eager, NCHW, batch 1, the paper's networks and losses, torch's default Adam.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

import tyro
from pydantic import Field

from pix2pix.command_line import parse, run
from pix2pix.config import Frozen, Preset, Task, load_task, merge, validate

PROG = "pix2pix benchmark"
WARM_UP = 3


class Benchmark(Frozen):
    """Measure training steps: medians of alternating rounds, this product's step and the plain one."""

    what: tyro.conf.Positional[Literal["train"]] = Field(description="what to measure")
    task: str = "facades"
    preset: Preset = "standard"
    size: int | None = Field(None, description="side of the pictures; default the preset's")
    batch: int | None = Field(None, description="images a step; default the preset's")
    generator: Literal["unet", "encoder_decoder", "resnet6", "resnet9", "compact_unet"] | None = None
    compile: bool = False
    steps: Annotated[int, tyro.conf.arg(metavar="N")] = Field(10, ge=1, description="timed steps of each")
    json_: Annotated[bool, tyro.conf.arg(name="json")] = Field(False, description="print one JSON object")


def main(arguments: Sequence[str]) -> int:
    """Measure as `arguments` say. Raises ValueError with one line for a user's mistake."""
    wanted = parse(Benchmark, arguments, PROG)
    task = load_task(wanted.task, wanted.preset)
    given: dict[str, dict[str, Any]] = {
        "data": {"size": wanted.size},
        "model": {"generator": wanted.generator},
        "train": {"batch": wanted.batch, "compile": wanted.compile},
    }
    given = {section: {k: v for k, v in values.items() if v is not None} for section, values in given.items()}
    task = validate(merge(task.model_dump(), given), wanted.task)
    figures = measure(task, wanted.steps)
    if wanted.json_:
        print(json.dumps(figures))
        return 0
    network = f"{task.model.generator}, {task.data.size} px"
    print(f"{figures['machine']}; {task.name}, {network}, n = {wanted.steps} steps, median")
    print(f"this step (batch {task.train.batch}, {figures['precision']}): {figures['images_per_second']:.2f} images/s")
    print(f"plain step (batch 1, fp32, eager, NCHW, paper's U-Net): {figures['plain_images_per_second']:.2f} images/s")
    print(f"ratio {figures['ratio']:.2f}")
    return 0


def measure(task: Task, steps: int) -> dict[str, float | str]:
    """Medians over `steps` of both ways, timed in turns so that a machine's drift meets both."""
    from pix2pix.training.choices import choose

    choices = choose(task.train)
    ours, batch = our_step(task), task.train.batch
    plain = plain_step(task)
    seconds: dict[str, list[float]] = {"ours": [], "plain": []}
    for _ in range(WARM_UP + steps):
        for name, step in (("ours", ours), ("plain", plain)):
            started = time.perf_counter()
            step()
            seconds[name].append(time.perf_counter() - started)
    rate = batch / statistics.median(seconds["ours"][WARM_UP:])
    plain_rate = 1 / statistics.median(seconds["plain"][WARM_UP:])
    return {
        "images_per_second": round(rate, 3),
        "plain_images_per_second": round(plain_rate, 3),
        "ratio": round(rate / plain_rate, 3),
        "steps": steps,
        "batch": batch,
        "precision": choices.precision,
        "machine": choices.machine,
    }


def our_step(task: Task) -> Callable[[], None]:
    """One training step as `train` does it, on random pairs."""
    import torch

    from pix2pix.data.stream import Batch
    from pix2pix.representations import build_representation
    from pix2pix.training.assembly import build_objective
    from pix2pix.training.choices import choose
    from pix2pix.training.engine import prepare
    from pix2pix.training.objectives import Progress

    source, target = (build_representation(name, task.data.palette) for name in (task.data.input, task.data.target))
    objective = build_objective(task, source, target, lambda line: None)
    fabric = prepare(objective, choose(task.train))
    shape = (task.train.batch, 1, task.data.size, task.data.size)
    pictures = [torch.rand(shape).expand(-1, kind.channels, -1, -1) * 2 - 1 for kind in (source, target)]
    inputs = [picture.to(fabric.device, memory_format=torch.channels_last) for picture in pictures]
    batch = Batch(inputs[0], inputs[1], tuple(range(task.train.batch)))
    wait: Callable[[], None] = torch.cuda.synchronize if fabric.device.type == "cuda" else lambda: None
    seen = 0

    def step() -> None:
        nonlocal seen
        objective.step(batch, Progress(seen, task.train.images, task.train.batch), fabric.backward)
        seen += task.train.batch
        wait()

    return step


def plain_step(task: Task) -> Callable[[], None]:
    """The field's usual step on this machine's CPU: Isola et al. 2017 with everything that torch does by default."""
    import torch
    from torch import Tensor
    from torch.nn.functional import binary_cross_entropy_with_logits, l1_loss

    from pix2pix.nn import build_discriminator, build_generator

    generator = build_generator("unet", 3, 3, size=task.data.size, norm="batch")
    discriminator = build_discriminator(3, 3, norm="batch")
    adams = [torch.optim.Adam(each.parameters(), lr=2e-4, betas=(0.5, 0.999)) for each in (generator, discriminator)]
    source, target = (torch.rand(1, 3, task.data.size, task.data.size) * 2 - 1 for _ in range(2))

    def verdict(scores: Tensor, real: bool) -> Tensor:
        return binary_cross_entropy_with_logits(scores, torch.full_like(scores, float(real)))

    def step() -> None:
        output = generator(source)
        discriminator.requires_grad_(True)
        adams[1].zero_grad()
        fake, real = discriminator(output.detach(), source), discriminator(target, source)
        torch.autograd.backward(0.5 * (verdict(fake, False) + verdict(real, True)))
        adams[1].step()
        discriminator.requires_grad_(False)
        adams[0].zero_grad()
        torch.autograd.backward(verdict(discriminator(output, source), True) + 100 * l1_loss(output, target))
        adams[0].step()

    return step


if __name__ == "__main__":
    run(main, PROG)
