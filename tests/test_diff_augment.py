"""Differentiable augmentation: values by hand, draws of each picture's own, gradients that reach the picture."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from pix2pix.priors.augment import augment, change_colour, cut_out, translate
from pix2pix.priors.configuration import Augmentation

ALL: tuple[Augmentation, ...] = ("colour", "translation", "cutout")


def pictures(count: int = 4, size: int = 16) -> Tensor:
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1


def column(*values: float) -> Tensor:
    return torch.tensor(values).reshape(-1, 1, 1, 1)


def test_colour_is_brightness_then_saturation_then_contrast() -> None:
    x = pictures(2)
    brightness, saturation, contrast = column(0.3, -0.2), column(0.5, 1.7), column(0.6, 1.4)
    expected = x + brightness
    grey = expected.mean(dim=1, keepdim=True)
    expected = (expected - grey) * saturation + grey
    mean = expected.mean(dim=(1, 2, 3), keepdim=True)
    expected = (expected - mean) * contrast + mean
    torch.testing.assert_close(change_colour(x, brightness, saturation, contrast), expected)
    torch.testing.assert_close(change_colour(x, column(0, 0), column(1, 1), column(1, 1)), x)


def test_translation_by_hand() -> None:
    x = torch.arange(1.0, 10).reshape(1, 1, 3, 3).repeat(3, 1, 1, 1)
    moved = translate(x, torch.tensor([[1, 0], [0, -1], [2, 1]]))
    assert moved[0, 0].tolist() == [[0, 0, 0], [1, 2, 3], [4, 5, 6]]
    assert moved[1, 0].tolist() == [[2, 3, 0], [5, 6, 0], [8, 9, 0]]
    assert moved[2, 0].tolist() == [[0, 0, 0], [0, 0, 0], [0, 1, 2]]


def test_cutout_by_hand() -> None:
    x = torch.ones(3, 1, 4, 4)
    cut = cut_out(x, torch.tensor([[1, 2], [0, 0], [4, 4]]))
    assert cut[0, 0].tolist() == [[1, 0, 0, 1], [1, 0, 0, 1], [1, 1, 1, 1], [1, 1, 1, 1]]
    assert cut[1, 0].tolist() == [[0, 1, 1, 1], *[[1, 1, 1, 1]] * 3]
    assert cut[2, 0].tolist() == [*[[1, 1, 1, 1]] * 3, [1, 1, 1, 0]]


def test_every_draw_is_within_the_papers_ranges_and_reaches_them() -> None:
    torch.manual_seed(0)
    ones = torch.ones(2000, 3, 16, 16)
    brightness = augment(ones, ("colour",))[:, 0, 0, 0] - 1  # grey and flat: nothing but brightness changes it
    assert -0.5 <= brightness.min() < -0.49
    assert 0.49 < brightness.max() <= 0.5
    kept = augment(ones, ("translation",))
    rows, columns = kept[:, 0].amax(dim=2).sum(dim=1), kept[:, 0].amax(dim=1).sum(dim=1)
    assert rows.min() == columns.min() == 14  # an eighth of the side
    for edge in (kept[:, 0, 0, 8], kept[:, 0, -1, 8], kept[:, 0, 8, 0], kept[:, 0, 8, -1]):
        assert 0.3 < float(1 - edge.mean()) < 0.5  # two of five shifts
    holes = 256 - augment(ones, ("cutout",))[:, 0].sum(dim=(1, 2))
    assert holes.max() == 64
    assert holes.min() == 16  # a corner


def test_each_picture_has_its_own_draws_and_they_follow_the_seed() -> None:
    same = pictures(1).expand(4, -1, -1, -1)
    for policy in (*((each,) for each in ALL), ALL):
        torch.manual_seed(1)
        first = augment(same, policy)
        assert len({tuple(each.flatten().tolist()) for each in first}) > 1, policy
        torch.manual_seed(1)
        assert torch.equal(augment(same, policy), first)
        torch.manual_seed(2)
        assert not torch.equal(augment(same, policy), first)
    assert augment(same, ()) is same


def test_the_order_of_the_policy_does_not_matter() -> None:
    x = pictures()
    torch.manual_seed(0)
    first = augment(x, ALL)
    torch.manual_seed(0)
    assert torch.equal(augment(x, ALL[::-1]), first)


@pytest.mark.parametrize("policy", [*((each,) for each in ALL), ALL])
def test_gradients_are_right_twice(policy: tuple[Augmentation, ...]) -> None:
    x = pictures(2, 6).double().requires_grad_()

    def seeded(x: Tensor) -> Tensor:
        torch.manual_seed(3)
        return augment(x, policy)

    assert torch.autograd.gradcheck(seeded, x)
    assert torch.autograd.gradgradcheck(lambda x: seeded(x) ** 2, x)


def test_gradients_reach_what_stays_and_nothing_else() -> None:
    x = torch.ones(1, 3, 4, 4, requires_grad=True)
    (gradient,) = torch.autograd.grad(translate(x, torch.tensor([[1, 0]])).sum(), x)
    assert gradient[0, 0].tolist() == [[1.0] * 4] * 3 + [[0.0] * 4]
    (gradient,) = torch.autograd.grad(cut_out(x, torch.tensor([[1, 1]])).sum(), x)
    assert gradient[0, 0].tolist() == [[0, 0, 1, 1]] * 2 + [[1.0] * 4] * 2


def test_pictures_stay_as_they_lie() -> None:
    x = pictures().contiguous(memory_format=torch.channels_last)
    assert augment(x, ALL).is_contiguous(memory_format=torch.channels_last)
