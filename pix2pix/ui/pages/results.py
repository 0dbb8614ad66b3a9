"""The panel of a result: a line to drag between before and after, the download, samples, and this visit's history."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any, Literal

import gradio as gr

from pix2pix.ui.look import asset
from pix2pix.ui.offers import Offer
from pix2pix.ui.pages.cards import card_style
from pix2pix.ui.service import Result

Shown = dict[str, Any]


def result_panel(offer: Offer, empty: str) -> gr.HTML:
    """The panel of a task's page; see `panel_of`."""
    # What was drawn stays in view beside the result, what was uploaded does not.
    return panel_of(offer.name, empty, 0 if offer.kind in ("labels", "sketch") else 500)


def panel_of(name: str, empty: str, start: int) -> gr.HTML:
    """The panel of the page `name`, with the sentence `empty` until there is a result, and its line at `start` of 1000.

    Its value is what `shown` or `failed` gives; with `lines`, one for each file, and a `command` where there are some.
    The history is kept by the page itself, so no server memory holds it and it goes when the page is closed.
    """
    return gr.HTML(
        None,
        html_template=asset("pages/results.html"),
        css_template=card_style(name),
        js_on_load=asset("pages/results.js"),
        apply_default_css=False,
        elem_id=f"result-{name}",
        panel=f"result-{name}-panel",
        empty=empty,
        start=start,
    )


def panel_id(offer: Offer) -> str:
    """The element id of the panel of this task's page."""
    return f"result-{offer.name}"


def tell_panel(offer: Offer, what: Literal["working", "done"]) -> str:
    """A script for an event's `js`: the panel shows, quietly and only after a moment, that something is under way."""
    panel = f"document.getElementById('{panel_id(offer)}-panel')"
    return f"(...values) => {{ {panel}?.dispatchEvent(new Event('{what}')); return values; }}"


def shown(result: Result) -> Shown:
    """The panel's value of a result."""
    return {
        "id": secrets.token_hex(8),
        "before": file(result.before),
        "after": [file(each) for each in result.after],
        "files": [file(each) for each in result.outputs],
        "spread": None if result.spread is None else file(result.spread),
        "levels": round(result.spread_levels),
        "width": result.width,
        "height": result.height,
        "seconds": result.seconds,
    }


def failed(message: str) -> Shown:
    """The panel's value when there is no result: one line on why."""
    return {"id": secrets.token_hex(8), "error": message}


def nothing() -> Shown:
    """The panel's value that leaves what is shown as it is."""
    return {"id": secrets.token_hex(8)}


def file(path: Path) -> dict[str, Any]:
    """A file for the page, under the name it is to be saved as; Gradio adds the address it is served at."""
    return gr.FileData(path=str(path), orig_name=path.name, size=path.stat().st_size).model_dump()
