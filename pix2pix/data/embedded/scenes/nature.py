"""Scenes in the country: lakes, meadows and beaches, before hills and mountains."""

from collections.abc import Callable
from functools import partial

import numpy as np

from pix2pix.data.embedded.basics import Colour, mix, shade
from pix2pix.data.embedded.scenes.buildings import ROOFS, WALLS, Block, paint_house
from pix2pix.data.embedded.scenes.canvas import Canvas
from pix2pix.data.embedded.scenes.land import (
    Season,
    paint_ground,
    paint_hills,
    paint_mountains,
    paint_water,
    rolling,
    rugged,
    shore_foam,
    treetops,
)
from pix2pix.data.embedded.scenes.plants import choose_tree, paint_flowers, paint_tree
from pix2pix.data.embedded.scenes.things import (
    paint_boat,
    paint_fence,
    paint_lamp,
    paint_lighthouse,
    paint_road,
    winding,
)

Things = list[tuple[float, Callable[[], None]]]

ROCKS: tuple[Colour, ...] = ((128, 120, 116), (146, 128, 108), (112, 116, 128), (150, 138, 128))
PETALS: tuple[Colour, ...] = (
    (238, 238, 232), (240, 208, 60), (206, 58, 52), (150, 98, 190), (232, 132, 172), (96, 118, 206),
)  # fmt: skip
WATERS: tuple[Colour, ...] = ((44, 84, 96), (36, 74, 104), (58, 92, 84), (52, 70, 78))
HULLS: tuple[Colour, ...] = ((236, 234, 228), (170, 50, 44), (44, 74, 122), (120, 78, 48), (44, 92, 84))
SAILS: tuple[Colour, ...] = ((244, 242, 234), (236, 226, 204), (214, 92, 62), (88, 120, 170))


def paint_in_order(things: Things) -> None:
    """Paint what stands farthest away first."""
    for _, paint in sorted(things, key=lambda thing: -thing[0]):
        paint()


def pick(rng: np.random.Generator, colours: tuple[Colour, ...], spread: float = 0.1) -> Colour:
    """One of the colours, somewhat lighter or darker."""
    return shade(colours[int(rng.integers(len(colours)))], float(rng.uniform(1.0 - spread, 1.0 + spread)))


def paint_backdrop(canvas: Canvas, season: Season, rng: np.random.Generator, grandeur: float, foot: float) -> None:
    """Ranges of mountains, hills and a forest's edge, down to picture height `foot`; `grandeur` within 0 to 1."""
    horizon = canvas.camera.horizon
    rock, low = pick(rng, ROCKS), mix(season.needles, season.grass, 0.4)
    ranges = int(rng.integers(0, 3)) + round(2.0 * grandeur)
    snow = float(np.clip(rng.uniform(-0.25, 0.45) + 0.4 * season.snow, 0.0, 0.9))
    for number in range(ranges):
        far = 0.86 - 0.62 * number / max(ranges, 2)
        height = (0.10 + 0.22 * grandeur) * rng.uniform(0.6, 1.15) * (1.0 - 0.16 * number)
        line = rugged(rng, 0.52 if number else 0.48)
        # Nearer ranges lie lower: trees climb them and there is less snow.
        paint_mountains(canvas, line, foot, horizon - height, far, rock, low, snow * (1.0 - 0.35 * number))
    for number in range(int(rng.integers(0, 2)) + (ranges < 2)):
        height = rng.uniform(0.03, 0.09) * (1.0 - 0.3 * number)
        fields = (shade(season.grass, 0.92), mix(season.dry, season.needles, rng.uniform(0.0, 0.6)))
        line = rolling(rng, int(rng.integers(2, 4)))
        paint_hills(canvas, line, foot, horizon - height, 0.42 - 0.14 * number, fields, False)
    for number in range(int(rng.integers(0, 3))):
        pointed = bool(rng.random() < 0.5)
        line = 0.45 * rolling(rng, 2) + 0.55 * treetops(rng, int(rng.integers(30, 75)), pointed)
        leaves = season.needles if pointed else pick(rng, season.leaves)
        colours = (shade(leaves, 0.9), mix(season.needles, leaves, rng.uniform(0.2, 0.7)))
        height = rng.uniform(0.035, 0.085) * (1.0 - 0.35 * number)
        paint_hills(canvas, line, foot, horizon - height, 0.30 - 0.14 * number, colours, True)


def add_trees(
    things: Things,
    canvas: Canvas,
    season: Season,
    rng: np.random.Generator,
    count: int,
    depth: tuple[float, float],
    avoid: Callable[[float, float], bool],
) -> None:
    """Trees scattered between two distances, some in groups, none where `avoid(x, z)` says."""
    evergreen = float(rng.choice([0.1, 0.4, 0.9], p=[0.45, 0.35, 0.2]))
    for _ in range(count):
        z = depth[0] * (depth[1] / depth[0]) ** rng.random()
        x = float(rng.uniform(-1.15, 1.15) * canvas.camera.half_width(z))
        kind, colour = choose_tree(rng, season, evergreen)
        height = float(rng.uniform(5.0, 13.0))
        if rng.random() < 0.16:
            kind, height = "bush", height * 0.22
        if not avoid(x, z):
            things.append((z, partial(paint_tree, canvas, kind, x, z, height, colour, season.snow)))


def add_framing_tree(things: Things, canvas: Canvas, season: Season, rng: np.random.Generator) -> None:
    """One large tree close by, at a side of the picture."""
    camera = canvas.camera
    z = float(max(camera.distance(rng.uniform(0.91, 0.99)), 3.5))
    x = float(rng.choice([-1.0, 1.0]) * rng.uniform(0.55, 1.0)) * camera.half_width(z)
    kind, colour = choose_tree(rng, season, 0.3)
    # As tall as it takes to reach between the middle and the top of the picture.
    height = camera.height + (camera.horizon - rng.uniform(-0.05, 0.35)) * z / camera.focal
    things.append((z, partial(paint_tree, canvas, kind, x, z, float(max(height, 2.5)), colour, season.snow)))


def add_boats(things: Things, canvas: Canvas, rng: np.random.Generator, count: int, shore: float, far: float) -> None:
    """Boats no farther than `far` metres, and so far out that their mirror images stay off the `shore`'s height."""
    camera = canvas.camera
    for _ in range(count):
        length = float(rng.uniform(5.0, 9.0))
        nearest = min((camera.height + 0.9 * length) * camera.focal / max(shore - camera.horizon, 0.02), 0.8 * far)
        z = float(nearest * (0.9 * far / nearest) ** rng.random())
        x = float(rng.uniform(-0.9, 0.9) * camera.half_width(z))
        sail = pick(rng, SAILS, 0.03) if rng.random() < 0.65 else None
        things.append((z, partial(paint_boat, canvas, x, z, length, pick(rng, HULLS), sail)))


def make_house(rng: np.random.Generator, x: float, z: float, lit: float) -> tuple[Block, float, bool]:
    """A house at (x, z) with its roof's height and whether the ridge runs across the picture."""
    width, deep = rng.uniform(7.0, 12.0), rng.uniform(6.5, 10.0)
    storeys = int(rng.integers(1, 3))
    along = bool(rng.random() < 0.6)
    columns = max(2, round(width / 2.9))
    block = Block(
        (x - width / 2, x + width / 2), (z, z + deep), 2.9 * storeys, pick(rng, WALLS, 0.06), pick(rng, ROOFS),
        (columns, storeys), lit,
    )  # fmt: skip
    return block, float(rng.uniform(0.32, 0.55) * (deep if along else width)), along


def compose_lake(canvas: Canvas, season: Season, rng: np.random.Generator) -> None:
    """A lake before mountains, seen from its near shore."""
    camera = canvas.camera
    far, near = float(rng.uniform(220.0, 500.0)), float(camera.distance(rng.uniform(0.74, 0.86)))
    first = float(camera.project(0.0, 0.0, far)[1])
    paint_backdrop(canvas, season, rng, float(rng.uniform(0.5, 1.0)), first + 0.004)
    things: Things = []
    for _ in range(int(rng.integers(0, 4))):
        x = float(rng.uniform(-0.9, 0.9) * camera.half_width(far))
        block, pitch, along = make_house(rng, x, far, 0.6)
        things.append((far, partial(paint_house, canvas, block, pitch, along, season.snow)))
    add_trees(things, canvas, season, rng, int(rng.integers(4, 14)), (far, far * 1.1), lambda x, z: False)
    paint_in_order(things)
    ends = first + (camera.project(0.0, 0.0, near)[1] - first) * rng.uniform(0.8, 1.02, 2)
    shore = np.linspace(float(ends[0]), float(ends[1]), 512) + (rolling(rng, 3) - 0.5) * rng.uniform(0.02, 0.08)
    paint_ground(canvas, (season.grass, season.dry), 0.22, 0.5, first)
    paint_water(canvas, pick(rng, WATERS), first, shore, float(rng.uniform(0.0, 0.6)))
    shore_foam(canvas, shore, 0.006, (126, 112, 88))
    things = []
    add_boats(things, canvas, rng, int(rng.integers(0, 4)), float(shore.min()), far)
    if rng.random() < 0.65:
        add_framing_tree(things, canvas, season, rng)
    if rng.random() < 0.3:
        z = float(camera.distance(0.94))
        things.append(
            (z, partial(paint_lamp, canvas, float(rng.uniform(-0.6, 0.6)) * camera.half_width(z), z, 4.0, 0.3))
        )
    paint_in_order(things)


def compose_meadow(canvas: Canvas, season: Season, rng: np.random.Generator) -> None:
    """A meadow with a path, trees, perhaps a farm and a fence."""
    camera = canvas.camera
    paint_backdrop(canvas, season, rng, float(rng.uniform(0.0, 0.8)), camera.horizon + 0.01)
    paint_ground(canvas, (season.grass, season.dry), 0.26, 0.5, camera.horizon)
    near = camera.distance(1.0) * 0.9
    way = winding(rng, float(rng.uniform(-2.0, 2.0)), float(rng.uniform(0.4, 1.6)), near, 260.0)
    outline = None
    if rng.random() < 0.7:
        colour = mix((178, 156, 120), (222, 226, 232), 0.6 * season.snow)
        outline = paint_road(canvas, way, float(rng.uniform(1.6, 3.4)), colour, False)
    if season.flowers > 0.0:
        kinds = tuple(pick(rng, PETALS) for _ in range(3))
        paint_flowers(canvas, kinds, int(260 * season.flowers), near * 14.0, outline)
    things: Things = []
    house_x = 1e9
    if rng.random() < 0.45:
        z = float(rng.uniform(28.0, 80.0))
        house_x = float(rng.uniform(-0.7, 0.7) * camera.half_width(z))
        block, pitch, along = make_house(rng, house_x, z, 0.7)
        things.append((z, partial(paint_house, canvas, block, pitch, along, season.snow)))

    def avoid(x: float, z: float) -> bool:
        on_way = outline is not None and abs(x - float(np.interp(z, way[1], way[0]))) < 3.0
        return on_way or abs(x - house_x) < 8.0

    add_trees(things, canvas, season, rng, int(rng.integers(4, 20)), (near * 3.0, 240.0), avoid)
    if rng.random() < 0.55:
        z = near * rng.uniform(1.3, 2.5)
        side = float(rng.choice([-1.0, 1.0]))
        start = (side * camera.half_width(z) * 1.3, float(z))
        end = (side * camera.half_width(z) * rng.uniform(-0.1, 0.5), float(z * rng.uniform(1.2, 3.0)))
        colour = mix((128, 100, 74), (228, 224, 216), float(rng.choice([0.0, 0.9])))
        things.append((start[1], partial(paint_fence, canvas, start, end, colour)))
    if rng.random() < 0.55:
        add_framing_tree(things, canvas, season, rng)
    paint_in_order(things)


def compose_beach(canvas: Canvas, season: Season, rng: np.random.Generator) -> None:
    """The sea under a wide sky, a cape with a lighthouse, boats, and sand."""
    camera = canvas.camera
    horizon = camera.horizon
    side = float(rng.choice([-1.0, 1.0]))
    if rng.random() < 0.75:
        slope = np.clip(np.linspace(-rng.uniform(0.1, 0.9), 1.0, 512), 0.0, 1.0)[:: int(side)]
        line = slope**0.7 * (0.6 + 0.4 * rugged(rng, 0.45)) - 0.05
        height = rng.uniform(0.05, 0.17)
        paint_mountains(canvas, line, horizon + 0.002, horizon - height, 0.3, pick(rng, ROCKS), season.needles, 0.0)
        if rng.random() < 0.5:
            x = side * float(rng.uniform(0.1, 0.42)) * 400.0 / camera.focal
            rise = (
                camera.height
                + float(line[int(np.clip((0.5 + x * camera.focal / 400.0) * 512, 0, 511))]) * height * 400.0
            )
            tall = float(rng.uniform(28.0, 44.0))
            paint_lighthouse(canvas, x, 400.0, tall, rise * 0.9)
    ends = rng.uniform(0.62, 0.84, 2)
    shore = np.linspace(float(ends[0]), float(ends[1]), 512) + (rolling(rng, 3) - 0.5) * 0.08
    sand = (shade((222, 198, 152), rng.uniform(0.86, 1.05)), (200, 170, 122))
    paint_ground(canvas, sand, 0.10, 0.5, horizon)
    sea: tuple[Colour, ...] = ((30, 104, 128), (26, 82, 122), (48, 128, 132), (58, 88, 100))
    paint_water(canvas, pick(rng, sea), horizon, shore, float(rng.uniform(0.4, 1.0)))
    shore_foam(canvas, shore - 0.010, 0.007, (240, 244, 244))
    shore_foam(canvas, shore + 0.008, 0.010, (168, 142, 106))
    things: Things = []
    add_boats(things, canvas, rng, int(rng.integers(0, 5)), float(shore.min()), 500.0)
    if rng.random() < 0.5:
        z = float(camera.distance(rng.uniform(0.88, 0.99)))
        for _ in range(5):
            x = float(side * rng.uniform(0.5, 1.1) * camera.half_width(z))
            colour = shade(season.grass, float(rng.uniform(0.8, 1.1)))
            things.append((z, partial(paint_tree, canvas, "bush", x, z, float(rng.uniform(0.5, 1.4)), colour, 0.0)))
    if rng.random() < 0.4:
        add_framing_tree(things, canvas, season, rng)
    if rng.random() < 0.5:
        z = float(camera.distance(rng.uniform(0.9, 0.96)))
        things.append((z, partial(paint_lamp, canvas, float(-side * 0.8) * camera.half_width(z), z, 4.5, 0.5)))
    paint_in_order(things)
