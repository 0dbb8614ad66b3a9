"""Images a second of the training step, how near it comes to the machine's limits, and how far ahead of the usual one.

The two sides live in processes of their own and take turns, so that a machine's drift meets both. Each turn is a whole
period of a training: what happens in some steps only, above all the average of the generator, has its share in each.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from pix2pix import __version__
from pix2pix.config import Task, Train
from pix2pix.timing.agreement import check_agreement
from pix2pix.timing.machine import Limits
from pix2pix.timing.steps import Check, our_side, plain_side
from pix2pix.timing.worker import Worker
from pix2pix.training.choices import Choices
from pix2pix.training.objectives import AVERAGED_EVERY

WARM_UP = 3


def period(settings: Train) -> int:
    """The number of steps after which the work of a training repeats."""
    every = AVERAGED_EVERY if settings.ema > 0 else 1
    penalised = settings.gan_weight > 0 and settings.r1 > 0 and settings.adversarial != "wgan_gp"
    return math.lcm(every, settings.r1_every) if penalised else every


def periods(steps: int, settings: Train) -> int:
    """How many whole periods have at least `steps` steps."""
    return math.ceil(steps / period(settings))


def measure(task: Task, steps: int, against_plain: bool) -> dict[str, Any]:
    """Time `steps` steps of `task`, or more to whole periods, after warming up; medians of the periods.

    Raises Disagreement where the sides do not compute the same, and ValueError for user's mistakes. FLOPs are counted
    by torch as a step of batch 1 runs; a larger batch takes as many times more.
    """
    with Worker(Check, our_side, task, name="our step") as worker:
        checked: Choices = worker.ask("chosen")
        losses = {"ours": worker.ask("figures", task.train.seed)}
        flops = worker.ask("flops") * task.train.batch
    settled = task.train.model_copy(update={"precision": checked.precision})
    task = task.model_copy(update={"train": settled})
    figures: dict[str, Any] = {}
    if against_plain:
        with Worker(Check, plain_side, task, name="the plain step") as worker:
            losses["plain"] = worker.ask("figures", task.train.seed)
        figures["largest_difference"] = check_agreement(losses["ours"], losses["plain"], checked.precision)
        losses["ours"] = {name: losses["ours"][name] for name in losses["plain"]}
    with Worker(Limits, checked.device, name="the machine's limits") as worker:
        peak = worker.ask("matmul_flops_per_second", checked.precision)
        bandwidth = worker.ask("copied_bytes_per_second")

    timed = time_sides(task, steps, against_plain)
    seconds = timed["seconds"]["ours"]
    figures |= {
        "what": "train",
        **described(task, timed["choices"]),
        "steps": periods(steps, task.train) * period(task.train),
        "period": period(task.train),
        "images_per_second": task.train.batch / seconds,
        "seconds_a_step": seconds,
        "peak_memory_bytes": timed["memory"]["ours"],
        "flops_a_step": flops,
        "flops_per_second": flops / seconds,
        "peak_flops_per_second": peak,
        "peak_share": flops / seconds / peak,
        "least_bytes_a_step": timed["least_bytes"],
        "copy_bytes_per_second": bandwidth,
        "bandwidth_share": timed["least_bytes"] / seconds / bandwidth,
        "losses": losses,
        "where_time_goes": timed["where_time_goes"],
    }
    if against_plain:
        figures["plain_images_per_second"] = 1 / timed["seconds"]["plain"]
        figures["plain_peak_memory_bytes"] = timed["memory"]["plain"]
        figures["ratio"] = figures["images_per_second"] / figures["plain_images_per_second"]
    return figures


def time_sides(task: Task, steps: int, against_plain: bool, profiled: bool = True) -> dict[str, Any]:
    """Seconds of one step, of the median of whole periods, and peak memory of each side; of ours, where time goes."""
    builders = {"ours": our_side} | ({"plain": plain_side} if against_plain else {})
    block = period(task.train)
    with ExitStack() as stack:
        workers = {
            name: stack.enter_context(Worker(build, task, name=f"the step '{name}'"))
            for name, build in builders.items()
        }
        for worker in workers.values():
            worker.ask("seconds", WARM_UP)
        seconds: dict[str, list[float]] = {name: [] for name in workers}
        for _ in range(periods(steps, task.train)):
            for name, worker in workers.items():
                seconds[name].append(worker.ask("seconds", block) / block)
        ours = workers["ours"]
        return {
            "seconds": {name: statistics.median(times) for name, times in seconds.items()},
            "memory": {name: worker.ask("peak_memory") for name, worker in workers.items()},
            "least_bytes": ours.ask("least_bytes"),
            "choices": ours.ask("chosen"),
            "where_time_goes": ours.ask("where_time_goes", block) if profiled else {},
        }


def described(task: Task, choices: Choices) -> dict[str, Any]:
    """What was measured and where, as every figure carries it."""
    return {
        "task": task.name,
        "generator": task.model.generator,
        "size": task.data.size,
        "batch": task.train.batch,
        "seed": task.train.seed,
        "precision": choices.precision,
        "compile": choices.compile,
        "device": choices.device,
        "threads": choices.threads,
        "machine": choices.machine,
        "software": f"pix2pix {__version__}, torch {choices.torch}",
    }


def count(figures: Mapping[str, Any]) -> str:
    """What a median is of; figures of before there were periods are of single steps."""
    block = figures.get("period", 1)
    return f"n = {figures['steps']} steps, median" + (f" of every {block} together" if block > 1 else "")


def lines(figures: Mapping[str, Any]) -> list[str]:
    """The figures for people."""
    compiled = "compiled" if figures["compile"] else "eager"
    network = (
        f"{figures['generator']}, {figures['size']} px, batch {figures['batch']}, {figures['precision']}, {compiled}"
    )
    where = sorted(figures["where_time_goes"].items(), key=lambda pair: -pair[1])
    said = [
        f"{figures['machine']}, {figures['threads']} threads; {figures['software']}",
        f"{figures['task']}: {network}; {count(figures)}",
        f"{figures['images_per_second']:.2f} images/s, peak memory {figures['peak_memory_bytes'] / 2**30:.2f} GiB",
        f"{figures['flops_per_second'] / 1e12:.3f} TFLOP/s, {figures['peak_share']:.0%} of the machine's "
        f"{figures['peak_flops_per_second'] / 1e12:.3f} in a large {figures['precision']} matrix product",
        f"weights, gradients and moments move {figures['least_bytes_a_step'] / 1e9:.2f} GB a step, "
        f"{figures['bandwidth_share']:.0%} of the {figures['copy_bytes_per_second'] / 1e9:.1f} GB/s that it copies at",
        "time: " + ", ".join(f"{kind} {share:.0%}" for kind, share in where if share >= 0.005),
    ]
    if "ratio" in figures:
        said += [
            f"plain step (batch 1, fp32, eager, NCHW): {figures['plain_images_per_second']:.2f} images/s, "
            f"peak memory {figures['plain_peak_memory_bytes'] / 2**30:.2f} GiB",
            f"ratio {figures['ratio']:.2f}; losses, gradients and updates of one pair differ by "
            f"{figures['largest_difference']:.1e} at most",
        ]
    return said
