"""The ground of an embedded street scene: road, kerbs, strips beside it, markings, rails, and the shadows on it."""

import numpy as np
from numpy.typing import NDArray

from pix2pix.data.embedded.basics import Colour, mix
from pix2pix.data.embedded.streets.canvas import CIRCLE, CONTACT, SHADE, Canvas
from pix2pix.data.embedded.streets.materials import MaterialName
from pix2pix.data.embedded.streets.types import Item, Street, Strip
from pix2pix.data.embedded.streets.weather import pick, scaled

_DEPTHS = np.geomspace(1.0, 400.0, 22)
_COLOURS: dict[str, tuple[Colour, ...]] = {
    "road": ((88, 90, 90), (100, 99, 96), (76, 79, 81), (112, 110, 105)),
    "sidewalk": ((124, 121, 115), (108, 108, 106), (136, 128, 118), (118, 106, 98)),
    "parking": ((104, 100, 96), (92, 92, 94), (118, 108, 100)),
    "terrain": ((92, 118, 58), (104, 116, 64), (84, 104, 62), (118, 116, 76)),
    "ground": ((126, 120, 110), (112, 108, 100), (134, 122, 108)),
    "rail track": ((112, 102, 92), (98, 94, 92), (92, 104, 66)),
}


def paint_ground(canvas: Canvas, street: Street, rng: np.random.Generator) -> None:
    """All of the ground, from the outer strips inwards."""
    colours = {name: pick(rng, choices) for name, choices in _COLOURS.items()}
    asphalt: MaterialName = "cobbles" if street.name in ("lane", "square") and rng.random() < 0.5 else "asphalt"
    crossing = street.crossing
    spans = [(1.0, 400.0)] if crossing is None else [(crossing[1], 400.0), (1.0, crossing[0])]
    road = canvas.ground("road", asphalt)
    if crossing is not None:
        _band(canvas, (-150.0, 150.0), (1.0, 400.0), colours["road"], road)
    for span in spans:
        for strip in sorted(street.strips, key=lambda strip: -strip.inner):
            _strip(canvas, strip, span, colours[strip.name])
        _band(canvas, (-street.left, street.right), span, colours["road"], road)
    _wear(canvas, street, colours["road"], road, rng)
    if street.rails:
        _rails(canvas, street.rails, colours, asphalt)
    _markings(canvas, street, colours["road"], road, rng)


def _band(
    canvas: Canvas,
    across: tuple[float, float],
    along: tuple[float, float],
    colour: Colour,
    surface: int,
    height: float = 0.0,
) -> None:
    """Fill the ground between two lines along the street, from one depth to another, following its bend."""
    inner = _DEPTHS[(along[0] < _DEPTHS) & (along[1] > _DEPTHS)]
    z = np.concatenate(([along[0]], inner, [along[1]]))
    bend = canvas.camera.curve * z * z
    left = np.stack([across[0] + bend, np.full(len(z), height), z], axis=1)
    right = np.stack([across[1] + bend, np.full(len(z), height), z], axis=1)
    canvas.fill(canvas.project(np.concatenate([left, right[::-1]])), colour, surface)


def _strip(canvas: Canvas, strip: Strip, span: tuple[float, float], colour: Colour) -> None:
    """One band beside the road, with its kerb where it is raised, and a gutter below that."""
    surface = canvas.ground(strip.name, strip.material, strip.height)
    edges = sorted((strip.side * strip.inner, strip.side * strip.outer))
    _band(canvas, (edges[0], edges[1]), span, colour, surface, strip.height)
    if strip.height <= 0.0:
        return
    z = _DEPTHS[(span[0] < _DEPTHS) & (span[1] > _DEPTHS)]
    z = np.concatenate(([span[0]], z, [span[1]]))
    x = strip.side * strip.inner + canvas.camera.curve * z * z
    top = np.stack([x, np.full(len(z), strip.height), z], axis=1)
    foot = np.stack([x, np.zeros(len(z)), z], axis=1)
    pale = mix(scaled(colour, 0.9), (150.0, 148.0, 142.0), 0.5)
    crest = top + np.array([strip.side * 0.16, 0.0, 0.0])
    if strip.name == "sidewalk":
        canvas.fill(canvas.project(np.concatenate([top, crest[::-1]])), pale, surface)
    canvas.fill(canvas.project(np.concatenate([top, foot[::-1]])), scaled(pale, 0.58), surface)


def _patch(canvas: Canvas, x: float, z: float, size: tuple[float, float], colour: Colour, surface: int) -> None:
    """A rectangle on the ground, `size` wide and long, from (x, z) to the right and away."""
    _band(canvas, (x, x + size[0]), (z, z + size[1]), colour, surface)


def _wear(canvas: Canvas, street: Street, colour: Colour, road: int, rng: np.random.Generator) -> None:
    """Wheel tracks, mended patches, manholes and the damp gutters."""
    for x in (-1.05, 0.65, -4.3, -2.6):
        if -street.left < x < street.right and rng.random() < 0.7:
            _band(canvas, (x, x + 0.45), (1.0, 200.0), scaled(colour, float(rng.uniform(0.90, 1.06))), road)
    for _ in range(int(rng.integers(0, 4))):
        x, z = rng.uniform(-street.left, street.right - 1.2), float(rng.uniform(3, 22))
        size = float(rng.uniform(0.6, 2.0)), float(rng.uniform(1.2, 7.0))
        _patch(canvas, float(x), z, size, scaled(colour, float(rng.uniform(0.74, 1.14))), road)
    for _ in range(int(rng.integers(0, 4))):
        x, z = rng.uniform(-street.left + 0.5, street.right - 0.4), rng.uniform(5, 26)
        for radius, tone in ((0.36, 0.62), (0.28, 0.86)):
            flat = np.stack([x + CIRCLE[:, 0] * radius, np.zeros(16), z + CIRCLE[:, 1] * radius], axis=1)
            canvas.fill(canvas.project(flat), scaled(colour, tone), road)
    for x0, x1 in ((-street.left, -street.left + 0.3), (street.right - 0.3, street.right)):
        _band(canvas, (x0, x1), (1.0, 200.0), scaled(colour, 0.82), road)


def _rails(canvas: Canvas, rails: tuple[float, float], colours: dict[str, Colour], asphalt: MaterialName) -> None:
    """The tram's own bed to the left of our lane with two pairs of rails."""
    right, width = rails
    right += 0.5 * width
    green = colours["rail track"][1] > 100
    bed = canvas.ground("rail track", "grass" if green else "gravel", 0.02)
    _band(canvas, (right - width, right), (1.0, 400.0), colours["rail track"], bed)
    for middle in (0.28, 0.74):
        for offset in (-0.72, 0.72):
            x = right - width * middle + offset
            _band(canvas, (x - 0.16, x + 0.16), (1.0, 200.0), scaled(colours["rail track"], 0.66), bed)
            _band(canvas, (x - 0.05, x + 0.05), (1.0, 200.0), (168.0, 164.0, 158.0), bed)


def _markings(canvas: Canvas, street: Street, colour: Colour, road: int, rng: np.random.Generator) -> None:
    """Lane lines, arrows, stop lines and zebra crossings, a little worn."""
    white = mix(colour, (226.0, 226.0, 220.0), float(rng.uniform(0.55, 0.92)))
    if street.name in ("lane", "square"):
        return
    period, share = float(rng.uniform(6, 11)), float(rng.uniform(0.35, 0.5))
    limit = street.crossing[0] - 4.5 if street.crossing else 400.0
    start = -float(rng.uniform(0, 6))
    for x, broken in street.marks:
        spans = [(z, z + period * share) for z in np.arange(start, min(limit, 90.0), period)]
        for z0, z1 in spans if broken else [(1.0, limit)]:
            if z1 > 1.0 and z0 < limit:
                _band(canvas, (x - 0.07, x + 0.07), (max(z0, 1.0), min(z1, limit)), white, road)
    if rng.random() < 0.4:
        for x in (-street.left + 0.35, street.right - 0.5):
            _band(canvas, (x, x + 0.14), (1.0, min(limit, 200.0)), white, road)
    zebra = float(rng.uniform(8, 20)) if rng.random() < 0.25 else None
    if street.crossing:
        _patch(canvas, -1.5, street.crossing[0] - 3.9, (street.right + 1.5, 0.45), white, road)
        zebra = street.crossing[0] - 3.0 if rng.random() < 0.8 else None
    if zebra is not None:
        for x in np.arange(-street.left + 0.2, street.right - 0.5, 1.0):
            _patch(canvas, float(x), zebra, (0.5, 2.6), white, road)
    if street.right > 3.0 and rng.random() < 0.5:
        z = float(rng.uniform(5, 12))
        _patch(canvas, -0.08, z, (0.16, 2.6), white, road)
        head = [(-0.35, 0.0, z + 2.6), (0.35, 0.0, z + 2.6), (0.0, 0.0, z + 4.2)]
        canvas.polygon(head, white, road)


def cast_shadows(canvas: Canvas, street: Street) -> None:
    """Dim the ground where the sun does not reach and under what stands on it."""
    sun = canvas.weather.sun
    if canvas.weather.sunny:
        dx, dz = -sun[0] / sun[1], -sun[2] / sun[1]
        for item in street.items:
            if item.kind in ("block", "house", "wall", "hedge", "bridge"):
                _cast_lot(canvas, item, dx, dz)
            elif item.kind == "tree" and item.z < 60:
                _cast_crown(canvas, item, dx, dz)
            elif item.z < 40 and item.kind not in ("skyline", "terrace", "fence", "garden"):
                _cast_body(canvas, item, dx, dz)
    for item in street.items:
        if item.z < 60 and item.kind in ("car", "van", "truck", "bus", "tram", "person", "bin", "kiosk"):
            length = {"truck": 7.5, "bus": 11.0, "tram": 18.0, "car": 4.2, "van": 4.8}.get(item.kind, item.width)
            across = abs(np.sin(item.heading)) > 0.5
            half, long = (0.5 * length, item.width) if across else (0.5 * item.width, length)
            for grown, value in ((1.22, (SHADE + CONTACT) // 2), (1.0, CONTACT)):
                canvas.dim(_rectangle(canvas, item, half * grown, long, 0.15 * grown), value)


def _rectangle(canvas: Canvas, item: Item, half: float, long: float, margin: float) -> NDArray[np.float64]:
    """The footprint of a thing, from its near end on."""
    x, z = canvas.camera.bend(item.x, item.z), item.z
    return np.array([(x - half, z - margin), (x + half, z - margin), (x + half, z + long), (x - half, z + long)])


def _cast_lot(canvas: Canvas, item: Item, dx: float, dz: float) -> None:
    """The shadow of a building or wall: its front moved along the light by its height."""
    near, far = item.z, item.far
    if item.kind == "bridge":
        x = np.array([-40.0, 40.0, 40.0, -40.0])
        z = np.array([near, near, far, far]) + dz * item.height
        canvas.dim(np.stack([x, np.maximum(z, 1.0)], axis=1), SHADE)
        return
    x0, x1 = canvas.camera.bend(item.x, near), canvas.camera.bend(item.x, far)
    shift_x, shift_z = dx * item.height, dz * item.height
    outward = 12.0 * item.side
    foot = [(x0, near), (x1, far), (x1 + shift_x, far + shift_z), (x0 + shift_x, near + shift_z)]
    body = [(x0, near), (x0 + outward, near), (x0 + outward + shift_x, near + shift_z), (x0 + shift_x, near + shift_z)]
    for corners in (foot, body):
        ground = np.array(corners)
        ground[:, 1] = np.maximum(ground[:, 1], 1.0)
        canvas.dim(ground, SHADE)


def _cast_crown(canvas: Canvas, item: Item, dx: float, dz: float) -> None:
    """The shadow of a tree: a few overlapping blots for the crown and a bar for the trunk."""
    height, radius = 0.66 * item.height, item.width
    x, z = canvas.camera.bend(item.x, item.z), item.z
    for number, turn in enumerate((0.3, 1.9, 3.2, 4.6, 5.6)):
        spread = 0.45 * radius
        middle = (x + dx * height + spread * np.cos(turn), z + dz * height + spread * np.sin(turn))
        blot = CIRCLE * (radius * (0.42 + 0.07 * (number % 3))) + middle
        blot[:, 1] = np.maximum(blot[:, 1], 1.0)
        canvas.dim(blot, SHADE)
    _cast_body(canvas, item._replace(width=0.3, height=height), dx, dz)


def _cast_body(canvas: Canvas, item: Item, dx: float, dz: float) -> None:
    """The shadow of something slender or boxy: its foot, drawn out along the light."""
    slender = item.kind in ("lamp", "sign", "signal", "bollard", "tree")
    half = 0.08 if slender else 0.42 * item.width
    x, z = canvas.camera.bend(item.x, item.z), item.z
    height = 0.92 * item.height
    length = {"car": 4.0, "van": 4.6, "truck": 7.0, "bus": 11.0, "tram": 18.0}.get(item.kind, 0.0)
    tip_x, tip_z = dx * height, dz * height
    for start in (0.0, length) if length else (0.0,):
        corners = [(x - half, z + start), (x + half, z + start), (x + half + tip_x, z + start + tip_z)]
        corners.append((x - half + tip_x, z + start + tip_z))
        ground = np.array(corners)
        ground[:, 1] = np.maximum(ground[:, 1], 1.0)
        canvas.dim(ground, SHADE)
    if length:
        ends = [
            (x + half, z),
            (x + half, z + length),
            (x + half + tip_x, z + length + tip_z),
            (x + half + tip_x, z + tip_z),
        ]
        for shift in (0.0, -2.0 * half):
            ground = np.array([(px + shift, max(pz, 1.0)) for px, pz in ends])
            canvas.dim(ground, SHADE)
