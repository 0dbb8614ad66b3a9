"""How the picture would look as a search goes: what it shows now, laid over the damaged one; quick and small."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pix2pix.images import fill_smoothly, to_rgb8
from pix2pix.restoration.diagnosing import Damaged
from pix2pix.restoration.observing import as_levels
from pix2pix.restoration.pasting import resized, rounded
from pix2pix.restoration.pipeline import Look

SIDE = 512  # of a preview, at most
EIGHT = np.dtype(np.uint8)


class Preview:
    """The pictures of one search, whose parts lie at `places`, rows and columns of the damaged picture."""

    def __init__(self, damage: Damaged, places: Sequence[tuple[slice, slice]]) -> None:
        height, width = (side * damage.fault.scale for side in damage.colours.shape[:2])
        share = min(1.0, SIDE / max(height, width))
        self._share = share * damage.fault.scale
        height, width = max(1, round(height * share)), max(1, round(width * share))
        colours = to_rgb8(damage.colours).astype(np.float32)
        self._holes = None
        if damage.holes is not None:
            colours = fill_smoothly(colours, ~damage.holes)
            self._holes = resized(damage.holes[:, :, None].astype(np.float32), height, width).clip(0, 1)
        self._shown = resized(colours, height, width)
        self._places = [(self._at(rows, height), self._at(columns, width)) for rows, columns in places]

    def of(self, look: Look) -> np.ndarray:
        """(h, w, 3) uint8, no larger than `SIDE`; what earlier parts have found stays."""
        place = self._places[look.part]
        part = self._shown[place]
        made = resized(as_levels(look.picture, EIGHT), *part.shape[:2])
        if self._holes is None:
            part[...] = made
        else:
            part += self._holes[place] * (made - part)
        return rounded(self._shown, EIGHT)

    def _at(self, span: slice, side: int) -> slice:
        first = min(round(span.start * self._share), side - 1)
        return slice(first, max(first + 1, min(side, round(span.stop * self._share))))
