"""Damage named in words as a damaged picture and the operator that did it, and what is observed as a solver wants it.

The words are those of `derive`: `noise: {sigma: [25, 25]}`, `mask`, `downsample: {factor: 4}`, one after the other.
"""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from pix2pix.data.conditions import DERIVE
from pix2pix.data.conditions.degradations import MIDDLE, SHOT_SHARE, draw_kernel, draw_quality
from pix2pix.data.conditions.steps import bind, ordered, parse
from pix2pix.restoration.cut_noise import cut_square
from pix2pix.restoration.noise import lost_values
from pix2pix.restoration.operators import Blur, Downsample, Gray, Jpeg, Mask, Operator, Quantize, Repeat, Size, compose

Kind = Literal["gaussian", "poisson", "camera", "salt_and_pepper"]
ROUNDING = 12**-0.5  # standard deviation of what rounding to a level takes away
LUMA_NORM = 0.6685  # of independent noise in three channels, that much is left in their luma

Reader = Callable[[Size, Mapping[str, Any], np.random.Generator], Operator]
READERS: Mapping[str, Reader] = MappingProxyType(
    {
        "gray": lambda size, given, rng: Gray(size),
        "blur": lambda size, given, rng: Blur(size, torch.from_numpy(draw_kernel(rng, given["sigma"], given["kind"]))),
        "downsample": lambda size, given, rng: Downsample(size, given["factor"], given["kind"]),
        "jpeg": lambda size, given, rng: Jpeg(size, draw_quality(rng, given["quality"])),
        "quantize": lambda size, given, rng: Quantize(size, given["levels"]),
    }
)
"""The operator of a step for pictures of a size, from its parameters and a generator in the state that the step saw."""

BEHIND: Mapping[str, frozenset[str]] = MappingProxyType(
    {"mask": frozenset({"noise", "salt_and_pepper"}), "salt_and_pepper": frozenset({"mask"})}
)
"""What may follow a step that leaves holes: anything else would smear them."""


class Damaged(NamedTuple):
    """A damaged picture and how it came about.

    `sigma` is the noise level in levels of 255 at mid grey, 0 without noise, None where it is not known any more
    because what came after the noise has changed it. `kind` is that of the noise; of lost pixels `salt_and_pepper`.
    """

    picture: np.ndarray
    operator: Operator
    sigma: float | None
    kind: Kind


@dataclass(frozen=True, eq=False)
class Observation:
    """What a solver is given: y = A(x) and noise.

    `y` is (1, C, h, w) float32 in [-1, 1], 0 in holes. `sigma` is the noise level in levels of 255, None where it is
    not known; see `Damaged`.
    """

    y: Tensor
    operator: Operator
    sigma: float | None = None
    kind: Kind = "gaussian"

    @property
    def count(self) -> float:
        """How many values are known."""
        known = self.operator.known
        return float(self.y.numel() if known is None else known.expand_as(self.y).sum())

    def deviation(self, values: Tensor) -> Tensor:
        """Standard deviation of the noise on values of A(x) in [-1, 1], as if none were cut off; `sigma` is known."""
        assert self.sigma is not None
        shot = {"poisson": 1.0, "camera": SHOT_SHARE}.get(self.kind, 0.0)
        light = (values + 1) * 127.5 / MIDDLE
        return self.sigma / 127.5 * (shot * light + 1 - shot).sqrt()

    @torch.no_grad()
    def expected(self, x: Tensor) -> float | None:
        """The sum of squares that noise and rounding leave between y and A(x) of the true x; None without `sigma`.

        Values near black and white have less of it: noise that would leave [-1, 1] was cut off there.
        """
        if self.sigma is None:
            return None
        seen = self.operator.forward(x).clamp(-1, 1)
        squares = cut_square(seen, self.deviation(seen)) + (ROUNDING / 127.5) ** 2
        return float((squares if self.operator.known is None else squares * self.operator.known).sum())


def damage(picture: np.ndarray, steps: Sequence[str], rng: np.random.Generator) -> Damaged:
    """`derive(picture, steps, rng)`, bit for bit, with the operator that it was.

    `picture` is (H, W, 1 or 3) uint8 or uint16. `forward` of a colour picture is the damaged one without its noise,
    before values are clipped and rounded; a grey picture counts as one whose colour was lost, too. Lost pixels are
    found in the damaged picture, as there would be no other way for a user's; they become holes.
    Raises ValueError for a step that does not exist, that is no damage, or that comes behind holes.
    """
    if picture.ndim != 3 or picture.shape[2] not in (1, 3):
        raise ValueError(
            f"got a picture of shape {picture.shape}, expected (H, W, 1 or 3); lay transparency over white"
        )
    size, parts, known, before = _size(picture), list[Operator](), None, ""
    variance: float | None = 0.0
    kind: Kind = "gaussian"
    if picture.shape[2] == 1:
        parts.append(Gray(size))
    for text in steps:
        step, name = bind(text, DERIVE, "derive"), parse(text)[0]
        _check(name, before)
        seen, shape, before = copy.deepcopy(rng), picture.shape, name
        picture = step(picture, rng)
        given = _parameters(step)
        if name == "noise":
            variance = None if variance is None else variance + float(seen.uniform(*ordered(given["sigma"]))) ** 2
            kind = kind if kind == "salt_and_pepper" else given["kind"]
        elif name in ("mask", "salt_and_pepper"):
            found = picture[:, :, 3:] > 0 if name == "mask" else ~lost_values(picture[:, :, :3])
            known = found if known is None else known & found
            kind = "salt_and_pepper" if name == "salt_and_pepper" else kind
            if name == "mask" and shape[2] == 1:
                parts.append(Repeat((shape[0], shape[1])))
        elif not (name == "gray" and shape[2] == 1):
            parts.append(READERS[name]((shape[0], shape[1]), given, seen))
            variance = _behind(variance, kind, name)
    if known is not None:
        parts.append(Mask(torch.from_numpy(known.astype(np.float32)).permute(2, 0, 1)[None]))
    return Damaged(picture, compose(parts, size), None if variance is None else variance**0.5, kind)


def observe(
    picture: np.ndarray, operator: Operator, sigma: float | None = None, kind: Kind = "gaussian"
) -> Observation:
    """A damaged picture (h, w, C) uint8 or uint16, as a solver wants it; holes are `operator`'s, whatever its alpha.

    Raises ValueError where the picture is not what the operator makes.
    """
    colours = picture[:, :, :3] if picture.shape[2] == 4 else picture
    levels = torch.from_numpy(colours.astype(np.float32)).permute(2, 0, 1)[None]
    y = levels / (np.iinfo(picture.dtype).max / 2) - 1
    with torch.no_grad():
        made = operator.forward(torch.zeros(1, 3, *operator.size))
    if made.shape != y.shape:
        got, expected = tuple(y.shape[1:]), tuple(made.shape[1:])
        raise ValueError(f"got a damaged picture of (channels, height, width) {got}, expected {expected}")
    return Observation(y if operator.known is None else y * operator.known, operator, sigma, kind)


def _check(name: str, before: str) -> None:
    if name not in READERS and name not in ("noise", "salt_and_pepper", "mask"):
        known = ", ".join([*READERS, "noise", "salt_and_pepper", "mask"])
        raise ValueError(f"derive step '{name}' is no damage that can be undone; expected one of {known}")
    if before in BEHIND and name not in BEHIND[before]:
        allowed = ", ".join(sorted(BEHIND[before]))
        raise ValueError(f"'{name}' comes behind '{before}', where only {allowed} may; put '{before}' last")


def _behind(variance: float | None, kind: Kind, name: str) -> float | None:
    """The noise's variance behind a step that is not noise."""
    if variance == 0 or variance is None:
        return variance
    return variance * LUMA_NORM**2 if name == "gray" and kind == "gaussian" else None


def _parameters(step: functools.partial[np.ndarray]) -> dict[str, Any]:
    """The step's parameters, given or not."""
    parameters = inspect.signature(step).parameters.values()
    return {each.name: each.default for each in parameters if each.kind is inspect.Parameter.KEYWORD_ONLY}


def _size(picture: np.ndarray) -> Size:
    return picture.shape[0], picture.shape[1]
