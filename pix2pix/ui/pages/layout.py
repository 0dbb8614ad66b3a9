"""The parts of every page: what a person gives left, what comes of it right, settings below what is given.

One above the other on a phone, with the settings last, so that the result is in sight of what it is made of.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import gradio as gr

Parts = tuple[gr.Column, gr.Column, gr.Column]


@contextmanager
def three_parts() -> Iterator[Parts]:
    """Columns for what is given, for settings, and for the result, each to be entered with `with`."""
    with gr.Row(elem_classes="p2p-work"):
        with gr.Column(elem_classes="p2p-input", min_width=300) as given:
            pass
        with gr.Column(elem_classes="p2p-below", min_width=300) as below:
            pass
        with gr.Column(elem_classes="p2p-output", min_width=300) as result:
            pass
        yield given, below, result
