"""Embedded pairs: scenes drawn from a seed, so that every task can be trained and tried without any data."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from pix2pix.data.embedded import facades, objects, scenes, streets, towns

Picture = NDArray[np.uint8]

Drawer = Callable[[int, int, int], tuple[Picture, Picture]]
"""`drawer(seed, index, size)` gives one pair (input, target) and nothing else decides it.

The input is a map of class indices (H, W) or an RGB picture (H, W, 3), the target an RGB picture (H, W, 3), all
uint8 with H = W = size, from 64 to 512. The same seed and index show the same scene at every size.
"""


def photo(draw: Callable[[int, int, int], Picture]) -> Drawer:
    """A drawer of pictures as one of pairs, for tasks that derive their inputs: both are the picture."""

    def pair(seed: int, index: int, size: int) -> tuple[Picture, Picture]:
        picture = draw(seed, index, size)
        return picture, picture

    return pair


DRAWERS: Mapping[str, Drawer] = MappingProxyType(
    {
        "facades": facades.draw,
        "streets": streets.draw,
        "towns": towns.draw,
        "town_maps": towns.draw_reversed,
        "day_night": scenes.draw_day_night,
        "scenes": photo(scenes.draw_scene),
        "objects": photo(objects.draw_objects),
        "shoes": photo(objects.draw_shoes),
        "handbags": photo(objects.draw_handbags),
        "faces": photo(objects.draw_faces),
    }
)
