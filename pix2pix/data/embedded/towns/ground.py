"""The ground of an embedded town: blocks and what covers them, waters, roads, bridges, railways and boats."""

import math
from collections.abc import Mapping
from random import Random
from types import MappingProxyType

import numpy as np

from pix2pix.data.embedded.basics import Colour
from pix2pix.data.embedded.towns.canvas import TownCanvas
from pix2pix.data.embedded.towns.lot import Contents
from pix2pix.data.embedded.towns.plan import PAVEMENT, Scene
from pix2pix.data.embedded.towns.plane import Points, box_corners, box_outline, normals, ribbon
from pix2pix.data.embedded.towns.style import (
    BUILT,
    MAP_BLOCK,
    MAP_CASING,
    MAP_MAIN,
    MAP_MAIN_EDGE,
    MAP_MOTORWAY,
    MAP_MOTORWAY_EDGE,
    MAP_PARK,
    MAP_PATH,
    MAP_PITCH,
    MAP_RAIL,
    MAP_SHORE,
    MAP_STREET,
    MAP_WATER,
    ROOF,
    Style,
    scale,
)
from pix2pix.data.embedded.towns.ways import Way, Ways

CHARTED: Mapping[str, Colour] = MappingProxyType({"water": MAP_WATER, "pitch": MAP_PITCH, "path": MAP_PATH})
"""What the map shows of the ground inside blocks."""


def paint_ground(canvas: TownCanvas, scene: Scene, style: Style, rng: Random) -> None:
    """Paint everything that does not stand up."""
    plane = scene.plane
    for box in scene.mains:
        line = plane.place(_axis(box, plane.extent))
        _chart_way(canvas, line, (box[2] - box[0]) / plane.extent, MAP_MAIN, MAP_MAIN_EDGE)
        canvas.fill(canvas.fixed(ribbon(line, 1.3 / plane.extent)), *style.surfaces["yellow"])
    _paint_marks(canvas, scene, style)
    pavement, paved = style.surfaces["pavement"]
    for block in scene.blocks:
        outline = canvas.fixed(plane.place(box_outline(block.box, 14.0, chamfer=3.0)))
        canvas.fill(outline, pavement, paved)
        canvas.chart(outline, block.colour)
        canvas.trace(outline, MAP_CASING)
    _paint_contents(canvas, scene, scene.contents, style, rng)
    for lane in scene.lanes:
        outline = canvas.fixed(plane.place(box_outline(lane, 14.0)))
        canvas.fill(outline, *style.surfaces["asphalt"])
        canvas.chart(outline, MAP_STREET)
    _paint_waters(canvas, scene.ways, style, plane.extent)
    order = ("street", "rail", "avenue", "main", "motorway")
    for way in sorted(scene.ways.ways, key=lambda way: order.index(way.kind)):
        _paint_way(canvas, way, style, plane.extent, rng)


def _axis(box: tuple[float, float, float, float], reach: float) -> Points:
    """The middle line of a street along v."""
    v = np.linspace(-reach, reach, 60)
    return np.stack([np.full_like(v, (box[0] + box[2]) / 2.0), v], -1)


def _paint_contents(canvas: TownCanvas, scene: Scene, contents: Contents, style: Style, rng: Random) -> None:
    """Lay the surfaces inside the blocks, each in its own shade."""
    if not contents.ground:
        return
    places = scene.plane.place(np.array([spot for _, outline in contents.ground for spot in outline]))
    ends = np.cumsum([len(outline) for _, outline in contents.ground])
    starts = np.concatenate([[0], ends[:-1]])
    last, first = np.maximum.reduceat(places, starts), np.minimum.reduceat(places, starts)
    shown = np.all((last > 0.0) & (first < 1.0), axis=1)
    fixed = np.split(canvas.fixed(places), ends[:-1])
    for (surface, _), outline, visible in zip(contents.ground, fixed, shown, strict=True):
        light = 0.92 + 0.16 * rng.random()
        if not visible:
            continue
        colour, material = style.surfaces[surface]
        canvas.fill(outline, scale(colour, light), material)
        if surface in CHARTED:
            canvas.chart(outline, CHARTED[surface])


def _paint_marks(canvas: TownCanvas, scene: Scene, style: Style) -> None:
    """Lines between lanes in the middle of wide streets, and crossings for walkers at the blocks' corners."""
    mark, material = style.surfaces["mark"]
    boxes = []
    for block in scene.blocks:
        u0, v0, u1, v1 = block.box
        for stripe in range(4 if scene.plane.extent < 340.0 else 0):
            reach = 1.1 + 1.7 * stripe
            boxes += [
                (u0 + 2.0, v0 - reach - 0.8, u0 + 4.6, v0 - reach),
                (u0 - reach - 0.8, v0 + 2.0, u0 - reach, v0 + 4.6),
                (u1 - 4.6, v0 - reach - 0.8, u1 - 2.0, v0 - reach),
                (u0 - reach - 0.8, v1 - 4.6, u0 - reach, v1 - 2.0),
            ]
        for dash in range(int((u1 - u0 - 14) / 7)):
            boxes.append((u0 + 9 + 7 * dash, v0 - 5.7, u0 + 12.5 + 7 * dash, v0 - 5.1))
        for dash in range(int((v1 - v0 - 14) / 7)):
            boxes.append((u0 - 5.7, v0 + 9 + 7 * dash, u0 - 5.1, v0 + 12.5 + 7 * dash))
    if not boxes:
        return
    corners = scene.plane.place(box_corners(boxes))
    shown = ((corners > 0.0) & (corners < 1.0)).all((1, 2))
    for quad in canvas.fixed(corners[shown]):
        canvas.facet(quad, mark, material)


def _paint_waters(canvas: TownCanvas, ways: Ways, style: Style, extent: float) -> None:
    """Rivers and the sea with their quays, shallows near the shore, piers and boats."""
    for bank in ways.banks:
        fixed = canvas.fixed(bank)
        canvas.fill(fixed, *style.surfaces[ways.bank])
        canvas.chart(fixed, MAP_PARK if ways.bank == "grass" else MAP_BLOCK)
    for outline in ways.waters:
        fixed = canvas.fixed(outline)
        canvas.fill(fixed, *style.surfaces["shallow"])
        canvas.chart(fixed, MAP_SHORE)
        middle = len(outline) // 2
        for inset, surface, colour in ((2.5, "shallow", MAP_SHORE), (7.0, "water", MAP_WATER)):
            inner = outline.copy()
            toward = outline[middle:][::-1] - outline[:middle]
            distance = np.linalg.norm(toward, axis=1, keepdims=True)
            step = toward / np.maximum(distance, 1e-9) * np.minimum(inset / extent, 0.3 * distance)
            inner[:middle] += step
            inner[middle:] -= step[::-1]
            fixed = canvas.fixed(inner)
            canvas.fill(fixed, *style.surfaces[surface])
            canvas.chart(fixed, colour)
    deck, material = style.surfaces["deck"]
    for pier in ways.piers:
        fixed = canvas.fixed(pier)
        canvas.dim(canvas.fixed(pier + np.asarray(style.shadow) * 3.0 / extent), 60)
        canvas.dim(fixed, 255)
        canvas.fill(fixed, deck, material)
        canvas.chart(fixed, MAP_BLOCK)
    wake, wet = scale(style.surfaces["shallow"][0], 1.25), style.surfaces["water"][1]
    for line in ways.wakes:
        spread = np.linspace(1.5, 9.0, len(line)) / extent
        canvas.fill(canvas.fixed(ribbon(line, spread)), scale(style.surfaces["water"][0], 1.12), wet)
        for side in (-0.5, 0.5):
            canvas.fill(canvas.fixed(ribbon(line + normals(line) * side * spread[:, None], 0.9 / extent)), wake, wet)
    for x, y, heading, length in ways.boats:
        _paint_boat(canvas, np.array([x, y]), heading, length / extent)


def _paint_boat(canvas: TownCanvas, centre: Points, heading: float, length: float) -> None:
    """A hull with a pointed bow and a cabin."""
    turn = np.array([[math.cos(heading), math.sin(heading)], [-math.sin(heading), math.cos(heading)]]) * length
    hull = np.array([[-0.5, -0.15], [0.15, -0.15], [0.5, 0.0], [0.15, 0.15], [-0.5, 0.15]])
    canvas.facet(canvas.fixed(centre + hull @ turn), (226, 226, 222), ROOF)
    canvas.facet(canvas.fixed(centre + hull[[0, 1, 3, 4]] * [0.5, 0.6] @ turn), (132, 138, 144), ROOF)


def _chart_way(canvas: TownCanvas, line: Points, width: float, colour: Colour, edge: Colour) -> None:
    """A road on the map: a band in a darker one."""
    thin = 1.2 / 512.0
    canvas.chart(canvas.fixed(ribbon(line, width)), edge)
    canvas.chart(canvas.fixed(ribbon(line, max(width - 2.0 * thin, 0.6 * width))), colour)


def _paint_way(canvas: TownCanvas, way: Way, style: Style, extent: float, rng: Random) -> None:
    """A road or railway in both pictures."""
    line, width, metre = way.line, way.width, 1.0 / extent
    if way.kind == "rail":
        _paint_railway(canvas, way, style, metre)
        return
    edges = {"motorway": "concrete"}.get(way.kind, "pavement")
    shadow = 5.0 if way.kind == "motorway" else 1.0
    moved = ribbon(line + np.asarray(style.shadow) * shadow * metre, width)
    whole = canvas.fixed(ribbon(line, width + (0.8 if way.kind == "motorway" else 2.0 * PAVEMENT) * metre))
    for quad in _quads(canvas.fixed(moved)):
        canvas.dim(quad, 0)
    for quad in _quads(whole):
        canvas.dim(quad, 255)
    canvas.fill(whole, *style.surfaces[edges])
    road = "motorway" if way.kind == "motorway" else "asphalt"
    canvas.fill(canvas.fixed(ribbon(line, width - 0.6 * metre)), *style.surfaces[road])
    _paint_lanes(canvas, way, style, metre)
    _paint_traffic(canvas, way, metre, rng)
    if way.kind == "motorway":
        _chart_way(canvas, line, width, MAP_MOTORWAY, MAP_MOTORWAY_EDGE)
        canvas.trace(canvas.fixed(line), MAP_MOTORWAY_EDGE, closed=False)
    elif way.kind == "main":
        _chart_way(canvas, line, width, MAP_MAIN, MAP_MAIN_EDGE)
    else:
        canvas.chart(canvas.fixed(ribbon(line, width)), MAP_STREET)


def _paint_lanes(canvas: TownCanvas, way: Way, style: Style, metre: float) -> None:
    """Lines between lanes; in the middle of a motorway a strip of grass or a barrier."""
    half = 0.5 * way.width
    if way.kind == "motorway":
        canvas.fill(canvas.fixed(ribbon(way.line, 2.2 * metre)), *style.surfaces["meadow"])
        offsets = [sign * share * half for sign in (-1.0, 1.0) for share in (0.36, 0.62, 0.88)]
    else:
        offsets = [0.0] if way.kind == "street" else [-0.5 * half, 0.0, 0.5 * half]
    for offset in offsets:
        canvas.fill(canvas.fixed(ribbon(way.line, 0.55 * metre, offset)), *style.surfaces["mark"])
    if way.kind == "main":
        canvas.fill(canvas.fixed(ribbon(way.line, 1.3 * metre)), *style.surfaces["yellow"])


def _paint_traffic(canvas: TownCanvas, way: Way, metre: float, rng: Random) -> None:
    """Cars and lorries in the lanes."""
    step = np.diff(way.line, axis=0)
    length = np.linalg.norm(step, axis=1)
    busy = rng.uniform(0.1, 0.6)
    for place in range(len(step)):
        along = step[place] / length[place]
        aside = np.array([-along[1], along[0]])
        for share in (-0.75, -0.48, -0.22, 0.22, 0.48, 0.75) if way.kind != "street" else (-0.4, 0.4):
            if rng.random() > busy * 0.5:
                continue
            long = 11.0 if rng.random() < 0.12 else 4.5
            middle = way.line[place] + step[place] * rng.random() + aside * share * 0.5 * way.width
            ends = middle + np.array([[-0.5], [0.5]]) * along * long * metre
            side = aside * (1.25 if long > 5 else 0.95) * metre
            tone = 40 + 200 * rng.random()
            quad = np.array([ends[0] - side, ends[1] - side, ends[1] + side, ends[0] + side])
            canvas.facet(canvas.fixed(quad), (tone, tone, tone + 4), ROOF)


def _paint_railway(canvas: TownCanvas, way: Way, style: Style, metre: float) -> None:
    """Tracks on gravel; on the map thin lines."""
    outline = canvas.fixed(ribbon(way.line, way.width))
    canvas.fill(outline, *style.surfaces["gravel"])
    canvas.chart(outline, MAP_BLOCK)
    tracks = max(2, int(way.width / metre / 4.5))
    for track in range(tracks):
        offset = ((track + 0.5) / tracks - 0.5) * way.width
        canvas.fill(canvas.fixed(ribbon(way.line, 2.6 * metre, offset)), *style.surfaces["rail"])
        for rail in (-0.8, 0.8):
            canvas.fill(canvas.fixed(ribbon(way.line, 0.4 * metre, offset + rail * metre)), (170, 166, 164), BUILT)
        canvas.trace(canvas.fixed(way.line + normals(way.line) * offset), MAP_RAIL, closed=False)


def _quads(
    outline: np.ndarray[tuple[int, ...], np.dtype[np.int32]],
) -> list[np.ndarray[tuple[int, ...], np.dtype[np.int32]]]:
    """A ribbon's outline as convex quadrilaterals from one cross line to the next."""
    half = len(outline) // 2
    left, right = outline[:half], outline[half:][::-1]
    return list(np.stack([left[:-1], left[1:], right[1:], right[:-1]], 1))
