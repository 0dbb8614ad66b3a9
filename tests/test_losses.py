"""Losses against values worked out by hand, penalties against closed forms of linear critics."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d

from pix2pix.training.losses import (
    Adversarial,
    discriminator_loss,
    feature_matching,
    generator_loss,
    r1_penalty,
    wgan_gradient_penalty,
)

REAL, FAKE = torch.tensor([2.0, -1.0]).reshape(1, 1, 1, 2), torch.tensor([0.5, -3.0]).reshape(1, 1, 1, 2)


def minus_log_sigmoid(score: float) -> float:
    return -math.log(1 / (1 + math.exp(-score)))


def cross_entropy() -> float:
    """-log D(real) - log(1 - D(fake)); 1 - sigmoid(s) is sigmoid(-s)."""
    return (minus_log_sigmoid(2) + minus_log_sigmoid(-1) + minus_log_sigmoid(-0.5) + minus_log_sigmoid(3)) / 2


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("non_saturating", cross_entropy()),
        ("minimax", cross_entropy()),
        ("least_squares", 0.5 * ((1 + 4) / 2 + (0.25 + 9) / 2)),
        ("hinge", (0 + 2) / 2 + (1.5 + 0) / 2),
        ("wgan_gp", (0.5 - 3) / 2 - (2 - 1) / 2),
    ],
)
def test_discriminator_loss_by_hand(kind: Adversarial, expected: float) -> None:
    assert float(discriminator_loss(kind, REAL, FAKE)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("non_saturating", (minus_log_sigmoid(0.5) + minus_log_sigmoid(-3)) / 2),
        ("minimax", -(minus_log_sigmoid(-0.5) + minus_log_sigmoid(3)) / 2),
        ("least_squares", 0.5 * (0.25 + 16) / 2),
        ("hinge", 1.25),
        ("wgan_gp", 1.25),
    ],
)
def test_generator_loss_by_hand(kind: Adversarial, expected: float) -> None:
    assert float(generator_loss(kind, FAKE)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("kind", ["non_saturating", "minimax", "least_squares", "hinge", "wgan_gp"])
def test_patches_that_nobody_made_count_as_real_alone(kind: Adversarial) -> None:
    made = torch.tensor([0.0, 1.0]).reshape(1, 1, 1, 2)
    only = FAKE[..., 1:]
    assert torch.equal(generator_loss(kind, FAKE, made), generator_loss(kind, only))
    torch.testing.assert_close(
        discriminator_loss(kind, REAL, FAKE, made), discriminator_loss(kind, REAL, only.expand(1, 1, 1, 2))
    )
    assert generator_loss(kind, FAKE, torch.zeros_like(made)) == 0


def test_where_the_discriminator_is_sure_minimax_teaches_nothing_and_non_saturating_does() -> None:
    def gradient(kind: Adversarial) -> float:
        score = torch.tensor([[[[-20.0]]]], requires_grad=True)
        return float(torch.autograd.grad(generator_loss(kind, score), score)[0])

    assert gradient("non_saturating") == pytest.approx(-1, abs=1e-6)
    assert gradient("minimax") == pytest.approx(-math.exp(-20), rel=1e-3)  # -D(fake)


@pytest.mark.parametrize("kind", ["non_saturating", "minimax", "least_squares", "hinge", "wgan_gp"])
def test_losses_stay_finite_at_extreme_scores(kind: Adversarial) -> None:
    extreme = torch.tensor([[[[1e4, -1e4]]]])
    assert torch.isfinite(discriminator_loss(kind, extreme, -extreme))
    assert torch.isfinite(generator_loss(kind, extreme))


def test_feature_matching_by_hand_and_its_gradient_reaches_the_output_alone() -> None:
    real = [torch.ones(1, 2, 2, 2, requires_grad=True), torch.zeros(1, 4, requires_grad=True)]
    fake = [
        torch.full((1, 2, 2, 2), 4.0, requires_grad=True),
        torch.tensor([[1.0, -1.0, 2.0, 0.0]], requires_grad=True),
    ]
    loss = feature_matching(real, fake)
    assert loss.item() == pytest.approx((3 + 1) / 2)  # a mean over layers, however large each is
    loss.backward()  # type: ignore[no-untyped-call]
    assert all(layer.grad is None for layer in real)
    assert all(layer.grad is not None for layer in fake)


def test_feature_matching_refuses_another_number_of_layers() -> None:
    with pytest.raises(ValueError, match="zip"):
        feature_matching([torch.zeros(1)], [torch.zeros(1), torch.zeros(1)])


def test_wgan_penalty_of_a_linear_critic() -> None:
    weight = torch.randn(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))

    def critic(picture: Tensor) -> Tensor:
        return conv2d(picture, weight)

    real, fake = torch.randn(5, 3, 8, 8), torch.randn(5, 3, 8, 8)
    expected = (float(weight.norm()) - 1) ** 2  # wherever the points lie
    assert wgan_gradient_penalty(critic, real, fake).item() == pytest.approx(expected, rel=1e-5)


def test_wgan_penalty_looks_between_real_and_fake() -> None:
    seen: list[Tensor] = []

    def critic(picture: Tensor) -> Tensor:
        seen.append(picture.detach())
        return picture.square().sum(dim=(1, 2, 3), keepdim=True)

    wgan_gradient_penalty(critic, torch.zeros(64, 1, 2, 2), torch.ones(64, 1, 2, 2))
    (points,) = seen
    assert torch.equal(points, points[:, :, :1, :1].expand_as(points))  # one share for the whole picture
    shares = points[:, 0, 0, 0]
    assert shares.min() >= 0
    assert shares.max() <= 1
    assert shares.std() > 0.2  # uniform: 0.29


@pytest.mark.parametrize("batch", [1, 3])
def test_r1_of_a_linear_critic_with_separate_patches_is_exact(batch: int) -> None:
    weight = torch.randn(1, 3, 4, 4, generator=torch.Generator().manual_seed(1))
    real = torch.randn(batch, 3, 16, 16)
    penalty = r1_penalty(lambda picture: conv2d(picture, weight, stride=4), real)
    assert penalty.item() == pytest.approx(0.5 * float(weight.square().sum()), rel=1e-5)


def test_r1_with_overlapping_patches_is_exact_on_average() -> None:
    weight = torch.randn(1, 3, 4, 4, generator=torch.Generator().manual_seed(1))
    real = torch.randn(2, 3, 16, 16)
    torch.manual_seed(0)
    draws = torch.stack([r1_penalty(lambda picture: conv2d(picture, weight, stride=2), real) for _ in range(400)])
    expected = 0.5 * float(weight.square().sum())
    standard_error = draws.std().item() / math.sqrt(len(draws))
    assert abs(draws.mean().item() - expected) < 4 * standard_error
    assert standard_error < 0.02 * expected


def test_r1_trains_the_critic_and_leaves_the_picture_alone() -> None:
    scale = torch.tensor(3.0, requires_grad=True)
    real = torch.randn(2, 3, 8, 8)
    penalty = r1_penalty(lambda picture: scale * avg_pool2d(picture, 8).mean(1, keepdim=True), real)
    penalty.backward()  # type: ignore[no-untyped-call]
    pixels = 3 * 8 * 8
    assert penalty.item() == pytest.approx(0.5 * 9 / pixels, rel=1e-5)
    assert scale.grad is not None
    assert float(scale.grad) == pytest.approx(3 / pixels, rel=1e-5)
    assert not real.requires_grad


def test_matched_features_keep_their_precision_and_order_in_memory() -> None:
    torch.manual_seed(0)
    maps = [torch.randn(2, 6, 4, 5, dtype=torch.bfloat16) for _ in range(2)]
    real, fake = (each.contiguous(memory_format=torch.channels_last) for each in maps)
    fake.requires_grad_()
    loss = feature_matching([real], [fake])
    assert loss.dtype == torch.float32
    expected = (real.float() - fake.detach().float()).abs().mean()
    assert float(loss.detach()) == pytest.approx(float(expected), rel=5e-3)
    (gradient,) = torch.autograd.grad(loss, fake)
    assert gradient.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(gradient.sign(), (fake.detach() - real).sign())


def test_matched_features_need_not_lie_alike() -> None:
    torch.manual_seed(0)
    real, fake = (torch.randn(2, 4, 4, 4) for _ in range(2))
    expected = (real - fake).abs().mean()
    last = [each.contiguous(memory_format=torch.channels_last) for each in (real, fake)]
    for a, b in ((last[0], fake), (real, last[1]), (last[0], last[1])):
        torch.testing.assert_close(feature_matching([a], [b]), expected)
