"""Embedded towns seen from above: an aerial photograph and the street map of the same place, drawn from a seed.

A town is planned as blocks between streets in metres (`plan`, `blocks`), crossed by rivers, coasts,
motorways and railways (`ways`), and bent into the picture by one smooth map (`plane`). Both pictures are
painted from the same outlines, so they agree to the pixel.

Phillip Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", CVPR 2017 (the maps task).
"""

from random import Random

import cv2
import numpy as np
from numpy.typing import NDArray

from pix2pix.data.embedded.basics import check_arguments
from pix2pix.data.embedded.perlin import enlarge, fractal_noise
from pix2pix.data.embedded.towns.canvas import TownCanvas
from pix2pix.data.embedded.towns.ground import paint_ground
from pix2pix.data.embedded.towns.plan import plan_scene
from pix2pix.data.embedded.towns.roofs import paint_standing
from pix2pix.data.embedded.towns.style import GRASS, WATER, Style, choose_manner, choose_style

# How much fine grain and large patches change each material's brightness: built, road, grass, tree, water, soil, roof.
GRAIN = np.array([0.16, 0.10, 0.22, 0.42, 0.06, 0.22, 0.12], np.float32)
PATCHES = np.array([0.22, 0.16, 0.34, 0.18, 0.10, 0.30, 0.14], np.float32)


def draw(seed: int, index: int, size: int = 256) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Town number `index` of the endless set that `seed` names, as aerial photograph and street map.

    Nothing else decides the result, and the same town is drawn at every size.

    Shape: aerial and map (size, size, 3) uint8 RGB.

    Raises:
        ValueError: `size` is not within 64 to 512, or `seed` or `index` is negative.
    """
    aerial, street_map, _ = render(seed, index, size)
    return aerial, street_map


def draw_reversed(seed: int, index: int, size: int = 256) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The pair of `draw` the other way round: street map and aerial photograph."""
    aerial, street_map, _ = render(seed, index, size)
    return street_map, aerial


def render(seed: int, index: int, size: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """Aerial photograph, street map, and the material (size, size) of every point of the photograph."""
    check_arguments(seed, index, size)
    plan, looks, paint = (Random(f"town {seed} {index} {stream}") for stream in range(3))
    manner = choose_manner(plan)
    style = choose_style(looks)
    scene = plan_scene(plan, manner)
    canvas = TownCanvas(size, *style.surfaces["asphalt"])
    paint_ground(canvas, scene, style, paint)
    paint_standing(canvas, scene, style, paint)
    colour, material, light, street_map = canvas.flatten()
    aerial = _photographed(colour, material, light, style, np.random.default_rng((seed, index)))
    return aerial, street_map, material


def _photographed(
    colour: NDArray[np.uint8],
    material: NDArray[np.uint8],
    light: NDArray[np.uint8],
    style: Style,
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    """The painted town with texture on every surface, in sun, shadow and haze."""
    shape = (material.shape[0], material.shape[1])
    grain = fractal_noise(rng, shape, (72, 72), octaves=2, gain=0.9)
    patches = enlarge(fractal_noise(rng, (128, 128), (7, 7), octaves=4, gain=0.75), shape)
    field = 1.0 + GRAIN[material] * grain + PATCHES[material] * patches
    if (material == WATER).any():
        waves = enlarge(fractal_noise(rng, (128, 128), (24, 48), octaves=2, gain=0.6), shape)
        field += np.where(material == WATER, np.float32(0.22) * waves, np.float32(0.0))
    soft = cv2.blur(light, (3, 3)) if shape[0] >= 192 else light
    sunny = soft.astype(np.float32) * np.float32(1.0 / 255.0)
    drift = enlarge(fractal_noise(rng, (32, 32), (2, 2), octaves=2), shape)
    if style.clouds:
        sunny = sunny * (1.0 - np.float32(style.clouds) * np.clip(drift * 4.0, 0.0, 1.0))
    field *= np.float32(style.exposure) * (1.0 + np.float32(0.12) * drift)
    picture = np.empty((*shape, 3), np.float32)
    browned = np.where(material == GRASS, patches, np.float32(0.0))
    for channel, (tint, shade) in enumerate(zip(style.tint, style.shade, strict=True)):
        lit = (sunny * np.float32(tint * (1.0 - shade)) + np.float32(shade)) * field
        if channel != 1:
            lit *= 1.0 + browned * np.float32((0.22, 0.0, -0.12)[channel])
        picture[..., channel] = colour[..., channel] * lit
    picture = picture * np.float32(1.0 - style.haze) + np.float32(style.haze) * np.array((176, 186, 200), np.float32)
    return np.clip(picture, 0.0, 255.0).astype(np.uint8)
