"""The sky of the embedded scenes: gradient, clouds, sun or moon, stars, and its image in water."""

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from pix2pix.data.embedded.basics import Colour
from pix2pix.data.embedded.perlin import Field
from pix2pix.data.embedded.scenes.canvas import SUBPIXEL_BITS, Canvas

STARS = 90


class SkyLight(Protocol):
    """What of a light (`light.Light`) the sky shows."""

    @property
    def zenith(self) -> Colour: ...
    @property
    def skyline(self) -> Colour: ...
    @property
    def cloud(self) -> Colour: ...
    @property
    def cloud_shade(self) -> Colour: ...
    @property
    def sun(self) -> Colour: ...
    @property
    def stars(self) -> float: ...
    @property
    def disc(self) -> float: ...


@dataclass(frozen=True)
class Sky:
    """What does not depend on the hour: cloud cover and brightness, place of the sun or moon, and stars (n, 3).

    Cover and brightness are (R, S), of the rows down to the horizon.
    Stars are x, y and brightness, all within 0 to 1; the place is in picture coordinates and may lie outside.
    """

    cover: Field
    brightness: Field
    place: tuple[float, float]
    stars: NDArray[np.float64]


def plan_sky(canvas: Canvas, rng: np.random.Generator) -> Sky:
    """Clouds seen in perspective, flat towards the horizon, between none and a closed ceiling."""
    horizon, side = canvas.camera.horizon, canvas.side
    amount, softness, stretch, scale = rng.uniform((-1.6, 0.5, 0.7, 2.0), (1.2, 1.5, 1.7, 4.0)).tolist()
    rows = slice(0, min(side, int(horizon * side) + 1))
    elevation = np.maximum(horizon - (np.arange(rows.stop, dtype=np.float32) + 0.5) / side, 0.0)
    depth = np.asarray(1.0 / (elevation + 0.18), np.float32)
    period = (scale * stretch, scale)
    towers = canvas.seen_flat("coarse", rows, depth, period)
    towers = towers + np.float32(0.34) * canvas.seen_flat("middle", rows, depth, (1.4 * period[0], 1.4 * period[1]))
    cover = np.clip((towers + np.float32(amount)) * np.float32(softness), 0.0, 1.0)
    cover *= np.clip(elevation * 9.0 + 0.1, 0.0, 1.0)[:, None]
    # A cloud is bright where it gets thicker away from the sun.
    step = max(1, side // 50)
    across = np.clip(np.arange(side) + (-step if canvas.direction.x < 0 else step), 0, side - 1)
    sunward = towers[np.maximum(np.arange(rows.stop) - step, 0)][:, across]
    brightness = np.clip(0.72 + 0.42 * (towers - sunward) - 0.16 * cover, 0.0, 1.0)
    ahead = canvas.direction.z
    place = (9.0, 9.0)
    if ahead > 0.05:
        tilt = canvas.camera.focal / ahead
        place = (0.5 + canvas.direction.x * tilt, max(0.07, horizon - canvas.direction.y * tilt))
    stars = rng.random((STARS, 3)) * np.array([1.0, max(horizon, 0.1), 1.0])
    return Sky(cover, np.asarray(brightness, np.float32), place, stars)


def paint_sky(canvas: Canvas, sky: Sky, light: SkyLight, rows: int) -> Field:
    """The sky at an hour in the upper rows, (rows, S, 3) within 0 to 255; below the waterline its reflection."""
    side = canvas.side
    width = (np.arange(side, dtype=np.float32) + 0.5) / side
    height = (np.arange(rows, dtype=np.float32) + 0.5) / side
    rise = np.clip((canvas.camera.horizon - height) / max(canvas.camera.horizon, 0.25), 0.0, 1.0) ** np.float32(0.75)
    zenith, skyline = np.asarray(light.zenith, np.float32), np.asarray(light.skyline, np.float32)
    ramp = skyline + (zenith - skyline) * rise[:, None]
    picture = np.repeat(ramp[:, None], side, axis=1)
    x, y = sky.place
    if light.disc > 0.0 and -0.5 < x < 1.5:
        wide, narrow = (
            np.outer(np.exp(-falloff * (height - np.float32(y)) ** 2), np.exp(-falloff * (width - np.float32(x)) ** 2))
            for falloff in (9.0, 160.0)
        )
        halo = 0.55 * wide + 0.6 * narrow
        warm = np.asarray(light.sun, np.float32) / max(light.sun) * (255.0 if light.stars < 0.5 else 90.0)
        picture += (warm - picture) * (halo * np.float32(light.disc * 0.8))[..., None]
    above = _with_discs(canvas, sky, light, np.clip(picture, 0.0, 255.0).astype(np.uint8)).astype(np.float32)
    lit, shaded = np.asarray(light.cloud, np.float32), np.asarray(light.cloud_shade, np.float32)
    clouds = shaded + (lit - shaded) * sky.brightness[:rows, :, None]
    open_sky = above[: len(clouds)]
    open_sky += (clouds - open_sky) * (sky.cover[:rows] * np.float32(0.93))[..., None]
    if canvas.mirror is not None:
        first, source_x, source_y = canvas.mirror
        reach = max(0, min(len(source_x), rows - first))
        if reach:
            above[first : first + reach] = cv2.remap(
                above, source_x[:reach], source_y[:reach], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
            )
    return above


def _with_discs(canvas: Canvas, sky: Sky, light: SkyLight, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Stars, and the sun or the moon."""
    if light.stars > 0.0:
        dots = np.zeros_like(picture)
        # A star covers as much of the picture at every size, and at least a canvas pixel.
        for (x, y), (_, _, bright) in zip(canvas.fixed(sky.stars[:, :2]).tolist(), sky.stars.tolist(), strict=True):
            level = 255.0 * light.stars * bright**2
            if level > 24.0:
                radius = round((0.25 + 0.45 * bright) * canvas.side / 256 * (1 << SUBPIXEL_BITS))
                colour = (level * 0.94, level * 0.97, level)
                cv2.circle(dots, (x, y), radius, colour, -1, cv2.LINE_AA, SUBPIXEL_BITS)
        picture = np.maximum(picture, dots)
    x, y = sky.place
    if light.disc > 0.0 and -0.1 < x < 1.1:
        centre = canvas.fixed(np.array([x, y]))
        radius = round(0.022 * canvas.side * (1 << SUBPIXEL_BITS))
        disc = (255.0, 250.0, 232.0) if light.stars < 0.5 else (236.0, 236.0, 222.0)
        where = (int(centre[0]), int(centre[1]))
        cv2.circle(picture, where, radius, disc, -1, cv2.LINE_AA, SUBPIXEL_BITS)
    return picture
