"""How an input comes about: derived from a photo, varied in training, made fit for the network; pure functions by name.

- `DERIVE`: an input from a target photo, `step(image, rng, ...)`. Trainings, evaluations and an app's "start from a
  photo" use it; a translation never does.
- `AUGMENT`: an input varied in training, `step(image, rng, ...)`, beside the crop and the mirroring.
- `NORMALISE`: any user's input fit for the network, `step(image, ...)`. Trainings, commands and apps all run it, last,
  and it is idempotent.

Images are (H, W, C) uint8 or uint16. Keyword parameters are what a task file may say; see `steps`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from pix2pix.config import Data, Task
from pix2pix.data.conditions import colour, degradations, lines, masks, strokes
from pix2pix.data.conditions.palette import Palette, nearest_class, snap_to_palette
from pix2pix.data.conditions.steps import Step, bind, parse
from pix2pix.data.drawn_lines import drawn_lines

__all__ = [
    "AUGMENT",
    "DERIVE",
    "NORMALISE",
    "Palette",
    "augment",
    "check_scale",
    "check_steps",
    "derive",
    "nearest_class",
    "normalise",
    "snap_to_palette",
    "split_by_size",
]


def from_photo(step: Callable[[np.ndarray], np.ndarray]) -> Step:
    """A normalise step as a derive step, which draws nothing."""

    def derived(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return step(image)

    return derived


DERIVE: Mapping[str, Step] = MappingProxyType(
    {
        "gray": from_photo(colour.gray),
        "lightness": from_photo(colour.lightness),
        "edges": lines.edges,
        "soft_edges": lines.soft_edges,
        "sketch": lines.sketch,
        "drawn_lines": drawn_lines,
        "noise": degradations.noise,
        "salt_and_pepper": degradations.salt_and_pepper,
        "jpeg": degradations.jpeg,
        "blur": degradations.blur,
        "downsample": degradations.downsample,
        "quantize": degradations.quantize,
        "mask": masks.mask,
    }
)
AUGMENT: Mapping[str, Step] = MappingProxyType({"strokes": strokes.strokes})
NORMALISE: Mapping[str, Step] = MappingProxyType(
    {
        "palette": snap_to_palette,
        "rgb": colour.rgb,
        "gray": colour.gray,
        "lightness": colour.lightness,
        "lines": lines.lines,
        "holes": masks.holes,
    }
)
AT_WORK_SIZE = frozenset({"lines"})
"""Steps that give lines of a pixel, which no resizing may follow: they see a picture at the network's own size."""


def derive(photo: np.ndarray, steps: Sequence[str], rng: np.random.Generator) -> np.ndarray:
    """An input from a target photo (H, W, C), by the named steps in order. Raises ValueError for a bad step."""
    for step in steps:
        photo = bind(step, DERIVE, "derive")(photo, rng)
    return photo


def augment(image: np.ndarray, steps: Sequence[str], rng: np.random.Generator) -> np.ndarray:
    """An input (H, W, C) varied by the named steps in order. Raises ValueError for a bad step."""
    for step in steps:
        image = bind(step, AUGMENT, "augment")(image, rng)
    return image


def normalise(image: np.ndarray, steps: Sequence[str], palette: Palette | None) -> np.ndarray:
    """Run the named steps in order on (H, W, C); the last thing before a picture is encoded for the network.

    Raises ValueError for a step that does not exist.
    """
    for step in steps:
        function = bind(step, NORMALISE, "normalise")
        image = function(image, palette=palette) if function.func is snap_to_palette else function(image)
    return image


def split_by_size(steps: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Normalise steps for a picture as it is, and those that follow when it has the size that the network works at."""
    late = tuple(step for step in steps if parse(step)[0] in AT_WORK_SIZE)
    return tuple(step for step in steps if step not in late), late


def check_scale(data: Data) -> None:
    """Raises ValueError where what is derived is not smaller than the photo by the task's scale."""
    if data.derive:
        side = 8 * data.scale
        made = derive(np.zeros((side, side, 3), np.uint8), data.derive, np.random.default_rng(0)).shape[0]
        if made != side // data.scale:
            steps = ", ".join(data.derive)
            raise ValueError(f"data.scale: got {data.scale}, but `derive` ({steps}) makes {made} of {side} pixels")


def check_steps(task: Task) -> None:
    """Raises ValueError naming the field where a step of the task does not exist or has wrong parameters."""
    data = task.data
    for field, registry in (("derive", DERIVE), ("augment", AUGMENT), ("normalise", NORMALISE)):
        for step in getattr(data, field):
            try:
                bind(step, registry, field)
            except ValueError as error:
                raise ValueError(f"data.{field}: {error}") from None
