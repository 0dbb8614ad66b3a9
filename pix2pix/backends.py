"""Ways to run one generator fast: torch, ONNX Runtime and OpenVINO behind one call, picture in, picture out.

All start from one copy of the generator that computes the same function with less work (`nn/inference.py`).
"""

from __future__ import annotations

import importlib
import importlib.util
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

import torch
from torch import Tensor, nn

from pix2pix.nn.blocks import InstanceNorm
from pix2pix.nn.inference import simplify
from pix2pix.training.choices import has_compiler

BackendName = Literal[
    "torch", "torch-bf16", "torch-compiled", "onnxruntime", "onnxruntime-int8", "openvino", "openvino-bf16"
]
OPSET = 17
Run = Callable[[Tensor], Tensor]  # (1, C, H, W) float32 to the same


class Backend(Protocol):
    """A generator that is ready to run, in eval mode: the same picture gives the same bytes, alone or in any batch.

    One call at a time; it computes with as many threads as torch had when it was built.
    """

    @property
    def name(self) -> str: ...

    def __call__(self, batch: Tensor) -> Tensor:
        """(N, C, H, W) float32 in [-1, 1] to the same kind; H and W are multiples of the generator's `multiple`."""
        ...


@dataclass(frozen=True)
class OneByOne:
    """Run the pictures of a batch one after another.

    Convolutions may sum in another order for another batch size: outputs of OpenVINO in bf16 moved by 3 levels of 255
    with the number of pictures beside them. All eight at once would take a tenth to a fifth less time there.
    """

    name: str
    multiple: int
    run: Run

    def __call__(self, batch: Tensor) -> Tensor:
        assert batch.ndim == 4, f"expected (N, C, H, W), got {tuple(batch.shape)}"
        assert batch.dtype == torch.float32, f"expected float32, got {batch.dtype}"
        assert batch.shape[2] % self.multiple == 0 == batch.shape[3] % self.multiple, (
            f"sides must be multiples of {self.multiple}, got {tuple(batch.shape)}"
        )
        return torch.cat([self.run(picture) for picture in torch.split(batch, 1)]).contiguous()


def build_backend(
    name: BackendName, generator: nn.Module, example: Tensor, calibration: Sequence[Tensor] = ()
) -> Backend:
    """Make `generator` ready to run; the generator itself stays as it is.

    `example` is a picture (1, C, H, W) of the size that will be most frequent: other sizes work too, some slower.
    `calibration` are pictures of that form, of any size, from which 8-bit ranges are taken; a dozen are enough.
    Raises ValueError for an unknown name, and where the machine lacks a package or a compiler that it needs.
    """
    if name not in BUILDERS:
        raise ValueError(f"backend '{name}': unknown, expected one of: {', '.join(BUILDERS)}")
    assert example.ndim == 4
    assert len(example) == 1, f"expected one picture (1, C, H, W), got {tuple(example.shape)}"
    multiple = generator.multiple
    assert isinstance(multiple, int)
    return OneByOne(name, multiple, BUILDERS[name](simplify(generator), example, calibration))


def available_backends(device: str = "cpu") -> list[BackendName]:
    """The names that can be built here for a generator on `device`. ONNX Runtime and OpenVINO run on the CPU."""
    names: list[BackendName] = ["torch", "torch-bf16"]
    if has_compiler(device):
        names.append("torch-compiled")
    if device == "cpu" and importlib.util.find_spec("onnxruntime"):
        names.append("onnxruntime")
        if importlib.util.find_spec("onnx"):
            names.append("onnxruntime-int8")
    if device == "cpu" and importlib.util.find_spec("openvino"):
        names += ["openvino", "openvino-bf16"]
    return names


def measure(backends: Sequence[Backend], batch: Tensor, repeats: int = 5) -> dict[str, float]:
    """Median seconds of one call on `batch`, by name, after one call to warm up.

    The backends take turns, so that whatever else the machine does meets all of them.
    """
    for backend in backends:
        backend(batch)
    seconds: dict[str, list[float]] = {backend.name: [] for backend in backends}
    for _ in range(repeats):
        for backend in backends:
            started = time.perf_counter()
            backend(batch)
            if batch.device.type == "cuda":
                torch.cuda.synchronize()
            seconds[backend.name].append(time.perf_counter() - started)
    return {name: statistics.median(times) for name, times in seconds.items()}


def fastest(backends: Sequence[Backend], batch: Tensor, repeats: int = 5) -> Backend:
    """The backend with the least median time on `batch`."""
    assert backends
    seconds = measure(backends, batch, repeats)
    return min(backends, key=lambda backend: seconds[backend.name])


# --- torch ---


def _torch(network: nn.Module, example: Tensor, calibration: Sequence[Tensor]) -> Run:
    return _torch_run(network.to(memory_format=torch.channels_last), torch.float32)


def _torch_bf16(network: nn.Module, example: Tensor, calibration: Sequence[Tensor]) -> Run:
    network = _in_bf16(network)
    if example.device.type == "cpu" and torch.ops.mkldnn._is_mkldnn_bf16_supported():
        _pack_heavy_convolutions(network, example.to(torch.bfloat16, memory_format=torch.channels_last))
    return _torch_run(network, torch.bfloat16)


def _torch_compiled(network: nn.Module, example: Tensor, calibration: Sequence[Tensor]) -> Run:
    if not has_compiler(example.device.type):
        raise ValueError("backend 'torch-compiled': no C++ compiler here; install g++ or clang++, or use 'torch-bf16'")
    return _torch_run(torch.compile(_in_bf16(network)), torch.bfloat16)


def _torch_run(network: Callable[[Tensor], Tensor], dtype: torch.dtype) -> Run:
    def run(picture: Tensor) -> Tensor:
        with torch.inference_mode():
            return network(picture.to(dtype, memory_format=torch.channels_last)).float()

    return run


def _in_bf16(network: nn.Module) -> nn.Module:
    """All but the norms, whose few numbers cost nothing in float32."""
    for layer in network.modules():
        if not isinstance(layer, InstanceNorm | nn.BatchNorm2d):
            for tensor in (*layer.parameters(recurse=False), *layer.buffers(recurse=False)):
                tensor.data = tensor.data.to(torch.bfloat16)
    return network.to(memory_format=torch.channels_last)


class _PackedConv(nn.Module):
    """A convolution whose weights lie in memory as the CPU's matrix units read them, rearranged once.

    Else that happens at every call. Shape: as the convolution's.
    """

    weight: Tensor

    def __init__(self, conv: nn.Conv2d, shape: Sequence[int]) -> None:
        super().__init__()
        assert isinstance(conv.padding, tuple)
        self.geometry = (conv.padding, conv.stride, conv.dilation, conv.groups)
        plain = conv.weight.data.contiguous().to_mkldnn()
        reorder: Any = torch._C._nn.mkldnn_reorder_conv2d_weight  # its stub is wrong
        self.register_buffer("weight", reorder(plain, *self.geometry, list(shape)))
        self.bias = conv.bias

    def forward(self, x: Tensor) -> Tensor:
        return torch.mkldnn_convolution(x, self.weight, self.bias, *self.geometry)


def _pack_heavy_convolutions(network: nn.Module, example: Tensor) -> None:
    """Pack what has far more weights than inputs, where rearranging is most of the work.

    Elsewhere the packed layout is not the fastest one: with all of them packed, the compact generator took 1.7 times as
    long.
    The paper's U-Net, one picture, two cores: 36 ms without, 29 with.
    """
    shapes: dict[nn.Module, torch.Size] = {}

    def note(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        shapes[layer] = inputs[0].shape

    hooks = [layer.register_forward_pre_hook(note) for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    with torch.inference_mode():
        network(example)
    for hook in hooks:
        hook.remove()
    for parent in list(network.modules()):
        for name, layer in list(parent.named_children()):
            if not isinstance(layer, nn.Conv2d) or layer.padding_mode != "zeros":
                continue
            if layer.weight.numel() > 4 * shapes[layer].numel():
                setattr(parent, name, _PackedConv(layer, shapes[layer]))


# --- ONNX Runtime and OpenVINO ---


def to_onnx(generator: nn.Module, example: Tensor) -> bytes:
    """`generator`, simplified, as an ONNX model with input `picture` (1, C, H, W) and `output`; H and W are free."""
    return _to_onnx(simplify(generator), example)


def _to_onnx(network: nn.Module, example: Tensor) -> bytes:
    axes = {2: "height", 3: "width"}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(), torch.no_grad():
        path = Path(folder) / "model.onnx"
        # The newer exporter needs one more package (onnxscript); this one traces, and says that it is the older.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network.cpu(),
            (example.cpu(),),
            path,
            dynamo=False,
            opset_version=OPSET,
            input_names=["picture"],
            output_names=["output"],
            dynamic_axes={"picture": axes, "output": axes},
        )
        return path.read_bytes()


def _import(package: str) -> Any:
    try:
        return importlib.import_module(package)
    except ImportError:
        raise ValueError(f"package '{package}' is missing; run: pip install 'pix2pix[export]'") from None


def _onnxruntime(network: nn.Module, example: Tensor, calibration: Sequence[Tensor]) -> Run:
    _import("onnxruntime")
    return _onnxruntime_run(_to_onnx(network, example))


def _onnxruntime_run(model: bytes) -> Run:
    runtime = _import("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return lambda picture: torch.from_numpy(session.run(None, {"picture": picture.numpy(force=True)})[0])


@dataclass
class _Reader:
    """Hands pictures to ONNX Runtime's calibration, in the form it asks for."""

    pictures: list[Tensor]

    def get_next(self) -> dict[str, Any] | None:
        return {"picture": self.pictures.pop().numpy(force=True)} if self.pictures else None


def _onnxruntime_int8(network: nn.Module, example: Tensor, calibration: Sequence[Tensor]) -> Run:
    onnx, quantization = _import("onnx"), _import("onnxruntime.quantization")
    if not calibration:
        raise ValueError("backend 'onnxruntime-int8': got no pictures to calibrate with, expected about a dozen")
    model = onnx.load_from_string(_to_onnx(network, example))
    # Else it advises a preparation on the console, which changes nothing here.
    _import("onnxruntime.quantization.quant_utils").add_pre_process_metadata(model)
    convolutions = [node.name for node in model.graph.node if node.op_type == "Conv"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        quantization.quantize_static(
            model,
            path,
            _Reader(list(calibration)),
            op_types_to_quantize=["Conv"],
            nodes_to_exclude=[convolutions[0], convolutions[-1]],
            per_channel=True,
        )
        return _onnxruntime_run(path.read_bytes())


def _openvino(hint: str, network: nn.Module, example: Tensor, calibration: Sequence[Tensor]) -> Run:
    core = _import("openvino").Core()
    model = core.read_model(_to_onnx(network, example))
    settings = {"INFERENCE_PRECISION_HINT": hint, "INFERENCE_NUM_THREADS": torch.get_num_threads()}
    compiled = core.compile_model(model, "CPU", settings)
    return lambda picture: torch.from_numpy(compiled(picture.numpy(force=True))[0].copy())


BUILDERS: Mapping[BackendName, Callable[[nn.Module, Tensor, Sequence[Tensor]], Run]] = {
    "torch": _torch,
    "torch-bf16": _torch_bf16,
    "torch-compiled": _torch_compiled,
    "onnxruntime": _onnxruntime,
    "onnxruntime-int8": _onnxruntime_int8,
    "openvino": partial(_openvino, "f32"),
    "openvino-bf16": partial(_openvino, "bf16"),
}
assert tuple(BUILDERS) == get_args(BackendName)
