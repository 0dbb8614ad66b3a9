"""One HTML page with everything in it, so that it opens from a disk or a mail, without a network or a server."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from PIL import Image

from pix2pix.checkpoint import write_atomically
from pix2pix.images import read_image, to_pil, to_rgb8

TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, context: Mapping[str, Any]) -> str:
    """Fill a template of this package; every value is escaped, and one that the template misses is an error."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["plotly_script"] = _plotly_script
    return environment.get_template(template).render(context)


def data_uri(picture: np.ndarray | Path, longest: int = 1080, quality: int = 80) -> str:
    """A picture, (H, W, C) uint8 or a file, as the `src` of an `<img>`: WebP, its longer side at most `longest` pixels.

    Pictures of few colours (label maps, sketches) are kept exactly: lossy compression smears their edges and is larger.
    Raises ValueError (`ImageError`) for a file that cannot be read.
    """
    image = to_pil(to_rgb8(read_image(picture) if isinstance(picture, Path) else picture))
    scale = longest / max(image.size)
    if scale < 1:
        width, height = (max(1, round(side * scale)) for side in image.size)
        image = image.resize((width, height), Image.Resampling.LANCZOS)
    few_colours = image.getcolors(256) is not None
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=quality, lossless=few_colours, method=4)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def write_page(path: Path, html: str) -> None:
    """Write a page whole or not at all. Raises ValueError when it cannot be written."""
    content = html.encode("utf-8")
    write_atomically(path, lambda temporary: temporary.write_bytes(content))


def count_text(number: float) -> str:
    """10000 as `10,000`."""
    return f"{number:,.0f}"


def duration_text(seconds: float) -> str:
    """Seconds in the two units that matter: `48 s`, `20 min 49 s`, `2 h 05 min`, `3 d 4 h`."""
    if not math.isfinite(seconds):
        return "—"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes_left = divmod(minutes, 60)
    if minutes == 0:
        return f"{rest} s"
    if hours == 0:
        return f"{minutes} min {rest:02} s"
    if hours < 48:
        return f"{hours} h {minutes_left:02} min"
    return f"{hours // 24} d {hours % 24} h"


def _plotly_script() -> Markup:
    """The drawing library as it is, 4.8 MB. It holds no `</script`, which would end the tag around it."""
    from plotly.offline import get_plotlyjs

    return Markup(get_plotlyjs())
