"""Milliseconds a picture of each backend, beside the generator as it is: eager, fp32, NCHW, one after another."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from pix2pix import __version__
from pix2pix.backend_choice import FEWER_BITS, UncalibratedName
from pix2pix.backends import available_backends, build_backend
from pix2pix.batch.lanes import settle
from pix2pix.checkpoint import load_model, load_weights
from pix2pix.command_line import machine
from pix2pix.config import Task, validate
from pix2pix.representations import representations
from pix2pix.schema import merge, nearest
from pix2pix.timing.agreement import check_output
from pix2pix.timing.machine import Limits, peak_memory_bytes, synchronizer
from pix2pix.timing.pictures import example_batch
from pix2pix.timing.plain import with_usual_layers
from pix2pix.timing.worker import Worker
from pix2pix.training.choices import choose_device
from pix2pix.translator import build_model_generator

PLAIN = "plain"
PICTURES, FEWEST = 32, 8  # different ones, which wait together to be translated; fewer above 256 px, for memory
CALIBRATION_PICTURES = 12
WARM_UP = 2


@dataclass
class Way:
    """One way to translate pictures (N, C, S, S), and those that it is given."""

    run: Callable[[Tensor], Tensor]
    pictures: Tensor
    device: str

    def seconds(self) -> tuple[float, float]:
        """Seconds that each of many waiting pictures takes, and one that comes alone."""
        together, alone = self._seconds(self.pictures), self._seconds(self.pictures[:1])
        return together / len(self.pictures), alone

    def _seconds(self, pictures: Tensor) -> float:
        wait = synchronizer(self.device)
        settle()
        started = time.perf_counter()
        self.run(pictures)
        wait()
        return time.perf_counter() - started

    def outputs(self) -> np.ndarray:
        """All outputs (N, C', S, S) in [-1, 1]."""
        return self.run(self.pictures).cpu().numpy()

    def peak_memory(self) -> int:
        """The most bytes that this process has held so far."""
        return peak_memory_bytes(self.device)


def build_way(name: str, task: Task, model: Path | None, size: int) -> Way:
    """A backend by name, or the plain way, for the generator of `model`, or of `task` with fresh weights."""
    generator = build_model_generator(task, torch.Generator().manual_seed(task.train.seed))
    if model is not None:
        load_weights(generator, load_model(model))
    if size % generator.multiple:  # type: ignore[operator]
        raise ValueError(f"--size: got {size}, expected a multiple of {generator.multiple} for this generator")
    device = choose_device(task.train.device)
    generator = generator.to(device).eval().requires_grad_(False)
    data = task.data.model_copy(update={"size": size, "load_size": size})
    pictures = example_batch(task.model_copy(update={"data": data}), waiting(size)).source.to(device)
    if name == PLAIN:
        return Way(plainly(with_usual_layers(generator)), pictures.contiguous(), device)
    pictures = pictures.contiguous(memory_format=torch.channels_last)  # as the translator encodes them
    calibration = list(torch.split(pictures[:CALIBRATION_PICTURES], 1))
    return Way(build_backend(name, generator, pictures[:1], calibration), pictures, device)  # type: ignore[arg-type]


def waiting(size: int) -> int:
    """How many pictures of a size wait together: as many as a folder has, but for what memory they take."""
    return min(PICTURES, max(FEWEST, PICTURES * 256**2 // size**2))


def plainly(network: nn.Module) -> Callable[[Tensor], Tensor]:
    """The usual way to call a generator: one picture after another."""

    def run(pictures: Tensor) -> Tensor:
        with torch.no_grad():
            return torch.cat([network(picture) for picture in torch.split(pictures, 1)])

    return run


def chosen_backends(asked: str | None, device: str) -> list[str]:
    """The available backends, or the asked one. Raises ValueError where it is not to be had here."""
    names: list[str] = list(available_backends(device))
    if asked is None:
        return names
    if asked not in names:
        raise ValueError(f"--backend '{asked}': not available here; {nearest(asked, names)}")
    return [asked]


def measure(
    task: Task, model: Path | None, size: int, backends: Sequence[str], steps: int, against_plain: bool
) -> dict[str, Any]:
    """Time pictures of `size` through each backend, each in its own process, in turns; medians of `steps`.

    What stands beside the rows is of the fastest backend that keeps to the generator's numbers, so not of 8-bit ones.
    Raises Disagreement where a backend beside the plain way computes another function, and ValueError for mistakes.
    """
    if model is not None:
        trained = load_model(model).task
        task = validate(merge(trained.model_dump(), {"train": {"device": task.train.device}}), str(model))
    elif size < task.data.size:  # the levels of a generator follow from its training size
        task = validate(merge(task.model_dump(), {"data": {"size": size}}), "--size")
    names = [*([PLAIN] if against_plain else []), *backends]
    with ExitStack() as stack:
        ways = {name: stack.enter_context(_worker(name, task, model, size)) for name in names}
        seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
        for turn in range(WARM_UP + steps):
            for name, way in ways.items():
                spent = way.ask("seconds")
                if turn >= WARM_UP:
                    seconds[name].append(spent)
        memory = {name: way.ask("peak_memory") for name, way in ways.items()}
        outputs = {name: way.ask("outputs") for name, way in ways.items()} if against_plain else {}

    rows = {name: row(times, memory[name]) for name, times in seconds.items()}
    for name in backends if against_plain else ():
        levels = np.abs(outputs[name] - outputs[PLAIN]) * 127.5
        rows[name] |= {
            "ratio": rows[PLAIN]["milliseconds"] / rows[name]["milliseconds"],
            "mean_difference": float(levels.mean()),
            "largest_difference": float(levels.max()),
        }
        check_output(name, rows[name]["mean_difference"])
    accurate = [name for name in rows if name in get_args(UncalibratedName)] or backends
    fastest = min(accurate, key=lambda name: rows[name]["milliseconds"])
    flops = flops_a_picture(task, size)
    device = choose_device(task.train.device)
    with Worker(Limits, device, name="the machine's limits") as limits:
        peak = limits.ask("matmul_flops_per_second", "bf16" if fastest in FEWER_BITS else "fp32")
    return {
        "what": "translate",
        "fastest": fastest,
        "images_per_second": rows[fastest]["pictures_per_second"],
        "plain_images_per_second": rows[PLAIN]["pictures_per_second"] if against_plain else None,
        "ratio": rows[fastest].get("ratio"),
        "flops_a_picture": flops,
        "peak_flops_per_second": peak,
        "peak_share": flops * rows[fastest]["pictures_per_second"] / peak,
        "peak_memory_bytes": rows[fastest]["peak_memory_bytes"],
        "model": model.stem if model is not None else None,
        "generator": task.model.generator,
        "size": size,
        "waiting": waiting(size),
        "steps": steps,
        "seed": task.train.seed,
        "threads": torch.get_num_threads(),
        "machine": machine(),
        "software": f"pix2pix {__version__}, torch {torch.__version__}",
        "backends": rows,
    }


def flops_a_picture(task: Task, size: int) -> int:
    """Floating-point operations of the generator for one picture, in convolutions and products, as torch counts."""
    generator = build_model_generator(task, torch.Generator().manual_seed(0)).eval()
    picture = torch.zeros(1, representations(task.data)[0].channels, size, size)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        with_usual_layers(generator)(picture)
    return int(counter.get_total_flops())


def _worker(name: str, task: Task, model: Path | None, size: int) -> Worker:
    return Worker(build_way, name, task, model, size, name=f"backend '{name}'")


def row(seconds: Sequence[tuple[float, float]], memory: int) -> dict[str, float]:
    """The figures of one way by itself: medians of the time of one of many, and of one alone."""
    of_many, alone = (statistics.median(times) for times in zip(*seconds, strict=True))
    return {
        "milliseconds": of_many * 1e3,
        "pictures_per_second": 1 / of_many,
        "milliseconds_alone": alone * 1e3,
        "peak_memory_bytes": memory,
    }


def lines(figures: Mapping[str, Any]) -> list[str]:
    """The figures for people."""
    whose = f"model {figures['model']}" if figures["model"] else f"{figures['generator']}, fresh weights"
    said = [
        f"{figures['machine']}, {figures['threads']} threads; {figures['software']}",
        f"{whose}; {figures['size']} px, {figures.get('waiting', FEWEST)} pictures waiting; "
        f"n = {figures['steps']} times, median",
    ]
    for name, each in figures["backends"].items():
        line = f"{name:16} {each['milliseconds']:7.1f} ms a picture, {each['milliseconds_alone']:7.1f} ms alone, "
        line += f"{each['pictures_per_second']:7.2f} pictures/s, {each['peak_memory_bytes'] / 2**30:.2f} GiB"
        if "ratio" in each:
            line += f", ratio {each['ratio']:.2f}; differs by {each['mean_difference']:.3f} levels of 255 on average, "
            line += f"{each['largest_difference']:.1f} at most"
        said.append(line)
    if "fastest" in figures:  # stored figures may be older
        reached, peak = figures["images_per_second"] * figures["flops_a_picture"], figures["peak_flops_per_second"]
        said.append(
            f"fastest: {figures['fastest']}, {reached / 1e12:.3f} TFLOP/s, {figures['peak_share']:.0%} of the "
            f"machine's {peak / 1e12:.3f} in a large matrix product"
        )
    return said
