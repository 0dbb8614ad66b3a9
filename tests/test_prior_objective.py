"""How priors learn: penalties in closed form, who learns when, exact resume, and short trainings that must work."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from pix2pix.data.stream import Batch
from pix2pix.priors.adaptive import FULL_AFTER
from pix2pix.priors.augment import augment
from pix2pix.priors.configuration import PriorTraining
from pix2pix.priors.dcgan import DCGAN, DCGANDiscriminator
from pix2pix.priors.losses import PathLengthPenalty, path_lengths
from pix2pix.priors.objective import PriorObjective, set_distance
from pix2pix.priors.stylegan2 import StyleGAN2, StyleGAN2Discriminator
from pix2pix.training.engine import seed_step
from pix2pix.training.losses import r1_penalty
from pix2pix.training.objectives import Progress
from pix2pix.training.probes import Examples

FAMILIES = ["stylegan2", "dcgan"]
START = Progress(seen=0, total=1000, batch=4)


def make(family: str = "stylegan2", size: int = 16, **settings: Any) -> PriorObjective:
    rng = torch.Generator().manual_seed(0)
    training = PriorTraining.model_validate(settings)
    if family == "dcgan":
        return PriorObjective(DCGAN(size, 8, 8, rng=rng), DCGANDiscriminator(size, 8, rng=rng), training)
    generator = StyleGAN2(size, 8, 8, channel_base=256, channel_most=16, mapping_depth=2, rng=rng)
    return PriorObjective(generator, StyleGAN2Discriminator(size, 256, 16, rng=rng), training)


def make_batch(seed: int = 0, count: int = 4, size: int = 16) -> Batch:
    target = torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    return Batch(torch.empty(count, 0), target, tuple(range(count)))


def backward(loss: Tensor, /, *, inputs: Sequence[Tensor], retain_graph: bool) -> None:
    loss.backward(inputs=list(inputs), retain_graph=retain_graph)  # type: ignore[no-untyped-call]


def weights(module: nn.Module) -> Tensor:
    return torch.cat([parameter.detach().flatten().clone() for parameter in module.parameters()])


def run(objective: PriorObjective, steps: int, start: int = 0, batch: Batch | None = None) -> list[dict[str, float]]:
    """`steps` steps as the engine does them: each seeded by where it stands."""
    losses = []
    for step in range(start, start + steps):
        seed_step(0, 0, 4 * step)
        given = make_batch(step) if batch is None else batch
        found = objective.step(given, Progress(4 * step, 1000, 4), backward)
        losses.append({name: float(value) for name, value in found.items()})
    return losses


# --- penalties ---


def test_r1_of_a_linear_critic_is_its_squared_norm() -> None:
    weight = torch.randn(3, 8, 8, generator=torch.Generator().manual_seed(0))
    real = torch.randn(5, 3, 8, 8)
    penalty = r1_penalty(lambda pictures: (pictures * weight).sum(dim=(1, 2, 3))[:, None], real)
    assert penalty.item() == pytest.approx(0.5 * float(weight.square().sum()), rel=1e-5)


@pytest.mark.parametrize("layers", [1, 3])
def test_path_lengths_of_a_linear_generator_in_closed_form(layers: int) -> None:
    """g(w) = A w, the same A for all layers' mean: J^T y = A^T y / L, for each of them."""
    matrix = torch.randn(3 * 4 * 4, 5, generator=torch.Generator().manual_seed(0))
    w = torch.randn(6, layers, 5, requires_grad=True)
    pictures = (w.mean(dim=1) @ matrix.T).view(6, 3, 4, 4)
    directions = torch.randn(6, 3, 4, 4, generator=torch.Generator().manual_seed(1))
    lengths = path_lengths(pictures, w, directions)
    expected = (directions.flatten(1) @ matrix).norm(dim=1) / 4 / layers  # 4 is sqrt(H W)
    torch.testing.assert_close(lengths, expected)


def test_the_mean_squared_path_length_is_the_jacobians_norm() -> None:
    matrix = torch.randn(3 * 4 * 4, 5, generator=torch.Generator().manual_seed(0))
    w = torch.randn(20_000, 1, 5, requires_grad=True)
    pictures = (w[:, 0] @ matrix.T).view(-1, 3, 4, 4)
    directions = torch.randn(pictures.shape, generator=torch.Generator().manual_seed(1))
    found = path_lengths(pictures, w, directions).square().mean().item()
    assert found == pytest.approx(float(matrix.square().sum()) / 16, rel=0.02)


def test_the_path_length_penalty_by_hand_and_its_mean() -> None:
    penalty = PathLengthPenalty()
    lengths = torch.tensor([1.0, 3.0], requires_grad=True)
    value = penalty(lengths, before=0)
    assert float(penalty.mean) == 2.0  # the first mean is that of the first lengths
    assert value.item() == 1.0
    (gradient,) = torch.autograd.grad(value, lengths)
    assert gradient.tolist() == [-1.0, 1.0]  # the mean is a constant to it
    penalty(torch.tensor([5.0, 5.0]), before=1)
    assert float(penalty.mean) == 3.5  # of both so far
    assert float(penalty(torch.tensor([103.5, 103.5]), before=500)) == pytest.approx(99**2)
    assert float(penalty.mean) == pytest.approx(4.5)
    assert list(penalty.state_dict()) == ["mean"]


def test_the_path_length_penalty_trains_the_generator_through_both_derivatives() -> None:
    """g(w) = s w on one pixel: the length is |s y|, the penalty's gradient 2 (|s y| - a) |y| sign(s)."""
    scale = torch.tensor(3.0, requires_grad=True)
    w = torch.ones(1, 1, 1, requires_grad=True)
    lengths = path_lengths((scale * w).view(1, 1, 1, 1), w, torch.full((1, 1, 1, 1), -2.0))
    assert lengths.item() == 6.0
    penalty = PathLengthPenalty()
    penalty.mean.fill_(1.0)
    (gradient,) = torch.autograd.grad(penalty(lengths, before=1000), scale)
    mean = 1 + 0.01 * (6 - 1)
    assert float(gradient) == pytest.approx(2 * (6 - mean) * 2)


# --- the step ---


@pytest.mark.parametrize("family", FAMILIES)
def test_a_step_updates_both_networks_and_gives_finite_losses(family: str) -> None:
    objective = make(family)
    before = {name: weights(objective.networks[name]) for name in ("generator", "discriminator", "averaged")}
    losses = objective.step(make_batch(), START, backward)
    expected = {"discriminator", "generator", "score_real", "score_fake", "real_right", "fake_right", "r1"}
    assert losses.keys() == expected | ({"path_length"} if family == "stylegan2" else set())
    assert all(value.shape == () and value.isfinite() and not value.requires_grad for value in losses.values())
    for name, old in before.items():
        assert not torch.equal(weights(objective.networks[name]), old), name


@pytest.mark.parametrize("family", FAMILIES)
def test_gradients_are_those_of_each_loss_for_its_own_network(family: str) -> None:
    objective = make(family, r1=0, path_length=0, mixing=0)
    batch, settings = make_batch(), objective.settings
    generator, critic = objective.generator, objective.critic
    torch.manual_seed(3)
    z = torch.randn(4, 8)
    output = generator(z, "fresh")
    real = critic(augment(batch.target, settings.augment))
    fake = critic(augment(output, settings.augment))
    expected = {
        "discriminator": torch.autograd.grad(
            softplus(-real).mean() + softplus(fake).mean(), list(critic.parameters()), retain_graph=True
        ),
        "generator": torch.autograd.grad(softplus(-fake).mean(), list(generator.parameters())),
    }
    torch.manual_seed(3)
    objective.step(batch, START, backward)
    for name, gradients in expected.items():
        for parameter, gradient in zip(objective.networks[name].parameters(), gradients, strict=True):
            assert parameter.grad is not None
            torch.testing.assert_close(parameter.grad, gradient, rtol=1e-4, atol=1e-7)


def test_penalties_come_at_their_steps_and_as_many_times_stronger() -> None:
    losses = run(make(r1=0.5, r1_every=3, path_length=1.0, path_every=2), 7)
    assert [step for step, found in enumerate(losses) if "r1" in found] == [0, 3, 6]
    assert [step for step, found in enumerate(losses) if "path_length" in found] == [0, 2, 4, 6]
    one, three = (run(make(r1=0.5, r1_every=every, path_length=0), 1)[0]["r1"] for every in (1, 3))
    assert three == pytest.approx(3 * one, rel=1e-5)
    none = run(make(r1=0, path_length=0), 1)[0]
    assert not {"r1", "path_length"} & none.keys()


def test_r1_looks_at_the_pictures_before_augmentation() -> None:
    objective = make(path_length=0, augment=("cutout",), r1=1.0, r1_every=1)
    seen: list[Tensor] = []
    weight = torch.randn(3, 16, 16, generator=torch.Generator().manual_seed(0))

    class Linear(nn.Module):
        def forward(self, pictures: Tensor) -> Tensor:
            seen.append((pictures != 0).detach())
            return (pictures * weight).sum(dim=(1, 2, 3))[:, None]

    objective.critic = Linear()
    torch.manual_seed(0)
    penalty = objective._penalties(make_batch().target, START)["r1"]
    kept = seen[0] * weight  # no gradient from within the holes
    assert penalty.item() == pytest.approx(0.5 * float(kept.square().sum(dim=(1, 2, 3)).mean()), rel=1e-4)


def test_latents_are_mixed_in_their_share_and_both_are_used() -> None:
    objective = make(mixing=0.5)
    torch.manual_seed(0)
    z = objective._latents(2000, torch.device("cpu"))
    assert z.shape == (2000, objective.prior.layers, 8)
    changes = (z[:, 1:] != z[:, :-1]).all(dim=2)
    assert changes.sum(dim=1).max() == 1  # two latents at most, and one place where they meet
    assert float(changes.any(dim=1).float().mean()) == pytest.approx(0.5, abs=0.04)
    assert changes.any(dim=0).all()  # at any layer
    assert make(mixing=0)._latents(3, torch.device("cpu")).shape == (3, 8)
    assert make("dcgan")._latents(3, torch.device("cpu")).shape == (3, 8)


def test_the_mean_of_w_is_tracked_and_reaches_the_average() -> None:
    objective = make()
    generator, averaged = cast(StyleGAN2, objective.generator), cast(StyleGAN2, objective.released())
    run(objective, 5)
    assert torch.equal(averaged.mean_w, generator.mean_w)
    w = generator.map(torch.randn(2000, 8, generator=torch.Generator().manual_seed(1)))[:, 0]
    error = (generator.mean_w - w.mean(dim=0)).norm() / w.std(dim=0).norm()
    assert error.item() < 0.4  # the mean of 320 latents, though the mapping moved meanwhile
    assert (w.mean(dim=0).norm() / w.std(dim=0).norm()).item() > 0.5  # where it started, at 0
    assert float(objective.path.mean) > 0


@pytest.mark.parametrize("family", FAMILIES)
def test_two_halves_of_a_run_are_the_whole_bit_for_bit(family: str) -> None:
    settings: dict[str, Any] = {"r1_every": 3, "path_every": 2, "ema": 40.0}
    kept = make_batch(seed=100).target
    whole, first = make(family, **settings), make(family, **settings)
    whole.kept = first.kept = kept
    for objective in (whole, first):
        objective.adaptive.share.fill_(0.5)
    expected = run(whole, 10)
    run(first, 5)
    file = io.BytesIO()
    torch.save(
        {
            "networks": {name: network.state_dict() for name, network in first.networks.items()},
            "optimizers": {name: optimizer.state_dict() for name, optimizer in first.optimizers.items()},
        },
        file,
    )
    file.seek(0)
    state = torch.load(file, weights_only=True)
    second = make(family, **settings)
    second.kept = kept
    with torch.no_grad():
        for parameter in (each for network in second.networks.values() for each in network.parameters()):
            parameter.add_(1.0)  # what was not restored would show
    for name, network in second.networks.items():
        network.load_state_dict(state["networks"][name])
    for name, optimizer in second.optimizers.items():
        optimizer.load_state_dict(state["optimizers"][name])
    assert run(second, 5, start=5) == expected[5:]
    assert 0 < expected[-1]["augmented"] <= 1
    for name, network in whole.networks.items():
        for key, value in network.state_dict().items():
            assert torch.equal(second.networks[name].state_dict()[key], value), (name, key)
    assert len(whole.networks["path_length"].state_dict()) == 1


def test_more_is_augmented_while_kept_pictures_are_scored_like_samples() -> None:
    objective = make(path_length=0, r1=0)
    batch = make_batch()
    objective.kept = -torch.ones(3, 3, 16, 16)

    class Brightness(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones(()))

        def forward(self, pictures: Tensor) -> Tensor:
            scores: Tensor = self.scale * pictures.flatten(1).mean(dim=1, keepdim=True)
            return scores

    objective.networks["discriminator"] = objective.critic = Brightness()
    assert run(objective, 3, batch=batch)[-1]["augmented"] == pytest.approx(3 * 4 / FULL_AFTER)
    objective.kept = torch.ones(3, 3, 16, 16)
    objective.adaptive.scores.zero_()
    assert run(objective, 2, batch=batch)[-1]["augmented"] == pytest.approx(4 / FULL_AFTER)
    for fixed in (make(overfit=None), make(augment=())):
        fixed.kept = objective.kept
        assert "augmented" not in run(fixed, 1)[0]


# --- looking at it ---


@pytest.mark.parametrize("family", FAMILIES)
def test_a_preview_is_the_average_and_repeatable(family: str) -> None:
    objective = make(family)
    run(objective, 3)
    z = objective.prior.sample(4, torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    first = objective.preview(z)
    torch.manual_seed(1)
    assert torch.equal(objective.preview(z), first)
    torch.testing.assert_close(first[:1], objective.preview(z[:1]), rtol=1e-4, atol=1e-5)
    averaged = cast(Any, objective.released())
    assert averaged is objective.networks["averaged"]
    torch.testing.assert_close(averaged(z).clamp(-1, 1), first)
    assert not torch.equal(weights(averaged), weights(objective.generator))
    assert first.abs().max() <= 1
    assert not first.requires_grad
    assert objective.generator.training


def test_scores_tell_a_collapse_and_the_distance_to_the_pictures() -> None:
    objective = make()
    dev = make_batch(1, 8, size=64)
    examples = Examples(make_batch(2, 8, size=64), dev)
    same = objective.score(examples, dev.target, dev.target.roll(1, 0))
    assert same["dev_distance"] == pytest.approx(0, abs=0.02)
    assert same["probe_spread"] == pytest.approx(1, rel=1e-3)
    collapsed = objective.score(examples, dev.target, dev.target[:1].expand(8, -1, -1, -1))
    assert collapsed["probe_spread"] == 0
    assert collapsed["dev_distance"] > same["dev_distance"]
    assert same["gradient_generator"] == 0
    run(objective, 1)
    after = objective.score(examples, dev.target, dev.target)
    assert after["gradient_generator"] > 0
    assert after["gradient_discriminator"] > 0


def test_the_distance_of_two_sets_by_hand() -> None:
    """A shift of all pictures by 0.2 moves every projection of the layouts by 0.2 times the direction's sum."""
    real = torch.rand(6, 3, 16, 16, generator=torch.Generator().manual_seed(0)) - 0.5
    assert set_distance(real, real) == 0
    assert set_distance(real.flip(0), real) < 1e-6  # of sets, in any order
    directions = torch.randn(3 * 64, 256, generator=torch.Generator().manual_seed(0))
    directions = directions / directions.norm(dim=0)
    expected = 0.2 * float(directions.sum(dim=0).abs().mean()) / 2
    assert set_distance(real + 0.2, real) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("name", "value"), [("learning_rate", 0), ("mixing", 1.5), ("r1_every", 0), ("augment", ("blur",)), ("lr", 1)]
)
def test_settings_that_cannot_be_are_refused(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=name):
        PriorTraining.model_validate({name: value})


# --- training ---


@pytest.mark.parametrize(
    ("family", "settings"),
    [
        ("stylegan2", {"learning_rate": 5e-3, "r1": 0.1, "path_length": 0}),
        ("dcgan", {"learning_rate": 1e-3, "betas": (0.5, 0.999), "augment": ()}),
    ],
)
def test_two_hundred_steps_find_the_colours(family: str, settings: dict[str, Any]) -> None:
    """Orange pictures and blue ones: samples start grey, and end near both colours' mean, spread towards both."""
    colours = torch.tensor([[0.9, 0.2, -0.8], [-0.5, 0.4, 0.9]])
    objective = make(family, size=32, **settings)
    z = objective.prior.sample(32, torch.Generator().manual_seed(0))
    start = objective.preview(z).mean(dim=(2, 3))
    for step in range(200):
        rng = torch.Generator().manual_seed(step)
        which = torch.randint(0, 2, (8,), generator=rng)
        target = colours[which][:, :, None, None] + 0.05 * torch.randn(8, 3, 32, 32, generator=rng)
        seed_step(0, 0, 8 * step)
        objective.step(Batch(torch.empty(8, 0), target, tuple(range(8))), Progress(8 * step, 1600, 8), backward)
    end = objective.preview(z).mean(dim=(2, 3))

    def distance(found: Tensor) -> float:
        """Of each sample's colour to the nearer one."""
        return float(torch.cdist(found, colours).min(dim=1).values.mean())

    assert math.isfinite(distance(end))
    assert distance(end) < 0.7 * distance(start)  # .1 and .5 as measured
