"""Roads, lamps, fences, boats and a lighthouse for the embedded scenes, in metres where they stand."""

import numpy as np

from pix2pix.data.embedded.basics import Colour, mix, shade
from pix2pix.data.embedded.scenes.buildings import LAMPLIGHT, cast_shadow, paint_face, upright
from pix2pix.data.embedded.scenes.canvas import Canvas, Points


def ribbon(canvas: Canvas, middle: Points, z: Points, width: float) -> Points:
    """The outline of a strip on the ground along `middle` (x at each z, near to far), `width` metres wide."""
    left = canvas.camera.project(middle - width / 2.0, 0.0, z)
    right = canvas.camera.project(middle + width / 2.0, 0.0, z)
    return np.concatenate([left, right[::-1]])


def winding(rng: np.random.Generator, start: float, bend: float, near: float, far: float) -> tuple[Points, Points]:
    """A way from the camera into the distance: x and z of its middle, 28 points (metres)."""
    z = np.geomspace(near, far, 28)
    phase, turns, drift = rng.uniform((0.0, 0.7, -0.35), (6.28, 1.9, 0.35)).tolist()
    share = np.linspace(0.0, 1.0, 28)
    x = start + bend * np.sqrt(z) * np.sin(phase + turns * np.pi * share) + drift * z * share
    return x, z


def paint_road(canvas: Canvas, way: tuple[Points, Points], width: float, colour: Colour, marked: bool) -> Points:
    """A road or path; gives its outline. Marked ones have a dashed line in the middle."""
    middle, z = way
    canvas.tint(ribbon(canvas, middle, z, width * 1.25), shade(mix(colour, (120.0, 110.0, 84.0), 0.5), 0.9))
    outline = ribbon(canvas, middle, z, width)
    canvas.tint(outline, colour)
    if marked:
        fine = np.geomspace(z[0], min(z[-1], 160.0), 60)
        x = np.interp(fine, z, middle)
        for start in range(0, 58, 3):
            canvas.tint(ribbon(canvas, x[start : start + 2], fine[start : start + 2], 0.16), (226.0, 224.0, 214.0))
    else:
        for offset in (-0.22, 0.22):
            canvas.tint(ribbon(canvas, middle + offset * width, z, 0.14 * width), shade(colour, 0.88))
    return outline


def paint_lamp(canvas: Canvas, x: float, z: float, height: float, reach: float) -> None:
    """A street lamp whose arm reaches `reach` metres to the right, with its pool of light on the ground."""
    camera = canvas.camera
    cast_shadow(canvas, (x - 0.06, x + 0.06), (z, z + 0.1), height)
    thick = max(0.07, 0.35 * z / camera.focal / 256.0)
    post = camera.project(x + np.array([-thick, thick, thick, -thick]), np.array([0.0, 0.0, height, height]), z)
    canvas.fill(post, (70.0, 72.0, 76.0), 0.5, z, 0.2)
    head = x + reach
    arm = camera.project(np.array([x, head, head, x]), np.array([height, height + 0.1, height - 0.1, height - 0.25]), z)
    canvas.fill(arm, (70.0, 72.0, 76.0), 0.5, z, 0.2)
    size = max(0.2, 0.8 * z / camera.focal / 256.0)
    angle = np.linspace(0.0, 2.0 * np.pi, 12, endpoint=False)
    bulb = camera.project(head + size * np.cos(angle), height - 0.2 + size * np.sin(angle), z)
    canvas.fill(bulb, (214.0, 212.0, 200.0), 0.7, z, 0.0)
    canvas.shine(bulb, (255.0, 222.0, 150.0))
    ground = camera.project(head, 0.0, z)
    wide = min(5.0 * camera.focal / z, 0.5)
    flat = camera.focal * camera.height * 5.0 / (z * z)
    canvas.pool(ground, (wide, min(flat, 0.5 * wide)), 0.65)
    canvas.pool(camera.project(head, 0.5 * height, z), (0.7 * wide, 0.9 * wide), 0.28)


def paint_fence(canvas: Canvas, start: tuple[float, float], end: tuple[float, float], colour: Colour) -> None:
    """Posts and two rails between two points (x, z)."""
    count = 16
    share = (np.arange(count) + 0.5) / count
    x, z = (a + (b - a) * share for a, b in zip(start, end, strict=True))
    mean = float(z.mean())
    for offset in (0.45, 0.9):
        ends_x, ends_z = np.array([start[0], end[0]]), np.array([start[1], end[1]])
        low = canvas.camera.project(ends_x, offset, ends_z)
        high = canvas.camera.project(ends_x, offset + 0.12, ends_z)
        canvas.fill(np.concatenate([low, high[::-1]]), shade(colour, 0.92), 0.6, mean, 0.5)
    half = 0.07
    across = np.stack([x - half, x + half, x + half, x - half], axis=1)
    up = np.tile(np.array([0.0, 0.0, 1.15, 1.15]), (count, 1))
    canvas.fill(canvas.camera.project(across, up, z[:, None]), colour, 0.75, mean, 0.5)


def paint_boat(canvas: Canvas, x: float, z: float, length: float, hull: Colour, sail: Colour | None) -> None:
    """A boat on the water with its reflection; a sailing boat where `sail` is a colour."""
    for flip, dim in ((-0.7, 0.62), (1.0, 1.0)):  # waves shorten the mirror image
        sides = np.array([-0.42, 0.36, 0.5, -0.5]) * length + x
        up = np.array([0.0, 0.0, 0.16, 0.13]) * length * flip
        if sail is not None:
            sails = (
                (np.array([0.02, 0.02, 0.40]), np.array([1.25, 0.24, 0.24]), 1.0),
                (np.array([-0.02, -0.02, -0.44]), np.array([1.15, 0.22, 0.26]), 0.86),
            )
            for across, rise, tone in sails:
                corners = canvas.camera.project(x + across * length, rise * length * flip, z)
                canvas.fill(corners, shade(sail, tone * dim), 0.85 * dim, z, 0.15)
        else:
            cabin = canvas.camera.project(
                x + np.array([-0.2, 0.12, 0.08, -0.2]) * length, np.array([0.13, 0.13, 0.3, 0.3]) * length * flip, z
            )
            canvas.fill(cabin, shade((226.0, 222.0, 214.0), dim), 0.7 * dim, z, 0.15)
            canvas.shine(cabin[[0, 0, 2, 3]] * 0.5 + cabin.mean(0) * 0.5, shade(LAMPLIGHT[0], 0.8 * dim))
        canvas.fill(canvas.camera.project(sides, up, z), shade(hull, dim), 0.6 * dim, z, 0.2)


def paint_lighthouse(canvas: Canvas, x: float, z: float, height: float, foot: float) -> None:
    """A tower in red and white bands that stands `foot` metres above the water, its lantern lit after dark."""
    bands = 6
    for band in range(bands):
        low, high = band / bands, (band + 1) / bands
        half = [0.13 * height * (1.0 - 0.42 * share) for share in (low, high)]
        across = x + np.array([-half[0], half[0], half[1], -half[1]])
        up = foot + height * np.array([low, low, high, high])
        colour = (196.0, 52.0, 44.0) if band % 2 else (238.0, 234.0, 226.0)
        canvas.fill(canvas.camera.project(across, up, z), colour, 0.55, z, 0.2)
        shaded = x + np.array([half[0] * 0.2, half[0], half[1], half[1] * 0.2]) * -np.sign(canvas.direction.x)
        canvas.fill(canvas.camera.project(shaded, up, z), shade(colour, 0.95), 0.18, z, 0.2)
    radius = 0.06 * height
    across = x + np.array([-radius, radius, radius, -radius])
    up = foot + height * np.array([1.0, 1.0, 1.1, 1.1])
    canvas.fill(canvas.camera.project(across, up, z), (120.0, 124.0, 128.0), 0.6, z, 0.1)
    lantern = canvas.camera.project(across * 0.8 + x * 0.2, up, z)
    canvas.shine(lantern, (255.0, 240.0, 190.0))
    cap = canvas.camera.project(x + np.array([-1.2, 1.2, 0.0]) * radius, foot + height * np.array([1.1, 1.1, 1.18]), z)
    canvas.fill(cap, (150.0, 44.0, 40.0), 0.5, z, 0.1)
    canvas.pool(lantern.mean(0), (0.05, 0.05), 0.4)


def paint_car(canvas: Canvas, x: float, z: float, colour: Colour) -> None:
    """A parked car seen from behind or ahead, along the road."""
    half, length = 0.85, 4.2
    cast_shadow(canvas, (x - half, x + half), (z, z + length), 1.1)
    solids = (
        ((x - half, x + half), (z, z + length), 0.25, 0.85, colour),
        ((x - 0.72, x + 0.72), (z + 0.7, z + length - 1.0), 0.85, 1.42, (52.0, 60.0, 70.0)),
    )
    for across, ahead, low, high, paint in solids:
        inside = np.array([sum(across) / 2.0, (low + high) / 2.0, sum(ahead) / 2.0])
        (x0, x1), (z0, z1) = across, ahead
        top = np.array([[x0, high, z0], [x1, high, z0], [x1, high, z1], [x0, high, z1]])
        for corners in (*upright(across, ahead, low, high), top):
            paint_face(canvas, corners, inside, colour if corners is top else paint, 0.1)
    for side in (-0.62, 0.62):
        light = x + side + np.array([-0.16, 0.16, 0.16, -0.16])
        corners = canvas.camera.project(light, np.array([0.55, 0.55, 0.72, 0.72]), z)
        canvas.tint(corners, (176.0, 40.0, 36.0))
    for side in (-0.55, 0.55):
        wheel = x + side + np.array([-0.13, 0.13, 0.13, -0.13])
        canvas.fill(canvas.camera.project(wheel, np.array([0.0, 0.0, 0.3, 0.3]), z), (30.0, 30.0, 32.0), 0.2, z, 0.1)
