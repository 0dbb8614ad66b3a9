"""Scenes with people about: a village, a street, a park and a skyline behind water."""

from functools import partial

import numpy as np

from pix2pix.data.embedded.basics import Colour, mix, shade
from pix2pix.data.embedded.scenes.buildings import ROOFS, WALLS, Block, paint_block, paint_church, paint_house
from pix2pix.data.embedded.scenes.canvas import Canvas
from pix2pix.data.embedded.scenes.land import Season, paint_ground, paint_water, rolling, shore_foam
from pix2pix.data.embedded.scenes.nature import (
    WATERS,
    Things,
    add_boats,
    add_framing_tree,
    add_trees,
    make_house,
    paint_backdrop,
    paint_in_order,
    pick,
)
from pix2pix.data.embedded.scenes.plants import choose_tree, paint_tree
from pix2pix.data.embedded.scenes.things import paint_car, paint_fence, paint_lamp, paint_road, winding

ASPHALT: tuple[Colour, ...] = ((112, 112, 114), (96, 98, 102), (128, 122, 116))
PAVING: tuple[Colour, ...] = ((186, 178, 164), (164, 160, 154), (196, 180, 156))
CARS: tuple[Colour, ...] = (
    (206, 208, 210), (52, 56, 62), (150, 34, 32), (40, 74, 132), (128, 132, 136), (226, 222, 206),
)  # fmt: skip
TOWERS: tuple[Colour, ...] = (
    (176, 178, 182), (150, 160, 172), (190, 172, 148), (128, 118, 112), (108, 124, 142), (206, 200, 190),
)  # fmt: skip


def compose_village(canvas: Canvas, season: Season, rng: np.random.Generator) -> None:
    """Houses and a church along a road through meadows."""
    camera = canvas.camera
    paint_backdrop(canvas, season, rng, float(rng.uniform(0.1, 0.9)), camera.horizon + 0.01)
    paint_ground(canvas, (season.grass, season.dry), 0.26, 0.6, camera.horizon)
    near = camera.distance(1.0) * 0.9
    way = winding(rng, float(rng.uniform(-3.0, 3.0)), float(rng.uniform(0.3, 1.2)), near, 220.0)
    surface = mix(pick(rng, ASPHALT), (196, 200, 206), 0.5 * season.snow)
    paint_road(canvas, way, float(rng.uniform(4.5, 6.5)), surface, bool(rng.random() < 0.6))
    things: Things = []
    taken: list[tuple[float, float, float]] = []  # x, z and how far around it is built up
    if rng.random() < 0.6:
        z = float(rng.uniform(70.0, 130.0))
        x = float(rng.uniform(-0.5, 0.5) * camera.half_width(z))
        wall, roof = pick(rng, WALLS[:3], 0.04), pick(rng, ROOFS)
        things.append((z, partial(paint_church, canvas, x, z, wall, roof, season.snow)))
        taken.append((x + 5.0, z, 18.0))
    for side in (-1.0, 1.0):
        z = float(max(near * 1.4, 16.0) * rng.uniform(1.0, 1.4))
        while z < 170.0:
            middle = float(np.interp(z + 4.0, way[1], way[0]))
            x = middle + side * float(rng.uniform(10.0, 13.0))
            block, pitch, along = make_house(rng, x, z, float(rng.uniform(0.3, 0.8)))
            if rng.random() < 0.8 and all(abs(x - a) > r or abs(z - b) > r for a, b, r in taken):
                things.append((z, partial(paint_house, canvas, block, pitch, along, season.snow)))
                taken.append((x, z + 4.0, 8.0))
            z += float(rng.uniform(14.0, 26.0)) * (1.0 + z / 120.0)
    for number in range(5):
        z = near * 1.6 + 17.0 * number
        x = float(np.interp(z, way[1], way[0])) + 3.6
        things.append((z, partial(paint_lamp, canvas, x, z, 5.0, -0.9)))

    def avoid(x: float, z: float) -> bool:
        on_way = abs(x - float(np.interp(z, way[1], way[0]))) < 5.0
        return on_way or any(abs(x - a) < r and abs(z - b) < r for a, b, r in taken)

    add_trees(things, canvas, season, rng, int(rng.integers(8, 20)), (near * 2.0, 200.0), avoid)
    if rng.random() < 0.5:
        z = near * rng.uniform(1.5, 2.2)
        edge = float(np.interp(z, way[1], way[0])) - 3.5
        start, end = (edge - 1.2 * camera.half_width(z), float(z)), (edge, float(z * 1.15))
        things.append((z, partial(paint_fence, canvas, start, end, (226, 222, 212))))
    if rng.random() < 0.4:
        add_framing_tree(things, canvas, season, rng)
    paint_in_order(things)


def compose_street(canvas: Canvas, season: Season, rng: np.random.Generator) -> None:
    """A street of tall houses with lamps, trees and parked cars."""
    camera = canvas.camera
    paint_backdrop(canvas, season, rng, float(rng.uniform(0.0, 0.5)), camera.horizon + 0.01)
    paved = mix(pick(rng, PAVING), (214, 220, 228), 0.7 * season.snow)
    paint_ground(canvas, (paved, shade(paved, 0.9)), 0.08, 0.3, camera.horizon)
    near = camera.distance(1.0) * 0.9
    half = float(rng.uniform(3.2, 5.0))
    straight = np.geomspace(near, 400.0, 28)
    offset = float(rng.uniform(-2.5, 2.5))
    paint_road(canvas, (np.full(28, offset), straight), 2.0 * half, pick(rng, ASPHALT), bool(rng.random() < 0.7))
    things: Things = []
    for side in (-1.0, 1.0):
        front = offset + side * (half + float(rng.uniform(2.6, 4.5)))
        _add_row(things, canvas, rng, side, front, near)
        post = offset + side * (half + 0.7)
        step = float(rng.uniform(13.0, 20.0))
        leafy, start = rng.random() < 0.6, float(rng.uniform(1.2, 2.0)) * near
        kind, colour = choose_tree(rng, season, 0.0)
        for number in range(7):
            z = start + step * number
            things.append((z, partial(paint_lamp, canvas, post, z, 6.0, -1.2 * side)))
            if leafy:
                height = float(rng.uniform(4.5, 6.5))
                tone = shade(colour, float(rng.uniform(0.92, 1.08)))
                place = z + step / 2.0
                things.append((place, partial(paint_tree, canvas, kind, post, place, height, tone, season.snow)))
        for number in range(10):
            z = near * 1.3 + 6.5 * number + float(rng.uniform(0.0, 1.5))
            colour_of_car = pick(rng, CARS)
            if rng.random() < 0.45:
                things.append((z, partial(paint_car, canvas, offset + side * (half - 1.1), z, colour_of_car)))
    paint_in_order(things)


def _add_row(things: Things, canvas: Canvas, rng: np.random.Generator, side: float, front: float, near: float) -> None:
    """Houses wall to wall on one side of a street, whose fronts stand at x = `front`."""
    z = near * float(rng.uniform(0.8, 1.6))
    storeys = int(rng.integers(2, 6))
    while z < 150.0:
        wide, floors = float(rng.uniform(8.0, 18.0)), int(np.clip(storeys + rng.integers(-1, 2), 2, 7))
        deep = float(rng.uniform(9.0, 12.0))
        x = (front, front + deep) if side > 0 else (front - deep, front)
        wall, roof, lit = pick(rng, WALLS, 0.08), pick(rng, ROOFS), float(rng.uniform(0.25, 0.7))
        block = Block(x, (z, z + wide), 3.2 * floors, wall, roof, (3, floors), lit)
        pitch = float(rng.uniform(2.0, 4.0))
        if rng.random() < 0.55:
            things.append((z, partial(paint_house, canvas, block, pitch, False, 0.0)))
        else:
            things.append((z, partial(paint_block, canvas, block)))
        z += wide + (float(rng.uniform(3.0, 12.0)) if rng.random() < 0.18 else 0.0)


def compose_park(canvas: Canvas, season: Season, rng: np.random.Generator) -> None:
    """A promenade seen from a roof: paving between lawns, trees in rows, lamps, and buildings at the side."""
    camera = canvas.camera
    paint_backdrop(canvas, season, rng, float(rng.uniform(0.0, 0.4)), camera.horizon + 0.01)
    paint_ground(canvas, (season.grass, season.dry), 0.24, 0.6, camera.horizon)
    near = camera.distance(1.0) * 0.9
    z_way = np.geomspace(near, 300.0, 28)
    middle = float(rng.uniform(-2.5, 2.5)) + float(rng.uniform(-0.05, 0.05)) * z_way
    width = float(rng.uniform(5.0, 10.0))
    paved = mix(pick(rng, PAVING), (214, 220, 228), 0.5 * season.snow)
    paint_road(canvas, (middle, z_way), width, paved, False)
    cross = float(rng.uniform(1.6, 3.0)) * near
    for z in (cross, cross * 2.4):
        across = np.array([-1.0, 1.0, 1.0, -1.0]) * camera.half_width(z * 1.3) * 1.2
        canvas.tint(camera.project(across, 0.0, np.array([z, z, z * 1.16, z * 1.16])), paved)
    things: Things = []
    for side in (-1.0, 1.0):
        kind, colour = choose_tree(rng, season, 0.12)
        away, step = float(rng.uniform(1.5, 4.0)), float(rng.uniform(8.0, 13.0))
        for number in range(8):
            z = near * 1.25 + step * number + float(rng.uniform(0.0, 2.0))
            x = float(np.interp(z, z_way, middle)) + side * (width / 2.0 + away)
            tone, height = shade(colour, float(rng.uniform(0.9, 1.1))), float(rng.uniform(4.5, 8.5))
            if not 0.97 < z / cross < 1.2:
                things.append((z, partial(paint_tree, canvas, kind, x, z, height, tone, season.snow)))
            lamp_z = z + step / 2.0
            edge = float(np.interp(lamp_z, z_way, middle)) + side * (width / 2.0 + 0.4)
            things.append((lamp_z, partial(paint_lamp, canvas, edge, lamp_z, 4.0, 0.0)))
        if rng.random() < 0.75:
            front = side * (width / 2.0 + away + float(rng.uniform(6.0, 12.0)))
            floors, deep = int(rng.integers(2, 5)), float(rng.uniform(12.0, 20.0))
            start = near * float(rng.uniform(1.2, 3.0))
            x_range = (front, front + deep) if side > 0 else (front - deep, front)
            z_range = (start, start + float(rng.uniform(18.0, 50.0)))
            wall, roof = pick(rng, WALLS, 0.08), (150.0, 146.0, 140.0)
            block = Block(x_range, z_range, 3.6 * floors, wall, roof, (5, floors), float(rng.uniform(0.2, 0.7)))
            things.append((start, partial(paint_block, canvas, block)))
    paint_in_order(things)


def compose_skyline(canvas: Canvas, season: Season, rng: np.random.Generator) -> None:
    """Towers of a city behind a river or a park."""
    camera = canvas.camera
    far = float(rng.uniform(150.0, 260.0))
    first = float(camera.project(0.0, 0.0, far)[1])
    paint_backdrop(canvas, season, rng, float(rng.uniform(0.0, 0.3)), camera.horizon + 0.006)
    paint_ground(canvas, (season.grass, (150, 146, 136)), 0.2, 0.4, camera.horizon)
    things: Things = []
    spread, peak = camera.half_width(far), float(rng.uniform(-0.6, 0.6))
    tallest = float(rng.uniform(0.5, 0.9)) * camera.horizon * far / camera.focal
    for _ in range(int(rng.integers(16, 26))):
        z = far + float(rng.uniform(3.0, 140.0))
        place = float(rng.uniform(-1.1, 1.1))
        wide, deep = rng.uniform(12.0, 26.0, 2).tolist()
        height = 14.0 + tallest * np.exp(-2.2 * (place - peak) ** 2) * float(rng.uniform(0.15, 1.0)) ** 1.3
        floors = int(np.clip(height / 5.0, 3, 13))
        wall = mix(pick(rng, TOWERS), pick(rng, WALLS), 0.3 * float(rng.random()))
        x = place * spread * z / far
        block = Block((x - wide / 2, x + wide / 2), (z, z + deep), float(height), wall, shade(wall, 0.7),
                      (int(wide / 4.0), floors), float(rng.uniform(0.15, 0.55)))  # fmt: skip
        things.append((z, partial(paint_block, canvas, block)))
    add_trees(things, canvas, season, rng, int(rng.integers(6, 16)), (far, far * 1.02), lambda x, z: False)
    quay = np.linspace(-0.95, 0.95, 8) * spread
    things += [(far, partial(paint_lamp, canvas, float(x), far, 7.0, 0.0)) for x in quay]
    paint_in_order(things)
    things = []
    near = camera.distance(1.0)
    if rng.random() < 0.75:
        left, right = rng.uniform(0.78, 0.88, 2).tolist()
        shore = np.linspace(left, right, 512) + (rolling(rng, 2) - 0.5) * 0.04
        paint_water(canvas, pick(rng, WATERS), first, shore, float(rng.uniform(0.1, 0.8)))
        shore_foam(canvas, shore, 0.005, (128, 122, 112))
        add_boats(things, canvas, rng, int(rng.integers(0, 4)), float(shore.min()), far)
    else:
        add_trees(things, canvas, season, rng, 16, (near * 2.5, far * 0.8), lambda x, z: abs(x) < 4.0)
        way = winding(rng, 0.0, float(rng.uniform(0.2, 0.8)), near * 0.9, far)
        paint_road(canvas, way, 4.0, pick(rng, PAVING), False)
    if rng.random() < 0.5:
        add_framing_tree(things, canvas, season, rng)
    z = float(camera.distance(0.95))
    things.append((z, partial(paint_lamp, canvas, float(rng.uniform(-0.8, 0.8)) * camera.half_width(z), z, 4.5, 0.5)))
    paint_in_order(things)
