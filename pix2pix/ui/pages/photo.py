"""The page of a task whose input is a photo: it goes in as the file it is, and comes back as one."""

from __future__ import annotations

from typing import Any

import gradio as gr

from pix2pix.ui import canvas
from pix2pix.ui.offers import Offer
from pix2pix.ui.pages.dropzone import dropzone
from pix2pix.ui.pages.layout import three_parts
from pix2pix.ui.pages.photos import lay_beneath, offer_examples
from pix2pix.ui.pages.results import result_panel
from pix2pix.ui.pages.settings import settings
from pix2pix.ui.pages.working import Asked, keep_up
from pix2pix.ui.service import Result, Service

LINE = "Give it a photo. It comes back under its own name, in full size and depth."


def photo_page(service: Service, offer: Offer) -> None:
    """Photo and settings left, before and after right."""
    with three_parts() as (given, below, result):
        with given:
            photo = dropzone("Photo", f"photo-{offer.name}", service.limits)
        with below:
            chosen = settings(offer)
            hints = _hints(service, offer, photo) if offer.task.takes_colour else None
        with result:
            panel = result_panel(offer, "Choose a photo, or try an example.")

    def make(asked: Asked, value: Any, strokes: Any, *values: Any) -> Result | None:
        picture = canvas.drawn(value)
        if picture is None:
            return None
        # Strokes over the photo before go once the canvas has the new one, which is a moment later.
        colours = None if asked.by is photo else canvas.drawn(strokes)
        return service.translate(offer.name, picture, chosen.wish(values, colours), asked.visitor)

    strokes = gr.State(None) if hints is None else hints
    triggers = [photo.input, *chosen.triggers, *([] if hints is None else [hints.input])]
    keep_up(offer, triggers, make, [photo, strokes, *chosen.inputs], panel)
    offer_examples(service, offer, photo)


def _hints(service: Service, offer: Offer, photo: gr.HTML) -> gr.HTML:
    """A canvas for strokes of colour over the photo."""
    with gr.Accordion("Say what colour something is", open=False, elem_classes="p2p-more"):
        hints = canvas.hint_canvas(f"hints-{offer.name}")
    lay_beneath(service, photo, hints)
    return hints
