"""The canvas of the embedded facades: colour, class and light of every point, kept together so that they agree.

It has twice the picture's resolution. Outlines are snapped to whole picture pixels, so labels fit to the pixel, while
what lies inside them (mullions, railings, arches) is anti-aliased when the canvas is averaged down.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from pix2pix.data.embedded.basics import Colour
from pix2pix.data.embedded.facades.parts import Box

Rect = tuple[int, int, int, int]
Picture = NDArray[np.uint8]

SUPERSAMPLING = 2
REFERENCE_SIDE = 512  # strokes are given in points of a canvas of this side (a 256-pixel picture)


class Canvas:
    """Colour (S, S, 3), labels (S, S) and light (S, S; 255 is fully lit), with S twice the picture's size."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.side = size * SUPERSAMPLING
        self.colour: Picture = np.zeros((self.side, self.side, 3), np.uint8)
        self.labels: Picture = np.zeros((self.side, self.side), np.uint8)
        self.light: Picture = np.full((self.side, self.side), 255, np.uint8)

    def snap(self, box: Box) -> Rect:
        """The box on the canvas, its edges on whole picture pixels and inside the picture; may be empty."""
        size, factor = self.size, SUPERSAMPLING
        return (
            factor * min(max(round(box.x0 * size), 0), size),
            factor * min(max(round(box.y0 * size), 0), size),
            factor * min(max(round(box.x1 * size), 0), size),
            factor * min(max(round(box.y1 * size), 0), size),
        )

    def stroke(self, points: float) -> int:
        """A length in reference points as canvas pixels, at least one."""
        return max(1, round(points * self.side / REFERENCE_SIDE))

    def fill(self, rect: Rect, colour: Colour) -> None:
        """Paint a rectangle; whatever of it lies outside is cut off."""
        x0, y0, x1, y1 = rect
        self.colour[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)] = colour

    def blend(self, rect: Rect, colour: Colour, share: float) -> None:
        """Paint a rectangle so that `share` of the colour covers what is there."""
        x0, y0, x1, y1 = rect
        view = self.colour[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)]
        if view.size:
            view[...] = view * np.float32(1.0 - share) + np.asarray(colour, np.float32) * np.float32(share)

    def polygon(self, clip: Rect, points: Sequence[tuple[float, float]], colour: Colour) -> None:
        """Paint a polygon with smooth edges, as far as it lies in the rectangle `clip`."""
        x0, y0, x1, y1 = clip
        patch = self.colour[y0:y1, x0:x1].copy()
        corners = np.asarray(points, np.int32) - np.array([x0, y0], np.int32)
        cv2.fillPoly(patch, [corners], colour, cv2.LINE_AA)
        self.colour[y0:y1, x0:x1] = patch

    def ellipse(
        self,
        clip: Rect,
        centre: tuple[float, float],
        radii: tuple[float, float],
        colour: Colour,
        width: int = -1,
    ) -> None:
        """Draw an ellipse, filled where `width` is -1, as far as it lies in the rectangle `clip`."""
        x0, y0, x1, y1 = clip
        patch = self.colour[y0:y1, x0:x1].copy()
        middle = (int(centre[0]) - x0, int(centre[1]) - y0)
        axes = (max(1, int(radii[0])), max(1, int(radii[1])))
        cv2.ellipse(patch, middle, axes, 0.0, 0.0, 360.0, colour, width, cv2.LINE_AA)
        self.colour[y0:y1, x0:x1] = patch

    def label(self, rect: Rect, index: int) -> None:
        """Give a rectangle a class."""
        x0, y0, x1, y1 = rect
        self.labels[y0:y1, x0:x1] = index

    def dim(self, rect: Rect, value: int) -> None:
        """Let at most `value` of 255 of the light reach a rectangle."""
        x0, y0, x1, y1 = rect
        view = self.light[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)]
        np.minimum(view, value, out=view)

    def raise_up(self, rect: Rect, shadow: tuple[int, int], value: int) -> None:
        """Cast the shadow of something that stands out by `shadow` (right, down), and light the thing itself."""
        x0, y0, x1, y1 = rect
        self.dim((x0 + shadow[0], y0 + shadow[1], x1 + shadow[0], y1 + shadow[1]), value)
        self.light[y0:y1, x0:x1] = 255

    def keep(self, rect: Rect) -> tuple[Picture, Picture, Picture]:
        """A copy of the rectangle in all three layers, for `restore`."""
        x0, y0, x1, y1 = rect
        area = np.s_[y0:y1, x0:x1]
        return self.colour[area].copy(), self.labels[area].copy(), self.light[area].copy()

    def restore(self, rect: Rect, kept: tuple[Picture, Picture, Picture], outside: NDArray[np.bool_]) -> None:
        """Undo what was painted in the rectangle since `keep`, where `outside` is true."""
        x0, y0, x1, y1 = rect
        area = np.s_[y0:y1, x0:x1]
        for layer, before in zip((self.colour, self.labels, self.light), kept, strict=True):
            layer[area][outside] = before[outside]

    def flatten(self) -> tuple[Picture, Picture]:
        """Labels (size, size) and the lit colours averaged to (size, size, 3).

        In numpy, since OpenCV's own blur and resize would start threads in every worker.
        """
        # 255 * 255 fits into 16 bits, which makes this twice as fast as in floating point.
        lit = np.multiply(self.colour, _softened(self.light, self.stroke(3))[..., None], dtype=np.uint16)
        pairs = lit[0::2].astype(np.uint32) + lit[1::2]
        photo = (pairs[:, 0::2] + pairs[:, 1::2]) // (255 * SUPERSAMPLING**2)
        return self.labels[::SUPERSAMPLING, ::SUPERSAMPLING].copy(), photo.astype(np.uint8)


def _softened(light: Picture, reach: int) -> Picture:
    """The mean of the light over `reach` x `reach` points, which gives shadows soft edges."""
    side = light.shape[0]
    padded = np.pad(light, ((reach // 2, (reach - 1) // 2),) * 2, mode="edge").astype(np.uint16)
    rows = sum((padded[step : step + side] for step in range(1, reach)), start=padded[:side])
    total = sum((rows[:, step : step + side] for step in range(1, reach)), start=rows[:, :side])
    return (total // np.uint16(reach * reach)).astype(np.uint8)
