"""The flags of `pix2pix restore`, and what can be told wrong about them before any work."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import tyro
from pydantic import Field

from pix2pix.batch.files import OUTPUT_FOLDER
from pix2pix.images import PIXEL_LIMIT
from pix2pix.priors.options import LARGEST_SEED, prior_file
from pix2pix.restoration.wanted import FACTOR, FLAGS, Degradation, Fault
from pix2pix.schema import Frozen

SolverName = Literal["csgm", "pgd", "w", "w+", "tuned", "untrained", "patches"]
WITH_PRIOR: SolverName = "tuned"  # where nobody says how
NEED_NO_PRIOR: frozenset[SolverName] = frozenset({"untrained", "patches"})
TOLD_BY_PATCHES: frozenset[Degradation] = frozenset({"inpaint", "denoise"})


class Searched(Frozen):
    """Which pictures, and how each is searched for."""

    inputs: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="INPUT...")] = Field(
        (), description="image files, folders, globs"
    )
    prior: Annotated[str | None, tyro.conf.arg(metavar="NAME|FILE|RUN")] = Field(
        None, description="a generator of such pictures: a shipped prior's name, a file or a run folder"
    )
    box: Annotated[str | None, tyro.conf.arg(metavar="X,Y,SIDE")] = Field(
        None, description="the square that the prior searches, as of an aligned face; default: the largest, centred"
    )
    seed: int = Field(0, ge=0, le=LARGEST_SEED - 1000, description="of the search; another one, another result")
    seconds: Annotated[float | None, tyro.conf.arg(metavar="S")] = Field(
        None, gt=0, description="end each search after so long, with what it has by then"
    )
    out: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = Field(
        None, description=f"folder of the outputs; default: {OUTPUT_FOLDER}/ beside each input, or in the folder named"
    )
    recursive: Annotated[bool, tyro.conf.FlagCreatePairsOff, tyro.conf.arg(aliases=("-r",))] = Field(
        False, description="of folders also what is deeper inside; the tree is kept"
    )
    skip_existing: Annotated[bool, tyro.conf.FlagCreatePairsOff] = Field(
        False, description="leave outputs alone that are there already"
    )
    previews: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = Field(
        None, description="folder for a picture of the search every two seconds, NAME-STEP.png"
    )
    pixel_limit: Annotated[int, tyro.conf.arg(metavar="N")] = Field(
        PIXEL_LIMIT, gt=0, description="larger pictures are refused"
    )


class RestoreOptions(Searched):
    """Repair damaged pictures by searching for one that explains them: seconds to minutes each.

    With a prior among the pictures of a generator, and near them; without, of any kind and size. `restore invert`
    saves what a search found, `restore compare` measures solvers and others; each has a --help of its own.
    """

    degradation: Degradation | None = Field(None, description="what happened to them; they are not damaged any further")
    mask: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = Field(
        None, description="inpaint: white where the picture is to be made; default: where it is transparent"
    )
    sigma: float | None = Field(
        None, ge=0, le=255, description="noise in levels of 255; default: for denoise estimated, else none"
    )
    factor: int | None = Field(None, ge=2, le=16, description=f"superres: how much larger; default: {FACTOR}")
    quality: int | None = Field(None, ge=1, le=100, description="jpeg: of the file; default: as a JPEG file tells")
    blur: float | None = Field(None, gt=0, le=50, description="deblur: standard deviation of it in pixels")
    solver: SolverName | None = Field(
        None,
        description="how it is searched; default: tuned; without a prior untrained, and patches, which need no search, "
        "for noise and thin holes",
    )
    completions: Annotated[int | None, tyro.conf.arg(metavar="N")] = Field(
        None,
        ge=1,
        le=1000,
        description="search N times with seeds that follow, for as many outputs; with seed 0 from the mean of a prior, "
        "with any other from elsewhere",
    )

    def fault(self) -> Fault:
        """What happened to the pictures; a JPEG's quality may be left to its file.

        Raises ValueError where that is not clear, or where a flag means nothing for it.
        """
        if self.degradation is None:
            raise ValueError(f"what happened to the picture? give --degradation, one of {', '.join(FLAGS)}")
        said = {"mask": self.mask, "sigma": self.sigma, "factor": self.factor, "quality": self.quality}
        said["blur"] = self.blur
        for flag, value in said.items():
            if value is not None and flag not in FLAGS[self.degradation]:
                where = " or ".join(name for name in FLAGS if flag in FLAGS[name])
                raise ValueError(f"--{flag} says nothing about --degradation {self.degradation}; it is for {where}")
        if "blur" in FLAGS[self.degradation] and self.blur is None:
            raise ValueError("how blurred is it? give --blur S, the standard deviation in pixels, as 1.5")
        return Fault(self.degradation, self.sigma, self.factor or FACTOR, self.blur, self.quality)

    def chosen(self) -> tuple[SolverName | None, Path | None]:
        """The solver, None where each picture decides, and the file of the prior that it searches.

        Raises ValueError for a solver without the prior it needs, or with one that it does not.
        """
        solver = self.solver or (None if self.prior is None else WITH_PRIOR)
        if solver in NEED_NO_PRIOR and self.prior is not None:
            raise ValueError(f"--solver {solver} needs no prior; leave out --prior, or give another solver")
        if self.prior is None and self.box is not None:
            raise ValueError("--box is for a search with a prior; give --prior too, or leave it out")
        if solver == "patches":
            self._check_patches()
        if solver is None or solver in NEED_NO_PRIOR:
            return solver, None
        if self.prior is None:
            raise ValueError(f"--solver {solver} needs a prior; give --prior NAME|FILE|RUN, or --solver untrained")
        return solver, prior_file(self.prior)

    def _check_patches(self) -> None:
        if self.degradation not in TOLD_BY_PATCHES or ("mask" in FLAGS[self.degradation] and self.sigma):
            raise ValueError("--solver patches is for noise, or for holes in a picture without any; leave it out")
        if self.completions is not None and self.completions > 1:
            raise ValueError("--solver patches has one answer; leave out --completions, or give another solver")


class InvertOptions(Searched):
    """Find pictures in a prior's space: IMAGE.png as the prior makes it, and IMAGE.safetensors, where it was found."""

    solver: Literal["w", "w+", "tuned"] = Field("tuned", description="how; tuned moves the generator's weights, too")
