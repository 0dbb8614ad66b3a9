"""Boxes on wheels for the vehicles of an embedded street scene: which of their faces the camera sees, and where."""

from collections.abc import Sequence

import numpy as np

from pix2pix.data.embedded.basics import Colour
from pix2pix.data.embedded.streets.canvas import CIRCLE, NEAREST, Canvas, Face
from pix2pix.data.embedded.streets.types import Item
from pix2pix.data.embedded.streets.weather import scaled

RUBBER: Colour = (26.0, 26.0, 28.0)


class Solid:
    """A vehicle in its own metres: `a` to its right, y up, `s` forwards from its middle.

    `end` is 1 where its front shows, -1 its rear, 0 neither; `side` is 1 for its right side, -1 for its left.
    """

    def __init__(self, canvas: Canvas, item: Item, name: str, length: float) -> None:
        self.canvas = canvas
        self.length, self.width, self.height = length, item.width, item.height
        self.forward = (float(np.sin(item.heading)), float(np.cos(item.heading)))
        self.right = (self.forward[1], -self.forward[0])
        along = abs(self.forward[1]) > 0.5
        z = item.z + (0.5 * length if along else 0.0)
        self.middle = (canvas.camera.bend(item.x, item.z), z)
        axes = [[self.right[0], 0.0, self.right[1]], [0.0, 1.0, 0.0], [self.forward[0], 0.0, self.forward[1]]]
        self.matrix = np.array(axes)
        self.offset = np.array([self.middle[0], -canvas.camera.height, z])
        self.surface = canvas.upright(name, "metal", max(item.z, NEAREST))
        self.light = canvas.daylight(self.middle[0], max(item.z - 0.6, 1.0))
        ahead = -self.middle[0] * self.forward[0] - z * self.forward[1]
        beside = -self.middle[0] * self.right[0] - z * self.right[1]
        self.end = int(np.sign(ahead)) if abs(ahead) > 0.5 * length else 0
        self.side = int(np.sign(beside)) if abs(beside) > 0.5 * self.width else 0
        self.side_normal = (self.side * self.right[0], 0.0, self.side * self.right[1])
        self.end_normal = (self.end * self.forward[0], 0.0, self.end * self.forward[1])

    def polygon(self, points: Sequence[tuple[float, float, float]], colour: Colour) -> None:
        """Fill a polygon with corners (a, y, s)."""
        corners = self.canvas.corners(np.asarray(points) @ self.matrix + self.offset)
        self.canvas.fill_corners(corners, scaled(colour, self.light), self.surface)

    def flank(self, a: float, points: Sequence[tuple[float, float]], colour: Colour) -> None:
        """Fill a polygon with corners (s, y) on the plane beside the vehicle's middle plane."""
        self.polygon([(a, y, s) for s, y in points], colour)

    def across(self, s: float, x0: float, y0: float, x1: float, y1: float, colour: Colour) -> None:
        """Fill a rectangle on a plane across the vehicle."""
        self.polygon([(x0, y0, s), (x1, y0, s), (x1, y1, s), (x0, y1, s)], colour)

    def end_face(self) -> Face:
        """The front or rear that shows, in metres from its left edge as seen."""
        half = -0.5 * self.width * self.end
        return self._face((-half, 0.5 * self.length * self.end), (half, 0.5 * self.length * self.end))

    def side_face(self) -> Face:
        """The side that shows, in metres from the rear."""
        a = 0.5 * self.width * self.side
        return self._face((a, -0.5 * self.length), (a, 0.5 * self.length))

    def wheel(self, s: float, radius: float, hub: Colour) -> None:
        """A wheel on the side that shows."""
        a = 0.5 * self.width * self.side
        for size, colour in ((1.0, RUBBER), (0.6, hub), (0.25, scaled(hub, 0.5))):
            circle = CIRCLE * (radius * size)
            self.polygon([(a, radius + y, s + x) for x, y in circle.tolist()], colour)

    def _face(self, start: tuple[float, float], end: tuple[float, float]) -> Face:
        (ax, az), (bx, bz) = (
            (
                self.middle[0] + a * self.right[0] + s * self.forward[0],
                self.middle[1] + a * self.right[1] + s * self.forward[1],
            )
            for a, s in (start, end)
        )
        return Face(self.canvas, self.surface, (ax, az), (bx, bz), self.light)
