"""The page of a task that fills what a mask marks: a photo, a brush over it, and the rest stays to the byte."""

from __future__ import annotations

from typing import Any

from pix2pix.ui import canvas
from pix2pix.ui.offers import Offer
from pix2pix.ui.pages.dropzone import dropzone
from pix2pix.ui.pages.layout import three_parts
from pix2pix.ui.pages.photos import lay_beneath, offer_examples
from pix2pix.ui.pages.results import result_panel
from pix2pix.ui.pages.settings import settings
from pix2pix.ui.pages.working import Asked, keep_up
from pix2pix.ui.service import Result, Service

LINE = "Brush over what should go. Everything else stays exactly as it was."


def mask_page(service: Service, offer: Offer) -> None:
    """Photo and mask left, filled photo right."""
    with three_parts() as (given, below, result):
        with given:
            photo = dropzone("Photo", f"photo-{offer.name}", service.limits, covered=True)
            mask = canvas.mask_canvas(f"mask-{offer.name}")
        with below:
            chosen = settings(offer)
        with result:
            panel = result_panel(offer, "Choose a photo, then brush over what should go.")

    def make(asked: Asked, value: Any, marked: Any, *values: Any) -> Result | None:
        picture, where = canvas.drawn(value), canvas.drawn(marked)
        if picture is None or where is None:
            return None
        return service.translate(offer.name, picture, chosen.wish(values, mask=where), asked.visitor)

    keep_up(offer, [mask.input, *chosen.triggers], make, [photo, mask, *chosen.inputs], panel)

    lay_beneath(service, photo, mask)
    offer_examples(service, offer, photo)
