"""Pictures side by side on one sheet, with titles."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pix2pix.images.arrays import to_rgb8


def make_grid(rows: Sequence[Sequence[np.ndarray]], gap: int = 4, titles: Sequence[str] = ()) -> np.ndarray:
    """Equally sized tiles (H, W, C) on a white sheet, (H', W', 3) uint8, a title drawn above each column."""
    tiles = [[to_rgb8(tile) for tile in row] for row in rows]
    columns = max(len(row) for row in tiles)
    assert len({tile.shape for row in tiles for tile in row}) == 1, "a grid needs tiles, all of one size"
    assert not titles or len(titles) == columns, "one title for each column"
    height, width, _ = tiles[0][0].shape
    head = max(14, width // 10) + gap if titles else 0
    sheet = np.full((head + gap + len(tiles) * (height + gap), gap + columns * (width + gap), 3), 255, np.uint8)
    for row_index, row in enumerate(tiles):
        for column, tile in enumerate(row):
            top, left = head + gap + row_index * (height + gap), gap + column * (width + gap)
            sheet[top : top + height, left : left + width] = tile
    if not titles:
        return sheet
    picture = Image.fromarray(sheet)
    draw = ImageDraw.Draw(picture)
    for column, title in enumerate(titles):
        font, text = _fit_text(draw, title, width, head - gap)
        draw.text((gap + column * (width + gap) + width / 2, (head + gap) / 2), text, "black", font, anchor="mm")
    return np.array(picture)


def _fit_text(
    draw: ImageDraw.ImageDraw, text: str, width: int, height: int
) -> tuple[ImageFont.FreeTypeFont | ImageFont.ImageFont, str]:
    """The largest font in which the text fits; below 9 pixels nobody can read it, so then the text is shortened."""
    for size in range(max(9, height * 4 // 5), 8, -1):
        font = ImageFont.load_default(size)
        if draw.textlength(text, font) <= width:
            return font, text
    while text and draw.textlength(text + "…", font) > width:
        text = text[:-1]
    return font, text + "…" if text else ""
