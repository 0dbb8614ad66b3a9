"""The canvas of the embedded towns: aerial colours with materials, the light on them, and the map, all in register.

It has at least twice the picture's resolution. The fourth channel of the aerial picture holds the material, so one
stroke paints colour and material together; edges become smooth when the canvas is averaged down.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from pix2pix.data.embedded.basics import Colour
from pix2pix.data.embedded.towns.plane import Points
from pix2pix.data.embedded.towns.style import MAP_STREET_LEVEL

Picture = NDArray[np.uint8]
Outline = NDArray[np.int32]

FRACTION_BITS = 4  # OpenCV takes positions in sixteenths of a canvas point


class TownCanvas:
    """Aerial (S, S, 4), map (S, S, 3) and light (S, S; 255 is fully lit), with S twice the picture's size or more."""

    def __init__(self, size: int, ground: Colour, material: int) -> None:
        self.size = size
        self.factor = 2 if size > 128 else 4
        self.side = side = size * self.factor
        self.aerial: Picture = np.empty((side, side, 4), np.uint8)
        cv2.rectangle(self.aerial, (0, 0), (side, side), (*ground, material), -1)
        self.map: Picture = np.full((side, side, 3), MAP_STREET_LEVEL, np.uint8)
        self.light: Picture = np.full((side, side), 255, np.uint8)

    def fixed(self, places: Points) -> Outline:
        """Positions (..., 2) in shares of the picture as OpenCV's fixed-point positions on this canvas."""
        return np.rint((places * self.side - 0.5) * (1 << FRACTION_BITS)).astype(np.int32, order="C")

    def fill(self, outline: Outline, colour: Colour, material: int) -> None:
        """Paint any polygon in the aerial picture."""
        cv2.fillPoly(self.aerial, [outline], (*colour, material), 8, FRACTION_BITS)

    def facet(self, corners: Outline, colour: Colour, material: int) -> None:
        """Paint a convex polygon in the aerial picture; several times faster than `fill`."""
        cv2.fillConvexPoly(self.aerial, corners, (*colour, material), 8, FRACTION_BITS)

    def dim(self, corners: Outline, light: int) -> None:
        """Let `light` of 255 reach a convex polygon."""
        cv2.fillConvexPoly(self.light, corners, light, 8, FRACTION_BITS)

    def chart(self, outline: Outline, colour: Colour) -> None:
        """Fill any polygon in the map."""
        cv2.fillPoly(self.map, [outline], colour, 8, FRACTION_BITS)

    def trace(self, outline: Outline, colour: Colour, closed: bool = True) -> None:
        """Draw a thin line in the map, of about 0.6 points of a 256-pixel picture."""
        cv2.polylines(self.map, [outline], closed, colour, max(1, round(self.side / 512)), 8, FRACTION_BITS)

    def dot(self, x: int, y: int, radius: int, colour: Colour, material: int) -> None:
        """Paint a disc in the aerial picture, in fixed-point positions."""
        cv2.circle(self.aerial, (x, y), radius, (*colour, material), -1, 8, FRACTION_BITS)

    def dim_dot(self, x: int, y: int, radius: int, light: int) -> None:
        """Let `light` of 255 reach a disc, in fixed-point positions."""
        cv2.circle(self.light, (x, y), radius, light, -1, 8, FRACTION_BITS)

    def flatten(self) -> tuple[Picture, Picture, Picture, Picture]:
        """Aerial colours, materials, light and map at the picture's size; materials are not averaged."""
        middle = self.factor // 2
        material = self.aerial[middle :: self.factor, middle :: self.factor, 3].copy()
        aerial = _averaged(self.aerial, self.factor)[..., :3]
        return aerial, material, _averaged(self.light, self.factor), _averaged(self.map, self.factor)


def _averaged(picture: Picture, factor: int) -> Picture:
    """The mean over squares of `factor` points, in numpy, since OpenCV's resize would start threads in every worker."""
    rows = sum((picture[step::factor] for step in range(1, factor)), start=picture[0::factor].astype(np.uint16))
    total = sum((rows[:, step::factor] for step in range(1, factor)), start=rows[:, 0::factor])
    return ((total + np.uint16(factor * factor // 2)) // np.uint16(factor * factor)).astype(np.uint8)
