"""Embedded scenes: landscapes and town views drawn from a seed, by day and by night, or under any light.

Something is composed in metres (`nature`, `town`) and painted on a canvas that knows colours, distances and
lamps but no light (`canvas`). It is then lit and photographed (`light`), once for each picture.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from pix2pix.data.embedded.basics import check_arguments
from pix2pix.data.embedded.scenes import nature, town
from pix2pix.data.embedded.scenes.canvas import Camera, Canvas, Sun
from pix2pix.data.embedded.scenes.land import Season, choose_season
from pix2pix.data.embedded.scenes.light import Hour, choose_light, develop
from pix2pix.data.embedded.scenes.sky import Sky, plan_sky

__all__ = ["draw_day_night", "draw_scene"]

Composer = Callable[[Canvas, Season, np.random.Generator], None]
Range = tuple[float, float]


@dataclass(frozen=True)
class View:
    """A kind of scene: its chances by itself and in pairs of day and night, and from where it is seen."""

    chance: float
    chance_in_pairs: float
    compose: Composer
    horizon: Range  # picture height
    eye: Range  # metres above the ground
    focal: Range = (0.85, 1.25)


VIEWS: Mapping[str, View] = MappingProxyType(
    {
        "lake": View(0.20, 0.13, nature.compose_lake, (0.40, 0.58), (2.0, 7.0)),
        "meadow": View(0.20, 0.10, nature.compose_meadow, (0.36, 0.60), (1.7, 5.0)),
        "beach": View(0.14, 0.10, nature.compose_beach, (0.36, 0.56), (1.8, 5.0)),
        "village": View(0.16, 0.19, town.compose_village, (0.34, 0.52), (3.0, 9.0)),
        "street": View(0.12, 0.20, town.compose_street, (0.38, 0.58), (1.7, 6.0), (0.7, 1.0)),
        "park": View(0.08, 0.14, town.compose_park, (0.18, 0.40), (6.0, 11.0)),
        "skyline": View(0.10, 0.14, town.compose_skyline, (0.50, 0.66), (2.5, 9.0)),
    }
)
DAYLIGHT: Mapping[Hour, float] = MappingProxyType({"day": 0.62, "golden": 0.14, "overcast": 0.24})
ANY_LIGHT: Mapping[Hour, float] = MappingProxyType(
    {"day": 0.52, "golden": 0.18, "overcast": 0.16, "dusk": 0.09, "night": 0.05}
)


def draw_day_night(seed: int, index: int, size: int = 256) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Pair number `index` of the endless set that `seed` names: a scene by day, and by night from the same camera.

    Nothing else decides the result, and the same scene is drawn at every size.

    Shape: day and night (size, size, 3) uint8 RGB.

    Raises:
        ValueError: `size` is not within 64 to 512, or `seed` or `index` is negative.
    """
    canvas, sky = _paint(seed, index, size, [view.chance_in_pairs for view in VIEWS.values()])
    light, *sensors = (np.random.default_rng((seed, index, stream)) for stream in (3, 4, 5))
    day = choose_light(_choose_hour(DAYLIGHT, light), light)
    night = choose_light("night", light)
    return develop(canvas, sky, day, sensors[0]), develop(canvas, sky, night, sensors[1])


def draw_scene(seed: int, index: int, size: int = 256) -> NDArray[np.uint8]:
    """Picture number `index` of the endless set that `seed` names: a scene at some hour, mostly by day.

    A stand-in for photographs where a task takes any picture. Other scenes than those of `draw_day_night`.

    Shape: (size, size, 3) uint8 RGB.

    Raises:
        ValueError: `size` is not within 64 to 512, or `seed` or `index` is negative.
    """
    canvas, sky = _paint(seed, index, size, [view.chance for view in VIEWS.values()])
    light, sensor = (np.random.default_rng((seed, index, stream)) for stream in (3, 4))
    return develop(canvas, sky, choose_light(_choose_hour(ANY_LIGHT, light), light), sensor)


def _paint(seed: int, index: int, size: int, chances: list[float]) -> tuple[Canvas, Sky]:
    """A scene without light, and its sky."""
    check_arguments(seed, index, size)
    plan, paint, heaven = (np.random.default_rng((seed, index, stream)) for stream in range(3))
    view = list(VIEWS.values())[int(plan.choice(len(VIEWS), p=chances))]
    horizon, eye, focal = (float(plan.uniform(*extent)) for extent in (view.horizon, view.eye, view.focal))
    canvas = Canvas(size, Camera(horizon, eye, focal), _choose_sun(plan), paint)
    view.compose(canvas, choose_season(plan), plan)
    return canvas, plan_sky(canvas, heaven)


def _choose_sun(rng: np.random.Generator) -> Sun:
    """From one side and mostly from behind the camera; at times ahead and low, where it is in the picture."""
    side = float(rng.choice([-1.0, 1.0]))
    if rng.random() < 0.25:
        x, y, z = side * rng.uniform(0.08, 0.34), rng.uniform(0.16, 0.32), 0.8
    else:
        x, y, z = side * rng.uniform(0.25, 0.9), rng.uniform(0.28, 0.85), rng.uniform(-0.85, 0.3)
    length = float(np.sqrt(x * x + y * y + z * z))
    return Sun(x / length, y / length, z / length)


def _choose_hour(chances: Mapping[Hour, float], rng: np.random.Generator) -> Hour:
    return list(chances)[int(rng.choice(len(chances), p=list(chances.values())))]
