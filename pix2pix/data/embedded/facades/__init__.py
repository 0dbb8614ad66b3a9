"""Embedded facades: label maps in the twelve classes of the CMP facades and pictures to match, drawn from a seed.

A facade is laid out in [0, 1] coordinates (`layout`), given colours, materials and a sun (`style`), and
painted part by part on a canvas that holds colour, class and light together. Weathering, uneven glass and the
camera's tone curve come last and move nothing, so labels and picture agree to the pixel.

Radim Tylecek and Radim Sara, "Spatial Pattern Templates for Recognition of Objects with Regular Structure", GCPR 2013
(the CMP facade database and its classes).
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from pix2pix.data.embedded.basics import check_arguments
from pix2pix.data.embedded.facades import openings, ornaments
from pix2pix.data.embedded.facades.canvas import Canvas, Rect
from pix2pix.data.embedded.facades.layout import plan_scene
from pix2pix.data.embedded.facades.parts import CLASS_INDEX, CLASSES, Part
from pix2pix.data.embedded.facades.style import Style, choose_manner, choose_style
from pix2pix.data.embedded.facades.surface import paint_surroundings, paint_walls
from pix2pix.data.embedded.perlin import enlarge, fractal_noise

__all__ = ["CLASSES", "draw"]

Painter = Callable[[Canvas, Rect, Style, int, list[float]], None]

PAINTERS: Mapping[str, Painter] = MappingProxyType(
    {
        "window": openings.paint_window,
        "french": openings.paint_window,
        "dormer": openings.paint_dormer,
        "door": openings.paint_door,
        "garage": openings.paint_garage,
        "shop": openings.paint_shop,
        "sign": openings.paint_sign,
        "awning": openings.paint_awning,
        "shutter": openings.paint_shutter,
        "roller": openings.paint_roller,
        "cornice": ornaments.paint_cornice,
        "pediment": ornaments.paint_pediment,
        "sill": ornaments.paint_sill,
        "molding": ornaments.paint_molding,
        "entablature": ornaments.paint_entablature,
        "pillar": ornaments.paint_pillar,
        "deco": ornaments.paint_deco,
        "balcony": ornaments.paint_balcony,
    }
)


def draw(seed: int, index: int, size: int = 256) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Facade number `index` of the endless set that `seed` names, as labels and picture.

    Nothing else decides the result, and the same facade is drawn at every size.

    Shape: labels (size, size) uint8, indices into `CLASSES`; picture (size, size, 3) uint8 RGB.

    Raises:
        ValueError: `size` is not within 64 to 512, or `seed` or `index` is negative.
    """
    check_arguments(seed, index, size)
    plan, paint, weather = (np.random.default_rng((seed, index, stream)) for stream in range(3))
    manner = choose_manner(plan)
    style = choose_style(plan, manner)
    scene = plan_scene(plan, manner)
    canvas = Canvas(size)
    paint_surroundings(canvas, style, scene, paint)
    _paint_parts(canvas, style, scene.dormers, paint)
    paint_walls(canvas, style, scene, paint)
    _paint_parts(canvas, style, scene.parts, paint)
    # What stands out at a corner has no wall beside it to cast its shadow on.
    left, _, right, bottom = canvas.snap(scene.building)
    canvas.light[:bottom, :left] = canvas.light[:bottom, right:] = 255
    labels, photo = canvas.flatten()
    return labels, _weathered(labels, photo, weather)


def _paint_parts(canvas: Canvas, style: Style, parts: tuple[Part, ...], rng: np.random.Generator) -> None:
    """Paint the parts in turn; one too thin for this size is left out, yet uses up its random numbers."""
    dice = rng.random((len(parts), 8)).tolist()
    for part, throws in zip(parts, dice, strict=True):
        rect = canvas.snap(part.box)
        if rect[2] > rect[0] and rect[3] > rect[1]:
            PAINTERS[part.kind](canvas, rect, style, part.form, throws)


def _weathered(labels: NDArray[np.uint8], photo: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """The picture with stains and grain on walls, uneven reflections in glass, and the camera's exposure."""
    shape = (labels.shape[0], labels.shape[1])
    stains = enlarge(fractal_noise(rng, (64, 64), (3, 4), octaves=3, gain=0.6), shape)
    streaks = enlarge(fractal_noise(rng, (64, 64), (3, 24), octaves=1), shape)
    reflected = enlarge(fractal_noise(rng, (128, 128), (9, 12), octaves=3, gain=0.7), shape)
    grain = fractal_noise(rng, shape, (48, 48), octaves=2, gain=0.8)
    roughness, dirt, fall, gloss = rng.uniform((0.05, 0.20, -0.06, 0.3), (0.16, 0.60, 0.14, 0.9)).tolist()
    glassy = np.zeros(len(CLASSES), bool)
    glassy[[CLASS_INDEX["window"], CLASS_INDEX["shop"]]] = True
    solid = np.full(len(CLASSES), 1.0, np.float32)
    solid[CLASS_INDEX["background"]] = 0.1
    down = np.linspace(0.5 * fall, -0.5 * fall, shape[0], dtype=np.float32)[:, None]
    weathering = (dirt * stains + roughness * grain + 0.4 * dirt * streaks) * solid[labels]
    field = 1.0 + down + np.where(glassy[labels], gloss * reflected, weathering)
    if rng.random() < 0.4:
        field = np.where(labels == CLASS_INDEX["background"], field, field * _large_shadow(stains, rng))
    exposure, contrast = rng.uniform((0.86, 0.90), (1.20, 1.14)).tolist()
    cast = rng.uniform(0.97, 1.03, 3).astype(np.float32)
    lit = photo * field[..., None] * (np.float32(exposure * contrast) * cast)
    lit += np.float32(124.0 * (1.0 - contrast))
    return np.asarray(np.clip(lit, 0.0, 255.0), np.uint8)


def _large_shadow(stains: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """The shadow of a building across the street: below a slanting line, with an edge as uneven as its roof."""
    slope, height, depth, softness = rng.uniform((-0.8, 0.35, 0.25, 4.0), (0.8, 1.0, 0.55, 18.0)).tolist()
    rows, columns = stains.shape
    across = np.linspace(-0.5, 0.5, columns, dtype=np.float32)[None, :]
    down = np.linspace(0.0, 1.0, rows, dtype=np.float32)[:, None]
    inside = np.clip((down - height + slope * across + 0.15 * stains) * softness, 0.0, 1.0)
    return np.asarray(1.0 - np.float32(depth) * inside, np.float32)
