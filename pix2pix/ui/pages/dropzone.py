"""Where a visitor's photo comes in: chosen, dropped, pasted or taken, and kept as the file it is.

Gradio's own picture component encodes uploads anew and loses 16 bit, ICC profile and EXIF.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from pix2pix.ui.limits import Limits
from pix2pix.ui.look import asset
from pix2pix.ui.pages.results import file


def dropzone(name: str, elem_id: str, limits: Limits, has_example: bool = True, covered: bool = False) -> gr.HTML:
    """The zone; fires `input` once a photo lies on the server, and `example` when one is asked for.

    `name` is what assistive technology calls it. Its value is a path, for `canvas.drawn` to check.
    `covered` leaves the photo itself to a canvas below.
    """
    return gr.HTML(
        None,
        html_template=asset("pages/dropzone.html"),
        js_on_load=asset("pages/dropzone.js"),
        apply_default_css=False,
        elem_id=elem_id,
        name=name,
        has_example=has_example,
        covered=covered,
        most=limits.upload_bytes,
    )


def example_value(path: Path) -> dict[str, Any]:
    """The value that shows the photo in `path` as an example, which then counts as sent: `input` is fired."""
    return {"example": file(path)}
