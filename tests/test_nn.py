"""Networks: shapes, ranges, determinism, sizes and receptive fields, over the registry where it says nothing else."""

import random
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from pix2pix.nn import GENERATORS, GeneratorName, build_discriminator, build_generator, set_stochastic
from pix2pix.nn.blocks import (
    InstanceNorm,
    NoiseInjection,
    Norm,
    Upsampling,
    as_it_lies,
    initialise,
    join,
    make_upsampling,
)
from pix2pix.nn.compact import CompactUNet
from pix2pix.nn.patchgan import LAYERS, PatchGAN, ReceptiveField, receptive_field
from pix2pix.nn.resnet import ResNetGenerator
from pix2pix.nn.unet import UNet, encoder_channels

NAMES = list(GENERATORS)
FIELDS: list[ReceptiveField] = [1, 16, 70, 286]


def small(name: GeneratorName, norm: Norm = "instance", upsampling: Upsampling | None = None) -> nn.Module:
    """A narrow generator for pictures of 64 pixels, 3 channels to 2."""
    rng = torch.Generator().manual_seed(0)
    return build_generator(name, 3, 2, size=64, width=8, norm=norm, dropout=0.5, upsampling=upsampling, rng=rng)


def pictures(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def parameters_of(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def multiply_adds(network: nn.Module, channels: int) -> float:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network.eval()(torch.zeros(1, channels, 256, 256))
    return float(counter.get_total_flops()) / 2


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("upsampling", ["transposed", "resize"])
def test_generators_keep_any_size_of_multiples_and_stay_in_range(name: GeneratorName, upsampling: Upsampling) -> None:
    network = small(name, upsampling=upsampling).eval()
    multiple = network.multiple
    assert isinstance(multiple, int)
    sides = random.Random(name)
    for _ in range(3):
        height, width = (multiple * sides.randint(max(1, 16 // multiple), max(2, 128 // multiple)) for _ in range(2))
        with torch.no_grad():
            output = network(10 * pictures(2, 3, height, width))
        assert output.shape == (2, 2, height, width)
        assert output.abs().max() <= 1


@pytest.mark.parametrize("name", ["unet", "resnet9", "compact_unet"])
def test_wrong_sides_are_refused(name: GeneratorName) -> None:
    with pytest.raises(AssertionError, match="multiples of"):
        small(name)(pictures(1, 3, 64, 66))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_gradients_reach_every_parameter(name: GeneratorName, norm: Norm) -> None:
    network = small(name, norm)
    network(pictures(2, 3, 64, 64)).square().sum().backward()
    for key, parameter in network.named_parameters():
        assert parameter.grad is not None, key
        assert parameter.grad.abs().max() > 0, key


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_at_inference_an_output_depends_on_its_own_input_only(name: GeneratorName, norm: Norm) -> None:
    network = small(name, norm).eval()
    x, others = pictures(3, 3, 64, 64), pictures(3, 3, 64, 64, seed=1)
    others[0] = x[0]
    with torch.no_grad():
        output = network(x)
        assert torch.equal(network(x), output)
        assert torch.equal(network(others)[0], output[0])
        # Alone: in float64, since in float32 convolution kernels sum in another order for another batch size.
        network, wide = network.double(), x.double()
        torch.testing.assert_close(network(wide[:1]), network(wide)[:1], atol=1e-10, rtol=0)


@pytest.mark.parametrize("name", NAMES)
def test_compiling_captures_one_graph_and_changes_nothing(name: GeneratorName) -> None:
    """With dynamo alone, which needs no C++ compiler; it takes the instance norm's other path."""
    network, x = small(name).eval(), pictures(2, 3, 64, 64)
    torch.compiler.reset()
    with torch.no_grad():
        compiled = torch.compile(network, backend="eager", fullgraph=True)(x)
        torch.testing.assert_close(compiled, network(x), atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", ["unet", "encoder_decoder", "resnet6", "compact_unet"])
def test_samples_vary_on_purpose_only_and_repeat_by_seed(name: GeneratorName) -> None:
    network = small(name, "batch").eval()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    x = pictures(1, 3, 64, 64)

    def draw(seed: int) -> Tensor:
        torch.manual_seed(seed)
        with torch.no_grad():
            return torch.as_tensor(network(x))

    settled = draw(0)
    set_stochastic(network, True)
    assert not any(layer.training for layer in network.modules() if isinstance(layer, nn.BatchNorm2d))
    assert torch.equal(draw(1), draw(1))
    assert not torch.equal(draw(1), draw(2))
    set_stochastic(network, False)
    assert torch.equal(draw(3), settled)
    for key, value in network.state_dict().items():
        assert torch.equal(value, before[key]), key


@pytest.mark.parametrize("name", NAMES)
def test_a_training_step_runs_in_bfloat16_channels_last(name: GeneratorName) -> None:
    generator = small(name).to(memory_format=torch.channels_last)
    discriminator = build_discriminator(2, 3, receptive_field=16, width=8, norm="none", spectral=True)
    x = pictures(2, 3, 64, 64).to(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        scores = discriminator(generator(x), x)
    assert scores.dtype == torch.bfloat16
    scores.float().mean().backward()
    norms = torch.stack([p.grad.norm() for p in generator.parameters() if p.grad is not None])
    assert norms.isfinite().all()
    assert norms.sum() > 0


def test_parameter_counts() -> None:
    with torch.device("meta"):
        # Known: 54.41 M for the U-Net, 11.4 M for nine residual blocks (with a bias to every convolution 11.38 M).
        assert parameters_of(UNet(3, 3)) == 54_414_531
        assert parameters_of(ResNetGenerator(3, 3, blocks=9)) - parameters_of(ResNetGenerator(3, 3, blocks=8)) == (
            2 * (256 * 256 * 9 + 2 * 256)
        )
        # The paper's 70x70 discriminator on 3 + 3 channels: weights, norms' pairs, biases of the first and last layer.
        convolutions = 16 * (6 * 64 + 64 * 128 + 128 * 256 + 256 * 512 + 512)
        assert parameters_of(PatchGAN(3, 3)) == convolutions + 2 * (128 + 256 + 512) + 64 + 1


@pytest.mark.parametrize("channels", [3, 12])
def test_the_compact_generator_is_compact(channels: int) -> None:
    network = CompactUNet(channels, 3)
    assert parameters_of(network) <= 1.5e6
    assert multiply_adds(network, channels) <= 1.5e9


def test_the_u_net_does_the_arithmetic_of_its_ladder() -> None:
    """A 4x4 convolution costs 16 * in * out for every position of the smaller of its two maps."""
    ladder = [(3, 64), (64, 128), (128, 256), (256, 512), (512, 512), (512, 512), (512, 512), (512, 512)]
    ladder += [(512, 512), (1024, 512), (1024, 512), (1024, 512), (1024, 256), (512, 128), (256, 64), (128, 3)]
    sides = [128, 64, 32, 16, 8, 4, 2, 1, 1, 2, 4, 8, 16, 32, 64, 128]
    expected = sum(16 * a * b * side**2 for (a, b), side in zip(ladder, sides, strict=True))
    with torch.device("meta"):
        network = UNet(3, 3)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network.eval()(torch.zeros(1, 3, 256, 256, device="meta"))
    assert counter.get_total_flops() / 2 == expected


def test_the_resolution_ladder() -> None:
    assert encoder_channels(256, 64) == [64, 128, 256, 512, 512, 512, 512, 512]
    assert encoder_channels(64, 64) == [64, 128, 256, 512, 512, 512]
    assert len(encoder_channels(1024, 64)) == 10
    with torch.device("meta"):
        network = UNet(3, 3)
    maps: list[tuple[int, ...]] = []
    for stage in [*network.down, *network.up]:
        stage.register_forward_hook(lambda _layer, _inputs, output: maps.append(tuple(output.shape[1:3])))
    network(torch.zeros(1, 3, 256, 256, device="meta"))
    encoder = [(64, 128), (128, 64), (256, 32), (512, 16), (512, 8), (512, 4), (512, 2), (512, 1)]
    decoder = [(512, 2), (512, 4), (512, 8), (512, 16), (256, 32), (128, 64), (64, 128), (3, 256)]
    assert maps == encoder + decoder
    with_dropout = [any(isinstance(layer, nn.Dropout) for layer in stage.modules()) for stage in network.up]
    assert with_dropout == [True] * 3 + [False] * 5
    with_norm = [any(isinstance(layer, InstanceNorm) for layer in stage.modules()) for stage in network.down]
    assert with_norm == [False] + [True] * 6 + [False]


@pytest.mark.parametrize(("name", "leaks"), [("unet", True), ("encoder_decoder", False)])
def test_only_the_u_net_passes_details_around_the_bottleneck(name: GeneratorName, leaks: bool) -> None:
    network = small(name).eval()
    assert isinstance(network, UNet)
    network.down[-1].register_forward_hook(lambda _layer, _inputs, output: torch.zeros_like(output))
    with torch.no_grad():
        outputs = network(pictures(2, 3, 64, 64))
    assert torch.equal(outputs[0], outputs[1]) is not leaks


def _clone_norm(channels: int) -> tuple[InstanceNorm, nn.InstanceNorm2d]:
    ours, theirs = InstanceNorm(channels), nn.InstanceNorm2d(channels, affine=True)
    nn.init.normal_(ours.weight)
    nn.init.normal_(ours.bias)
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


@pytest.mark.parametrize("path", ["eager", "formula"])
@pytest.mark.parametrize("shape", [(1, 3, 2, 2), (4, 8, 16, 12), (2, 5, 1, 7)])
def test_instance_norm_equals_torchs(path: str, shape: tuple[int, ...]) -> None:
    ours, theirs = _clone_norm(shape[1])
    forward: Callable[[Tensor], Tensor] = ours if path == "eager" else ours._formula
    x = (3 * pictures(*shape) + 5).requires_grad_()
    weighting = pictures(*shape, seed=1)
    results = []
    for norm, call in ((ours, forward), (theirs, theirs)):
        output = call(x)
        gradients = torch.autograd.grad((output * weighting).sum(), [x, norm.weight, norm.bias])
        results.append([output, *gradients])
    torch.testing.assert_close(results[0], results[1], atol=2e-5, rtol=1e-4)


def test_instance_norm_refuses_a_single_value() -> None:
    with pytest.raises(ValueError, match="1x1"):
        InstanceNorm(4)(torch.zeros(2, 4, 1, 1))


def test_initialisation_is_the_papers_and_repeats_by_seed() -> None:
    network = build_generator("unet", 3, 3, size=64, width=32, rng=torch.Generator().manual_seed(5))
    weights = [
        layer.weight.detach() for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)
    ]
    values = torch.cat([weight.flatten() for weight in weights])
    assert values.mean().abs() < 1e-4
    assert values.std() == pytest.approx(0.02, rel=0.01)
    scales = torch.cat([layer.weight.detach() for layer in network.modules() if isinstance(layer, InstanceNorm)])
    assert scales.mean() == pytest.approx(1.0, abs=0.003)
    assert scales.std() == pytest.approx(0.02, rel=0.15)
    for key, parameter in network.named_parameters():
        assert not key.endswith("bias") or not parameter.any(), key
    torch.manual_seed(99)
    initialise(network, torch.Generator().manual_seed(5))
    assert torch.equal(torch.cat([weight.flatten() for weight in weights]), values)


@pytest.mark.parametrize("kind", ["transposed", "resize"])
def test_upsampling_doubles(kind: Upsampling) -> None:
    assert make_upsampling(kind, 3, 5, bias=True)(torch.zeros(1, 3, 4, 6)).shape == (1, 5, 8, 12)


def test_settled_noise_repeats_by_its_period_and_is_not_saved() -> None:
    layer = NoiseInjection(2, period=8).eval()
    output = layer(torch.zeros(3, 2, 12, 20)).detach()
    assert torch.equal(output[0], output[2])
    assert torch.equal(output[:, :, 8:12, 8:16], output[:, :, 0:4, 0:8])
    assert output[0, 0].std() == pytest.approx(0.05, rel=0.3)  # half of the weight that a fresh layer has
    assert list(layer.state_dict()) == ["weight"]
    layer.train()
    fresh = layer(torch.zeros(2, 2, 12, 20)).detach()
    assert not torch.equal(fresh[0], fresh[1])
    assert fresh[0, 0].std() == pytest.approx(0.1, rel=0.3)


def test_the_compact_generator_sees_the_whole_picture() -> None:
    """Without norms, whose statistics see everything: a corner of the output depends on the opposite corner."""
    network = CompactUNet(3, 3, width=8, norm="none").eval()
    for parameter in network.parameters():
        nn.init.constant_(parameter, 0.01)
    x = torch.ones(1, 3, 256, 256, requires_grad=True)
    network(x)[0, 0, 0, 0].backward()
    assert x.grad is not None
    # Half of the side reaches every pixel from the centre; a corner reaches less, and must still see most of it.
    assert x.grad[0, 0, 192, 192] != 0


@pytest.mark.parametrize("field", FIELDS)
def test_receptive_fields_by_formula_and_by_gradient(field: ReceptiveField) -> None:
    layers = [(kernel, stride) for kernel, stride, _ in LAYERS[field]]
    assert receptive_field([*layers, (layers[0][0], 1)]) == field

    network = PatchGAN(1, receptive_field=field, width=1, norm="none").double()
    for parameter in network.parameters():
        nn.init.constant_(parameter, 1.0)
    side = 3 * field + 40
    x = torch.ones(1, 1, side, side, dtype=torch.float64, requires_grad=True)
    scores = network(x)
    scores[0, 0, scores.shape[2] // 2, scores.shape[3] // 2].backward()
    assert x.grad is not None
    seen = x.grad[0, 0].nonzero()
    extent = seen.max(dim=0).values - seen.min(dim=0).values + 1
    assert extent.tolist() == [field, field]
    assert len(seen) == field**2


@pytest.mark.parametrize(("field", "side"), [(1, 256), (16, 126), (70, 30), (286, 6)])
def test_discriminators_score_patches(field: ReceptiveField, side: int) -> None:
    network = build_discriminator(3, 2, receptive_field=field, width=4)
    target, source = pictures(1, 3, 256, 256), pictures(1, 2, 256, 256)
    scores = network(target, source)
    assert scores.shape == (1, 1, side, side)
    features = network(target, source, return_features=True)
    assert len(features) == len(LAYERS[field]) + 1
    assert torch.equal(features[-1], scores)


def test_a_source_is_given_to_conditional_discriminators_only() -> None:
    x = pictures(1, 3, 64, 64)
    assert build_discriminator(3, width=4)(x).shape == (1, 1, 6, 6)
    with pytest.raises(AssertionError, match="conditional"):
        build_discriminator(3, width=4)(x, x)
    with pytest.raises(AssertionError, match="conditional"):
        build_discriminator(3, 3, width=4)(x)


def test_spectral_norm_holds_from_the_start_and_repeats_by_seed() -> None:
    first, second = (
        build_discriminator(3, 3, width=16, norm="none", spectral=True, rng=torch.Generator().manual_seed(2)).eval()
        for _ in range(2)
    )
    for layer in first.modules():
        if isinstance(layer, nn.Conv2d):
            assert torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2) == pytest.approx(1.0, abs=0.1)
    for key, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[key]), key


def test_joined_maps_have_the_gradients_of_cat_dense_in_memory() -> None:
    torch.manual_seed(0)
    maps = [torch.randn(2, c, 4, 6).contiguous(memory_format=torch.channels_last).requires_grad_() for c in (3, 5)]
    joined = join(*maps)
    assert torch.equal(joined, torch.cat(maps, dim=1))
    pull = torch.randn(2, 8, 4, 6).contiguous(memory_format=torch.channels_last)
    found, expected = torch.autograd.grad(joined, maps, pull), torch.autograd.grad(torch.cat(maps, dim=1), maps, pull)
    for one, other in zip(found, expected, strict=True):
        assert torch.equal(one, other)
        assert one.is_contiguous(memory_format=torch.channels_last)
        assert not other.is_contiguous(memory_format=torch.channels_last)


def test_as_it_lies_is_a_view_in_the_order_of_memory() -> None:
    x = torch.randn(2, 3, 4, 5)
    assert as_it_lies(x) is x
    last = x.contiguous(memory_format=torch.channels_last)
    assert as_it_lies(last).is_contiguous()
    assert as_it_lies(last).data_ptr() == last.data_ptr()
    assert torch.equal(as_it_lies(last), x.permute(0, 2, 3, 1))
