"""The site as an API: one named endpoint a task, on files, and some that serve all of them.

Annotations are what Gradio makes its documentation from, and it wants them as types rather than as text.
"""

import inspect
import logging
from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import Any
from urllib.parse import quote

import gradio as gr
from gradio import FileData
from gradio.events import api
from gradio.exceptions import Error
from gradio.route_utils import API_PREFIX

from pix2pix.ui import json_values
from pix2pix.ui.offers import Offer
from pix2pix.ui.service import Result, Service, Wish
from pix2pix.ui.visitors import visitor_of
from pix2pix.ui.wishes import MOST_GROWTH, MOST_SAMPLES, MOST_SATURATION, taken

GENERAL = "something went wrong on the server; try again, or send another picture"

SAME = "a picture in, a list of pictures out, one a sample"

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


BATCH_WISHES = ("strength", "saturation", "as_drawn", "samples", "seed")  # those that are not of one picture


def add_endpoints(service: Service) -> None:
    """Add the endpoints to the `gr.Blocks` in whose context this is called."""
    # Those of all tasks first: of two of a name, the first has it.
    for function in (
        *(_any_translation(service), _batch(service), _edges(service), _snapped(service)),
        *(_example(service), _tasks(service)),
    ):
        add(function, function.__name__)
    for offer in service.offers:
        if offer.model is not None:
            add(_translation(service, offer), offer.name)


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


def add(function: Callable[..., Any], name: str) -> None:
    """Add one endpoint to the `gr.Blocks` in whose context this is called; its ValueErrors are for the caller."""
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

    def translate(image: Any, *values: Any) -> list[dict[str, Any]]:
        *settings, request = values
        wish = _wish(dict(zip(names, settings, strict=True)))
        return _outputs(service.translate(offer.name, json_values.file("image", image), wish, visitor_of(request)))

    what = "the picture" if offer.kind != "labels" else "the label map; colours are snapped to the palette"
    required: dict[str, Parameter] = {"image": (FileData, inspect.Parameter.empty, what)}
    return with_signature(
        translate, offer.name, f"{offer.title}: {SAME}", {**required, **_wishes(names)}, list[FileData]
    )


def _any_translation(service: Service) -> Callable[..., Any]:
    def translate(task: Any, image: Any, *values: Any) -> list[dict[str, Any]]:
        *settings, request = values
        wish = _wish(dict(zip(WISHES, settings, strict=True)))
        return _outputs(
            service.translate(
                json_values.text("task", task), json_values.file("image", image), wish, visitor_of(request)
            )
        )

    required = {
        "task": (str, inspect.Parameter.empty, f"one of: {_names(service)}"),
        "image": (FileData, inspect.Parameter.empty, "the picture"),
    }
    described = f"Any task by its name: {SAME}"
    return with_signature(translate, "translate", described, {**required, **WISHES}, list[FileData])


def _wishes(names: Iterable[str]) -> dict[str, Parameter]:
    return {name: WISHES[name] for name in names}


def with_signature(
    function: Callable[..., Any], name: str, description: str, parameters: dict[str, Parameter], gives: Any
) -> Callable[..., Any]:
    """`function` with the signature, types and description that Gradio shows, made of the parameters' table."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    signature = [
        inspect.Parameter(each, kind, default=default, annotation=type_)
        for each, (type_, default, _) in parameters.items()
    ]
    signature.append(inspect.Parameter("request", kind, default=None, annotation=gr.Request))
    function.__signature__ = inspect.Signature(signature, return_annotation=gives)  # type: ignore[attr-defined]
    types = {each: type_ for each, (type_, _, _) in parameters.items()}
    function.__annotations__ = {**types, "request": gr.Request, "return": gives}
    function.__name__ = function.__qualname__ = name
    lines = "\n".join(f"    {each}: {what}" for each, (_, _, what) in parameters.items())
    function.__doc__ = f"{description}.\n\nArgs:\n{lines}"
    return function


def _batch(service: Service) -> Callable[..., Any]:
    def batch(task: Any, files: Any, *values: Any) -> tuple[FileData, int, list[str]]:
        *settings, request = values
        if not isinstance(files, list):
            raise ValueError("files: expected a list of files")
        sent = [json_values.file("files", each) for each in files]
        wish = _wish(dict(zip(BATCH_WISHES, settings, strict=True)))
        made = service.batch(
            json_values.text("task", task), sent, wish, visitor_of(request), lambda done, count: None, lambda: False
        )
        return sent_data(made.path), made.done, list(made.failed)

    required = {
        "task": (str, inspect.Parameter.empty, f"one of: {_names(service)}"),
        "files": (list[FileData], inspect.Parameter.empty, "pictures, and zip archives of pictures"),
    }
    described = "Many pictures, or zips of pictures: a zip of the outputs and a report, how many were done, what failed"
    gives = tuple[FileData, int, list[str]]
    return with_signature(batch, "batch", described, {**required, **_wishes(BATCH_WISHES)}, gives)


def _edges(service: Service) -> Callable[..., Any]:
    def edges(image: FileData, detail: float = 0.5, request: gr.Request = None) -> FileData:  # type: ignore[assignment]
        """The lines of a photo, as tasks of drawings derive them, as PNG.

        Args:
            image: the photo
            detail: how many lines, 0 to 1
        """
        found = service.edges(
            json_values.file("image", image), json_values.number("detail", detail), visitor_of(request)
        )
        return sent_data(found)

    return edges


def _snapped(service: Service) -> Callable[..., Any]:
    def snapped(task: str, image: FileData, request: gr.Request) -> FileData:
        """A label map with every pixel snapped to the palette of a task, as PNG.

        Args:
            task: the name of a task with a palette
            image: the label map
        """
        found = service.snapped(json_values.text("task", task), json_values.file("image", image), visitor_of(request))
        return sent_data(found)

    return snapped


def _example(service: Service) -> Callable[..., Any]:
    def example(task: str, seed: int = 0, request: gr.Request = None) -> FileData:  # type: ignore[assignment]
        """An input to start from, drawn by the task's own drawer, as PNG.

        Args:
            task: the name of a task
            seed: another number, another drawing
        """
        drawn = service.example(json_values.text("task", task), json_values.whole("seed", seed), visitor_of(request))
        return sent_data(drawn)

    return example


def _tasks(service: Service) -> Callable[..., Any]:
    def tasks_() -> list[dict[str, Any]]:
        """What there is: name, title, kind, parameters, palette and endpoint of every task."""
        return tasks(service)

    tasks_.__name__ = "tasks"
    return tasks_


def _names(service: Service) -> str:
    return ", ".join(offer.name for offer in service.offers if offer.model is not None)


def _outputs(result: Result) -> list[dict[str, Any]]:
    # As dictionaries: of objects in a list Gradio does not see that they are files, and leaves the site's address out.
    return [sent_data(path).model_dump() for path in result.outputs]


def sent_data(path: Path) -> FileData:
    """A file of this server for the caller of an endpoint."""
    # Gradio fills in where an address leads to, and leaves a list of files without any.
    url = f"{API_PREFIX}/file={quote(str(path))}"
    return FileData(path=str(path), url=url, size=path.stat().st_size, orig_name=path.name)


def _wish(settings: dict[str, Any]) -> Wish:
    """JSON values as a wish. Raises ValueError for a value of another type."""
    checks: dict[Any, Callable[[str, Any], Any]] = {
        float: json_values.number,
        int: json_values.whole,
        bool: json_values.flag,
    }
    checked: dict[str, Any] = {}
    for name, value in settings.items():
        check: Callable[[str, Any], Any] = checks.get(WISHES[name][0], json_values.file)
        checked[name] = None if value is None and check is json_values.file else check(name, value)
    return Wish(**checked)
