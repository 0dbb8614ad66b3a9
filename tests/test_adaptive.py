"""Adaptive augmentation: the share by hand, who is augmented at a share, and a discriminator that learns by heart."""

from __future__ import annotations

import pytest
import torch

from pix2pix.priors.adaptive import FULL_AFTER, REMEMBERED, Adaptive
from pix2pix.priors.augment import augment
from pix2pix.priors.configuration import Augmentation

ALL: tuple[Augmentation, ...] = ("colour", "translation", "cutout")


def follow(adaptive: Adaptive, scores: tuple[float, float, float], before: int, images: int = 16) -> float:
    adaptive.follow(torch.tensor(scores), before, images, limit=0.5)
    return float(adaptive.share)


def test_the_share_rises_while_kept_pictures_are_scored_like_samples_and_falls_while_they_are_not() -> None:
    adaptive, step = Adaptive(), 16 / FULL_AFTER
    assert follow(adaptive, (1.0, -0.9, -1.0), 0) == pytest.approx(step)  # r_v = 1.9 / 2
    assert follow(adaptive, (1.0, -0.9, -1.0), 16) == pytest.approx(2 * step)
    adaptive.scores.copy_(torch.tensor([1.0, 0.1, -1.0]))  # r_v = 0.9 / 2
    assert follow(adaptive, (1.0, 0.1, -1.0), 32) == pytest.approx(step)
    assert follow(adaptive, (1.0, 0.1, -1.0), 48) == pytest.approx(0.0, abs=1e-9)
    assert follow(adaptive, (1.0, 0.1, -1.0), 64) == 0.0  # never below
    adaptive.share.fill_(1.0)
    adaptive.scores.copy_(torch.tensor([1.0, -2.0, -1.0]))
    assert follow(adaptive, (1.0, -2.0, -1.0), 80) == 1.0  # nor above


def test_scores_are_averaged_at_first_over_all_and_then_over_the_last() -> None:
    adaptive = Adaptive()
    for count, value in enumerate((3.0, 1.0, 5.0)):
        follow(adaptive, (value, 0.0, -value), 16 * count)
    torch.testing.assert_close(adaptive.scores, torch.tensor([3.0, 0.0, -3.0]))
    follow(adaptive, (4.0, 0.0, -3.0), 10**6)
    torch.testing.assert_close(adaptive.scores, torch.tensor([3.0 + 16 / REMEMBERED, 0.0, -3.0]))


def test_a_share_of_the_pictures_is_changed_and_each_way_draws_for_itself() -> None:
    torch.manual_seed(0)
    pictures = torch.rand(2000, 3, 8, 8) * 2 - 1
    for policy in ALL:
        changed = (augment(pictures, (policy,), 0.3) != pictures).flatten(1).any(dim=1)
        # cutouts may fall beside a picture, and one shift in nine is none
        assert 0.2 < float(changed.float().mean()) < 0.34, policy
    untouched = (augment(pictures, ALL, torch.tensor(0.3)) == pictures).flatten(1).all(dim=1)
    assert 0.7**3 - 0.03 < float(untouched.float().mean()) < 0.7**3 + 0.1
    assert torch.equal(augment(pictures, ALL, 0.0), pictures)
