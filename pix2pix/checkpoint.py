"""Two files a run leaves behind: `state.pt`, everything to resume, and `model.safetensors`, the generator that people use.

Both are safe to load (nothing is unpickled), and both are written to a temporary name, flushed to the disk and renamed, so that a kill or
a full disk leaves the previous file as it was.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from pix2pix.config import Task, validate

FORMAT = "pix2pix-model"
VERSION = 1
STATE_VERSION = 1


class Facts(BaseModel):
    """What a released model says of itself beside its configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    images_seen: int
    data: str  # what it was trained on, in words
    licence: str = "unknown"  # the terms of that data
    history: list[dict[str, float]] = []  # metrics over the run, each with `images`
    software: str = ""  # versions of the product and of torch


class ReleasedModel(BaseModel):
    """A released file, read: configuration, facts and the generator's weights (float32)."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    path: Path
    task: Task
    facts: Facts
    weights: dict[str, Tensor]


def write_atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Have `write` fill a temporary file beside `path`, flush it to the disk and rename it; `path` is never half-written.

    Raises ValueError when the folder cannot be written or the disk is full; the file that was there stays.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        write(temporary)
        temporary.chmod(0o644)  # safetensors makes files that only their owner can read
        descriptor = os.open(temporary, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        temporary.replace(path)
    except (OSError, RuntimeError, SafetensorError) as error:  # torch and safetensors wrap a full disk in their own errors
        raise ValueError(f"{path}: cannot be written: {' '.join(str(error).split())}; what was there before is kept") from None
    finally:
        temporary.unlink(missing_ok=True)


def save_model(path: Path, generator: nn.Module, task: Task, facts: Facts) -> None:
    """Write the released model, weights in 16 bit: half the download, and the rounding is far below the network's own noise."""
    weights = {name: tensor.detach().to("cpu", torch.float16).contiguous() for name, tensor in generator.state_dict().items()}
    metadata = {
        "format": FORMAT,
        "version": str(VERSION),
        "task": task.model_dump_json(),
        "facts": facts.model_dump_json(),
    }
    write_atomically(path, lambda temporary: save_file(weights, temporary, metadata))


def load_model(path: Path) -> ReleasedModel:
    """Read a released model. Raises ValueError with one line when it is missing, corrupt, of another kind or version."""
    if not path.is_file():
        raise ValueError(f"{path}: no such model file")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            _check_kind(path, metadata)
            weights = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118 - no mapping
    except (SafetensorError, OSError) as error:
        hint = " (a training state: give its run folder)" if path.suffix == ".pt" else ""
        raise ValueError(f"{path}: not a readable model.safetensors{hint}: {error}") from None
    task = validate(json.loads(metadata["task"]), str(path))
    return ReleasedModel(path=path, task=task, facts=Facts.model_validate_json(metadata["facts"]), weights=weights)


def _check_kind(path: Path, metadata: Mapping[str, str]) -> None:
    if metadata.get("format") != FORMAT:
        raise ValueError(f"{path}: a safetensors file of another kind (no {FORMAT} metadata); expected a model this product trained")
    if metadata["version"] != str(VERSION):
        raise ValueError(f"{path}: model format version {metadata['version']}, this product reads {VERSION}; install a matching release")


def load_weights(generator: nn.Module, model: ReleasedModel) -> None:
    """Fill `generator` with a released model's weights. Raises ValueError naming the first weight that does not fit."""
    own = generator.state_dict()
    for name in [*own, *model.weights]:
        if name not in model.weights or name not in own:
            raise ValueError(f"{model.path}: other networks: '{name}' is only on one side; use the model's own generator settings")
        if own[name].shape != model.weights[name].shape:
            got, expected = tuple(model.weights[name].shape), tuple(own[name].shape)
            raise ValueError(f"{model.path}: '{name}' has shape {got}, this configuration needs {expected}")
    generator.load_state_dict(model.weights)


def previous(path: Path) -> Path:
    """Where the state before the last one is kept."""
    return path.with_name(f"{path.stem}.previous{path.suffix}")


def save_state(path: Path, state: Mapping[str, Any]) -> None:
    """Write everything to resume; the state before it stays as `state.previous.pt`, should this one be damaged later."""

    def write(temporary: Path) -> None:
        torch.save({"version": STATE_VERSION, **state}, temporary)
        if path.exists():
            kept = previous(path).with_suffix(".part")
            kept.unlink(missing_ok=True)
            os.link(path, kept)
            kept.replace(previous(path))

    write_atomically(path, write)


def load_state(path: Path) -> dict[str, Any]:
    """Read a training state, or the one before it when the last is damaged (said on standard error by the caller's `damaged` key).

    Raises ValueError when neither can be read or the version is another.
    """
    problems = []
    for candidate in (path, previous(path)):
        if not candidate.exists():
            continue
        try:
            state: dict[str, Any] = torch.load(candidate, map_location="cpu", weights_only=True, mmap=True)
        except Exception as error:  # a damaged file raises whatever the layer that met the damage raises
            problems.append(f"{candidate}: damaged ({' '.join(str(error).split())[:120]})")
            continue
        if not isinstance(state, dict) or state.get("version") != STATE_VERSION:
            found = state.get("version") if isinstance(state, dict) else None
            raise ValueError(f"{candidate}: training state version {found}, expected {STATE_VERSION}; resume it with its own release")
        return {**state, "damaged": problems}
    raise ValueError("; ".join(problems) + "; start a new run with another --out" if problems else f"{path}: no such file")
