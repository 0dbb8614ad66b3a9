"""The canvas of the embedded scenes: what every pixel shows, before any light falls on it.

It holds colour, the share of sunlight that arrives, distance, sky, roughness and light that is given off. Day and night
are then two ways to light one canvas (`light`), and so agree to the pixel.

Takafumi Saito and Tokiichiro Takahashi, "Comprehensible Rendering of 3-D Shapes", SIGGRAPH 1990 (such buffers).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from pix2pix.data.embedded.basics import Colour
from pix2pix.data.embedded.perlin import Field, fractal_noise

Points = NDArray[np.float64]
Grain = Literal["fine", "middle", "coarse"]

SHORTEST_SIDE = 256  # smaller pictures are drawn at a multiple and averaged down
LIGHT_SIDE = 128  # pools of light are soft, so that this resolution is enough for a picture of any size
SUBPIXEL_BITS = 4
NEAREST = 0.6  # metres; what is nearer to the camera is drawn as if it were here
HALF_HAZED = 700.0  # metres at which half of the air's veil lies before a thing

GRAINS: Mapping[Grain, tuple[int, int, float]] = MappingProxyType(
    {"fine": (84, 2, 0.8), "middle": (20, 3, 0.7), "coarse": (4, 4, 0.55)}  # cells, octaves, gain
)


@dataclass(frozen=True)
class Camera:
    """A level pinhole camera `height` metres above the ground; `focal` is in widths of the picture."""

    horizon: float
    height: float
    focal: float

    def project(self, x: Points | float, y: Points | float, z: Points | float) -> Points:
        """Metres to the right, above the ground and ahead, broadcast, to picture coordinates (..., 2)."""
        scale = self.focal / np.maximum(z, NEAREST)
        across, down = 0.5 + x * scale, self.horizon + (self.height - y) * scale
        place = np.empty((*np.broadcast_shapes(np.shape(across), np.shape(down)), 2))
        place[..., 0], place[..., 1] = across, down
        return place

    def distance(self, row: float) -> float:
        """How far away the ground is, in metres, that is seen at this height of the picture."""
        return self.focal * self.height / max(row - self.horizon, 1e-4)

    def half_width(self, z: float) -> float:
        """Half of what the picture shows across at this distance, in metres."""
        return 0.5 * z / self.focal


@dataclass(frozen=True)
class Sun:
    """Unit vector towards the sun, or at night the moon: to the right, up, and away from the camera."""

    x: float
    y: float
    z: float

    def on(self, normal: tuple[float, float, float]) -> float:
        """The share of its light that a matt face with this unit normal throws back."""
        return max(0.0, self.x * normal[0] + self.y * normal[1] + self.z * normal[2])


@lru_cache(maxsize=4)
def _tiles(side: int) -> Mapping[Grain, Field]:
    """Seamless noise of spread 1, twice in either direction (a crop never wraps); scenes differ in where they cut."""
    tiles: dict[Grain, Field] = {}
    for name, (cells, octaves, gain) in GRAINS.items():
        field = fractal_noise(np.random.default_rng(cells), (side, side), (cells, cells), octaves=octaves, gain=gain)
        tiles[name] = np.tile(field / np.float32(field.std()), (2, 2))
        tiles[name].flags.writeable = False
    return MappingProxyType(tiles)


class Canvas:
    """Buffers of side S, a multiple of the picture's size; painters fill them from far to near.

    `colour` (S, S, 3) is what white light would show; `sun` (S, S) the share of direct light that arrives and is
    thrown back; `nature` (S, S, 3) is distance (255 is lost in haze), sky (255) or not (0), and roughness; `glow`
    (S, S, 3) the light given off after dark. These are uint8; `pools` (128, 128) is lamp light on what stands around.
    """

    def __init__(self, size: int, camera: Camera, sun: Sun, rng: np.random.Generator) -> None:
        self.size = size
        self.factor = max(1, -(-SHORTEST_SIDE // size))
        self.side = size * self.factor
        self.camera = camera
        self.direction = sun
        self.rng = rng
        self.colour: NDArray[np.uint8] = np.zeros((self.side, self.side, 3), np.uint8)
        self.sun: NDArray[np.uint8] = np.zeros((self.side, self.side), np.uint8)
        self.nature: NDArray[np.uint8] = np.zeros((self.side, self.side, 3), np.uint8)
        self.nature[..., 1] = 255
        self.glow: NDArray[np.uint8] = np.zeros((self.side, self.side, 3), np.uint8)
        self.pools: Field = np.zeros((LIGHT_SIDE, LIGHT_SIDE), np.float32)
        self.grain: Field = 0.7 * self.noise("fine") + 0.5 * self.noise("middle")  # roughness shows so much of it
        self.mirror: tuple[int, Field, Field] | None = None  # first row of water, and what its pixels reflect (x, y)

    def noise(self, grain: Grain, rows: int | None = None, columns: int | None = None) -> Field:
        """A patch, as large as the canvas unless told, cut out of the noise anywhere; mean 0, spread 1."""
        top, left = (int(throw * self.side) for throw in self.rng.random(2).tolist())
        rows, columns = (min(rows or self.side, self.side), min(columns or self.side, self.side))
        return _tiles(self.side)[grain][top : top + rows, left : left + columns]

    def seen_flat(self, grain: Grain, rows: slice, depth: Field, period: tuple[float, float]) -> Field:
        """Noise lying on a plane that the camera sees at a slant, repeating after `period` (across, ahead).

        `depth` (rows,) is the distance of each row; far rows, finer than pixels, are left for the caller to fade.
        """
        start_x, start_y = self.rng.random(2).tolist()
        across = (np.arange(self.side, dtype=np.float32) + 0.5) / self.side - 0.5
        x = np.outer(depth / np.float32(period[0] * self.camera.focal), across) + np.float32(start_x)
        y = np.broadcast_to((depth / np.float32(period[1]) + np.float32(start_y))[:, None], x.shape)
        tile = _tiles(self.side)[grain][: self.side, : self.side]
        wrapped = [np.ascontiguousarray((axis - np.floor(axis)) * np.float32(self.side)) for axis in (x, y)]
        assert x.shape[0] == rows.stop - rows.start
        return np.asarray(cv2.remap(tile, wrapped[0], wrapped[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP))

    def remoteness(self, z: float) -> int:
        """How much of the air's veil, 0 to 255, lies before something `z` metres away."""
        return round(255 * z / (z + HALF_HAZED))

    def fixed(self, points: Points) -> NDArray[np.int32]:
        """Picture coordinates as OpenCV's fixed-point pixels, held within what it can draw."""
        pixels = np.clip(points, -3.0, 4.0) * self.side - 0.5
        return np.rint(pixels * (1 << SUBPIXEL_BITS)).astype(np.int32)

    def fill(self, points: Points, colour: Colour, sun: float, z: float, rough: float = 0.3) -> None:
        """Paint a polygon (n, 2), or several (m, n, 2) that do not overlap: a thing `z` metres away."""
        outline = self._outlines(points)
        cv2.fillPoly(self.colour, outline, colour, cv2.LINE_AA, SUBPIXEL_BITS)
        cv2.fillPoly(self.sun, outline, (255.0 * min(sun, 1.0),), cv2.LINE_AA, SUBPIXEL_BITS)
        nature = (float(self.remoteness(z)), 0.0, 255.0 * rough)
        cv2.fillPoly(self.nature, outline, nature, cv2.LINE_AA, SUBPIXEL_BITS)
        cv2.fillPoly(self.glow, outline, (0.0, 0.0, 0.0), cv2.LINE_AA, SUBPIXEL_BITS)

    def tint(self, points: Points, colour: Colour) -> None:
        """Change the colour alone: something flat on what is there."""
        cv2.fillPoly(self.colour, self._outlines(points), colour, cv2.LINE_AA, SUBPIXEL_BITS)

    def shine(self, points: Points, colour: Colour) -> None:
        """Let polygons give off light after dark."""
        cv2.fillPoly(self.glow, self._outlines(points), colour, cv2.LINE_AA, SUBPIXEL_BITS)

    def shadow(self, points: Points, rest: float = 0.0) -> None:
        """Take the sun, but for `rest`, from the hull of these points."""
        hull = cv2.convexHull(self.fixed(points).reshape(-1, 1, 2))
        cv2.fillPoly(self.sun, [hull], (255.0 * rest,), cv2.LINE_AA, SUBPIXEL_BITS)

    def pool(self, centre: Points, radii: tuple[float, float], strength: float) -> None:
        """Add lamp light that fades away from a point; `radii` (across, down) are where a third of it is left."""
        place = (np.arange(LIGHT_SIDE, dtype=np.float32) + 0.5) / LIGHT_SIDE
        across, down = (
            np.exp(-(((place - np.float32(middle)) / np.float32(max(radius, 0.006))) ** 2))
            for middle, radius in zip(centre.tolist(), radii, strict=True)
        )
        self.pools += np.outer(np.float32(strength) * down, across)

    def area(self, box: tuple[float, float, float, float]) -> tuple[slice, slice, Field, Field]:
        """Rows and columns of a box (left, top, right, bottom), cut at the border, and their centres in [0, 1]."""
        left, top, right, bottom = (min(max(round(edge * self.side), 0), self.side) for edge in box)
        y = (np.arange(top, bottom, dtype=np.float32) + np.float32(0.5)) / np.float32(self.side)
        x = (np.arange(left, right, dtype=np.float32) + np.float32(0.5)) / np.float32(self.side)
        return slice(top, bottom), slice(left, right), y, x

    def blend(
        self, where: tuple[slice, slice], cover: Field, colour: Field, sun: Field, far: float | Field, rough: float
    ) -> None:
        """Lay a surface with a colour (h, w, 3) and sun (h, w) of its own over an area, as far as `cover` (h, w)."""
        share = cover[..., None]
        nature = np.empty((*cover.shape, 3), np.float32)
        nature[..., 0] = far
        nature[..., 1] = 0.0
        nature[..., 2] = 255.0 * rough
        for buffer, new, weight in (
            (self.colour, np.clip(colour, 0.0, 255.0), share),
            (self.sun, np.clip(sun, 0.0, 1.0) * np.float32(255.0), cover),
            (self.nature, nature, share),
        ):
            view = buffer[where]
            view[...] = view + (new - view) * weight
        glow = self.glow[where]
        if glow.any():
            glow[...] = glow * (1.0 - share)

    def _outlines(self, points: Points) -> list[NDArray[np.int32]]:
        fixed = self.fixed(points)
        return [fixed] if fixed.ndim == 2 else list(fixed)
