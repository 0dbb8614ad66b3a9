"""Photos before anything is made of them: a look at one for a canvas that lies over it, and examples to start from."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import gradio as gr

from pix2pix.ui import canvas
from pix2pix.ui.offers import Offer
from pix2pix.ui.pages.dropzone import example_value
from pix2pix.ui.pages.working import answer
from pix2pix.ui.service import Service


def lay_beneath(service: Service, photo: gr.HTML, over: gr.HTML) -> Any:
    """Put each photo that comes into the dropzone `photo` beneath the canvas `over`; the event, to go on from."""

    def lay(visitor: str, value: Any) -> Any:
        picture = canvas.drawn(value)
        return canvas.photo_value(None) if picture is None else canvas.photo_value(*service.preview(picture, visitor))

    return answer(photo.input, lay, [photo], over, otherwise=canvas.photo_value(None))


def offer_examples(service: Service, offer: Offer, photo: gr.HTML) -> None:
    """Let the dropzone's button bring a photo of the task's own drawer."""
    answer(photo.example, lambda visitor: example_value(example(service, offer, visitor)), [], photo)


def example(service: Service, offer: Offer, visitor: str) -> Path:
    """An input to start from, another one each time."""
    return service.example(offer.name, secrets.randbelow(2**31), visitor)
