"""What the site is made of, without a browser: batches that end early, colours, launchers, cards."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from pix2pix.config import task_names
from pix2pix.images import read_image
from pix2pix.ui.limits import Busy, Limits
from pix2pix.ui.offers import Offer, offers
from pix2pix.ui.service import Service
from pix2pix.ui.wishes import TAKES, Archive, Wish, taken

ROOT = Path(__file__).parents[1]


class Batches:
    """A service whose batches take as long as it is let: one picture each time `more` is set."""

    limits = Limits()

    def __init__(self, archive: Path) -> None:
        self.archive = archive

    def batch(
        self, name: str, files: list[Path], wish: Wish, visitor: str, progress: Any, is_cancelled: Any
    ) -> Archive:
        for done in range(1000):
            progress(done, 1000)
            if is_cancelled():
                return Archive(self.archive, done, ())
            time.sleep(0.02)
        raise AssertionError("was not cancelled")


def test_batch_that_is_cancelled_keeps_what_is_done(tmp_path: Path) -> None:
    from pix2pix.ui.pages.batch import Progress, steps, stop

    archive = tmp_path / "out.zip"
    archive.write_bytes(b"zip")
    offer, progress, values = offers()[0], Progress(), []
    service: Any = Batches(archive)
    for value in steps(service, offer, [], Wish(), "me", progress):
        values.append(value)
        if value.get("done", 0) > 2:
            stop(progress)
    assert values[-1]["cancelled"]
    assert 2 < values[-1]["done"] < 1000
    assert values[-1]["zip"]["orig_name"] == "out.zip"


def test_visitor_who_leaves_stops_the_batch(tmp_path: Path) -> None:
    from pix2pix.ui.pages.batch import Progress, steps

    archive = tmp_path / "out.zip"
    archive.write_bytes(b"zip")
    progress, service = Progress(), Batches(archive)
    going = steps(service, offers()[0], [], Wish(), "me", progress)  # type: ignore[arg-type]
    next(going)
    going.close()  # type: ignore[attr-defined]
    assert progress.stop.is_set()


EXAMPLES = """
import sys
from pathlib import Path
import gradio as gr
from pix2pix.ui.limits import Busy, Limits
from pix2pix.ui.offers import offers
from pix2pix.ui.pages import labels, mask, photo, photos, sketch
from pix2pix.ui.service import Service

asked = []

def answer(trigger, make, inputs, *rest, **others):
    if not inputs:
        asked.append(make)
    return gr.Button().click(lambda: None)

for page in (labels, sketch, photos):
    page.answer = answer
build = {"labels": labels.labels_page, "sketch": sketch.sketch_page, "photo": photo.photo_page, "mask": mask.mask_page}
with gr.Blocks(analytics_enabled=False):
    for kind in build:
        build[kind](Service(offers(), Limits(rate=1), Path(sys.argv[1])), next(o for o in offers() if o.kind == kind))
for make in asked:
    make("10.0.0.1")
    try:
        make("10.0.0.1")
    except Busy:
        print("busy")
"""


def test_examples_count_for_who_asks(tmp_path: Path) -> None:
    # Gradio leaves an event loop behind, which would be an error here.
    program = [sys.executable, "-c", EXAMPLES, str(tmp_path)]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["busy"] * 4, done.stderr


def test_a_photo_to_draw_on_counts_for_who_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from types import SimpleNamespace

    from pix2pix.ui import canvas
    from pix2pix.ui.pages import photos

    asked: list[Any] = []
    monkeypatch.setattr(photos, "answer", lambda trigger, make, *_, **__: asked.append(make))
    monkeypatch.setattr(canvas, "drawn", lambda value: value)
    service = Service(offers(), Limits(rate=1), tmp_path)
    zone: Any = SimpleNamespace(input=None)
    photos.lay_beneath(service, zone, zone)
    picture = service.example("colorize", 1, "")
    assert asked[0]("10.0.0.1", picture)
    with pytest.raises(Busy, match="1 a minute"):
        asked[0]("10.0.0.1", picture)


def test_every_field_of_a_wish_is_said_to_mean_something_or_nothing() -> None:
    from pix2pix.ui.endpoints import WISHES

    assert list(TAKES) == list(WISHES)
    assert set(TAKES) == {field.name for field in fields(Wish)}
    takes = {offer.name: taken(offer) for offer in offers()}
    assert takes["colorize"][:2] == ["saturation", "hints"]
    assert "hints" not in takes["inpaint"] + takes["facades"]
    assert takes["inpaint"][:2] == ["mask", "grow"]


def test_colours_can_be_read() -> None:
    style = (ROOT / "pix2pix" / "ui" / "look.css").read_text(encoding="utf-8")
    for block in re.findall(r"^(?::root|\.dark) \{(.*?)^\}", style, re.DOTALL | re.MULTILINE):
        colours = dict(re.findall(r"--p2p-([\w-]+): (#\w{6});", block))
        for ink, paper in (
            *(("ink", "paper"), ("ink", "card"), ("soft", "paper"), ("soft", "card"), ("accent", "paper")),
            *(("accent", "card"), ("on-accent", "accent"), ("on-accent", "accent-hover"), ("bad", "bad-wash")),
        ):
            assert contrast(colours[ink], colours[paper]) >= 4.5, (ink, paper)


def contrast(first: str, second: str) -> float:
    """Of two sRGB colours, from 1 to 21: WCAG 2.1."""

    def luminance(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    lighter, darker = sorted((luminance(first), luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_every_task_has_a_launcher_that_starts() -> None:
    apps = {path.stem for path in (ROOT / "apps").glob("*.py")}
    assert apps == {*task_names()} - {"custom"} | {"gallery"}
    program = """
import runpy, sys
for path in sys.argv[1:]:
    sys.argv = [path, "--help"]
    try:
        runpy.run_path(path, run_name="__main__")
    except SystemExit as leaving:
        print(path, leaving.code)
"""
    paths = [str(path) for path in sorted((ROOT / "apps").glob("*.py"))]
    done = subprocess.run([sys.executable, "-c", program, *paths], capture_output=True, text=True, check=True)
    assert [line for line in done.stdout.splitlines() if line.endswith(" 0")] == [f"{path} 0" for path in paths]


def test_card_of_every_shipped_task_is_small() -> None:
    from pix2pix.ui.pages.cards import CARDS

    shipped: list[Offer] = [offer for offer in offers() if offer.model is not None and "weights" in str(offer.model)]
    for offer in shipped:
        assert (CARDS / f"{offer.name}.webp").stat().st_size <= 15_000
        assert read_image(CARDS / f"{offer.name}.webp").shape == (240, 480, 3)
