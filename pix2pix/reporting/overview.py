"""All models at a glance: a row of pictures each, and a row of figures beside the best guess without a network."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pix2pix.checkpoint import Figures, ReleasedModel
from pix2pix.images import center_crop, make_grid, resize, to_rgb8
from pix2pix.metrics.names import REFERENCE, higher_is_better, metric_title, value_text

SIDE = 192  # of a picture on the sheet, in pixels
TEXT = SIDE // 10
CARD_SIDE, CARD_BYTES = 240, 15_000

Row = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Input, output and target of one model, each (H, W, C)."""


def sheet(rows: Mapping[str, Row]) -> np.ndarray:
    """The middle of input, output and target of each model, under its name; (H, W, 3) uint8."""
    tiles = [[_label(name), *map(_square, row)] for name, row in rows.items()]
    return make_grid(tiles, titles=("", "input", "output", "target"))


def card(row: Row) -> bytes:
    """The middle of input and output side by side, 480x240, as a WebP of at most `CARD_BYTES`."""
    before, after = (Image.fromarray(_square(each, CARD_SIDE)) for each in row[:2])
    both = Image.new("RGB", (2 * CARD_SIDE, CARD_SIDE))
    both.paste(before, (0, 0))
    both.paste(after, (CARD_SIDE, 0))
    for quality in range(90, 20, -5):
        file = io.BytesIO()
        both.save(file, "webp", quality=quality, method=6)
        if file.tell() <= CARD_BYTES:
            break
    return file.getvalue()


def _square(picture: np.ndarray, side: int = SIDE) -> np.ndarray:
    shown = to_rgb8(picture)
    return resize(center_crop(shown, min(shown.shape[:2])), side, side, nearest=False)


def _label(text: str) -> np.ndarray:
    tile = Image.new("RGB", (SIDE, SIDE), "white")
    ImageDraw.Draw(tile).text((SIDE / 2, SIDE / 2), text, "black", ImageFont.load_default(TEXT), anchor="mm")
    return np.array(tile)


def table(models: Mapping[str, ReleasedModel], metric: str = "lpips") -> str:
    """Markdown: each model's figure, that of the best trivial row, and how much better it is, with n and split.

    A model without figures has dashes.
    """
    lines = ["| model | images seen | " + metric_title(metric) + " | best without a network | better by | n |"]
    lines.append("|---|--:|--:|---|--:|--:|")
    for name, model in models.items():
        seen = f"{model.facts.images_seen:,}"
        found = model.facts.figures and _compared(model.facts.figures, metric)
        if not found:
            lines.append(f"| {name} | {seen} | - | - | - | - |")
            continue
        own, guess, other, gain, figures = found
        beside = f"{value_text(metric, other)} ({guess})"
        lines.append(
            f"| {name} | {seen} | {value_text(metric, own)} | {beside} | {gain:.0%} | {figures.n} {figures.split} |"
        )
    return "\n".join(lines)


def _compared(figures: Figures, metric: str) -> tuple[float, str, float, float, Figures] | None:
    name = next((each for each in figures.metrics if each.partition("[")[0] == metric), None)
    own = figures.metrics.get(name) if name else None
    others = {guess: row.get(name or "") for guess, row in figures.trivial.items() if guess != REFERENCE}
    known = {guess: value for guess, value in others.items() if value is not None}
    if own is None or not known:
        return None
    better: Callable[..., str] = max if higher_is_better(metric) else min
    guess = better(known, key=lambda each: known[each])
    gain = (own - known[guess]) / known[guess] * (1 if higher_is_better(metric) else -1)
    return own, guess, known[guess], gain, figures
