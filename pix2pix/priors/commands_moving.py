"""Frames of a walk as a file that moves: a GIF, or a clip."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pix2pix.clips.writing import FORMATS
from pix2pix.priors.gifs import LEAST_SIDE, MILLISECONDS, write_gif

SUFFIXES = (".gif", *FORMATS)
CENTISECONDS = MILLISECONDS // 10  # of a frame, the unit of a GIF's clock


def check_moving(out: Path) -> None:
    """Raises ValueError where no moving file could be written to `out`, or a package for it is missing."""
    from pix2pix.batch.files import check_writable
    from pix2pix.clips.reading import packages

    if out.suffix.lower() in FORMATS:
        packages()
    if out.is_dir():
        raise ValueError(f"{out}: a folder, expected a file to write")
    check_writable(out.parent)


def write_moving(out: Path, frames: NDArray[np.uint8]) -> None:
    """Write frames (N, S, S, 3), N of at least 2, as the suffix of `out` says: 25 a second, at least 256 pixels a side.

    Clips have half as many colours as pixels, which small frames would show. A GIF plays over and over.
    Raises ValueError for a full disk.
    """
    from pix2pix.checkpoint import write_atomically

    if out.suffix.lower() == ".gif":
        write_atomically(out, lambda temporary: write_gif(temporary, frames))
    else:
        _write_clip(out, frames)


def _enlarged(frames: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    from pix2pix.images import enlarge

    scale = math.ceil(LEAST_SIDE / frames.shape[1])
    return (enlarge(frame, scale) for frame in frames)


def _write_clip(out: Path, frames: NDArray[np.uint8]) -> None:
    from pix2pix.clips.reading import Frame, open_clip
    from pix2pix.clips.writing import write_clip

    with tempfile.TemporaryDirectory() as folder:
        # A clip is written in the times and colours of one that is read: here a GIF of a black and a white frame.
        timing = Path(folder) / "timing.gif"
        write_gif(timing, np.stack([np.full(frames.shape[1:], level, np.uint8) for level in (0, 255)]))
        with open_clip(timing) as clip, write_clip(out, clip) as writer:
            for number, picture in enumerate(_enlarged(frames)):
                writer.write(Frame(picture, number * CENTISECONDS), picture)
