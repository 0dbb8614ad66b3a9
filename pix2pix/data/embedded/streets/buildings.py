"""Buildings of an embedded street scene: fronts in perspective with windows, shops and balconies, roofs and gables."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pix2pix.data.embedded.basics import Colour, mix
from pix2pix.data.embedded.streets.canvas import Canvas, Face
from pix2pix.data.embedded.streets.materials import MaterialName
from pix2pix.data.embedded.streets.types import EXPOSED, Item
from pix2pix.data.embedded.streets.weather import Direction, pick, scaled

Boxes = NDArray[np.float64]

_WALLS: tuple[tuple[MaterialName, tuple[Colour, ...]], ...] = (
    ("plaster", ((206, 196, 172), (188, 178, 158), (176, 176, 172), (214, 210, 200), (198, 172, 128), (178, 148, 128),
                 (160, 166, 158), (202, 186, 148), (172, 160, 150))),
    ("brick", ((148, 92, 74), (128, 84, 70), (160, 118, 92), (140, 108, 92), (116, 84, 76))),
    ("stone", ((164, 156, 142), (146, 142, 134), (178, 166, 142), (136, 130, 120))),
    ("concrete", ((150, 150, 146), (132, 134, 134), (168, 166, 160))),
)  # fmt: skip
_ROOFS: tuple[Colour, ...] = ((140, 82, 62), (112, 76, 64), (92, 90, 90), (76, 78, 84), (122, 100, 84))
_SIGNS: tuple[Colour, ...] = (
    (176, 44, 40), (40, 72, 132), (36, 104, 70), (216, 208, 192), (208, 158, 52), (46, 46, 50), (122, 84, 52),
    (62, 120, 152),
)  # fmt: skip
_AHEAD: Direction = (0.0, 0.0, -1.0)


class Look(NamedTuple):
    """Colours of one building before light falls on it, and the sizes of its openings in metres."""

    wall: Colour
    material: MaterialName
    trim: Colour
    glass: Colour
    frame: Colour
    bay: float
    storey: float
    window: tuple[float, float]
    surround: bool
    shop: bool
    balconies: bool


def choose_look(rng: np.random.Generator) -> Look:
    """A building in plaster, brick, stone or concrete."""
    material, colours = _WALLS[int(rng.choice(4, p=(0.56, 0.2, 0.14, 0.10)))]
    wall = pick(rng, colours, 0.16)
    modern = material == "concrete" or rng.random() < 0.2
    bay, storey = rng.uniform((2.4, 2.9), (4.2, 3.7) if modern else (3.4, 3.6)).tolist()
    share, height = rng.uniform((0.36, 0.46), (0.86, 0.62) if modern else (0.52, 0.60)).tolist()
    throws = rng.random(6).tolist()
    return Look(
        wall=wall,
        material=material,
        trim=mix(wall, (218.0, 212.0, 200.0), 0.7) if throws[0] < 0.6 else scaled(wall, 0.74),
        glass=scaled((62.0, 70.0, 76.0), 0.6 + 0.8 * throws[1]),
        frame=(216.0, 214.0, 208.0) if throws[2] < 0.7 else (92.0, 74.0, 62.0),
        bay=bay,
        storey=storey,
        window=(share, height),
        surround=throws[3] < 0.6 and not modern,
        shop=throws[4] < 0.55,
        balconies=throws[5] < 0.25,
    )


def paint_block(canvas: Canvas, item: Item, rng: np.random.Generator) -> None:
    """A building that stands in the row, its front on the street line and its near end to be seen over a gap."""
    look, side = choose_look(rng), item.side
    start, end = _ends(canvas, item)
    outer = (start[0] + side * 13.0, start[1])
    bare = scaled(look.wall, float(rng.uniform(0.82, 1.0)))
    gable = Face(canvas, canvas.upright("building", look.material, item.z), start, outer, 1.0)
    _fill(gable, item.height, canvas.weather.shade(bare, _AHEAD))
    if item.form & EXPOSED:
        paint_front(gable, item.height, look._replace(shop=False, balconies=False), _AHEAD, rng)
    front = _front_face(canvas, look.material, start, end)
    _roof(canvas, item, start, end, rng)
    _fill(front, item.height, canvas.weather.shade(look.wall, (-side, 0.0, 0.0)))
    paint_front(front, item.height, look, (-side, 0.0, 0.0), rng)


def paint_house(canvas: Canvas, item: Item, rng: np.random.Generator) -> None:
    """A house with a saddle roof whose ridge runs along the street."""
    look, side = choose_look(rng), item.side
    start, end = _ends(canvas, item)
    top, deep, rise = item.height, 9.0, float(rng.uniform(2.6, 4.2))
    shade = canvas.weather.shade
    gable = Face(
        canvas, canvas.upright("building", look.material, item.z), start, (start[0] + side * deep, start[1]), 1
    )
    gable.polygon([(0, 0), (0, top), (deep / 2, top + rise), (deep, top), (deep, 0)], shade(look.wall, _AHEAD))
    if item.form & EXPOSED:
        paint_front(gable, top, look._replace(shop=False, balconies=False), _AHEAD, rng)
    tiles = pick(rng, _ROOFS)
    number = canvas.wall("building", "tiles", start, end)
    eaves, ridge = -0.4 * side, 0.5 * deep * side
    slope = [(start[0] + eaves, top - 0.2, start[1] - 0.3), (end[0] + eaves, top - 0.2, end[1])]
    slope += [(end[0] + ridge, top + rise, end[1]), (start[0] + ridge, top + rise, start[1] - 0.3)]
    front = _front_face(canvas, look.material, start, end)
    _fill(front, top, shade(look.wall, (-side, 0.0, 0.0)))
    paint_front(front, top, look._replace(shop=False), (-side, 0.0, 0.0), rng)
    canvas.polygon(slope, shade(tiles, (-0.62 * side, 0.78, 0.0)), number)


def paint_terrace(canvas: Canvas, item: Item, rng: np.random.Generator) -> None:
    """A row of buildings across the end of the street."""
    x = -0.5 * item.width
    while x < 0.5 * item.width:
        look, length = choose_look(rng), float(rng.uniform(10, 20))
        middle = canvas.camera.bend(x, item.z)
        number = canvas.upright("building", look.material, item.z)
        face = Face(canvas, number, (middle, item.z), (middle + length, item.z), 1.0)
        height = item.height * float(rng.uniform(0.75, 1.25))
        _fill(face, height, canvas.weather.shade(look.wall, _AHEAD))
        face.rectangle(0, height, length, height + 1.6, canvas.weather.shade(pick(rng, _ROOFS), (0.0, 0.6, -0.8)))
        paint_front(face, height, look._replace(balconies=False), _AHEAD, rng)
        x += length


def paint_skyline(canvas: Canvas, item: Item, rng: np.random.Generator) -> None:
    """What closes the view far away: roofs and trees in the haze, with a tower now and then."""
    building = canvas.upright("building", "plaster", item.z)
    trees = canvas.upright("vegetation", "leaves", item.z)
    x = -0.5 * item.width
    middle = canvas.camera.bend(0.0, item.z)
    while x < 0.5 * item.width:
        width, height = float(rng.uniform(12, 34)), item.height * float(rng.uniform(0.35, 1.2))
        tower, green = rng.random(2).tolist()
        left = (middle + x, item.z)
        if green < 0.4:
            face = Face(canvas, trees, left, (left[0] + width, item.z), 1.0)
            colour = canvas.weather.shade((78.0, 96.0, 58.0), _AHEAD)
            face.ellipse((0.5 * width, 0.3 * height), (0.8 * width, 0.5 * height), colour)
        else:
            face = Face(canvas, building, left, (left[0] + width, item.z), 1.0)
            colour = canvas.weather.shade(pick(rng, _WALLS[0][1]), _AHEAD)
            _fill(face, height, colour)
            if tower < 0.12:
                face.polygon([(0, 0), (0, 2 * height), (3, 3 * height), (6, 2 * height), (6, 0)], scaled(colour, 0.8))
        x += width * 0.8


def paint_front(face: Face, height: float, look: Look, normal: Direction, rng: np.random.Generator) -> None:
    """Storeys of windows, a ground floor, a plinth and a cornice on a wall of the given height."""
    light = face.canvas.weather.shade
    length = face.length
    trim, dark = light(look.trim, normal), light(scaled(look.wall, 0.55), normal)
    ground = look.storey + 0.5
    storeys = max(0, int((height - ground - 0.3) / look.storey))
    bays = max(1, int(length / look.bay))
    shift, pitch = 0.5 * (length - bays * look.bay), look.bay
    left = np.asarray(shift + pitch * (np.arange(bays) + 0.5 - 0.5 * look.window[0]), np.float64)
    sills = ground + look.storey * (np.arange(storeys) + 0.30)
    x0, y0 = (field.ravel() for field in np.meshgrid(left, sills))
    windows = np.stack([x0, y0, x0 + pitch * look.window[0], y0 + look.storey * look.window[1]], axis=1)
    near = face.start[1] < 60.0
    face.rectangle(0.0, height - 0.45, length, height, trim)
    if near:
        face.rectangle(0.0, height - 0.75, length, height - 0.45, dark)
        face.rectangle(0.0, ground - 0.25, length, ground, trim)
        face.rectangle(0.0, 0.0, length, 0.6, light(scaled(look.wall, 0.7), normal))
    _paint_windows(face, windows, look, normal, near, rng)
    _paint_ground_floor(face, ground, look, normal, left, rng)
    if look.balconies and near and storeys:
        _paint_balconies(face, windows, look, normal, int(rng.integers(1, 3)))


def _paint_windows(
    face: Face, windows: Boxes, look: Look, normal: Direction, near: bool, rng: np.random.Generator
) -> None:
    """Surrounds and sills, panes that mirror the sky or show curtains, and the shadow of the reveal."""
    light = face.canvas.weather.shade
    throws = rng.random(len(windows))
    if near and look.surround:
        face.rectangles(windows + np.array([-0.16, -0.2, 0.16, 0.2]), light(look.trim, normal))
    if near:
        face.rectangles(windows + np.array([-0.03, -0.03, 0.03, 0.03]), light(look.frame, normal))
    panes = windows + (np.array([0.07, 0.07, -0.07, -0.07]) if near else 0.0)
    face.rectangles(panes, light(look.glass, normal))
    for low, high, colour, share in (
        (0.0, 0.30, mix(look.glass, face.canvas.weather.horizon, 0.45), 0.55),
        (0.30, 0.52, (196.0, 190.0, 176.0), 0.75),
        (0.52, 0.66, (150.0, 142.0, 128.0), 0.45),
    ):
        some = panes[(throws >= low) & (throws < high)]
        upper = some.copy()
        upper[:, 1] = some[:, 3] - (some[:, 3] - some[:, 1]) * share
        face.rectangles(upper, light(mix(colour, look.glass, 0.35), normal))
    if not near:
        return
    reveal = panes.copy()
    reveal[:, 1] = reveal[:, 3] - 0.14
    face.rectangles(reveal, light(scaled(look.glass, 0.55), normal))
    middle = 0.5 * (panes[:, [0]] + panes[:, [2]])
    mullions = np.concatenate([middle - 0.04, panes[:, [1]], middle + 0.04, panes[:, [3]]], axis=1)
    face.rectangles(mullions, light(look.frame, normal))


def _paint_ground_floor(
    face: Face, ground: float, look: Look, normal: Direction, left: Boxes, rng: np.random.Generator
) -> None:
    """Shop windows below a sign and perhaps an awning, or windows and a door."""
    light = face.canvas.weather.shade
    glass, length = light(scaled(look.glass, 0.8), normal), face.length
    width = look.bay * look.window[0]
    boxes = np.stack([left, np.full(len(left), 1.0), left + width, np.full(len(left), 2.7)], axis=1)
    door = int(rng.integers(len(left)))
    shop, sign, awning = look.shop, light(pick(rng, _SIGNS, 0.2), normal), rng.random()
    if shop:
        face.rectangle(0.2, 0.0, length - 0.2, ground - 0.3, light(scaled(look.trim, 0.6), normal))
        middles = left + 0.5 * width
        boxes = np.stack([middles - 0.43 * look.bay, np.full(len(left), 0.5), middles + 0.43 * look.bay,
                          np.full(len(left), 2.6)], axis=1)  # fmt: skip
        face.rectangle(0.3, 2.72, length - 0.3, 3.35, sign)
        lit = boxes + np.array([0.1, 0.1, -0.1, -0.9])
        face.rectangles(boxes, glass)
        face.rectangles(lit, light(mix(look.glass, (196.0, 176.0, 140.0), 0.5), normal))
    else:
        face.rectangles(boxes, light(look.frame, normal))
        face.rectangles(boxes + np.array([0.07, 0.07, -0.07, -0.07]), glass)
    x0, _, x1, _ = boxes[door].tolist()
    wood = scaled(pick(rng, ((104.0, 72.0, 50.0), (70.0, 82.0, 74.0), (72.0, 66.0, 62.0))), 0.9)
    face.rectangle(x0, 0.0, min(x1, x0 + 1.3), 2.65, light(wood, normal))
    face.rectangle(x0 + 0.2, 1.4, min(x1, x0 + 1.3) - 0.2, 2.4, glass)
    if shop and awning < 0.4 and abs(normal[0]) > 0.5 and face.start[1] < 50:
        (x, z), (dx, dz) = face.start, face.along
        out = 1.3 * normal[0]
        a, b = (x + dx, z + dz), (x + dx * (length - 1), z + dz * (length - 1))
        roof = [(a[0], 2.95, a[1]), (b[0], 2.95, b[1]), (b[0] + out, 2.45, b[1]), (a[0] + out, 2.45, a[1])]
        face.canvas.polygon(roof, light(pick(rng, _SIGNS, 0.2), (normal[0] * 0.4, 0.9, 0.0)), face.surface)


def _paint_balconies(face: Face, windows: Boxes, look: Look, normal: Direction, every: int) -> None:
    """Slabs that stand out below some windows, with a railing in front."""
    canvas, out = face.canvas, 1.0
    slab, rail = canvas.weather.shade(scaled(look.trim, 0.7), (0, -1, 0)), canvas.weather.shade(look.trim, normal)
    for x0, y0, x1, _ in windows[:: every + 1][-10:].tolist():
        a, b = ((face.start[0] + face.along[0] * t, face.start[1] + face.along[1] * t) for t in (x0 - 0.3, x1 + 0.3))
        c, d = ((p[0] + normal[0] * out, p[1] + normal[2] * out) for p in (a, b))
        floor = y0 - 0.5
        canvas.polygon([(a[0], floor, a[1]), (b[0], floor, b[1]), (d[0], floor, d[1]), (c[0], floor, c[1])], slab,
                       face.surface)  # fmt: skip
        canvas.polygon([(a[0], floor, a[1]), (c[0], floor, c[1]), (c[0], floor + 1, c[1]), (a[0], floor + 1, a[1])],
                       scaled(rail, 0.8), face.surface)  # fmt: skip
        canvas.polygon([(c[0], floor, c[1]), (d[0], floor, d[1]), (d[0], floor + 1, d[1]), (c[0], floor + 1, c[1])],
                       rail, face.surface)  # fmt: skip


def _roof(
    canvas: Canvas, item: Item, start: tuple[float, float], end: tuple[float, float], rng: np.random.Generator
) -> None:
    """A steep roof behind the cornice, with dormers; one building in three is flat."""
    throws = rng.random(2).tolist()
    tiles = canvas.weather.shade(pick(rng, _ROOFS), (-0.7 * item.side, 0.7, 0.0))
    if throws[0] < 0.33:
        return
    back, top, rise = 2.4 * item.side, item.height, 1.8 + 1.4 * throws[1]
    surface = canvas.wall("building", "tiles", start, end)
    slope = [(start[0], top, start[1]), (end[0], top, end[1])]
    slope += [(end[0] + back, top + rise, end[1]), (start[0] + back, top + rise, start[1])]
    canvas.polygon(slope, tiles, surface)


def _ends(canvas: Canvas, item: Item) -> tuple[tuple[float, float], tuple[float, float]]:
    """Near and far end of a lot's street line, moved with the bend of the street."""
    bend = canvas.camera.bend
    return (bend(item.x, item.z), item.z), (bend(item.x, item.far), item.far)


def _front_face(canvas: Canvas, material: MaterialName, start: tuple[float, float], end: tuple[float, float]) -> Face:
    return Face(canvas, canvas.wall("building", material, start, end), start, end, 1.0)


def _fill(face: Face, height: float, colour: Colour) -> None:
    """The bare wall, a little darker towards the ground."""
    face.rectangle(0.0, 0.0, face.length, height, colour)
    face.rectangle(0.0, 0.0, face.length, 0.45 * height, scaled(colour, 0.95))
