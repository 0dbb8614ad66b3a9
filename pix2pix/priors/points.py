"""A point in a prior's latent space, told in a few numbers that people can send to each other, and its w."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from pix2pix.priors.directions import Directions
from pix2pix.priors.prior import Prior, mix, spherical
from pix2pix.priors.walks import latents_of, named_layers

SEEDS = 2**63
FARTHEST = 5.0  # standard deviations; what is beyond is no picture of its kind any more
GROUPS = ("all", "coarse", "middle", "fine")


@dataclass(frozen=True)
class Point:
    """A seed, and what is done to its w, in this order: a walk to another seed, mixing, directions."""

    seed: int = 0
    truncation: float = 1.0
    toward: int | None = None  # a seed; the point is `share` of the way there, spherically in z
    share: float = 0.0
    mixed: int | None = None  # a seed, whose w is that of the layers from `crossing` on
    crossing: int | None = None
    shifts: tuple[float, ...] = ()  # along the prior's directions, in standard deviations
    layers: str = "all"  # that shift: one of GROUPS

    @property
    def is_shifted(self) -> bool:
        """Whether its w depends on the prior's directions, which take a while to find."""
        return any(self.shifts)

    def check(self, prior_layers: int, directions: int) -> None:
        """Raises ValueError with one line for what a prior of so many layers and directions does not have."""
        for name, seed in (("seed", self.seed), ("toward", self.toward), ("mixed", self.mixed)):
            if seed is not None and not 0 <= seed < SEEDS:
                raise ValueError(f"{name}: got {seed}, expected a number from 0 to 2**63 - 1")
        for name, share in (("truncation", self.truncation), ("share", self.share)):
            if not 0 <= share <= 1:
                raise ValueError(f"{name}: got {share:g}, expected 0 to 1")
        if (self.mixed is None) != (self.crossing is None):
            raise ValueError("mixed and crossing: which seed, and from which layer on; give both, or none")
        if self.crossing is not None and not 0 <= self.crossing <= prior_layers:
            raise ValueError(f"crossing: got {self.crossing}, expected 0 (all layers mixed) to {prior_layers} (none)")
        if len(self.shifts) > directions:
            raise ValueError(f"shifts: got {len(self.shifts)}, expected at most {directions}, one for each direction")
        for shift in self.shifts:
            if not (math.isfinite(shift) and abs(shift) <= FARTHEST):
                raise ValueError(f"shifts: got {shift:g}, expected -{FARTHEST:g} to {FARTHEST:g} standard deviations")
        groups = groups_of(prior_layers)
        if self.layers not in groups:
            raise ValueError(
                f"layers: got '{self.layers}', expected {'one of ' * (len(groups) > 1)}{', '.join(groups)}"
            )


def groups_of(layers: int) -> tuple[str, ...]:
    """The GROUPS that mean something for a prior of so many layers: of one layer there is only `all`."""
    return GROUPS if layers > 1 else GROUPS[:1]


def w_of(prior: Prior, point: Point, directions: Directions | None = None) -> Tensor:
    """w (1, layers, w_dim) of a `point` that is checked; `directions` are needed where it is shifted."""
    z = latents_of(prior, [point.seed])
    if point.toward is not None:
        z = spherical(z, latents_of(prior, [point.toward]), point.share)
    w = prior.map(z, point.truncation)
    if point.mixed is not None:
        assert point.crossing is not None
        second = prior.map(latents_of(prior, [point.mixed]), point.truncation)
        w = mix(w, second, point.crossing, prior.layers)
    if point.is_shifted:
        assert directions is not None, "a shifted point needs the directions"
        chosen = range(prior.layers) if point.layers == "all" else named_layers(point.layers, prior.layers)
        w = w.clone()
        w[:, chosen.start : chosen.stop] += directions.step(point.shifts)
    return w
