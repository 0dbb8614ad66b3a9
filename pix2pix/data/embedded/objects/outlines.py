"""Outlines of the embedded objects: splines through a few control points, ribbons, ellipses, and where they are placed.

Edwin Catmull and Raphael Rom, "A Class of Local Interpolating Splines", Computer Aided Geometric Design, 1974: between
p1 and p2 the curve is the cubic with tangents (p2 - p0) / 2 and (p3 - p1) / 2.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Pairs = Points | Sequence[tuple[float, float]]


def spline(points: Pairs, closed: bool = False, steps: int = 8) -> Points:
    """A Catmull-Rom curve through the points; a point given twice is a corner.

    Shape: (n, 2) -> (m, 2), with m = steps * n if closed, else steps * (n - 1) + 1.
    """
    knots = np.asarray(points, np.float64)
    if closed:
        padded = np.concatenate([knots[-1:], knots, knots[:2]])
    else:
        padded = np.concatenate([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
    t = (np.arange(steps) / steps)[None, :, None]
    before, start, end, after = (padded[i : len(padded) - 3 + i, None, :] for i in range(4))
    # A doubled point is a segment of no length, which tangents would bend into a loop.
    bent = np.any(start != end, axis=-1, keepdims=True)
    leaving, arriving = bent * (end - before) / 2, bent * (after - start) / 2
    cubic = (2 * (start - end) + leaving + arriving) * t + (3 * (end - start) - 2 * leaving - arriving)
    curve = ((cubic * t + leaving) * t + start).reshape(-1, 2)
    return curve if closed else np.concatenate([curve, knots[-1:]])


def ellipse(centre: tuple[float, float], radii: tuple[float, float], turn: float = 0.0, steps: int = 32) -> Points:
    """An ellipse, turned by `turn` radians."""
    angle = np.linspace(0.0, 2.0 * np.pi, steps, endpoint=False)
    x, y = radii[0] * np.cos(angle), radii[1] * np.sin(angle)
    cosine, sine = np.cos(turn), np.sin(turn)
    return np.stack([centre[0] + cosine * x - sine * y, centre[1] + sine * x + cosine * y], axis=1)


def ribbon(points: Pairs, width: float | Sequence[float] | NDArray[np.float64]) -> Points:
    """The outline of a stroke along a curve, of one width or of a width at each point; or of many at once.

    Shape: (..., n, 2) -> (..., 2 n, 2).
    """
    curve = np.asarray(points, np.float64)
    # Central differences as in numpy.gradient, which is slower than the rest of the drawing of a short line.
    direction = np.empty_like(curve)
    direction[..., 1:-1, :] = curve[..., 2:, :] - curve[..., :-2, :]
    direction[..., 0, :] = curve[..., 1, :] - curve[..., 0, :]
    direction[..., -1, :] = curve[..., -1, :] - curve[..., -2, :]
    length = np.maximum(np.sqrt((direction * direction).sum(axis=-1)), 1e-9)
    scale = np.asarray(width, np.float64) / 2 / length
    normal = direction[..., ::-1] * (-1.0, 1.0) * scale[..., None]
    return np.concatenate([curve + normal, (curve - normal)[..., ::-1, :]], axis=-2)


def moved(points: Points, x: float, y: float) -> Points:
    """The points, shifted."""
    return np.asarray(points + np.array([x, y]))


def dashes(points: Pairs, period: float, share: float = 0.6) -> list[Points]:
    """A curve cut into stitches: every `period` of its length a piece of `share` of it."""
    curve = np.asarray(points, np.float64)
    reach = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(curve, axis=0).T))])
    starts = np.arange(0.0, max(reach[-1] - share * period, 1e-9), period)
    at = starts[:, None] + np.linspace(0.0, share * period, 3)[None, :]
    return list(np.stack([np.interp(at, reach, curve[:, 0]), np.interp(at, reach, curve[:, 1])], axis=2))


def along(points: Pairs, share: float) -> tuple[float, float]:
    """The point at `share` (0 to 1) of the length of a curve."""
    curve = np.asarray(points, np.float64)
    reach = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(curve, axis=0).T))])
    at = share * reach[-1]
    return float(np.interp(at, reach, curve[:, 0])), float(np.interp(at, reach, curve[:, 1]))


def mirrored(half: Pairs, axis: float = 0.5) -> Points:
    """A closed symmetric outline from its right half, given from the top of the axis down."""
    right = np.asarray(half, np.float64)
    left = right[::-1] * (-1.0, 1.0) + (2.0 * axis, 0.0)
    return np.concatenate([right, left])


def placement(
    parts: Iterable[Points], box: tuple[float, float, float, float], shear: float = 0.0, flip: bool = False
) -> Points:
    """The affine map (2, 3) that moves the parts into a box (x0, y0, x1, y1), keeping their proportions.

    The vertical axis points up before and down after it. `shear` lets the object rise to the right, as one seen from
    a little above and aside. It stands in the middle of the box.
    """
    upright = np.array([[-1.0 if flip else 1.0, 0.0], [-shear, -1.0]])
    points = np.concatenate(list(parts)) @ upright.T
    low, high = points.min(axis=0), points.max(axis=0)
    scale = min((box[2] - box[0]) / (high[0] - low[0]), (box[3] - box[1]) / (high[1] - low[1]))
    middle = np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])
    return np.concatenate([upright * scale, (middle - scale * (low + high) / 2)[:, None]], axis=1)
