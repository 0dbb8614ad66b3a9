"""What a site offers: the tasks, what people give each, and the model of each or how to train one; without torch."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from pix2pix import model_files
from pix2pix.config import App, Colour, Data, Task, load_task, task_names

Kind = Literal["labels", "sketch", "photo", "mask"]
WITHOUT_APP = "custom"  # pairs of anything: no page can know what they are
RESERVED = {
    *("translate", "batch", "edges", "snapped", "example", "tasks", "explore", "walk", "priors", "restore"),
    *("health", "gradio_api", "assets", "login"),
}
EXAMPLES = 3_000_000  # the number of the first drawing; those of train, val and test come before
EXAMPLE_SEED = 0
LARGEST_DRAWING = 512


@dataclass(frozen=True)
class Offer:
    """One task of a site. `task` is as its model holds it; of a task without a model, as its YAML says."""

    name: str
    task: Task
    app: App
    model: Path | None

    @property
    def title(self) -> str:
        """For people."""
        return self.task.title or self.name

    @property
    def kind(self) -> Kind:
        """What a person gives: as the app says, else what follows from the data."""
        if self.app.input is not None:
            return self.app.input
        data = self.task.data
        if data.input == "labels_onehot":
            return "labels"
        if data.input == "masked_rgb":
            return "mask"
        return "sketch" if self.task.takes_lines else "photo"

    @property
    def palette(self) -> Mapping[str, Colour]:
        """Of a canvas of labels: name -> colour."""
        return self.app.palette or self.task.data.palette

    @property
    def how_to_train(self) -> str:
        """The command that makes a model."""
        return f"pix2pix train --task {self.name}"


def offers(
    task: str | None = None, model: str | None = None, say: Callable[[str], None] = lambda line: None
) -> tuple[Offer, ...]:
    """Every task, those with a model first; or the one of `task` or `model`, as `model_files.choose` finds it.

    The model of a task is the newest run's, else the shipped one; among every task a run that cannot be read gives way
    to the shipped model, and `say` is told.
    Raises ValueError for a name that means nothing or is taken, a broken model, and both names at once.
    """
    if task is not None and model is not None:
        raise ValueError("--task and --model: each says which model, give one of them")
    if model is not None:
        path = model_files.resolve(model)
        found = model_files.read_task(path)
        _check_name(found.name)
        return (Offer(found.name, found, _app(found), path),)
    if task is not None:
        return (_offer(task, _model_of(task)),)
    every = [_usable(name, say) for name in task_names() if name != WITHOUT_APP]
    return tuple(sorted(every, key=lambda offer: offer.model is None))


def _model_of(name: str) -> Path | None:
    """The file of a task's model: the newest run's, else the shipped one."""
    run = model_files.newest_run(name)
    return run / model_files.MODEL_FILE if run is not None else model_files.shipped_models().get(name)


def _usable(name: str, say: Callable[[str], None]) -> Offer:
    try:
        return _offer(name, _model_of(name))
    except ValueError as error:
        say(f"{error}; its page has the shipped model, if there is one")
        return _offer(name, model_files.shipped_models().get(name))


def _offer(name: str, model: Path | None) -> Offer:
    if model is None:
        declared = load_task(name)
        return Offer(name, declared, declared.app, None)
    task = model_files.read_task(model)
    return Offer(name, task, _app(task), model)


def _check_name(name: str) -> None:
    """A page and an endpoint have the name of their task."""
    if name in RESERVED or re.fullmatch(r"[\w-]+", name) is None:
        raise ValueError(f"task '{name}': a page cannot be called so; train it under a name of letters and digits")


def _app(task: Task) -> App:
    """What a model says of its app, else what the task of its name says today: models outlive their task files."""
    return load_task(task.name).app if task.app == App() and task.name in task_names() else task.app


def example(offer: Offer, number: int) -> np.ndarray:
    """An input (H, W, C) uint8 for a person to start from, the same for the same number, never one to train on.

    Drawn by the task's embedded drawer, and made from its drawing as inputs are in training: a map of labels, lines on
    paper, a photo that is to be mended. Raises ValueError for a task that has no drawer.
    """
    from pix2pix.data.conditions import derive
    from pix2pix.data.embedded import DRAWERS

    data = offer.task.data
    if data.embedded is None or data.embedded not in DRAWERS:
        raise ValueError(f"'{offer.name}' has no examples")
    source, target = DRAWERS[data.embedded](EXAMPLE_SEED, EXAMPLES + number, _example_side(data))
    if offer.kind == "mask":
        return target  # the person makes the holes
    if data.derive:
        return derive(target, data.derive, np.random.default_rng((EXAMPLE_SEED, number)))
    return np.array(list(data.palette.values()), np.uint8)[source] if source.ndim == 2 else source


def _example_side(data: Data) -> int:
    """Of the drawing: the training size, or as large as can be where the network makes pictures larger."""
    return LARGEST_DRAWING if data.scale > 1 or data.load_size == "native" else data.size
