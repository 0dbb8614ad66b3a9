"""Backends: all give what the generator gives, at any size, whatever lies beside a picture; and the faster network."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from pix2pix import backends
from pix2pix.backend_choice import BackendName, cache_folder
from pix2pix.backends import (
    BUILDERS,
    Backend,
    available_backends,
    build_backend,
    measure,
    to_onnx,
)
from pix2pix.nn import GENERATORS, build_generator
from pix2pix.nn.blocks import InstanceNorm
from pix2pix.nn.inference import simplify

pytestmark = pytest.mark.usefixtures("one_thread")

SIZES = {
    "unet": [(64, 64), (192, 64), (64, 128)],
    "compact_unet": [(64, 64), (72, 40)],
    "resnet6": [(64, 64), (40, 52)],
}
MEAN_TOLERANCES = {"torch-bf16": 0.03, "torch-compiled": 0.03, "openvino-bf16": 0.03, "onnxruntime-int8": 0.3}
"""Mean difference as a share of the output's standard deviation, for the random weights here."""


@cache
def generator(name: Any, norm: Any = "instance", upsampling: Any = None) -> nn.Module:
    """A small one whose output is no flat grey; biases and running statistics are not those of a new one."""
    rng = torch.Generator().manual_seed(0)
    network = build_generator(name, 3, 3, size=64, width=16, norm=norm, upsampling=upsampling, rng=rng)
    with torch.no_grad():
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                layer.weight.mul_(3)
                if layer.bias is not None:
                    layer.bias.normal_(0, 0.1, generator=rng)
            elif isinstance(layer, InstanceNorm | nn.BatchNorm2d):
                layer.bias.normal_(0, 0.1, generator=rng)
                if isinstance(layer, nn.BatchNorm2d):
                    assert layer.running_mean is not None
                    assert layer.running_var is not None
                    layer.running_mean.normal_(0, 0.1, generator=rng)
                    layer.running_var.uniform_(0.5, 2, generator=rng)
    return network.eval().requires_grad_(False)


def pictures(count: int, height: int, width: int, seed: int = 0) -> Tensor:
    """Stripes of another direction and colour in each, and some noise."""
    rng = torch.Generator().manual_seed(seed)
    rows, columns = torch.meshgrid(torch.arange(height) / 6, torch.arange(width) / 9, indexing="ij")
    phases = torch.rand(count, 3, 1, 1, generator=rng) * 6
    waves = torch.sin(rows + phases) * torch.cos(columns - phases)
    return (waves + 0.1 * torch.randn(waves.shape, generator=rng)).clamp(-1, 1)


@cache
def backend(name: BackendName, network: str) -> Backend:
    return build_backend(name, generator(network), pictures(1, 64, 64), torch.split(pictures(6, 64, 64, seed=1), 1))


def installed(*, compiled: bool) -> list[Any]:
    slow = "torch-compiled"
    names = [name for name in available_backends() if (name == slow) == compiled]
    return [pytest.param(name, marks=pytest.mark.slow if compiled else []) for name in names]


ALL = installed(compiled=False) + installed(compiled=True)


@pytest.mark.parametrize("network", SIZES)
@pytest.mark.parametrize("name", ALL)
def test_every_backend_gives_what_the_generator_gives(name: BackendName, network: str) -> None:
    for height, width in SIZES[network]:
        batch = pictures(2, height, width)
        expected = generator(network)(batch)
        assert expected.std() > 0.05  # no flat grey, which would pass every test
        output = backend(name, network)(batch)
        assert output.shape == expected.shape
        assert output.dtype == torch.float32
        difference = (output - expected).abs()
        if name in MEAN_TOLERANCES:
            assert difference.mean() / expected.std() < MEAN_TOLERANCES[name]
            assert difference.max() > 1e-5  # it does compute in fewer bits
        else:
            assert difference.max() < 1e-4


@pytest.mark.parametrize("network", SIZES)
@pytest.mark.parametrize("name", ALL)
def test_same_picture_same_bytes_whatever_lies_beside_it(name: BackendName, network: str) -> None:
    for height, width in SIZES[network]:
        batch = pictures(3, height, width)
        together = backend(name, network)(batch)
        for index in (2, 0):
            alone = backend(name, network)(batch[index : index + 1])
            assert torch.equal(alone[0], together[index])


@pytest.mark.parametrize("upsampling", [None, "transposed", "resize"])
@pytest.mark.parametrize("norm", ["instance", "batch", "none"])
@pytest.mark.parametrize("network", GENERATORS)
def test_simplified_is_the_same_function(network: str, norm: str, upsampling: str | None) -> None:
    if norm == "none" and network != "compact_unet":
        pytest.skip("without a norm the deep ones leave the range in which tanh tells anything")
    original = generator(network, norm, upsampling)
    before = {name: tensor.clone() for name, tensor in original.state_dict().items()}
    simple = simplify(original)
    for height, width in SIZES.get(network, SIZES["unet"]):
        picture = pictures(1, height, width)
        expected, output = original(picture), simple(picture)
        assert (output - expected).abs().max() < 1e-4
    assert all(torch.equal(before[name], tensor) for name, tensor in original.state_dict().items())
    assert not any(isinstance(layer, nn.ConvTranspose2d | nn.BatchNorm2d) for layer in simple.modules())


def test_weights_are_bf16_once_and_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[nn.Module] = []

    def keep(network: nn.Module, dtype: torch.dtype) -> Any:
        kept.append(network)
        assert dtype == torch.bfloat16
        return lambda picture: picture

    monkeypatch.setattr(backends, "_torch_run", keep)
    build_backend("torch-bf16", generator("unet"), pictures(1, 64, 64))
    seen = set()
    for layer in kept[0].modules():
        expected = torch.float32 if isinstance(layer, InstanceNorm) else torch.bfloat16
        for tensor in (*layer.parameters(recurse=False), *layer.buffers(recurse=False)):
            assert tensor.dtype == expected, layer
            seen.add(tensor.dtype)
    assert seen == {torch.float32, torch.bfloat16}
    assert all(parameter.dtype == torch.float32 for parameter in generator("unet").parameters())


def test_a_tall_picture_in_bf16_reads_no_foreign_memory() -> None:
    """The innermost map of a tall picture is one column; see `_WidenedConv` for what oneDNN does there."""
    tall = pictures(1, 512, 64)
    first, expected = backend("torch-bf16", "unet")(tall), generator("unet")(tall)
    assert (first - expected).abs().mean() / expected.std() < 0.03
    for size in (64, 256, 1024, 4096, 16384, 65536):
        junk = [torch.full((size,), 1e4) for _ in range(4)]
        del junk
        assert torch.equal(backend("torch-bf16", "unet")(tall), first)


@pytest.mark.parametrize(
    ("name", "package"), [("onnxruntime", "onnxruntime"), ("onnxruntime-int8", "onnx"), ("openvino-bf16", "openvino")]
)
def test_a_missing_package_says_what_to_install(
    name: BackendName, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ValueError, match=rf"'{package}' is missing; run: pip install 'pix2pix\[export\]'"):
        build_backend(name, generator("compact_unet"), pictures(1, 64, 64))


def test_other_mistakes_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = pictures(1, 64, 64)
    with pytest.raises(ValueError, match="backend 'cuda': unknown, expected one of: torch, torch-bf16"):
        build_backend("cuda", generator("compact_unet"), picture)  # type: ignore[arg-type]
    monkeypatch.setattr(backends, "has_compiler", lambda device: False)
    with pytest.raises(ValueError, match="no C\\+\\+ compiler"):
        build_backend("torch-compiled", generator("compact_unet"), picture)
    assert "torch-compiled" not in available_backends()
    if "onnxruntime-int8" in available_backends():
        with pytest.raises(ValueError, match="no pictures to calibrate with"):
            build_backend("onnxruntime-int8", generator("compact_unet"), picture)
    with pytest.raises(AssertionError, match="multiples of 8"):
        backend("torch", "compact_unet")(pictures(1, 60, 64))


@dataclass
class Sleeper:
    """Takes as many seconds as it is told, call by call."""

    name: str
    clock: list[float]
    durations: list[float]

    def __call__(self, batch: Tensor) -> Tensor:
        self.clock[0] += self.durations.pop(0)
        return batch


def sleepers(clock: list[float], durations: dict[str, Sequence[float]]) -> list[Sleeper]:
    return [Sleeper(name, clock, list(each)) for name, each in durations.items()]


def test_measure_takes_medians_without_the_first_call(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
    durations: dict[str, Sequence[float]] = {"a": [90, 2, 50, 3], "b": [0, 5, 4, 1]}
    assert measure(sleepers(clock, durations), pictures(1, 8, 8), 3) == {"a": 3, "b": 4}


def test_the_onnx_file_is_valid_and_takes_any_size() -> None:
    onnx: Any = pytest.importorskip("onnx")
    model = onnx.load_from_string(to_onnx(generator("compact_unet"), pictures(1, 64, 64)))
    onnx.checker.check_model(model, full_check=True)
    sides = [side.dim_param or side.dim_value for side in model.graph.input[0].type.tensor_type.shape.dim]
    assert sides == [1, 3, "height", "width"]


AT_ONCE = """
import torch
from pix2pix.backends import build_backend
from pix2pix.nn import build_generator
torch.set_num_threads(2)
generator = build_generator("compact_unet", 3, 3, size=64, width=8).eval().requires_grad_(False)
print(len(build_backend("openvino-bf16", generator, torch.zeros(1, 3, 64, 64))(torch.zeros(8, 3, 64, 64))))
"""


def test_the_first_pictures_of_a_process_may_come_at_once() -> None:
    pytest.importorskip("openvino")
    for _ in range(2):
        code = [sys.executable, "-W", "ignore", "-c", AT_ONCE]
        assert subprocess.run(code, capture_output=True, text=True, timeout=60, check=True).stdout.strip() == "8"


TOLD = """
import socket, sys
asked = []
socket.getaddrinfo = lambda host, *rest, **more: asked.append(host) or []
import torch
from pix2pix.backends import build_backend
from pix2pix.nn import build_generator
generator = build_generator("compact_unet", 3, 3, size=64, width=8).eval().requires_grad_(False)
build_backend("openvino", generator, torch.zeros(1, 3, 64, 64))
assert sys.modules["openvino"] and sys.modules["openvino_telemetry"] is None
import time
time.sleep(1)
print(asked)
"""


def test_nobody_is_told_that_a_backend_is_used() -> None:
    """OpenVINO reports its import over the network where its telemetry package is there."""
    pytest.importorskip("openvino")
    ended = subprocess.run([sys.executable, "-c", TOLD], capture_output=True, text=True, timeout=120, check=True)
    assert ended.stdout.split() == ["[]"]


def test_the_first_inference_is_done_while_building(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []

    def build(*arguments: object) -> Any:
        def run(picture: Tensor) -> Tensor:
            ran.append(threading.current_thread().name)
            return picture

        return run

    monkeypatch.setattr(backends, "BUILDERS", {"openvino": build, "torch": build})
    for name in ("openvino", "torch"):
        build_backend(name, generator("compact_unet"), pictures(1, 64, 64))
    assert ran == [threading.current_thread().name]


def test_threads_may_export_at_once() -> None:
    pytest.importorskip("onnx")
    before = list(warnings.filters)
    with ThreadPoolExecutor(3) as pool:
        models = list(pool.map(lambda _: to_onnx(generator("compact_unet"), pictures(1, 64, 64)), range(6)))
    assert len({len(model) for model in models}) == 1
    assert warnings.filters == before


@pytest.mark.parametrize("network", SIZES)
def test_an_export_elsewhere_changes_no_byte(network: str, monkeypatch: pytest.MonkeyPatch) -> None:
    simple, picture = simplify(generator(network)), pictures(1, 64, 64)
    before = simple(picture)
    monkeypatch.setattr(torch.onnx, "is_in_onnx_export", lambda: True)
    assert torch.equal(simple(picture), before)


def test_a_damaged_converted_model_is_repaired() -> None:
    pytest.importorskip("openvino")
    network, picture = build_generator("compact_unet", 3, 3, size=64, width=8).eval(), pictures(1, 64, 64)
    expected = build_backend("openvino", network, picture)(picture)
    newest = max((cache_folder() / "models").glob("*.bin"), key=lambda path: path.stat().st_mtime)
    for content in (newest.read_bytes()[:-999], b""):
        newest.unlink()  # the first backend still reads the old file
        newest.write_bytes(content)
        assert torch.equal(build_backend("openvino", network, picture)(picture), expected)
        assert newest.stat().st_size > len(content)


def test_a_torch_without_onednn_is_not_asked_about_bf16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    monkeypatch.setattr(torch.ops, "mkldnn", None)
    picture = pictures(1, 64, 64)
    output = build_backend("torch-bf16", generator("compact_unet"), picture)(picture)
    assert (output - generator("compact_unet")(picture)).abs().mean() < 0.03


def test_measuring_waits_for_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[str] = []
    monkeypatch.setattr(torch.mps, "synchronize", lambda: waited.append("mps"))
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: waited.append("cuda"))

    @dataclass
    class OnDevice:
        type: str

    @dataclass
    class Batch:
        device: OnDevice

    for device in ("cpu", "mps", "cuda"):
        measure(sleepers([0.0], {"a": [0] * 3}), Batch(OnDevice(device)), 2)  # type: ignore[arg-type]
    assert waited == ["mps"] * 3 + ["cuda"] * 3


def test_the_dict_and_the_names_agree() -> None:
    assert set(available_backends()) <= set(BUILDERS)
    assert available_backends("cuda")[:2] == ["torch", "torch-bf16"]
    assert not any(name.startswith(("onnx", "openvino")) for name in available_backends("cuda"))
