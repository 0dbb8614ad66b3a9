"""The run folder: what a training leaves, each file under the name that users know."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from pix2pix.checkpoint import STATE_FILE, write_atomically
from pix2pix.images import write_image
from pix2pix.schema import C, Configuration, dump, read_yaml, validate_as


class Board:
    """What TensorBoard shows of a run: `tensorboard --logdir RUN`."""

    def __init__(self, folder: Path) -> None:
        from torch.utils.tensorboard import SummaryWriter  # takes a second to import

        self._writer: Any = SummaryWriter(str(folder), flush_secs=30)

    def scalars(self, images: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, images)

    def picture(self, images: int, grid: np.ndarray) -> None:
        self._writer.add_image("samples", grid, images, dataformats="HWC")

    def close(self) -> None:
        self._writer.close()


@dataclass(frozen=True)
class RunFolder:
    """One training run on disk."""

    path: Path

    @property
    def config(self) -> Path:
        return self.path / "config.yaml"

    @property
    def log(self) -> Path:
        return self.path / "log.jsonl"

    @property
    def state(self) -> Path:
        return self.path / STATE_FILE

    @property
    def model(self) -> Path:
        return self.path / "model.safetensors"

    @property
    def best(self) -> Path:
        return self.path / "best.safetensors"

    @property
    def summary(self) -> Path:
        return self.path / "summary.json"

    @property
    def report(self) -> Path:
        return self.path / "report.html"

    @property
    def samples(self) -> Path:
        return self.path / "samples"

    @cached_property
    def board(self) -> Board:
        """TensorBoard's event file, opened on first use."""
        return Board(self.path / "tensorboard")

    def create(self, configuration: Configuration) -> None:
        """Make the folder and write the configuration. Raises ValueError when it cannot be, or holds something else."""
        foreign = self.path.is_dir() and not self.config.exists() and any(self.path.iterdir())
        if foreign:
            raise ValueError(f"{self.path}: holds files that are no run; give --out a new or empty folder")
        try:
            self.samples.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ValueError(f"{self.path}: cannot be written: {error.strerror}; give another --out") from None
        text = dump(configuration)
        write_atomically(self.config, lambda temporary: _write_text(temporary, text))

    def close(self) -> None:
        """Write out what TensorBoard's event file still keeps in memory."""
        if "board" in self.__dict__:
            self.board.close()

    def is_complete(self) -> bool:
        """Whether model and report were written after the last state, as they are unless a kill came between."""
        written = [path.stat().st_mtime_ns if path.exists() else -1 for path in (self.state, self.model, self.report)]
        return written == sorted(written)

    def stored(self, model: type[C]) -> C:
        """The configuration the run was started with. Raises ValueError when it is of another kind."""
        return validate_as(model, read_yaml(self.config), str(self.config))

    def rewind(self, images: int) -> None:
        """Forget log lines after `images`: a resumed run writes them again."""
        if not self.log.exists():
            return
        kept = [line for line in self.log.read_text(encoding="utf-8").splitlines() if _seen(line) <= images]
        text = "".join(line + "\n" for line in kept)
        write_atomically(self.log, lambda temporary: _write_text(temporary, text))

    def append(self, record: Mapping[str, float | int | str]) -> None:
        """Add one line to `log.jsonl`."""
        with self.log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")

    def evaluations(self) -> list[dict[str, float]]:
        """The log's lines that carry scores on `dev`, in order."""
        if not self.log.exists():
            return []
        lines = self.log.read_text(encoding="utf-8").splitlines()
        records = [json.loads(line) for line in lines if math.isfinite(_seen(line)) and _seen(line) >= 0]
        return [record for record in records if "dev_distance" in record]

    def history(self) -> list[dict[str, float]]:
        """Of every evaluation what a released model keeps."""
        keep = ("images", "dev_l1", "dev_distance", "kid_x1000", "fid")
        return [{key: float(record[key]) for key in keep if key in record} for record in self.evaluations()]

    def write_sample(self, images: int, grid: np.ndarray) -> Path:
        """Save a sample grid, named by the images seen so that a file list is in order of time."""
        path = self.samples / f"{images:07d}.jpg"
        write_image(path, grid)
        return path


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _seen(line: str) -> float:
    try:
        return float(json.loads(line)["images"])
    except (ValueError, KeyError, TypeError):
        return float("inf") if line.strip() else -1  # a line cut off by a kill is forgotten with the ones after it


def default_folder(name: str) -> Path:
    """`runs/<name>/<time>` under the current folder, free."""
    base = Path("runs") / name / datetime.now().strftime("%Y-%m-%d-%H%M%S")
    return base if not base.exists() else base.with_name(f"{base.name}-{os.getpid()}")
