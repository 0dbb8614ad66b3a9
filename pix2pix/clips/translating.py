"""Clips through a model: frame by frame, with their times, their sound and their metadata."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from pix2pix.batch.pipeline import in_order, processors
from pix2pix.clips.reading import Clip, Frame, open_clip
from pix2pix.clips.smoothing import STRENGTH, ChromaSmoothing
from pix2pix.clips.writing import write_clip

if TYPE_CHECKING:
    from pix2pix.guidance import Guidance
    from pix2pix.translator import Translator

T = TypeVar("T")

AHEAD = 2  # frames that wait between two stages
MOST_WORKERS = 4
PIXELS_AT_WORK = 2**25  # of outputs in the workers; four frames of 3840x2160


@dataclass(frozen=True)
class VideoResult:
    """What was written."""

    path: Path
    frames: int
    size: tuple[int, int]  # width and height of the outputs
    notes: tuple[str, ...]  # what the new clip does not have of the old one, one line each


def translate_video(
    source: Path,
    out: Path,
    translator: Translator,
    smooth: float = STRENGTH,
    progress: Callable[[int, int | None], None] | None = None,
    guidance: Guidance | None = None,
) -> VideoResult:
    """Translate every frame of the clip `source` into the clip `out` (.mp4, .mov, .mkv, .webm; whole or not at all).

    Times are kept, sound and subtitles are copied as they are. `smooth`, from 0 to below 1, is how much of their chroma
    frames take over from the ones before, for models that predict chroma; others give every frame on its own.
    `progress` is told how many frames are written, and of how many in all, if that is known. `guidance` is for all
    frames.
    Reading, translating, smoothing and writing overlap, and no more than a few frames are in memory.

    Raises ValueError with one line for what is no clip, is damaged or ends too early, sound that the format of `out`
    cannot hold, an output that is no picture, a folder or disk that refuses, and where PyAV is missing.
    """
    smoothing = ChromaSmoothing(smooth)
    makes_chroma = translator.task.data.target == "lab_chroma" and smooth > 0
    with open_clip(source) as clip, write_clip(out, clip) as writer:
        finished = _translated(clip, translator, guidance)
        if makes_chroma:
            finished = ((frame, smoothing(frame.picture, output)) for frame, output in finished)
        number = 0
        with closing(prefetched(finished, AHEAD)) as frames:
            for number, (frame, output) in enumerate(frames, start=1):
                writer.write(frame, output)
                if progress is not None:
                    progress(number, max(number, clip.count) if clip.count else None)
    return VideoResult(out, number, writer.size, tuple(writer.notes))


@dataclass
class _Step:
    frame: Frame
    output: np.ndarray | None = None


def _translated(clip: Clip, translator: Translator, guidance: Guidance | None) -> Iterator[tuple[Frame, np.ndarray]]:
    """Each frame with its output, a few at a time."""

    def work(step: _Step) -> None:
        output = translator(step.frame.picture, None, guidance)
        if output.shape[2] not in (1, 3):
            raise ValueError(
                f"{clip.path}: outputs of {output.shape[2]} channels, expected pictures; no clip holds them"
            )
        step.output = output

    pixels = clip.stream.width * clip.stream.height * translator.task.data.scale**2
    workers = max(1, min(processors(), MOST_WORKERS, PIXELS_AT_WORK // pixels))
    with closing(prefetched((_Step(frame) for frame in clip.frames()), AHEAD)) as steps:
        for step, error in in_order(work, steps, workers):
            if error is not None:
                raise error
            assert step.output is not None
            yield step.frame, step.output


def prefetched(items: Iterable[T], ahead: int) -> Generator[T, None, None]:
    """The same items, made in a thread of their own, at most `ahead` of them waiting; what it raises comes out here.

    Closed early, it lets the thread end, and waits for it.
    """
    waiting: Queue[tuple[str, T | BaseException | None]] = Queue(ahead)
    leaving = threading.Event()

    def make() -> None:
        made = iter(items)
        try:
            for item in made:
                waiting.put(("item", item))
                if leaving.is_set():
                    break
            if isinstance(made, Generator):
                made.close()  # in the thread that ran it
            waiting.put(("end", None))
        except BaseException as error:
            waiting.put(("error", error))

    thread = threading.Thread(target=make, daemon=True)
    thread.start()
    try:
        while True:
            kind, item = waiting.get()
            if kind == "end":
                return
            if kind == "error":
                assert isinstance(item, BaseException)
                raise item
            yield item  # type: ignore[misc]
    finally:
        leaving.set()
        while thread.is_alive():
            try:
                waiting.get(timeout=0.05)
            except Empty:
                continue
