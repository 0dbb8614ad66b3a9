"""The broad surfaces of an embedded facade: walls of brick, stone and plaster, roof, sky, street, neighbours, trees."""

import numpy as np

from pix2pix.data.embedded.basics import Colour, mix, shade
from pix2pix.data.embedded.facades.canvas import Canvas, Picture, Rect
from pix2pix.data.embedded.facades.parts import CLASS_INDEX, Box, Neighbour, Scene
from pix2pix.data.embedded.facades.style import Material, Style
from pix2pix.data.embedded.perlin import enlarge, fractal_noise

JOINT = 200  # texture values from here to 255 are joints, below are bricks or blocks


def paint_surroundings(canvas: Canvas, style: Style, scene: Scene, rng: np.random.Generator) -> None:
    """Sky, neighbours, trees, street and roof: everything of the class background."""
    _sky(canvas, style, rng)
    for neighbour in scene.neighbours:
        _neighbour(canvas, style, neighbour, rng)
    for x, y, radius in scene.trees:
        _tree(canvas, style, x, y, radius, rng)
    _street(canvas, style, scene.building, rng)
    if scene.roof_top < scene.building.y0:
        _roof(canvas, style, scene)


def paint_walls(canvas: Canvas, style: Style, scene: Scene, rng: np.random.Generator) -> None:
    """The wall of the upper storeys and, often of another material, that of the ground floor with its plinth."""
    building = scene.building
    upper = Box(building.x0, building.y0, building.x1, scene.ground_top)
    lower = Box(building.x0, scene.ground_top, building.x1, building.y1)
    for box, colour, material, courses in (
        (upper, style.wall, style.material, style.courses),
        (lower, style.ground, style.ground_material, 24.0 if style.ground_material == "stone" else style.courses),
    ):
        rect = canvas.snap(box)
        texture = _masonry(canvas, rect, material, courses, rng)
        canvas.colour[rect[1] : rect[3], rect[0] : rect[2]] = _ramp(colour, material)[texture]
        canvas.label(rect, CLASS_INDEX["facade"])
    x0, _, x1, y1 = canvas.snap(lower)
    plinth = canvas.stroke(8)
    canvas.blend((x0, y1 - plinth, x1, y1), shade(style.ground, 0.5), 0.55)


def _masonry(canvas: Canvas, rect: Rect, material: Material, courses: float, rng: np.random.Generator) -> Picture:
    """Texture of a wall: a tone for every brick or block below JOINT, the joints above it.

    Every course is one row of tones, repeated over its height, so that the cost hardly depends on the brick size.
    """
    x0, y0, x1, y1 = rect
    ratio = {"brick": 2.6, "stone": 2.0, "plaster": 4.0}[material]
    rows = int(courses) + 2
    columns = int(courses / ratio) + 3
    spread = {"brick": 26.0, "stone": 15.0, "plaster": 4.0}[material]
    tones = np.clip(rng.normal(100.0, spread, (rows, columns)), 10, JOINT - 10).astype(np.uint8)
    height = canvas.side / courses
    course = (np.arange(y0, y1) / height).astype(np.intp)
    in_course = np.arange(y0, y1) - course * height
    column = np.arange(x0, x1) / (height * ratio)
    joint = max(1.0, 0.14 * height) if material == "brick" else max(1.0, 0.06 * height)
    by_course = np.empty((rows, x1 - x0), np.uint8)
    for parity, shift in ((0, 0.0), (1, 0.5)):
        brick = (column + shift).astype(np.intp)
        by_course[parity::2] = tones[parity::2].take(brick, axis=1)
        if material != "plaster":
            by_course[parity::2, (column + shift - brick) * height * ratio < joint] = JOINT + 27
    texture: Picture = by_course.take(course, axis=0)
    if material != "plaster":
        texture[in_course < joint] = JOINT + 27
    return texture


def _ramp(colour: Colour, material: Material) -> Picture:
    """The colour of each texture value: bricks from dark to light, then the joints."""
    tone = np.arange(256, dtype=np.float32)[:, None]
    base = np.asarray(colour, np.float32)
    ramp = base * (0.72 + tone / 360.0)
    if material == "brick":
        ramp += (tone - 100.0) * np.array([0.10, 0.0, -0.06], np.float32)
        ramp[JOINT:] = base * 0.45 + 82.0
    else:
        ramp[JOINT:] = base * 0.74
    return np.clip(ramp, 0, 255).astype(np.uint8)


def _sky(canvas: Canvas, style: Style, rng: np.random.Generator) -> None:
    """A sky paler towards the horizon, with soft clouds."""
    side = canvas.side
    clouds = fractal_noise(rng, (64, 64), (3, 2), octaves=4)
    height = np.linspace(0.0, 1.0, 64, dtype=np.float32)[:, None]
    white = np.clip(0.15 + 0.5 * height + 1.1 * clouds, 0.0, 1.0).astype(np.float32)
    share = np.linspace(0.0, 1.0, 256, dtype=np.float32)[:, None]
    tones = np.asarray(style.sky, np.float32) * (1 - share) + np.array([238, 240, 242], np.float32) * share
    shade_of_white = (enlarge(white, (side, side)) * np.float32(255.0)).astype(np.uint8)
    canvas.colour = tones.astype(np.uint8).take(shade_of_white, axis=0)


def _street(canvas: Canvas, style: Style, building: Box, rng: np.random.Generator) -> None:
    """Pavement, kerb and road below the facade."""
    x0, y0, x1, y1 = canvas.snap(Box(0.0, building.y1, 1.0, 1.0))
    jitter = rng.uniform(0.9, 1.15, 2)
    canvas.fill((x0, y0, x1, y1), shade(style.street, 1.2 * float(jitter[0])))
    kerb = y0 + (y1 - y0) * 2 // 5
    canvas.fill((x0, kerb, x1, y1), shade(style.street, 0.8 * float(jitter[1])))
    canvas.fill((x0, kerb, x1, kerb + canvas.stroke(2)), shade(style.street, 0.55))
    canvas.dim((x0, y0, x1, y0 + canvas.stroke(4)), 150)


def _roof(canvas: Canvas, style: Style, scene: Scene) -> None:
    """A roof of tiles in rows, a little narrower at its ridge, with chimneys."""
    building, height = scene.building, scene.building.y0 - scene.roof_top
    x0, y0, x1, y1 = canvas.snap(Box(building.x0, scene.roof_top, building.x1, building.y0))
    before = canvas.colour[y0:y1, x0:x1].copy()
    row = max(2.0, 0.011 * canvas.side)
    rows = np.arange(y1 - y0)
    tone = 0.82 + 0.24 * ((rows % row) / row)
    canvas.colour[y0:y1, x0:x1] = (np.asarray(style.roof, np.float32) * np.minimum(tone, 1.1)[:, None, None]).astype(
        np.uint8
    )
    slope = 0.5 * height * canvas.side * np.linspace(1.0, 0.0, y1 - y0)[:, None]
    across = np.arange(x1 - x0)[None, :]
    left = (across < slope) & (building.x0 > 0)
    right = (across > x1 - x0 - slope) & (building.x1 < 1)
    outside = left | right
    canvas.colour[y0:y1, x0:x1][outside] = before[outside]
    chimney = canvas.stroke(12)
    for share in (0.24, 0.7):
        x = int(x0 + share * (x1 - x0))
        canvas.fill((x, y0 - chimney, x + chimney, y0 + chimney), shade(style.wall, 0.6))
    canvas.dim((x0, y1 - canvas.stroke(6), x1, y1), 170)


def _neighbour(canvas: Canvas, style: Style, neighbour: Neighbour, rng: np.random.Generator) -> None:
    """A plain building beside the facade with a grid of windows."""
    wall = mix(style.wall, (float(rng.uniform(90, 190)),) * 3, 0.6)
    x0, y0, x1, y1 = canvas.snap(neighbour.box)
    canvas.fill((x0, y0, x1, y1), wall)
    canvas.fill((x0, y0, x1, y0 + canvas.stroke(7)), shade(style.roof, 0.8))
    pitch_x, pitch_y = (x1 - x0) / neighbour.columns, (y1 - y0) / neighbour.rows
    glass = shade(style.glass, float(rng.uniform(0.8, 1.2)))
    for row in range(neighbour.rows):
        for column in range(neighbour.columns):
            left, top = int(x0 + (column + 0.28) * pitch_x), int(y0 + (row + 0.25) * pitch_y)
            right, bottom = int(left + 0.46 * pitch_x), int(top + 0.55 * pitch_y)
            line = canvas.stroke(1.5)
            canvas.fill((left, top, right, bottom), style.frame)
            canvas.fill((left + line, top + line, right - line, bottom - line), glass)
            canvas.fill(((left + right - line) // 2, top, (left + right + line) // 2, bottom), style.frame)


def _tree(canvas: Canvas, style: Style, x: float, y: float, radius: float, rng: np.random.Generator) -> None:
    """A trunk and a crown whose outline and leaves are noise, lit from the side of the sun."""
    side = canvas.side
    trunk = max(1, int(0.05 * radius * side))
    canvas.fill((int(x * side) - trunk, int(y * side), int(x * side) + trunk, side), (62, 52, 42))
    grid = np.linspace(-1.3, 1.3, 96, dtype=np.float32)
    across, down = grid[None, :], grid[:, None]
    leaves = fractal_noise(rng, (96, 96), (6, 6), octaves=4, gain=0.75)
    cover = np.clip((0.85 - np.sqrt(across**2 + 0.8 * down**2) + 1.3 * leaves) * 6.0, 0.0, 1.0)
    light = np.clip(0.8 + 0.22 * (across * style.sun_side - down) + 1.1 * np.roll(leaves, 3), 0.25, 1.6)
    reach = 1.3 * radius * side
    left, top, length = round(x * side - reach), round(y * side - reach), max(2, round(2 * reach))
    coverage = enlarge(np.asarray(cover, np.float32), (length, length))
    brightness = enlarge(np.asarray(light, np.float32), (length, length))
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + length, side), min(top + length, side)
    inside = np.s_[y0 - top : y1 - top, x0 - left : x1 - left]
    view = canvas.colour[y0:y1, x0:x1]
    crown = np.minimum(brightness[inside][..., None] * np.asarray(style.foliage, np.float32), 255.0)
    view[...] = view + coverage[inside][..., None] * (crown - view)
