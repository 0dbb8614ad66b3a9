"""The page of a task whose input is a drawing of lines: draw, or start from the lines of a photo."""

from __future__ import annotations

from typing import Any

import gradio as gr

from pix2pix.ui import canvas
from pix2pix.ui.offers import Offer
from pix2pix.ui.pages.dropzone import dropzone
from pix2pix.ui.pages.layout import three_parts
from pix2pix.ui.pages.photos import example, lay_beneath
from pix2pix.ui.pages.results import result_panel
from pix2pix.ui.pages.settings import settings, slider
from pix2pix.ui.pages.working import Asked, answer, keep_up
from pix2pix.ui.service import Result, Service

LINE = "Draw with a few lines. The picture follows your pencil."
DETAIL = 0.5


def sketch_page(service: Service, offer: Offer) -> None:
    """Canvas and photo to start from left, picture right."""
    with three_parts() as (given, below, result):
        with given:
            paper = canvas.sketch_canvas(offer.task.data.size, f"sketch-{offer.name}")
        with below:
            with gr.Accordion("Start from a photo", open=False, elem_classes="p2p-more"):
                photo = dropzone("Photo to start from", f"photo-{offer.name}", service.limits, has_example=False)
                detail = slider("Detail", (0, 1, 0.05), DETAIL, "More of the photo's lines")
            chosen = settings(offer)
        with result:
            panel = result_panel(offer, "Draw something, or begin with a random example.")

    def make(asked: Asked, value: Any, *values: Any) -> Result | None:
        picture = canvas.drawn(value)
        return None if picture is None else service.translate(offer.name, picture, chosen.wish(values), asked.visitor)

    keep_up(offer, [paper.input, *chosen.triggers], make, [paper, *chosen.inputs], panel)

    def lines(visitor: str, value: Any, amount: float) -> Any:
        picture = canvas.drawn(value)
        return None if picture is None else canvas.load_value(service.edges(picture, amount, visitor).read_bytes())

    answer(lay_beneath(service, photo, paper).then, lines, [photo, detail], paper)
    answer(detail.release, lines, [photo, detail], paper)
    answer(paper.example, lambda visitor: canvas.load_value(example(service, offer, visitor).read_bytes()), [], paper)
