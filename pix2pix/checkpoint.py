"""Two files a run leaves behind: `state.pt`, everything to resume, and `model.safetensors`, the generator people use.

Both are safe to load (nothing is unpickled), and both are written to a temporary name, flushed to the disk and renamed,
so that a kill or a full disk leaves the previous file as it was.
"""

from __future__ import annotations

import glob
import os
import shutil
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from pix2pix.config import Task
from pix2pix.model_files import FORMATS, VERSION, check_kind, configuration_in
from pix2pix.quantised import dequantise, quantise
from pix2pix.schema import Configuration

STATE_VERSION = 1
Bits = Literal[8, 16]
"""That a weight takes in a released file; what 8 come to, `quantised` says."""
BITS: dict[str, Bits] = {"8": 8, "16": 16}
STATE_FILE = "state.pt"  # of a run, beside its released model


class Figures(BaseModel):
    """What an evaluation found, as a model carries it: of the model, and of the guesses that need no network."""

    model_config = ConfigDict(frozen=True)

    split: str
    n: int
    judges: dict[str, str]
    metrics: dict[str, float | None]  # None: not defined; see `metrics.names`
    trivial: dict[str, dict[str, float | None]]
    intervals: dict[str, tuple[float, float]] = {}


class Facts(BaseModel):
    """What a released model says of itself beside its configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    images_seen: int
    data: str  # what it was trained on, in words
    licence: str = "unknown"  # the terms of that data
    history: list[dict[str, float]] = []  # metrics over the run, each with `images`
    software: str = ""  # versions of the product and of torch
    command: str = ""  # that trained it, without the paths of its machine
    figures: Figures | None = None


class Released(BaseModel):
    """A released file, read: facts and the generator's weights (float32)."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    path: Path
    facts: Facts
    weights: dict[str, Tensor]
    bits: Bits = 16


class ReleasedModel(Released):
    """One that translates."""

    task: Task


def write_atomically(
    path: Path, write: Callable[[Path], object], before_rename: Callable[[], None] = lambda: None
) -> None:
    """Have `write` fill a temporary file beside `path`, flush it and rename it: `path` is never half-written.

    `before_rename` runs when the new file is safe and the old one still there.
    Raises ValueError when the folder cannot be written or the disk is full; the file that was there stays.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        _remove_leftovers(path)
        write(temporary)
        temporary.chmod(0o644)  # safetensors makes files that only their owner can read
        descriptor = os.open(temporary, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        before_rename()
        temporary.replace(path)
    except (OSError, RuntimeError, SafetensorError) as error:
        # A full disk comes wrapped in an error of torch's or safetensors' own.
        wrapped = isinstance(error, RuntimeError) and isinstance(error.__context__, OSError)
        reason = " ".join(str(error.__context__ if wrapped else error).split())
        raise ValueError(f"{path}: cannot be written: {reason}; what was there before is kept") from None
    finally:
        temporary.unlink(missing_ok=True)


def _remove_leftovers(path: Path) -> None:
    """Remove the temporary files that killed processes left beside `path`, hundreds of megabytes each for a state."""
    for leftover in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        process = leftover.suffixes[-2].lstrip(".")
        if process.isdigit() and not _is_running(int(process)):
            leftover.unlink(missing_ok=True)


def _is_running(process: int) -> bool:
    if sys.platform == "win32":
        return True  # signal 0 would end it there
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return process != os.getpid()  # a name of our own is from an earlier process with our number


def save_model(path: Path, generator: nn.Module, configuration: Configuration, facts: Facts, bits: Bits = 16) -> None:
    """Write the released model, weights in 16 bit, half the download, or the large ones in 8.

    Raises ValueError as `write_atomically` does, or when 8 bits cannot hold a weight.
    """
    weights = {name: _in_16_bit(tensor.detach().cpu()).contiguous() for name, tensor in generator.state_dict().items()}
    try:
        stored = quantise(weights) if bits == 8 else weights
    except ValueError as error:
        raise ValueError(f"{path}: not written: {error}; its training has diverged") from None
    metadata = {
        "bits": str(bits),
        "format": FORMATS[configuration.kind],
        "version": str(VERSION),
        configuration.kind: configuration.model_dump_json(),
        "facts": facts.model_dump_json(),
    }
    write_atomically(path, lambda temporary: save_file(stored, temporary, metadata))


def _in_16_bit(tensor: Tensor) -> Tensor:
    return tensor.half() if tensor.is_floating_point() else tensor  # counters stay whole numbers


def load_model(path: Path) -> ReleasedModel:
    """Read a released model. Raises ValueError when it is missing, damaged, of another kind or version."""
    metadata, released = read_released(path, Task.kind)
    return ReleasedModel(**dict(released), task=configuration_in(path, metadata, Task))


def read_released(path: Path, kind: str) -> tuple[Mapping[str, str], Released]:
    """A released file of any `kind`, and its metadata. Raises ValueError as `load_model` does."""
    if not path.is_file():
        raise ValueError(f"{path}: no such model file")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            check_kind(path, metadata, kind)
            stored = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except (SafetensorError, OSError) as error:
        hint = " (a training state: give its run folder)" if path.suffix == ".pt" else ""
        raise ValueError(f"{path}: not a readable model.safetensors{hint}: {error}") from None
    bits = metadata.get("bits", "16")  # older files do not say
    if bits not in BITS:
        raise ValueError(f"{path}: weights in {bits} bits, this product reads 8 and 16; install a matching release")
    try:
        facts = Facts.model_validate_json(metadata["facts"])
    except (KeyError, ValueError) as error:
        raise ValueError(f"{path}: damaged metadata: {str(error).splitlines()[0]}") from None
    try:
        weights = dequantise(stored)
    except ValueError as error:
        raise ValueError(f"{path}: damaged: {error}; fetch it again, or write it anew") from None
    weights = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in weights.items()}
    return metadata, Released(path=path, facts=facts, weights=weights, bits=BITS[bits])


def load_weights(generator: nn.Module, model: Released) -> None:
    """Give `generator`, which may be on the meta device, a released model's weights: these tensors, no copies.

    Raises ValueError naming the first weight that does not fit.
    """
    own = generator.state_dict()
    for name in [*own, *model.weights]:
        if name not in model.weights or name not in own:
            raise ValueError(
                f"{model.path}: other networks: '{name}' is only on one side; use the model's own generator settings"
            )
        if own[name].shape != model.weights[name].shape:
            got, expected = tuple(model.weights[name].shape), tuple(own[name].shape)
            raise ValueError(f"{model.path}: '{name}' has shape {got}, this configuration needs {expected}")
    generator.load_state_dict(model.weights, assign=True)


def previous(path: Path) -> Path:
    """Where the state before the last one is kept."""
    return path.with_name(f"{path.stem}.previous{path.suffix}")


def save_state(path: Path, state: Mapping[str, Any]) -> None:
    """Write everything to resume; the state before it stays as `state.previous.pt`, should this one be damaged."""

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:  # given a path, torch says `unexpected pos` in place of `no space left`
            torch.save({"version": STATE_VERSION, **state}, file)

    write_atomically(path, write, before_rename=lambda: _keep(path))


def _keep(path: Path) -> None:
    """Give the file at `path` its second name; `path` itself is there all the time, whenever a kill comes."""
    if not path.exists() or not zipfile.is_zipfile(path):
        return  # cut off: the state before it is worth more
    kept = previous(path).with_suffix(".part")
    kept.unlink(missing_ok=True)
    try:
        os.link(path, kept)
    except OSError:  # no hard links on this file system
        shutil.copyfile(path, kept)
    kept.replace(previous(path))
    kept.unlink(missing_ok=True)  # where both were one file already, the rename does nothing


def load_state(path: Path) -> dict[str, Any]:
    """Read a training state, or the one before it when the last is damaged; the key `damaged` says what was.

    Raises ValueError when neither can be read or the version is another.
    """
    problems = []
    for candidate in (path, previous(path)):
        if not candidate.exists():
            continue
        try:
            _check_sums(candidate)
            state: dict[str, Any] = torch.load(candidate, map_location="cpu", weights_only=True, mmap=True)
        except Exception as error:  # a damaged file raises whatever the layer that met the damage raises
            problems.append(f"{candidate}: damaged ({' '.join(str(error).split())[:120]})")
            continue
        if not isinstance(state, dict) or state.get("version") != STATE_VERSION:
            found = state.get("version") if isinstance(state, dict) else None
            raise ValueError(
                f"{candidate}: training state of version {found}, expected {STATE_VERSION}; resume with its own release"
            )
        return {**state, "damaged": problems}
    raise ValueError(
        "; ".join(problems) + "; start a new run with another --out" if problems else f"{path}: no such file"
    )


def _check_sums(path: Path) -> None:
    """torch writes a checksum of every tensor, but does not look at it when it reads."""
    with zipfile.ZipFile(path) as archive:
        wrong = archive.testzip()
    if wrong is not None:
        raise ValueError(f"wrong checksum of {wrong}")
