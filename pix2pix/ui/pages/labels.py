"""The page of a task whose input is a map of labels: paint with its palette, and see the picture."""

from __future__ import annotations

from typing import Any

from pix2pix.ui import canvas
from pix2pix.ui.offers import Offer
from pix2pix.ui.pages.layout import three_parts
from pix2pix.ui.pages.photos import example
from pix2pix.ui.pages.results import result_panel
from pix2pix.ui.pages.settings import settings
from pix2pix.ui.pages.working import Asked, answer, keep_up
from pix2pix.ui.service import Result, Service

LINE = "Paint what should be where. The picture follows as you draw."


def labels_page(service: Service, offer: Offer) -> None:
    """Canvas left, picture right."""
    with three_parts() as (given, below, result):
        with given:
            paint = canvas.label_canvas(offer.palette, offer.task.data.size, f"labels-{offer.name}")
        with below:
            chosen = settings(offer)
        with result:
            panel = result_panel(offer, "Paint something, or begin with a random example.")

    def make(asked: Asked, value: Any, *values: Any) -> Result | None:
        picture = canvas.drawn(value)
        return None if picture is None else service.translate(offer.name, picture, chosen.wish(values), asked.visitor)

    keep_up(offer, [paint.input, *chosen.triggers], make, [paint, *chosen.inputs], panel)
    answer(paint.example, lambda visitor: canvas.load_value(example(service, offer, visitor).read_bytes()), [], paint)
