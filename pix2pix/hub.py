"""Models kept ready: from a name, a file or a run to its translator, loaded once and dropped when long unused."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pix2pix.backend_choice import BackendName
from pix2pix.checkpoint import load_model
from pix2pix.model_files import resolve
from pix2pix.shelf import Shelf
from pix2pix.translator import Translator

KEPT = 12  # all that ship, and two; a few megabytes of weights each


def load(name_or_path: str | Path, device: str = "auto", backend: BackendName | Literal["auto"] = "auto") -> Translator:
    """The translator of a model; the last few stay loaded, and a file that changed is read again.

    Raises ValueError when there is no such model, or its file cannot be read.
    """
    path = resolve(name_or_path).resolve()
    key = path, path.stat().st_mtime_ns, device, backend
    return _translators.take(key, lambda: Translator(load_model(path), device, backend=backend))


def loaded() -> list[str]:
    """The tasks of the models that are ready, the one used last as the last."""
    return [translator.task.name for translator in _translators.ready()]


def drop_idle(seconds: float) -> int:
    """Let go of the models that nobody asked for in so many seconds; how many there were."""
    return _translators.drop_idle(seconds)


_translators: Shelf[Translator] = Shelf(KEPT)
