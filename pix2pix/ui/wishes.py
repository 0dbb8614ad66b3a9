"""What a visitor asks for beside the picture, and what comes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pix2pix.ui.offers import Offer

MOST_SATURATION = 3.0
MOST_GROWTH = 100
MOST_SAMPLES = 8
SEEDS = 2**63


@dataclass(frozen=True)
class Wish:
    """What a visitor asks for beside the picture; each default means that it is not asked for."""

    saturation: float = 1.0  # 0 to 3
    strength: float = 1.0  # 0 to 1
    hints: Path | None = None  # strokes of colour on transparency, any size of the picture's shape
    as_drawn: bool = False  # lines as they are, rather than made alike
    mask: Path | None = None  # of the picture's size: white, or opaque where it has transparency, is filled
    grow: int = 0  # pixels by which the mask grows first, 0 to 100
    samples: int = 1  # 1 to 8
    seed: int = 0  # of the samples; a single one with seed 0 is what the model gives without chance

    @property
    def drawn(self) -> int | None:
        """How many outputs are drawn by chance; None for the one that needs none."""
        return None if self.samples == 1 and self.seed == 0 else self.samples

    def check(self, offer: Offer) -> None:
        """Raises ValueError with one line for a number out of range, and for what the task of `offer` cannot do."""
        if not 0 <= self.saturation <= MOST_SATURATION:
            raise ValueError(f"saturation: got {self.saturation}, expected 0 (grey) to {MOST_SATURATION:g}")
        if not 0 <= self.strength <= 1:
            raise ValueError(f"strength: got {self.strength}, expected 0 (as it was) to 1")
        if not 0 <= self.grow <= MOST_GROWTH:
            raise ValueError(f"grow: got {self.grow}, expected 0 to {MOST_GROWTH} pixels")
        if not 1 <= self.samples <= MOST_SAMPLES:
            raise ValueError(f"samples: got {self.samples}, expected 1 to {MOST_SAMPLES}")
        if not 0 <= self.seed < SEEDS:
            raise ValueError(f"seed: got {self.seed}, expected a number from 0 to 2**63 - 1")
        for name, takes in TAKES.items():
            if getattr(self, name) != getattr(type(self), name) and not takes(offer):
                raise ValueError(f"{name}: means nothing to '{offer.name}', leave it out")


TAKES: dict[str, Callable[[Offer], bool]] = {
    "saturation": lambda offer: offer.task.takes_colour,
    "hints": lambda offer: offer.task.takes_colour,
    "strength": lambda offer: offer.task.takes_strength,
    "as_drawn": lambda offer: offer.task.takes_lines,
    "mask": lambda offer: offer.kind == "mask",
    "grow": lambda offer: offer.kind == "mask",
    "samples": lambda offer: offer.task.model.is_stochastic,
    "seed": lambda offer: offer.task.model.is_stochastic,
}
"""Whether each field of a wish means something for a task."""


def taken(offer: Offer) -> list[str]:
    """The fields of a wish that mean something for a task."""
    return [name for name, takes in TAKES.items() if takes(offer)]


@dataclass(frozen=True)
class Result:
    """The files to download, one a sample, and pictures of 8 bits and at most 1,600 pixels a side to look at."""

    outputs: tuple[Path, ...]  # name, format, depth and metadata as `pix2pix translate` writes them
    before: Path  # the input, of the output's shape
    after: tuple[Path, ...]  # each output, of the size of `before`
    spread: Path | None  # where samples differ, of two or more
    spread_levels: float  # of 255, which the brightest colour of `spread` means; 0 without it
    width: int  # of the outputs
    height: int
    seconds: float


@dataclass(frozen=True)
class Archive:
    """A zip file of outputs and of `report.json`; how many pictures were done, and a line for each that was not."""

    path: Path
    done: int
    failed: tuple[str, ...]
