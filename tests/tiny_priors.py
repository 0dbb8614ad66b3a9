"""Released priors with random weights, small enough to make in a test."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from pix2pix.checkpoint import Facts, save_model
from pix2pix.priors.configuration import Family, Networks, PriorConfiguration
from pix2pix.priors.dcgan import DCGAN
from pix2pix.priors.families import build_generator
from pix2pix.priors.stylegan2 import StyleGAN2

NETWORKS: dict[Family, Networks] = {
    "stylegan2": Networks(family="stylegan2", z_dim=8, w_dim=8, width=64, channel_most=8, mapping_depth=2),
    "dcgan": Networks(family="dcgan", z_dim=8, width=4),
}


def save_tiny_prior(path: Path, family: Family = "stylegan2", seed: int = 0) -> Path:
    """A prior of 64 pixels a side at `path`, whose pictures differ plainly from latent to latent."""
    rng = torch.Generator().manual_seed(seed)
    configuration = PriorConfiguration(name="tiny", model=NETWORKS[family])
    generator = build_generator(configuration, rng)
    with torch.no_grad():
        if isinstance(generator, StyleGAN2):
            for name, parameter in generator.named_parameters():
                if name.endswith(("strength", "bias")):  # as drawn they are 0 or 1, which would hide mistakes
                    parameter.add_(0.2 * torch.randn(parameter.shape, generator=rng))
            generator.track(generator.sample(256, rng), 1.0)
        if isinstance(generator, DCGAN):
            _settle(generator, rng)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_model(path, generator, configuration, Facts(images_seen=7, data="nothing"))
    return path


def _settle(generator: DCGAN, rng: torch.Generator) -> None:
    """Give batch norm the statistics of 64 latents, and the picture contrast: the paper's first weights make grey."""
    for module in generator.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    generator(generator.sample(64, rng))
    last = [parameter for name, parameter in generator.named_parameters() if name.endswith("weight")][-1]
    last.mul_(20)
