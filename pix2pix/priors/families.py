"""The families of priors, and their networks from a configuration."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import torch
from pydantic import Field
from torch import Tensor, nn

from pix2pix.checkpoint import STATE_FILE, Released, load_state, load_weights, read_released
from pix2pix.model_files import configuration_in
from pix2pix.priors.configuration import Family, Networks, PriorConfiguration
from pix2pix.priors.dcgan import DCGAN, DCGANDiscriminator
from pix2pix.priors.prior import Prior
from pix2pix.priors.stylegan2 import StyleGAN2, StyleGAN2Discriminator

Rng = torch.Generator | None
GENERATORS: dict[Family, Callable[[int, Networks, Rng], nn.Module]] = {
    "stylegan2": lambda size, model, rng: StyleGAN2(
        size,
        **_given(
            z_dim=model.z_dim,
            w_dim=model.w_dim,
            channel_base=model.width,
            channel_most=model.channel_most,
            mapping_depth=model.mapping_depth,
        ),
        rng=rng,
    ),
    "dcgan": lambda size, model, rng: DCGAN(size, **_given(z_dim=model.z_dim, width=model.width), rng=rng),
}
DISCRIMINATORS: dict[Family, Callable[[int, Networks, Rng], nn.Module]] = {
    "stylegan2": lambda size, model, rng: StyleGAN2Discriminator(
        size, **_given(channel_base=model.width, channel_most=model.channel_most), rng=rng
    ),
    "dcgan": lambda size, model, rng: DCGANDiscriminator(size, **_given(width=model.width), rng=rng),
}


CRITIC = "discriminator."  # begins the names of its weights in a released file


class ReleasedPrior(Released):
    """A released file that holds a prior, read: `critic` has its discriminator's weights, if it was released too."""

    configuration: PriorConfiguration
    critic: dict[str, Tensor] = Field(default_factory=dict)


def build_generator(configuration: PriorConfiguration, rng: Rng = None) -> nn.Module:
    """A fresh generator, which is a `Prior`; of `meta` tensors under `torch.device("meta")`."""
    return GENERATORS[configuration.model.family](configuration.data.size, configuration.model, rng)


def build_discriminator(configuration: PriorConfiguration, rng: Rng = None) -> nn.Module:
    """A fresh discriminator: pictures (N, 3, size, size) to scores (N, 1)."""
    return DISCRIMINATORS[configuration.model.family](configuration.data.size, configuration.model, rng)


def load_prior(path: Path) -> ReleasedPrior:
    """Read a released prior. Raises ValueError when it is missing, damaged, of another kind or version."""
    metadata, released = read_released(path, PriorConfiguration.kind)
    configuration = configuration_in(path, metadata, PriorConfiguration)
    weights = {name: each for name, each in released.weights.items() if not name.startswith(CRITIC)}
    critic = {name[len(CRITIC) :]: each for name, each in released.weights.items() if name.startswith(CRITIC)}
    return ReleasedPrior(**dict(released) | {"weights": weights}, configuration=configuration, critic=critic)


def critic_of(released: ReleasedPrior) -> dict[str, Tensor]:
    """The weights of the discriminator that a prior was trained against: its own, or its run's. Else none."""
    state = released.path.with_name(STATE_FILE)
    if released.critic or not state.is_file():
        return released.critic
    return dict(load_state(state)["networks"].get("discriminator", {}))


def prior_of(released: ReleasedPrior, device: str = "cpu") -> Prior:
    """The generator of a released prior, ready to make pictures: in evaluation mode, its weights fixed.

    Raises ValueError when its weights do not fit its configuration.
    """
    with torch.random.fork_rng(devices=[]):  # first weights are drawn, and thrown away
        generator = build_generator(released.configuration)
    load_weights(generator, released)
    return cast(Prior, generator.requires_grad_(False).eval().to(device))


def _given(**sizes: int | None) -> dict[str, Any]:
    return {name: size for name, size in sizes.items() if size is not None}
