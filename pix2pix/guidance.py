"""What a person asks of one picture beside its translation: of its colours, its lines, and how much is mended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from torch import Tensor

from pix2pix.colour_hints import follow_hints, saturate
from pix2pix.config import LINES, Task
from pix2pix.images import enlarge, to_gray, to_rgb
from pix2pix.lab import lightness


@dataclass(frozen=True)
class Guidance:
    """Of models that colour, `saturation` and `hints`; of models that mend, `strength`; of line drawings, `as_drawn`.

    `saturation` is as in `saturate`, `hints` as in `follow_hints`; `strength` goes from 0, the picture as it was, to 1;
    `as_drawn` leaves lines as they are rather than make them alike.
    """

    saturation: float = 1.0
    hints: np.ndarray | None = None
    strength: float = 1.0
    as_drawn: bool = False

    def check(self, task: Task) -> None:
        """Raises ValueError for what is asked and `task` cannot do, and for a strength out of range."""
        if (self.saturation != 1 or self.hints is not None) and not task.takes_colour:
            raise ValueError(f"saturation and hints are for models that colour; '{task.name}' does not, leave them out")
        if self.strength != 1 and not task.takes_strength:
            raise ValueError(f"strength is for models that mend whole pictures; '{task.name}' does not, leave it out")
        if self.as_drawn and not task.takes_lines:
            raise ValueError(f"as drawn is for models of line drawings; '{task.name}' takes none, leave it out")
        if not 0 <= self.strength <= 1:
            raise ValueError(f"strength: got {self.strength}, expected 0 (as it was) to 1 (as the model makes it)")

    def steps(self, late: Sequence[str]) -> Sequence[str]:
        """Of the normalise steps at the working size those that are wanted."""
        return tuple(step for step in late if step != LINES) if self.as_drawn else late

    def temper(self, output: np.ndarray, image: np.ndarray, scale: int) -> np.ndarray:
        """`output` (H * scale, W * scale, C), or by strength a mean of it and the picture (H, W, C) it is made from."""
        if self.strength == 1:
            return output
        before = enlarge(to_gray(image) if output.shape[2] == 1 else image, scale)
        mixed = cv2.addWeighted(before, 1 - self.strength, output, self.strength, 0)
        return np.asarray(mixed, output.dtype).reshape(output.shape)

    def colour(self, chroma: Tensor, image: np.ndarray) -> Tensor:
        """Predicted chroma (2, h, w), changed as asked, for the picture (h, w, C). Raises ValueError for bad input."""
        if self.saturation != 1:
            chroma = saturate(chroma, self.saturation)
        if self.hints is not None:
            chroma = follow_hints(chroma, lightness(image if image.shape[2] == 1 else to_rgb(image)), self.hints)
        return chroma
