"""The two updates of pix2pix: who learns from what, when, and how fast; the average of the weights in closed form."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from pix2pix.config import Train
from pix2pix.data.stream import Batch
from pix2pix.nn import build_discriminator, build_generator
from pix2pix.nn.residual import Residual
from pix2pix.training.losses import share_right
from pix2pix.training.objectives import AVERAGED_EVERY, Pix2Pix, Progress, average, learning_rate_share
from pix2pix.training.probes import Examples, scores

KINDS = ["non_saturating", "minimax", "least_squares", "hinge", "wgan_gp"]
PROGRESS = Progress(seen=0, total=100, batch=2)


def make(conditional: bool = True, **settings: Any) -> Pix2Pix:
    train = Train.model_validate({"images": 100, "batch": 2, **settings})
    rng = torch.Generator().manual_seed(0)
    generator = build_generator("compact_unet", 3, 3, size=64, width=8, rng=rng)
    norm: Any = "none" if train.adversarial == "wgan_gp" else "instance"
    channels = 3 if conditional else 0
    discriminator = build_discriminator(3, channels, receptive_field=16, width=8, norm=norm, rng=rng)
    return Pix2Pix(generator, discriminator if train.gan_weight > 0 else None, train)


def make_batch(seed: int = 0) -> Batch:
    rng = torch.Generator().manual_seed(seed)
    source, target = (torch.rand(2, 3, 64, 64, generator=rng) * 2 - 1 for _ in range(2))
    return Batch(source, target, (0, 1))


def backward(loss: Tensor, /, *, inputs: Sequence[Tensor], retain_graph: bool) -> None:
    loss.backward(inputs=list(inputs), retain_graph=retain_graph)  # type: ignore[no-untyped-call]


def weights(module: nn.Module) -> Tensor:
    return torch.cat([parameter.detach().flatten().clone() for parameter in module.parameters()])


@pytest.mark.parametrize("kind", KINDS)
def test_every_adversarial_loss_takes_a_step_of_both_networks(kind: str) -> None:
    objective = make(adversarial=kind)
    before = {name: weights(network) for name, network in objective.networks.items()}
    losses = objective.step(make_batch(), PROGRESS, backward)
    assert {"discriminator", "generator", "l1", "score_real", "score_fake"} <= losses.keys()
    assert ("penalty" in losses) == (kind == "wgan_gp")
    for name, value in losses.items():
        assert value.shape == (), name
        assert value.isfinite(), name
        assert not value.requires_grad, name
    for name, network in objective.networks.items():
        assert not torch.equal(weights(network), before[name]), name
        assert weights(network).isfinite().all(), name


@pytest.mark.parametrize("still", ["generator", "discriminator"])
def test_an_update_of_one_network_leaves_the_other_as_it_is(still: str) -> None:
    objective = make()
    for group in objective.optimizers[still].param_groups:
        group["full_rate"] = 0.0
    before = {name: weights(network) for name, network in objective.networks.items()}
    objective.step(make_batch(), PROGRESS, backward)
    for name, network in objective.networks.items():
        assert torch.equal(weights(network), before[name]) == (name == still), name


@pytest.mark.parametrize("features", [0.0, 10.0])
def test_neither_update_gives_the_other_network_a_gradient(features: float) -> None:
    objective = make(feature_weight=features)
    discriminator, generator = objective.networks["discriminator"], objective.networks["generator"]
    updates = 0

    def gradients(network: nn.Module) -> Tensor:
        given = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
        return torch.cat([gradient.flatten().clone() for gradient in given]) if given else torch.empty(0)

    def watch(loss: Tensor, /, *, inputs: Sequence[Tensor], retain_graph: bool) -> None:
        nonlocal updates
        updates += 1
        before = gradients(discriminator)
        backward(loss, inputs=inputs, retain_graph=retain_graph)
        if updates == 1:  # the discriminator's
            assert gradients(discriminator).any()
            assert len(gradients(generator)) == 0
        else:
            assert torch.equal(gradients(discriminator), before)
            assert gradients(generator).any()

    losses = objective.step(make_batch(), PROGRESS, watch)
    assert updates == 2
    assert ("features" in losses) == (features > 0)
    assert all(parameter.requires_grad for parameter in discriminator.parameters())
    assert all(parameter.grad is not None for parameter in generator.parameters())


def test_losses_are_what_the_networks_say_before_the_step() -> None:
    objective = make(gan_weight=2.0)
    batch = make_batch()
    torch.manual_seed(5)
    with torch.no_grad():
        output = objective.generator(batch.source)
        assert objective.critic is not None
        real, fake = objective.critic(batch.target, batch.source), objective.critic(output, batch.source)
    torch.manual_seed(5)
    losses = objective.step(batch, PROGRESS, backward)
    assert float(losses["l1"]) == pytest.approx(float((output - batch.target).abs().mean()), rel=1e-5)
    assert float(losses["score_real"]) == pytest.approx(float(real.mean()), rel=1e-4)
    cross_entropy = -(torch.sigmoid(real).log() + (1 - torch.sigmoid(fake)).log()).mean()
    assert float(losses["discriminator"]) == pytest.approx(0.5 * 2 * float(cross_entropy), rel=1e-4)


@pytest.mark.parametrize("features", [0.0, 10.0])
def test_gradients_are_those_of_each_loss_for_its_own_network(features: float) -> None:
    """Against torch.autograd.grad on a step written out: both networks as they were before it, each seen once."""
    objective = make(feature_weight=features, gan_weight=0.7, l1_weight=30.0)
    batch = make_batch()
    generator, critic = objective.generator, objective.critic
    assert critic is not None
    torch.manual_seed(3)
    output = generator(batch.source)
    *real_maps, real = critic(batch.target, batch.source, return_features=True)
    *fake_maps, fake = critic(output, batch.source, return_features=True)
    softplus = nn.functional.softplus
    its_loss = 0.5 * 0.7 * (softplus(-real).mean() + softplus(fake).mean())
    loss = 30 * (output - batch.target).abs().mean() + 0.7 * softplus(-fake).mean()
    if features:
        distances = [(a.detach() - b).abs().mean() for a, b in zip(real_maps, fake_maps, strict=True)]
        loss = loss + features * sum(distances) / len(distances)
    expected = {
        "discriminator": torch.autograd.grad(its_loss, list(critic.parameters()), retain_graph=True),
        "generator": torch.autograd.grad(loss, list(generator.parameters())),
    }
    looks: list[bool] = []
    critic.register_forward_hook(lambda *_: looks.append(True))
    torch.manual_seed(3)
    objective.step(batch, PROGRESS, backward)
    for name, gradients in expected.items():
        for parameter, gradient in zip(objective.networks[name].parameters(), gradients, strict=True):
            assert parameter.grad is not None
            torch.testing.assert_close(parameter.grad, gradient, rtol=1e-4, atol=1e-7)
    assert len(looks) == 2


def test_l1_alone_has_no_discriminator() -> None:
    objective = make(gan_weight=0)
    assert objective.networks.keys() == objective.optimizers.keys() == {"generator"}
    assert objective.step(make_batch(), PROGRESS, backward).keys() == {"l1"}


def test_what_was_known_of_a_picture_is_not_judged_as_made() -> None:
    rng = torch.Generator().manual_seed(0)
    generator = Residual(build_generator("compact_unet", 4, 3, size=64, width=8, rng=rng), 3)
    critic = build_discriminator(3, 4, receptive_field=1, width=8, norm="none", rng=rng)
    objective = Pix2Pix(generator, critic, Train.model_validate({"images": 100, "batch": 2, "l1_weight": 0}))
    source, target = make_batch().source, make_batch().target
    known = torch.ones(2, 1, 64, 64)
    known[:, :, 10:20, 30:50] = -1
    source = torch.cat([torch.where(known > 0, target, source), known], 1)
    output = generator(source)
    assert torch.equal(torch.where(known > 0, output, 0), torch.where(known > 0, target, 0))
    fake = critic(output, source)[:, :, 10:20, 30:50].detach()
    losses = objective.step(Batch(source, target, (0, 1)), PROGRESS, backward)
    torch.testing.assert_close(losses["generator"], softplus(-fake).mean())


@pytest.mark.parametrize("weight", [0.0, 100.0])
def test_the_gan_alone_does_not_look_at_the_distance_to_the_target(weight: float) -> None:
    batch = make_batch()
    taught = []
    for target in (batch.target, -batch.target):
        objective = make(l1_weight=weight)
        for group in objective.optimizers["discriminator"].param_groups:
            group["full_rate"] = 0.0  # or the discriminator would carry the target over
        torch.manual_seed(0)
        objective.step(Batch(batch.source, target, (0, 1)), PROGRESS, backward)
        taught.append(weights(objective.generator))
    assert torch.equal(*taught) == (weight == 0)


def test_an_unconditional_discriminator_does_not_see_the_input() -> None:
    batch = make_batch()
    for conditional in (True, False):
        objective = make(conditional=conditional)
        discriminator = objective.networks["discriminator"]
        source = batch.source if conditional else None
        assert discriminator(batch.target, source).shape == (2, 1, 30, 30)
        losses = objective.step(batch, PROGRESS, backward)
        with torch.no_grad():
            other = make(conditional=conditional)
            scores = float(losses["score_real"])
            swapped = other.step(Batch(-batch.source, batch.target, (0, 1)), PROGRESS, lambda loss, **_: None)
        assert (float(swapped["score_real"]) == scores) == (not conditional)


@pytest.mark.parametrize(
    ("seen", "decay_from", "expected"),
    [
        (0, 0.5, 1.0),
        (50, 0.5, 1.0),
        (75, 0.5, 0.5),
        (99, 0.5, 0.02),
        (100, 0.5, 0.0),
        (99, 1.0, 1.0),
        (100, 1.0, 1.0),
        (25, 0.0, 0.75),
    ],
)
def test_share_of_the_learning_rate(seen: int, decay_from: float, expected: float) -> None:
    assert learning_rate_share(Progress(seen, 100, 1), decay_from) == pytest.approx(expected)


def test_rates_follow_the_batch_the_schedule_and_the_discriminators_share() -> None:
    objective = make(learning_rate=1e-3, batch=4, discriminator_rate=0.5)
    objective.step(make_batch(), Progress(seen=75, total=100, batch=4), backward)
    rates = {name: optimizer.param_groups[0]["lr"] for name, optimizer in objective.optimizers.items()}
    assert rates == {"generator": pytest.approx(1e-3 * 2 * 0.5), "discriminator": pytest.approx(1e-3 * 2 * 0.5 * 0.5)}


def test_lazy_r1_comes_at_its_steps_and_as_many_times_stronger() -> None:
    objective = make(r1=0.5, r1_every=3)
    batch = make_batch()
    with_penalty = [
        step for step in range(7) if "penalty" in objective.step(batch, Progress(2 * step, 100, 2), backward)
    ]
    assert with_penalty == [0, 3, 6]

    values = []
    for every in (1, 3):
        objective = make(r1=0.5, r1_every=every)
        torch.manual_seed(0)
        values.append(float(objective.step(batch, PROGRESS, backward)["penalty"]))
    assert values[1] == pytest.approx(3 * values[0], rel=1e-4)


def test_the_average_in_closed_form() -> None:
    mean, module = nn.Linear(1, 1), nn.Linear(1, 1)
    module.register_buffer("count", torch.tensor(7))
    mean.register_buffer("count", torch.tensor(0))

    def fill(network: nn.Linear, value: float) -> None:
        for parameter in network.parameters():
            nn.init.constant_(parameter, value)

    fill(mean, 1.0)
    fill(module, 0.0)
    for step in range(5):  # far into the run: the half-life is the one that was asked for
        average(mean, module, half_life=100, progress=Progress(10_000 + 20 * step, 20_000, 20 // AVERAGED_EVERY))
    assert mean.weight.item() == pytest.approx(0.5)  # 5 x 20 images are one half-life
    assert int(mean.count) == 7  # type: ignore[arg-type]

    fill(mean, 1.0)
    average(mean, module, half_life=100, progress=Progress(0, 100, 2))
    assert mean.weight.item() == 0.0  # the first weights are forgotten at once
    fill(mean, 1.0)
    average(mean, module, half_life=100, progress=Progress(200, 1000, 2))
    assert mean.weight.item() == pytest.approx(0.5 ** (AVERAGED_EVERY * 2 / 10))  # a twentieth of the 200 images seen


def test_the_average_moves_at_every_fourth_step() -> None:
    objective = make(ema=1000)
    assert objective.averaged is not None
    moved = []
    for step in range(6):
        before = weights(objective.averaged)
        objective.step(make_batch(), Progress(2 * step, 100, 2), backward)
        moved.append(not torch.equal(weights(objective.averaged), before))
    assert moved == [True, False, False, False, True, False]


def test_the_average_is_what_is_released_and_previewed() -> None:
    objective = make(ema=1000)
    batch = make_batch()
    for seen in range(0, 10, 2):
        objective.step(batch, Progress(seen, 100, 2), backward)
    averaged = objective.released()
    assert averaged is objective.networks["averaged"]
    assert not torch.equal(weights(averaged), weights(objective.generator))
    assert not any(parameter.requires_grad for parameter in averaged.parameters())
    averaged.eval()
    assert torch.equal(objective.preview(batch.source), averaged(batch.source))
    assert make().released() is not None


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("ema", [0, 10])
def test_a_preview_is_repeatable_and_leaves_the_mode_as_it_was(training: bool, ema: float) -> None:
    objective = make(ema=ema)
    for network in objective.networks.values():
        network.train(training)
    source = make_batch().source
    torch.manual_seed(0)
    first = objective.preview(source)
    torch.manual_seed(1)
    assert torch.equal(objective.preview(source), first)
    assert not first.requires_grad
    assert all(module.training == training for network in objective.networks.values() for module in network.modules())


def test_scores_are_those_of_the_probes_and_the_last_steps_gradients() -> None:
    objective = make()
    examples = Examples(make_batch(1), make_batch(2))
    outputs = [objective.preview(batch.source) for batch in (examples.train, examples.dev)]
    before = objective.score(examples, *outputs)
    assert before["gradient_generator"] == before["gradient_discriminator"] == 0.0  # no step yet
    given: list[Tensor] = []

    def watch(loss: Tensor, /, *, inputs: Sequence[Tensor], retain_graph: bool) -> None:
        backward(loss, inputs=inputs, retain_graph=retain_graph)
        network = objective.networks["generator" if given else "discriminator"]
        grads = [parameter.grad.flatten().clone() for parameter in network.parameters() if parameter.grad is not None]
        given.append(torch.cat(grads))

    objective.step(make_batch(), PROGRESS, watch)
    found = objective.score(examples, *outputs)
    assert {name: found[name] for name in scores(examples, *outputs)} == scores(examples, *outputs)
    assert found["gradient_discriminator"] == pytest.approx(float(given[0].norm()), rel=1e-5)
    assert found["gradient_generator"] == pytest.approx(float(given[1].norm()), rel=1e-5)
    assert make(gan_weight=0).score(examples, *outputs).keys() == found.keys() - {"gradient_discriminator"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_tells_which_share_of_the_patches_is_told_right(kind: Any) -> None:
    losses = make(adversarial=kind).step(make_batch(), PROGRESS, backward)
    for name in ("real_right", "fake_right"):
        assert 0 <= float(losses[name]) <= 1
    real, fake = torch.tensor([2.0, 0.4, -1.0, 0.6]), torch.tensor([-2.0, 0.4, -1.0, 0.1])
    expected = {"least_squares": [0.5, 1.0], "wgan_gp": [0.75, 0.5]}  # the two means are 0.5 and -0.625
    assert share_right(kind, real, fake).tolist() == expected.get(kind, [0.75, 0.5])


def test_a_step_can_overfit_one_pair() -> None:
    objective = make(learning_rate=2e-3, decay_from=1.0)
    batch = make_batch()
    smooth = Batch(batch.source, torch.tanh(batch.source[:, :, :1, :1]).expand(2, 3, 64, 64).contiguous(), (0, 1))
    first = objective.step(smooth, PROGRESS, backward)["l1"]
    for step in range(1, 30):
        last = objective.step(smooth, Progress(2 * step, 100, 2), backward)["l1"]
    assert float(last) < 0.5 * float(first)
    assert math.isfinite(float(last))
