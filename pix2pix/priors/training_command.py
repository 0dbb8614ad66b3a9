"""`pix2pix prior train` and `pix2pix prior evaluate`: learn a generator of pictures from a folder, and measure one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import tyro
from pydantic import Field

from pix2pix import model_files
from pix2pix.command_line import parse, parse_known, portable
from pix2pix.priors.commands import check_json, done, say
from pix2pix.priors.configuration import PriorConfiguration, family_names, load_configuration
from pix2pix.schema import Frozen, dump, merge, validate_as


class Selection(Frozen):
    """What decides the defaults of all the other fields."""

    prior: str = Field("", description="stylegan2, dcgan, or a YAML file")
    config: Path | None = Field(None, description="YAML laid over it")
    out: Path | None = Field(None, description="run folder; default runs/priors/<prior>/<time>; a run there goes on")
    dry_run: bool = Field(False, description="print the resolved configuration and leave")


class Help(Selection):
    """Learn a generator from a folder of pictures. Every field below can be set; --dry-run shows what it comes to."""

    settings: Annotated[PriorConfiguration, tyro.conf.arg(name="")]


class EvaluateOptions(Frozen):
    """Measure a prior's samples against pictures as sets: KID, FID, precision, recall."""

    prior: str = Field("", description="a shipped prior's name, a file or a run folder")
    data: Annotated[str | None, tyro.conf.arg(metavar="DIR")] = Field(None, description="a folder of pictures")
    part: Literal["whole", "left", "right"] = Field("whole", description="of each picture; see train")
    split: Literal["train", "dev", "val", "test"] = Field("val", description="which of the pictures")
    samples: int = Field(1000, ge=4, description="how many are drawn")
    truncation: float = Field(1.0, ge=0, le=1, description="below 1: fewer kinds, better ones")
    seed: int = Field(0, ge=0, description="of the samples")
    features: Literal["auto", "inception", "efficientnet_lite0"] = Field("auto", description="what judges")
    json_: Annotated[Path | None, tyro.conf.arg(name="json", metavar="FILE")] = Field(
        None, description="where the figures are written"
    )


def train(arguments: Sequence[str], prog: str = "pix2pix prior train") -> int:
    """Train as `arguments` say. Raises ValueError with one line for a user's mistake."""
    if {"-h", "--help"} & set(arguments):
        shown = load_configuration("stylegan2")
        parse(Help, ["--help"], prog, default=Help(prior=shown.name, settings=shown))
    selection, rest = parse_known(Selection, arguments)
    if not selection.prior:
        raise ValueError(f"--prior is missing; expected one of: {', '.join(family_names())}, or a YAML file")
    configuration = resolve(selection, rest, prog)
    if selection.dry_run:
        print(dump(configuration), end="")
        return 0

    # torch and Fabric take seconds, which --dry-run and mistakes need not wait for
    from pix2pix.priors.assembly import train as train_prior
    from pix2pix.training.processes import rank
    from pix2pix.training.tracking import RunFolder, default_folder

    folder = RunFolder(selection.out or default_folder(f"priors/{configuration.name}"))
    outcome = train_prior(configuration, folder, say, portable(["pix2pix", "prior", "train", *arguments]))
    if outcome.finished and rank() == 0:
        say(f"{outcome.images:,} images in {outcome.seconds / 60:.1f} minutes; the prior is {folder.model}")
        say(f"try it: python -m pix2pix.prior sample --prior {folder.path}")
    return 128 + outcome.signal if outcome.signal else 0


def resolve(selection: Selection, flags: Sequence[str], prog: str) -> PriorConfiguration:
    """Defaults < family < networks of --init < --config < flags. Raises ValueError with one line."""
    base = load_configuration(selection.prior, selection.config)
    configuration = parse(PriorConfiguration, flags, prog, default=base)
    if configuration.train.init is None:
        return configuration
    path = model_files.resolve_prior(configuration.train.init)
    metadata = model_files.read_metadata(path, PriorConfiguration.kind)
    theirs = model_files.configuration_in(path, metadata, PriorConfiguration)
    taken = {"model": theirs.model.model_dump(), "data": {"size": theirs.data.size}}
    where = f"--init {configuration.train.init}"
    base = validate_as(PriorConfiguration, merge(base.model_dump(), taken), where)
    return parse(PriorConfiguration, flags, prog, default=base)


def evaluate(arguments: Sequence[str], prog: str = "pix2pix prior evaluate") -> int:
    """Measure as `arguments` say. Raises ValueError with one line for a user's mistake."""
    options = parse(EvaluateOptions, arguments, prog)
    if not options.prior or options.data is None:
        raise ValueError("evaluate: which prior, and against what? give --prior NAME|FILE|RUN and --data DIR")
    path = model_files.resolve_prior(options.prior)
    if options.json_ is not None:
        check_json(options.json_)

    from pix2pix.checkpoint import write_atomically
    from pix2pix.metrics.features import load_extractor
    from pix2pix.priors.commands_figures import real_features
    from pix2pix.priors.families import load_prior, prior_of
    from pix2pix.priors.judging import features_of, judge, samples, watched
    from pix2pix.priors.pictures import open_pictures

    released = load_prior(path)
    data = released.configuration.data.model_copy(update={"path": options.data, "part": options.part})
    pictures = open_pictures(data, options.split, say)
    extractor = load_extractor(options.features, None, "cpu", say)
    real = real_features(pictures, extractor)
    made = samples(prior_of(released), options.samples, options.seed, options.truncation)
    found = judge(real, features_of(watched(made, options.samples, "samples"), extractor), extractor.name)
    low, high = 1000 * found.kid.low, 1000 * found.kid.high
    print(f"{released.path}: {released.facts.images_seen:,} images; {found.samples:,} samples, seed {options.seed}")
    print(f"against {pictures.description}; features {extractor.name}")
    print(f"KID x 1000      {1000 * found.kid.value:.1f} ({low:.1f} to {high:.1f})")
    print(f"FID             {found.fid:.1f}")
    print(f"precision       {found.precision:.3f}")
    print(f"recall          {found.recall:.3f}")
    if options.json_ is not None:
        record: dict[str, object] = {
            "images_seen": released.facts.images_seen,
            "split": options.split,
            "seed": options.seed,
        }
        record |= {"truncation": options.truncation, **asdict(found)}
        content = json.dumps(record, indent=2) + "\n"
        write_atomically(options.json_, lambda temporary: temporary.write_text(content))
        done(options.json_)
    return 0
