"""One released model as a callable: image in, image out, of the same size or larger by the task's scale."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from pix2pix.backend_choice import FEWER_BITS, BackendName, choice_key, store_choice, stored_choice
from pix2pix.backends import build_backend, choose, difference, is_close, quick_choice
from pix2pix.batch.lanes import PictureByPicture, threads
from pix2pix.checkpoint import Facts, ReleasedModel, load_weights
from pix2pix.command_line import machine
from pix2pix.config import Task
from pix2pix.data.conditions import check_steps, nearest_class, normalise, split_by_size
from pix2pix.images import enlarge, fits_pillow, from_pil, read_image, reflect_pad, resize, to_pil, to_rgb, to_rgb8
from pix2pix.nn import build_generator, set_stochastic
from pix2pix.nn.blocks import NoiseInjection
from pix2pix.nn.residual import Residual
from pix2pix.representations import build_representation, representations
from pix2pix.upsampling import enlarge_by_classes, enlarge_by_picture, shrink

# The network's long side is at most this many times `work_size`: a strip of 1x1300 would come to 83,000 pixels.
LONGEST = 4
SMALLEST_WORK_SIZE = 16

_sampling = threading.Lock()  # dropout and noise draw from torch's generator, which is the process's


def build_model_generator(task: Task, rng: torch.Generator | None = None) -> nn.Module:
    """The generator that `task` declares, with fresh weights drawn from `rng` (None: torch's global one)."""
    data, model = task.data, task.model
    generator = build_generator(
        model.generator,
        *(each.channels for each in representations(data)),
        size=data.size,
        width=model.width,
        norm=model.norm,
        dropout=model.dropout,
        upsampling=model.upsampling,
        rng=rng,
    )
    return Residual(generator, representations(data)[1].channels) if model.residual else generator


def choose_device(name: str) -> torch.device:
    """The device of that name; 'auto' is the best there is. Raises ValueError for one that this machine lacks."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"device '{name}' cannot be used: {reason}; expected auto or cpu") from None
    return device


def rectangles(classes: int, height: int, width: int) -> Tensor:
    """A label map (1, classes, height, width), +1 for a pixel's class and -1 elsewhere, always the same."""
    rng = np.random.default_rng(0)
    labels = np.zeros((height, width), np.int64)
    for _ in range(40):
        top, left = rng.integers(0, height), rng.integers(0, width)
        tall, wide = rng.integers(1, height // 3 + 2), rng.integers(1, width // 3 + 2)
        labels[top : top + tall, left : left + wide] = rng.integers(0, classes)
    return torch.full((1, classes, height, width), -1.0).scatter_(1, torch.from_numpy(labels)[None, None], 1.0)


def clouds(channels: int, height: int, width: int) -> Tensor:
    """A smooth picture (1, channels, height, width) in [-1, 1] with a little noise, always the same."""
    rng = torch.Generator().manual_seed(0)
    coarse = torch.rand(1, channels, 9, 9, generator=rng) * 2 - 1
    smooth = nn.functional.interpolate(coarse, (height, width), mode="bicubic")
    return (smooth + 0.05 * torch.randn(1, channels, height, width, generator=rng)).clamp(-1, 1)


class _Undrawn(TorchFunctionMode):
    """Networks built inside get no first weights, which takes a second for the paper's U-Net: a file has others."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func in (nn.init.kaiming_uniform_, nn.init.uniform_, torch.Tensor.uniform_, torch.Tensor.normal_):
            return args[0] if args else (kwargs or {})["tensor"]
        return func(*args, **(kwargs or {}))


class Translator:
    """A released model, ready to use; safe to share between threads.

    With `work: trained` the network sees the picture with its short side at `work_size` (default: the task's, else the
    size it was trained at), and detail returns from the input. With `work: native` it sees every pixel, and `work_size`
    is refused.
    """

    def __init__(
        self,
        model: ReleasedModel,
        device: str = "auto",
        work_size: int | None = None,
        backend: BackendName | Literal["auto"] = "auto",
    ) -> None:
        """`backend` 'auto' is what was measured for such a generator on this machine, else what is fast on most.

        Raises ValueError for a device or a backend that is not there, weights that do not fit, and a bad `work_size`.
        """
        task = model.task
        if work_size is not None and task.work == "native":
            raise ValueError(f"work size: '{task.name}' works on every pixel (work: native); leave it out")
        if work_size is not None and work_size < SMALLEST_WORK_SIZE:
            raise ValueError(f"work size: got {work_size}, expected at least {SMALLEST_WORK_SIZE} pixels")
        self.path: Path = model.path
        self.task: Task = task
        self.facts: Facts = model.facts
        self.device = choose_device(device)
        self.work_size = work_size or task.work_size or task.data.size
        check_steps(task)
        self._early, self._late = split_by_size(task.data.normalise)
        self._input, self._target = representations(task.data)
        self._input_is_labels = task.data.input == "labels_onehot" or "palette" in task.data.normalise
        with _Undrawn():
            self._generator = build_model_generator(task)
        load_weights(self._generator, model)
        self._generator.eval().requires_grad_(False)
        self._backend = self._build_backend(backend)

    @property
    def backend(self) -> str:
        """The name of the backend in use. Samples are always drawn by the generator itself."""
        return self._backend.name

    @property
    def example(self) -> Tensor:
        """An input of the network, of the size that most pictures have there, about as lively as a picture."""
        is_onehot = self.task.data.input == "labels_onehot"
        return (rectangles if is_onehot else clouds)(self._input.channels, *self._example_shape()).to(self.device)

    def _example_shape(self) -> tuple[int, int]:
        side = self.task.data.size if self.task.work == "native" else self.work_size
        return self._padded_shape(side, side)

    @property
    def choice_key(self) -> str:
        """Under which the backend measured for this kind of generator on this machine is stored."""
        model, (rows, _) = self.task.model, self._example_shape()
        kind = (
            f"{model.generator} of width {model.width or 'default'}, norm {model.norm}, upsampling {model.upsampling}"
        )
        channels = f"{self._input.channels} to {self._target.channels} channels"
        sizes = f"{channels}, {rows} pixels, trained at {self.task.data.size}"
        return choice_key(f"{self.device.type}, {machine()}", threads(), f"{kind}, {sizes}")

    @property
    def is_measured(self) -> bool:
        """Whether the fastest backend for this kind of generator is known on this machine."""
        return stored_choice(self.choice_key) is not None

    def measure(self, say: Callable[[str], None]) -> None:
        """Find the fastest backend for this kind of generator, use it, and store it for this machine; `say` is told."""
        name = choose(self._placed_generator(), self.example, say)
        stored = store_choice(self.choice_key, name)
        say(f"{name}: the fastest; " + ("stored for this machine" if stored else "the cache folder cannot be written"))
        self._backend = self._build_backend(name)

    def _build_backend(self, asked: BackendName | Literal["auto"]) -> PictureByPicture:
        generator, example = self._placed_generator(), self.example
        if asked != "auto":
            return build_backend(asked, generator, example)
        stored, usual = stored_choice(self.choice_key), quick_choice(self.device.type)
        if stored is None:
            return build_backend(usual, generator, example)
        try:
            return self._build_checked(stored)
        except (ValueError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            print(f"pix2pix: the stored {reason}; using '{usual}'", file=sys.stderr)
            return build_backend(usual, generator, example)

    def _build_checked(self, name: BackendName) -> PictureByPicture:
        """The backend stored for this kind of generator, or 'torch' where it is too far off for these weights.

        It may have been measured with others. A model is checked once, which takes as long as two pictures; a file
        counts as the same model while its path, size and time are.
        """
        generator, example = self._placed_generator(), self.example
        if name not in FEWER_BITS:
            return build_backend(name, generator, example)
        key = self._checked_key(name)
        checked = stored_choice(key)
        if checked is not None:
            return build_backend(checked, generator, example)
        backend = build_backend(name, generator, example)
        mean, largest = difference(backend, generator, example)
        if not is_close(mean):
            print(
                f"pix2pix: backend '{name}' is off by {mean:.1f} levels of 255 on average with {self.path.name}, "
                f"{largest:.0f} at most; using 'torch'",
                file=sys.stderr,
            )
            name, backend = "torch", build_backend("torch", generator, example)
        store_choice(key, name)
        return backend

    def _checked_key(self, name: BackendName) -> str:
        try:
            facts = self.path.stat()
            file = f"{self.path.resolve()}, {facts.st_size} bytes, {facts.st_mtime_ns}"
        except OSError:  # removed since it was read
            file = str(self.path)
        return f"{self.choice_key}; {name} checked for {file}"

    def _placed_generator(self) -> nn.Module:
        """What a backend computes: of a residual generator the inner one, since the sum needs full precision."""
        generator = self._generator.to(self.device)
        return generator.inner if isinstance(generator, Residual) else generator

    @property
    def is_stochastic(self) -> bool:
        """Whether the network has dropout or noise, so that two seeds give two outputs."""
        return any(
            isinstance(layer, NoiseInjection) or (isinstance(layer, nn.Dropout) and layer.p > 0)
            for layer in self._generator.modules()
        )

    @overload
    def __call__(self, image: np.ndarray, seed: int | None = None) -> np.ndarray: ...
    @overload
    def __call__(self, image: Image.Image, seed: int | None = None) -> Image.Image: ...
    @overload
    def __call__(self, image: str | Path, seed: int | None = None) -> Image.Image | np.ndarray: ...

    def __call__(
        self, image: Image.Image | np.ndarray | str | Path, seed: int | None = None
    ) -> Image.Image | np.ndarray:
        """The translated picture, upright, with the height and width of `image`, times the task's scale.

        - A Pillow image of any mode gives a Pillow image.
        - An array (H, W) or (H, W, C) of uint8 or uint16, with 1, 3 or 4 channels, or those of a raw input, gives an
          array of that type: (H, W, 3), or where the target is grey (H, W) for (H, W) and else (H, W, 1).
        - A path gives a Pillow image, or an array for what Pillow cannot hold, as 16-bit colour.

        The same input gives the same bytes. With `seed`, dropout and noise are drawn from it: another seed, another
        picture.
        Raises ValueError for what cannot be read or is no picture.
        """
        if seed is not None and not 0 <= seed < 2**63:
            raise ValueError(f"seed: got {seed}, expected a number from 0 to 2**63 - 1")
        if isinstance(image, np.ndarray):
            output = self._translate(image[:, :, None] if image.ndim == 2 else image, seed)
            return output[:, :, 0] if image.ndim == 2 and output.shape[2] == 1 else output
        if isinstance(image, Image.Image):
            output = self._translate(from_pil(image), seed)
            return to_pil(output if fits_pillow(output) else to_rgb8(output))
        if isinstance(image, str | Path):
            output = self._translate(self.read(image), seed)
            return to_pil(output) if fits_pillow(output) else output
        raise ValueError(f"got a {type(image).__name__}, expected a Pillow image, a numpy array or a path")

    def read(self, path: str | Path, pixel_limit: int | None = None) -> np.ndarray:
        """The picture in a file as this model takes it, (H, W, C). Raises ImageError for what cannot be read."""
        return read_image(path, pixel_limit or self.task.data.pixel_limit, all_pages=self.task.data.input == "raw")

    @property
    def suffix(self) -> str:
        """Of files that hold any output of this model."""
        return ".tif" if self._target.channels == 2 and self.task.data.target == "raw" else ".png"

    def _translate(self, image: np.ndarray, seed: int | None) -> np.ndarray:
        """(H, W, C) to (H, W, C') of the same dtype, height and width times the task's scale."""
        data = self.task.data
        if image.size == 0:
            raise ValueError(f"got a picture without pixels, shape {image.shape}")
        if image.ndim != 3 or (data.input != "raw" and image.shape[2] not in (1, 3, 4)):
            raise ValueError(f"got an array of shape {image.shape}, expected a picture (H, W, C) of 1, 3 or 4 channels")
        # Without transparency first: what is invisible must not bleed into its neighbours when resized.
        opaque = to_rgb(image) if self._input.is_opaque and image.shape[2] == 4 else image
        full = enlarge(normalise(opaque, self._early, data.palette), data.scale)
        height, width = full.shape[:2]
        work = full
        if self.task.work == "trained":
            work = resize(full, *self._work_shape(height, width), self._input_is_labels)
        output = self._run_network(normalise(work, self._late, data.palette), seed)
        if work.shape[:2] != (height, width):
            output = self._to_full_size(output, work, full)
        decoded = self._target.decode(output, full)
        # A palette has 8 bits, whatever the input had.
        return decoded if decoded.dtype == image.dtype else decoded.astype(image.dtype) * np.array(257, image.dtype)

    def _work_shape(self, height: int, width: int) -> tuple[int, int]:
        scale = min(self.work_size / min(height, width), LONGEST * self.work_size / max(height, width))
        return max(1, round(height * scale)), max(1, round(width * scale))

    def _run_network(self, work: np.ndarray, seed: int | None) -> Tensor:
        """(h, w, C) to (channels, h, w) on the CPU.

        One picture at a time: convolutions may sum in another order for another batch size, and an output never depends
        on batch mates.
        """
        height, width = work.shape[:2]
        batch = self._input.encode(reflect_pad(work, *self._padded_shape(height, width)))[None].to(self.device)
        try:
            if seed is None:
                output = self._backend(batch)
                output = self._generator.add(batch, output) if isinstance(self._generator, Residual) else output
            else:
                output = self._backend.with_all_threads(lambda: self._sample(batch, seed))
        except RuntimeError as error:
            if "memory" not in str(error):  # torch has no class of its own for a full main memory
                raise
            raise ValueError(f"{width}x{height} pixels need more memory than there is; shrink the picture") from None
        cropped: Tensor = output[0, :, :height, :width].float().cpu()
        return cropped

    def _padded_shape(self, height: int, width: int) -> tuple[int, int]:
        multiple = self._generator.multiple
        assert isinstance(multiple, int)
        least = min(self.task.data.size, 2 * multiple)  # below that the innermost map is 1x1, which a norm cannot take
        return max(least, -(-height // multiple) * multiple), max(least, -(-width // multiple) * multiple)

    def _sample(self, batch: Tensor, seed: int) -> Tensor:
        devices = [batch.device] if batch.device.type == "cuda" else []
        with _sampling, torch.inference_mode(), torch.random.fork_rng(devices):
            torch.manual_seed(seed)
            set_stochastic(self._generator, True)
            try:
                return self._generator(batch)  # type: ignore[no-any-return]
            finally:
                set_stochastic(self._generator, False)

    def _to_full_size(self, output: Tensor, work: np.ndarray, full: np.ndarray) -> Tensor:
        """(C, h, w), the size of `work`, to (C, H, W), that of `full`.

        Still in the network's numbers: classes are enlarged before they are chosen, and a decoder may need the source.
        """
        height, width = full.shape[:2]
        if height < work.shape[0] or width < work.shape[1]:
            return shrink(output, height, width)
        if not self._input_is_labels:
            return enlarge_by_picture(output, build_representation("rgb").encode(full))
        classes = [nearest_class(to_rgb8(image), self.task.data.palette)[0] for image in (work, full)]
        return enlarge_by_classes(output, *(torch.from_numpy(indices).long() for indices in classes))
