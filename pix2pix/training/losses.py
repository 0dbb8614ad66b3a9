"""Adversarial losses and penalties as pure functions of raw scores, each with its equation.

Scores are the discriminator's outputs before any sigmoid, (N, 1, h, w), one for each patch. D = sigmoid(score).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import relu, softplus

from pix2pix.nn.blocks import as_it_lies

Adversarial = Literal["non_saturating", "minimax", "least_squares", "hinge", "wgan_gp"]


def discriminator_loss(kind: Adversarial, real: Tensor, fake: Tensor, made: Tensor | None = None) -> Tensor:
    """What the discriminator minimises, a scalar. WGAN-GP and R1 add their penalty to it.

    `made` (N, 1, h, w) is 0 for patches of the output that are the target's own, which are not to be called made, and 1
    for the others; without it all are (Zeng et al. 2021, arXiv 2104.01431, section 3.3).

    - `non_saturating`, `minimax`: -log D(real) - log(1 - D(fake)), Goodfellow et al. 2014, eq. 1
    - `least_squares`: ((real - 1)^2 + fake^2) / 2, Mao et al. 2017, eq. 9
    - `hinge`: max(0, 1 - real) + max(0, 1 + fake), Lim and Ye 2017
    - `wgan_gp`: fake - real, Gulrajani et al. 2017, eq. 3
    """
    match kind:
        case "non_saturating" | "minimax":
            return softplus(-real).mean() + mean_of(softplus(fake), made)
        case "least_squares":
            return 0.5 * ((real - 1).square().mean() + mean_of(fake.square(), made))
        case "hinge":
            return relu(1 - real).mean() + mean_of(relu(1 + fake), made)
        case "wgan_gp":
            return mean_of(fake, made) - real.mean()


def generator_loss(kind: Adversarial, fake: Tensor, made: Tensor | None = None) -> Tensor:
    """What the generator minimises beside L1, a scalar; `made` as in `discriminator_loss`.

    - `non_saturating`: -log D(fake), Goodfellow et al. 2014, section 3
    - `minimax`: log(1 - D(fake)); its gradient, -D(fake), vanishes where D is sure. Here to be compared.
    - `least_squares`: (fake - 1)^2 / 2
    - `hinge`, `wgan_gp`: -fake
    """
    match kind:
        case "non_saturating":
            return mean_of(softplus(-fake), made)
        case "minimax":
            return -mean_of(softplus(fake), made)
        case "least_squares":
            return 0.5 * mean_of((fake - 1).square(), made)
        case "hinge" | "wgan_gp":
            return -mean_of(fake, made)


def mean_of(values: Tensor, made: Tensor | None) -> Tensor:
    """The mean of (N, 1, h, w) over the patches that are `made`; 0 where none is."""
    return values.mean() if made is None else (values * made).sum() / made.sum().clamp_min(1)


def share_right(kind: Adversarial, real: Tensor, fake: Tensor) -> Tensor:
    """Share of the patches that the discriminator tells right, (2,): of the real ones, of the made ones; 0.5 is chance.

    A WGAN's critic has no verdict of its own; it is right where a patch is on its side of the mean score.
    """
    middle: Tensor | float = 0.0
    if kind == "least_squares":
        middle = 0.5
    elif kind == "wgan_gp":
        middle = (real.mean() + fake.mean()) / 2
    return torch.stack([(real > middle).float().mean(), (fake < middle).float().mean()])


def feature_matching(real: list[Tensor], fake: list[Tensor]) -> Tensor:
    """Mean L1 between the discriminator's activations of target and output, layer by layer; Wang et al. 2018, eq. 4."""
    # In the activations' own precision and order: wider or row-major gradients cost a tenth to a third of a step.
    distances = []
    for a, b in zip(real, fake, strict=True):
        difference = b - a.detach()
        distances.append(as_it_lies(difference).abs().mean(dtype=torch.float32))
    return torch.stack(distances).mean()


def wgan_gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
    """E (||grad critic(x)|| - 1)^2 on random points between real and fake (N, C, H, W); Gulrajani et al. 2017, eq. 3.

    The gradient is that of each picture's mean score.
    """
    share = torch.rand(len(real), 1, 1, 1, device=real.device)
    between = (share * real + (1 - share) * fake).detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(between).mean(dim=(1, 2, 3)).sum(), between, create_graph=True)
    norms = torch.linalg.vector_norm(gradient.flatten(1), dim=1)
    penalty: Tensor = (norms - 1).square().mean()
    return penalty


def r1_penalty(critic: Callable[[Tensor], Tensor], real: Tensor) -> Tensor:
    """E ||grad of a patch's score||^2 / 2 on real pictures (N, C, H, W), patch by patch; Mescheder et al. 2018, eq. 9.

    One backward pass serves all P patches: for random signs e, E ||grad sum_p e_p s_p||^2 = sum_p ||grad s_p||^2, as
    the cross terms have mean zero. To be multiplied by gamma.
    """
    point = real.detach().requires_grad_()
    scores = critic(point)
    signs = torch.randint(0, 2, scores.shape, device=scores.device).to(scores.dtype) * 2 - 1
    (gradient,) = torch.autograd.grad((signs * scores).sum(), point, create_graph=True)
    return 0.5 * gradient.square().sum() / scores.numel()
