"""What can be measured, and the flags of each verb of `pix2pix benchmark`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from pydantic import Field

from pix2pix.config import Preset, Task, load_task, validate
from pix2pix.schema import Frozen, merge

Generator = Literal["unet", "encoder_decoder", "resnet6", "resnet9", "compact_unet"]
Json = Annotated[bool, tyro.conf.arg(name="json")]
Steps = Annotated[int, tyro.conf.arg(metavar="N")]


class Shared(Frozen):
    """What every verb has."""

    task: str = Field("facades", description="name of a task, or a task's YAML file")
    preset: Preset = "standard"
    json_: Json = Field(False, description="print one JSON object and nothing else")


class TrainOptions(Shared):
    """Training steps: images a second, shares of the machine's limits, memory, where the time goes."""

    against: Literal["plain"] | None = Field(None, description="the field's usual step beside it")
    size: int | None = Field(None, description="side of the pictures; default the preset's")
    batch: int | None = Field(None, description="images a step; default the preset's")
    generator: Generator | None = Field(None, description="default: the preset's")
    precision: Literal["auto", "fp32", "bf16"] = Field("auto", description="auto: as training chooses")
    compile: bool = Field(False, description="compile the networks, where a compiler is there")
    steps: Steps = Field(10, ge=1, description="timed steps of each side")


class TranslateOptions(Shared):
    """Translation: milliseconds a picture of each backend, memory, and how outputs differ."""

    against: Literal["plain"] | None = Field(None, description="the generator as it is beside them: eager, fp32, NCHW")
    backend: str | None = Field(None, description="this backend alone; default: all that are available")
    size: Annotated[int, tyro.conf.arg(metavar="PX")] = Field(256, ge=16, description="side of the pictures")
    generator: Generator | None = Field(None, description="fresh weights of this network; default: the preset's")
    model: Annotated[str | None, tyro.conf.arg(metavar="NAME|FILE|RUN")] = Field(None, description="a trained model")
    steps: Steps = Field(10, ge=1, description="timed pictures of each")


class DataOptions(Shared):
    """Data: images a second that decoding, augmentation and batching deliver, cold and warm."""

    data: Annotated[str | None, tyro.conf.arg(metavar="DIR|embedded")] = Field(None, description="default: the task's")
    size: int | None = Field(None, description="side of the pictures; default the preset's")
    batch: int | None = Field(None, description="images a step; default the preset's")
    images: Steps = Field(400, ge=1, description="images of a pass; at most all pairs once")


class GrowthOptions(Shared):
    """Growth: cost over picture size, batch and size of the data set, as a page with tables and a plot."""

    out: Annotated[Path, tyro.conf.arg(metavar="DIR")] = Field(
        Path("docs"), description="folder of performance.md, performance.webp and performance.json"
    )
    only: tuple[Literal["train", "batch", "translate", "data"], ...] = Field(
        ("train", "batch", "translate", "data"), description="measure these parts; the others stay as they were"
    )
    include: Annotated[tuple[Path, ...], tyro.conf.arg(metavar="FILE.json ...")] = Field(
        (), description="what other verbs printed with --json, to be shown on the page"
    )
    steps: Steps = Field(5, ge=1, description="timed steps at each point")


class QualityOptions(Frozen):
    """Quality: how good a training is after how many minutes, as a section and a plot of the same page as growth."""

    curves: Annotated[Path, tyro.conf.arg(metavar="FILE.yaml")] = Field(
        description="`curves:`, a list of name, images_per_second, measured_by (how), evaluations (files of evaluate "
        "--out, relative to this one)"
    )
    out: Annotated[Path, tyro.conf.arg(metavar="DIR")] = Field(
        Path("docs"), description="folder of performance.md, quality.webp and performance.json"
    )
    json_: Json = Field(False, description="print one JSON object and nothing else")


def resolve(options: Shared, **changes: dict[str, Any]) -> Task:
    """The task that `options` name, with what its flags change in each section; None changes nothing.

    Raises ValueError with one line for an unknown task and for values out of range.
    """
    task = load_task(options.task, options.preset)
    given = {section: {k: v for k, v in values.items() if v is not None} for section, values in changes.items()}
    return validate(merge(task.model_dump(), given), options.task)
