"""What the machine can do at best, measured: matrix products a second, bytes copied a second; and what a process took.

A training step's distance from these two limits is what the roofline model asks for (Williams et al. 2009).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import torch

Precision = Literal["fp32", "bf16"]
DTYPES: dict[Precision, torch.dtype] = {"fp32": torch.float32, "bf16": torch.bfloat16}
SIDES = {"cpu": 2048, "cuda": 8192, "mps": 4096}  # of the square matrices: large enough for the peak, in tenths of a s
COPIED_BYTES = 2**28  # far above every cache
SECONDS_A_MEASURE = 1.0


class Limits:
    """The two limits of a device, for a `Worker`."""

    def __init__(self, device: Literal["cpu", "cuda", "mps"]) -> None:
        self.device = device

    def matmul_flops_per_second(self, precision: Precision) -> float:
        """Floating-point operations a second of the best of several large square matrix products; a product of two
        (n, n) matrices counts 2 n^3."""
        n = SIDES[self.device]
        left, right = (torch.randn(n, n, device=self.device).to(DTYPES[precision]) for _ in range(2))
        return 2 * n**3 / self._best(lambda: torch.mm(left, right))

    def copied_bytes_per_second(self) -> float:
        """Bytes read plus bytes written a second, of the best of several copies of 256 MiB."""
        source = torch.ones(COPIED_BYTES // 4, device=self.device)
        target = torch.zeros_like(source)
        return 2 * COPIED_BYTES / self._best(lambda: target.copy_(source))

    def _best(self, run: Callable[[], Any]) -> float:
        wait = synchronizer(self.device)
        run()
        wait()
        ends, best = time.perf_counter() + SECONDS_A_MEASURE, float("inf")
        while True:
            started = time.perf_counter()
            run()
            wait()
            now = time.perf_counter()
            best = min(best, now - started)  # whatever else runs on the machine only ever adds time
            if now > ends:
                return best


def synchronizer(device: str) -> Callable[[], None]:
    """What waits until `device` has done all that it was asked to."""
    if device == "cuda":
        return torch.cuda.synchronize
    if device == "mps":
        return torch.mps.synchronize
    return lambda: None


def peak_memory_bytes(device: str) -> int:
    """The most memory that this process has held so far: on a GPU torch's tensors there, else the whole process."""
    if device == "cuda":
        return torch.cuda.max_memory_allocated()
    try:
        # Not getrusage's figure, which a spawned process inherits from its parent.
        lines = Path("/proc/self/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024
    except (OSError, StopIteration):
        pass
    try:
        import resource
    except ImportError:  # Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def available_memory_bytes() -> int | None:
    """What can still be taken without swapping; None where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("MemAvailable")).split()[1]) * 1024
    except (OSError, StopIteration):
        return None
