"""The names of the backends, and which of them was measured to be the fastest for a kind of generator on this machine.

Knows nothing of torch, so that a command line can list the names at once.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal, TypeVar, get_args

UncalibratedName = Literal["torch", "torch-bf16", "torch-compiled", "onnxruntime", "openvino", "openvino-bf16"]
BackendName = Literal[UncalibratedName, "onnxruntime-int8"]  # 8 bits need pictures to calibrate with
FEWER_BITS: tuple[BackendName, ...] = ("torch-bf16", "torch-compiled", "openvino-bf16", "onnxruntime-int8")
LARGEST_DIFFERENCE = 1.0  # mean, in levels of 255, from the generator itself; a backend that is further off is refused
PACKAGES = ("torch", "onnxruntime", "openvino")
FILE = "backends.json"
MODELS = "models"
T = TypeVar("T")
KEPT_MODELS = 6  # of up to 110 MB each
FORGOTTEN = 3600  # seconds, after which what is half a model is nobody's work in progress


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
    try:
        path = cache_folder() / FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{FILE}.{secrets.token_hex(8)}")
        try:
            temporary.write_text(json.dumps({**_read(), key: name}, indent=1), encoding="utf-8")
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except (OSError, RuntimeError):  # RuntimeError: no home folder
        return False
    return True


def kept_model(fingerprint: str, write: Callable[[Path], None], read: Callable[[Path], T]) -> T:
    """What `read` makes of the file that `write` made for `fingerprint`, at some time or now.

    It is two files, NAME.xml and NAME.bin, kept in the cache folder with the last few others. Both functions raise
    RuntimeError as OpenVINO does, for a full disk and for damaged files; what is damaged is made once more. Where the
    folder cannot be written the files are temporary; a reader sees the same content either way.
    Raises ValueError where that fails too.
    """
    try:
        path = cache_folder() / MODELS / f"{fingerprint}.xml"
        is_whole = path.exists() and path.with_suffix(".bin").exists()
        if is_whole:
            try:
                model = read(path)
            except RuntimeError:
                is_whole = False
        if not is_whole:
            for suffix in (".xml", ".bin"):
                path.with_suffix(suffix).unlink(missing_ok=True)
            _make(path, write)
            model = read(path)
    except (OSError, RuntimeError):  # RuntimeError: also no home folder
        return _read_elsewhere(f"{fingerprint}.xml", write, read)
    with suppress(OSError):  # a folder that can only be read serves as well
        os.utime(path)
    with suppress(OSError):
        _prune(path.parent)
    return model


def _make(path: Path, write: Callable[[Path], None]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, ignore_cleanup_errors=True) as half_made:
        made = Path(half_made, path.name)
        write(made)
        for suffix in (".bin", ".xml"):  # .xml last: once it is there, both are whole
            os.replace(made.with_suffix(suffix), path.with_suffix(suffix))


def _read_elsewhere(name: str, write: Callable[[Path], None], read: Callable[[Path], T]) -> T:
    # Windows cannot delete a file that a model still reads its weights from.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as elsewhere:
        path = Path(elsewhere, name)
        try:
            write(path)
            return read(path)
        except (OSError, RuntimeError) as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[-1]
            raise ValueError(f"the converted model cannot be written and read: {reason}; is a disk full?") from None


def _prune(folder: Path) -> None:
    """Leave the models that were used last; of the others and of what a killed process left, nothing."""
    by_use = sorted(folder.glob("*.xml"), key=lambda each: each.stat().st_mtime, reverse=True)
    kept, dropped = ({each.stem for each in part} for part in (by_use[:KEPT_MODELS], by_use[KEPT_MODELS:]))
    for each in folder.iterdir():
        is_forgotten = each.stem not in kept and time.time() - each.stat().st_mtime > FORGOTTEN
        if each.is_dir() and is_forgotten:
            shutil.rmtree(each)
        elif not each.is_dir() and (each.stem in dropped or is_forgotten):
            each.unlink(missing_ok=True)


def _read() -> Mapping[str, object]:
    try:
        content = json.loads((cache_folder() / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RuntimeError):  # RuntimeError: no home folder
        return {}
    return content if isinstance(content, dict) else {}
