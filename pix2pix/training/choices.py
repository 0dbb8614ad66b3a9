"""What is chosen for a machine: device, precision, compilation. Chosen once, said, stored, and reused on resume."""

from __future__ import annotations

import math
import os
import platform
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch.nn.functional import conv2d

from pix2pix.command_line import machine
from pix2pix.schema import Run
from pix2pix.training import processes

MEASUREMENTS = 25


@dataclass(frozen=True)
class Choices:
    """Everything beside the configuration that the bits of a run depend on."""

    device: Literal["cpu", "cuda", "mps"]
    precision: Literal["fp32", "bf16"]
    compile: bool
    threads: int
    processes: int
    torch: str
    machine: str

    def sentence(self) -> str:
        compiled = "compiled" if self.compile else "eager"
        processes = f", {self.processes} processes" if self.processes > 1 else ""
        return f"{self.device} ({self.machine}), {self.precision}, {compiled}, {self.threads} threads{processes}"


def choose(settings: Run) -> Choices:
    """Settle what the configuration leaves to the machine. Raises ValueError for a device that is not there."""
    device = choose_device(settings.device)
    precision = settings.precision
    if precision == "auto":
        precision = "bf16" if bf16_speedup(device) > 1.3 else "fp32"
    return Choices(
        device=device,
        precision=precision,
        compile=settings.compile and has_compiler(device),
        threads=torch.get_num_threads(),
        processes=processes.count(),
        torch=str(torch.__version__),
        machine=machine() if device != "cuda" else torch.cuda.get_device_name(),
    )


def choose_device(asked: Literal["auto", "cpu", "cuda", "mps"]) -> Literal["cpu", "cuda", "mps"]:
    """The asked device, or the fastest there is. Raises ValueError when the asked one is not there."""
    there: dict[Literal["cpu", "cuda", "mps"], bool] = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if asked == "auto":
        return next(name for name, available in there.items() if available)
    if not there[asked]:
        available = ", ".join(name for name, yes in there.items() if yes)
        raise ValueError(f"--train.device {asked}: not available on this machine; expected one of: {available}")
    return asked


def has_compiler(device: str) -> bool:
    """Whether torch.compile can build code for `device` here."""
    if platform.system() == "Windows":
        return shutil.which("cl") is not None
    compilers = (os.environ.get("CXX", "g++"), "clang++") if device == "cpu" else ("gcc", "clang")
    return any(shutil.which(name) for name in compilers)


def bf16_speedup(device: str) -> float:
    """How many times faster a convolution runs in bf16 than in fp32 here, measured in about a third of a second.

    In turns, each at its best, on one thread: whatever else the machine does only ever adds time, and two threads would
    wait for each other.
    """
    if device == "mps":
        return 1.0
    synchronize: Callable[[], None] = torch.cuda.synchronize if device == "cuda" else lambda: None
    picture = torch.randn(4, 128, 32, 32, device=device).to(memory_format=torch.channels_last)
    weight = torch.randn(128, 128, 3, 3, device=device)
    operands = {dtype: (picture.to(dtype), weight.to(dtype)) for dtype in (torch.float32, torch.bfloat16)}
    best = dict.fromkeys(operands, math.inf)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for _ in range(MEASUREMENTS):
            for dtype, pair in operands.items():
                started = time.perf_counter()
                conv2d(*pair, padding=1)
                synchronize()
                best[dtype] = min(best[dtype], time.perf_counter() - started)
    finally:
        torch.set_num_threads(threads)
    return best[torch.float32] / best[torch.bfloat16]
