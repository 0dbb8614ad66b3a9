"""A contact sheet: of some of the pictures of a run, before and after side by side under their names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

from pix2pix.batch.names import Job
from pix2pix.images import make_grid, read_image, to_rgb8, write_image

SHEET = "contact-sheet.jpg"
PAIRS = 36
COLUMNS = 4  # pairs
TILE = 224  # pixels, the side of the square that a picture is fitted into


def write_sheet(path: Path, jobs: Sequence[Job], read: Callable[[Path], np.ndarray]) -> int:
    """Draw up to `PAIRS` pictures, evenly spread over `jobs`, with their first outputs; how many those are.

    `read` reads an input, (H, W, C); the outputs are read from their files. What cannot be read is left out, and
    without any pair no file is written. Raises ImageError when the file cannot be written.
    """
    chosen = np.linspace(0, len(jobs) - 1, min(PAIRS, len(jobs))).round().astype(int)
    cells = []
    for index in chosen:
        job = jobs[index]
        try:
            pair = [_fit(read(job.source)), _fit(read_image(job.outputs[0], enough=TILE))]
        except ValueError:
            continue
        cells.append(make_grid([pair], gap=6, titles=[job.source.name, "" if _same_name(job) else job.outputs[0].name]))
    if not cells:
        return 0
    columns = min(COLUMNS, len(cells))
    blank = np.full_like(cells[0], 255)
    cells_and_blanks = cells + [blank] * (-len(cells) % columns)
    rows = [cells_and_blanks[start : start + columns] for start in range(0, len(cells_and_blanks), columns)]
    write_image(path, make_grid(rows, gap=8))
    return len(cells)


def _same_name(job: Job) -> bool:
    return job.source.name == job.outputs[0].name


def _fit(image: np.ndarray) -> np.ndarray:
    """(H, W, C) as (TILE, TILE, 3) uint8: the whole picture in the middle of a light square."""
    height, width = image.shape[:2]
    scale = TILE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST)
    tile = np.full((TILE, TILE, 3), 240, np.uint8)
    top, left = (TILE - size[1]) // 2, (TILE - size[0]) // 2
    tile[top : top + size[1], left : left + size[0]] = to_rgb8(small.reshape(size[1], size[0], -1))
    return tile
