"""What a prior is trained with: its pictures, its networks, its losses. `configs/priors/*.yaml` hold the families'."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from pix2pix.config import configs_folder
from pix2pix.schema import Configuration, Frozen, Run, flag, merge, nearest, read_yaml, validate_as

Family = Literal["stylegan2", "dcgan"]
Augmentation = Literal["colour", "translation", "cutout"]
STYLEGAN2_ONLY = ("w_dim", "channel_most", "mapping_depth")


class Pictures(Frozen):
    """What pictures are learned from, and how they are read."""

    path: Annotated[str | None, flag("--data", "DIR")] = Field(None, description="a folder of pictures")
    part: Annotated[Literal["whole", "left", "right"], flag("--part")] = Field(
        "whole", description="of each picture; a half, where pairs lie side by side"
    )
    size: Annotated[int, flag("--size", "PX")] = Field(
        64, ge=64, le=256, description="side of what is learned: the largest square of each picture, resized"
    )
    flip: bool = Field(True, description="mirror half of the pictures")
    cache_gib: float = Field(4.0, ge=0, description="decoded pictures are kept in memory up to this size")
    pixel_limit: Annotated[int, flag("--pixel-limit", "N")] = Field(
        200_000_000, gt=0, description="larger pictures are refused"
    )

    @model_validator(mode="after")
    def _consistent(self) -> Pictures:
        if self.size & (self.size - 1):
            raise ValueError(f"size: got {self.size}, expected 64, 128 or 256")
        return self


class Networks(Frozen):
    """Generator and discriminator. What is not given is the family's own."""

    family: Family = "stylegan2"
    z_dim: int | None = Field(None, gt=0, description="numbers in a latent z")
    w_dim: int | None = Field(None, gt=0, description="numbers in a row of w (stylegan2)")
    width: int | None = Field(
        None, gt=0, description="maps of side S have width / S channels (stylegan2), the last hidden one width (dcgan)"
    )
    channel_most: int | None = Field(None, gt=0, description="channels of a map at most (stylegan2)")
    mapping_depth: int | None = Field(None, gt=0, description="layers from z to w (stylegan2)")

    @model_validator(mode="after")
    def _consistent(self) -> Networks:
        for name in STYLEGAN2_ONLY if self.family == "dcgan" else ():
            if getattr(self, name) is not None:
                raise ValueError(f"{name}: a dcgan has none; leave it out, or take --prior stylegan2")
        return self


class PriorTraining(Run):
    """Losses and rates of a prior, beside what every run has."""

    images: Annotated[int, flag("--images", "N")] = Field(
        400_000, gt=0, description="length of the run, in images seen"
    )
    batch: Annotated[int, flag("--batch", "B")] = Field(16, gt=0, description="images a step")
    learning_rate: float = Field(2.5e-3, gt=0, description="Adam's rate; DCGAN wants 2e-4")
    discriminator_rate: float = Field(1.0, gt=0, description="the discriminator's rate as a share of the generator's")
    betas: tuple[float, float] = Field((0.0, 0.99), description="Adam's momenta; DCGAN wants 0.5 and 0.999")
    r1: float = Field(0.5, ge=0, description="weight of the R1 penalty on real pictures; 0 is off")
    r1_every: int = Field(16, gt=0, description="steps between two R1 penalties (lazy regularisation)")
    path_length: float = Field(2.0, ge=0, description="weight of the path length penalty; 0 is off")
    path_every: int = Field(8, gt=0, description="steps between two path length penalties")
    mixing: float = Field(0.9, ge=0, le=1, description="share of the pictures that are made of two latents")
    ema: float = Field(10_000.0, gt=0, description="half-life of the averaged generator in images")
    augment: tuple[Augmentation, ...] = Field(
        ("colour", "translation", "cutout"),
        description="what the discriminator's pictures go through; none if the flag is alone",
    )
    overfit: float | None = Field(
        0.5,
        gt=0,
        lt=1,
        description="more pictures are augmented while those of `dev` are scored farther than this from the others "
        "towards samples, fewer while they are not; None: all are",
    )
    judged: int = Field(500, ge=0, description="samples for KID and FID at every look at `dev`; 0 is off")


class PriorConfiguration(Configuration):
    """One prior, whole: everything that a run and a released prior know of it."""

    kind: ClassVar[str] = "prior"
    data: Pictures = Pictures()
    model: Networks = Networks()
    train: PriorTraining = PriorTraining()


def family_names() -> list[str]:
    """Names of the configurations that come with the product."""
    return sorted(path.stem for path in (configs_folder() / "priors").glob("*.yaml"))


def load_configuration(name: str, config: Path | None = None) -> PriorConfiguration:
    """The configuration `name` (of this product, or a path to a YAML file), with the YAML `config` laid over it.

    Raises ValueError for an unknown name (nearest named) and for a bad file (field, value and expectation named).
    """
    path = Path(name)
    if path.suffix not in {".yaml", ".yml"}:
        if name not in family_names():
            raise ValueError(f"unknown prior '{name}'; {nearest(name, family_names())}")
        path = configs_folder() / "priors" / f"{name}.yaml"
    content: dict[str, Any] = merge({"name": path.stem}, read_yaml(path))
    validate_as(PriorConfiguration, content, str(path))
    if config is not None:
        content, path = merge(content, read_yaml(config)), config
    return validate_as(PriorConfiguration, content, str(path))
