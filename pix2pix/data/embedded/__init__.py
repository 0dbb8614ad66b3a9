"""Embedded pairs: scenes drawn from a seed, so that every task can be trained and tried without any data."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from pix2pix.data.embedded import facades

Drawer = Callable[[int, int, int], tuple[NDArray[np.uint8], NDArray[np.uint8]]]
"""`drawer(seed, index, size)` gives one pair (input, target) and nothing else decides it.

The input is a map of class indices (H, W) or an RGB picture (H, W, 3), the target an RGB picture (H, W, 3), all
uint8 with H = W = size, from 64 to 512. The same seed and index show the same scene at every size.
"""

DRAWERS: Mapping[str, Drawer] = MappingProxyType({"facades": facades.draw})
