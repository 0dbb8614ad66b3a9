"""The field's usual training step, written out: fp32, eager, NCHW, batch 1, torch's own layers, Adam and allocator.

Isola et al. 2017, section 3.3, in the order that implementations use: the discriminator learns from the output, cut
off from the generator; then the generator learns through the discriminator, which looks at the output again.

Maps still meet their skips in this product's `join`. At batch 1 and NCHW it is torch.cat, both ways: slices of a
gradient along channels are dense in memory as they lie, and nothing is copied.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, l1_loss, mse_loss

from pix2pix.config import Train
from pix2pix.nn.blocks import InstanceNorm, PlainConv
from pix2pix.nn.matrix_convolutions import StridedConv, TransposedConv
from pix2pix.nn.patchgan import PatchGAN
from pix2pix.nn.residual import made_patches

# These compute what their torch class does, and hold nothing more.
CONVOLUTIONS: Mapping[type[nn.Module], type[nn.Module]] = {
    StridedConv: nn.Conv2d,
    TransposedConv: nn.ConvTranspose2d,
    PlainConv: nn.Conv2d,
}


def with_usual_layers(network: nn.Module) -> nn.Module:
    """`network`, changed in place: this product's norms and convolutions are torch's own, with the same parameters."""
    for parent in list(network.modules()):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, InstanceNorm):
                usual = nn.InstanceNorm2d(len(layer.weight), eps=layer.eps, affine=True)
                usual.load_state_dict(layer.state_dict())
                setattr(parent, name, usual.train(layer.training))
            elif type(layer) in CONVOLUTIONS:
                layer.__class__ = CONVOLUTIONS[type(layer)]
    return network


def verdict(adversarial: str, scores: Tensor, real: bool) -> Tensor:
    """What it costs that patches with raw `scores`, of any shape, are not judged as `real` says, a scalar."""
    wanted = torch.full_like(scores, float(real))
    match adversarial:
        case "non_saturating":
            return binary_cross_entropy_with_logits(scores, wanted)
        case "least_squares":
            return 0.5 * mse_loss(scores, wanted)
        case _:
            raise ValueError(f"--against plain: adversarial '{adversarial}' has no plain step; use non_saturating")


class PlainStep:
    """One update of each network on one pair at a time; the losses and weights are those of `settings`.

    Schedules, penalties and the averaged generator of the settings are left out: what is there costs nothing more.
    """

    def __init__(self, generator: nn.Module, discriminator: PatchGAN | None, settings: Train) -> None:
        self.generator = with_usual_layers(generator)
        self.discriminator = discriminator
        self.settings = settings
        self.generator_adam = torch.optim.Adam(generator.parameters(), settings.learning_rate, settings.betas)
        if discriminator is not None:
            with_usual_layers(discriminator)
            rate = settings.learning_rate * settings.discriminator_rate
            self.discriminator_adam = torch.optim.Adam(discriminator.parameters(), rate, settings.betas)

    def __call__(self, source: Tensor, target: Tensor) -> dict[str, Tensor]:
        """Source (1, C, H, W) and target (1, C', H, W) to the losses, scalars."""
        settings, discriminator = self.settings, self.discriminator
        output = self.generator(source)
        losses: dict[str, Tensor] = {}
        real_features: list[Tensor] = []
        if discriminator is not None:
            discriminator.requires_grad_(True)
            self.discriminator_adam.zero_grad()
            fake, _ = self.look(discriminator, output.detach(), source)
            real, real_features = self.look(discriminator, target, source)
            total = verdict(settings.adversarial, real, True)
            total = total + verdict(settings.adversarial, self.made(fake, source), False)
            losses["discriminator"] = 0.5 * settings.gan_weight * total
            torch.autograd.backward(losses["discriminator"])
            self.discriminator_adam.step()

        losses["l1"] = l1_loss(output, target)
        loss = settings.l1_weight * losses["l1"]
        if discriminator is not None:
            discriminator.requires_grad_(False)
            fake, fake_features = self.look(discriminator, output, source)
            losses["generator"] = verdict(settings.adversarial, self.made(fake, source), True)
            loss = loss + settings.gan_weight * losses["generator"]
            if settings.feature_weight > 0:
                each = [l1_loss(b, a.detach()) for a, b in zip(real_features, fake_features, strict=True)]
                losses["features"] = torch.stack(each).mean()
                loss = loss + settings.feature_weight * losses["features"]
        self.generator_adam.zero_grad()
        torch.autograd.backward(loss)
        self.generator_adam.step()
        return losses

    def look(self, discriminator: PatchGAN, picture: Tensor, source: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Scores, and the activations before them."""
        seen = source if discriminator.source_channels > 0 else None
        *features, scores = discriminator(picture, seen, return_features=True)
        return scores, features

    def made(self, scores: Tensor, source: Tensor) -> Tensor:
        """The scores of the patches of which the generator made a part."""
        made = made_patches(self.generator, source, scores)
        return scores if made is None else scores[made > 0]
