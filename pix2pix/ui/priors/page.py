"""The page on which a generator is explored: seeds, directions, mixed styles, walks; every picture follows at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from pix2pix.ui import json_values
from pix2pix.ui.look import asset
from pix2pix.ui.pages.frame import footer, header
from pix2pix.ui.pages.results import file
from pix2pix.ui.pages.working import friendly
from pix2pix.ui.priors.explorer import STRIP, Explorer, data_uri, point_of
from pix2pix.ui.visitors import visitor_of

EXPLORE = "Explore"
LINE = "Pictures of what never was, made from nothing but a number. Choose one, and change it."
KEYS = {"N": "another picture", "W": "walk, or stop", "D": "save the picture", "?": "this list"}
BOARD = "explore-board"
SCRIPTS = ("talk.js", "places.js", "drawing.js", "walk.js", "explore.js")
FILM_SEEDS, FILM_STEPS = 4, 20


def explore_page(explorer: Explorer) -> None:
    """The page of all priors that are offered.

    What passes between page and server goes by events that carry a question with a number, and answers that carry the
    same; each kind of them has an element of its own that is not seen, so that none gets lost among others.
    """
    with gr.Column(elem_classes="p2p-page"):
        header(EXPLORE, LINE, True, KEYS)
        page = gr.HTML(
            None,
            html_template=asset("priors/explore.html"),
            css_template=asset("priors/explore.css"),
            js_on_load='"use strict";\n' + "\n".join(asset(f"priors/{name}") for name in SCRIPTS),
            apply_default_css=False,
            elem_id="explore",
            board=BOARD,
            priors=[{"name": each.name, "title": each.title, "about": about(each)} for each in explorer.offers],
        )
        for kind, answer in ANSWERS.items():
            _listen(getattr(page, kind), answer, explorer)
        footer()


def about(offer: Any) -> str:
    """One line on what a prior has learned from."""
    terms = f" ({offer.licence})" if offer.licence not in ("", "unknown") else ""
    return f"Learned from {offer.data}{terms}." if offer.data else ""


Question = dict[str, Any]
Answer = Callable[[Explorer, Question, str], dict[str, Any]]


def picture(explorer: Explorer, asked: Question, visitor: str) -> dict[str, Any]:
    """The picture at `point`."""
    made = explorer.picture(_prior(asked), point_of(asked.get("point")), visitor)
    return {
        "picture": data_uri("png", made.png),
        "size": made.size,
        "layers": made.layers,
        "groups": list(made.groups),
    }


def strip(explorer: Explorer, asked: Question, visitor: str) -> dict[str, Any]:
    """The pictures at `points`, in one."""
    points = [point_of(each) for each in json_values.items("points", asked.get("points"), STRIP)]
    return {"strip": data_uri("jpeg", explorer.strip(_prior(asked), points, visitor))}


def leg(explorer: Explorer, asked: Question, visitor: str) -> dict[str, Any]:
    """The pictures of the walk from `point` to the next seed, in one, and where on the way each is."""
    point = point_of(asked.get("point"))
    strip, shares = explorer.leg(_prior(asked), (point.seed, point.seed + 1), point, visitor)
    return {"strip": data_uri("jpeg", strip), "shares": shares}


def film(explorer: Explorer, asked: Question, visitor: str) -> dict[str, Any]:
    """A GIF of a walk from `point` to the next seeds and back."""
    point = point_of(asked.get("point"))
    seeds = range(point.seed, point.seed + FILM_SEEDS)
    made = explorer.walk(_prior(asked), seeds, FILM_STEPS, True, point, visitor)
    return {"file": file(made)}


ANSWERS: dict[str, Answer] = {"picture": picture, "strip": strip, "leg": leg, "film": film}


def _listen(trigger: Any, answer: Answer, explorer: Explorer) -> None:
    """Have `answer` given to each question that `trigger` brings."""

    def run(request: gr.Request, event: gr.EventData) -> dict[str, Any]:
        asked = event._data if isinstance(event._data, dict) else {}
        try:
            return {"id": asked.get("id"), **answer(explorer, asked, visitor_of(request))}
        except Exception as error:
            return {"id": asked.get("id"), "error": friendly(error)}

    reply = gr.HTML(
        None,
        html_template="<i hidden></i>",
        js_on_load=asset("priors/reply.js"),
        apply_default_css=False,
        elem_classes="p2p-unseen",
        board=BOARD,
    )
    event = trigger(
        run,
        None,
        reply,
        trigger_mode="multiple",
        show_progress="hidden",
        queue=False,  # Gradio looks at its queue every 50 ms only, and the explorer has its own turns
        api_visibility="private",
    )
    # The server did not take the question.
    event.failure(None, js=f"() => {{ document.getElementById('{BOARD}')?.dispatchEvent(new Event('refused')); }}")


def _prior(asked: Question) -> str:
    return json_values.text("prior", asked.get("prior"))
