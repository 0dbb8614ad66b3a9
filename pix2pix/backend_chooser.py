"""Which backend computes for one model: what is asked for, or what was measured on this machine, checked once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from torch import Tensor, nn

from pix2pix.backend_choice import FEWER_BITS, BackendName, store_choice, stored_choice
from pix2pix.backends import build_backend, choose, difference, is_close, quick_choice
from pix2pix.batch.lanes import PictureByPicture


@dataclass(frozen=True)
class BackendChooser:
    """Builds the backend of `generator`, whose weights are those of the file at `path`, for pictures like `example`
    (1, C, H, W); under `key` is stored what was measured for its kind."""

    generator: nn.Module
    example: Tensor
    key: str
    path: Path

    def measure(self, say: Callable[[str], None]) -> PictureByPicture:
        """The fastest backend, found now and stored for this machine; `say` is told."""
        name = choose(self.generator, self.example, say)
        stored = store_choice(self.key, name)
        say(f"{name}: the fastest; " + ("stored for this machine" if stored else "the cache folder cannot be written"))
        return self.build(name)

    def build(self, asked: BackendName | Literal["auto"]) -> PictureByPicture:
        """The backend `asked` for; 'auto' is what was measured, else what is fast on most machines.

        Raises ValueError where the machine lacks what it needs.
        """
        if asked != "auto":
            return build_backend(asked, self.generator, self.example)
        stored, usual = stored_choice(self.key), quick_choice(self.example.device.type)
        if stored is None:
            return build_backend(usual, self.generator, self.example)
        try:
            return self._build_checked(stored)
        except (ValueError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            print(f"pix2pix: the stored {reason}; using '{usual}'", file=sys.stderr)
            return build_backend(usual, self.generator, self.example)

    def _build_checked(self, name: BackendName) -> PictureByPicture:
        """The backend stored for this kind of generator, or 'torch' where it is too far off for these weights.

        It may have been measured with others. A model is checked once, which takes as long as two pictures; a file
        counts as the same model while its path, size and time are.
        """
        if name not in FEWER_BITS:
            return build_backend(name, self.generator, self.example)
        key = self._checked_key(name)
        checked = stored_choice(key)
        if checked is not None:
            return build_backend(checked, self.generator, self.example)
        backend = build_backend(name, self.generator, self.example)
        mean, largest = difference(backend, self.generator, self.example)
        if not is_close(mean):
            print(
                f"pix2pix: backend '{name}' is off by {mean:.1f} levels of 255 on average with {self.path.name}, "
                f"{largest:.0f} at most; using 'torch'",
                file=sys.stderr,
            )
            name, backend = "torch", build_backend("torch", self.generator, self.example)
        store_choice(key, name)
        return backend

    def _checked_key(self, name: BackendName) -> str:
        try:
            facts = self.path.stat()
            file = f"{self.path.resolve()}, {facts.st_size} bytes, {facts.st_mtime_ns}"
        except OSError:  # removed since it was read
            file = str(self.path)
        return f"{self.key}; {name} checked for {file}"
