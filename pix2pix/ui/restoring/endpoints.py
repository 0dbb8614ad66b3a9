"""The endpoint of restoration: a damaged picture in, what was found for it out.

Annotations are what Gradio makes its documentation from, and it wants them as types rather than as text.
"""

import inspect
from collections.abc import Callable
from typing import Any

from gradio import FileData

from pix2pix.restoration.wanted import FACTOR, FLAGS
from pix2pix.ui import json_values
from pix2pix.ui.endpoints import Parameter, add, sent_data, with_signature
from pix2pix.ui.restoring.asking import MOST_COMPLETIONS, MOST_SECONDS, NAMES
from pix2pix.ui.restoring.progress import Progress
from pix2pix.ui.restoring.searcher import Searcher
from pix2pix.ui.visitors import visitor_of

SETTINGS: dict[str, Parameter] = {
    "sigma": (float | None, None, "noise in levels of 255; for denoise it is estimated, else there is none"),
    "factor": (int | None, None, f"superres: how much larger, 2 to 16; {FACTOR} where it is not given"),
    "blur": (float | None, None, "deblur: standard deviation in pixels"),
    "quality": (int | None, None, "jpeg: of the file, 1 to 100; as a JPEG file tells"),
    "prior": (str | None, None, "a generator of such pictures, one of /priors; without one any picture"),
    "solver": (str | None, None, "how: csgm, pgd, w, w+, tuned with a prior, untrained or patches without"),
    "box": (str | None, None, "X,Y,SIDE: the square that a prior searches; the largest in the middle"),
    "seed": (int, 0, "another one, another result; 0 starts at the mean of a prior"),
    "completions": (int, 1, f"how many results, with seeds that follow, up to {MOST_COMPLETIONS}"),
    "seconds": (float | None, None, f"that each may take, at most; {MOST_SECONDS:g} for all of them"),
}


def add_restore_endpoint(searcher: Searcher) -> None:
    """Add it to the `gr.Blocks` in whose context this is called."""
    add(_restore(searcher), "restore")


def _restore(searcher: Searcher) -> Callable[..., Any]:
    def restore(image: Any, degradation: Any, mask: Any, *values: Any) -> tuple[list[dict[str, Any]], list[str], str]:
        *settings, request = values
        given = {"degradation": degradation, **dict(zip(SETTINGS, settings, strict=True))}
        holes = None if mask is None else json_values.file("mask", mask)
        found = searcher.search(json_values.file("image", image), holes, given, visitor_of(request), Progress())
        # As dictionaries: of objects in a list Gradio does not see that they are files.
        return [sent_data(path).model_dump() for path in found.result.outputs], list(found.lines), found.command

    assert {"degradation", *SETTINGS} == set(NAMES)
    parameters: dict[str, Parameter] = {
        "image": (FileData, inspect.Parameter.empty, "the damaged picture"),
        "degradation": (str, inspect.Parameter.empty, f"what happened to it: {', '.join(FLAGS)}"),
        "mask": (FileData | None, None, "inpaint: white where it is to be made; else where it is transparent"),
        **SETTINGS,
    }
    described = "A damaged picture restored by search: pictures, a line on each, and the command that does the same"
    return with_signature(restore, "restore", described, parameters, tuple[list[FileData], list[str], str])
