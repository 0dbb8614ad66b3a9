"""A service with a tiny model, pictures to send to it, and what the command makes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from tiny_models import save_tiny_model

from pix2pix import translate
from pix2pix.images import write_image
from pix2pix.ui.limits import Limits
from pix2pix.ui.offers import offers
from pix2pix.ui.service import Service

LIMITS = Limits()
CHROMA = {"data": {"input": "gray", "target": "lab_chroma", "normalise": ["lightness"]}}
DRAWING = {"data": {"input": "gray", "normalise": ["lines"]}}
MENDING: dict[str, Any] = {"work": "native", "model": {"residual": True}}
HOLES: dict[str, Any] = {
    "work": "native",
    "data": {"input": "masked_rgb", "target": "filled_rgb", "normalise": ["holes"]},
    "model": {"residual": True},
}
LARGER: dict[str, Any] = {"work": "native", "data": {"scale": 4}, "model": {"residual": True}}


def service(tmp_path: Path, task: dict[str, Any], limits: Limits = LIMITS, confined: bool = False) -> Service:
    model = save_tiny_model(tmp_path / "run" / "model.safetensors", **task)
    folder = tmp_path / "made"
    folder.mkdir(exist_ok=True)
    return Service(offers(model=str(model)), limits, folder, "cpu", confined)


def noise(height: int, width: int, channels: int = 3, seed: int = 0, most: int = 256) -> np.ndarray:
    dtype = np.uint8 if most == 256 else np.uint16
    return np.random.default_rng(seed).integers(0, most, (height, width, channels), dtype=dtype)


def save(path: Path, image: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_image(path, image)
    return path


def commanded(tmp_path: Path, *arguments: str) -> Path:
    out = tmp_path / "commanded"
    model = str(tmp_path / "run" / "model.safetensors")
    assert translate.main(["--model", model, "--out", str(out), "--device", "cpu", *arguments]) == 0
    return out
