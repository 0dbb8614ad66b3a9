"""Models kept ready: from a name, a file or a run to its translator, loaded once and dropped when long unused."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pix2pix.backend_choice import BackendName
from pix2pix.checkpoint import load_model
from pix2pix.model_files import resolve
from pix2pix.translator import Translator

KEPT = 12  # all that ship, and two; a few megabytes of weights each
Key = tuple[Path, int, str, str]


@dataclass
class _Place:
    """Where one model is, or will be: those that want it wait for each other, and for no other model."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    translator: Translator | None = None
    used: float = 0.0


def load(name_or_path: str | Path, device: str = "auto", backend: BackendName | Literal["auto"] = "auto") -> Translator:
    """The translator of a model; the last few stay loaded, and a file that changed is read again.

    Raises ValueError when there is no such model, or its file cannot be read.
    """
    path = resolve(name_or_path).resolve()
    key = path, path.stat().st_mtime_ns, device, backend
    with _changing:
        place = _places.pop(key, None) or _Place()
        _places[key] = place  # the last one used is the last one here
        while len(_places) > KEPT:
            del _places[next(iter(_places))]
    with place.lock:
        place.used = time.monotonic()
        if place.translator is None:
            place.translator = Translator(load_model(path), device, backend=backend)
        return place.translator


def loaded() -> list[str]:
    """The tasks of the models that are ready, the one used last as the last."""
    with _changing:
        ready = [place.translator for place in _places.values()]
    return [translator.task.name for translator in ready if translator is not None]


def drop_idle(seconds: float) -> int:
    """Let go of the models that nobody asked for in so many seconds; how many there were."""
    with _changing:
        idle = [
            key
            for key, place in _places.items()
            if place.translator is not None and time.monotonic() - place.used >= seconds
        ]
        for key in idle:
            del _places[key]
    return len(idle)


_places: dict[Key, _Place] = {}
_changing = threading.Lock()
