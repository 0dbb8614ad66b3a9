"""Watches a search for a visitor: tells a few times a second how far it is, ends it in time or when nobody waits."""

from __future__ import annotations

import io
import os
import time
from pathlib import Path

from pix2pix.images import to_pil
from pix2pix.restoration.pipeline import Look
from pix2pix.ui.restoring.asking import Asked
from pix2pix.ui.restoring.previewing import Preview
from pix2pix.ui.restoring.progress import Going, Progress

EVERY = 0.3  # seconds from one preview to the next
SURE = 1.0  # seconds, before which nobody can tell how long it takes
QUALITY = 90


class Watch:
    """What the search for picture `number` calls. Its time is limited, for each part alike, as the command's.

    Meanwhile `folder`, where the pictures will be, counts as used, and is kept.
    """

    def __init__(self, asked: Asked, number: int, preview: Preview, progress: Progress, folder: Path) -> None:
        self._asked, self._number, self._preview, self._progress = asked, number, preview, progress
        self._folder = folder
        self._started = time.perf_counter()
        self._told = -EVERY
        self.is_stopped = False

    @property
    def seconds(self) -> float:
        """Since the search began."""
        return time.perf_counter() - self._started

    def __call__(self, look: Look) -> bool:
        """Whether the search is to go on."""
        seconds = self.seconds
        if seconds - self._told >= EVERY or look.step == look.steps:
            self._progress.tell(self._going(look, seconds))
            self._told = self.seconds
            os.utime(self._folder)
        self.is_stopped = self.is_stopped or self._progress.stop.is_set()
        return not self.is_stopped and seconds < self._asked.seconds * (look.part + 1) / look.parts

    def _going(self, look: Look, seconds: float) -> Going:
        step, steps = look.part * look.steps + look.step, look.parts * look.steps
        left = None
        if step and seconds > SURE:
            whole = min(seconds / step * steps, self._asked.seconds)
            left = max(0.0, whole - seconds) + whole * (self._asked.completions - self._number)
        file = io.BytesIO()
        to_pil(self._preview.of(look)).save(file, "JPEG", quality=QUALITY)
        return Going(step, steps, self._number, self._asked.completions, seconds, left, look.misfit, file.getvalue())
