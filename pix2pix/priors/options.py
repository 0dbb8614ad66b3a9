"""The flags of the verbs that explore a prior, and what can be told wrong about them before any work."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import tyro
from pydantic import Field

from pix2pix import model_files
from pix2pix.schema import Frozen

T = TypeVar("T", int, float)

LARGEST_SEED = 2**63 - 1
SeedList = Annotated[str | None, tyro.conf.arg(metavar="S,S,...")]
PictureFile = Annotated[Path, tyro.conf.arg(metavar="FILE")]
Seed = Annotated[int | None, tyro.conf.arg(metavar="S")]
Count = Annotated[int | None, tyro.conf.arg(metavar="N")]
Json = Annotated[Path | None, tyro.conf.arg(name="json", metavar="FILE")]


class Shared(Frozen):
    """What every verb has."""

    prior: Annotated[str | None, tyro.conf.arg(metavar="NAME|FILE|RUN")] = Field(
        None, description="a shipped prior's name, a file or a run folder"
    )


class Truncated(Shared):
    """What every verb has that makes pictures at one truncation."""

    truncation: float = Field(1.0, ge=0, le=1, description="below 1: fewer kinds of pictures, better ones")


class Named(Shared):
    """What every verb has that takes one row of seeds. A seed names a picture of a prior, in every verb."""

    seeds: SeedList = Field(None, description="these pictures, by their seeds; instead of --seed and --count")
    seed: Seed = Field(None, ge=0, le=LARGEST_SEED, description="of the first picture, the others follow; default: 0")
    count: Count = Field(None, ge=1, description="how many pictures; default: 64, to walk 4, to truncate 8")

    def chosen(self, count: int) -> tuple[int, ...]:
        """The seeds; `count` is the default of `--count`. Raises ValueError for both ways at once, or no numbers."""
        if self.seeds is None:
            first = self.seed or 0
            return tuple(range(first, first + (self.count or count)))
        if self.seed is not None or self.count is not None:
            raise ValueError("got --seeds beside --seed or --count; give one or the other")
        return seeds_in("--seeds", self.seeds)


class Compared(Frozen):
    """The network that says how much two pictures differ."""

    lpips: Literal["auto", "alex", "vgg", "squeeze", "none"] = Field(
        "auto", description="network of LPIPS; auto: squeeze, the smallest, where it can be had"
    )
    lpips_backbone: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = Field(
        None, description="torchvision's ImageNet weights of that network; default: torchvision's own download"
    )

    def check_backbone(self) -> None:
        """Raises ValueError for a file without its network's name, or that is not there."""
        check_weights("lpips", self.lpips, self.lpips_backbone)


class SampleOptions(Named, Truncated):
    """Draw pictures: a sheet of them, each below its seed, or one file each, named by its seed."""

    out: Annotated[Path, tyro.conf.arg(metavar="FILE|FOLDER")] = Field(
        Path("samples.png"), description="a picture for the sheet, or a folder for PNG files"
    )


class InterpolateOptions(Named, Truncated, Compared):
    """Walk from picture to picture in steps that look equally long: a sheet, a GIF or a clip; and their LPIPS."""

    steps: int = Field(24, ge=1, le=1000, description="from one picture to the next, on average")
    path: Literal["spherical", "linear"] = Field("spherical", description="spherical in z, or linear in w")
    loop: bool = Field(False, description="walk back to the first picture")
    out: PictureFile = Field(
        Path("interpolation.gif"), description="a .gif, a clip as .mp4, or a picture for the sheet"
    )


class MixOptions(Truncated):
    """Mix styles: each row's picture with some layers of each column's."""

    rows: SeedList = Field("1,2,3", description="seeds of the pictures that give all the other layers")
    columns: SeedList = Field("4,5,6,7", description="seeds of the pictures that give --layers")
    layers: Annotated[str, tyro.conf.arg(metavar="coarse|middle|fine|A-B")] = Field(
        "coarse", description="which come from the column: pose and shape, features, colours and detail, or by number"
    )
    out: PictureFile = Field(Path("mix.png"), description="a picture")


class ArithmeticOptions(Truncated):
    """Calculate with pictures: the mean of some, without that of others, plus that of further ones."""

    with_: Annotated[str | None, tyro.conf.arg(name="with", metavar="S,S,...")] = Field(
        None, description="seeds of pictures that show something"
    )
    without: SeedList = Field(None, description="seeds of such pictures that do not show it")
    plus: SeedList = Field(None, description="seeds of the pictures that shall show it")
    seed: Annotated[int, tyro.conf.arg(metavar="S")] = Field(
        0, ge=0, le=LARGEST_SEED, description="of the small changes in the result's variations"
    )
    out: PictureFile = Field(Path("arithmetic.png"), description="a picture")


class TruncateOptions(Named, Compared):
    """Compare truncations: a sheet, one row each; with --data also how true and how diverse pictures are."""

    values: Annotated[str, tyro.conf.arg(metavar="V,V,...")] = Field(
        "0,0.25,0.5,0.7,0.85,1", description="the truncations, each from 0 to 1"
    )
    out: PictureFile = Field(Path("truncation.png"), description="a picture")
    data: Annotated[str | None, tyro.conf.arg(metavar="DIR")] = Field(
        None, description="a folder of real pictures: KID, precision and recall against them"
    )
    split: Literal["train", "dev", "val", "test"] = Field("val", description="which of those pictures")
    samples: Annotated[int | None, tyro.conf.arg(metavar="N")] = Field(
        None, ge=4, description="drawn for the figures at each value; default: 500, without --data 100"
    )
    features: Literal["auto", "inception", "efficientnet_lite0"] = Field(
        "auto", description="of KID, precision, recall; auto: inception, or what can be had, which is said"
    )
    features_file: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = Field(
        None, description="weights of that network; default: torch-fidelity's download, or the package's own"
    )
    json_: Json = Field(None, description="write the figures as JSON too")


def prior_file(name: str | None) -> Path:
    """The file that `--prior` means. Raises ValueError where it is not given, with what there is, or not found."""
    if name is None:
        shipped = ", ".join(model_files.shipped_priors())
        there = f"shipped: {shipped}" if shipped else "none is shipped, so train one with pix2pix prior train"
        raise ValueError(f"which prior? give --prior NAME|FILE|RUN; {there}")
    return model_files.resolve_prior(name)


def seeds_in(flag: str, text: str | None) -> tuple[int, ...]:
    """The seeds in `text`, as 3,7,11. Raises ValueError for anything else, and where there is none."""
    return _numbers(flag, text, int, LARGEST_SEED, "seeds, whole numbers from 0 on, as 3,7,11")


def values_in(flag: str, text: str) -> tuple[float, ...]:
    """The truncations in `text`, as 0,0.5,1. Raises ValueError for anything else."""
    return _numbers(flag, text, float, 1.0, "numbers from 0 to 1, as 0,0.5,1")


def _numbers(flag: str, text: str | None, kind: Callable[[str], T], most: T, expected: str) -> tuple[T, ...]:
    if not text:
        raise ValueError(f"{flag}: got nothing, expected {expected}")
    try:
        found = tuple(kind(part) for part in text.split(","))
    except ValueError:
        raise ValueError(f"{flag} {text}: expected {expected}") from None
    if not all(0 <= number <= most for number in found):
        raise ValueError(f"{flag} {text}: expected {expected}")
    return found


def check_weights(flag: str, network: str, file: Path | None) -> None:
    """Raises ValueError for a `file` of weights whose network `--flag` does not name, or that is not there."""
    if file is None:
        return
    if network in ("auto", "none"):
        raise ValueError(f"--{flag} {network}: a weights file needs the name of its network; give --{flag} NAME too")
    if not file.is_file():
        raise ValueError(f"{file}: no such file")
