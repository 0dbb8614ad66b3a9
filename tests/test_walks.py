"""Latents on their way: ends and lengths of walks, layers by name, arithmetic, variations, by their closed forms."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import pytest
import torch
from tiny_priors import save_tiny_prior
from torch import Tensor

from pix2pix.priors.families import load_prior, prior_of
from pix2pix.priors.prior import Prior, linear, spherical
from pix2pix.priors.walks import (
    VARIATION,
    arithmetic,
    latents_of,
    named_layers,
    spread,
    variations,
    walk,
    with_layers_of,
)

pytestmark = pytest.mark.usefixtures("one_thread")


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=seeded(seed))


def make(folder: Path, family: str = "stylegan2") -> Prior:
    return prior_of(
        load_prior(save_tiny_prior(folder / "p.safetensors", "dcgan" if family == "dcgan" else "stylegan2"))
    )


def test_a_seed_names_one_latent_whatever_stands_beside_it(tmp_path: Path) -> None:
    prior = make(tmp_path)
    together = latents_of(prior, [5, 0, 5])
    assert torch.equal(together[0], prior.sample(1, seeded(5))[0])
    assert torch.equal(together[0], together[2])
    assert torch.equal(together[1:2], latents_of(prior, [0]))
    assert not torch.equal(together[0], together[1])


@pytest.mark.parametrize("loop", [False, True])
def test_whole_places_are_the_keys_and_a_loop_closes(loop: bool) -> None:
    z, w = draw(4, 16), draw(4, 3, 16)
    places = torch.tensor([0, 0.3, 1, 1.75, 1.9, 2, 3] + [3.5, 4] * loop, dtype=torch.float64)
    whole = places % 1 == 0
    for frames, keys in ((walk(z, places, "spherical", loop), z), (walk(w, places, "linear", loop), w)):
        assert frames.shape == (len(places), *keys.shape[1:])
        assert torch.equal(frames[whole], torch.cat([keys, keys[:1]]) if loop else keys)
    assert torch.equal(walk(z, places[1:2], "spherical", loop), spherical(z[:1], z[1:2], 0.3))
    assert torch.equal(walk(w, places[3:4], "linear", loop), linear(w[1:2], w[2:3], 0.75))
    if loop:
        assert torch.equal(walk(z, places[7:8], "spherical", loop), spherical(z[3:], z[:1], 0.5))


def test_a_spherical_walk_keeps_the_norm_and_turns_by_equal_angles() -> None:
    keys = torch.nn.functional.normalize(draw(3, 40), dim=1) * 6
    frames = walk(keys, torch.arange(17) / 8, "spherical", loop=False)
    torch.testing.assert_close(frames.norm(dim=1), torch.full((17,), 6.0))
    cosines = [float(torch.dot(one, other)) / 36 for one, other in itertools.pairwise(frames)]
    for leg in (0, 1):
        whole = math.acos(float(torch.dot(keys[leg], keys[leg + 1])) / 36)
        for cosine in cosines[8 * leg : 8 * leg + 8]:
            assert math.acos(cosine) == pytest.approx(whole / 8, abs=1e-3)


def test_a_linear_walk_goes_by_equal_steps() -> None:
    w = draw(2, 3, 5)
    frames = walk(w, torch.arange(5) / 4, "linear", loop=False)
    for number, frame in enumerate(frames):
        torch.testing.assert_close(frame, w[0] + number / 4 * (w[1] - w[0]))


def test_layers_have_the_names_of_the_paper() -> None:
    assert [list(named_layers(name, 10)) for name in ("coarse", "middle", "fine")] == [
        [0, 1, 2],  # 4x4, and 8x8 twice
        [3, 4, 5, 6],
        [7, 8, 9],
    ]
    assert list(named_layers("fine", 14)) == [7, 8, 9, 10, 11, 12, 13]
    assert list(named_layers("2-2", 10)) == [2]
    assert list(named_layers("0-9", 10)) == list(range(10))


@pytest.mark.parametrize("name", ["corse", "3", "-1-2", "5-4", "0-10", ""])
def test_layers_that_are_not_there_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"expected coarse, middle, fine, or A-B within 0-9"):
        named_layers(name, 10)


def test_mixing_takes_the_chosen_layers_and_no_others() -> None:
    first, second = draw(2, 6, 5, seed=1), draw(2, 6, 5, seed=2)
    assert torch.equal(with_layers_of(first, second, range(6)), second)
    assert torch.equal(with_layers_of(first, second, range(3, 3)), first)
    for start, stop in itertools.combinations(range(7), 2):
        mixed = with_layers_of(first, second, range(start, stop))
        for layer in range(6):
            source = second if start <= layer < stop else first
            assert torch.equal(mixed[:, layer], source[:, layer]), (start, stop, layer)


def test_arithmetic_with_a_set_less_itself_is_what_is_added() -> None:
    present, plus = draw(4, 3, 5), draw(2, 3, 5, seed=1)
    assert torch.equal(arithmetic(present, present, plus), plus.mean(dim=0))
    result = arithmetic(present, plus, plus[:1])
    torch.testing.assert_close(result, present.mean(dim=0) + (plus[0] - plus[1]) / 2)


def test_arithmetic_of_a_dcgan_is_that_of_its_latents(tmp_path: Path) -> None:
    prior = make(tmp_path, "dcgan")
    present, absent, plus = (latents_of(prior, seeds) for seeds in ((1, 2), (3, 4, 5), (6,)))
    z = present.mean(dim=0) - absent.mean(dim=0) + plus.mean(dim=0)
    w = arithmetic(prior.map(present), prior.map(absent), prior.map(plus))
    torch.testing.assert_close(prior.synthesize(w[None]), prior(z[None]))


def test_the_spread_of_a_dcgan_is_that_of_the_normal_distribution(tmp_path: Path) -> None:
    prior = make(tmp_path, "dcgan")
    deviation = spread(prior, 1.0, seeded(), samples=4000)
    assert deviation.shape == (prior.w_dim,)
    assert bool(((deviation - 1).abs() < 0.05).all())
    torch.testing.assert_close(spread(prior, 0.5, seeded(), samples=4000), deviation / 2)


def test_variations_stay_near_and_move_all_layers_together() -> None:
    w, deviation = draw(4, 6), torch.tensor([0.0, 1.0, 2.0, 3.0, 4.0, 5.0])
    found = variations(w, deviation, 200, seeded())
    away = found - w
    assert found.shape == (200, 4, 6)
    torch.testing.assert_close(away, away[:, :1].expand_as(away), atol=1e-6, rtol=0)
    assert bool((away.abs() <= VARIATION * deviation + 1e-5).all())
    assert bool((away.abs().amax(dim=(0, 1)) >= 0.95 * VARIATION * deviation).all())
    assert torch.equal(found, variations(w, deviation, 200, seeded()))
