"""How a prior grew, for the documentation: `python tests/prior_stages.py RUN PICTURE.webp [STAGES]`.

Writes the run's sample grids at some points side by side, and prints its figures on the way as a table.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from pix2pix.images import make_grid, read_image

SHOWN = 208  # pixels of a grid that are kept: its first three rows and columns of 64 pixels, and the gaps


def main(run: Path, picture: Path, stages: int) -> None:
    """Write the sheet and print the table. Raises ValueError where the run has no evaluations yet."""
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    looks = [line for line in lines if "kid_x1000" in line]
    if not looks:
        raise ValueError(f"{run}: no evaluation with KID yet")
    chosen = evenly(looks, stages)
    grids = [read_image(run / "samples" / f"{line['images']:07d}.jpg")[:SHOWN, :SHOWN] for line in chosen]
    titles = [f"{line['images']:,}: KID {line['kid_x1000']:.0f}" for line in chosen]
    picture.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(make_grid([grids], titles=titles))).save(picture, quality=85, method=6)
    print("| images | minutes | KID x 1000 | FID | distance on dev |\n|--:|--:|--:|--:|--:|")
    for line in looks:
        figures = f"{line['kid_x1000']:.1f} | {line['fid']:.1f} | {line['dev_distance']:.4f}"
        print(f"| {line['images']:,} | {line['seconds'] / 60:.1f} | {figures} |")


def evenly(looks: list[dict[str, float]], stages: int) -> list[dict[str, float]]:
    """Up to `stages` of the evaluations, each with about as many times the images of the one before it."""
    if len(looks) <= stages:
        return looks
    wanted = np.geomspace(looks[0]["images"], looks[-1]["images"], stages)
    found = [min(looks, key=lambda line: abs(line["images"] - images)) for images in wanted]
    return [line for place, line in enumerate(found) if line not in found[:place]]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 5)
