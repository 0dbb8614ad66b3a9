"""`pix2pix prior show` and `release`: what a prior says of itself, and one made ready to give away."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro
from pydantic import Field

from pix2pix import model_files
from pix2pix.command_line import parse
from pix2pix.priors.options import Shared, prior_file
from pix2pix.schema import validate_as

if TYPE_CHECKING:
    from pix2pix.priors.families import ReleasedPrior


class ShowOptions(Shared):
    """Show what a prior says of itself; without --prior, list those that ship."""


class ReleaseOptions(Shared):
    """Write a prior anew for others: without paths of this machine, with the terms of its pictures."""

    out: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = Field(None, description="a .safetensors file to write")
    name: str | None = Field(None, description="what it shall be called; default: the name of the file")
    title: str | None = Field(None, description="a few words for its page; default: as it is")
    data: Annotated[str | None, tyro.conf.arg(metavar="TEXT")] = Field(
        None, description="what it was trained on, in words; default: as its training noted"
    )
    licence: Annotated[str | None, tyro.conf.arg(metavar="TEXT")] = Field(
        None, description="the terms of that data; needed where the prior does not know them"
    )
    bits: Literal[8, 16] | None = Field(None, description="that a weight takes in the file; default: as it is")
    with_discriminator: bool = Field(False, description="so that others can train it on, with --init")


def show(arguments: Sequence[str], prog: str) -> int:
    """Print the card of one prior, or a line for each that ships."""
    options = parse(ShowOptions, arguments, prog)
    if options.prior is not None:
        path = model_files.resolve_prior(options.prior)

        from pix2pix.priors.families import load_prior

        print(card(options.prior, load_prior(path)))
        return 0

    from pix2pix.priors.families import load_prior

    for name, path in model_files.shipped_priors().items():
        released = load_prior(path)
        configuration, facts = released.configuration, released.facts
        size = f"{configuration.data.size} px, {path.stat().st_size / 1e6:.1f} MB"
        print(f"{name}: {configuration.title or configuration.name}, {configuration.model.family}, {size}")
        print(f"    {facts.images_seen:,} images of {facts.data}; terms: {facts.licence}")
    return 0


def card(name: str, released: ReleasedPrior) -> str:
    """Several lines on a prior, whatever is known of it."""
    configuration, facts = released.configuration, released.facts
    train, size = configuration.train, configuration.data.size
    weights = sum(weight.numel() for weight in released.weights.values())
    lines = [
        f"{name}: {configuration.title or configuration.name}",
        f"{configuration.model.family}, {size}x{size}, {weights / 1e6:.2f} M weights in {released.bits} bits, "
        f"{released.path.stat().st_size / 1e6:.1f} MB",
        f"data: {facts.data}; terms: {facts.licence}",
        f"training: {facts.images_seen:,} images in batches of {train.batch}, seed {train.seed}; {facts.software}",
    ]
    if facts.command:
        lines.append(f"command: {facts.command}")
    looks = [look for look in facts.history if "kid_x1000" in look]
    if looks:
        lines.append(f"{train.judged} samples against training pictures, on the way:")
        lines += [f"{look['images']:>10,.0f} images  KID x 1000 {look['kid_x1000']:6.1f}" for look in looks]
    return "\n".join(lines)


def release(arguments: Sequence[str], prog: str) -> int:
    """Write a prior for others. Raises ValueError when its data's terms are unknown, or nothing says where to."""
    options = parse(ReleaseOptions, arguments, prog)
    path = prior_file(options.prior)
    if options.out is None or options.out.suffix != ".safetensors":
        raise ValueError("release: where to? give --out FILE.safetensors")

    from pix2pix.checkpoint import load_weights, save_model
    from pix2pix.priors.configuration import PriorConfiguration
    from pix2pix.priors.families import CRITIC, build_discriminator, build_generator, critic_of, load_prior

    released = load_prior(path)
    licence = options.licence or released.facts.licence
    if licence == "unknown":
        raise ValueError("the terms of its training data are unknown; say them with --licence TEXT")
    content = released.configuration.model_dump()
    content["data"]["path"], content["train"]["init"] = None, None  # paths of this machine
    content["name"] = options.name or options.out.stem
    content["title"] = options.title or content["title"]
    configuration = validate_as(PriorConfiguration, content, str(path))
    facts = released.facts.model_copy(update={"licence": licence, "data": options.data or released.facts.data})
    generator = build_generator(configuration)
    load_weights(generator, released)
    if options.with_discriminator:
        discriminator = build_discriminator(configuration)
        weights = critic_of(released)
        if not weights:
            raise ValueError(f"{path}: its discriminator is not here; give the run folder that it was trained in")
        discriminator.load_state_dict(weights)
        generator.add_module(CRITIC.rstrip("."), discriminator)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    save_model(options.out, generator, configuration, facts, options.bits or released.bits)
    print(f"written to {options.out}: {options.out.stat().st_size / 1e6:.1f} MB, terms: {licence}")
    return 0
