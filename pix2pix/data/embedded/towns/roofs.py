"""Buildings, trees and cars of an embedded town, painted from the lowest to the highest, with shadows and lit slopes.

A building is its footprint moved by the camera's lean; the walls that this bares are painted, and its shadow is the
footprint swept along the sun's direction. Whatever is painted later stands higher and shades what is there.
"""

from random import Random

import numpy as np

from pix2pix.data.embedded.basics import Colour, mix
from pix2pix.data.embedded.towns.canvas import FRACTION_BITS, Outline, TownCanvas
from pix2pix.data.embedded.towns.lot import Building
from pix2pix.data.embedded.towns.plan import Scene, occupied
from pix2pix.data.embedded.towns.plane import Box, Points, box_corners
from pix2pix.data.embedded.towns.style import BUILT, CARS, MAP_CASING, MAP_HOUSE, ROOF, TREE, Style, scale

TREE_HEIGHT = 9.0  # metres; taller buildings are painted after the trees


def paint_standing(canvas: TownCanvas, scene: Scene, style: Style, rng: Random) -> None:
    """Paint cars, then buildings and trees in order of height."""
    _paint_cars(canvas, scene, rng)
    buildings = sorted(scene.contents.buildings, key=lambda building: building.height)
    if not buildings:
        _paint_trees(canvas, scene, style, rng)
        return
    corners = scene.plane.place(_corners([building.box for building in buildings]))
    shown = _in_sight(corners) & ~_touched(scene, corners)
    heights = np.array([building.height for building in buildings])
    sun = -np.asarray(style.shadow) / max(1e-6, float(np.hypot(*style.shadow)))
    roofs = _Roofs(canvas, scene, style, corners, heights, sun)
    planted = False
    for index in np.flatnonzero(shown).tolist():
        building = buildings[index]
        dice = (rng.random(), rng.random(), rng.random(), rng.random())
        if building.height > TREE_HEIGHT and not planted:
            _paint_trees(canvas, scene, style, rng)
            planted = True
        roofs.paint(index, building, dice)
    if not planted:
        _paint_trees(canvas, scene, style, rng)


class _Roofs:
    """The corners of all buildings, worked out at once, and how to paint one of them."""

    def __init__(
        self, canvas: TownCanvas, scene: Scene, style: Style, corners: Points, heights: Points, sun: Points
    ) -> None:
        extent = scene.plane.extent
        raised = corners + (heights[:, None] * np.asarray(style.lean) / extent)[:, None]
        thrown = corners + (heights[:, None] * np.asarray(style.shadow) / extent)[:, None]
        middle = raised.mean(1, keepdims=True)
        sides = np.roll(corners, -1, 1) - corners
        self.long = np.linalg.norm(sides[:, 0], axis=1) * extent
        self.wide = np.linalg.norm(sides[:, 1], axis=1) * extent
        # Corners run clockwise on the screen, so the outward normal of side (dx, dy) is (dy, -dx).
        normals = np.stack([sides[..., 1], -sides[..., 0]], -1)
        normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-9)
        flip = np.sign(((corners.mean(1, keepdims=True) - corners) * normals).sum(-1)).mean(1)
        normals *= -np.where(flip >= 0.0, 1.0, -1.0)[:, None, None]
        self.facing = (normals @ sun).tolist()
        self.seen = (normals @ np.asarray(style.lean) < -1e-4).tolist()
        self.canvas, self.style = canvas, style
        self.tilt = float(np.hypot(*style.lean))
        self.base, self.roof, self.cast = canvas.fixed(corners), canvas.fixed(raised), canvas.fixed(thrown)
        parapet = np.minimum(0.9 / np.maximum(np.minimum(self.long, self.wide), 2.0), 0.25)[:, None, None]
        self.inner = canvas.fixed(raised + (middle - raised) * parapet * 2.0)
        start, end = (raised[:, 0] + raised[:, 3]) / 2.0, (raised[:, 1] + raised[:, 2]) / 2.0
        self.ridge = canvas.fixed(np.stack([start, end], 1))
        inset = np.minimum(0.42, 0.5 * self.wide / np.maximum(self.long, 1e-6))[:, None]
        self.hip = canvas.fixed(np.stack([start + (end - start) * inset, end + (start - end) * inset], 1))
        # The shadow of a box is its thrown roof and what the two diagonals sweep.
        self.swept = np.stack(
            [np.stack([self.base[:, i], self.cast[:, i], self.cast[:, i + 2], self.base[:, i + 2]], 1) for i in (0, 1)],
            1,
        )
        after = (1, 2, 3, 0)
        self.walls = np.stack([self.base, self.base[:, after], self.roof[:, after], self.roof], 2)
        self.slopes = [self._slopes(ridge) for ridge in (self.ridge, self.hip)]
        self.metre = canvas.side / extent * (1 << FRACTION_BITS)

    def paint(self, index: int, building: Building, dice: tuple[float, float, float, float]) -> None:
        """Shadow, walls, roof and the outline on the map."""
        canvas = self.canvas
        base, roof, cast = self.base[index], self.roof[index], self.cast[index]
        canvas.dim(self.swept[index, 0], 0)
        canvas.dim(self.swept[index, 1], 0)
        canvas.dim(cast, 0)
        canvas.dim(roof, 255)
        colour = self._colour(building, dice[0])
        if building.height * self.tilt > 0.6:
            self._paint_walls(index, mix(colour, (150, 138, 122), 0.5))
        if building.roof in ("gable", "hip"):
            self._paint_slopes(index, building.roof == "hip", colour)
        else:
            canvas.facet(roof, scale(colour, 1.16), ROOF)
            canvas.facet(self.inner[index], colour, ROOF)
            if building.roof == "sheet":
                self._paint_ribs(index, colour)
            else:
                self._paint_equipment(index, colour, dice)
        canvas.chart(base, MAP_HOUSE)
        canvas.trace(base, MAP_CASING)

    def _colour(self, building: Building, die: float) -> Colour:
        """The roof's colour: the palette by kind and tone, a little brighter or darker."""
        style = self.style
        palette = style.flats if building.roof == "flat" else style.sheets
        palette = style.gables if building.roof in ("gable", "hip") else palette
        return scale(palette[int(building.tone * len(palette))], 0.88 + 0.22 * die)

    def _paint_walls(self, index: int, colour: Colour) -> None:
        """The walls between footprint and roof that face the camera."""
        for side in range(4):
            if self.seen[index][side]:
                lit = 0.62 + 0.34 * max(0.0, self.facing[index][side])
                quad = self.walls[index, side]
                self.canvas.facet(quad, scale(colour, lit), BUILT)
                self.canvas.dim(quad, 255)

    def _slopes(self, ridge: Outline) -> Outline:
        """The four slopes (N, 4, 4, 2) that fall from a ridge (N, 2, 2) to each side of the roof."""
        roof, start, end = self.roof, ridge[:, 0], ridge[:, 1]
        quads = (
            (roof[:, 0], roof[:, 1], end, start),
            (roof[:, 1], roof[:, 2], end, end),
            (roof[:, 2], roof[:, 3], start, end),
            (roof[:, 3], roof[:, 0], start, start),
        )
        return np.stack([np.stack(quad, 1) for quad in quads], 1)

    def _paint_slopes(self, index: int, hipped: bool, colour: Colour) -> None:
        """The slopes of a gabled or hipped roof, bright towards the sun."""
        slopes, facing = self.slopes[hipped][index], self.facing[index]
        for side in (0, 1, 2, 3) if hipped else (0, 2):
            self.canvas.facet(slopes[side], scale(colour, 1.0 + 0.32 * facing[side]), ROOF)

    def _paint_ribs(self, index: int, colour: Colour) -> None:
        """The ribs of a metal roof: lit and shaded strips across its length."""
        count = max(2, int(self.long[index] / 7.0))
        a, b, c, d = self.inner[index]
        slope = 0.14 * self.facing[index][1]
        for rib in range(count):
            first, second = (rib + 0.5) / count, (rib + 1.0) / count
            quad = np.array([a + (b - a) * first, a + (b - a) * second, d + (c - d) * second, d + (c - d) * first])
            self.canvas.facet(quad.astype(np.int32), scale(colour, 0.90 - slope), ROOF)

    def _paint_equipment(self, index: int, colour: Colour, dice: tuple[float, float, float, float]) -> None:
        """Lift house, vents and skylights on a flat roof, each with its own shadow."""
        area = self.long[index] * self.wide[index]
        if area < 90.0:
            return
        a, b, _, d = self.inner[index].astype(np.float64)
        across, down = b - a, d - a
        shift = np.asarray(self.style.shadow) * 2.5 * self.metre
        for number in range(min(5, 1 + int(area / 350.0 * (0.5 + dice[1])))):
            x = 0.1 + 0.62 * ((dice[2] + 0.381966 * number) % 1.0)
            y = 0.1 + 0.55 * ((dice[3] + 0.618034 * number) % 1.0)
            wide = min(0.26, (2.0 + 5.0 * ((dice[1] + 0.4 * number) % 1.0)) / self.long[index])
            high = min(0.30, (2.0 + 4.0 * ((dice[0] + 0.7 * number) % 1.0)) / self.wide[index])
            corner = a + across * x + down * y
            quad = np.array(
                [corner, corner + across * wide, corner + across * wide + down * high, corner + down * high]
            )
            self.canvas.facet((quad + shift).astype(np.int32), scale(colour, 0.55), ROOF)
            self.canvas.facet(quad.astype(np.int32), scale(colour, (1.25, 0.78, 1.1)[number % 3]), ROOF)


def _corners(boxes: list[Box]) -> Points:
    """The corners (N, 4, 2) of boxes, starting so that the first side is a long one."""
    level = box_corners(boxes)
    size = level[:, 2] - level[:, 0]
    return np.where((size[:, 0] >= size[:, 1])[:, None, None], level, np.roll(level, -1, 1))


def _in_sight(corners: Points) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which outlines (N, K, 2) come near the picture; tall things outside still throw shadows into it."""
    return np.asarray(((corners.max(1) > -0.05) & (corners.min(1) < 1.05)).all(1))


def _touched(scene: Scene, corners: Points) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which quadrilaterals (N, 4, 2) reach into a way or water."""
    middles = (corners + np.roll(corners, -1, 1)) / 2.0
    centre = corners.mean(1, keepdims=True)
    return np.asarray(occupied(scene, np.concatenate([corners, middles, centre], 1)).any(1))


def _paint_cars(canvas: TownCanvas, scene: Scene, rng: Random) -> None:
    """Parked and moving cars with the shadow beneath them."""
    if not scene.contents.cars:
        return
    corners = scene.plane.place(_corners(scene.contents.cars))
    shown = ((corners > 0.0) & (corners < 1.0)).all((1, 2)) & ~_touched(scene, corners)
    glass = corners[:, 0] * 0.45 + corners[:, 1] * 0.55, corners[:, 3] * 0.45 + corners[:, 2] * 0.55
    rear = corners[:, 0] * 0.3 + corners[:, 1] * 0.7, corners[:, 3] * 0.3 + corners[:, 2] * 0.7
    bodies = canvas.fixed(corners)
    screens = canvas.fixed(np.stack([glass[0], rear[0], rear[1], glass[1]], 1))
    for index in np.flatnonzero(shown).tolist():
        colour = scale(CARS[int(rng.random() * len(CARS))], 0.85 + 0.2 * rng.random())
        canvas.facet(bodies[index], colour, ROOF)
        if scene.plane.extent < 400.0:
            canvas.facet(screens[index], scale(colour, 0.45), ROOF)


def _paint_trees(canvas: TownCanvas, scene: Scene, style: Style, rng: Random) -> None:
    """Crowns of three tones with the light on the sun's side, all shadows first."""
    if not scene.contents.trees:
        return
    trees = np.array(scene.contents.trees)
    places = scene.plane.place(trees[:, :2])
    shown = ((places > -0.03) & (places < 1.03)).all(1) & ~occupied(scene, places)
    planted = np.array(scene.ways.trees).reshape(-1, 2)
    centres = canvas.fixed(np.concatenate([places[shown], planted])).tolist()
    metre = canvas.side / scene.plane.extent * (1 << FRACTION_BITS)
    radii = np.concatenate([trees[shown, 2], np.full(len(planted), 2.6)])
    radii = np.maximum(radii * metre, 14.0).tolist()
    right, down = style.shadow
    length = max(1e-6, (right * right + down * down) ** 0.5)
    sun = (-right / length, -down / length)
    for (x, y), radius in zip(centres, radii, strict=True):
        reach = radius * 1.5
        canvas.dim_dot(int(x + right * reach), int(y + down * reach), int(radius), 40)
    for (x, y), radius in zip(centres, radii, strict=True):
        colour = scale(style.crowns[int(rng.random() * len(style.crowns))], 0.8 + 0.4 * rng.random())
        canvas.dim_dot(x, y, int(radius), 255)
        canvas.dot(x, y, int(radius), scale(colour, 0.62), TREE)
        step = radius * 0.26
        canvas.dot(int(x + sun[0] * step), int(y + sun[1] * step), int(radius * 0.74), colour, TREE)
        step = radius * (0.40 + 0.1 * rng.random())
        canvas.dot(int(x + sun[0] * step), int(y + sun[1] * step), int(radius * 0.36), scale(colour, 1.28), TREE)
