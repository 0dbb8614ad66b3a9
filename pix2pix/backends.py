"""Ways to run one generator fast: torch, ONNX Runtime and OpenVINO behind one call, picture in, picture out.

All start from one copy of the generator that computes the same function with less work (`nn/inference.py`).
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import importlib.util
import logging
import statistics
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, Protocol, cast, get_args

import numpy as np
import torch
from torch import Tensor, nn

from pix2pix.backend_choice import LARGEST_DIFFERENCE, BackendName, kept_model
from pix2pix.batch.lanes import SMALL, PictureByPicture, Run, narrow, settle, threads
from pix2pix.nn.inference import simplify
from pix2pix.nn.packed import has_fast_bf16, in_bf16, pack_heavy_convolutions
from pix2pix.training.choices import has_compiler

OPSET = 17
CONVERSION = 2  # to be raised when `simplify` or `to_onnx` makes another model of the same weights

# torch's exporter and `warnings.catch_warnings` keep their state in the process.
_building = threading.RLock()


class Backend(Protocol):
    """A generator that is ready to run, in eval mode: the same picture gives the same bytes, alone or in any batch.

    Any thread may call it, several at a time.
    """

    @property
    def name(self) -> str: ...

    def __call__(self, batch: Tensor) -> Tensor:
        """(N, C, H, W) float32 in [-1, 1] to the same kind; H and W are multiples of the generator's `multiple`.

        Fastest where both lie channels-last.
        """
        ...


def build_backend(
    name: BackendName, generator: nn.Module, example: Tensor, calibration: Sequence[Tensor] = ()
) -> PictureByPicture:
    """Make `generator` ready to run; the generator itself stays as it is.

    `example` is a picture (1, C, H, W) of the size that will be most frequent: other sizes work too, some slower.
    `calibration` are pictures of that form, of any size, from which 8-bit ranges are taken; a dozen are enough.
    Any thread may build; one at a time does.
    Raises ValueError for an unknown name, and where the machine lacks a package or a compiler that it needs.
    """
    if name not in BUILDERS:
        raise ValueError(f"backend '{name}': unknown, expected one of: {', '.join(BUILDERS)}")
    assert example.ndim == 4
    assert len(example) == 1, f"expected one picture (1, C, H, W), got {tuple(example.shape)}"
    multiple = generator.multiple
    assert isinstance(multiple, int)
    beside = SMALL * example.shape[2] * example.shape[3] if name in SIDE_BY_SIDE and example.device.type == "cpu" else 0
    with _building:
        run = BUILDERS[name](generator, example, calibration)
        if name in THROUGH_ONNX:
            run(example)  # pybind11 sets up numpy at the first call, and two threads that meet there wait for ever
    return PictureByPicture(name, multiple, run, beside, forks=name not in THROUGH_ONNX)


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
    _wait_for(batch.device.type)
    seconds: dict[str, list[float]] = {backend.name: [] for backend in backends}
    for _ in range(repeats):
        for backend in backends:
            settle()
            started = time.perf_counter()
            backend(batch)
            _wait_for(batch.device.type)
            seconds[backend.name].append(time.perf_counter() - started)
    return {name: statistics.median(times) for name, times in seconds.items()}


def difference(backend: Backend, generator: nn.Module, example: Tensor) -> tuple[float, float]:
    """Mean and largest absolute difference of `backend` from `generator` itself on `example`, in levels of 255."""
    with torch.inference_mode():
        levels = (backend(example) - generator(example)).abs() * 127.5
    return levels.mean().item(), levels.max().item()


def is_close(mean: float) -> bool:
    """Whether a backend with that mean difference may take the generator's place; not where it is NaN."""
    return mean <= LARGEST_DIFFERENCE


def _wait_for(device: str) -> None:
    """Until the device has done what it was given; the CPU is never given anything to do later."""
    if device == "cuda":
        torch.cuda.synchronize()
    elif device == "mps":
        torch.mps.synchronize()


def choose(generator: nn.Module, example: Tensor, say: Callable[[str], None]) -> BackendName:
    """The fastest backend here for `generator` and pictures like `example` (1, C, H, W); all of them are built for it.

    `say` is told of each how long a picture takes where many wait, and how far its output is from the generator's. One
    that is off by more than `LARGEST_DIFFERENCE` on average is refused. 8 bits need calibration, and are left out.
    """
    built: list[Backend] = [_Plain(generator)]
    off: dict[str, str] = {}
    for name in available_backends(example.device.type):
        if name == "onnxruntime-int8":
            continue
        try:
            backend = build_backend(name, generator, example)
            mean, largest = difference(backend, generator, example)
        except (ValueError, RuntimeError) as error:
            say(f"{name}: left out, {str(error).splitlines()[0]}")
            continue
        off[name] = f"off by {mean:.2f} levels of 255 on average, {largest:.0f} at most"
        if not is_close(mean):
            say(f"{name}: refused, {off[name]}")
        else:
            built.append(backend)
    count = 4 * threads()
    seconds = measure(built, example.repeat(count, 1, 1, 1))
    for each, all_of_them in seconds.items():
        times = f"{1000 * all_of_them / count:.1f} ms a picture"
        say(f"{each}: {times}" + (f", {seconds[PLAIN] / all_of_them:.1f} x plain; {off[each]}" if each in off else ""))
    candidates: list[BackendName] = [name for name in BUILDERS if name in seconds]
    return min(candidates, key=lambda name: seconds[name])


PLAIN = "plain"


@dataclass(frozen=True)
class _Plain:
    """The generator as it is, to compare with."""

    generator: nn.Module
    name: str = PLAIN

    def __call__(self, batch: Tensor) -> Tensor:
        with torch.inference_mode():
            return torch.cat([self.generator(picture) for picture in torch.split(batch, 1)])


def quick_choice(device: str) -> BackendName:
    """What is fast on most machines without measuring, and needs no package beside torch."""
    return "torch-bf16" if device == "cpu" and has_fast_bf16() else "torch"


# --- torch ---


def _torch(generator: nn.Module, example: Tensor, calibration: Sequence[Tensor]) -> Run:
    return _torch_run(simplify(generator).to(memory_format=torch.channels_last), torch.float32)


def _torch_bf16(generator: nn.Module, example: Tensor, calibration: Sequence[Tensor]) -> Run:
    network = in_bf16(simplify(generator))
    if example.device.type == "cpu" and _packs_bf16():
        pack_heavy_convolutions(network, example.to(torch.bfloat16, memory_format=torch.channels_last))
    return _torch_run(network, torch.bfloat16)


def _packs_bf16() -> bool:
    # Builds of torch without oneDNN lack the second question.
    return torch.backends.mkldnn.is_available() and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())  # type: ignore[no-untyped-call]


def _torch_compiled(generator: nn.Module, example: Tensor, calibration: Sequence[Tensor]) -> Run:
    if not has_compiler(example.device.type):
        raise ValueError("backend 'torch-compiled': no C++ compiler here; install g++ or clang++, or use 'torch-bf16'")
    # It tells everybody without a GPU that there is none.
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)
    return _torch_run(torch.compile(in_bf16(simplify(generator))), torch.bfloat16)


def _torch_run(network: Callable[[Tensor], Tensor], dtype: torch.dtype) -> Run:
    def run(picture: Tensor) -> Tensor:
        with torch.inference_mode():
            return network(picture.to(dtype, memory_format=torch.channels_last)).float()

    return run


# --- ONNX Runtime and OpenVINO ---


def to_onnx(generator: nn.Module, example: Tensor) -> bytes:
    """`generator`, simplified, as an ONNX model with input `picture` (1, C, H, W) and `output`; H and W are free."""
    axes = {2: "height", 3: "width"}
    with _building, _temporary_folder() as folder, warnings.catch_warnings(), torch.no_grad():
        path = Path(folder) / "model.onnx"
        # The newer exporter needs one more package (onnxscript); this one traces, and says that it is the older.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            simplify(generator, exporting=True).cpu(),
            (example.cpu(),),
            path,
            dynamo=False,
            opset_version=OPSET,
            input_names=["picture"],
            output_names=["output"],
            dynamic_axes={"picture": axes, "output": axes},
        )
        return path.read_bytes()


def _temporary_folder() -> tempfile.TemporaryDirectory[str]:
    # Windows cannot delete a file that is still mapped into memory.
    return tempfile.TemporaryDirectory(ignore_cleanup_errors=True)


def _import(package: str) -> Any:
    if package == "openvino":
        # It tells its maker of every import, unless the package that does so is missing.
        sys.modules.setdefault("openvino_telemetry", cast(ModuleType, None))
    try:
        return importlib.import_module(package)
    except ImportError:
        raise ValueError(f"package '{package}' is missing; run: pip install 'pix2pix[export]'") from None


def _onnxruntime(generator: nn.Module, example: Tensor, calibration: Sequence[Tensor]) -> Run:
    _import("onnxruntime")
    return _onnxruntime_run(to_onnx(generator, example))


def _onnxruntime_run(model: bytes) -> Run:
    runtime = _import("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads()
    session = runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return lambda picture: torch.from_numpy(session.run(None, {"picture": picture.numpy(force=True)})[0])


@dataclass
class _Reader:
    """Hands pictures to ONNX Runtime's calibration, in the form it asks for."""

    pictures: list[Tensor]

    def get_next(self) -> dict[str, Any] | None:
        return {"picture": self.pictures.pop().numpy(force=True)} if self.pictures else None


def _onnxruntime_int8(generator: nn.Module, example: Tensor, calibration: Sequence[Tensor]) -> Run:
    onnx, quantization = _import("onnx"), _import("onnxruntime.quantization")
    if not calibration:
        raise ValueError("backend 'onnxruntime-int8': got no pictures to calibrate with, expected about a dozen")
    model = onnx.load_from_string(to_onnx(generator, example))
    # Else it advises a preparation on the console, which changes nothing here.
    _import("onnxruntime.quantization.quant_utils").add_pre_process_metadata(model)
    convolutions = [node.name for node in model.graph.node if node.op_type == "Conv"]
    with _temporary_folder() as folder:
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


def _openvino(
    hint: Literal["f32", "bf16"], generator: nn.Module, example: Tensor, calibration: Sequence[Tensor]
) -> Run:
    openvino = _import("openvino")
    core = openvino.Core()

    def convert(path: Path) -> None:
        channels_last = _import("openvino.preprocess").PrePostProcessor(core.read_model(to_onnx(generator, example)))
        for side in (channels_last.input(), channels_last.output()):
            side.tensor().set_layout(openvino.Layout("NHWC"))
            side.model().set_layout(openvino.Layout("NCHW"))
        openvino.save_model(channels_last.build(), path, compress_to_fp16=hint == "bf16")

    model = kept_model(_fingerprint(generator, example, hint), convert, core.read_model)
    count = threads()
    settings = {"INFERENCE_PRECISION_HINT": hint, "INFERENCE_NUM_THREADS": count}
    beside = count // narrow(count)
    small = SMALL * example.shape[2] * example.shape[3]
    own = threading.local()  # a request for each lane and kind of picture
    channels = model.output().partial_shape[3].get_length()

    @functools.cache
    def compiled(kind: Literal["example", "small", "large"]) -> Any:
        """A network for one size is a third faster than one for all."""
        fitting = model.clone()
        if kind == "example":
            fitting.reshape([1, *example.shape[2:], example.shape[1]])
        return core.compile_model(fitting, "CPU", {**settings, "NUM_STREAMS": 1 if kind == "large" else beside})

    def run(picture: Tensor) -> Tensor:
        pixels = picture.shape[2] * picture.shape[3]
        kind = "example" if picture.shape == example.shape else "small" if pixels <= small else "large"
        request = getattr(own, kind, None)
        if request is None:
            with compiling:
                request = compiled(kind).create_infer_request()
            setattr(own, kind, request)
        pixels_first = picture.permute(0, 2, 3, 1).contiguous().numpy(force=True)
        output = np.empty((*pixels_first.shape[:3], channels), np.float32)  # what OpenVINO owns would have to be copied
        request.set_input_tensor(openvino.Tensor(pixels_first, shared_memory=True))
        request.set_output_tensor(openvino.Tensor(output, shared_memory=True))
        request.infer()
        return torch.from_numpy(output).permute(0, 3, 1, 2)

    compiling = threading.Lock()
    return run


def _fingerprint(generator: nn.Module, example: Tensor, hint: str) -> str:
    """What a converted model depends on, as 64 letters; 0.2 s for the paper's U-Net, whose conversion takes 2.5."""
    facts = [CONVERSION, OPSET, hint, str(torch.__version__), str(generator), list(example.shape)]
    fingerprint = hashlib.sha256(repr(facts).encode())
    for name, tensor in generator.state_dict().items():
        fingerprint.update(name.encode())
        fingerprint.update(tensor.cpu().contiguous().numpy().data)
    return fingerprint.hexdigest()


SIDE_BY_SIDE = ("torch-bf16", "openvino", "openvino-bf16")
"""Backends that compute small pictures side by side. Plain torch gives figures, and keeps to the order of old ones."""

THROUGH_ONNX = ("onnxruntime", "onnxruntime-int8", "openvino", "openvino-bf16")

BUILDERS: Mapping[BackendName, Callable[[nn.Module, Tensor, Sequence[Tensor]], Run]] = {
    "torch": _torch,
    "torch-bf16": _torch_bf16,
    "torch-compiled": _torch_compiled,
    "onnxruntime": _onnxruntime,
    "openvino": partial(_openvino, "f32"),
    "openvino-bf16": partial(_openvino, "bf16"),
    "onnxruntime-int8": _onnxruntime_int8,
}
assert tuple(BUILDERS) == get_args(BackendName)
