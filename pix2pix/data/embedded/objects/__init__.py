"""Embedded objects: shoes, handbags, faces and things of the household, one to a picture, drawn from a seed.

Only the picture is drawn; a task derives its input from it, such as the edges of "Image-to-Image Translation with
Conditional Adversarial Networks" (Isola et al., CVPR 2017), whose edges2shoes and edges2handbags these stand for.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from pix2pix.data.embedded.basics import Colour, check_arguments
from pix2pix.data.embedded.objects.bags import paint_bag
from pix2pix.data.embedded.objects.canvas import Canvas, choose_light
from pix2pix.data.embedded.objects.faces import paint_portrait
from pix2pix.data.embedded.objects.palette import hue_colour
from pix2pix.data.embedded.objects.shoes import paint_shoe
from pix2pix.data.embedded.objects.things import THINGS

WHITE: Colour = (255.0, 255.0, 255.0)
Box = tuple[float, float, float, float]

KINDS: Mapping[str, Callable[[Canvas, np.random.Generator, Box], None]] = MappingProxyType(
    {**THINGS, "shoe": paint_shoe, "bag": paint_bag}
)
"""What `draw_objects` draws, beside faces."""


def draw_shoes(seed: int, index: int, size: int = 256) -> NDArray[np.uint8]:
    """Shoe number `index` of the endless set that `seed` names, from the side, toe to the left, on white.

    Nothing else decides the result, and the same shoe is drawn at every size.

    Shape: (size, size, 3) uint8 RGB.

    Raises:
        ValueError: `size` is not within 64 to 512, or `seed` or `index` is negative.
    """
    rng = _generator(seed, index, size, 0)
    canvas = Canvas(size, WHITE, choose_light(rng), rng)
    paint_shoe(canvas, rng, (0.04, 0.06, 0.96, 0.94))
    return canvas.finish()


def draw_handbags(seed: int, index: int, size: int = 256) -> NDArray[np.uint8]:
    """Handbag number `index` of the endless set that `seed` names, from the front, on white; see `draw_shoes`."""
    rng = _generator(seed, index, size, 1)
    canvas = Canvas(size, WHITE, choose_light(rng), rng)
    paint_bag(canvas, rng, (0.07, 0.06, 0.93, 0.94))
    return canvas.finish()


def draw_faces(seed: int, index: int, size: int = 256) -> NDArray[np.uint8]:
    """Portrait number `index` of the endless set that `seed` names, framed like aligned photographs of faces.

    See `draw_shoes` for what is promised and refused.
    """
    rng = _generator(seed, index, size, 2)
    canvas = Canvas(size, WHITE, choose_light(rng, frontal=0.5), rng)
    paint_portrait(canvas, rng)
    return canvas.finish()


def draw_objects(seed: int, index: int, size: int = 256) -> NDArray[np.uint8]:
    """Object number `index` of the endless set that `seed` names, of any kind, on a light ground; see `draw_shoes`."""
    rng = _generator(seed, index, size, 3)
    kind = str(rng.choice([*KINDS, "face"]))
    light = choose_light(rng, frontal=0.5 if kind == "face" else 0.0)
    ground = hue_colour(float(rng.random()), float(rng.uniform(0.0, 0.10)), float(rng.uniform(0.90, 1.0)))
    canvas = Canvas(size, ground if rng.random() < 0.6 else WHITE, light, rng)
    if kind == "face":
        paint_portrait(canvas, rng)
    else:
        margin = float(rng.uniform(0.06, 0.14))
        KINDS[kind](canvas, rng, (margin, margin, 1.0 - margin, 1.0 - margin))
    return canvas.finish()


def _generator(seed: int, index: int, size: int, kind: int) -> np.random.Generator:
    """The random numbers of one picture, after a check of the arguments."""
    check_arguments(seed, index, size)
    return np.random.default_rng((seed, index, kind))
