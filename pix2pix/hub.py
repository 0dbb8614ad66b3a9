"""Models kept ready: from a name, a file or a run to its translator, loaded once and dropped when long unused."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Literal

from pix2pix.backend_choice import BackendName
from pix2pix.checkpoint import load_model
from pix2pix.model_files import resolve
from pix2pix.translator import Translator

KEPT = 4
Key = tuple[Path, int, str, str]


def load(name_or_path: str | Path, device: str = "auto", backend: BackendName | Literal["auto"] = "auto") -> Translator:
    """The translator of a model; the last few stay loaded, and a file that changed is read again.

    Raises ValueError when there is no such model, or its file cannot be read.
    """
    path = resolve(name_or_path).resolve()
    key = path, path.stat().st_mtime_ns, device, backend
    with _loading:
        translator = _kept.pop(key, (None, 0.0))[0] or Translator(load_model(path), device, backend=backend)
        _kept[key] = translator, time.monotonic()  # the last one used is the last one here
        while len(_kept) > KEPT:
            del _kept[next(iter(_kept))]
        return translator


def loaded() -> list[str]:
    """The names of the files of the models that are ready, the one used last as the last."""
    with _loading:
        return [path.stem for path, *_ in _kept]


def drop_idle(seconds: float) -> int:
    """Let go of the models that nobody asked for in so many seconds; how many there were."""
    with _loading:
        idle = [key for key, (_, used) in _kept.items() if time.monotonic() - used >= seconds]
        for key in idle:
            del _kept[key]
    return len(idle)


_kept: dict[Key, tuple[Translator, float]] = {}
_loading = threading.Lock()  # two threads that want the same model load it once
