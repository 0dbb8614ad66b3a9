"""What segments pictures for the FCN-score: ESPNet, or any photo-to-labels model of this program."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pix2pix.checkpoint import load_model
from pix2pix.config import Task
from pix2pix.data.conditions import nearest_class
from pix2pix.metrics.espnet import Segmenter, load_espnet
from pix2pix.metrics.judges import fingerprint
from pix2pix.translator import Translator

MODEL_SUFFIX = ".safetensors"


@dataclass(frozen=True)
class ModelSegmenter:
    """A photo-to-labels model (a `Segmenter`)."""

    translator: Translator
    name: str
    weights: str

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(self.translator.task.data.palette)

    def segment(self, picture: np.ndarray) -> np.ndarray:
        """(H, W, 3) uint8 to (H, W), numbers of `classes`."""
        return nearest_class(self.translator(picture), self.translator.task.data.palette)[0].astype(np.int64)


def load_segmenter(path: Path, task: Task, device: str) -> Segmenter:
    """The segmenter in a file, for the label maps of `task`.

    Raises ValueError when the file holds none, or the task's input is no label map or has no classes that it knows.
    """
    if task.data.input != "labels_onehot" and "palette" not in task.data.normalise:
        raise ValueError(f"--segmenter: the inputs of '{task.name}' are no label maps, which the FCN-score needs")
    segmenter: Segmenter
    if path.suffix == MODEL_SUFFIX:
        model = load_model(path)
        if model.task.data.target != "labels_onehot":
            raise ValueError(f"{path}: gives {model.task.data.target}, expected a model whose target is labels_onehot")
        segmenter = ModelSegmenter(Translator(model, device, backend="torch"), model.task.name, fingerprint(path))
    else:
        segmenter = load_espnet(path, device)
    if not set(segmenter.classes) & set(task.data.palette):
        known = f"{segmenter.name} knows {', '.join(segmenter.classes[:4])} ..."
        raise ValueError(f"--segmenter {path}: none of the classes of '{task.name}' is one of its own; {known}")
    return segmenter
