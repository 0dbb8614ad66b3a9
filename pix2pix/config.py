"""A task is data: the models that a task's YAML fills, and where the YAML files are found.

Precedence, lowest first: the defaults below (the paper's, arXiv 1611.07004) < task YAML < preset < the task's own lines
for that preset < `--config` file < command-line flags. A YAML states only what differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, get_args

import yaml
from pydantic import BeforeValidator, Field, model_validator

from pix2pix.schema import Configuration, Frozen, Run, flag, merge, nearest, read_yaml, validate_as

Preset = Literal["paper", "standard", "quick"]
InputName = Literal["rgb", "gray", "labels_onehot", "masked_rgb", "raw"]
TargetName = Literal["rgb", "gray", "labels_onehot", "lab_chroma", "filled_rgb", "raw"]
LINES = "lines"  # the normalise step that makes any line drawing one of thin dark lines
RESIDUAL_KINDS = {("rgb", "rgb"), ("gray", "gray"), ("masked_rgb", "filled_rgb"), ("raw", "raw")}
Level = Annotated[int, Field(ge=0, le=255)]
Colour = tuple[Level, Level, Level]


def step_text(value: Any) -> Any:
    """A step as one line of text: `edges`, or `noise: {sigma: [5, 50]}` for the mapping that the YAML gives."""
    if isinstance(value, dict):
        return yaml.safe_dump(value, default_flow_style=True, width=10_000, sort_keys=False).strip()[1:-1]
    return value


Steps = tuple[Annotated[str, BeforeValidator(step_text)], ...]


class Source(Frozen):
    """Where a data set can be downloaded from, and what must arrive."""

    url: str = Field(description="a .tar.gz, .tgz, .tar or .zip archive")
    bytes: int | None = Field(None, description="size of the archive, checked when given")
    sha256: str | None = Field(None, description="checksum of the archive, checked when given")
    licence: str = Field("unknown", description="the terms of the data, shown before the download")


class Data(Frozen):
    """What the pairs are and how they are read."""

    path: Annotated[str | None, flag("--data", "DIR|embedded")] = Field(
        None, description="a folder of pairs, or of photos where inputs are derived, or 'embedded'"
    )
    layout: Literal["auto", "side_by_side", "folders", "photos"] = Field("auto", description="how pairs lie on disk")
    input_side: Literal["left", "right"] = Field("left", description="which half is the input (side_by_side)")
    input_folder: str = Field("input", description="folder of the inputs (folders)")
    target_folder: str = Field("target", description="folder of the targets (folders)")
    input: InputName = Field("rgb", description="how the network sees the input")
    target: TargetName = Field("rgb", description="how the network gives the output")
    input_channels: int | None = Field(None, ge=1, le=16, description="of a raw input; default: 3")
    target_channels: int | None = Field(None, ge=1, le=4, description="of a raw target; default: 3")
    palette: dict[str, Colour] = Field(default_factory=dict, description="class name -> RGB colour of a label map")
    derive: Steps = Field((), description="steps that make an input from a photo; without them only pairs will do")
    augment: Steps = Field((), description="steps that vary an input, in training only")
    normalise: Steps = Field((), description="steps that make any input fit for the network")
    size: Annotated[int, flag("--size", "PX")] = Field(256, ge=64, le=1024, description="side of the training crop")
    load_size: Annotated[int, Field(ge=64)] | Literal["native"] | None = Field(
        None, description="side resized to before the crop, or native: as it is; default size * 286 / 256"
    )
    scale: Literal[1, 2, 4, 8] = Field(1, description="the target is so many times as large as the input")
    flip: bool = Field(True, description="mirror half of the pairs")
    embedded: str | None = Field(None, description="the drawer of the embedded pairs")
    source: Source | None = Field(None, description="where the real pairs can be downloaded from")
    cache_gib: float = Field(4.0, ge=0, description="decoded images are kept in memory up to this size")
    pixel_limit: Annotated[int, flag("--pixel-limit", "N")] = Field(
        200_000_000, gt=0, description="larger pictures are refused"
    )

    @property
    def resize_to(self) -> int | None:
        """Side that a pair is resized to before the crop, 286 for 256; None where it stays as it is."""
        return None if self.load_size == "native" else self.load_size or round(self.size * 286 / 256)

    @model_validator(mode="after")
    def _consistent(self) -> Data:
        if self.size & (self.size - 1):
            raise ValueError(f"size: got {self.size}, expected a power of two from 64 to 1024")
        if self.resize_to is not None and self.resize_to < self.size:
            raise ValueError(f"load_size: got {self.load_size}, expected at least the crop's {self.size}")
        needs_palette = "labels_onehot" in (self.input, self.target) or "palette" in self.normalise
        if needs_palette and not self.palette:
            raise ValueError("palette: empty, but label maps need one colour a class")
        if len(set(self.palette.values())) < len(self.palette):
            raise ValueError("palette: two classes have the same colour, expected one colour a class")
        if self.layout == "photos" and not self.derive:
            raise ValueError("layout: photos, but no `derive` step makes an input from them; expected pairs")
        for side, name in (("input", self.input), ("target", self.target)):
            if getattr(self, f"{side}_channels") is not None and name != "raw":
                raise ValueError(f"{side}_channels: got a number, but the {side} is {name}; only raw has a choice")
        if self.target == "filled_rgb" and self.input != "masked_rgb":
            raise ValueError(f"target: filled_rgb fills the holes of masked_rgb, but the input is {self.input}")
        if self.scale > 1 and (needs_palette or self.layout == "side_by_side"):
            raise ValueError(f"scale: got {self.scale}, but label maps and pairs side by side have one size, 1")
        return self


class Model(Frozen):
    """Generator and discriminator."""

    generator: Literal["unet", "encoder_decoder", "resnet6", "resnet9", "compact_unet"] = "unet"
    width: int | None = Field(None, gt=0, description="channels of the first stage; default: the generator's own")
    norm: Literal["instance", "batch", "none"] = "instance"
    dropout: float | None = Field(None, ge=0, lt=1, description="default: the generator's own")
    upsampling: Literal["transposed", "resize"] | None = Field(None, description="default: the generator's own")
    residual: bool = Field(False, description="the generator gives what is added to its input; for pictures to mend")
    receptive_field: Literal[1, 16, 70, 286] = Field(70, description="of the PatchGAN, in pixels")
    discriminator_width: int = Field(64, gt=0, description="channels of the discriminator's first stage")
    conditional: bool = Field(True, description="the discriminator sees the input beside the picture")
    spectral: bool = Field(False, description="spectral norm in the discriminator, in place of its norm layers")

    @property
    def is_stochastic(self) -> bool:
        """Whether two seeds give two outputs: the compact generator has noise inputs, the U-Nets dropout."""
        own = 0.5 if self.generator in ("unet", "encoder_decoder") else 0.0
        return self.generator == "compact_unet" or (own if self.dropout is None else self.dropout) > 0


class Train(Run):
    """Losses and schedule of a task beside what every run has."""

    adversarial: Literal["non_saturating", "minimax", "least_squares", "hinge", "wgan_gp"] = "non_saturating"
    gan_weight: float = Field(1.0, ge=0, description="0 leaves the discriminator out")
    l1_weight: float = Field(100.0, ge=0, description="0 is the GAN alone")
    feature_weight: float = Field(0.0, ge=0, description="L1 between the discriminator's features of output and target")
    gradient_penalty: float = Field(10.0, ge=0, description="weight of WGAN-GP's penalty")
    r1: float = Field(
        0.0, ge=0, description="weight of the R1 penalty on the real pairs, which keeps the discriminator in check"
    )
    r1_every: int = Field(16, gt=0, description="steps between two R1 penalties (lazy regularisation)")
    learning_rate: float = Field(
        2e-4, gt=0, description="Adam's rate at batch 1; multiplied by the square root of the batch"
    )
    discriminator_rate: float = Field(1.0, gt=0, description="the discriminator's rate as a share of the generator's")
    betas: tuple[float, float] = Field((0.5, 0.999), description="Adam's momenta")
    decay_from: float = Field(0.5, ge=0, le=1, description="share of the run after which the rate falls linearly to 0")
    ema: float = Field(0.0, ge=0, description="half-life of the averaged generator in images; 0 is off")

    @model_validator(mode="after")
    def _consistent(self) -> Train:
        if self.gan_weight == 0 and self.l1_weight == 0:
            raise ValueError("gan_weight and l1_weight are both 0: nothing to learn from; set one of them")
        return self


class Evaluation(Frozen):
    """What a model is judged by beside what follows from the representations."""

    tolerance: int | None = Field(
        None, ge=0, le=255, description="per-pixel accuracy within this many levels, for flat-coloured targets"
    )


class App(Frozen):
    """What the task's app lets people do."""

    input: Literal["labels", "sketch", "photo", "mask"] | None = Field(
        None, description="what a person gives; default: what follows from the data"
    )
    palette: dict[str, Colour] = Field(
        default_factory=dict, description="name -> RGB colour to paint with; default: the data's palette"
    )

    @model_validator(mode="after")
    def _consistent(self) -> App:
        if len(set(self.palette.values())) < len(self.palette):
            raise ValueError("palette: two names have the same colour, expected one colour a name")
        return self


class Task(Configuration):
    """One task, whole: everything that a run, a released model and an app know of it."""

    kind: ClassVar[str] = "task"
    work: Literal["native", "trained"] = Field(
        "trained", description="the network sees every pixel, or its training size"
    )
    work_size: int | None = Field(
        None,
        ge=16,
        description="short side that the network works at where work is trained; default: the training size; half as "
        "much again gives finer detail at twice the cost",
    )
    data: Data = Data()
    model: Model = Model()
    train: Train = Train()
    evaluation: Evaluation = Evaluation()
    app: App = App()

    @property
    def is_exact(self) -> bool:
        """Whether outputs hold values, as classes or heights, rather than colours to look at."""
        return self.data.target in ("labels_onehot", "raw")

    @property
    def takes_colour(self) -> bool:
        """Whether saturation and hints mean something: where chroma is predicted, at the network's working size."""
        return self.data.target == "lab_chroma" and self.work == "trained"

    @property
    def takes_strength(self) -> bool:
        """Whether an output between input and output means something: where whole pictures are mended."""
        return self.model.residual and self.data.input != "masked_rgb"

    @property
    def takes_lines(self) -> bool:
        """Whether inputs are drawings whose lines are made alike."""
        return LINES in self.data.normalise

    @model_validator(mode="after")
    def _consistent(self) -> Task:
        if self.work == "native" and self.work_size is not None:
            raise ValueError(f"work_size: got {self.work_size}, but with work: native the network sees every pixel")
        kinds = self.data.input, self.data.target
        alike = kinds in RESIDUAL_KINDS and self.data.input_channels == self.data.target_channels
        if self.model.residual and not alike:
            raise ValueError(f"model.residual: nothing can be added to {kinds[0]} to make {kinds[1]} of it")
        return self


def configs_folder() -> Path:
    """The folder of the task files: packaged in a wheel, the repository's own in a checkout."""
    packaged = Path(__file__).parent / "_configs"
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / "configs"


def task_names() -> list[str]:
    """Names of the tasks that come with the product."""
    return sorted(path.stem for path in configs_folder().glob("*.yaml"))


def validate(content: Mapping[str, Any], where: str) -> Task:
    """`content` as a Task. Raises ValueError with one line: where, field, what was got, what was expected."""
    return validate_as(Task, content, where)


def load_task(name: str, preset: Preset = "standard", config: Path | None = None) -> Task:
    """The task `name` (of this product, or a path to a YAML file) under a preset.

    Raises ValueError for an unknown name (nearest named) and for a bad file (field, value and expectation named).
    """
    as_path = Path(name)
    if as_path.suffix in {".yaml", ".yml"}:
        path = as_path
    elif name in task_names():
        path = configs_folder() / f"{name}.yaml"
    else:
        raise ValueError(f"unknown task '{name}'; {nearest(name, task_names())}")
    content = merge({"name": path.stem}, read_yaml(path))
    own_lines = _own_lines(content.pop("presets", None), path)
    validate(content, str(path))
    content = merge(content, read_yaml(configs_folder() / "presets" / f"{preset}.yaml"))
    content = merge(content, own_lines.get(preset, {}))
    where = f"{path} with preset {preset}"
    if config is not None:
        content, where = merge(content, read_yaml(config)), str(config)
    return validate(content, where)


def _own_lines(presets: Any, path: Path) -> dict[str, dict[str, Any]]:
    """What a task file lays over each preset. Raises ValueError for what is no preset's name, or holds no fields."""
    if not isinstance(presets, dict | None):
        raise ValueError(f"{path}: presets: got {presets!r}, expected a section for each preset it changes")
    for name, lines in (presets or {}).items():
        if name not in get_args(Preset):
            raise ValueError(f"{path}: unknown preset '{name}'; {nearest(str(name), get_args(Preset))}")
        if not isinstance(lines, dict | None):
            raise ValueError(f"{path}: presets.{name}: got {lines!r}, expected the fields it changes")
    return {name: lines or {} for name, lines in (presets or {}).items()}
