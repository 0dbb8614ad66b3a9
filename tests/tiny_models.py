"""Released models with random weights, small enough to make in a test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from pix2pix.checkpoint import Facts, save_model
from pix2pix.config import validate
from pix2pix.schema import merge
from pix2pix.translator import build_model_generator

PALETTE = {"wall": (0, 0, 255), "window": (255, 255, 0), "door": (255, 0, 0)}


def save_tiny_model(path: Path, seed: int = 0, command: str = "", **changes: dict[str, Any] | str) -> Path:
    """A model of training size 64 at `path`; `changes` are sections of its task."""
    base = {"name": "tiny", "data": {"size": 64}, "model": {"generator": "compact_unet", "width": 8}}
    task = validate(merge(base, changes), "test")
    generator = build_model_generator(task, torch.Generator().manual_seed(seed))
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.mul_(3)  # the paper's initial weights give a flat grey
    path.parent.mkdir(parents=True, exist_ok=True)
    save_model(path, generator, task, Facts(images_seen=7, data="nothing", command=command))
    return path


LABELS: dict[str, Any] = {"data": {"input": "labels_onehot", "normalise": ["palette"], "palette": PALETTE}}
