"""The light of an embedded street scene: where the sun stands, what the sky gives, haze, and the camera's exposure."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pix2pix.data.embedded.basics import Colour

Direction = tuple[float, float, float]


class Weather(NamedTuple):
    """Light as factors of red, green and blue; `sun` points to it and has length 1."""

    sun: Direction
    direct: Colour  # what the sun adds to a surface that faces it; black when overcast
    ambient: Colour  # what the sky gives
    zenith: Colour
    horizon: Colour
    haze: Colour
    haze_density: float  # per metre
    clouds: float  # share of the sky
    wet: float  # how much the road mirrors the sky
    exposure: float
    contrast: float
    cast: Colour

    @property
    def sunny(self) -> bool:
        """Whether things cast shadows."""
        return self.direct[1] > 0.0

    @property
    def in_shade(self) -> float:
        """Brightness in the shade over that in the sun, of what faces the camera."""
        facing = max(0.0, 0.35 * self.sun[1] - 0.9 * self.sun[2])
        return self.ambient[1] / (self.ambient[1] + facing * self.direct[1])

    def shade(self, colour: Colour, normal: Direction) -> Colour:
        """The colour of a surface with the given normal."""
        facing = max(0.0, normal[0] * self.sun[0] + normal[1] * self.sun[1] + normal[2] * self.sun[2])
        # Even an overcast sky is brighter on one side, and the ground gives less light than the sky.
        sky = 0.88 + 0.10 * normal[1] + 0.10 * (normal[0] * self.sun[0] + normal[2] * self.sun[2])
        ambient, direct = self.ambient, self.direct
        return (
            colour[0] * (sky * ambient[0] + facing * direct[0]),
            colour[1] * (sky * ambient[1] + facing * direct[1]),
            colour[2] * (sky * ambient[2] + facing * direct[2]),
        )


def choose_weather(rng: np.random.Generator) -> Weather:
    """Sunny (high or low sun), overcast, or misty, with the camera's settings."""
    kind = int(rng.choice(4, p=(0.38, 0.16, 0.34, 0.12)))
    azimuth = rng.uniform(0.15, 0.85) * np.pi * (1 if rng.random() < 0.5 else -1)
    elevation = np.radians(rng.uniform(12, 26) if kind == 1 else rng.uniform(30, 62))
    sun = (
        float(np.cos(elevation) * np.sin(azimuth)),
        float(np.sin(elevation)),
        float(-np.cos(elevation) * np.cos(azimuth)),
    )
    strength = float(rng.uniform(0.75, 1.0))
    direct = ((0.98, 0.92, 0.80), (1.25, 0.90, 0.58), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0))[kind]
    ambient = ((0.46, 0.50, 0.55), (0.46, 0.48, 0.56), (0.86, 0.89, 0.90), (0.92, 0.93, 0.93))[kind]
    zenith = ((96, 150, 214), (120, 156, 200), (196, 204, 208), (206, 210, 210))[kind]
    horizon = ((206, 226, 238), (246, 222, 182), (230, 234, 234), (218, 222, 222))[kind]
    haze = ((188, 204, 214), (222, 204, 176), (192, 200, 202), (206, 211, 211))[kind]
    density = (rng.uniform(0.0015, 0.005), rng.uniform(0.003, 0.007), rng.uniform(0.002, 0.006), 0.0)[kind]
    tint = rng.uniform(0.97, 1.03, 3)
    return Weather(
        sun=sun,
        direct=scaled(direct, strength),
        ambient=ambient,
        zenith=scaled(zenith, float(rng.uniform(0.86, 1.08))),
        horizon=scaled(horizon, float(rng.uniform(0.94, 1.04))),
        haze=haze,
        haze_density=float(density) if kind < 3 else float(rng.uniform(0.010, 0.022)),
        clouds=float((rng.uniform(0.0, 0.65), rng.uniform(0.1, 0.6), 0.9, 0.8)[kind]),
        wet=float(rng.uniform(0.2, 0.55)) if kind >= 2 and rng.random() < 0.35 else 0.0,
        exposure=float(rng.uniform(0.84, 1.12)),
        contrast=float(rng.uniform(1.0, 1.18)),
        cast=(float(tint[0]) * 0.98, float(tint[1]) * 1.03, float(tint[2]) * 0.98),
    )


def scaled(colour: Colour, factor: float) -> Colour:
    """The colour made brighter or darker; not limited to 255."""
    return colour[0] * factor, colour[1] * factor, colour[2] * factor


def pick(rng: np.random.Generator, colours: tuple[Colour, ...], spread: float = 0.12) -> Colour:
    """One of the colours, its brightness varied by `spread` and each channel by a quarter of that."""
    throws: NDArray[np.float64] = rng.random(5)
    which, brightness, *hues = throws.tolist()
    red, green, blue = colours[int(which * len(colours))]
    level = 1.0 + spread * (2.0 * brightness - 1.0)
    tint = [level * (1.0 + 0.25 * spread * (2.0 * hue - 1.0)) for hue in hues]
    return red * tint[0], green * tint[1], blue * tint[2]
