"""Houses, churches and towers of the embedded scenes: convex solids in metres, their faces lit one by one."""

import math
from dataclasses import dataclass

import numpy as np

from pix2pix.data.embedded.basics import Colour, mix, shade
from pix2pix.data.embedded.scenes.canvas import Canvas, Points

GLASS: tuple[Colour, ...] = ((58.0, 70.0, 84.0), (84.0, 100.0, 116.0), (126.0, 146.0, 164.0))
CURTAIN = (176.0, 152.0, 112.0)
# Light in windows: unlit ones apart, most are warm and some cold or dim.
LAMPLIGHT: tuple[Colour, ...] = (
    (255.0, 198.0, 104.0),
    (250.0, 170.0, 74.0),
    (206.0, 222.0, 236.0),
    (150.0, 104.0, 52.0),
)
WALLS: tuple[Colour, ...] = (
    (232.0, 226.0, 212.0), (226.0, 206.0, 166.0), (214.0, 178.0, 138.0), (196.0, 120.0, 96.0),
    (206.0, 196.0, 184.0), (178.0, 190.0, 196.0), (222.0, 186.0, 172.0), (158.0, 94.0, 74.0),
)  # fmt: skip
ROOFS: tuple[Colour, ...] = (
    (172.0, 74.0, 50.0), (150.0, 62.0, 46.0), (188.0, 98.0, 64.0), (116.0, 70.0, 56.0), (92.0, 94.0, 102.0),
)  # fmt: skip


@dataclass(frozen=True)
class Block:
    """A building's footprint between x and z (metres), its walls' height, colours, and windows across and up."""

    x: tuple[float, float]
    z: tuple[float, float]
    height: float
    wall: Colour
    roof: Colour
    windows: tuple[int, int]
    lit: float  # share of the windows that are lit after dark

    @property
    def centre(self) -> Points:
        """A point inside, which tells the outside of every face."""
        return np.array([sum(self.x) / 2.0, 0.4 * self.height, sum(self.z) / 2.0])


def paint_face(canvas: Canvas, corners: Points, inside: Points, colour: Colour, rough: float) -> bool:
    """A flat face (n, 3) of a convex solid, if the camera sees it; tells whether it does."""
    # In plain numbers: numpy's cross product of two vectors takes longer than to paint the face.
    (x, y, z), (ax, ay, az), (bx, by, bz) = corners[[0, 1, -1]].tolist()
    ax, ay, az, bx, by, bz = ax - x, ay - y, az - z, bx - x, by - y, bz - z
    normal = (ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx)
    middle_x, middle_y, middle_z = inside.tolist()
    outward = normal[0] * (x - middle_x) + normal[1] * (y - middle_y) + normal[2] * (z - middle_z)
    length = math.copysign(max(math.hypot(*normal), 1e-9), outward)
    across, up, ahead = (component / length for component in normal)
    towards = -across * x + up * (canvas.camera.height - y) - ahead * z
    depth = corners[:, 2]
    if towards <= 0.0 or depth.max() < 2.0:
        return False
    outline = canvas.camera.project(corners[:, 0], corners[:, 1], depth)
    canvas.fill(outline, colour, canvas.direction.on((across, up, ahead)), float(depth.mean()), rough)
    return True


def cast_shadow(canvas: Canvas, x: tuple[float, float], z: tuple[float, float], height: float) -> None:
    """The shadow of a box on the ground."""
    sun = canvas.direction
    reach = min(height / max(sun.y, 0.25), 3.0 * height)
    foot_x, foot_z = np.array([x[0], x[1], x[1], x[0]]), np.array([z[0], z[0], z[1], z[1]])
    across = np.concatenate([foot_x, foot_x - sun.x * reach])
    ahead = np.concatenate([foot_z, foot_z - sun.z * reach])
    canvas.shadow(canvas.camera.project(across, 0.0, np.maximum(ahead, 1.5)))


def paint_windows(
    canvas: Canvas, start: Points, end: Points, rise: tuple[float, float], count: tuple[int, int], lit: float
) -> None:
    """Windows in a grid (across, up) on a wall between two points (x, z) and the heights `rise`."""
    columns, rows = count
    throws = canvas.rng.random((rows * columns, 2))
    wide, tall, frame_tone = canvas.rng.uniform((0.42, 0.46, 0.8), (0.66, 0.66, 1.25)).tolist()
    s = np.tile((np.arange(columns) + 0.5) / columns, rows)
    t = np.repeat((np.arange(rows) + 0.52) / rows, columns)

    def quads(grow: float, grow_up: float) -> Points:
        half_s, half_t = 0.5 * wide * grow / columns, 0.5 * tall * grow_up / rows
        along = np.stack([s - half_s, s + half_s, s + half_s, s - half_s], axis=1)
        up = np.stack([t - half_t, t - half_t, t + half_t, t + half_t], axis=1)
        x, z = (start[axis] + (end[axis] - start[axis]) * along for axis in (0, 1))
        return canvas.camera.project(x, rise[0] + (rise[1] - rise[0]) * up, z)

    outer, glass = quads(1.22, 1.16), quads(1.0, 1.0)
    frame = shade((214.0, 208.0, 198.0), frame_tone)
    canvas.tint(outer, frame)
    bright = throws[:, 0] < lit
    hue = (throws[:, 1] ** 1.5 * len(LAMPLIGHT)).astype(int)
    tone = (throws[:, 1] * 2.999).astype(int)
    for number, colour in enumerate(GLASS):
        if len(chosen := glass[~bright & (tone == number)]):
            canvas.tint(chosen, colour)
    for number, colour in enumerate(LAMPLIGHT):
        if len(chosen := glass[bright & (hue == number)]):
            # Who is at home has the curtains half drawn, so that the day gives a hint of the night.
            canvas.tint(chosen, mix(GLASS[number % 3], CURTAIN, 0.55))
            canvas.shine(chosen, colour)
    if rows * columns <= 24 and start[1] < 60.0:
        bars = quads(0.12, 1.0)
        canvas.tint(bars, frame)
        canvas.shine(bars, (0.0, 0.0, 0.0))


def paint_block(canvas: Canvas, block: Block) -> None:
    """The walls with their windows, and a flat top."""
    (x0, x1), (z0, z1), height = block.x, block.z, block.height
    cast_shadow(canvas, block.x, block.z, height)
    top = np.array([[x0, height, z0], [x1, height, z0], [x1, height, z1], [x0, height, z1]])
    paint_face(canvas, top, block.centre, block.roof, 0.3)
    depth_columns = max(1, round(block.windows[0] * (z1 - z0) / max(x1 - x0, 0.1)))
    sides = (
        ((x0, z1), (x0, z0), depth_columns),
        ((x1, z0), (x1, z1), depth_columns),
        ((x0, z0), (x1, z0), block.windows[0]),
    )
    for (ax, az), (bx, bz), columns in sides:
        corners = np.array([[ax, 0.0, az], [bx, 0.0, bz], [bx, height, bz], [ax, height, az]])
        if paint_face(canvas, corners, block.centre, block.wall, 0.35):
            rise = (0.03 * height, 0.97 * height)
            count = (min(columns, 14), block.windows[1])
            paint_windows(canvas, np.array([ax, az]), np.array([bx, bz]), rise, count, block.lit)


def paint_house(canvas: Canvas, block: Block, pitch: float, along: bool, snow: float) -> None:
    """A block under a gable roof `pitch` metres high whose ridge runs `along` the picture or away from the camera."""
    paint_block(canvas, block)
    (x0, x1), (z0, z1), h = block.x, block.z, block.height
    eave = 0.35
    roof = mix(block.roof, (236.0, 240.0, 246.0), 0.85 * snow)
    middle = sum(block.z) / 2.0 if along else sum(block.x) / 2.0
    if along:
        ends = [np.array([[x, h, z0], [x, h, z1], [x, h + pitch, middle]]) for x in (x0, x1)]
        a, b = x0 - eave, x1 + eave
        slopes = [
            np.array([[a, h - 0.2, z], [b, h - 0.2, z], [b, h + pitch, middle], [a, h + pitch, middle]])
            for z in (z1 + eave, z0 - eave)
        ]
    else:
        ends = [np.array([[x0, h, z], [x1, h, z], [middle, h + pitch, z]]) for z in (z1, z0)]
        a, b = z0 - eave, z1 + eave
        slopes = [
            np.array([[x, h - 0.2, a], [x, h - 0.2, b], [middle, h + pitch, b], [middle, h + pitch, a]])
            for x in (x0 - eave, x1 + eave)
        ]
    for end in ends:
        paint_face(canvas, end, block.centre, block.wall, 0.35)
    for slope in slopes:
        if paint_face(canvas, slope, block.centre, roof, 0.75):
            _paint_courses(canvas, slope, shade(roof, 0.86))
    _paint_door(canvas, block)
    chimney_x = x0 + (x1 - x0) * (0.3 if along else 0.62)
    depth = (z0 + z1) / 2.0 - (0.0 if along else 0.2 * (z1 - z0))
    stack = Block((chimney_x, chimney_x + 0.7), (depth, depth + 0.7), 0.0, (150.0, 96.0, 80.0), roof, (0, 0), 0.0)
    low, high = h + 0.45 * pitch, h + pitch + 0.7
    for corners in upright(stack.x, stack.z, low, high):
        paint_face(canvas, corners, np.array([chimney_x + 0.35, low, depth + 0.35]), stack.wall, 0.5)


def upright(x: tuple[float, float], z: tuple[float, float], low: float, high: float) -> list[Points]:
    """The four walls of a box."""
    ring = [(x[0], z[1]), (x[0], z[0]), (x[1], z[0]), (x[1], z[1])]
    pairs = zip(ring, [*ring[1:], ring[0]], strict=True)
    return [np.array([[ax, low, az], [bx, low, bz], [bx, high, bz], [ax, high, az]]) for (ax, az), (bx, bz) in pairs]


def _paint_courses(canvas: Canvas, slope: Points, colour: Colour) -> None:
    """Darker lines along a roof, from the eave (first two corners) to the ridge."""
    steps = np.linspace(0.08, 0.92, 7)
    left, right = (low + (high - low) * steps[:, None] for low, high in ((slope[0], slope[3]), (slope[1], slope[2])))
    thin = 0.05 * (slope[3] - slope[0])
    corners = np.stack([left, right, right + thin, left + thin], axis=1)
    canvas.tint(canvas.camera.project(corners[..., 0], corners[..., 1], corners[..., 2]), colour)


def _paint_door(canvas: Canvas, block: Block) -> None:
    """A door in the middle of the front, with a lamp above it."""
    colours: tuple[Colour, ...] = ((96.0, 60.0, 40.0), (60.0, 84.0, 70.0), (122.0, 44.0, 38.0), (56.0, 70.0, 96.0))
    colour = colours[int(canvas.rng.integers(len(colours)))]
    middle = block.x[0] + (block.x[1] - block.x[0]) * 0.5
    x = middle + np.array([-0.55, 0.55, 0.55, -0.55])
    canvas.tint(canvas.camera.project(x, np.array([0.0, 0.0, 2.2, 2.2]), block.z[0]), colour)
    canvas.shine(
        canvas.camera.project(x * 0.3 + middle * 0.7, np.array([2.5, 2.5, 2.8, 2.8]), block.z[0]), LAMPLIGHT[0]
    )


def paint_church(canvas: Canvas, x: float, z: float, wall: Colour, roof: Colour, snow: float) -> None:
    """A nave beside a tower with a tall pyramid."""
    nave = Block((x, x + 16.0), (z, z + 9.0), 7.0, wall, roof, (5, 1), 0.6)
    paint_house(canvas, nave, 5.0, True, snow)
    tower = Block((x - 6.0, x), (z, z + 6.0), 17.0, shade(wall, 0.96), roof, (1, 4), 0.25)
    paint_block(canvas, tower)
    cap = mix(roof, (236.0, 240.0, 246.0), 0.5 * snow)
    ring = np.array([[x - 6.3, 17, z - 0.3], [x + 0.3, 17, z - 0.3], [x + 0.3, 17, z + 6.3], [x - 6.3, 17, z + 6.3]])
    tip = np.array([x - 3.0, 29.0, z + 3.0])
    for number in (2, 1, 3, 0):
        side = np.stack([ring[number], ring[(number + 1) % 4], tip])
        paint_face(canvas, side, np.array([x - 3.0, 17.5, z + 3.0]), cap, 0.5)
