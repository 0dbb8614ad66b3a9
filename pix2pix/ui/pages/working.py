"""How a page gets a result: one event for all that changes it, of which only the newest waits; trouble in one line."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from pix2pix.ui.offers import Offer
from pix2pix.ui.pages.results import Shown, failed, nothing, shown, tell_panel
from pix2pix.ui.service import Result
from pix2pix.ui.visitors import visitor_of

GENERAL = "Something went wrong on the server. Please try again, or try another picture."


@dataclass(frozen=True)
class Asked:
    """Who asks for a result, and which component made them ask."""

    visitor: str
    by: Any


def friendly(error: Exception) -> str:
    """What a visitor is told: one line. What nobody expected is logged, and told of in general words."""
    if isinstance(error, ValueError):
        return str(error)
    logging.getLogger(__name__).error("a page's request failed", exc_info=error)
    return GENERAL


def answer(trigger: Any, make: Callable[..., Any], inputs: Sequence[Any], output: Any, otherwise: Any = None) -> Any:
    """Set `output` to what `make(visitor, *values)` gives after `trigger`; None leaves it. The event, to go on from.

    Where it fails, a passing note says why, and `output` becomes `otherwise`.
    """

    def run(request: gr.Request, *values: Any) -> Any:
        try:
            value = make(visitor_of(request), *values)
        except Exception as error:
            gr.Warning(friendly(error))
            value = otherwise
        return gr.skip() if value is None else value

    return trigger(
        run,
        inputs,
        output,
        trigger_mode="always_last",
        show_progress="hidden",
        concurrency_limit=None,
        api_visibility="private",
    )


def keep_up(
    offer: Offer,
    triggers: Sequence[Any],
    make: Callable[..., Result | None],
    inputs: Sequence[Any],
    panel: gr.HTML,
) -> None:
    """Show what `make(asked, *values)` gives after any of `triggers`; None leaves the panel as it is.

    One event for all of them: while it runs, only the newest trigger waits, so that results come in order.
    """

    def run(request: gr.Request, event: gr.EventData, *values: Any) -> Shown:
        try:
            result = make(Asked(visitor_of(request), event.target), *values)
            return nothing() if result is None else shown(result)
        except Exception as error:
            return failed(friendly(error))

    event = gr.on(
        triggers,
        run,
        inputs,
        panel,
        js=tell_panel(offer, "working"),
        trigger_mode="always_last",
        show_progress="hidden",
        concurrency_limit=None,
        api_visibility="private",
    )
    event.failure(None, js=tell_panel(offer, "done"))  # the server did not take the request
