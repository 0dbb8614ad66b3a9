"""What a person says of a damaged picture: what happened to it, and which square of it a prior shall search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from PIL import Image

Degradation = Literal["inpaint", "denoise", "superres", "deblur", "jpeg", "salt_and_pepper", "gray"]

FLAGS: Mapping[Degradation, frozenset[str]] = MappingProxyType(
    {
        "inpaint": frozenset({"mask", "sigma"}),
        "denoise": frozenset({"sigma"}),
        "superres": frozenset({"factor", "sigma"}),
        "deblur": frozenset({"blur", "sigma"}),
        "jpeg": frozenset({"quality"}),
        "salt_and_pepper": frozenset(),
        "gray": frozenset({"sigma"}),
    }
)
"""What may be said of each kind of damage; of any other it would mean nothing."""

LUMINANCE = 3688  # sum of the 64 numbers of JPEG's table for luminance, ITU-T T.81, table K.1
FACTOR = 4


@dataclass(frozen=True)
class Fault:
    """What happened to a picture.

    `sigma` is its noise in levels of 255, None where it is to be estimated (denoise) or taken as none; `factor` by how
    much it is too small; `blur` the standard deviation of a Gaussian in pixels; `quality` that of its JPEG file.
    """

    degradation: Degradation
    sigma: float | None = None
    factor: int = FACTOR
    blur: float | None = None
    quality: int | None = None

    @property
    def scale(self) -> int:
        """How many times larger the restored picture is."""
        return self.factor if "factor" in FLAGS[self.degradation] else 1


@dataclass(frozen=True)
class Box:
    """A square of a picture: its first column and row, and its side."""

    left: int
    top: int
    side: int

    @property
    def rows(self) -> slice:
        return slice(self.top, self.top + self.side)

    @property
    def columns(self) -> slice:
        return slice(self.left, self.left + self.side)


def largest_square(height: int, width: int) -> Box:
    """In the middle, as the pictures are that a prior learns from."""
    side = min(height, width)
    return Box((width - side) // 2, (height - side) // 2, side)


def box_in(text: str) -> Box:
    """The box `X,Y,SIDE`. Raises ValueError for anything else."""
    try:
        left, top, side = (int(part) for part in text.split(","))
    except ValueError:
        raise ValueError(f"--box {text}: expected X,Y,SIDE, three whole numbers of pixels") from None
    if min(left, top) < 0 or side < 1:
        raise ValueError(f"--box {text}: expected X and Y from 0 on and a SIDE of at least 1")
    return Box(left, top, side)


def check_inside(box: Box, height: int, width: int) -> None:
    """Raises ValueError for a box that reaches out of a picture."""
    if box.left + box.side > width or box.top + box.side > height:
        raise ValueError(
            f"--box {box.left},{box.top},{box.side}: reaches beyond the picture of {width}x{height}; choose one inside"
        )


def saved_quality(path: Path) -> int:
    """The quality that a JPEG file was saved with, from 1 to 100, by the scale of the Independent JPEG Group.

    Within 2, but below 25, where steps are cut off at 255, up to 5 too high.
    Raises ValueError for a file of another format, which does not tell.
    """
    try:
        with Image.open(path) as image:
            table = (getattr(image, "quantization", None) or {}).get(0)
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error}") from None
    if table is None:
        raise ValueError(f"{path}: no JPEG file, so it does not tell its quality; give --quality Q, from 1 to 100")
    percent: float = 100 * sum(table) / LUMINANCE
    return max(1, min(100, round((200 - percent) / 2 if percent <= 100 else 5000 / percent)))
