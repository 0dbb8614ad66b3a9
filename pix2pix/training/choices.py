"""What is chosen for a machine: device, precision, compilation. Chosen once, said, stored, and reused on resume."""

from __future__ import annotations

import os
import platform
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import torch
from torch.nn.functional import conv2d

from pix2pix.command_line import machine
from pix2pix.config import Train
from pix2pix.training import processes


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


def choose(settings: Train) -> Choices:
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
    """How many times faster a convolution runs in bf16 than in fp32 here, measured in about a tenth of a second."""
    if device == "mps":
        return 1.0
    dtypes = (torch.float32, torch.bfloat16)
    operands = {
        dtype: (
            torch.randn(4, 128, 32, 32, dtype=dtype, device=device),
            torch.randn(128, 128, 3, 3, dtype=dtype, device=device),
        )
        for dtype in dtypes
    }
    pictures = {dtype: pair[0].contiguous(memory_format=torch.channels_last) for dtype, pair in operands.items()}
    seconds = {
        dtype: _best_seconds(partial(conv2d, pictures[dtype], operands[dtype][1], padding=1)) for dtype in dtypes
    }
    return seconds[torch.float32] / seconds[torch.bfloat16]


def _best_seconds(run: Callable[[], Any], repeats: int = 15) -> float:
    synchronize: Callable[[], None] = torch.cuda.synchronize if torch.cuda.is_available() else lambda: None
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        run()
        synchronize()
        times.append(time.perf_counter() - started)
    return min(times)  # whatever else runs on the machine only ever adds time
