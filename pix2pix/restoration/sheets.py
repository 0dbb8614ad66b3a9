"""Restorations side by side: truth, what was left of it, and each method's, a row a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pix2pix.images import make_grid, read_image, resize, to_rgb8, write_image
from pix2pix.restoration.comparison import SHOWN, Plan, picture_file

LEAST_TILE = 128  # pixels a side, so that titles and pixels can be told apart


def write_sheets(plan: Plan, folder: Path) -> list[Path]:
    """A PNG a case, named by it, of the first pictures that all of its methods have restored; what was written.

    Raises ValueError (`ImageError`) where a restoration cannot be read, or a sheet not be written.
    """
    written = []
    for case, methods in plan.methods:
        runnable = [each for each in methods if not each.missing]
        rows = []
        for truth in plan.truths[:SHOWN]:
            files = [picture_file(folder, case, each, truth) for each in runnable]
            if all(file.is_file() for file in files):
                damaged = case.damaged(truth.picture, truth.stem).picture
                rows.append([_tile(each) for each in (truth.picture, damaged, *map(read_image, files))])
        if rows:
            sheet = make_grid(_one_size(rows), titles=("truth", "damaged", *(each.name for each in runnable)))
            written.append(folder / f"{case.name}.png")
            write_image(written[-1], sheet)
    return written


def _tile(picture: np.ndarray) -> np.ndarray:
    """(H, W, C) as (T, T, 3) in whole pixels, T of at least 128; holes are white."""
    picture = to_rgb8(picture)
    side = picture.shape[0]
    tile = side * -(-LEAST_TILE // side)
    return resize(picture, tile, tile, nearest=True)


def _one_size(rows: list[list[np.ndarray]]) -> list[list[np.ndarray]]:
    """What is damaged may be smaller, and its tile then of another size."""
    side = max(tile.shape[0] for row in rows for tile in row)
    return [[resize(tile, side, side, nearest=True) for tile in row] for row in rows]
