"""Small trainings for tests: the real command in processes of its own, and what it leaves behind."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from pix2pix.checkpoint import load_model

REPOSITORY = Path(__file__).parent.parent
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(REPOSITORY)}

NETWORKS = [
    *("--model.generator", "compact_unet", "--model.width", "8"),
    *("--model.discriminator-width", "8", "--model.receptive-field", "16"),
]
SMALL = [*("--task", "facades", "--size", "64", "--batch", "2", "--train.precision", "fp32"), *NETWORKS]
DRAWN = [*SMALL, "--data", "embedded", "--train.sample-every", "2"]


def start(
    arguments: Sequence[str | Path],
    cwd: Path,
    launcher: Sequence[str] = ("-m",),
    largest_file: int = resource.RLIM_INFINITY,
    module: str = "pix2pix.train",
) -> subprocess.Popen[str]:
    """`python -m MODULE ARGUMENTS`, running; files over `largest_file` bytes fail as on a full disk."""
    return subprocess.Popen(
        [sys.executable, *launcher, module, *map(str, arguments)],
        cwd=cwd,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file)),
    )


def finish(process: subprocess.Popen[str], seconds: float = 300) -> tuple[int, str]:
    """Exit status and standard error of a process; killed when it takes longer."""
    try:
        _, error = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    assert "Traceback" not in error, error
    return process.returncode, error


def train(arguments: Sequence[str | Path], cwd: Path) -> tuple[int, str]:
    return finish(start(arguments, cwd))


def wait_for(path: Path, process: subprocess.Popen[str], newer_than: int = 0, seconds: float = 180) -> None:
    """Until `path` was written after the time `newer_than` (ns), or the process has ended."""
    limit = time.monotonic() + seconds
    while process.poll() is None and not (path.exists() and path.stat().st_mtime_ns > newer_than):
        assert time.monotonic() < limit, f"{path} did not come"
        time.sleep(0.005)


def read_log(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def read_state(run: Path) -> dict[str, Any]:
    state: dict[str, Any] = torch.load(run / "state.pt", weights_only=True)
    return state


def assert_same_tensors(one: Any, other: Any, where: str = "") -> int:
    """Equal bit for bit, however deep; returns how many tensors there were."""
    assert type(one) is type(other), where
    if isinstance(one, torch.Tensor):
        assert one.dtype == other.dtype, where
        assert torch.equal(one, other), where
        return 1
    if isinstance(one, dict):
        assert one.keys() == other.keys(), where
        return sum(assert_same_tensors(one[key], other[key], f"{where}/{key}") for key in one)
    if isinstance(one, list | tuple):
        assert len(one) == len(other), where
        return sum(assert_same_tensors(a, b, f"{where}/{i}") for i, (a, b) in enumerate(zip(one, other, strict=True)))
    assert one == other, where
    return 0


def assert_same_run(one: Path, other: Path) -> None:
    """The same weights, optimiser states, released and best model, bit for bit, and the same course in the log."""
    first, second = read_state(one), read_state(other)
    for part in ("networks", "optimizers", "seen"):
        tensors = assert_same_tensors(first[part], second[part], part)
        assert tensors > 20 or part == "seen"
    for name in ("model.safetensors", "best.safetensors"):
        models = [load_model(run / name) for run in (one, other)]
        assert_same_tensors(models[0].weights, models[1].weights, name)
        assert models[0].facts == models[1].facts, name
    courses = [
        [
            {key: value for key, value in line.items() if "second" not in key}
            for line in read_log(run)
            if "dev_distance" in line
        ]
        for run in (one, other)
    ]
    assert courses[0] == courses[1]


def write_pairs(folder: Path, count: int, side: int = 80, seed: int = 0) -> Path:
    """Side-by-side pictures of noise in `folder`/train."""
    rng = np.random.default_rng(seed)
    (folder / "train").mkdir(parents=True, exist_ok=True)
    for number in range(count):
        pixels = rng.integers(0, 256, (side, 2 * side, 3), np.uint8)
        Image.fromarray(pixels).save(folder / "train" / f"{number}.png")
    return folder
