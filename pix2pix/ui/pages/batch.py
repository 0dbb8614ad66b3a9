"""The tab for many files: pictures or a zip of them in, a zip out; progress, and a stop that keeps what is done."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr

from pix2pix.images import IMAGE_SUFFIXES
from pix2pix.ui.look import asset
from pix2pix.ui.offers import Offer
from pix2pix.ui.pages.layout import three_parts
from pix2pix.ui.pages.results import file
from pix2pix.ui.pages.settings import settings
from pix2pix.ui.pages.working import friendly
from pix2pix.ui.service import Archive, Service
from pix2pix.ui.visitors import visitor_of
from pix2pix.ui.wishes import Wish

PAUSE = 0.25  # seconds between two looks at how far a batch is
KINDS = sorted({".zip", *IMAGE_SUFFIXES})
WHAT = {"labels": "Label maps", "sketch": "Drawings", "photo": "Photos", "mask": "Photos with transparent holes"}


@dataclass
class Progress:
    """How far a batch is, told by the thread that works on it, and whether its visitor wants it to stop."""

    done: int = 0
    total: int = 0
    stop: threading.Event = field(default_factory=threading.Event)
    start: float = field(default_factory=time.monotonic)

    def tell(self, done: int, total: int) -> None:
        """Note that `done` of `total` pictures are made."""
        self.done, self.total = done, total

    def value(self) -> dict[str, Any]:
        """For the page."""
        seconds = round(time.monotonic() - self.start, 1)
        return {"done": self.done, "total": self.total, "seconds": seconds, "cancelled": self.stop.is_set()}


def batch_tab(service: Service, offer: Offer) -> None:
    """Files and settings left, progress and the zip right."""
    running = gr.State(None)
    with three_parts() as (given, below, result):
        with given:
            what = f"{WHAT[offer.kind]}, or a zip of them"
            files = gr.File(
                label=what,
                file_count="multiple",
                file_types=KINDS,
                height=200,
                elem_id=f"files-{offer.name}",
                elem_classes="p2p-files",
            )
            mask = None
            if offer.kind == "mask":
                mask = gr.File(
                    label="One mask for all (if they have no holes): white is filled",
                    file_types=KINDS,
                    height=170,
                    elem_classes="p2p-files",
                )
        with below:
            chosen = settings(offer)
            with gr.Row(elem_classes="p2p-start"):
                start = gr.Button("Start", variant="primary", size="md")
                cancel = gr.Button("Cancel", interactive=False, size="md")
        with result:
            panel = gr.HTML(
                None,
                html_template=asset("pages/batch.html"),
                js_on_load=asset("pages/batch.js"),
                apply_default_css=False,
                elem_id=f"batch-{offer.name}",
                empty=f"Up to {service.limits.files:,} pictures at a time. The zip keeps their names and folders.",
            )

    def run(request: gr.Request, paths: list[str] | None, cover: str | None, *values: Any) -> Iterator[Any]:
        idle = gr.update(interactive=True), gr.update(interactive=False)
        if not paths:
            yield None, {"error": "Choose some pictures, or a zip of them, first."}, *idle
            return
        try:
            wish = chosen.wish(values, mask=Path(cover) if cover else None)
            progress = Progress()
            for value in steps(service, offer, [Path(each) for each in paths], wish, visitor_of(request), progress):
                yield progress, value, gr.update(interactive=False), gr.update(interactive=True)
            yield None, gr.skip(), *idle
        except Exception as error:
            yield None, {"error": friendly(error)}, *idle

    start.click(
        run,
        [files, gr.State(None) if mask is None else mask, *chosen.inputs],
        [running, panel, start, cancel],
        trigger_mode="once",
        show_progress="hidden",
        concurrency_limit=None,
        api_visibility="private",
    )
    cancel.click(
        stop, running, cancel, show_progress="hidden", concurrency_limit=None, queue=False, api_visibility="private"
    )


def stop(progress: Progress | None) -> Any:
    """Have a batch end after the picture it is at."""
    if progress is not None:
        progress.stop.set()
    return gr.update(interactive=False)


def steps(
    service: Service, offer: Offer, files: Sequence[Path], wish: Wish, visitor: str, progress: Progress
) -> Iterator[dict[str, Any]]:
    """The panel's values while a batch runs in a thread of its own, and last the one with its zip.

    Raises ValueError where nothing could be made. A visitor who leaves the page stops it.
    """
    pool = ThreadPoolExecutor(1)
    work = pool.submit(service.batch, offer.name, files, wish, visitor, progress.tell, progress.stop.is_set)
    try:
        while not work.done():
            yield progress.value()
            time.sleep(PAUSE)
    finally:
        if not work.done():
            progress.stop.set()
        # Who leaves closes this on the event loop of the server, which must not wait for the picture in hand.
        pool.shutdown(wait=False)
    yield finished(work.result(), progress)


def finished(archive: Archive, progress: Progress) -> dict[str, Any]:
    """The panel's value of a batch that has ended."""
    return {
        "zip": file(archive.path),
        "done": archive.done,
        "failed": list(archive.failed),
        "cancelled": progress.stop.is_set(),
    }
