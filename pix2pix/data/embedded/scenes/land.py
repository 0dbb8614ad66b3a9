"""The land of the embedded scenes: mountains, hills, forest edges, the ground and water, in metres where they stand."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pix2pix.data.embedded.basics import Colour, mix, shade
from pix2pix.data.embedded.perlin import Field, fractal_noise
from pix2pix.data.embedded.scenes.canvas import Canvas, Points

PROFILE = 512  # points along an outline against the sky


@dataclass(frozen=True)
class Season:
    """Colours of what grows, and how much snow and blossom there is."""

    grass: Colour
    dry: Colour
    leaves: tuple[Colour, ...]
    needles: Colour
    snow: float = 0.0
    flowers: float = 0.0
    bare: float = 0.0  # share of the broad-leaved trees without leaves


SEASONS: tuple[tuple[float, Season], ...] = (
    # chance, season; the sum is 1
    (0.20, Season((104, 148, 56), (150, 164, 80), ((112, 150, 58), (132, 164, 72), (236, 206, 216), (238, 234, 226)),
                  (48, 82, 52), flowers=1.0, bare=0.1)),
    (0.46, Season((94, 138, 50), (158, 164, 84), ((58, 98, 40), (76, 116, 46), (96, 128, 54)),
                  (40, 72, 44), flowers=0.6)),
    (0.24, Season((122, 130, 62), (172, 146, 84), ((198, 112, 36), (214, 158, 48), (166, 72, 40), (122, 122, 54)),
                  (44, 72, 46), bare=0.15)),
    (0.10, Season((214, 222, 232), (176, 172, 164), ((120, 104, 92), (136, 120, 108)), (52, 76, 62), snow=1.0,
                  bare=0.9)),
)  # fmt: skip


def choose_season(rng: np.random.Generator) -> Season:
    """A season, each as often as `SEASONS` says."""
    return SEASONS[int(rng.choice(len(SEASONS), p=[chance for chance, _ in SEASONS]))][1]


def rugged(rng: np.random.Generator, gain: float) -> Points:
    """An outline of peaks by midpoint displacement, within 0 to 1: (512,).

    Fournier, Fussell and Carpenter, "Computer Rendering of Stochastic Models", CACM 1982.
    """
    line = rng.uniform(0.0, 1.0, 5)
    spread = 0.30
    for _ in range(7):
        middle = 0.5 * (line[:-1] + line[1:]) + rng.normal(0.0, spread, len(line) - 1)
        line = np.append(np.stack([line[:-1], middle], axis=1).ravel(), line[-1])
        spread *= gain
    line = line[:PROFILE]
    return np.asarray((line - line.min()) / (line.max() - line.min()))


def rolling(rng: np.random.Generator, cells: int) -> Points:
    """A smooth outline within 0 to 1: (512,)."""
    line = fractal_noise(rng, (1, PROFILE), (1, cells), octaves=3, gain=0.4)[0].astype(np.float64)
    return np.asarray((line - line.min()) / (line.max() - line.min() + 1e-9))


def treetops(rng: np.random.Generator, count: int, pointed: bool) -> Points:
    """The outline of `count` trees in a row, spires or domes, within 0 to 1: (512,)."""
    knots = np.sort(rng.uniform(-0.02, 1.02, count))
    heights = rng.uniform(0.45, 1.0, count)
    x = (np.arange(PROFILE) + 0.5) / PROFILE
    wide = (1.6 if pointed else 1.1) / count
    away = np.abs(x[None] - knots[:, None]) / wide
    shape = 1.0 - away if pointed else np.sqrt(np.maximum(1.0 - away**2, 0.0))
    return np.asarray(np.max(np.clip(shape, 0.0, 1.0) * heights[:, None], axis=0))


def _across(canvas: Canvas, outline: Points) -> Field:
    """An outline at every column of the canvas."""
    x = (np.arange(canvas.side) + 0.5) / canvas.side * len(outline) - 0.5
    return np.interp(x, np.arange(len(outline)), outline).astype(np.float32)


def _coverage(below: Field, side: int) -> Field:
    """How much of each pixel, 0 to 1, lies under an outline that is `below` above it."""
    return np.asarray(np.clip(below * np.float32(side) + np.float32(0.5), 0.0, 1.0), np.float32)


def paint_mountains(
    canvas: Canvas, outline: Points, base: float, top: float, far: float, rock: Colour, low: Colour, snow: float
) -> None:
    """A range between picture heights `top` and `base`, its facets running down from the outline.

    `far` is the share of the air's veil before it; `snow` the share of its height that is white, from above.
    """
    side = canvas.side
    ridge = np.float32(base) - _across(canvas, outline) * np.float32(base - top)
    where = canvas.area((0.0, float(ridge.min()) - 0.01, 1.0, base))
    rows, columns, y, _ = where
    below = y[:, None] - ridge
    cover = _coverage(below, side)
    crag = canvas.noise("middle", len(y)) * np.float32(0.6) + canvas.noise("fine", len(y)) * np.float32(0.3)
    broad = canvas.noise("coarse", len(y))
    # The slope of the outline, smoothed, is carried downwards along wavering lines: spurs and gullies.
    slope = np.gradient(cv2.blur(ridge[None], (max(3, side // 40), 1), borderType=cv2.BORDER_REPLICATE)[0]) * side
    waver = (broad * np.float32(0.5) + crag * np.float32(0.22)) * np.clip(below * 3.0, 0.0, 0.4)
    index = np.arange(side, dtype=np.float32) + waver * side * np.float32(0.5)
    facing = slope.astype(np.float32)[np.clip(index, 0, side - 1).astype(np.intp)] * np.float32(-canvas.direction.x)
    sun = 0.50 + 0.55 * np.tanh(facing * 0.9 + 0.28 * crag * (1.0 if canvas.direction.x > 0.0 else -1.0) + 0.15 * broad)
    height = (base - y[:, None]) / max(base - top, 1e-3) + 0.06 * crag
    wooded = np.clip((0.42 - height + 0.1 * broad) * 7.0, 0.0, 1.0)[..., None]
    white = np.clip((height - (1.0 - snow) - 0.1 * facing) * 9.0, 0.0, 1.0)[..., None]
    colour: Field = np.asarray(np.asarray(rock, np.float32) * (1.0 + 0.12 * crag)[..., None], np.float32)
    colour += (np.asarray(low, np.float32) * (1.0 + 0.18 * crag)[..., None] - colour) * wooded
    colour += (np.array([240, 243, 250], np.float32) - colour) * white
    # Valleys lie in thicker air than peaks.
    mist = np.asarray(255.0 * np.clip(far + (1.0 - far) * 0.35 * (1.0 - height), 0.0, 1.0), np.float32)
    canvas.blend((rows, columns), cover, colour, sun, mist, 0.15 + 0.15 * (1.0 - far))


def paint_hills(
    canvas: Canvas, outline: Points, base: float, top: float, far: float, colours: tuple[Colour, Colour], wooded: bool
) -> None:
    """Hills between picture heights `top` and `base`: fields of two colours, or a forest as its outline shows."""
    ridge = np.float32(base) - _across(canvas, outline) * np.float32(base - top)
    rows, columns, y, _ = canvas.area((0.0, float(ridge.min()) - 0.01, 1.0, base + 0.02))
    below = y[:, None] - ridge
    cover = _coverage(below, canvas.side)
    middle, broad = canvas.noise("middle", len(y)), canvas.noise("coarse", len(y))
    first, second = (np.asarray(colour, np.float32) for colour in colours)
    share = np.clip(0.5 + (1.3 * broad + 0.3 * middle) * (0.5 if wooded else 1.5), 0.0, 1.0)[..., None]
    colour: Field = np.asarray(first + (second - first) * share, np.float32)
    if wooded:
        fine = canvas.noise("fine", len(y))
        colour *= (1.0 + 0.22 * middle + 0.14 * fine - np.clip(below * 2.0, 0.0, 0.35))[..., None]
        # Every tree shades what stands behind its crown.
        sun = np.clip(0.62 - 6.0 * below + 0.35 * middle + 0.2 * fine, 0.0, 1.0)
    else:
        sun = np.broadcast_to(0.72 + 0.14 * broad + 0.06 * middle, below.shape)
    canvas.blend((rows, columns), cover, colour, np.asarray(sun, np.float32), 255.0 * far, 0.35 - 0.2 * far)


def paint_ground(canvas: Canvas, colours: tuple[Colour, Colour], blades: float, rough: float, top: float) -> None:
    """The plane from picture height `top`, the horizon or below it, down to the camera, mottled in two colours.

    `blades` is how strongly fine relief (grass, stones) shows near the camera.
    """
    rows, columns, y, _ = canvas.area((0.0, top, 1.0, 1.0))
    depth = np.asarray(canvas.camera.focal * canvas.camera.height / np.maximum(y - canvas.camera.horizon, 1e-3))
    depth = np.minimum(depth, 4000.0).astype(np.float32)
    patches = canvas.seen_flat("coarse", rows, depth, (150.0, 220.0))
    tufts = canvas.seen_flat("middle", rows, depth, (26.0, 40.0)) * np.clip(60.0 / depth, 0.15, 1.0)[:, None]
    fine = canvas.seen_flat("fine", rows, depth, (11.0, 22.0)) * np.clip(18.0 / depth, 0.0, 1.0)[:, None]
    first, second = (np.asarray(colour, np.float32) for colour in colours)
    colour = first + (second - first) * np.clip(0.28 + 0.4 * patches + 0.2 * tufts, 0.0, 1.0)[..., None]
    colour *= (1.0 + 0.07 * tufts + np.float32(0.55 * blades) * fine)[..., None]
    drifting = np.clip(0.75 + 0.9 * canvas.seen_flat("coarse", rows, depth, (500.0, 900.0)), 0.35, 1.0)
    sun = (0.25 + 0.75 * canvas.direction.y) * drifting + 0.06 * tufts
    far = (255.0 * depth / (depth + 700.0))[:, None]
    cover = np.broadcast_to(np.clip((y - top) * canvas.side + 0.5, 0.0, 1.0)[:, None], tufts.shape)
    canvas.blend((rows, columns), cover, colour, np.asarray(sun, np.float32), far, rough)


def paint_water(canvas: Canvas, colour: Colour, first: float, shore: Points, waves: float) -> None:
    """Water from picture height `first` down to `shore`, an outline of picture heights; shows all painted so far.

    `waves` within 0 to 1: from a mirror to a choppy sea.
    """
    side, camera = canvas.side, canvas.camera
    rows, _, y, x = canvas.area((0.0, first, 1.0, min(1.0, float(shore.max()) + 0.01)))
    if not len(y):
        return
    depth = (camera.focal * camera.height / np.maximum(y - camera.horizon, 2e-3)).astype(np.float32)
    ripple = canvas.seen_flat("middle", rows, depth, (30.0, 90.0))
    small = canvas.seen_flat("fine", rows, depth, (16.0, 60.0))
    down = (y - np.float32(first))[:, None]
    sway = (ripple + 0.6 * small) * (0.003 + waves * (0.012 + 0.14 * down))
    source_y = np.abs(np.float32(first) - down - sway * 0.9 - 0.004)
    source_x = x[None] + 0.25 * sway
    place_x = np.ascontiguousarray(source_x * side - 0.5, np.float32)
    place_y = np.ascontiguousarray(np.minimum(source_y, first - 0.5 / side) * side - 0.5, np.float32)
    canvas.mirror = (rows.start, place_x, place_y)
    # Flat rays are mirrored almost whole, steep ones let the water's own colour through (Schlick's curve, softened).
    steep = np.clip((y - camera.horizon) / camera.focal, 0.0, 1.0)[:, None]
    share = np.clip(0.88 - 1.0 * steep + 0.10 * waves * ripple, 0.15, 0.95)
    cover = np.clip((_across(canvas, shore)[None] - y[:, None]) * side + 0.5, 0.0, 1.0)
    own = np.asarray(shade(colour, 1.0), np.float32) * (1.0 + 0.12 * ripple + 0.08 * small)[..., None]
    for buffer, body in ((canvas.colour, own), (canvas.nature, np.array([0, 0, 26], np.float32)), (canvas.glow, 0.0)):
        image = _mirrored(buffer, place_x, place_y)
        _lay(buffer[rows], body + (image - body) * share[..., None], cover[..., None])
    image = _mirrored(canvas.sun, place_x, place_y)
    _lay(canvas.sun[rows], 120.0 + (image - 120.0) * share, cover)


def shore_foam(canvas: Canvas, shore: Points, reach: float, colour: Colour) -> None:
    """A line of foam or of wet ground just below the shore outline."""
    x = np.linspace(0.0, 1.0, len(shore))
    band = np.concatenate([np.stack([x, shore - reach], 1), np.stack([x, shore + reach * 0.6], 1)[::-1]])
    canvas.tint(band, mix(colour, (255.0, 255.0, 255.0), 0.1))


def _mirrored(buffer: NDArray[np.uint8], x: Field, y: Field) -> Field:
    return np.asarray(cv2.remap(buffer, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101), np.float32)


def _lay(view: NDArray[np.uint8], new: Field, cover: Field) -> None:
    view[...] = np.clip(view + (new - view) * cover, 0.0, 255.0)
