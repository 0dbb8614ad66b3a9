"""How priors learn: a generator against a discriminator on pictures alone, with lazy R1 and path length penalties.

The non-saturating loss of Goodfellow et al. 2014; regularisers, style mixing and rates as in Karras et al. 2020,
arXiv 1912.04958.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d

from pix2pix.data.stream import Batch
from pix2pix.metrics.texture import texture_distances
from pix2pix.priors.adaptive import Adaptive
from pix2pix.priors.augment import augment
from pix2pix.priors.configuration import PriorTraining
from pix2pix.priors.losses import PathLengthPenalty, path_lengths
from pix2pix.priors.prior import Prior, mix
from pix2pix.training.adam import Adam
from pix2pix.training.losses import discriminator_loss, generator_loss, r1_penalty
from pix2pix.training.objectives import AVERAGED_EVERY, Backward, Progress, average, told_apart
from pix2pix.training.probes import Examples, chroma_spread, gradient_norm

TRACKED = 64  # latents that move the running mean of w in a step
SLOWEST = 0.005  # share by which it moves in a long run
COARSE = 8  # side at which layouts are compared
DIRECTIONS = 256


class PriorObjective:
    """The generator's and the discriminator's updates, in plain sight.

    `networks` and `optimizers` are live dictionaries: an engine prepares what is in them and puts it back. Penalties
    enter the loss of the step they fall in, so that Adam's momenta need no correction for them.
    """

    def __init__(self, generator: nn.Module, discriminator: nn.Module, settings: PriorTraining) -> None:
        self.settings = settings
        self.averaged = copy.deepcopy(generator).requires_grad_(False).eval()
        self.path = PathLengthPenalty()
        self.adaptive = Adaptive()
        self.networks: dict[str, nn.Module] = {
            "generator": generator,
            "discriminator": discriminator,
            "averaged": self.averaged,
            "path_length": self.path,
            "adaptive": self.adaptive,
        }
        self.optimizers: dict[str, torch.optim.Optimizer] = {
            "generator": self._adam(generator, 1.0),
            "discriminator": self._adam(discriminator, settings.discriminator_rate),
        }
        # The modules as they were built: penalties differentiate twice, which compiled forwards cannot. Called past the
        # engine's wrapper they run in float32.
        self.generator, self.critic = generator, discriminator
        self.prior = cast(Prior, generator)
        self.judge: Callable[[Prior], dict[str, float]] | None = None
        self.kept: Tensor | None = None  # (N, 3, S, S) in [-1, 1], never learned from; without, all is augmented

    def _adam(self, module: nn.Module, share: float) -> torch.optim.Optimizer:
        settings = self.settings
        return Adam(module.parameters(), lr=settings.learning_rate * share, betas=settings.betas, fused=True)

    def released(self) -> nn.Module:
        """The generator that people use."""
        return self.averaged

    @torch.no_grad()
    def preview(self, source: Tensor) -> Tensor:
        """What the averaged generator makes of latents (N, z_dim): (N, 3, S, S) in [-1, 1], the same at every call."""
        averaged = self.networks["averaged"]
        averaged.eval()
        output: Tensor = averaged(source)
        return output.clamp(-1, 1)

    def step(self, batch: Batch, progress: Progress, backward: Backward) -> dict[str, Tensor]:
        """One update of each network; the losses as detached scalars.

        `batch.target` holds real pictures (N, 3, S, S) in [-1, 1]; `batch.source` is not looked at: latents, noise and
        augmentation are drawn here, from torch's global generator.
        """
        real_pictures = batch.target
        z = self._latents(len(real_pictures), real_pictures.device)
        made = self.networks["generator"](z, "fresh")
        # As in pix2pix, both updates start from the discriminator as it is before this step: each picture is made and
        # looked at once.
        real, fake = self._look(real_pictures), self._look(made)
        losses = {
            "discriminator": discriminator_loss("non_saturating", real, fake),
            "generator": generator_loss("non_saturating", fake),
        }
        losses |= told_apart("non_saturating", real.detach(), fake.detach())
        losses |= self._penalties(real_pictures, progress)
        for name, penalty in (("discriminator", "r1"), ("generator", "path_length")):
            loss = losses[name] + losses[penalty] if penalty in losses else losses[name]
            self.optimizers[name].zero_grad()
            backward(loss, inputs=list(self.networks[name].parameters()), retain_graph=name == "discriminator")
        for optimizer in self.optimizers.values():
            optimizer.step()
        self._track(progress, real_pictures.device)
        losses |= self._adapt(real, fake, progress)
        if progress.step % AVERAGED_EVERY == 0:
            average(self.averaged, self.generator, half_life=self.settings.ema, progress=progress)
        return {name: value.detach() for name, value in losses.items()}

    def score(self, examples: Examples, train_output: Tensor, dev_output: Tensor) -> dict[str, float]:
        """How far the samples `dev_output` are from the pictures of `dev` as a set; how hard the last step pulled.

        - `dev_distance`: what the best model is chosen by, `set_distance`
        - `probe_spread`: mean difference between samples over that between pictures; 0 is a single sample
        - `probe_chroma`: spread of the samples' colours over that of the pictures'
        - what `judge` finds, which chooses nothing
        """
        pictures = examples.dev.target.float()
        found = {"dev_distance": set_distance(dev_output, pictures)}
        if len(pictures) > 1:
            spreads = [float((each - each.roll(1, 0)).abs().mean()) for each in (dev_output, pictures)]
            found["probe_spread"] = spreads[0] / max(spreads[1], 1e-6)
        found["probe_chroma"] = chroma_spread(dev_output) / max(chroma_spread(pictures), 1e-6)
        norms = {f"gradient_{name}": gradient_norm(self.networks[name].parameters()) for name in self.optimizers}
        judged = {} if self.judge is None else self.judge(cast(Prior, self.networks["averaged"]))
        return found | norms | judged

    def _latents(self, count: int, device: torch.device) -> Tensor:
        """z (count, layers, z_dim): one latent for all layers of a picture, or two that meet at a random layer."""
        prior, share = self.prior, self.settings.mixing
        first = torch.randn(count, prior.z_dim, device=device)
        if prior.layers == 1 or share == 0:
            return first
        second = torch.randn(count, prior.z_dim, device=device)
        crossing = torch.randint(1, prior.layers, (count,), device=device)
        mixed = torch.rand(count, device=device) < share
        return mix(first, second, torch.where(mixed, crossing, prior.layers), prior.layers)

    def _look(self, pictures: Tensor) -> Tensor:
        """The discriminator's scores of pictures, augmented."""
        scores: Tensor = self.networks["discriminator"](self._augment(pictures))
        return scores

    def _augment(self, pictures: Tensor) -> Tensor:
        return augment(pictures, self.settings.augment, self._augmented())

    def _augmented(self) -> Tensor:
        """The share of pictures that are augmented."""
        fixed = self.kept is None or self.settings.overfit is None
        return torch.ones_like(self.adaptive.share) if fixed else self.adaptive.share

    @torch.no_grad()
    def _adapt(self, real: Tensor, fake: Tensor, progress: Progress) -> dict[str, Tensor]:
        """Compare the scores of a step with those of as many kept pictures. The share to augment from now on."""
        if self.kept is None or self.settings.overfit is None or not self.settings.augment:
            return {}
        self.kept = self.kept.to(real.device)
        chosen = torch.randint(len(self.kept), (len(real),), device=real.device)
        means = torch.stack([scores.float().mean() for scores in (real, self._look(self.kept[chosen]), fake)])
        self.adaptive.follow(means, progress.seen, progress.batch, self.settings.overfit)
        return {"augmented": self.adaptive.share}

    def _penalties(self, real: Tensor, progress: Progress) -> dict[str, Tensor]:
        """Those that are due at this step, as many times stronger as they are rare."""
        settings, found = self.settings, {}
        if settings.r1 > 0 and progress.step % settings.r1_every == 0:
            # With respect to the pictures before augmentation: what it does to them counts as the critic's doing.
            penalty = r1_penalty(lambda pictures: self.critic(self._augment(pictures)), real)
            found["r1"] = settings.r1 * settings.r1_every * penalty
        if settings.path_length > 0 and self.prior.layers > 1 and progress.step % settings.path_every == 0:
            # Of a quarter of the batch, as its second derivatives are slow; the paper takes half.
            w = self.prior.map(self._latents((len(real) + 3) // 4, real.device))
            pictures = self.prior.synthesize(w, "fresh")
            lengths = path_lengths(pictures, w, torch.randn_like(pictures))
            before = progress.step // settings.path_every
            found["path_length"] = settings.path_length * settings.path_every * self.path(lengths, before)
        return found

    def _track(self, progress: Progress, device: torch.device) -> None:
        """Move the mean of w, by latents that are the same in every process, as the buffers must be."""
        rng = torch.Generator().manual_seed(progress.seen)
        z = torch.randn(TRACKED, self.prior.z_dim, generator=rng).to(device)
        self.prior.track(z, max(SLOWEST, 1 / (1 + progress.step)))


def set_distance(made: Tensor, real: Tensor) -> float:
    """Distance between two sets of pictures (N, 3, S, S) in [-1, 1] as distributions, as a share of the range.

    Sliced Wasserstein distances, of the layouts at 8x8 and, for sides from 64 on, of the textures.
    """
    assert made.shape == real.shape, (made.shape, real.shape)
    rng = torch.Generator().manual_seed(0)
    layouts = [adaptive_avg_pool2d(each.float(), COARSE).flatten(1) for each in (made, real)]
    directions = torch.randn(layouts[0].shape[1], DIRECTIONS, generator=rng)
    directions = (directions / directions.norm(dim=0)).to(made.device)
    projected = [(layout @ directions).sort(dim=0).values for layout in layouts]
    distance = (projected[0] - projected[1]).abs().mean() / 2
    if min(made.shape[2:]) >= 64:
        distance = distance + texture_distances(made, real).sum()
    return float(distance)
