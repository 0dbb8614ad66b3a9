"""Priors: their layers against convolutions worked out by hand, their latents, and what a picture may depend on."""

from __future__ import annotations

import io
import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save
from torch import Tensor, nn

from pix2pix.priors.dcgan import DCGAN, DCGANDiscriminator
from pix2pix.priors.layers import (
    KERNEL,
    EqualisedConv,
    EqualisedLinear,
    HalvingConv,
    StyledConv,
    ToRGB,
    blur,
    demodulate,
    enlarge,
    minibatch_deviation,
)
from pix2pix.priors.prior import Noise, latents, linear, mix, spherical
from pix2pix.priors.stylegan2 import StyleGAN2, StyleGAN2Discriminator

FAMILIES = ["stylegan2", "dcgan"]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def stylegan2(size: int = 32) -> StyleGAN2:
    prior = StyleGAN2(size, z_dim=12, w_dim=10, channel_base=128, channel_most=8, mapping_depth=2, rng=seeded())
    rng = seeded(1)
    with torch.no_grad():
        for name, parameter in prior.named_parameters():
            if name.endswith(("strength", "bias")):  # as drawn they are 0, which would hide mistakes
                parameter.add_(0.2 * torch.randn(parameter.shape, generator=rng))
    return prior.eval()


def dcgan() -> DCGAN:
    prior = DCGAN(32, z_dim=12, width=4, rng=seeded())
    with torch.no_grad():
        prior(prior.sample(64, seeded(1)))  # the running statistics of batch norm leave their start
    return prior.eval()


def make(family: str) -> Any:
    return stylegan2() if family == "stylegan2" else dcgan()


# --- the protocol ---


@pytest.mark.parametrize("family", FAMILIES)
def test_latents_become_w_and_w_pictures(family: str) -> None:
    prior = make(family)
    z = prior.sample(3, seeded())
    assert z.shape == (3, prior.z_dim)
    w = prior.map(z)
    assert w.shape == (3, prior.layers, prior.w_dim)
    pictures = prior.synthesize(w)
    assert pictures.shape == (3, 3, 32, 32)
    assert pictures.dtype == torch.float32
    assert torch.equal(prior(z), pictures)
    assert torch.equal(prior(z), pictures)  # and again: the noise is a fixed field
    assert not torch.equal(pictures[0], pictures[1])


@pytest.mark.parametrize("family", FAMILIES)
def test_pictures_do_not_depend_on_their_batch_mates(family: str) -> None:
    prior = make(family)
    z = prior.sample(8, seeded())
    with torch.no_grad():
        together = prior(z, truncation=0.7)
        alone = torch.cat([prior(row, truncation=0.7) for row in z.split(1)])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


def test_fresh_noise_is_drawn_for_each_picture_and_follows_its_seed() -> None:
    prior = stylegan2()
    w = prior.map(prior.sample(1, seeded())).expand(2, -1, -1)

    def draw(noise: Noise, seed: int = 0) -> Tensor:
        torch.manual_seed(seed)
        return prior.synthesize(w, noise).detach()

    assert torch.equal(draw("fresh"), draw("fresh"))
    assert not torch.equal(draw("fresh"), draw("fresh", 1))
    assert not torch.equal(*draw("fresh"))
    assert torch.equal(draw(seeded(3), 0), draw(seeded(3), 1))
    assert not torch.equal(draw(seeded(3)), draw(seeded(4)))
    for noise in ("fixed", "none"):
        torch.testing.assert_close(*draw(noise), rtol=0, atol=1e-4)
    assert not torch.equal(draw("fixed"), draw("none"))
    assert torch.equal(stylegan2().synthesize(w).detach(), draw("fixed"))  # the field is the same in every process


@pytest.mark.parametrize("family", FAMILIES)
def test_at_truncation_0_every_latent_gives_the_mean_picture(family: str) -> None:
    prior = make(family)
    prior.track(prior.sample(50, seeded(2)), 1.0)
    z = prior.sample(3, seeded())
    pictures = prior(z, truncation=0.0).detach()
    mean = prior.mean_w if family == "stylegan2" else torch.zeros(prior.w_dim)
    expected = prior.synthesize(mean.expand(3, prior.layers, -1)).detach()
    torch.testing.assert_close(pictures, expected)
    torch.testing.assert_close(pictures[0], pictures[2])
    w = prior.map(z)
    torch.testing.assert_close(prior.map(z, truncation=0.5) - mean, 0.5 * (w - mean))
    assert torch.equal(prior.map(z, truncation=1.0), w)


def test_the_mean_of_w_moves_by_its_share() -> None:
    prior = stylegan2()
    z = prior.sample(20, seeded())
    mean = prior.map(z)[:, 0].mean(dim=0)
    prior.track(z, 0.25)
    torch.testing.assert_close(prior.mean_w, 0.25 * mean.detach())
    prior.track(z, 0.5)
    torch.testing.assert_close(prior.mean_w, 0.625 * mean.detach())
    assert "mean_w" in prior.state_dict()


def test_a_seed_names_the_same_latents_however_many() -> None:
    many = latents(7, 40, seeded(5))
    assert torch.equal(latents(3, 40, seeded(5)), many[:3])
    assert not torch.equal(many[0], many[1])
    torch.manual_seed(5)
    assert torch.equal(latents(7, 40), many)
    assert abs(float(latents(100, 100, seeded()).std()) - 1) < 0.05


def test_style_mixing_takes_each_latent_at_its_layers() -> None:
    prior = stylegan2()
    first, second = prior.sample(4, seeded(0)), prior.sample(4, seeded(1))
    crossing = torch.tensor([0, 3, 7, prior.layers])
    w = prior.map(mix(first, second, crossing, prior.layers))
    ones, others = prior.map(first), prior.map(second)
    for n, place in enumerate(crossing.tolist()):
        torch.testing.assert_close(w[n, :place], ones[n, :place])
        torch.testing.assert_close(w[n, place:], others[n, place:])
    torch.testing.assert_close(mix(ones, others, crossing, prior.layers), w)
    assert torch.equal(mix(first, second, 2, 5)[:, :, 0], torch.stack([first[:, 0]] * 2 + [second[:, 0]] * 3, dim=1))


def test_a_layer_reaches_its_size_and_those_above() -> None:
    """The last layer is that of the last RGB alone; the last two convolutions keep what was drawn below."""
    prior = stylegan2(16)
    assert prior.layers == 6
    seen: dict[int, Tensor] = {}
    for level, to_rgb in enumerate(prior.to_rgb):
        to_rgb.register_forward_hook(lambda _m, _i, output, level=level: seen.update({level: output.detach()}))
    w = prior.map(prior.sample(1, seeded())).detach()
    prior.synthesize(w)
    before = dict(seen)
    for layer, touched in enumerate([{0, 1, 2}, {0, 1, 2}, {1, 2}, {1, 2}, {2}, {2}]):
        changed = w.clone()
        changed[:, layer] += 1
        prior.synthesize(changed)
        assert {level for level in seen if not torch.equal(seen[level], before[level])} == touched, layer


# --- paths between latents ---


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 1.0])
def test_the_spherical_path_keeps_norms_and_meets_its_ends(share: float) -> None:
    first = F.normalize(torch.randn(5, 64, generator=seeded(0)), dim=1) * 3
    second = F.normalize(torch.randn(5, 64, generator=seeded(1)), dim=1) * 7
    between = spherical(first, second, share)
    torch.testing.assert_close(between.norm(dim=1), torch.full((5,), 3 + 4 * share))
    angle = torch.acos(F.cosine_similarity(first, second))
    torch.testing.assert_close(
        torch.acos(F.cosine_similarity(first, between).clamp(-1, 1)), share * angle, atol=2e-3, rtol=0
    )
    if share in (0, 1):
        torch.testing.assert_close(between, second if share else first)
    torch.testing.assert_close(linear(first, second, share), (1 - share) * first + share * second)


def test_the_spherical_path_of_equal_and_opposite_latents_is_the_line() -> None:
    z = torch.randn(2, 8, generator=seeded())
    torch.testing.assert_close(spherical(z, z, 0.3), z)
    torch.testing.assert_close(spherical(z, -z, 0.25), 0.5 * z)
    assert spherical(torch.zeros(1, 8), z[:1], 0.5).isfinite().all()
    shares = torch.linspace(0, 1, 5)[:, None]
    assert spherical(z[0], z[1], shares).shape == (5, 8)


# --- layers ---


def modulated_by_hand(x: Tensor, weight: Tensor, style: Tensor) -> Tensor:
    """Weights of each picture of its own, demodulated, and the convolution as loops; eqs. 1 and 3."""
    outputs, inputs = weight.shape[:2]
    n, _, height, width = x.shape
    output = torch.zeros(n, outputs, height, width)
    for picture in range(n):
        own = torch.stack([weight[:, i] * style[picture, i] for i in range(inputs)], dim=1)
        for o in range(outputs):
            kernel = own[o] / math.sqrt(float((own[o] ** 2).sum()))
            for row in range(height):
                for column in range(width):
                    for i in range(inputs):
                        for a in range(3):
                            for b in range(3):
                                y, z = row + a - 1, column + b - 1
                                if 0 <= y < height and 0 <= z < width:
                                    output[picture, o, row, column] += kernel[i, a, b] * x[picture, i, y, z]
    return output


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_styled_convolution_by_hand(layout: torch.memory_format) -> None:
    layer = StyledConv(2, 3, w_dim=5, size=4, up=False, seed=9, rng=seeded()).to(memory_format=layout)
    with torch.no_grad():
        layer.bias.copy_(torch.tensor([0.1, -0.2, 0.3]))
        layer.noise.strength.fill_(0.4)
    x, w = torch.randn(2, 2, 4, 4, generator=seeded(1)), torch.randn(2, 5, generator=seeded(2))
    output = layer(x.contiguous(memory_format=layout), w, "fixed").detach()
    style = w @ layer.style.weight.T / math.sqrt(5) + 1
    expected = modulated_by_hand(x, layer.weight.detach(), style.detach())  # demodulation undoes any scale of weights
    field = torch.randn(1, 1, 4, 4, generator=seeded(9))
    expected = expected + 0.4 * field + layer.bias.detach()[:, None, None]
    expected = math.sqrt(2) * torch.where(expected > 0, expected, 0.2 * expected)
    torch.testing.assert_close(output, expected, rtol=1e-4, atol=1e-5)


def test_demodulation_by_hand() -> None:
    weight = torch.tensor([[[[1.0]], [[2.0]]], [[[0.0]], [[3.0]]]])  # two outputs of two inputs
    found = demodulate(weight, torch.tensor([[1.0, 0.5]]))
    torch.testing.assert_close(found, torch.tensor([[1 / math.sqrt(2), 1 / 1.5]]))


def test_to_rgb_is_modulated_and_not_demodulated() -> None:
    layer = ToRGB(4, w_dim=5, rng=seeded())
    nn.init.constant_(layer.bias, 0.25)
    x, w = torch.randn(2, 4, 3, 5, generator=seeded(1)), torch.randn(2, 5, generator=seeded(2))
    style = layer.style(w)
    for layout in (torch.contiguous_format, torch.channels_last):
        output = layer(x.contiguous(memory_format=layout), w)
        expected = torch.einsum("oi,ni,nihw->nohw", layer.weight, style, x) / 2 + 0.25
        torch.testing.assert_close(output, expected)


def test_enlarging_is_the_papers_filter() -> None:
    """Zeros in between, then [1, 3, 3, 1] both ways, away from the border."""
    x = torch.randn(2, 3, 6, 6, generator=seeded())
    spread = torch.zeros(2, 3, 12, 12)
    spread[:, :, ::2, ::2] = x
    kernel = (4 * KERNEL).expand(3, 1, 4, 4)
    expected = F.conv2d(F.pad(spread, (2, 1, 2, 1)), kernel, groups=3)
    torch.testing.assert_close(enlarge(x)[:, :, 2:-2, 2:-2], expected[:, :, 2:-2, 2:-2])
    torch.testing.assert_close(KERNEL[0], torch.tensor([1.0, 3.0, 3.0, 1.0]) / 64)


@pytest.mark.parametrize("kernel", [1, 3])
def test_a_halving_convolution_is_a_blur_and_every_second_position(kernel: int) -> None:
    layer = HalvingConv(3, 5, kernel, seeded(), gain=1.5)
    assert layer.bias is not None
    nn.init.normal_(layer.bias, generator=seeded(2))
    x = torch.randn(2, 3, 8, 8, generator=seeded(1))
    weight = 1.5 * layer.weight / math.sqrt(3 * kernel**2)
    blurred = F.conv2d(x, KERNEL.expand(3, 1, 4, 4), padding=2 if kernel == 3 else 1, groups=3)
    expected = F.conv2d(blurred, weight, 1.5 * layer.bias, stride=2)
    assert expected.shape == (2, 5, 4, 4)
    torch.testing.assert_close(layer(x), expected)


@pytest.mark.parametrize("padding", [1, 2])
def test_the_blurs_gradients_are_right_twice(padding: int) -> None:
    x = torch.randn(2, 3, 5, 4, generator=seeded(), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: blur(x, padding), x)
    assert torch.autograd.gradgradcheck(lambda x: blur(x, padding) ** 2, x)
    (gradient,) = torch.autograd.grad(blur(x, padding).square().sum(), x)
    plain = F.conv2d(x, KERNEL.double().expand(3, 1, 4, 4), padding=padding, groups=3)
    torch.testing.assert_close(gradient, torch.autograd.grad(plain.square().sum(), x)[0])


def test_equalised_layers_scale_where_they_are_used() -> None:
    dense = EqualisedLinear(16, 3, seeded(), bias=1.0, rate=0.01)
    x = torch.randn(4, 16, generator=seeded(1))
    torch.testing.assert_close(dense(x), x @ (0.01 * dense.weight).T / 4 + 1)
    assert float(dense.weight.detach().std()) == pytest.approx(100, rel=0.3)
    convolution = EqualisedConv(2, 3, 3, seeded(), gain=2.0)
    picture = torch.randn(1, 2, 5, 5, generator=seeded(1))
    expected = F.conv2d(picture, 2 * convolution.weight / math.sqrt(18), padding=1)
    torch.testing.assert_close(convolution(picture), expected)


def test_minibatch_deviation_by_hand() -> None:
    x = torch.tensor([1.0, 10.0, 5.0, 10.0]).reshape(4, 1, 1, 1).repeat(1, 2, 1, 3)
    x[:, 1] *= 2
    pairs = minibatch_deviation(x, group=2)  # pictures 0 and 2, 1 and 3
    assert pairs.shape == (4, 3, 1, 3)
    assert torch.equal(pairs[:, :2], x)
    expected = torch.tensor([3.0, 0.0, 3.0, 0.0]).reshape(4, 1, 1)  # of 1, 5 it is 2, of 2, 10 it is 4
    torch.testing.assert_close(pairs[:, 2], expected.expand(4, 1, 3), atol=2e-4, rtol=0)
    assert len(set(minibatch_deviation(torch.randn(6, 2, 4, 4))[:, 2, 0, 0].tolist())) == 2  # two groups of three
    torch.testing.assert_close(minibatch_deviation(x[:1])[:, 2], torch.full((1, 1, 3), 1e-4))
    assert minibatch_deviation(x[:1].expand(4, -1, -1, -1).clone().requires_grad_()).sum().isfinite()


# --- networks ---


def test_the_maps_keep_their_scale_as_they_are_drawn() -> None:
    prior = StyleGAN2(64, rng=seeded())
    scales: list[float] = []
    for layer in prior.convolutions:
        layer.register_forward_hook(lambda _m, _i, output: scales.append(float(output.detach().square().mean())))
    with torch.no_grad():
        w = prior.map(prior.sample(16, seeded(1)))  # not the draws that made the weights
        prior.synthesize(w)
    assert 0.3 < float(w.square().mean()) < 3
    assert all(0.1 < scale < 2 for scale in scales), scales  # the borders take from the small maps
    with torch.no_grad():
        scores = StyleGAN2Discriminator(64, rng=seeded())(torch.randn(4, 3, 64, 64, generator=seeded()))
    assert scores.shape == (4, 1)
    assert scores.abs().max() < 10


@pytest.mark.parametrize("family", FAMILIES)
def test_shipped_size_is_below_3_mb(family: str) -> None:
    prior: nn.Module = StyleGAN2() if family == "stylegan2" else DCGAN()
    count = sum(parameter.numel() for parameter in prior.parameters())
    assert 1.0e6 < count < 1.4e6
    assert len(save({name: each.half().contiguous() for name, each in prior.state_dict().items()})) < 3e6


def test_a_saved_prior_makes_the_same_pictures() -> None:
    prior = stylegan2()
    prior.track(prior.sample(9, seeded()), 1.0)
    file = io.BytesIO()
    torch.save(prior.state_dict(), file)
    file.seek(0)
    other = StyleGAN2(32, z_dim=12, w_dim=10, channel_base=128, channel_most=8, mapping_depth=2)
    other.load_state_dict(torch.load(file, weights_only=True))
    z = prior.sample(2, seeded())
    assert torch.equal(other(z, truncation=0.5), prior(z, truncation=0.5))


def test_bfloat16_is_close_and_gives_float32() -> None:
    prior = stylegan2().to(memory_format=torch.channels_last)
    critic = StyleGAN2Discriminator(32, 128, 8, rng=seeded())
    z = prior.sample(4, seeded())
    with torch.no_grad():
        exact = prior(z)
        with torch.autocast("cpu", torch.bfloat16):
            rough, scores = prior(z), critic(exact)
    assert rough.dtype == scores.dtype == torch.float32
    assert float((rough - exact).norm() / exact.norm()) < 0.03
    torch.testing.assert_close(scores, critic(exact).detach(), atol=0.05, rtol=0.05)


def test_the_discriminator_sees_batch_mates_in_its_statistic_alone() -> None:
    critic = StyleGAN2Discriminator(32, 128, 8, rng=seeded())
    pictures = torch.randn(8, 3, 32, 32, generator=seeded())
    inputs: list[Tensor] = []
    critic.last.register_forward_hook(lambda _m, args, _o: inputs.append(args[0].detach()))
    critic(pictures)
    for picture in torch.split(pictures, 1):
        critic(picture)
    together, alone = inputs[0], torch.cat(inputs[1:])
    torch.testing.assert_close(together[:, :-1], alone[:, :-1])
    assert (together[:, -1] > 10 * alone[:, -1]).all()  # a picture alone does not differ from itself


def test_dcgan_is_the_papers() -> None:
    generator, critic = DCGAN(64, z_dim=100, width=128), DCGANDiscriminator(64, width=128)
    channels = [each.out_channels for each in generator.modules() if isinstance(each, nn.ConvTranspose2d)]
    assert channels == [1024, 512, 256, 128, 3]
    assert [each.out_channels for each in critic.modules() if isinstance(each, nn.Conv2d)] == [128, 256, 512, 1024, 1]
    weights = [each.weight for each in generator.modules() if isinstance(each, nn.ConvTranspose2d)]
    assert all(abs(float(weight.detach().std()) - 0.02) < 2e-3 for weight in weights)


def test_dcgans_discriminator_in_evaluation_does_not_see_batch_mates() -> None:
    critic = DCGANDiscriminator(32, width=4, rng=seeded())
    pictures = torch.rand(8, 3, 32, 32, generator=seeded()) * 2 - 1
    assert critic(pictures).shape == (8, 1)
    critic.eval()
    torch.testing.assert_close(critic(pictures), torch.cat([critic(each) for each in torch.split(pictures, 1)]))
    assert dcgan()(torch.randn(4, 12)).abs().max() <= 1


@pytest.mark.parametrize("size", [0, 4, 48, 100])
@pytest.mark.parametrize("network", [StyleGAN2, StyleGAN2Discriminator, DCGAN, DCGANDiscriminator])
def test_sizes_that_do_not_double_are_refused(network: Any, size: int) -> None:
    with pytest.raises(ValueError, match=rf"size: got {size}, expected a power of two"):
        network(size)
