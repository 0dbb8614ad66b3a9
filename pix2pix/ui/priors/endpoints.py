"""The endpoints of priors: a picture by its seed and what is done to it, a walk as GIF, and what there is.

Annotations are what Gradio makes its documentation from, and it wants them as types rather than as text.
"""

import inspect
from collections.abc import Callable
from typing import Any

from gradio import FileData

from pix2pix.ui import json_values
from pix2pix.ui.endpoints import Parameter, add, sent_data, with_signature
from pix2pix.ui.priors.explorer import WALK_FRAMES, WALK_SEEDS, WALK_STEPS, Explorer, point_of
from pix2pix.ui.visitors import visitor_of

SHARED: dict[str, Parameter] = {
    "truncation": (float, 1.0, "0 is the mean picture, 1 all that was learned; between: fewer kinds, better ones"),
    "shifts": (list[float] | None, None, "along the directions, the strongest first, in standard deviations"),
    "layers": (str, "all", "that shift: all, coarse, middle or fine"),
    "mixed": (int | None, None, "a seed whose layers are taken from `crossing` on"),
    "crossing": (int | None, None, "the first layer of `mixed`"),
}
POINT: dict[str, Parameter] = {
    **SHARED,
    "toward": (int | None, None, "a seed to walk to"),
    "share": (float, 0.0, "of that way, 0 to 1"),
}


def add_prior_endpoints(explorer: Explorer) -> None:
    """Add the endpoints to the `gr.Blocks` in whose context this is called; none where no prior is offered."""
    if explorer.offers:
        for function in (_explore(explorer), _walk(explorer), _priors(explorer)):
            add(function, function.__name__)


def priors(explorer: Explorer) -> list[dict[str, Any]]:
    """What there is, for programs: a dictionary of plain values for each prior."""
    return [
        {"name": offer.name, "title": offer.title, "data": offer.data, "licence": offer.licence}
        for offer in explorer.offers
    ]


def _explore(explorer: Explorer) -> Callable[..., Any]:
    def explore(prior: Any, seed: Any, *settings: Any) -> FileData:
        *given, request = settings
        point = point_of({"seed": seed, **_told(dict(zip(POINT, given, strict=True)))})
        return sent_data(explorer.picture_file(json_values.text("prior", prior), point, visitor_of(request)))

    parameters = {**_named(explorer), "seed": (int, 0, "another number, another picture"), **POINT}
    return with_signature(explore, "explore", "A picture from nothing, as PNG", parameters, FileData)


def _walk(explorer: Explorer) -> Callable[..., Any]:
    def walk(prior: Any, seeds: Any, steps: Any, loop: Any, *settings: Any) -> FileData:
        *given, request = settings
        keys = [json_values.whole("seeds", each) for each in json_values.items("seeds", seeds, WALK_SEEDS)]
        made = explorer.walk(
            json_values.text("prior", prior),
            keys,
            json_values.whole("steps", steps),
            json_values.flag("loop", loop),
            point_of(_told(dict(zip(SHARED, given, strict=True)))),
            visitor_of(request),
        )
        return sent_data(made)

    parameters: dict[str, Parameter] = {
        **_named(explorer),
        "seeds": (list[int], inspect.Parameter.empty, f"the pictures to pass, 2 to {WALK_SEEDS}"),
        "steps": (int, 24, f"from one to the next on average, up to {WALK_STEPS}; {WALK_FRAMES} frames in all"),
        "loop": (bool, True, "walk back to the first"),
        **SHARED,
    }
    return with_signature(walk, "walk", "A walk from picture to picture, as GIF", parameters, FileData)


def _priors(explorer: Explorer) -> Callable[..., Any]:
    def priors_() -> list[dict[str, Any]]:
        """What there is: name, title, training data and its licence of every prior."""
        return priors(explorer)

    priors_.__name__ = "priors"
    return priors_


def _named(explorer: Explorer) -> dict[str, Parameter]:
    names = ", ".join(offer.name for offer in explorer.offers)
    return {"prior": (str, inspect.Parameter.empty, f"one of: {names}")}


def _told(settings: dict[str, Any]) -> dict[str, Any]:
    """Without what was not given."""
    return {name: value for name, value in settings.items() if value is not None}
