"""What a visitor asks of a search, checked by the options of `pix2pix restore`, and the command that does the same."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from pix2pix.restoration.options import RestoreOptions
from pix2pix.restoration.wanted import FACTOR
from pix2pix.schema import explain, nearest

MOST_COMPLETIONS = 4
MOST_SECONDS = 600.0  # that a server searches for one visitor, all completions together
NAMES = (
    *("degradation", "sigma", "factor", "blur", "quality"),
    *("prior", "solver", "box", "seed", "completions", "seconds"),
)
"""What may be said beside the picture and its mask; the names are those of the command's flags."""
PLAIN: Mapping[str, str] = MappingProxyType(
    {
        "give --mask FILE, white there, or a transparent picture": "paint over it, or send a picture with clear holes",
        "erase a part, or give --mask FILE": "paint over it",
        "choose another with --box X,Y,SIDE, or leave out --prior": "choose another square, or search any photo",
        "search without --prior": "search any photo",
        "give --quality Q, from 1 to 100": "say which",
        "--": "",
    }
)
"""What the command advises, and what that is here."""


@dataclass(frozen=True)
class Asked:
    """One search. `prior` is the name of one that is offered; in `options` stands its file."""

    picture: Path
    mask: Path | None
    prior: str | None
    options: RestoreOptions

    @property
    def completions(self) -> int:
        """How many pictures to make."""
        return self.options.completions or 1

    @property
    def seconds(self) -> float:
        """That each of them may take."""
        return min(self.options.seconds or MOST_SECONDS, MOST_SECONDS / self.completions)


def asked_of(given: object, picture: Path, mask: Path | None, priors: Mapping[str, Path]) -> Asked:
    """JSON values as a search with one of `priors`, by the names of the command's flags.

    A mask counts for holes only, one completion as none asked for. Raises ValueError with one line for what cannot be.
    """
    if not isinstance(given, Mapping):
        raise ValueError("expected a JSON object of settings")
    for name in given:
        if name not in NAMES:
            raise ValueError(f"no setting '{str(name)[:40]}'; {nearest(str(name), NAMES)}")
    said = {name: value for name, value in given.items() if value is not None}
    prior = said.pop("prior", None)
    if prior is not None:
        if not isinstance(prior, str) or prior not in priors:
            raise ValueError(f"no prior '{str(prior)[:40]}'; {nearest(str(prior), priors)}")
        said["prior"] = str(priors[prior])
    if said.get("completions") == 1:
        del said["completions"]
    try:
        options = RestoreOptions.model_validate({**said, "mask": mask})
    except ValidationError as error:
        raise ValueError(explain(error, RestoreOptions)) from None
    if (options.completions or 1) > MOST_COMPLETIONS:
        raise ValueError(f"completions: got {options.completions}, expected 1 to {MOST_COMPLETIONS}")
    if (options.seconds or 0) > MOST_SECONDS:
        raise ValueError(f"seconds: got {options.seconds:g}, expected at most {MOST_SECONDS:g}")
    options.fault()
    options.chosen()
    return Asked(picture, mask, prior, options)


def command_of(asked: Asked) -> str:
    """The command that makes the same of the picture and its mask, by the names they are downloaded under."""
    options = asked.options
    words = ["pix2pix", "restore", _shown(asked.picture.name), "--degradation", str(options.degradation)]
    said: dict[str, Any] = {
        "mask": None if asked.mask is None else _shown(asked.mask.name),
        "sigma": options.sigma,
        "factor": None if options.factor in (None, FACTOR) else options.factor,
        "blur": options.blur,
        "quality": options.quality,
        "prior": asked.prior,
        "solver": options.solver,
        "box": options.box,
        "seed": options.seed or None,
        "completions": options.completions,
        "seconds": options.seconds,
    }
    for name, value in said.items():
        if value is not None:
            words += [f"--{name}", f"{value:g}" if isinstance(value, float) else str(value)]
    return shlex.join(words)


def plain(line: str) -> str:
    """A line of the command for people who do not type one."""
    for said, meant in PLAIN.items():
        line = line.replace(said, meant)
    return line


def _shown(name: str) -> str:
    """A file's name that is no flag."""
    return f"./{name}" if name.startswith("-") else name
