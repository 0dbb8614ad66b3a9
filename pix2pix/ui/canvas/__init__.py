"""Drawing surfaces for the pages: label maps, sketches, masks and colour hints, each a `gr.HTML` with its own script.

What passes between a canvas and Python is its value and two events.

- The person draws: the canvas uploads the drawing as a PNG, its value becomes the path of it, and the event `input`
  fires, once a change and at most every 250 ms during a stroke. Listen with `trigger_mode="always_last"`; `change`
  also fires for what Python sets. `drawn` makes a safe path of the value.
- The person asks for an example (label and sketch canvas): the event `example` fires. Answer with `load_value`.
- Python puts a picture on the canvas by returning `load_value(...)`, or a photo beneath it by `photo_value(...)`, as
  the canvas's new value; `show_progress="hidden"` keeps the canvas bright meanwhile.

    canvas = label_canvas(offer.palette, 256, "labels")
    canvas.input(lambda value: translate(drawn(value)), canvas, result, trigger_mode="always_last")
    canvas.example(lambda: load_value(example.read_bytes()), None, canvas, show_progress="hidden")
"""

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import FileData
from gradio.utils import get_upload_folder

Colour = tuple[int, int, int]

_FOLDER = Path(__file__).parent
_CORE = (
    *("raster.js", "history.js", "png.js", "pictures.js", "exchange.js"),
    *("icons.js", "widgets.js", "surface.js", "tools.js", "strokes.js", "keys.js", "toolbar.js", "editor.js"),
)
_SHELL = '<div class="canvas-frame"></div>'


def label_canvas(palette: Mapping[str, Colour], side: int, elem_id: str) -> gr.HTML:
    """A canvas for label maps, `side` x `side` pixels of the palette's first class at the start.

    Exports RGB; every pixel is exactly a palette colour. Tools: brush, rectangle, line, fill, pick, eraser. A picture
    that is put on it keeps its size (the long side at most 2,048) and each pixel becomes the nearest palette colour.
    """
    assert 0 < len(palette) <= 256, "a palette has 1 to 256 classes"
    named = [[name, list(colour)] for name, colour in palette.items()]
    return _canvas(["label.js"], elem_id, {"palette": named, "side": side})


def sketch_canvas(side: int, elem_id: str) -> gr.HTML:
    """White paper of `side` x `side` pixels and a black pencil with smooth strokes; a photo can lie beneath to trace.

    Exports 8-bit grey. Tools: pencil, eraser, straight line. A picture that is put on it keeps its size (the long side
    at most 2,048), transparency becomes white, colours become grey. The photo beneath is never exported.
    """
    return _canvas(["sketch.js"], elem_id, {"side": side})


def mask_canvas(elem_id: str) -> gr.HTML:
    """A canvas over a photo that marks what is to be filled: brush, eraser, rectangle, lasso, invert.

    Exports 8-bit grey of the width and height that `photo_value` named, only 0 and 255 (fill). Above 16 megapixels it
    is drawn smaller and enlarged in the browser at export, each pixel from its nearest.
    """
    return _canvas(["photo.js", "mask.js"], elem_id, {})


def hint_canvas(elem_id: str) -> gr.HTML:
    """A canvas over a photo for strokes of colour.

    Exports RGBA of the photo's shape, the long side at most 1,024: strokes of exactly the chosen colours, opaque, on
    full transparency; nothing between. "Grey" is a stroke of (128, 128, 128): no colour there.
    """
    return _canvas(["photo.js", "hint.js"], elem_id, {})


def drawn(value: object) -> Path | None:
    """The drawing behind a canvas's value; None while nothing was drawn.

    Whoever speaks to the server without the page can send any text as the value, so only files that were uploaded
    are accepted. Raises ValueError for any other.
    """
    if not isinstance(value, str) or not value:
        return None
    path = Path(value).resolve()
    if not path.is_relative_to(Path(get_upload_folder()).resolve()) or not path.is_file():
        raise ValueError("the drawing is not on the server, expected an uploaded file: draw again")
    return path


def load_value(picture: bytes | Path) -> dict[str, Any]:
    """What to set a canvas's value to, to put a picture on it as one step that can be undone; `input` then fires.

    `picture` is the content of a PNG (goes with the page, right for small ones), or a file that the site may serve: in
    a folder of temporary files or in the cache of gradio. On a mask canvas white is filled (or what is opaque, in a
    picture with transparency).
    """
    return {"load": _source(picture)}


def photo_value(picture: bytes | Path | None, width: int = 0, height: int = 0) -> dict[str, Any]:
    """What to set a canvas's value to, to put a photo beneath it; None takes it away.

    `picture` as in `load_value`; any format a browser shows, and a preview is enough: `width` and `height` are pixels
    of the real picture, the shape of an exported mask (0: those of `picture`). A new photo starts a new drawing,
    without an event, except on a mask canvas whose person keeps the mask: then `input` fires with the scaled mask. On a
    sketch canvas the photo is for tracing, and the drawing stays.
    """
    return {"photo": None if picture is None else _source(picture), "width": width, "height": height}


def _source(picture: bytes | Path) -> str | dict[str, Any]:
    if isinstance(picture, Path):
        return FileData(path=str(picture)).model_dump()
    return "data:image/png;base64," + base64.b64encode(picture).decode()


def _canvas(own: Sequence[str], elem_id: str, settings: Mapping[str, Any]) -> gr.HTML:
    return gr.HTML(
        html_template=_SHELL,
        css_template=_joined(["canvas.css", "controls.css"]),
        # gradio runs it inside a function of its own: nothing of one canvas is seen by another or by the page.
        js_on_load='"use strict";\n' + _joined([*_CORE, *own]),
        apply_default_css=False,
        elem_id=elem_id,
        **settings,
    )


def _joined(names: Sequence[str]) -> str:
    return "\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in names)
