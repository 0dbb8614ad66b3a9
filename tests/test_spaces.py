"""Where restoration searches: the starting points, penalties by hand, and priors that stay as they were."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor

from pix2pix.priors.dcgan import DCGAN
from pix2pix.priors.stylegan2 import StyleGAN2
from pix2pix.restoration.operators import Mask
from pix2pix.restoration.spaces import (
    ANCHOR,
    LatentW,
    LatentWPlus,
    LatentZ,
    SearchSpace,
    Untrained,
    Weights,
    autocorrelation,
)
from pix2pix.restoration.untrained import Hourglass


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def stylegan() -> StyleGAN2:
    prior = StyleGAN2(16, 8, 8, channel_base=64, channel_most=8, mapping_depth=2, rng=rng())
    with torch.no_grad():
        for name, parameter in prior.named_parameters():
            if name.endswith("strength"):  # 0 as drawn, which would hide the noise
                parameter.fill_(0.3)
    return prior.requires_grad_(False).eval()


def dcgan() -> DCGAN:
    return DCGAN(16, 8, 4, rng=rng()).requires_grad_(False).eval()


def spaces(prior: StyleGAN2 | DCGAN) -> dict[str, SearchSpace]:
    pivot = prior.map(prior.sample(1, rng(4)))
    return {
        "z": LatentZ(prior, rng(1), 3),
        "w": LatentW(prior, rng(1)),
        "w+": LatentWPlus(prior, rng(1)),
        "weights": Weights(prior, pivot),
        "untrained": Untrained((16, 16), rng(1)),
    }


@pytest.mark.parametrize("prior", [stylegan(), dcgan()], ids=["stylegan2", "dcgan"])
@pytest.mark.parametrize("name", ["z", "w", "w+", "weights", "untrained"])
def test_all_variables_move_the_picture_and_the_prior_stays(prior: StyleGAN2 | DCGAN, name: str) -> None:
    before = copy.deepcopy(prior.state_dict())
    fields = [buffer.clone() for buffer in prior.buffers()]
    space = spaces(prior)[name]
    space.advance(0.0, rng(2))
    picture = space.render()
    count = 3 if name == "z" else 1
    assert picture.shape == (count, 3, 16, 16)
    assert space.penalty().shape == (count,)
    (picture.square().mean() + space.penalty().sum()).backward()  # type: ignore[no-untyped-call]
    assert all(each.is_leaf and each.grad is not None and each.grad.abs().sum() > 0 for each in space.variables())
    torch.optim.Adam(space.variables(), 0.1).step()
    space.advance(1.0, rng(2))
    assert not torch.equal(space.render(), picture)
    assert all(torch.equal(now, before[key]) for key, now in prior.state_dict().items())
    assert all(torch.equal(now, then) for now, then in zip(prior.buffers(), fields, strict=True))
    assert not any(each.requires_grad for each in [*prior.parameters(), *prior.buffers()])


def test_z_is_drawn_from_the_prior_and_a_typical_one_has_penalty_one() -> None:
    prior = stylegan()
    space = LatentZ(prior, rng(3), 200)
    assert torch.equal(space.z.detach(), prior.sample(200, rng(3)))
    assert torch.equal(space.render(), prior(space.z))
    assert float(space.penalty().mean().detach()) == pytest.approx(1, abs=0.1)
    torch.testing.assert_close(space.penalty()[1], space.z[1].square().mean())


def test_w_starts_at_the_mean_and_its_noise_fades() -> None:
    prior = stylegan()
    many = prior.map(prior.sample(20000, rng(5)))[:, 0]
    space = LatentW(prior, rng(3))
    assert space.w.shape == (1, 1, 8)
    assert ((space.w.detach()[0, 0] - many.mean(dim=0)).abs() < 0.15 * many.std(dim=0)).all()
    strengths = []
    for progress in (0.0, 0.5, 0.75, 1.0):
        moved = []
        for seed in range(40):
            space.advance(progress, rng(seed))
            moved.append(space._jitter.norm())
        strengths.append(float(torch.stack(moved).square().mean().sqrt()))
    expected = 0.05 * float(many.std(dim=0).norm()) * 8**0.5
    assert strengths == pytest.approx([expected, expected / 9, 0, 0], rel=0.15)
    assert torch.equal(space.render(), space.prior.synthesize(space.pivot()))
    assert len(space.fields) == 5  # of the convolutions at 4, 8, 8, 16, 16
    assert LatentW(prior, rng(3), varies_noise=False).variables()[1:] == []


def test_the_penalty_of_w_is_one_for_typical_ones() -> None:
    prior = dcgan()  # without noise inputs it is that of w alone
    space = LatentW(prior, rng(3))
    assert space.fields == []
    found = []
    for seed in range(60):
        with torch.no_grad():
            space.w.copy_(prior.map(prior.sample(1, rng(seed)))[:, :1])
        found.append(space.penalty().item())
    assert sum(found) / 60 == pytest.approx(1, abs=0.2)
    assert LatentW(prior, rng(3)).penalty().item() == 0


def test_a_search_starts_at_the_mean_or_by_its_variety_at_a_w_that_is_drawn() -> None:
    prior = stylegan()
    drawn, mean = prior.map(prior.sample(1, rng(3)))[0, 0], prior.map(prior.sample(1024, rng(3)))[:, 0].mean(dim=0)
    for variety in (0.5, 1.0):
        space = LatentW(prior, rng(3), variety=variety)
        assert torch.allclose(space.w[0, 0], mean + variety * (drawn - mean), atol=1e-6)
        assert LatentWPlus(prior, rng(3), variety=variety).penalty().item() == pytest.approx(
            1000 * sum(autocorrelation(noise).item() for noise in space.fields), rel=1e-4
        )  # nothing but that of the noise inputs


def test_w_plus_has_a_row_for_each_layer() -> None:
    prior = stylegan()
    space = LatentWPlus(prior, rng(3))
    assert space.w.shape == (1, prior.layers, 8)
    with torch.no_grad():
        space.w.add_(torch.arange(prior.layers)[:, None])
    assert torch.equal(space.pivot(), space.w)


def test_weights_start_at_the_pivot_and_count_how_far_they_moved() -> None:
    prior = stylegan()
    pivot = prior.map(prior.sample(1, rng(0)))
    space = Weights(prior, pivot)
    assert torch.equal(space.render(), prior.synthesize(pivot))
    assert space.penalty().item() == 0
    assert sum(each.numel() for each in space.variables()) == sum(
        each.numel() for name, each in prior.named_parameters() if not name.startswith("mapping")
    )
    with torch.no_grad():
        for each in space.variables():
            each.add_(3.0)
    assert space.penalty().item() == pytest.approx(9, rel=1e-5)


def test_autocorrelation_by_hand() -> None:
    """Ones: each product is 1, at sides 16 and 8, and halving doubles the values. A checkerboard has one scale."""
    ones = torch.ones(1, 1, 16, 16)
    assert float(autocorrelation(ones)) == pytest.approx(2 + 2 * 16)
    rows = torch.arange(16)
    board = ((rows[:, None] + rows[None]) % 2 * 2 - 1).float()[None, None]
    assert float(autocorrelation(board)) == pytest.approx(2)
    noise = torch.randn(1, 1, 64, 64, generator=rng())
    assert float(autocorrelation(noise)) < 0.1


@pytest.mark.parametrize("shape", [(8, 8), (33, 20), (70, 64)])
def test_the_untrained_network_takes_any_size(shape: tuple[int, int]) -> None:
    assert Untrained(shape, rng()).render().shape == (1, 3, *shape)


def test_the_untrained_network_depends_on_its_generator_alone() -> None:
    torch.manual_seed(1)
    state = torch.random.get_rng_state()
    first = Untrained((16, 24), rng(7))
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.manual_seed(2)
    second, other = Untrained((16, 24), rng(7)), Untrained((16, 24), rng(8))
    for space in (first, second, other):
        space.advance(0.3, rng(1))
    pictures: list[Tensor] = [space.render() for space in (first, second, other)]
    assert torch.equal(pictures[0], pictures[1])
    assert not torch.equal(pictures[0], pictures[2])


def test_the_untrained_network_is_small() -> None:
    network = Hourglass(256, 256, rng())
    assert 0.7e6 < sum(each.numel() for each in network.parameters()) < 1.5e6


def test_weights_are_held_where_nothing_is_observed() -> None:
    """Of the picture, ANCHOR times the mean square of what moved in the holes, and nothing for what is known."""
    prior = stylegan()
    pivot = prior.map(prior.sample(1, rng(0)))
    known = torch.ones(1, 1, 16, 16)
    known[:, :, :, :8] = 0
    space, free = Weights(prior, pivot, Mask(known)), Weights(prior, pivot)
    begun = space.render().detach()
    with torch.no_grad():
        for each in (*space.variables(), *free.variables()):
            each.add_(0.1)
    moved = (space.render() - begun).detach()
    free.render()
    expected = free.penalty() + ANCHOR * moved[:, :, :, :8].square().sum() / moved.numel()
    torch.testing.assert_close(space.penalty(), expected)
    assert moved[:, :, :, 8:].abs().max() > 0


def test_noise_inputs_of_tuned_weights_move_until_the_last_step() -> None:
    prior = stylegan()
    space = Weights(prior, prior.map(prior.sample(1, rng(0))), jitter=0.5)
    begun = space.render()
    moved = []
    for progress in (0.0, 0.9):
        space.advance(progress, rng(1))
        moved.append(space.render())
    assert torch.equal(*moved)  # of the same draw
    assert not torch.equal(moved[0], begun)
    space.advance(1.0, rng(1))
    assert torch.equal(space.render(), begun)
