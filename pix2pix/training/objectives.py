"""What pix2pix learns: Isola et al. 2017, eq. 4, G* = arg min_G max_D L_cGAN(G, D) + lambda L_L1(G)."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss

from pix2pix.config import Train
from pix2pix.data.stream import Batch
from pix2pix.nn.patchgan import PatchGAN
from pix2pix.nn.residual import made_patches
from pix2pix.training.adam import Adam
from pix2pix.training.losses import (
    Adversarial,
    discriminator_loss,
    feature_matching,
    generator_loss,
    r1_penalty,
    share_right,
    wgan_gradient_penalty,
)
from pix2pix.training.probes import Examples, gradient_norm, scores

AVERAGED_EVERY = 4  # steps: each time takes a twentieth of a step of the paper's networks on two cores


class Backward(Protocol):
    """`loss.backward`, as an engine does it: gradients of `inputs` alone."""

    def __call__(self, loss: Tensor, /, *, inputs: Sequence[Tensor], retain_graph: bool) -> None: ...


@dataclass(frozen=True)
class Progress:
    """Where a run stands. Everything that changes over a run is a function of it."""

    seen: int  # images before this step
    total: int
    batch: int  # images a step, over all processes

    @property
    def step(self) -> int:
        return self.seen // self.batch


def learning_rate_share(progress: Progress, decay_from: float) -> float:
    """1 until `decay_from` of the run, then linearly to 0 at its end; the paper's 100 + 100 epochs are 0.5."""
    left = 1 - progress.seen / progress.total
    return min(1.0, left / (1 - decay_from)) if decay_from < 1 else 1.0


class Pix2Pix:
    """The generator's and the discriminator's updates, in plain sight.

    `networks` and `optimizers` are live dictionaries: an engine prepares what is in them and puts it back.
    """

    def __init__(self, generator: nn.Module, discriminator: PatchGAN | None, settings: Train) -> None:
        assert (discriminator is None) == (settings.gan_weight == 0)
        self.settings = settings
        self.networks: dict[str, nn.Module] = {"generator": generator}
        self.optimizers: dict[str, torch.optim.Optimizer] = {"generator": self._adam(generator, 1.0)}
        if discriminator is not None:
            self.networks["discriminator"] = discriminator
            self.optimizers["discriminator"] = self._adam(discriminator, settings.discriminator_rate)
        self.averaged: nn.Module | None = None
        if settings.ema > 0:
            self.averaged = copy.deepcopy(generator).requires_grad_(False)
            self.networks["averaged"] = self.averaged
        # The modules as they were built: penalties differentiate twice, which compiled forwards cannot.
        self.critic = discriminator
        self.generator = generator

    def score(self, examples: Examples, train_output: Tensor, dev_output: Tensor) -> dict[str, float]:
        """How the released generator's outputs on `examples` compare, and how hard the last step pulled."""
        norms = {f"gradient_{name}": gradient_norm(self.networks[name].parameters()) for name in self.optimizers}
        return scores(examples, train_output, dev_output) | norms

    def _adam(self, module: nn.Module, share: float) -> torch.optim.Optimizer:
        rate = self.settings.learning_rate * math.sqrt(self.settings.batch) * share
        optimizer = Adam(module.parameters(), lr=rate, betas=self.settings.betas, fused=True)
        for group in optimizer.param_groups:
            group["full_rate"] = rate  # the rate before decay; `step` sets `lr` from it
        return optimizer

    def released(self) -> nn.Module:
        """The generator that people use."""
        return self.averaged or self.generator

    @torch.no_grad()
    def preview(self, source: Tensor) -> Tensor:
        """What the released generator makes of `source` (N, C, H, W), dropout and noise off."""
        generator = self.networks["averaged" if self.averaged is not None else "generator"]
        was_training = generator.training
        generator.eval()
        output: Tensor = generator(source)
        generator.train(was_training)
        return output

    def step(self, batch: Batch, progress: Progress, backward: Backward) -> dict[str, Tensor]:
        """One update of each network on `batch`; the losses as detached scalars."""
        settings = self.settings
        for optimizer in self.optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] = group["full_rate"] * learning_rate_share(progress, settings.decay_from)

        output = self.networks["generator"](batch.source)
        losses = {"l1": l1_loss(output, batch.target)}
        generator = settings.l1_weight * losses["l1"]
        if self.critic is not None:
            # Each picture is looked at once: both updates start from the discriminator as it is before this step.
            real, real_features = self._look(batch.target, batch.source)
            fake, fake_features = self._look(output, batch.source)
            made = made_patches(self.generator, batch.source, fake)
            # Halved, as in the paper's section 3.3, to slow the discriminator relative to the generator.
            judged = discriminator_loss(settings.adversarial, real, fake, made)
            losses["discriminator"] = 0.5 * settings.gan_weight * judged
            losses["generator"] = generator_loss(settings.adversarial, fake, made)
            generator = generator + settings.gan_weight * losses["generator"]
            if settings.feature_weight > 0:
                losses["features"] = feature_matching(real_features, fake_features)
                generator = generator + settings.feature_weight * losses["features"]
            losses |= told_apart(settings.adversarial, real.detach(), fake.detach())
            discriminator = losses["discriminator"]
            penalty = self._penalty(batch, output.detach(), progress)
            if penalty is not None:
                losses["penalty"] = penalty
                discriminator = discriminator + penalty
            self._gradients("discriminator", discriminator, backward, keep_graph=True)
        self._gradients("generator", generator, backward, keep_graph=False)
        for optimizer in self.optimizers.values():
            optimizer.step()
        if self.averaged is not None and progress.step % AVERAGED_EVERY == 0:
            average(self.averaged, self.generator, half_life=settings.ema, progress=progress)
        return {name: value.detach() for name, value in losses.items()}

    def _gradients(self, name: str, loss: Tensor, backward: Backward, keep_graph: bool) -> None:
        """Fresh gradients of `loss` for one network's weights; no other network's are computed."""
        self.optimizers[name].zero_grad()
        backward(loss, inputs=list(self.networks[name].parameters()), retain_graph=keep_graph)

    def _penalty(self, batch: Batch, output: Tensor, progress: Progress) -> Tensor | None:
        settings, critic, source = self.settings, self.critic, self._shown(batch.source)
        assert critic is not None
        if settings.adversarial == "wgan_gp":
            return settings.gradient_penalty * wgan_gradient_penalty(
                lambda point: critic(point, source), batch.target, output
            )
        if settings.r1 > 0 and progress.step % settings.r1_every == 0:
            # Lazy regularisation, Karras et al. 2020: every k-th step, k times as strong.
            return settings.r1 * settings.r1_every * r1_penalty(lambda point: critic(point, source), batch.target)
        return None

    def _look(self, picture: Tensor, source: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The discriminator's scores, and its activations before them where they are matched."""
        discriminator, seen = self.networks["discriminator"], self._shown(source)
        if self.settings.feature_weight == 0:
            return discriminator(picture, seen), []
        *features, scores = discriminator(picture, seen, return_features=True)
        return scores, features

    def _shown(self, source: Tensor) -> Tensor | None:
        """The source, where the discriminator judges pairs; nothing, where it judges the picture alone."""
        return source if self.critic is not None and self.critic.source_channels > 0 else None


def told_apart(kind: Adversarial, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
    """How the discriminator scores the targets and the outputs, and the share of the patches that it tells right."""
    real_right, fake_right = share_right(kind, real, fake)
    means = {"score_real": real.mean(), "score_fake": fake.mean()}
    return means | {"real_right": real_right, "fake_right": fake_right}


@torch.no_grad()
def average(averaged: nn.Module, module: nn.Module, half_life: float, progress: Progress) -> None:
    """Move `averaged` towards `module` by what `AVERAGED_EVERY` steps come to: an exponential moving average whose
    half-life is counted in images.

    Early on the half-life is at most a twentieth of the images seen, so that the first weights are soon forgotten
    (Karras et al. 2024, arXiv 2312.02696, appendix B).
    """
    half_life = min(half_life, max(progress.seen * 0.05, 1e-8))
    share = 1 - 0.5 ** (AVERAGED_EVERY * progress.batch / half_life)
    for mean, weight in zip(averaged.parameters(), module.parameters(), strict=True):
        mean.lerp_(weight, share)
    for kept, buffer in zip(averaged.buffers(), module.buffers(), strict=True):
        kept.copy_(buffer)
