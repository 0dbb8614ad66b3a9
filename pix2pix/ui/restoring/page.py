"""The page of restoration: a photo, what is wrong with it, and a search that is seen as it goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import gradio as gr

from pix2pix.ui import canvas
from pix2pix.ui.look import asset
from pix2pix.ui.pages.dropzone import dropzone, example_value
from pix2pix.ui.pages.frame import footer, header
from pix2pix.ui.pages.layout import three_parts
from pix2pix.ui.pages.results import file, panel_of, shown
from pix2pix.ui.pages.working import friendly
from pix2pix.ui.priors.explorer import data_uri
from pix2pix.ui.priors.page import about
from pix2pix.ui.restoring.choices import choices
from pix2pix.ui.restoring.damaging import mask_of, truth_of
from pix2pix.ui.restoring.progress import Found, Progress
from pix2pix.ui.restoring.searcher import Searcher
from pix2pix.ui.service import Service
from pix2pix.ui.visitors import visitor_of

RESTORE = "Restore"
LINE = (
    "Give it a damaged photo. It searches for a picture that explains it, and you watch, and stop it when you like it."
)
EMPTY = "Choose a photo, or try an example; say what is wrong with it, then press Restore."
BOARD, LIVE, MASK = "restore-board", "restore-live", "mask-restore"
PAUSE = 0.2  # seconds between two looks at how far a search is

Question = dict[str, Any]


def restore_page(service: Service) -> None:
    """Photo and settings left, the search and what it found right.

    The settings live in the page's script. What it asks goes by events that carry a question with a number; answers
    carry the same, and each kind of them has an element of its own that is not seen, so that none gets lost.
    """
    with gr.Column(elem_classes="p2p-page"):
        header(RESTORE, LINE, True)
        with three_parts() as (given, below, result):
            with given:
                photo = dropzone("Photo", "photo-restore", service.limits, covered=True)
                mask = canvas.mask_canvas(MASK)
            with below:
                board = _board(service)
            with result:
                live = _live()
                panel = panel_of("restore", EMPTY, 500)
        _hear_photo(service, photo, mask)
        for kind, answer in ANSWERS.items():
            _listen(getattr(board, kind), service.searcher, answer, photo)
        _search(service.searcher, live, mask, panel)
        footer()


def _board(service: Service) -> gr.HTML:
    priors = [{"name": each.name, "title": each.title, "about": about(each)} for each in service.explorer.offers]
    return gr.HTML(
        None,
        html_template=asset("restoring/restore.html"),
        css_template=asset("restoring/restore.css"),
        js_on_load='"use strict";\n' + asset("restoring/restore.js"),
        apply_default_css=False,
        elem_id="restore-settings",
        board=BOARD,
        live=LIVE,
        mask=MASK,
        choices={**choices(priors), "first": None if service.offers else priors[0]["name"]},
    )


def _live() -> gr.HTML:
    return gr.HTML(
        None,
        html_template=asset("restoring/live.html"),
        css_template=asset("restoring/live.css"),
        js_on_load='"use strict";\n' + asset("restoring/live.js"),
        apply_default_css=False,
        elem_id="restore-search",
        board=BOARD,
        live=LIVE,
    )


def _reply() -> gr.HTML:
    """What hands an answer to the page's script."""
    return gr.HTML(
        None,
        html_template="<i hidden></i>",
        js_on_load=asset("priors/reply.js"),
        apply_default_css=False,
        elem_classes="p2p-unseen",
        board=BOARD,
    )


def _event(element: str, name: str) -> str:
    """A script that tells an element of an event."""
    return f"() => {{ document.getElementById('{element}')?.dispatchEvent(new Event('{name}')); }}"


# --- the photo ---


def _hear_photo(service: Service, photo: gr.HTML, mask: gr.HTML) -> None:
    """Lay each photo beneath the canvas, with the mask of its holes where they were made here; and tell the script."""

    def lay(request: gr.Request, value: Any) -> Any:
        try:
            picture = canvas.drawn(value)
            if picture is None:
                return canvas.photo_value(None), {"photo": None}
            preview, width, height = service.preview(picture, visitor_of(request))
            holes = mask_of(picture)
            beneath = canvas.photo_value(preview, width, height) | ({} if holes is None else canvas.load_value(holes))
            is_damaged = truth_of(picture) is not None
            about_it = {"path": str(picture), "name": picture.name, "width": width, "height": height}
            return beneath, {"photo": {**about_it, "isDamaged": is_damaged, "file": file(picture)}}
        except Exception as error:
            return canvas.photo_value(None), {"photo": None, "error": friendly(error)}

    photo.input(
        lay,
        photo,
        [mask, _reply()],
        trigger_mode="always_last",
        show_progress="hidden",
        concurrency_limit=None,
        api_visibility="private",
    )
    photo.example(None, js=_event(BOARD, "example"))


def _sent(asked: Question) -> Path:
    """The photo that a question is about. Raises ValueError without one, and for what was not sent here."""
    picture = canvas.drawn(asked.get("photo"))
    if picture is None:
        raise ValueError("choose a photo first, or try an example")
    return picture


# --- questions ---

Answer = Callable[[Searcher, Question, str], dict[str, Any] | Path]


def estimate(searcher: Searcher, asked: Question, visitor: str) -> dict[str, Any]:
    """How long a search would take."""
    found = searcher.estimate(_sent(asked), asked.get("settings"), visitor)
    return {"seconds": found.seconds, "solver": found.solver, "steps": found.steps}


def damage(searcher: Searcher, asked: Question, visitor: str) -> Path:
    """The photo damaged for trying."""
    return searcher.damage(_sent(asked), asked.get("settings"), visitor)


def original(searcher: Searcher, asked: Question, visitor: str) -> Path:
    """What a photo was before it was damaged here."""
    truth = truth_of(_sent(asked))
    if truth is None:
        raise ValueError("this photo was not damaged here")
    return truth


def sample(searcher: Searcher, asked: Question, visitor: str) -> Path:
    """A damaged picture to try."""
    return searcher.example(asked.get("settings"), visitor)


ANSWERS: dict[str, Answer] = {"estimate": estimate, "damage": damage, "original": original, "sample": sample}


def _listen(trigger: Any, searcher: Searcher, answer: Answer, photo: gr.HTML) -> None:
    """Have `answer` given to each question that `trigger` brings; a picture goes where photos come in."""

    def run(request: gr.Request, event: gr.EventData) -> Any:
        asked = event._data if isinstance(event._data, dict) else {}
        number = {"id": asked.get("id")}
        try:
            given = answer(searcher, asked, visitor_of(request))
        except Exception as error:
            return gr.skip(), {**number, "error": friendly(error)}
        return (example_value(given), number) if isinstance(given, Path) else (gr.skip(), {**number, **given})

    event = trigger(
        run,
        None,
        [photo, _reply()],
        trigger_mode="multiple",
        show_progress="hidden",
        concurrency_limit=None,
        api_visibility="private",
    )
    event.failure(None, js=_event(BOARD, "refused"))


# --- the search ---


def _search(searcher: Searcher, live: gr.HTML, mask: gr.HTML, panel: gr.HTML) -> None:
    """Start and stop."""
    running = gr.State(None)

    def run(request: gr.Request, event: gr.EventData, marked: Any) -> Iterator[Any]:
        asked = event._data if isinstance(event._data, dict) else {}
        progress = Progress()
        try:
            covered = canvas.drawn(marked) if asked.get("paints") else None
            for told in steps(searcher, _sent(asked), covered, asked.get("settings"), visitor_of(request), progress):
                if isinstance(told, Found):
                    yield None, {"going": False}, {**shown(told.result), "lines": told.lines, "command": told.command}
                else:
                    yield progress, told, gr.skip()
        except Exception as error:
            # Who stops a search before its turn has seen nothing of it, and knows why.
            is_quiet = progress.stop.is_set() and progress.going is None
            yield None, {"going": False, "error": "" if is_quiet else friendly(error)}, gr.skip()

    started = live.start(
        run,
        mask,
        [running, live, panel],
        trigger_mode="once",
        show_progress="hidden",
        concurrency_limit=None,
        api_visibility="private",
    )
    started.failure(None, js=_event(LIVE, "refused"))
    live.stop(stop, running, show_progress="hidden", concurrency_limit=None, queue=False, api_visibility="private")


def stop(progress: Progress | None) -> None:
    """Have a search end with what it has."""
    if progress is not None:
        progress.stop.set()


def steps(
    searcher: Searcher, picture: Path, mask: Path | None, settings: object, visitor: str, progress: Progress
) -> Iterator[dict[str, Any] | Found]:
    """What the page shows while a search runs in a thread of its own, and last what was found.

    Raises ValueError where nothing could be. A visitor who leaves the page ends it.
    """
    pool = ThreadPoolExecutor(1)
    work = pool.submit(searcher.search, picture, mask, settings, visitor, progress)
    try:
        while not work.done():
            yield value_of(progress, searcher.waiting)
            time.sleep(PAUSE)
    finally:
        if not work.done():
            progress.stop.set()
        # Who leaves closes this on the event loop of the server, which must not wait for the step in hand.
        pool.shutdown(wait=False)
    yield work.result()


def value_of(progress: Progress, waiting: int) -> dict[str, Any]:
    """How far a search is, for the page, while so many wait for their turn."""
    going = progress.going
    if going is None:
        return {"going": True, "waiting": waiting > 0 and not progress.has_begun}
    return {
        "going": True,
        "step": going.step,
        "steps": going.steps,
        "number": going.number,
        "count": going.count,
        "left": going.left,
        "misfit": going.misfit,
        "preview": data_uri("jpeg", going.preview),
    }
