"""The light on an embedded scene: sun, sky, haze, lamps and the camera, from what a canvas holds to a picture.

The veil of the air is Koschmieder's law, the colour seen = colour (1 - v) + airlight v, with v from the distance.

Srinivasa Narasimhan and Shree Nayar, "Vision and the Atmosphere", IJCV 2002, eq. 2 to 4.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from pix2pix.data.embedded.basics import Colour
from pix2pix.data.embedded.perlin import Field
from pix2pix.data.embedded.scenes.canvas import LIGHT_SIDE, Canvas
from pix2pix.data.embedded.scenes.sky import Sky, paint_sky

Hour = Literal["day", "golden", "overcast", "dusk", "night"]
LAMP: Colour = (1.0, 0.74, 0.42)


@dataclass(frozen=True)
class Light:
    """Colours of the light at an hour: the sky's within 0 to 255, the others as factors of a thing's own colour."""

    zenith: Colour
    skyline: Colour
    sun: Colour
    ambient: Colour
    cloud: Colour
    cloud_shade: Colour
    veil: float  # share of airlight before the farthest things
    lamps: float = 0.0
    stars: float = 0.0
    disc: float = 1.0  # how brightly the sun or the moon itself is seen
    noise: float = 1.5  # spread of the sensor's noise, of 255


LIGHTS: Mapping[Hour, Light] = MappingProxyType(
    {
        "day": Light(
            zenith=(62, 118, 198), skyline=(186, 212, 232), sun=(0.80, 0.75, 0.66), ambient=(0.40, 0.45, 0.53),
            cloud=(252, 252, 250), cloud_shade=(176, 186, 204), veil=0.82,
        ),
        "golden": Light(
            zenith=(92, 126, 178), skyline=(252, 204, 146), sun=(1.16, 0.76, 0.42), ambient=(0.40, 0.37, 0.43),
            cloud=(255, 222, 178), cloud_shade=(170, 140, 152), veil=0.85,
        ),
        "overcast": Light(
            zenith=(158, 167, 177), skyline=(216, 219, 221), sun=(0.14, 0.14, 0.13), ambient=(0.84, 0.86, 0.88),
            cloud=(222, 224, 226), cloud_shade=(150, 157, 166), veil=0.92, disc=0.0,
        ),
        "dusk": Light(
            zenith=(44, 58, 112), skyline=(236, 144, 112), sun=(0.10, 0.06, 0.07), ambient=(0.30, 0.28, 0.40),
            cloud=(226, 130, 124), cloud_shade=(84, 72, 110), veil=0.72, lamps=0.75, stars=0.12, disc=0.0, noise=2.5,
        ),
        "night": Light(
            zenith=(5, 9, 26), skyline=(22, 32, 64), sun=(0.20, 0.24, 0.34), ambient=(0.14, 0.17, 0.26),
            cloud=(44, 54, 84), cloud_shade=(16, 21, 42), veil=0.72, lamps=1.0, stars=1.0, disc=0.9, noise=5.0,
        ),
    }
)  # fmt: skip


def choose_light(hour: Hour, rng: np.random.Generator) -> Light:
    """The light of an hour on some day: warmer or cooler, brighter or darker, hazier or clearer."""
    light = LIGHTS[hour]
    warmth, strength, veil, grey = rng.uniform((-0.06, 0.88, 0.6, 0.0), (0.06, 1.1, 1.05, 0.3)).tolist()
    tint = (1.0 + warmth, 1.0, 1.0 - warmth)

    def vary(colour: Colour, factor: float, fade: float = 0.0) -> Colour:
        mean = sum(colour) / 3.0
        red, green, blue = ((v + (mean - v) * fade) * t * factor for v, t in zip(colour, tint, strict=True))
        return red, green, blue

    return replace(
        light,
        zenith=vary(light.zenith, strength, grey),
        skyline=vary(light.skyline, 0.5 + 0.5 * strength, 0.5 * grey),
        sun=vary(light.sun, strength),
        ambient=vary(light.ambient, 0.5 + 0.5 * strength),
        veil=light.veil * veil,
    )


def develop(canvas: Canvas, sky: Sky, light: Light, rng: np.random.Generator) -> NDArray[np.uint8]:
    """The picture of a canvas under a light, as a camera takes it. The canvas stays as it is.

    Shape: (size, size, 3) uint8 RGB.
    """
    far, heaven, rough = (canvas.nature[..., plane] * np.float32(1 / 255) for plane in range(3))
    tone = 1.0 + np.float32(0.20) * rough * canvas.grain
    veil = far * np.float32(light.veil)
    rows = canvas.side - int(np.argmax(np.flip(heaven.max(axis=1) > 0.0)))  # below there is no sky
    above = paint_sky(canvas, sky, light, rows)
    lamps = _lamp_light(canvas) if light.lamps > 0.0 else None
    planes = []
    # Colour by colour: numpy takes three times as long for pixels of three as for whole planes.
    for plane in range(3):
        lit = canvas.sun * np.float32(light.sun[plane] / 255.0)
        lit += np.float32(light.ambient[plane])
        if lamps is not None:
            # What is far behind a lamp is not lit by it.
            lit += lamps[1] * (1.0 - far) ** 2 * np.float32(LAMP[plane] * light.lamps)
        lit *= tone
        lit *= canvas.colour[..., plane]
        lit += (np.float32(0.94 * light.skyline[plane]) - lit) * veil
        lit[:rows] += (above[..., plane] - lit[:rows]) * heaven[:rows]
        if lamps is not None:
            lit += (canvas.glow[..., plane] * (1.0 - 0.5 * veil) + lamps[0][..., plane]) * np.float32(light.lamps)
        planes.append(_average(lit, canvas.factor))
    picture = np.stack(planes)
    if lamps is None:
        # By day the camera opens up for dark views, half of the way.
        picture *= np.clip(np.sqrt(118.0 / picture.mean()), 0.85, 1.35)
    return _photograph(picture, light.noise, rng)


def _lamp_light(canvas: Canvas) -> tuple[Field, Field]:
    """The halo (S, S, 3) that lamps and windows have in air and lens, and the light (S, S) they throw around them."""
    small = cv2.resize(canvas.glow, (LIGHT_SIDE, LIGHT_SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    near = cv2.GaussianBlur(small, (0, 0), 1.6)
    halo = 0.55 * near + 0.9 * cv2.GaussianBlur(small, (0, 0), 6.0)
    pools = canvas.pools + halo.mean(axis=2) * np.float32(0.35 / 255)
    pools = 0.8 * (1.0 - np.exp(-1.2 * pools))  # many lamps together do not make a day
    whole = (canvas.side, canvas.side)
    return np.asarray(cv2.resize(halo, whole)), np.asarray(cv2.resize(pools, whole))


def _average(plane: Field, factor: int) -> Field:
    if factor == 1:
        return plane
    rows, columns = plane.shape
    return np.asarray(plane.reshape(rows // factor, factor, columns // factor, factor).mean((1, 3)), np.float32)


def _photograph(picture: Field, noise: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Highlights that fade out instead of being cut off, and the sensor's noise, mostly in brightness.

    Shape: (3, H, W) -> (H, W, 3) uint8.
    """
    # Linear up to 190, from there towards 255 along a hyperbola with the same slope at the joint.
    excess = np.maximum(picture - np.float32(190.0), 0.0)
    excess /= 1.0 + excess * np.float32(1 / 65)
    picture = np.minimum(picture, np.float32(190.0))
    picture += excess
    # The sum of two even throws, of spread 104, is near enough to a bell curve and ten times as fast.
    throws = np.frombuffer(rng.bytes(8 * picture[0].size), np.uint8).reshape(2, 4, *picture.shape[1:])
    speckle = np.add(throws[0], throws[1], dtype=np.float32)
    speckle -= np.float32(255.0)
    speckle *= np.float32(noise / 104.0)
    picture += speckle[:3] * np.float32(0.5) + speckle[3] * np.float32(0.8)
    np.clip(picture, 0.0, 255.0, out=picture)
    return np.ascontiguousarray(picture.astype(np.uint8).transpose(1, 2, 0))
