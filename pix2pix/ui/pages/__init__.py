"""One page a task, made by the kind of its input; nothing here knows a task by name."""

from __future__ import annotations

from html import escape

import gradio as gr

from pix2pix.ui.offers import Offer
from pix2pix.ui.pages import labels, mask, photo, sketch
from pix2pix.ui.pages.batch import batch_tab
from pix2pix.ui.pages.frame import footer, header
from pix2pix.ui.service import Service

LINES = {"labels": labels.LINE, "sketch": sketch.LINE, "photo": photo.LINE, "mask": mask.LINE}
BUILDERS = {
    "labels": labels.labels_page,
    "sketch": sketch.sketch_page,
    "photo": photo.photo_page,
    "mask": mask.mask_page,
}


def build_page(service: Service, offer: Offer, has_gallery: bool) -> None:
    """All of a task's page; without a model, how to train one."""
    with gr.Column(elem_classes="p2p-page"):
        if offer.model is None:
            header(offer.title, "There is no model of this task yet.", has_gallery)
            how_to_train(offer)
        else:
            header(offer.title, LINES[offer.kind], has_gallery)
            with gr.Tabs(elem_classes="p2p-tabs"):
                with gr.Tab("One picture"):
                    BUILDERS[offer.kind](service, offer)
                with gr.Tab("Many files"):
                    batch_tab(service, offer)
        footer()


def how_to_train(offer: Offer) -> None:
    """The command that makes a model, on the page of a task without one."""
    gr.HTML(
        f'<section class="p2p-train"><p>Train one, and restart this site; it will be found:</p>'
        f"<pre><code>{escape(offer.how_to_train)}</code></pre></section>",
        js_on_load=None,
        apply_default_css=False,
    )
