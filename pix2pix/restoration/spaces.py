"""Where a solver searches: the latents of a prior, its weights around a latent, or an untrained network's weights.

A space is a set of variables, the picture they make, and how unlikely they are. `advance` tells it how far the search
is, before each step: noise that keeps a search from settling is drawn there, and is gone at 1.
"""

from __future__ import annotations

import copy
import math
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pix2pix.priors.layers import NoiseInput
from pix2pix.priors.prior import Prior
from pix2pix.restoration.operators import Identity, Operator, squared_norm, unseen
from pix2pix.restoration.untrained import INPUTS, Hourglass

SAMPLES = 1024  # of w, for its mean and spread
JITTER = 0.05  # of the norm of w's spread, on every number of w, at the start; appendix D
CALM = 0.75  # of the search, after which w has no noise
SMALLEST_FIELD = 8  # side to which noise is halved for its penalty
AUTOCORRELATION = 1e3  # weight of the noise's penalty beside that of w
ANCHOR = 1000.0  # weight of the part of a picture that is not observed, beside that of the weights
FIELD_JITTER = 0.5  # standard deviation by which noise inputs are moved at each step, where asked
INPUT_NOISE = 0.1  # largest value of the untrained network's input
INPUT_JITTER = 1 / 30  # of the input's own standard deviation, in the released code of Ulyanov et al.


class SearchSpace(Protocol):
    """N pictures at once, which do not depend on each other."""

    def variables(self) -> list[Tensor]:
        """What is optimised: leaves that require gradients."""

    def advance(self, progress: float, rng: torch.Generator) -> None:
        """Before each step, with the share in [0, 1] of the search that is over; 1 before the last picture.

        What is random about a step is drawn here, from `rng`.
        """

    def render(self) -> Tensor:
        """Pictures (N, 3, H, W), about [-1, 1]."""

    def penalty(self) -> Tensor:
        """How unlikely each of them is, (N,)."""


class LatentZ:
    """Latents z of `restarts` pictures with the penalty |z|^2: Bora et al. 2017, arXiv 1703.03208 (CSGM), eq. 3.

    The penalty is the mean over z_dim, 1 for a typical latent.
    """

    def __init__(self, prior: Prior, rng: torch.Generator, restarts: int) -> None:
        self.prior = prior
        self.z = prior.sample(restarts, rng).requires_grad_()

    def variables(self) -> list[Tensor]:
        return [self.z]

    def advance(self, progress: float, rng: torch.Generator) -> None:
        pass

    def render(self) -> Tensor:
        return self.prior(self.z)

    def penalty(self) -> Tensor:
        return self.z.square().mean(dim=1)


class LatentW:
    """One w for all layers, and the noise inputs: Karras et al. 2020, arXiv 1912.04958, appendix D.

    The search starts at the mean w, with noise added to w that fades. The penalty is the mean square of w's distance
    from there in units of its spread, 1 for a typical w, and what keeps the noise inputs noise. Of `rows` there is 1,
    or one for each layer. Without `varies_noise`, and for a prior that has no noise inputs, there is only w.

    With `variety` in (0, 1] start and penalty move that share of the way from the mean to a w that is drawn: where the
    observation says little, other draws find other pictures that explain it as well. At 1, on a linear generator, they
    are samples of the posterior but for its noise: randomised maximum likelihood, Oliver et al. 1996.
    """

    def __init__(
        self, prior: Prior, rng: torch.Generator, rows: int = 1, varies_noise: bool = True, variety: float = 0.0
    ) -> None:
        assert rows in (1, prior.layers), rows
        with torch.no_grad():
            w = prior.map(prior.sample(SAMPLES, rng))[:, :1]
        self.start, self.spread = w.mean(dim=0).lerp(w[0], variety), w.std(dim=0).clamp_min(1e-6)
        self.prior = copy.deepcopy(prior)
        self.fields = own_fields(self.prior) if varies_noise else []
        self.w = self.start.expand(rows, -1)[None].clone().requires_grad_()
        self._jitter = torch.zeros_like(self.w)

    def variables(self) -> list[Tensor]:
        return [self.w, *self.fields]

    @torch.no_grad()
    def advance(self, progress: float, rng: torch.Generator) -> None:
        strength = JITTER * float(self.spread.norm()) * max(0.0, 1 - progress / CALM) ** 2
        self._jitter = strength * torch.randn(self.w.shape, generator=rng)
        for noise in self.fields:
            noise.sub_(noise.mean()).mul_(torch.rsqrt(noise.square().mean() + 1e-8))

    def render(self) -> Tensor:
        return self.prior.synthesize(self.by_layer(self.w + self._jitter))

    def penalty(self) -> Tensor:
        unlikely = ((self.w - self.start) / self.spread).square().mean()
        structure = sum((autocorrelation(noise) for noise in self.fields), torch.zeros(()))
        return (unlikely + AUTOCORRELATION * structure)[None]

    def pivot(self) -> Tensor:
        """Where the search is: w (1, layers, w_dim), without gradients."""
        return self.by_layer(self.w.detach()).clone()

    def by_layer(self, w: Tensor) -> Tensor:
        return w.expand(-1, self.prior.layers, -1)


class LatentWPlus(LatentW):
    """A w for each layer: Abdal et al. 2019, arXiv 1904.03189. More pictures lie in it, and less likely ones."""

    def __init__(self, prior: Prior, rng: torch.Generator, variety: float = 0.0) -> None:
        super().__init__(prior, rng, rows=prior.layers, variety=variety)


class Weights:
    """The weights of a synthesis around a fixed w: Roich et al. 2021, arXiv 2106.05744; Pan et al. 2020, 2003.13659.

    `pivot` is (1, layers, w_dim), found before, best with the prior whose noise inputs were found beside it. The
    penalty keeps the generator near: the mean square by which weights have moved. Weights that are drawn from N(0, 1)
    and scaled in use, as a StyleGAN2's, all count alike in it. What `operator` does not see of a picture, nothing else
    would hold: the penalty also has ANCHOR times the mean square by which that part of it has moved. Noise inputs move
    by `jitter` at each step but the last.
    """

    def __init__(self, prior: Prior, pivot: Tensor, operator: Operator | None = None, jitter: float = 0.0) -> None:
        self.prior, self._pivot = copy.deepcopy(prior), pivot.detach()
        assert isinstance(self.prior, nn.Module)
        candidates = [each.requires_grad_() for each in self.prior.parameters()]
        gradients = torch.autograd.grad(self.render().sum(), candidates, allow_unused=True)
        self._weights = [each for each, used in zip(candidates, gradients, strict=True) if used is not None]
        self._first = flat(self._weights).detach()
        is_blind = operator is not None and operator.is_linear and not isinstance(operator, Identity)
        self._blind = operator if is_blind else None
        self._norm = 1.0 if self._blind is None else squared_norm(self._blind, torch.Generator().manual_seed(0))
        self._begun = self._shown = self.render().detach()
        self._fields, self._jitter = noise_fields(self.prior), jitter

    def variables(self) -> list[Tensor]:
        return list(self._weights)

    def advance(self, progress: float, rng: torch.Generator) -> None:
        for module, field in self._fields:
            moves = self._jitter and progress < 1
            module.field = field + self._jitter * torch.randn(field.shape, generator=rng) if moves else field

    def render(self) -> Tensor:
        self._shown = self.prior.synthesize(self._pivot)
        return self._shown

    def penalty(self) -> Tensor:
        """Of the weights, and of the picture that was rendered last."""
        moved = (flat(self._weights) - self._first).square().mean()[None]
        if self._blind is None:
            return moved
        return moved + ANCHOR * unseen(self._blind, self._shown - self._begun, self._norm)

    def pivot(self) -> Tensor:
        return self._pivot


class Untrained:
    """The weights of a network that has seen nothing: Ulyanov et al. 2018, arXiv 1711.10925, deep image prior.

    Its input is noise, fixed but for a jitter at each step. It takes no penalty: it is to be stopped in time.
    """

    def __init__(self, shape: tuple[int, int], rng: torch.Generator) -> None:
        self.network = Hourglass(*shape, rng)
        self._input = INPUT_NOISE * torch.rand(1, INPUTS, *shape, generator=rng)
        self._jittered = self._input

    def variables(self) -> list[Tensor]:
        return list(self.network.parameters())

    def advance(self, progress: float, rng: torch.Generator) -> None:
        strength = INPUT_JITTER * (progress < 1)
        self._jittered = self._input + strength * torch.randn(self._input.shape, generator=rng)

    def render(self) -> Tensor:
        picture: Tensor = self.network(self._jittered)
        return picture

    def penalty(self) -> Tensor:
        return torch.zeros(1)


def flat(weights: list[Tensor]) -> Tensor:
    """All numbers of them in a row."""
    return torch.cat([each.flatten() for each in weights])


def own_fields(prior: Prior) -> list[Tensor]:
    """The fixed noise of each layer of `prior`, from now on variables."""
    fields = []
    for module, field in noise_fields(prior):
        module.field = field.clone().requires_grad_()
        fields.append(module.field)
    return fields


def noise_fields(prior: Prior) -> list[tuple[NoiseInput, Tensor]]:
    """The noise inputs of `prior`, each with the fixed noise that it has now."""
    modules = prior.modules() if isinstance(prior, nn.Module) else ()
    return [(each, each.field.detach()) for each in modules if isinstance(each, NoiseInput)]


def autocorrelation(noise: Tensor) -> Tensor:
    """What is not noise in (1, 1, S, S): squared mean products of neighbours, at all scales; appendix D, L_ij."""
    total = torch.zeros(())
    for _ in range(int(math.log2(noise.shape[2]))):
        for axis in (2, 3):
            total = total + (noise * noise.roll(1, axis)).mean().square()
        if noise.shape[2] <= SMALLEST_FIELD:
            break
        noise = 2 * F.avg_pool2d(noise, 2)  # of variance 1 again
    return total
