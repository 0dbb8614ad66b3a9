"""Images a second that reading, augmentation and batching deliver, with nothing else running beside them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from pix2pix import __version__
from pix2pix.command_line import machine
from pix2pix.config import Task
from pix2pix.data.drawn_pairs import EmbeddedPairs
from pix2pix.data.pairs import PairSource, open_pairs
from pix2pix.data.stream import TrainingStream, batches
from pix2pix.representations import representations
from pix2pix.timing.machine import peak_memory_bytes
from pix2pix.timing.worker import ANSWER_SECONDS, Worker

SECONDS_AN_IMAGE = 5  # after which it is not slow, but stuck


class Delivery:
    """The training stream of a task, opened; to be built in a fresh process, as it measures the opening too."""

    def __init__(self, task: Task, embedded_pairs: int | None = None) -> None:
        """`embedded_pairs`: that many drawn ones, in place of the task's own. Raises as `open_pairs` does."""
        started = time.perf_counter()
        self.task = task
        self.pairs: PairSource = (
            open_pairs(task, "train", lambda line: None)
            if embedded_pairs is None
            else EmbeddedPairs(task.data, "train", embedded_pairs)
        )
        source, target = representations(task.data)
        self.stream = TrainingStream(self.pairs, task.data, source, target, task.train.seed)
        self.pass_over(task.train.batch)
        self.start_seconds = time.perf_counter() - started

    def pass_over(self, images: int) -> float:
        """Seconds until the first `images` examples of the stream have come, in batches."""
        started = time.perf_counter()
        for _ in batches(self.stream, 0, images, self.task.train.batch):
            pass
        return time.perf_counter() - started

    def opened(self) -> dict[str, Any]:
        """What was opened, the seconds until its first batch, and the most memory of this process so far."""
        return {
            "data": self.pairs.description,
            "pairs": len(self.pairs),
            "start_seconds": self.start_seconds,
            "peak_memory_bytes": peak_memory_bytes("cpu"),
        }


def measure(task: Task, images: int) -> dict[str, Any]:
    """Images a second with nothing kept in memory, so that each is decoded or drawn, and with all of them kept.

    Each over at most one epoch. The operating system may hold the files themselves in either case.
    """
    cold_data = task.data.model_copy(update={"cache_gib": 0.0})
    with Worker(Delivery, task.model_copy(update={"data": cold_data}), name="the data") as worker:
        images = min(images, worker.ask("opened")["pairs"])
        patience = ANSWER_SECONDS + SECONDS_AN_IMAGE * images
        cold = images / worker.ask("pass_over", images, patience=patience)
    with Worker(Delivery, task, name="the data") as worker:
        opened = worker.ask("opened")
        worker.ask("pass_over", images, patience=patience)
        warm = images / worker.ask("pass_over", images, patience=patience)
        memory = worker.ask("opened")["peak_memory_bytes"]
    return {
        "what": "data",
        "task": task.name,
        "size": task.data.size,
        "batch": task.train.batch,
        "seed": task.train.seed,
        "images": images,
        **opened,
        "cold_images_per_second": cold,
        "images_per_second": warm,
        "peak_memory_bytes": memory,
        "machine": machine(),
        "software": f"pix2pix {__version__}",
    }


def lines(figures: Mapping[str, Any]) -> list[str]:
    """The figures for people."""
    return [
        f"{figures['machine']}; {figures['software']}",
        f"{figures['data']}; {figures['size']} px, batch {figures['batch']}; n = {figures['images']} images",
        f"first batch: {figures['start_seconds']:.2f} s, peak memory {figures['peak_memory_bytes'] / 2**30:.2f} GiB",
        f"cold (every pair decoded or drawn): {figures['cold_images_per_second']:.1f} images/s",
        f"warm (pairs kept in memory): {figures['images_per_second']:.1f} images/s",
    ]
