"""The names of the backends, and which of them was measured to be the fastest for a kind of generator on this machine.

Knows nothing of torch, so that a command line can list the names at once.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, get_args

BackendName = Literal[
    "torch", "torch-bf16", "torch-compiled", "onnxruntime", "onnxruntime-int8", "openvino", "openvino-bf16"
]
PACKAGES = ("torch", "onnxruntime", "openvino")
FILE = "backends.json"
MODELS = "models"
KEPT_MODELS = 6  # of up to 110 MB each


def cache_folder() -> Path:
    """Where this user's caches lie, by the habits of the platform."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "pix2pix"


def choice_key(processor: str, threads: int, generator: str) -> str:
    """One line for all that the fastest backend depends on; `generator` names its kind, channels, width and size."""
    versions = [f"{package} {_version(package)}" for package in PACKAGES]
    return "; ".join([processor, f"{threads} threads", *versions, generator])


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


def stored_choice(key: str) -> BackendName | None:
    """What was stored under `key`; None where nothing was, or what was cannot be read or is no backend's name."""
    name = _read().get(key)
    return name if name in get_args(BackendName) else None  # type: ignore[return-value]


def store_choice(key: str, name: BackendName) -> bool:
    """Store `name` under `key` beside what is there; False where the folder cannot be written."""
    path = cache_folder() / FILE
    temporary = path.with_name(f".{FILE}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps({**_read(), key: name}, indent=1), encoding="utf-8")
        temporary.replace(path)
    except OSError:
        return False
    return True


@contextmanager
def kept_model(fingerprint: str, write: Callable[[Path], None]) -> Iterator[Path]:
    """The file that `write` made for `fingerprint` at some time, kept in the cache folder with the last few others.

    It is two files, NAME.xml and NAME.bin. Where the folder cannot be written they are temporary; a reader sees the
    same content either way.
    """
    folder = cache_folder() / MODELS
    path = folder / f"{fingerprint}.xml"
    with tempfile.TemporaryDirectory() as elsewhere:
        try:
            if not path.exists():
                folder.mkdir(parents=True, exist_ok=True)
                with tempfile.TemporaryDirectory(dir=folder) as half_made:
                    made = Path(half_made, path.name)
                    write(made)
                    for suffix in (".bin", ".xml"):  # .xml last: once it is there, both are whole
                        os.replace(made.with_suffix(suffix), path.with_suffix(suffix))
            os.utime(path)
            by_use = sorted(folder.glob("*.xml"), key=lambda each: each.stat().st_mtime, reverse=True)
            for old in by_use[KEPT_MODELS:]:
                old.unlink()
                old.with_suffix(".bin").unlink()
        except (OSError, RuntimeError):  # RuntimeError: OpenVINO's for a full disk
            path = Path(elsewhere, path.name)
            write(path)
        yield path


def _read() -> Mapping[str, object]:
    try:
        content = json.loads((cache_folder() / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RuntimeError):  # RuntimeError: no home folder
        return {}
    return content if isinstance(content, dict) else {}
