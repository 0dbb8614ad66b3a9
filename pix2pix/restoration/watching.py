"""Shows a search as it goes, with the time left and previews, and ends it when its time is up or somebody says so."""

from __future__ import annotations

import time
from pathlib import Path
from types import TracebackType

import numpy as np
from tqdm import tqdm

from pix2pix.images import write_image
from pix2pix.restoration.observing import as_levels
from pix2pix.restoration.pasting import rounded
from pix2pix.restoration.pipeline import Look
from pix2pix.restoration.searching import Ending
from pix2pix.signals import StopRequest

PREVIEW_SECONDS = 2.0


class Watching:
    """What a search calls; while entered, a progress bar on a terminal.

    `seconds` is how long the search may take, all tiles alike; `previews` the folder for pictures of it, NAME-STEP.png.
    """

    def __init__(self, name: str, seconds: float | None, previews: Path | None, stop: StopRequest) -> None:
        self._name, self._seconds, self._previews, self._stop = name, seconds, previews, stop
        self._started = self._shown = time.perf_counter()
        self._bar = tqdm(desc=name, unit="step", disable=None, leave=False)

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._started

    def __call__(self, look: Look) -> bool:
        steps = look.part * look.steps + look.step
        self._bar.total = look.parts * look.steps
        self._bar.update(steps - self._bar.n)
        now = time.perf_counter()
        if self._previews is not None and (now - self._shown > PREVIEW_SECONDS or look.step == look.steps):
            self._shown = now
            picture = rounded(as_levels(look.picture, np.dtype(np.uint8)), np.dtype(np.uint8))
            write_image(self._previews / f"{self._name}-{steps:05d}.png", picture)
        allowed = None if self._seconds is None else self._seconds * (look.part + 1) / look.parts
        return self._stop.signal is None and (allowed is None or now - self._started < allowed)

    def in_words(self, ending: Ending) -> str:
        """Why a search ended."""
        return words_of(ending, self._stop.signal is not None)

    def __enter__(self) -> Watching:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()


def words_of(ending: Ending, is_stopped: bool) -> str:
    """Why a search ended; `is_stopped` by somebody, if it was not by the time."""
    if ending == "watch":
        return "stopped" if is_stopped else "time is up"
    return {"steps": "all steps done", "discrepancy": "only noise is left", "variance": "noise sets in"}[ending]
