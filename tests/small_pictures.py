"""Pictures and the smallest training settings that tests of several tasks share."""

from __future__ import annotations

import numpy as np
from training_runs import NETWORKS

TINY = ["--size", "64", "--batch", "2", "--images", "4", "--train.precision", "fp32", *NETWORKS]


def noise(*shape: int, dtype: type = np.uint8, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def photo(height: int = 90, width: int = 120, dtype: type = np.uint8, channels: int = 3, seed: int = 0) -> np.ndarray:
    """Smooth shapes, so that there are edges to find."""
    rows, columns = np.mgrid[:height, :width] / 20
    waves = [np.sin(rows * (1 + seed) + channel) * np.cos(columns - channel) for channel in range(channels)]
    return ((np.stack(waves, axis=2) / 2 + 0.5) * np.iinfo(dtype).max).astype(dtype)
