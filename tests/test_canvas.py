"""The drawing canvases in a real browser: every exported pixel, every way in, one call of Python for a change."""

from __future__ import annotations

import base64
import io
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from pix2pix.data.conditions.palette import nearest_class

CHROMIUM = Path(os.environ.get("PIX2PIX_CHROMIUM", "/usr/bin/chromium"))
PALETTE = {
    "sky": (0, 0, 222),
    "wall": (0, 48, 255),
    "door": (1, 207, 255),
    "shop": (174, 0, 1),
    "sill": (112, 254, 142),
}
COLOURS = np.array(list(PALETTE.values()), np.uint8)
SIDE = 128
PHOTOS = {"first": (90, 60), "second": (48, 64)}  # width, height of the real picture; its preview has half of both

SITE = f"""
import io, json, os, sys
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
import fastapi, gradio as gr, uvicorn
from pathlib import Path
from PIL import Image
from pix2pix.ui import canvas

folder = Path(sys.argv[2])

def png(width, height, colour):
    content = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(content, "PNG")
    return content.getvalue()

def heard(name):
    def call(value):
        with (folder / "calls").open("a") as file:
            file.write(json.dumps([name, str(canvas.drawn(value))]) + "\\n")
        return "heard"
    return call

with gr.Blocks(analytics_enabled=False) as site:
    gr.Markdown("canvases")
made = {{
    "label": lambda: canvas.label_canvas({PALETTE!r}, {SIDE}, "c"),
    "sketch": lambda: canvas.sketch_canvas({SIDE}, "c"),
    "mask": lambda: canvas.mask_canvas("c"),
    "hint": lambda: canvas.hint_canvas("c"),
}}
for name, make in made.items():
    with site.route(name, "/" + name):
        drawing = make()
        answer = gr.Textbox(label="Answer")
        gr.Textbox(label="Words", interactive=True)
        drawing.input(heard(name), drawing, answer, trigger_mode="always_last", show_progress="hidden")
        if name in ("label", "sketch"):
            drawing.example(lambda: canvas.load_value(png(40, 30, "red")), None, drawing, show_progress="hidden")
        for title, (width, height) in {PHOTOS!r}.items():
            preview = folder / (title + ".png")
            preview.write_bytes(png(width // 2, height // 2, "grey"))
            source = preview if title == "first" else preview.read_bytes()
            gr.Button(title).click(
                lambda source=source, width=width, height=height: canvas.photo_value(source, width, height),
                None, drawing, show_progress="hidden",
            )
        gr.Button("huge").click(lambda: canvas.photo_value(png(60, 40, "grey"), 6000, 4000), None, drawing)
        gr.Button("tell").click(heard(name), drawing, answer, show_progress="hidden")
        gr.Button("none").click(lambda: canvas.photo_value(None), None, drawing, show_progress="hidden")
app = gr.mount_gradio_app(fastapi.FastAPI(), site, path="/", ssr_mode=False, footer_links=[], show_error=True,
    theme=gr.themes.Default(font=["system-ui", "sans-serif"], font_mono=["monospace"]))
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="error")
"""


class Site:
    """The server's address and what its Python heard."""

    def __init__(self, address: str, folder: Path) -> None:
        self.address = address
        self.folder = folder

    def calls(self) -> list[tuple[str, Path]]:
        file = self.folder / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        return [(name, Path(path)) for name, path in map(json.loads, lines)]


class Drawing:
    """One page with one canvas, and a hand on it. Places are pixels of the drawing."""

    def __init__(self, page: Any, site: Site) -> None:
        self.page = page
        self.site = site
        self.surface = page.locator(".canvas-surface")

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where the centre of a pixel is on the screen."""
        box = self.surface.bounding_box()
        width, height = self.page.evaluate("(({width, height}) => [width, height])(document.querySelector('canvas'))")
        return box["x"] + (x + 0.5) * box["width"] / width, box["y"] + (y + 0.5) * box["height"] / height

    def stroke(self, *places: tuple[float, float], steps: int = 1) -> None:
        spots = [self.at(*place) for place in places]
        self.page.mouse.move(*spots[0])
        self.page.mouse.down()
        for spot in spots[1:]:
            self.page.mouse.move(*spot, steps=steps)
        self.page.mouse.up()

    def press(self, *keys: str) -> None:
        self.surface.focus()
        for key in keys:
            self.page.keyboard.press(key)

    def size(self, pixels: int) -> None:
        """Brushes up to 9 pixels grow by one with each press."""
        self.press(*["["] * 25, *["]"] * (pixels - 1))
        assert self.page.locator(".canvas-size-shown").inner_text() == f"{pixels} px"

    def choose(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def load(self, picture: np.ndarray, kind: str = "PNG") -> None:
        content = io.BytesIO()
        Image.fromarray(picture).save(content, kind)
        file = {"name": f"x.{kind.lower()}", "mimeType": f"image/{kind.lower()}", "buffer": content.getvalue()}
        self.page.locator(".canvas-frame input[type=file]").set_input_files(file)
        self.says("Loaded")

    def says(self, text: str) -> None:
        self.until(lambda: text in self.page.locator(".canvas-status").inner_text())

    def seen(self) -> object:
        """The surface's pixels, after what waits to be painted."""
        picture = "document.querySelector('canvas').toDataURL()"
        return self.page.evaluate(f"new Promise((done) => requestAnimationFrame(() => done({picture})))")

    def saved(self) -> bytes:
        with self.page.expect_download() as waiting:
            self.press("Control+s")
        return Path(waiting.value.path()).read_bytes()

    def sent(self) -> np.ndarray:
        """The drawing, once Python has heard of exactly what Save gives."""
        content = self.saved()
        self.until(lambda: bool(self.site.calls()) and self.site.calls()[-1][1].read_bytes() == content)
        return np.asarray(Image.open(io.BytesIO(content)))

    def until(self, is_true: Callable[[], bool]) -> None:
        end = time.monotonic() + 20
        while not is_true():
            assert time.monotonic() < end
            self.page.wait_for_timeout(20)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}; name one in PIX2PIX_CHROMIUM")
    folder = tmp_path_factory.mktemp("canvas")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "GRADIO_TEMP_DIR": str(folder / "uploads")}
    command = [sys.executable, "-c", SITE, str(port), str(folder)]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, cwd=Path(__file__).parent.parent, stdout=log, stderr=log, env=environment)
    try:
        address = f"http://127.0.0.1:{port}"
        end = time.monotonic() + 120
        while True:
            try:
                urllib.request.urlopen(address + "/label", timeout=10).close()
                break
            except OSError:
                assert server.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < end
                time.sleep(0.2)
        yield Site(address, folder)
    finally:
        server.terminate()
        server.wait()


@pytest.fixture(scope="module")
def browser(site: Site) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        opened = started.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def visit(browser: Any, site: Site) -> Iterator[Callable[..., Drawing]]:
    """Opens a page; at the end complains of anything on the console, and of requests to anywhere else."""
    complaints: list[str] = []
    contexts = []

    def asked(request: Any) -> None:
        if not request.url.startswith((site.address, "data:", "blob:")):
            complaints.append(request.url)

    def go(kind: str, width: int = 1000, height: int = 900, has_touch: bool = False) -> Drawing:
        context = browser.new_context(viewport={"width": width, "height": height}, has_touch=has_touch)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", asked)
        page.goto(f"{site.address}/{kind}")
        page.wait_for_selector(".canvas-toolbar")
        return Drawing(page, site)

    yield go
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture(scope="module")
def pages(visit: Callable[..., Drawing]) -> dict[str, Drawing]:
    return {kind: visit(kind) for kind in ("label", "sketch", "mask", "hint")}


@pytest.fixture
def label(pages: dict[str, Drawing]) -> Drawing:
    """A blank map of the first class, the brush and the second class chosen."""
    pages["label"].page.locator("select").select_option("256")
    pages["label"].press("Delete", "2", "b")
    return pages["label"]


def classes(picture: np.ndarray) -> np.ndarray:
    """The class of each pixel; every one is exactly a palette colour."""
    found, distance = nearest_class(np.ascontiguousarray(picture), PALETTE)
    assert distance.max() == 0
    return found


# --- label maps ---


def test_a_rectangle_has_its_corners_and_area(label: Drawing) -> None:
    label.press("r", "3")
    label.stroke((20, 30), (59, 40), (49, 44))
    expected = np.zeros((256, 256), np.uint8)
    expected[30:45, 20:50] = 2  # both corners belong to it: 30 x 15 pixels
    assert np.array_equal(classes(label.sent()), expected)

    label.page.keyboard.down("Shift")
    label.stroke((200, 200), (190, 230))
    label.page.keyboard.up("Shift")
    expected[200:231, 170:201] = 2
    assert np.array_equal(classes(label.sent()), expected)


def test_lines_of_one_pixel_have_no_gaps(label: Drawing) -> None:
    label.size(1)
    label.press("l")
    generator = np.random.default_rng(0)
    for ends in generator.integers(0, 256, (6, 2, 2)).tolist():
        label.press("Delete")
        label.stroke(*ends)
        drawn = classes(label.sent())
        (x0, y0), (x1, y1) = ends
        assert drawn[y0, x0] == drawn[y1, x1] == 1
        pieces, _ = cv2.connectedComponents(drawn, connectivity=8)
        assert pieces == 2  # the ground and one line
        assert max(abs(x1 - x0), abs(y1 - y0)) + 1 <= drawn.sum() <= abs(x1 - x0) + abs(y1 - y0) + 1


@pytest.mark.parametrize(("size", "area"), [(2, 4), (3, 9), (4, 12), (5, 21)])
def test_a_dot_is_a_disc(label: Drawing, size: int, area: int) -> None:
    """Pixels whose centres are within half the size: counted by hand on squared paper."""
    label.size(size)
    label.stroke((100, 100))
    assert classes(label.sent()).sum() == area


def test_fill_takes_one_region_of_one_class(label: Drawing) -> None:
    generator = np.random.default_rng(1)
    blobs = cv2.resize(generator.integers(0, 3, (12, 15), np.uint8), (90, 72), interpolation=cv2.INTER_NEAREST)
    label.load(COLOURS[blobs])
    label.press("f", "5")
    label.stroke((44, 40))
    _, regions = cv2.connectedComponents((blobs == blobs[40, 44]).astype(np.uint8), connectivity=4)
    expected = np.where(regions == regions[40, 44], 4, blobs)
    assert np.array_equal(classes(label.sent()), expected)


def test_a_loaded_picture_is_snapped_as_in_python(label: Drawing) -> None:
    noise = np.random.default_rng(2).integers(0, 256, (61, 97, 3), np.uint8)
    label.load(noise)
    sent = label.sent()
    assert np.array_equal(sent, COLOURS[nearest_class(noise, PALETTE)[0]])
    assert label.page.locator("select").input_value() == "own"
    label.press("Control+z")
    assert label.sent().shape == (256, 256, 3)


def test_random_strokes_stay_in_the_palette_and_can_all_be_taken_back(label: Drawing) -> None:
    generator = np.random.default_rng(3)
    blank = label.saved()
    states = [label.seen()]
    for _ in range(8):
        tool = generator.choice(["b", "b", "r", "l", "f", "e"])
        label.press(str(tool), str(generator.integers(2, 6)), *[str(generator.choice(["[", "]"]))] * 3)
        label.stroke(*generator.integers(0, 256, (4, 2)).tolist(), steps=2)
        picture = label.seen()
        if picture != states[-1]:
            states.append(picture)
    assert len(states) > 5
    classes(label.sent())
    full = label.saved()
    for state in states[-2::-1]:
        label.press("Control+z")
        assert label.seen() == state
    assert label.saved() == blank
    for state in states[1:]:
        label.press("Control+Shift+Z")
        assert label.seen() == state
    assert label.saved() == full
    assert label.page.get_by_role("button", name="Redo").is_disabled()


def test_an_example_from_python_is_one_step(label: Drawing) -> None:
    label.sent()
    before = label.saved()
    calls = len(label.site.calls())
    label.choose("Random example")
    label.says("Loaded: 40")
    assert np.array_equal(label.sent(), np.broadcast_to(COLOURS[3], (30, 40, 3)))  # red is nearest to the shop
    label.press("Control+z")
    assert label.saved() == before
    label.sent()
    assert len(label.site.calls()) == calls + 2


def test_pick_takes_the_class_under_the_pointer(label: Drawing) -> None:
    label.press("r", "4")
    label.stroke((10, 10), (60, 60))
    label.press("2", "i")
    label.stroke((30, 30))
    assert label.page.locator(".canvas-swatch[aria-pressed=true]").get_attribute("aria-label") == "shop"
    label.page.keyboard.down("Alt")
    label.stroke((200, 200))
    label.page.keyboard.up("Alt")
    assert label.page.locator(".canvas-swatch[aria-pressed=true]").get_attribute("aria-label") == "sky"


def test_another_size_scales_the_map(label: Drawing) -> None:
    label.press("r")
    label.stroke((64, 64), (191, 127))
    label.page.locator("select").select_option("512")
    assert np.array_equal(np.argwhere(classes(label.sent()) == 1).mean(axis=0), [191.5, 255.5])


def test_a_burst_of_strokes_makes_few_calls_and_the_last_has_the_last_drawing(label: Drawing) -> None:
    label.sent()
    before = len(label.site.calls())
    label.size(2)
    begun = time.monotonic()
    for index in range(15):
        label.stroke((10, 10 + 12 * index), (240, 10 + 12 * index))
    assert (classes(label.sent()) == 1).any(axis=1).sum() == 30
    label.page.wait_for_timeout(300)
    calls = label.site.calls()[before:]
    assert 1 <= len(calls) <= (time.monotonic() - begun) / 0.25 + 1
    assert len({path for _, path in calls}) == len(calls)  # never the same drawing twice


def test_results_come_during_a_stroke(label: Drawing) -> None:
    label.sent()
    before = len(label.site.calls())
    label.page.mouse.move(*label.at(20, 20))
    label.page.mouse.down()
    for index in range(8):
        label.page.mouse.move(*label.at(20 + 20 * index, 20 + 10 * index))
        label.page.wait_for_timeout(50)
    label.until(lambda: len(label.site.calls()) > before)
    label.page.mouse.up()
    label.sent()


# --- ways in ---


def test_shortcuts_are_not_heard_while_somebody_types(label: Drawing) -> None:
    label.press("b")
    label.page.mouse.move(*label.at(50, 50))
    words = label.page.get_by_label("Words")
    words.focus()
    label.page.keyboard.press("e")
    assert label.page.get_by_role("button", name="Brush", exact=True).get_attribute("aria-pressed") == "true"
    assert words.input_value() == "e"
    words.blur()
    label.page.keyboard.press("e")  # nothing has the focus, the pointer is over the canvas
    assert label.page.get_by_role("button", name="Eraser").get_attribute("aria-pressed") == "true"


HAND_OVER = """([type, base64]) => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const carried = new DataTransfer();
    carried.items.add(new File([bytes], "x.png", {type: "image/png"}));
    const surface = document.querySelector(".canvas-surface");
    const about = {bubbles: true, cancelable: true, dataTransfer: carried, clipboardData: carried};
    surface.dispatchEvent(type === "drop" ? new DragEvent(type, about) : new ClipboardEvent(type, about));
}"""


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_a_picture_can_be_dropped_and_pasted(label: Drawing, way: str) -> None:
    content = io.BytesIO()
    Image.new("RGB", (33, 22), PALETTE["door"]).save(content, "PNG")
    label.page.evaluate(HAND_OVER, [way, base64.b64encode(content.getvalue()).decode()])
    label.says("Loaded: 33")
    assert (classes(label.sent()) == 2).all()


def test_a_file_that_is_no_picture_is_told_in_a_line(label: Drawing) -> None:
    file = {"name": "x.png", "mimeType": "image/png", "buffer": b"not a picture"}
    label.page.locator(".canvas-frame input[type=file]").set_input_files(file)
    label.says("no picture")


# --- sketches ---


def test_a_sketch_is_dark_where_the_pencil_went_and_white_elsewhere(pages: dict[str, Drawing]) -> None:
    sketch = pages["sketch"]
    sketch.press("Delete", "p")
    sketch.size(3)
    sketch.stroke((20, 30), (100, 30), steps=10)
    sketch.stroke((60, 50), (60, 110), steps=10)
    drawn = sketch.sent()
    assert drawn.shape == (SIDE, SIDE)
    assert (drawn[30, 20:101] == 0).all()
    assert (drawn[50:111, 60] == 0).all()
    far = np.ones_like(drawn, bool)
    far[27:34, 17:104] = far[47:114, 57:64] = False
    assert (drawn[far] == 255).all()
    assert len(np.unique(drawn)) > 2  # its edges are smooth
    sketch.press("e")
    sketch.size(9)
    sketch.stroke((10, 30), (110, 30), steps=10)
    assert (sketch.sent()[:45] == 255).all()


def test_the_photo_to_trace_is_not_exported(pages: dict[str, Drawing]) -> None:
    sketch = pages["sketch"]
    box = sketch.page.get_by_label("Show the photo")
    assert box.is_hidden()
    sketch.stroke((20, 20), (90, 80))
    sketch.sent()
    before, calls = sketch.saved(), len(sketch.site.calls())
    sketch.choose("first")
    box.wait_for()
    assert sketch.page.locator(".canvas-photo").is_visible()
    assert sketch.saved() == before
    sketch.choose("tell")
    sketch.until(lambda: len(sketch.site.calls()) > calls)
    assert [path.read_bytes() for _, path in sketch.site.calls()[calls:]] == [before]
    box.uncheck()
    assert sketch.page.locator(".canvas-photo").is_hidden()


def test_a_loaded_drawing_lies_on_white(pages: dict[str, Drawing]) -> None:
    drawing = np.zeros((40, 70, 4), np.uint8)
    drawing[10:20, 10:60, 3] = 255
    pages["sketch"].load(drawing)
    assert np.array_equal(pages["sketch"].sent(), 255 - drawing[:, :, 3])


# --- masks ---


def test_masks_are_black_and_white_and_of_the_photos_size(pages: dict[str, Drawing]) -> None:
    mask = pages["mask"]
    mask.stroke((1, 1))
    mask.choose("first")
    mask.says("Paint over")
    mask.press("r")
    mask.stroke((10, 5), (29, 14))
    expected = np.zeros((60, 90), np.uint8)
    expected[5:15, 10:30] = 255
    assert np.array_equal(mask.sent(), expected)
    mask.press("x")
    assert np.array_equal(mask.sent(), 255 - expected)
    mask.press("Control+z", "b")
    mask.stroke((50, 20), (80, 50), steps=5)
    assert set(np.unique(mask.sent())) == {0, 255}


def test_the_lasso_fills_what_it_winds_around(pages: dict[str, Drawing]) -> None:
    mask = pages["mask"]
    mask.press("Delete", "o")
    mask.stroke((10, 10), (40, 10), (40, 40), (10, 40))
    filled = mask.sent()
    assert (filled[11:40, 11:40] == 255).all()
    assert (filled == 255).sum() <= 31 * 31
    mask.press("Delete")
    mask.stroke((5, 5), (25, 5), (25, 25), (5, 25), (5, 5), (25, 5), (25, 25), (5, 25))
    assert (mask.sent()[6:25, 6:25] == 255).all()  # twice around is no hole


def test_a_mask_is_kept_for_the_next_picture(pages: dict[str, Drawing]) -> None:
    mask = pages["mask"]
    mask.choose("first")
    mask.says("Paint over")
    half = np.zeros((60, 90), np.uint8)
    half[:, :45] = 255
    mask.load(half)
    assert np.array_equal(mask.sent(), half)
    mask.page.get_by_label("Keep this mask").check()
    mask.choose("second")
    mask.says("used again")
    kept = mask.sent()
    assert kept.shape == (64, 48)
    assert (kept[:, :24] == 255).all()
    assert (kept[:, 24:] == 0).all()
    mask.page.get_by_label("Keep this mask").uncheck()
    calls = len(mask.site.calls())
    mask.choose("first")
    mask.says("Paint over")
    mask.page.wait_for_timeout(400)
    assert len(mask.site.calls()) == calls
    assert not np.asarray(Image.open(io.BytesIO(mask.saved()))).any()


def test_a_mask_for_a_huge_picture_has_its_size(pages: dict[str, Drawing]) -> None:
    mask = pages["mask"]
    mask.choose("huge")
    mask.until(lambda: bool(mask.page.evaluate("document.querySelector('canvas').width > 4000")))
    mask.press("x")
    filled = mask.sent()
    assert filled.shape == (4000, 6000)
    assert filled.min() == 255
    mask.choose("none")
    mask.says("Choose a picture")
    mask.press("Delete", "x", "Control+s")
    mask.says("Choose a picture")


# --- colour hints ---


def test_hints_are_opaque_strokes_on_transparency(pages: dict[str, Drawing]) -> None:
    hint = pages["hint"]
    hint.choose("first")
    hint.says("Paint a few")
    hint.press("2")
    hint.size(5)
    hint.stroke((20, 20), (60, 33), steps=8)
    hint.page.locator("input[type=color]").fill("#12ab34")
    hint.stroke((20, 50), (60, 50))
    hint.page.get_by_label("Grey: no colour").click()
    hint.stroke((80, 5))
    drawn = hint.sent()
    assert drawn.shape == (60, 90, 4)
    colours = {tuple(colour) for colour in np.unique(drawn.reshape(-1, 4), axis=0).tolist()}
    assert colours == {(0, 0, 0, 0), (200, 40, 45, 255), (0x12, 0xAB, 0x34, 255), (128, 128, 128, 255)}
    assert (drawn[48:53, 20:61] == [0x12, 0xAB, 0x34, 255]).all()
    hint.press("e")
    hint.size(9)
    hint.stroke((10, 50), (75, 50))
    assert (hint.sent()[45:55] == 0).all()


# --- phones ---


def test_a_finger_draws_and_a_pinch_takes_it_back(visit: Callable[..., Drawing]) -> None:
    phone = visit("label", 390, 844, has_touch=True)
    phone.size(1)
    touch = phone.page.context.new_cdp_session(phone.page)

    def send(kind: str, *place: float) -> None:
        points = [dict(zip("xy", phone.at(*place), strict=True))] if place else []
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    send("touchStart", 10, 60)
    for x in range(12, 101, 4):
        send("touchMove", x, 60)
    send("touchEnd")
    drawn = classes(phone.sent())
    assert (drawn[60, 10:97] == 1).all()
    assert drawn.sum() == drawn[60].sum()
    before = phone.saved()
    send("touchStart", 10, 90)
    send("touchMove", 60, 90)
    send("touchCancel")
    assert phone.saved() == before
    assert phone.page.evaluate("getComputedStyle(document.querySelector('canvas')).touchAction") == "pinch-zoom"


@pytest.mark.parametrize("kind", ["label", "sketch", "mask", "hint"])
def test_a_canvas_fits_a_phone_and_a_thumb(pages: dict[str, Drawing], kind: str) -> None:
    page = pages[kind].page
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    small = """[...document.querySelectorAll('.canvas-frame :is(button, select, label)')].filter((e) => e.offsetParent)
        .map((e) => [e.textContent, e.getBoundingClientRect()])
        .filter(([_, box]) => box.height < 40 || box.width < 40 || box.right > 390)"""
    assert page.evaluate(small) == []
    unnamed = "[...document.querySelectorAll('.canvas-frame :is(button, input, select, canvas)')]"
    assert page.evaluate(unnamed + ".filter((e) => !(e.ariaLabel || e.labels?.[0]?.textContent)).length") == 0


# --- files ---


SCRIPTS = sorted(
    path for path in Path(__file__).parents[1].glob("pix2pix/ui/canvas/*") if path.suffix in {".js", ".css"}
)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.name))
def test_a_script_is_one_idea_and_asks_nobody(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("// " if path.suffix == ".js" else "/* ")
    assert len(text.splitlines()) <= 300
    assert "://" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "svelte" not in text  # the private classes of gradio


# --- Python ---


def test_only_uploaded_files_are_drawings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    canvas = pytest.importorskip("pix2pix.ui.canvas", reason="gradio is not installed")
    uploads = tmp_path / "uploads"
    (uploads / "a").mkdir(parents=True)
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(uploads))
    drawing = uploads / "a" / "mask.png"
    drawing.write_bytes(b"")
    (tmp_path / "secret").write_bytes(b"")
    (uploads / "link").symlink_to(tmp_path / "secret")
    assert canvas.drawn(str(drawing)) == drawing.resolve()
    assert [canvas.drawn(value) for value in (None, "", {"load": "data:"})] == [None] * 3
    for foreign in (tmp_path / "secret", uploads / ".." / "secret", uploads / "link", uploads / "none", "mask.png"):
        with pytest.raises(ValueError, match="draw again"):
            canvas.drawn(str(foreign))
