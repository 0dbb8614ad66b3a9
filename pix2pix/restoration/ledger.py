"""Figures of a comparison as they come, a line each in a file, so that nothing that was computed is computed again."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError

from pix2pix.checkpoint import write_atomically
from pix2pix.restoration.searching import Ending
from pix2pix.schema import Frozen

FILE = "figures.jsonl"
Key = tuple[str, str, str]


class Setting(Frozen):
    """What all figures of a comparison have in common, and what would make them others."""

    data: str  # the folder's name
    split: str
    size: int
    prior: str  # its file's name and fingerprint, or "none"
    seed: int
    lpips: str  # network and fingerprint of its weights, or "none"


class Figures(Frozen):
    """One picture of a case restored by a method. `psnr` is None for equal pictures, `lpips` without its network."""

    case: str
    method: str
    stem: str
    psnr: float | None
    ssim: float
    lpips: float | None
    seconds: float
    steps: int | None = None
    ending: Ending | None = None

    @property
    def key(self) -> Key:
        return self.case, self.method, self.stem


class Ledger:
    """The figures in a folder, and where further ones are added."""

    def __init__(self, folder: Path, setting: Setting) -> None:
        """Opens what is in `folder`, or begins. A last line that was not finished is dropped.

        Raises ValueError where the figures there are of another setting, or damaged.
        """
        self.path, self.setting = folder / FILE, setting
        self.figures: dict[Key, Figures] = {}
        folder.mkdir(parents=True, exist_ok=True)
        if self.path.exists():
            self._read()
        lines = [json.dumps({"setting": setting.model_dump()}), *(f.model_dump_json() for f in self.figures.values())]
        content = "\n".join(lines) + "\n"
        write_atomically(self.path, lambda temporary: temporary.write_text(content, encoding="utf-8"))

    def add(self, figures: Figures) -> None:
        """Keep `figures`, on disk before this returns."""
        self.figures[figures.key] = figures
        with self.path.open("a", encoding="utf-8") as file:
            file.write(figures.model_dump_json() + "\n")

    def _read(self) -> None:
        content = self.path.read_text(encoding="utf-8")
        lines = content.split("\n")[:-1]  # behind the last end of a line is nothing, or half of one
        if not lines:
            return
        try:
            theirs = Setting.model_validate(json.loads(lines[0])["setting"])
            for line in lines[1:]:
                figures = Figures.model_validate_json(line)
                self.figures[figures.key] = figures
        except (ValidationError, ValueError, KeyError, TypeError):
            raise ValueError(f"{self.path}: no figures of a comparison, or damaged; give another --out") from None
        for name, value in self.setting.model_dump().items():
            if (other := getattr(theirs, name)) != value:
                raise ValueError(
                    f"{self.path.parent}: holds a comparison with {name} {other}, not {value}; give another --out"
                )
