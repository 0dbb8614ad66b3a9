"""What noise or holes hide of a picture, told by its own patches: around what a search found, or without any search.

In NL-Bayes the patches that are alike, and how they vary, are learned from a first pass over the noisy picture; after a
search from the mean of that pass and of what was found. Each knows what the other cannot see. And noise is cut off at
black and white, which moves what is dark up and what is light down: its mean is taken back out, as far as the pilot
tells it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt
from skimage.restoration import inpaint_biharmonic
from torch import Tensor

from pix2pix.restoration.cut_noise import cut_mean, cut_square
from pix2pix.restoration.damage import ROUNDING, Observation
from pix2pix.restoration.operators import Identity, Mask
from pix2pix.restoration.pasting import membrane
from pix2pix.restoration.patches import FIRST, HOLES, SECOND, fill_by_likes, nl_bayes

ROUNDS = 3  # without a search, each by the picture of the one before
NEAR = 4  # pixels from what is known, in which a smooth surface is to be trusted


def is_plain_noise(observation: Observation) -> bool:
    """Whether all of the picture is seen, under noise of a known level and nothing else."""
    return isinstance(observation.operator, Identity) and bool(observation.sigma)


def is_holes(observation: Observation) -> bool:
    """Whether some pixels are seen as they are, and the rest not at all."""
    if observation.sigma != 0 or observation.kind == "salt_and_pepper":  # where some that are lost look known
        return False
    return isinstance(observation.operator, Mask) and observation.operator.known.shape[1] == 1


def is_clean(observation: Observation) -> bool:
    """Whether the picture is seen as it is."""
    return isinstance(observation.operator, Identity) and observation.sigma == 0


def has_likes_to_ask(observation: Observation) -> bool:
    """Whether `collaborate` can add to what a search found."""
    return is_plain_noise(observation) or is_holes(observation)


@torch.no_grad()
def collaborate(observation: Observation, found: Tensor) -> Tensor:
    """The picture `found` (1, 3, H, W) of a search with what its own patches tell of plain noise, or of its holes."""
    assert has_likes_to_ask(observation)
    found = found.clamp(-1, 1)
    if is_holes(observation):
        return _told_holes(observation, found)
    if is_grey(observation):
        grey = _of_one_channel(observation)
        return _filtered(grey, _pilot(grey, found.mean(dim=1, keepdim=True))).expand_as(found)
    return _filtered(observation, _pilot(observation, found))


def tell(observation: Observation) -> Iterator[Tensor]:
    """Without a search, ROUNDS pictures (1, 3, H, W) that come from one another by their patches; the last is the best.

    A picture that is seen as it is, is its own one.
    """
    if is_holes(observation):
        known = _known(observation)
        picture = _smooth(observation.y[0], known)
        for _ in range(ROUNDS):
            picture = fill_by_likes(picture, known, HOLES).clamp(-1, 1)
            yield picture[None]
    elif is_plain_noise(observation) and is_grey(observation):
        yield from (picture.expand_as(observation.y) for picture in tell(_of_one_channel(observation)))
    elif is_plain_noise(observation):
        variance = observation.deviation(observation.y).square() + (ROUNDING / 127.5) ** 2
        first = nl_bayes(observation.y[0], variance[0], None, FIRST)[None].clamp(-1, 1)
        yield first
        pilot = _pilot(observation, first)
        yield pilot
        yield _filtered(observation, pilot)
    else:
        assert is_clean(observation)
        yield observation.y


def is_grey(observation: Observation) -> bool:
    """Whether all three channels are the same, and so their noise: there is a third as much to learn from it."""
    y = observation.y
    return y.shape[1] == 3 and torch.equal(y[:, 0], y[:, 1]) and torch.equal(y[:, 0], y[:, 2])


def _of_one_channel(observation: Observation) -> Observation:
    return replace(observation, y=observation.y[:, :1])


def _pilot(observation: Observation, found: Tensor) -> Tensor:
    """The mean of a picture near the true one, and of a first pass that learns from it what the cut has moved."""
    alone = nl_bayes(*_uncut(observation, found), None, FIRST)[None]
    return (found + alone.clamp(-1, 1)) / 2


def _filtered(observation: Observation, pilot: Tensor) -> Tensor:
    return nl_bayes(*_uncut(observation, pilot), pilot[0], SECOND)[None].clamp(-1, 1)


def _smooth(picture: Tensor, known: Tensor) -> Tensor:
    """(C, H, W) with its holes as the smoothest surface, and as a membrane far from what is `known`."""
    values, holes = picture.permute(1, 2, 0).numpy(), ~known.numpy()
    far = torch.from_numpy(membrane(values.copy(), holes)).permute(2, 0, 1)
    near = torch.from_numpy(inpaint_biharmonic(values, holes, channel_axis=2)).permute(2, 0, 1)
    share = torch.from_numpy(np.exp(-(distance_transform_edt(holes) - 1).clip(0) / NEAR))
    return (far + share * (near.clamp(-1, 1) - far)).float()


def _known(observation: Observation) -> Tensor:
    assert isinstance(observation.operator, Mask)
    return observation.operator.known[0, 0] > 0


def _told_holes(observation: Observation, found: Tensor) -> Tensor:
    """`found` with its holes told anew, as they will be once they are pasted with the difference at their border."""
    holes = ~_known(observation)
    difference = (observation.y - found)[0].permute(1, 2, 0).numpy()
    carried = torch.from_numpy(membrane(difference, holes.numpy())).permute(2, 0, 1)
    filled = fill_by_likes((found[0] + carried).clamp(-1, 1), ~holes, HOLES)
    return torch.where(holes, filled - carried, found[0])[None]


def _uncut(observation: Observation, pilot: Tensor) -> tuple[Tensor, Tensor]:
    """y (C, H, W) as if noise had not been cut off, of a picture near `pilot`, and the variance of its noise."""
    deviation = observation.deviation(pilot)
    shift = cut_mean(pilot, deviation) - pilot
    variance = cut_square(pilot, deviation) - shift.square() + (ROUNDING / 127.5) ** 2
    return (observation.y - shift)[0], variance[0]
