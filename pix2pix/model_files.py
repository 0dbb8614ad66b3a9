"""From a name, a file or a run to a model's file, and the task that is written in it, without torch."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from safetensors import SafetensorError, safe_open

from pix2pix.config import Task, task_names
from pix2pix.schema import C, nearest, validate_as

WEIGHTS = Path(__file__).parent / "weights"
PRIORS = WEIGHTS / "priors"
RUNS = Path("runs")
MODEL_FILE = "model.safetensors"
FORMATS = {"task": "pix2pix-model", "prior": "pix2pix-prior"}
"""Kind of a configuration -> how a file that carries one says so."""
VERSION = 1


def shipped_models() -> dict[str, Path]:
    """Name -> file of the models that come with the product."""
    return {path.stem: path for path in sorted(WEIGHTS.glob("*.safetensors"))}


def shipped_priors() -> dict[str, Path]:
    """Name -> file of the priors that come with the product."""
    return {path.stem: path for path in sorted(PRIORS.glob("*.safetensors"))}


def resolve(name: str | Path) -> Path:
    """The model file that a shipped model's name, a file, or a run folder means.

    Raises ValueError, with the nearest name, when there is none.
    """
    return _resolve(name, shipped_models(), "model")


def resolve_prior(name: str | Path) -> Path:
    """The file of a prior, as `resolve` finds that of a model."""
    return _resolve(name, shipped_priors(), "prior")


def _resolve(name: str | Path, shipped: Mapping[str, Path], what: str) -> Path:
    if str(name) in shipped:
        return shipped[str(name)]
    path = Path(name).expanduser()
    if path.is_file():
        return path
    if path.is_dir():
        if (path / MODEL_FILE).is_file():
            return path / MODEL_FILE
        inside = sorted(found.parent for found in path.glob(f"*/{MODEL_FILE}"))
        hint = f"; there is one in {inside[-1]}" if inside else "; a run writes it with its first saved state"
        raise ValueError(f"{path}: no {MODEL_FILE} in this folder{hint}")
    if not shipped:
        raise ValueError(f"no {what} '{name}': no such file or run folder, and no {what}s are shipped; train one first")
    raise ValueError(f"no {what} '{name}', neither a file nor a run folder; {nearest(str(name), shipped)}")


def newest_run(task_name: str, root: Path = RUNS) -> Path | None:
    """The folder under `root`/`task_name` whose model was written last; None when there is none."""
    models = list((root / task_name).glob(f"*/{MODEL_FILE}"))
    return max(models, key=lambda path: (path.stat().st_mtime_ns, path)).parent if models else None


def choose(model: str | None, task: str | None, say: Callable[[str], None], root: Path = RUNS) -> Path:
    """The model file that a command's `--model` or `--task` means; for `--task`, `say` is told which.

    `--task` means the newest run under `root`/TASK, else the shipped model of that name.
    Raises ValueError when neither or both are given, or nothing is found.
    """
    if (model is None) == (task is None):
        raise ValueError("which model? give one of --model NAME|FILE|RUN and --task TASK")
    if model is not None:
        return resolve(model)
    assert task is not None
    run = newest_run(task, root)
    if run is not None:
        say(f"model: {run}, the newest run under {root / task}")
        return run / MODEL_FILE
    shipped = shipped_models()
    if task in shipped:
        say(f"model: {task}, shipped (no run under {root / task})")
        return shipped[task]
    if task in task_names():
        missing = f"task '{task}' has no run under {root / task} and no shipped model"
        raise ValueError(f"{missing}; train it first: pix2pix train --task {task}")
    runs = [path.name for path in root.glob("*") if path.is_dir()]
    raise ValueError(f"unknown task '{task}'; {nearest(task, {*task_names(), *shipped, *runs})}")


def read_task(path: Path) -> Task:
    """The task of the released model at `path`. Raises ValueError when it is damaged, of another kind or version."""
    return configuration_in(path, read_metadata(path, Task.kind), Task)


def read_metadata(path: Path, kind: str) -> Mapping[str, str]:
    """What the released file at `path` says of itself. Raises ValueError as `read_task` does."""
    try:
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path}: not a readable {MODEL_FILE}: {error}") from None
    check_kind(path, metadata, kind)
    return metadata


def configuration_in(path: Path, metadata: Mapping[str, str], model: type[C]) -> C:
    """The configuration in the metadata of the file at `path`. Raises ValueError when they are damaged."""
    try:
        content = json.loads(metadata[model.kind])
    except (KeyError, ValueError) as error:
        raise ValueError(f"{path}: damaged metadata: {str(error).splitlines()[0]}") from None
    return validate_as(model, content, str(path))


def check_kind(path: Path, metadata: Mapping[str, str], kind: str) -> None:
    """Raises ValueError where the metadata of the file at `path` are not those of a `kind` that this product reads."""
    found = metadata.get("format")
    if found != FORMATS[kind]:
        if found == FORMATS["prior"]:
            raise ValueError(f"{path}: a prior, which makes pictures from nothing; use it with pix2pix prior")
        if found == FORMATS["task"]:
            raise ValueError(f"{path}: a model that translates, expected a prior; train one with pix2pix prior train")
        raise ValueError(f"{path}: a safetensors file of another kind, expected one that this product wrote")
    version = metadata.get("version")
    if version != str(VERSION):
        raise ValueError(f"{path}: model format {version}, this product reads {VERSION}; install a matching release")
