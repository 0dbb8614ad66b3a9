"""The plane of an embedded town: from metres along and across its streets to the picture, straight or bent.

Streets, blocks and houses are planned as rectangles in street coordinates (u, v). One smooth map takes them all to the
picture: bent to a circle's arc (which keeps right angles), kinked along a line, turned, and scaled.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Box = tuple[float, float, float, float]
Outline = list[tuple[float, float]]


@dataclass(frozen=True)
class Plane:
    """Where street coordinates in metres lie in a picture of `extent` metres a side."""

    extent: float
    angle: float
    radius: float  # of the arcs in which the streets along u are bent; infinite for straight ones
    kink: float  # slope by which streets along v turn aside where v is positive
    centre: tuple[float, float] = (0.0, 0.0)

    def place(self, points: Points | Outline) -> Points:
        """Positions in the picture, 0 to 1 from left to right and from top to bottom, of points (..., 2)."""
        uv = np.asarray(points)
        u = uv[..., 0] + self.centre[0]
        v = uv[..., 1] + self.centre[1]
        u = u + self.kink * 0.5 * (v + np.sqrt(v * v + 400.0))
        if np.isfinite(self.radius):
            turn = u / self.radius
            u, v = (self.radius + v) * np.sin(turn), (self.radius + v) * np.cos(turn) - self.radius
        cosine, sine = np.cos(self.angle), np.sin(self.angle)
        return np.stack([u * cosine - v * sine, u * sine + v * cosine], -1) / self.extent + 0.5


def box_outline(box: Box, step: float = 1e9, chamfer: float = 0.0) -> Outline:
    """The outline of a rectangle, with a point every `step` metres and its corners cut by `chamfer` metres."""
    u0, v0, u1, v1 = box
    if chamfer == 0.0 and max(u1 - u0, v1 - v0) < step:
        return [(u0, v0), (u1, v0), (u1, v1), (u0, v1)]
    cut = min(chamfer, 0.3 * (u1 - u0), 0.3 * (v1 - v0))
    across = _spread(u0 + cut, u1 - cut, step)
    down = _spread(v0 + cut, v1 - cut, step)
    outline = [(u, v0) for u in across] + [(u1, v) for v in down]
    return outline + [(u, v1) for u in reversed(across)] + [(u0, v) for v in reversed(down)]


def ellipse_outline(box: Box, points: int = 20, power: float = 1.0) -> Outline:
    """The ellipse that fills a rectangle; a power below 1 makes it squarer."""
    outline = []
    for step in range(points):
        turn = 2.0 * math.pi * step / points
        u, v = math.cos(turn), math.sin(turn)
        u, v = math.copysign(abs(u) ** power, u), math.copysign(abs(v) ** power, v)
        outline.append(
            ((box[0] + box[2] + u * (box[2] - box[0])) / 2.0, (box[1] + box[3] + v * (box[3] - box[1])) / 2.0)
        )
    return outline


def box_corners(boxes: Sequence[Box]) -> Points:
    """The corners (N, 4, 2) of rectangles, in the order of `box_outline`."""
    return np.array(boxes, np.float64).reshape(-1, 4)[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2)


def ribbon(line: Points, width: float | NDArray[np.float64], offset: float = 0.0) -> Points:
    """The outline (2 N, 2) of a band of `width` along the points (N, 2), moved aside to the right by `offset`."""
    aside = normals(line)
    half = np.broadcast_to(np.asarray(width) / 2.0, len(line))[:, None]
    return np.concatenate([line + aside * (offset + half), (line + aside * (offset - half))[::-1]])


def normals(line: Points) -> Points:
    """Unit vectors across a line (N, 2): to the right of it in a picture, whose second coordinate points down."""
    along = np.empty_like(line)
    along[1:-1] = line[2:] - line[:-2]
    along[0], along[-1] = line[1] - line[0], line[-1] - line[-2]
    aside = np.empty_like(along)
    aside[:, 0], aside[:, 1] = -along[:, 1], along[:, 0]
    return aside / np.hypot(along[:, :1], along[:, 1:])


def _spread(start: float, end: float, step: float) -> list[float]:
    """Evenly spaced numbers from start to end, at most `step` apart."""
    parts = 1 + int((end - start) / step)
    return [start + (end - start) * part / parts for part in range(parts + 1)]
