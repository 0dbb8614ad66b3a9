"""The site as an API: one named endpoint a task, on files, and some that serve all of them.

Annotations are what Gradio makes its documentation from, and it wants them as types rather than as text.
"""

import inspect
import logging
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import gradio as gr
from gradio import FileData
from gradio.events import api
from gradio.exceptions import Error

from pix2pix.ui.offers import Offer
from pix2pix.ui.service import Result, Service, Wish
from pix2pix.ui.visitors import visitor_of
from pix2pix.ui.wishes import MOST_GROWTH, MOST_SAMPLES, MOST_SATURATION

GENERAL = "something went wrong on the server; try again, or send another picture"

Parameter = tuple[Any, Any, str]  # type, default, what it is
WISHES: dict[str, Parameter] = {
    "saturation": (float, 1.0, f"0 is grey, 1 as predicted, up to {MOST_SATURATION:g}"),
    "hints": (FileData | None, None, "strokes of colour on transparency, of the picture's shape"),
    "strength": (float, 1.0, "0 leaves the picture as it is, 1 is as the model makes it"),
    "as_drawn": (bool, False, "leave the lines as they are, rather than make them alike"),
    "mask": (FileData | None, None, "of the picture's size, white where it is to be filled; else its own transparency"),
    "grow": (int, 0, f"pixels by which the mask grows first, up to {MOST_GROWTH}"),
    "samples": (int, 1, f"how many outputs to draw, up to {MOST_SAMPLES}"),
    "seed": (int, 0, "of the samples; one with seed 0 is without chance"),
}
"""What may be asked for beside the picture, in the order of an endpoint's parameters."""


def taken(offer: Offer) -> list[str]:
    """Names of the `WISHES` that mean something for a task."""
    task = offer.task
    groups = (
        (task.takes_colour, ("saturation", "hints")),
        (task.takes_strength, ("strength",)),
        (task.takes_lines, ("as_drawn",)),
        (offer.kind == "mask", ("mask", "grow")),
        (task.model.is_stochastic, ("samples", "seed")),
    )
    return [name for is_taken, names in groups if is_taken for name in names]


def add_endpoints(service: Service) -> None:
    """Add the endpoints to the `gr.Blocks` in whose context this is called."""
    for offer in service.offers:
        if offer.model is not None:
            _add(_translation(service, offer), offer.name)
    for function in (
        *(_any_translation(service), _batch(service), _edges(service), _snapped(service)),
        *(_example(service), _tasks(service)),
    ):
        _add(function, function.__name__)


def tasks(service: Service) -> list[dict[str, Any]]:
    """What there is, for programs: a dictionary of plain values for each task."""
    return [
        {
            "name": offer.name,
            "title": offer.title,
            "kind": offer.kind,
            "has_model": offer.model is not None,
            "how_to_train": "" if offer.model is not None else offer.how_to_train,
            "endpoint": f"/{offer.name}" if offer.model is not None else "",
            "parameters": {name: {"default": WISHES[name][1], "what": WISHES[name][2]} for name in taken(offer)},
            "palette": {name: list(colour) for name, colour in offer.palette.items()},
            "scale": offer.task.data.scale,
        }
        for offer in service.offers
    ]


def _add(function: Callable[..., Any], name: str) -> None:
    # The service itself says how many may compute; here all that come may wait.
    api(_friendly(function), api_name=name, concurrency_limit=None)


def _friendly(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, whose ValueErrors the caller sees, and of anything else only that it happened."""

    @wraps(function)
    def called(*values: Any) -> Any:
        try:
            return function(*values)
        except ValueError as error:
            raise _told(str(error)) from None
        except Exception:
            logging.getLogger(__name__).exception("the endpoint '%s' failed", function.__name__)
            raise _told(GENERAL) from None

    return called


def _told(line: str) -> Error:
    return Error(line, print_exception=False)


def _translation(service: Service, offer: Offer) -> Callable[..., Any]:
    names = taken(offer)

    def translate(image: Any, *values: Any) -> list[FileData]:
        *settings, request = values
        wish = _wish(dict(zip(names, settings, strict=True)))
        return _outputs(service.translate(offer.name, _file("image", image), wish, visitor_of(request)))

    what = "the picture" if offer.kind != "labels" else "the label map; colours are snapped to the palette"
    return _described(translate, offer.name, offer.title, {"image": (FileData, inspect.Parameter.empty, what)}, names)


def _any_translation(service: Service) -> Callable[..., Any]:
    def translate(task: Any, image: Any, *values: Any) -> list[FileData]:
        *settings, request = values
        wish = _wish(dict(zip(WISHES, settings, strict=True)))
        return _outputs(service.translate(_text("task", task), _file("image", image), wish, visitor_of(request)))

    required = {
        "task": (str, inspect.Parameter.empty, f"one of: {_names(service)}"),
        "image": (FileData, inspect.Parameter.empty, "the picture"),
    }
    return _described(translate, "translate", "Any task by its name", required, list(WISHES))


def _described(
    function: Callable[..., Any], name: str, title: str, required: dict[str, Parameter], wishes: list[str]
) -> Callable[..., Any]:
    """`function` with the signature, types and description that Gradio shows, made of the parameters' table."""
    parameters = {**required, **{wish: WISHES[wish] for wish in wishes}}
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    signature = [
        inspect.Parameter(each, kind, default=default, annotation=type_)
        for each, (type_, default, _) in parameters.items()
    ]
    signature.append(inspect.Parameter("request", kind, default=None, annotation=gr.Request))
    function.__signature__ = inspect.Signature(signature, return_annotation=list[FileData])  # type: ignore[attr-defined]
    types = {each: type_ for each, (type_, _, _) in parameters.items()}
    function.__annotations__ = {**types, "request": gr.Request, "return": list[FileData]}
    function.__name__ = function.__qualname__ = name
    lines = "\n".join(f"    {each}: {what}" for each, (_, _, what) in parameters.items())
    function.__doc__ = f"{title}: a picture in, a list of pictures out, one a sample.\n\nArgs:\n{lines}"
    return function


def _batch(service: Service) -> Callable[..., Any]:
    def batch(task: str, files: list[FileData], request: gr.Request) -> tuple[FileData, int, list[str]]:
        """Many pictures, or zips of pictures: a zip of the outputs and a report, how many were done, what failed.

        Args:
            task: the name of a task
            files: pictures, and zip archives of pictures
        """
        if not isinstance(files, list):
            raise ValueError("files: expected a list of files")
        sent = [_file("files", each) for each in files]
        made = service.batch(
            _text("task", task), sent, Wish(), visitor_of(request), lambda done, count: None, lambda: False
        )
        return FileData(path=str(made.path), orig_name=made.path.name), made.done, list(made.failed)

    return batch


def _edges(service: Service) -> Callable[..., Any]:
    def edges(image: FileData, detail: float = 0.5, request: gr.Request = None) -> FileData:  # type: ignore[assignment]
        """The lines of a photo, as tasks of drawings derive them, as PNG.

        Args:
            image: the photo
            detail: how many lines, 0 to 1
        """
        found = service.edges(_file("image", image), _number("detail", detail), visitor_of(request))
        return FileData(path=str(found), orig_name=found.name)

    return edges


def _snapped(service: Service) -> Callable[..., Any]:
    def snapped(task: str, image: FileData, request: gr.Request) -> FileData:
        """A label map with every pixel snapped to the palette of a task, as PNG.

        Args:
            task: the name of a task with a palette
            image: the label map
        """
        found = service.snapped(_text("task", task), _file("image", image), visitor_of(request))
        return FileData(path=str(found), orig_name=found.name)

    return snapped


def _example(service: Service) -> Callable[..., Any]:
    def example(task: str, seed: int = 0, request: gr.Request = None) -> FileData:  # type: ignore[assignment]
        """An input to start from, drawn by the task's own drawer, as PNG.

        Args:
            task: the name of a task
            seed: another number, another drawing
        """
        drawn = service.example(_text("task", task), _whole("seed", seed), visitor_of(request))
        return FileData(path=str(drawn), orig_name=drawn.name)

    return example


def _tasks(service: Service) -> Callable[..., Any]:
    def tasks_() -> list[dict[str, Any]]:
        """What there is: name, title, kind, parameters, palette and endpoint of every task."""
        return tasks(service)

    tasks_.__name__ = "tasks"
    return tasks_


def _names(service: Service) -> str:
    return ", ".join(offer.name for offer in service.offers if offer.model is not None)


def _outputs(result: Result) -> list[FileData]:
    return [FileData(path=str(path), orig_name=path.name) for path in result.outputs]


def _wish(settings: dict[str, Any]) -> Wish:
    """JSON values as a wish. Raises ValueError for a value of another type."""
    checks: dict[Any, Callable[[str, Any], Any]] = {float: _number, int: _whole, bool: _flag}
    checked: dict[str, Any] = {}
    for name, value in settings.items():
        check: Callable[[str, Any], Any] = checks.get(WISHES[name][0], _file)
        checked[name] = None if value is None and check is _file else check(name, value)
    return Wish(**checked)


def _file(name: str, value: Any) -> Path:
    # The gate has let only files through that were sent here.
    path = value.get("path") if isinstance(value, dict) else None
    if not isinstance(path, str):
        raise ValueError(f"{name}: expected a file; upload it first, or use handle_file() of gradio_client")
    return Path(path)


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{name}: expected text, got {_shown(value)}")
    return value


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name}: expected a number, got {_shown(value)}")
    return float(value)


def _whole(name: str, value: Any) -> int:
    if not _number(name, value).is_integer():
        raise ValueError(f"{name}: expected a whole number, got {_shown(value)}")
    return int(value)


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{name}: expected true or false, got {_shown(value)}")
    return value


def _shown(value: Any) -> str:
    return repr(value)[:40]
