"""One released model as a callable: image in, image out, of the same size or larger by the task's scale."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from pix2pix.backend_choice import FEWER_BITS, BackendName, choice_key, stored_choice
from pix2pix.backend_chooser import BackendChooser
from pix2pix.batch.lanes import threads
from pix2pix.checkpoint import Facts, ReleasedModel, load_weights
from pix2pix.command_line import machine
from pix2pix.config import Task
from pix2pix.data.conditions import check_steps, nearest_class, normalise, split_by_size
from pix2pix.guidance import Guidance
from pix2pix.images import (
    Picture,
    enlarge,
    fits_pillow,
    from_pil,
    has_no_colour,
    read_picture,
    reflect_pad,
    resize,
    to_gray,
    to_pil,
    to_rgb,
    to_rgb8,
    without_alpha,
)
from pix2pix.large.network import TiledNetwork, enough_memory, sampling
from pix2pix.large.parts import enlarged_part, part_encoder
from pix2pix.large.strips import enlarged_by_classes, enlarged_by_picture, in_strips, strips
from pix2pix.large.tiles import LARGEST, make_grid
from pix2pix.nn import build_generator, set_stochastic
from pix2pix.nn.blocks import NoiseInjection
from pix2pix.nn.examples import clouds, rectangles
from pix2pix.nn.residual import Residual
from pix2pix.nn.undrawn import Undrawn
from pix2pix.representations import build_representation, representations
from pix2pix.upsampling import enlarge_by_classes, enlarge_by_picture, shrink

# The network's long side is at most this many times `work_size`: a strip of 1x1300 would come to 83,000 pixels.
LONGEST = 4
SMALLEST_WORK_SIZE = 16


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
        with Undrawn():
            self._generator = build_model_generator(task)
        load_weights(self._generator, model)
        self._generator.eval().requires_grad_(False)
        self._backend = self._chooser().build(backend)

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
        self._backend = self._chooser().measure(say)

    def _chooser(self) -> BackendChooser:
        return BackendChooser(self._placed_generator(), self.example, self.choice_key, self.path)

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
    def __call__(self, image: np.ndarray, seed: int | None = None, guidance: Guidance | None = None) -> np.ndarray: ...
    @overload
    def __call__(
        self, image: Image.Image, seed: int | None = None, guidance: Guidance | None = None
    ) -> Image.Image: ...
    @overload
    def __call__(
        self, image: str | Path, seed: int | None = None, guidance: Guidance | None = None
    ) -> Image.Image | np.ndarray: ...

    def __call__(
        self, image: Image.Image | np.ndarray | str | Path, seed: int | None = None, guidance: Guidance | None = None
    ) -> Image.Image | np.ndarray:
        """The translated picture, upright, with the height and width of `image`, times the task's scale.

        - A Pillow image of any mode gives a Pillow image.
        - An array (H, W) or (H, W, C) of uint8 or uint16, with 1, 3 or 4 channels, or those of a raw input, gives an
          array of that type: (H, W, 3), or where the target is grey (H, W) for (H, W) and else (H, W, 1). Models that
          colour or mend a picture keep its transparency, and give (H, W, 4) for 4 channels; those that mend one give
          grey for grey.
        - A path gives a Pillow image, or an array for what Pillow cannot hold, as 16-bit colour.

        The same input gives the same bytes. With `seed`, dropout and noise are drawn from it: another seed, another
        picture. `guidance` is what a person asks beside that; not every model can do all of it.
        Raises ValueError for what cannot be read or is no picture, and for guidance that this model cannot apply.
        """
        if seed is not None and not 0 <= seed < 2**63:
            raise ValueError(f"seed: got {seed}, expected a number from 0 to 2**63 - 1")
        if guidance is not None:
            guidance.check(self.task)
        if isinstance(image, np.ndarray):
            output = self._translate(image[:, :, None] if image.ndim == 2 else image, seed, guidance)
            return output[:, :, 0] if image.ndim == 2 and output.shape[2] == 1 else output
        if isinstance(image, Image.Image):
            output = self._translate(from_pil(image), seed, guidance)
            return to_pil(output if fits_pillow(output) else to_rgb8(output))
        if isinstance(image, str | Path):
            output = self._translate(self.read(image), seed, guidance)
            return to_pil(output) if fits_pillow(output) else output
        raise ValueError(f"got a {type(image).__name__}, expected a Pillow image, a numpy array or a path")

    def read(self, path: str | Path, pixel_limit: int | None = None) -> np.ndarray:
        """The picture in a file as this model takes it, (H, W, C). Raises ImageError for what cannot be read."""
        return self.read_picture(path, pixel_limit).pixels

    def read_picture(self, path: str | Path, pixel_limit: int | None = None) -> Picture:
        """As `read`, with what the file holds beside the pixels. Raises ImageError for what cannot be read."""
        return read_picture(path, pixel_limit or self.task.data.pixel_limit, all_pages=self.task.data.input == "raw")

    @property
    def _keeps_alpha(self) -> bool:
        """Whether outputs show what their inputs show, at the same places, so that transparency stays."""
        is_same = self.task.work == "native" or self.task.data.target == "lab_chroma"
        return is_same and self._input.is_opaque and self.task.data.target in ("rgb", "lab_chroma")

    @property
    def suffix(self) -> str:
        """Of files that hold any output of this model."""
        return ".tif" if self._target.channels == 2 and self.task.data.target == "raw" else ".png"

    def _translate(self, image: np.ndarray, seed: int | None, guidance: Guidance | None) -> np.ndarray:
        """(H, W, C) to (H, W, C') of the same dtype, height and width times the task's scale."""
        data = self.task.data
        if image.size == 0:
            raise ValueError(f"got a picture without pixels, shape {image.shape}")
        if image.ndim != 3 or (data.input != "raw" and image.shape[2] not in (1, 3, 4)):
            raise ValueError(f"got an array of shape {image.shape}, expected a picture (H, W, C) of 1, 3 or 4 channels")
        if self._keeps_alpha and image.shape[2] == 4:
            opaque = self._translate(without_alpha(image), seed, guidance)
            return np.dstack([opaque, enlarge(image[:, :, 3:], data.scale)])
        if self.task.model.residual and self._target.channels == 3 and has_no_colour(image):
            output = self._translate_grey(image, seed)
        else:
            output = self._translate_opaque(image, seed, guidance)
        return output if guidance is None else guidance.temper(output, image, data.scale)

    def _translate_grey(self, image: np.ndarray, seed: int | None) -> np.ndarray:
        """As `_translate`, for models that add to their input: what is grey stays grey."""
        output = to_gray(self._translate_opaque(image, seed, None))
        return output if image.shape[2] == 1 else np.repeat(output, 3, axis=2)

    def _translate_opaque(self, image: np.ndarray, seed: int | None, guidance: Guidance | None) -> np.ndarray:
        """As `_translate`, without transparency but for holes."""
        data = self.task.data
        height, width = (side * data.scale for side in image.shape[:2])
        seen = self._padded_shape(height, width) if self.task.work == "native" else (height, width)
        if seen[0] * seen[1] > LARGEST:
            return self._translate_large(image, seed, guidance)
        full = enlarge(self._prepare(image), data.scale)
        work = full
        if self.task.work == "trained":
            work = resize(full, *self._work_shape(height, width), self._input_is_labels)
        output = self._run_network(self._normalise_late(work, guidance), seed)
        output = output if guidance is None else guidance.colour(output, work)
        if work.shape[:2] != (height, width):
            output = self._to_full_size(output, work, full)
        return self._decode(output, full, image.dtype)

    def _prepare(self, image: np.ndarray) -> np.ndarray:
        # Without transparency first: what is invisible must not bleed into its neighbours when resized.
        opaque = to_rgb(image) if self._input.is_opaque and image.shape[2] == 4 else image
        return normalise(opaque, self._early, self.task.data.palette)

    def _normalise_late(self, work: np.ndarray, guidance: Guidance | None) -> np.ndarray:
        late = self._late if guidance is None else guidance.steps(self._late)
        return normalise(work, late, self.task.data.palette)

    def _decode(self, output: Tensor, source: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
        decoded = self._target.decode(output, source)
        # A palette has 8 bits, whatever the input had.
        return decoded if decoded.dtype == dtype else decoded.astype(dtype) * np.array(257, dtype)

    def _translate_large(self, image: np.ndarray, seed: int | None, guidance: Guidance | None) -> np.ndarray:
        """As `_translate`, with floating point numbers for no more than a part of the picture at a time."""
        scale = self.task.data.scale
        height, width = (side * scale for side in image.shape[:2])
        changes = self._early or (self._input.is_opaque and image.shape[2] == 4)
        prepared = in_strips(self._prepare, image) if changes else image
        is_native = self.task.work == "native"
        outputs = (
            self._native_strips(prepared, seed, guidance)
            if is_native
            else self._trained_strips(prepared, seed, guidance)
        )
        made: np.ndarray | None = None
        for top, bottom, output in outputs:
            for first, last in strips(top, bottom, width):
                source = enlarged_part(prepared, scale, (first, last), (0, width))
                decoded = self._decode(output[:, first - top : last - top], source, image.dtype)
                if made is None:
                    made = np.empty((height, *decoded.shape[1:]), image.dtype)
                made[first:last] = decoded
        assert made is not None
        return made

    def _native_strips(
        self, prepared: np.ndarray, seed: int | None, guidance: Guidance | None
    ) -> Iterator[tuple[int, int, Tensor]]:
        """The network's output for the picture `prepared`, in strips: first row, row after the last, (C, rows, W)."""
        data, multiple, scale = self.task.data, self._generator.multiple, self.task.data.scale
        assert isinstance(multiple, int)
        height, width = (side * scale for side in prepared.shape[:2])
        if self._late:
            prepared, scale = self._normalise_late(enlarge(prepared, scale), guidance), 1
        encode = part_encoder(prepared, scale, self._input)
        generator = self._generator.to(self.device)
        network = TiledNetwork(generator, self.backend in FEWER_BITS, self._backend)
        grid = make_grid(*self._padded_shape(height, width), data.size, multiple)
        with enough_memory(height, width):
            for top, bottom, output in network.strips(lambda *part: encode(*part)[None].to(self.device), grid, seed):
                yield top, min(bottom, height), output[:, : height - top, :width]

    def _trained_strips(
        self, prepared: np.ndarray, seed: int | None, guidance: Guidance | None
    ) -> Iterator[tuple[int, int, Tensor]]:
        """As `_native_strips`: the network sees a small copy, and its output is enlarged a strip at a time."""
        full = enlarge(prepared, self.task.data.scale)
        height, width = full.shape[:2]
        work = resize(full, *self._work_shape(height, width), self._input_is_labels)
        output = self._run_network(self._normalise_late(work, guidance), seed)
        output = output if guidance is None else guidance.colour(output, work)
        if work.shape[0] >= height or work.shape[1] >= width:
            whole = output if work.shape[:2] == (height, width) else self._to_full_size(output, work, full)
            return iter([(0, height, whole)])
        if self._input_is_labels:
            return enlarged_by_classes(output, work, full, self.task.data.palette or {})
        return enlarged_by_picture(output, full)

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
        with enough_memory(height, width):
            if seed is None:
                output = self._backend(batch)
                output = self._generator.add(batch, output) if isinstance(self._generator, Residual) else output
            else:
                output = self._backend.with_all_threads(lambda: self._sample(batch, seed))
        cropped: Tensor = output[0, :, :height, :width].float().cpu()
        return cropped

    def _padded_shape(self, height: int, width: int) -> tuple[int, int]:
        multiple = self._generator.multiple
        assert isinstance(multiple, int)
        least = min(self.task.data.size, 2 * multiple)  # below that the innermost map is 1x1, which a norm cannot take
        return max(least, -(-height // multiple) * multiple), max(least, -(-width // multiple) * multiple)

    def _sample(self, batch: Tensor, seed: int) -> Tensor:
        devices = [batch.device] if batch.device.type == "cuda" else []
        with sampling, torch.inference_mode(), torch.random.fork_rng(devices):
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
