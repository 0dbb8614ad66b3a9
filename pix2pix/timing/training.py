"""Images a second of the training step, how near it comes to the machine's limits, and how far ahead of the usual one.

The two sides live in processes of their own and take turns, step by step, so that a machine's drift meets both.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from pix2pix import __version__
from pix2pix.config import Task
from pix2pix.timing.machine import Limits
from pix2pix.timing.steps import for_the_check, our_side, plain_side
from pix2pix.timing.worker import Worker
from pix2pix.training.choices import Choices

WARM_UP = 3
PROFILED_STEPS = 3
# Relative, of each loss and of the norm of the generator's gradient. Measured over four generators of 64 to 256 px: in
# fp32 4e-7 and 2e-5, in bf16 1.5e-3 and 4.5e-3 at most.
TOLERANCE = {"fp32": 1e-4, "bf16": 0.02}


class Disagreement(Exception):
    """The two sides do not compute the same losses, so their speeds are not comparable."""


def check_agreement(ours: Mapping[str, float], plain: Mapping[str, float], precision: str) -> float:
    """The largest relative difference of the losses. Raises Disagreement where one is beyond its tolerance."""
    largest, allowed = 0.0, TOLERANCE[precision]
    for name, expected in plain.items():
        got = ours[name]
        difference = abs(got - expected) / max(abs(expected), 1e-12)
        if not difference <= allowed:
            raise Disagreement(
                f"'{name}' of the same pair and weights is {got:.6g} here and {expected:.6g} in the plain step: "
                f"{difference:.2g} apart, expected at most {allowed:g} in {precision}; no speed is compared"
            )
        largest = max(largest, difference)
    return largest


def measure(task: Task, steps: int, against_plain: bool) -> dict[str, Any]:
    """Time `steps` steps of `task` after warming up; medians. Raises Disagreement, and ValueError for user's mistakes.

    FLOPs are counted by torch as a step of batch 1 runs; a larger batch takes as many times more.
    """
    with Worker(our_side, for_the_check(task), True) as worker:
        checked: Choices = worker.ask("chosen")
        losses = {"ours": worker.ask("losses", task.train.seed)}
        flops = worker.ask("flops") * task.train.batch
    settled = task.train.model_copy(update={"precision": checked.precision})
    task = task.model_copy(update={"train": settled})
    figures: dict[str, Any] = {}
    if against_plain:
        with Worker(plain_side, for_the_check(task), True) as worker:
            losses["plain"] = worker.ask("losses", task.train.seed)
        figures["largest_difference"] = check_agreement(losses["ours"], losses["plain"], checked.precision)
        losses["ours"] = {name: losses["ours"][name] for name in losses["plain"]}
    with Worker(Limits, checked.device) as worker:
        peak = worker.ask("matmul_flops_per_second", checked.precision)
        bandwidth = worker.ask("copied_bytes_per_second")

    timed = time_sides(task, steps, against_plain)
    seconds = timed["seconds"]["ours"]
    figures |= {
        "what": "train",
        **described(task, timed["choices"]),
        "steps": steps,
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


def time_sides(task: Task, steps: int, against_plain: bool, profiled_steps: int = PROFILED_STEPS) -> dict[str, Any]:
    """Median seconds of one step and peak memory of each side; then, of ours, where the time goes."""
    builders = {"ours": our_side} | ({"plain": plain_side} if against_plain else {})
    with ExitStack() as stack:
        workers = {name: stack.enter_context(Worker(build, task)) for name, build in builders.items()}
        for worker in workers.values():
            worker.ask("seconds", WARM_UP)
        seconds: dict[str, list[float]] = {name: [] for name in workers}
        for _ in range(steps):
            for name, worker in workers.items():
                seconds[name].append(worker.ask("seconds", 1))
        ours = workers["ours"]
        return {
            "seconds": {name: statistics.median(times) for name, times in seconds.items()},
            "memory": {name: worker.ask("peak_memory") for name, worker in workers.items()},
            "least_bytes": ours.ask("least_bytes"),
            "choices": ours.ask("chosen"),
            "where_time_goes": ours.ask("where_time_goes", profiled_steps) if profiled_steps else {},
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


def lines(figures: Mapping[str, Any]) -> list[str]:
    """The figures for people."""
    compiled = "compiled" if figures["compile"] else "eager"
    network = (
        f"{figures['generator']}, {figures['size']} px, batch {figures['batch']}, {figures['precision']}, {compiled}"
    )
    where = sorted(figures["where_time_goes"].items(), key=lambda pair: -pair[1])
    said = [
        f"{figures['machine']}, {figures['threads']} threads; {figures['software']}",
        f"{figures['task']}: {network}; n = {figures['steps']} steps, median",
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
            f"ratio {figures['ratio']:.2f}; losses of one pair differ by {figures['largest_difference']:.1e} at most",
        ]
    return said
