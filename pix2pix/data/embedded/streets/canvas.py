"""The canvas of the embedded street scenes: a filled polygon sets colour and surface; class and depth follow from it.

It has twice the picture's resolution and four channels, red, green, blue and the number of the surface. A surface is
a plane in space with a class and a material, so labels, haze and texture come from one map of numbers and always
agree with the outlines in the picture. With the ray (r, s, 1) of a pixel and the plane n . p = d, its depth is
z = d / (n . (r, s, 1)).

The world is in metres: x to the right, y up from the road, z ahead of the camera, which looks along z.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pix2pix.data.embedded.basics import Colour
from pix2pix.data.embedded.streets.materials import MATERIALS, MaterialName
from pix2pix.data.embedded.streets.weather import Weather

Points = Sequence[tuple[float, float]]
Floats = NDArray[np.float32]

SUPERSAMPLING = 2
FRACTION_BITS = 4  # polygons are placed to a sixteenth of a canvas pixel
FARTHEST = 1e6  # in such fractions, far outside the picture
NEAREST = 0.7  # metres: what is nearer than this is moved there, outside the view
FULL_LIGHT, SHADE, CONTACT = 255, 110, 28  # values of the ground's light

_TURN = np.linspace(0.0, 2.0 * np.pi, 16, endpoint=False)
CIRCLE = np.stack([np.cos(_TURN), np.sin(_TURN)], axis=1)


class Camera(NamedTuple):
    """Where the vanishing point lies (shares of the picture), the focal length in picture widths, metres above road.

    Pictures of twice the width are squashed to squares, as this data set's usually are, so the vertical focal length
    is twice the horizontal one. The street bends by `curve` z^2 metres to the right.
    """

    centre: float
    horizon: float
    focal: float
    height: float
    curve: float

    def bend(self, x: float, z: float) -> float:
        """Where a point `x` metres beside the straight street lies beside the bent one."""
        return x + self.curve * z * z


class Plane(NamedTuple):
    """All points p with (x, y, z) . p = distance, seen from the camera, in metres."""

    x: float
    y: float
    z: float
    distance: float


class Canvas:
    """Pixels (side, side, 4) uint16 and the light of the ground (size, size) uint8, side = 2 size."""

    def __init__(self, size: int, camera: Camera, weather: Weather, noise: NDArray[np.uint8]) -> None:
        self.size = size
        self.side = size * SUPERSAMPLING
        self.camera = camera
        self.weather = weather
        self.noise = noise
        self.pixels = np.zeros((self.side, self.side, 4), np.uint16)
        self.light = np.full((size, size), FULL_LIGHT, np.uint8)
        points = self.side * (1 << FRACTION_BITS)
        self.scale = np.array([camera.focal * points, -2.0 * camera.focal * points])
        self.origin = np.array([camera.centre, camera.horizon]) * points - 0.5 * (1 << FRACTION_BITS)
        self.surfaces: dict[tuple[str, MaterialName, Plane], int] = {}
        self.surface("sky", "sky", Plane(0.0, 0.0, 1.0, 1000.0))

    def surface(self, name: str, material: MaterialName, plane: Plane) -> int:
        """The number of a surface of class `name`; the same surface always has the same number."""
        assert material in MATERIALS, material
        return self.surfaces.setdefault((name, material, plane), len(self.surfaces))

    def ground(self, name: str, material: MaterialName, y: float = 0.0) -> int:
        """A horizontal surface at height `y`."""
        return self.surface(name, material, Plane(0.0, 1.0, 0.0, y - self.camera.height))

    def upright(self, name: str, material: MaterialName, z: float) -> int:
        """A surface that faces the camera at depth `z`, which is rounded to three hundredths of itself."""
        depth = float(np.exp(np.round(np.log(max(z, NEAREST)) * 32.0) / 32.0))
        return self.surface(name, material, Plane(0.0, 0.0, 1.0, depth))

    def wall(self, name: str, material: MaterialName, start: tuple[float, float], end: tuple[float, float]) -> int:
        """An upright surface over the line from one point of the ground (x, z) to another."""
        along, ahead = end[0] - start[0], end[1] - start[1]
        length = max(float(np.hypot(along, ahead)), 1e-6)
        normal_x, normal_z = ahead / length, -along / length
        return self.surface(name, material, Plane(normal_x, 0.0, normal_z, normal_x * start[0] + normal_z * start[1]))

    def project(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Canvas pixels (..., 2) of points in space (..., 3)."""
        corners = self.corners(points - np.array([0.0, self.camera.height, 0.0]))
        return corners / (1 << FRACTION_BITS) + 0.5

    def corners(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """What OpenCV wants to have for points (..., 3) that count from the camera: x, y (..., 2) in sixteenths of a
        canvas pixel from the middle of the first one."""
        depth = np.maximum(points[..., 2:], NEAREST)
        return np.asarray(points[..., :2] / depth * self.scale + self.origin)

    def fill(self, pixels: NDArray[np.float64], colour: Colour, surface: int) -> None:
        """Fill one polygon (n, 2) or many of the same length (k, n, 2), given in canvas pixels."""
        self.fill_corners((pixels - 0.5) * (1 << FRACTION_BITS), colour, surface)

    def fill_corners(self, corners: NDArray[np.float64], colour: Colour, surface: int) -> None:
        """As `fill`, with what `corners` gives."""
        whole = np.minimum(np.maximum(corners, -FARTHEST), FARTHEST).astype(np.int32)
        polygons = [whole] if whole.ndim == 2 else list(whole)
        red, green, blue = colour
        value = (min(red, 255.0), min(green, 255.0), min(blue, 255.0), surface)
        cv2.fillPoly(self.pixels, polygons, value, shift=FRACTION_BITS)

    def polygon(self, points: Sequence[tuple[float, float, float]], colour: Colour, surface: int) -> None:
        """Fill a polygon given by its corners in space."""
        self.fill(self.project(np.asarray(points)), colour, surface)

    def dim(self, points: NDArray[np.float64], value: int) -> None:
        """Let the light `value` fall on a polygon of the ground, (n, 2) as x and z, or on many (k, n, 2)."""
        flat = np.stack([points[..., 0], np.zeros(points.shape[:-1]), points[..., 1]], axis=-1)
        pixels = self.project(flat) / SUPERSAMPLING
        corners = ((pixels - 0.5) * (1 << FRACTION_BITS)).clip(-1e6, 1e6).astype(np.int32)
        polygons = [corners] if corners.ndim == 2 else list(corners)
        cv2.fillPoly(self.light, polygons, (value,), shift=FRACTION_BITS)

    def daylight(self, x: float, z: float) -> float:
        """The light on the ground at a point, 1 in the sun and less in a shadow, for what stands there."""
        (column, row) = self.project(np.array([x, 0.0, z])) / SUPERSAMPLING
        inside = self.light[min(max(int(row), 0), self.size - 1), min(max(int(column), 0), self.size - 1)]
        return self.weather.in_shade + (1.0 - self.weather.in_shade) * (1.0 if inside > SHADE else 0.0)

    def face(self, surface: int, start: tuple[float, float], end: tuple[float, float], light: float = 1.0) -> "Face":
        """An upright plane from one point of the ground (x, z) to another."""
        return Face(self, surface, start, end, light)

    def board(self, name: str, material: MaterialName, x: float, z: float) -> "Face":
        """An upright plane that faces the camera, its zero at (x, z), in the light that falls there."""
        number = self.upright(name, material, z)
        return Face(self, number, (x, z), (x + 1.0, z), self.daylight(x, z))


class Face:
    """An upright plane to paint on, in metres along it and metres up from the road."""

    def __init__(
        self, canvas: Canvas, surface: int, start: tuple[float, float], end: tuple[float, float], light: float
    ) -> None:
        self.canvas = canvas
        self.surface = surface
        self.start = start
        self.length = float(np.hypot(end[0] - start[0], end[1] - start[1]))
        self.along = ((end[0] - start[0]) / self.length, (end[1] - start[1]) / self.length)
        self.light = light
        # One matrix takes a point of the face to space; what faces the camera is only scaled, in half the time.
        self.matrix = np.array([[self.along[0], 0.0, self.along[1]], [0.0, 1.0, 0.0]])
        self.offset = np.array([start[0], -canvas.camera.height, start[1]])
        self.flat = self.along == (1.0, 0.0)
        self.scale = canvas.scale / max(start[1], NEAREST)
        self.origin = canvas.origin + self.offset[:2] * self.scale

    def polygons(self, points: NDArray[np.float64], colour: Colour) -> None:
        """Fill polygons (..., n, 2)."""
        lit = (colour[0] * self.light, colour[1] * self.light, colour[2] * self.light)
        if self.flat:
            corners = points * self.scale + self.origin
        else:
            corners = self.canvas.corners(points @ self.matrix + self.offset)
        self.canvas.fill_corners(corners, lit, self.surface)

    def polygon(self, points: Points, colour: Colour) -> None:
        """Fill one polygon."""
        self.polygons(np.asarray(points, np.float64), colour)

    def rectangle(self, x0: float, y0: float, x1: float, y1: float, colour: Colour) -> None:
        """Fill one rectangle."""
        self.polygons(np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)]), colour)

    def rectangles(self, boxes: NDArray[np.float64], colour: Colour) -> None:
        """Fill rectangles (k, 4), each x0, y0, x1, y1, that do not overlap."""
        if len(boxes):
            self.polygons(boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2), colour)

    def ellipse(self, centre: tuple[float, float], radii: tuple[float, float], colour: Colour) -> None:
        """Fill an ellipse."""
        self.polygons(CIRCLE * radii + centre, colour)

    def stroke(self, start: tuple[float, float], end: tuple[float, float], width: float, colour: Colour) -> None:
        """Draw a bar from one point to another, as wide as given in metres."""
        dx, dy = end[0] - start[0], end[1] - start[1]
        half = 0.5 * width / max((dx * dx + dy * dy) ** 0.5, 1e-6)
        nx, ny = -dy * half, dx * half
        (ax, ay), (bx, by) = start, end
        corners = [(ax + nx, ay + ny), (bx + nx, by + ny), (bx - nx, by - ny), (ax - nx, ay - ny)]
        self.polygons(np.array(corners), colour)
