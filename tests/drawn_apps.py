"""Drawings by script on the site's canvases, and what becomes of them: `python tests/drawn_apps.py FOLDER`.

Starts the real server, draws twelve label maps and twelve sketches with the mouse, and writes a sheet of drawings and
results of each kind, `labels.png` and `sketches.png`, and as WebP for the documentation.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from drawn_maps import LABELS
from drawn_sketches import SKETCHES
from page_hand import Hand, Step
from page_visits import Visit
from PIL import Image
from playwright.sync_api import sync_playwright
from serve_clients import started

CHROMIUM = os.environ.get("PIX2PIX_CHROMIUM", "/usr/bin/chromium")
SIDE, GAP, ACROSS = 256, 12, 3
Pair = tuple[Image.Image, Image.Image]


def main(folder: Path) -> None:
    """Draw everything, and write the sheets into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with started() as site, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for name, drawings, kind in (("labels", LABELS, "labels"), ("sketches", SKETCHES, "sketch")):
            pairs = [pair for task, each in drawings.items() for pair in drawn(chromium, site.url, task, kind, each)]
            paper = sheet(pairs)
            paper.save(folder / f"{name}.png")
            paper.save(folder / f"{name}.webp", quality=82, method=6)
            print(folder / f"{name}.webp")
        chromium.close()


def drawn(chromium: Any, url: str, task: str, kind: str, drawings: Mapping[str, list[Step]]) -> list[Pair]:
    """Each drawing and its result, made on one page, with a clear canvas between them."""
    visit = Visit(chromium, url, {"width": 1280, "height": 1100}, "light")
    page = visit.open(task)
    hand, pairs = Hand(page, f"{kind}-{task}"), []
    for name, steps in drawings.items():
        hand.root.get_by_role("button", name="Clear").click()
        for step in steps:
            hand.do(step)
        drawing = hand.save()
        visit.settled()
        _, result = visit.download()
        pairs.append((picture(drawing), picture(result)))
        levels = np.asarray(pairs[-1][1], float).std()
        print(f"{task}, {name}: {len(steps)} strokes, levels of the result spread by {levels:.0f}", flush=True)
    visit.context.close()
    assert visit.outside == visit.wrong == [], (visit.outside, visit.wrong)
    return pairs


def picture(content: bytes) -> Image.Image:
    """RGB, at the sheet's size."""
    return Image.open(io.BytesIO(content)).convert("RGB").resize((SIDE, SIDE), Image.Resampling.BICUBIC)


def sheet(pairs: list[Pair]) -> Image.Image:
    """Drawing and result side by side, so many pairs in a row."""
    wide, rows = 2 * SIDE + 2, -(-len(pairs) // ACROSS)
    paper = Image.new("RGB", (ACROSS * (wide + GAP) + GAP, rows * (SIDE + GAP) + GAP), (235, 232, 226))
    for place, (drawing, result) in enumerate(pairs):
        left, top = GAP + place % ACROSS * (wide + GAP), GAP + place // ACROSS * (SIDE + GAP)
        paper.paste(drawing, (left, top))
        paper.paste(result, (left + SIDE + 2, top))
    return paper


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python tests/drawn_apps.py FOLDER")
    main(Path(sys.argv[1]))
