"""The home page: a card a task, those without a model in a second group that says how to train one."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from urllib.parse import quote

import gradio as gr

from pix2pix.ui.offers import Offer
from pix2pix.ui.pages.cards import card
from pix2pix.ui.pages.frame import footer, home_header
from pix2pix.ui.priors.offers import PriorOffer

LINE = "Paint, sketch or upload a picture, and see another one at once. Everything is computed on this server."
DO = {
    "labels": "Paint with a palette",
    "sketch": "Draw with a few lines",
    "photo": "Give it a photo",
    "mask": "Brush over what should go",
}
EXPLORE_DO = "Explore what it makes from nothing"
RESTORE_TITLE, RESTORE_DO = "Restore", "Search for what a damaged photo was"


def home_page(offers: Sequence[Offer], priors: Sequence[PriorOffer], restores: bool) -> None:
    """The gallery of `offers`, of `priors`, which share a page, and of what `restores`, if there is that."""
    ready = [offer for offer in offers if offer.model is not None]
    rest = [offer for offer in offers if offer.model is None]
    with gr.Column(elem_classes="p2p-page"):
        home_header(LINE)
        cards = "".join(f"<li>{_card(offer.name, offer.name, offer.title, DO[offer.kind])}</li>" for offer in ready)
        # What stands behind # the page itself reads: which of the priors is shown first.
        cards += "".join(
            f"<li>{_card(f'explore#prior={quote(prior.name)}', f'explore-{prior.name}', prior.title, EXPLORE_DO)}</li>"
            for prior in priors
        )
        if restores:
            cards += f"<li>{_card('restore', 'restore', RESTORE_TITLE, RESTORE_DO)}</li>"
        gr.HTML(f'<ul class="p2p-cards">{cards}</ul>', js_on_load=None, apply_default_css=False)
        if rest:
            lines = "".join(f"<li>{_line(offer)}</li>" for offer in rest)
            gr.HTML(
                f'<section class="p2p-rest"><h2>Without a model so far</h2>'
                f"<p>Each of these commands trains one.</p><ul>{lines}</ul></section>",
                js_on_load=None,
                apply_default_css=False,
            )
        footer()


def _card(link: str, name: str, title: str, what: str) -> str:
    picture = card(name)
    image = "" if picture is None else f'<img src="{picture}" alt="" width="480" height="240">'
    return (
        f'<a class="p2p-card" href="{escape(link)}"><span class="card-picture">{image}</span>'
        f'<span class="card-title">{escape(title)}</span><span class="card-do">{what}</span></a>'
    )


def _line(offer: Offer) -> str:
    return f"<strong>{escape(offer.title)}</strong> <code>{escape(offer.how_to_train)}</code>"
