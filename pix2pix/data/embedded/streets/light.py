"""The last step of an embedded street scene: texture, light, wet reflections, haze, sky and exposure, pixel by pixel.

Haze follows the law of Koschmieder, as in Narasimhan and Nayar, "Vision and the Atmosphere", IJCV 2002:
seen = own t + haze (1 - t) with t = exp(-density z).
"""

import numpy as np
from numpy.typing import NDArray

from pix2pix.data.embedded.basics import Colour
from pix2pix.data.embedded.perlin import enlarge, fractal_noise
from pix2pix.data.embedded.streets.canvas import CONTACT, FULL_LIGHT, SHADE, SUPERSAMPLING, Canvas, Floats
from pix2pix.data.embedded.streets.materials import MATERIALS

MEAN_TONE = 98.0  # to which the camera exposes
TILE = 128  # side of the noise that all surfaces share, a power of two


def noise_tile(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Perlin noise (TILE, TILE) that repeats without a seam, spread over 0 to 255 around 128."""
    field = fractal_noise(rng, (TILE, TILE), (8, 8), octaves=3, gain=0.75)
    field *= np.float32(42.0 / field.std())
    return np.asarray(np.clip(field + 128.0, 0.0, 255.0), np.uint8)


def develop(canvas: Canvas, rng: np.random.Generator) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
    """The numbers of the surfaces (size, size) and the picture (size, size, 3).

    In numpy throughout, since OpenCV's own resize and blur would start threads in every worker; and channel by
    channel, (3, size, size), which is several times as fast as (size, size, 3).
    """
    weather, size = canvas.weather, canvas.size
    numbers = canvas.pixels[::SUPERSAMPLING, ::SUPERSAMPLING, 3].copy()
    # Four channels of 16 bits are added as one number of 64: four times 255 carries nothing over.
    packed = canvas.pixels.view(np.uint64)[..., 0]
    rows = packed[0::2] + packed[1::2]
    total = np.ascontiguousarray(rows[:, 0::2] + rows[:, 1::2]).view(np.uint16).reshape(size, size, 4)
    colour = total[..., :3].transpose(2, 0, 1).astype(np.float32) * np.float32(1 / SUPERSAMPLING**2)
    index = numbers.astype(np.intp)
    right, up, depth, level = _positions(canvas, index)
    texture = _texture(canvas, index, right, up, depth, level)
    near_ground = 1.0 - np.float32(0.28) * np.exp(np.clip(up, 0.0, 8.0) * np.float32(-1.6))
    colour *= np.where(level, _ground_light(canvas), near_ground) * (1.0 + texture)
    if weather.wet:
        _mirror(canvas, colour, numbers, level & (up < 0.05))
    haze = _channels(weather.haze)
    colour -= haze
    colour *= np.exp(depth * np.float32(-weather.haze_density))
    colour += haze
    sky = _sky(canvas, rng)
    np.copyto(colour[:, : sky.shape[1]], sky, where=(numbers == 0)[: sky.shape[1]])
    return numbers, _exposed(canvas, colour, rng)


def _channels(colour: Colour) -> Floats:
    """A colour as (3, 1, 1)."""
    return np.asarray(colour, np.float32)[:, None, None]


def _positions(canvas: Canvas, numbers: NDArray[np.intp]) -> tuple[Floats, Floats, Floats, NDArray[np.bool_]]:
    """For each pixel: metres to the right and up, depth in metres, and whether its surface is level."""
    camera, size = canvas.camera, canvas.size
    centres = (np.arange(size, dtype=np.float32) + np.float32(0.5)) / np.float32(size)
    ray_x = ((centres - camera.centre) / camera.focal)[None, :]
    ray_y = ((camera.horizon - centres) / (2.0 * camera.focal))[:, None]
    planes = np.array([plane for _, _, plane in canvas.surfaces], np.float32)
    normal_x, normal_y, normal_z, distance = (planes[:, axis].take(numbers, mode="clip") for axis in range(4))
    slant = normal_x * ray_x + normal_y * ray_y + normal_z
    depth = np.clip(distance / np.where(np.abs(slant) < 1e-4, 1e-4, slant), 0.5, 1000.0).astype(np.float32)
    return (
        np.asarray(ray_x * depth, np.float32),
        np.asarray(ray_y * depth + camera.height, np.float32),
        depth,
        normal_y > 0.5,
    )


def _texture(
    canvas: Canvas,
    numbers: NDArray[np.intp],
    right: Floats,
    up: Floats,
    depth: Floats,
    level: NDArray[np.bool_],
) -> Floats:
    """The relative change of brightness of each pixel; detail finer than a pixel fades into the mean."""
    camera = canvas.camera
    materials = np.array([MATERIALS[material] for _, material, _ in canvas.surfaces], np.float32)
    fine, coarse, grain, length, course, joint = (materials[:, field].take(numbers, mode="clip") for field in range(6))
    tile = (canvas.noise.astype(np.float32).ravel() - 128.0) / 128.0
    across = np.where(level, right - camera.curve * depth * depth, right + depth)
    along = np.where(level, depth, up)
    pixel = depth / np.float32(camera.focal * canvas.size)  # metres across at this depth
    stretch = np.where(level, depth * np.float32(0.5 / camera.height), np.float32(0.6))
    pixel *= np.maximum(stretch, 0.6)

    def sampled(scale: Floats | float) -> Floats:
        rows = (along * scale).astype(np.int32) & (TILE - 1)
        columns = (across * scale).astype(np.int32) & (TILE - 1)
        return np.asarray(tile.take(rows * TILE + columns, mode="clip"), np.float32)

    fading = np.minimum(1.0, 6.0 / np.maximum(pixel * grain, 1e-6))
    texture = fine * fading * sampled(grain) + coarse * sampled(3.7)
    blocky = length > 0
    if blocky.any():
        row = along[blocky] / course[blocky]
        shifted = across[blocky] / length[blocky] + 0.5 * (np.floor(row) % 2)
        width = np.float32(0.07)
        lines = (row % 1.0 < 2 * width) | (shifted % 1.0 < width)
        sharp = np.clip(0.35 * course[blocky] / pixel[blocky] - 0.35, 0.0, 1.0)
        texture[blocky] -= joint[blocky] * sharp * (lines - np.float32(0.2))
    return np.asarray(texture, np.float32)


def _ground_light(canvas: Canvas) -> Floats:
    """The colour of the light on the ground (3, size, size), shadows with soft edges."""
    weather = canvas.weather
    padded = np.pad(canvas.light, 1, mode="edge").astype(np.uint16)
    rows = padded[:-2] + 2 * padded[1:-1] + padded[2:]
    soft = (rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]) // 16
    value = np.arange(256, dtype=np.float32)
    sun = np.clip((value - SHADE) / (FULL_LIGHT - SHADE), 0.0, 1.0)
    sky = np.clip((value - CONTACT) / (SHADE - CONTACT), 0.22, 1.0)
    facing = 0.45 + 0.55 * weather.sun[1]
    ambient, direct = np.asarray(weather.ambient, np.float32), np.asarray(weather.direct, np.float32)
    table = ambient[:, None] * sky + np.float32(facing) * direct[:, None] * sun
    return np.asarray(table.astype(np.float32).take(soft, axis=1, mode="clip"), np.float32)


def _mirror(canvas: Canvas, colour: Floats, numbers: NDArray[np.uint16], level: NDArray[np.bool_]) -> None:
    """Let the wet ground mirror what stands above the horizon, more where it is seen at a flat angle."""
    size = canvas.size
    horizon = int(canvas.camera.horizon * size)
    below = np.arange(horizon, size)
    source = np.clip(2 * horizon - below, 0, size - 1)
    mirrored = np.where(numbers[source] == 0, _channels(canvas.weather.horizon), colour[:, source])
    flat = np.exp(-3.0 * (below - horizon) / (size - horizon))[:, None]
    share = (canvas.weather.wet * (0.25 + 0.75 * flat) * level[horizon:]).astype(np.float32)
    colour[:, horizon:] += share * (mirrored * np.float32(0.8) - colour[:, horizon:])


def _sky(canvas: Canvas, rng: np.random.Generator) -> Floats:
    """The sky (3, rows, size) down to the horizon, with clouds that flatten towards it and are dark below."""
    weather, size = canvas.weather, canvas.size
    rows = min(size, int(canvas.camera.horizon * size) + 2 + size // 32)
    up = np.linspace(1.0, 0.0, 48, dtype=np.float32)[:, None] ** np.float32(0.8)
    field = fractal_noise(rng, (48, 48), (5, 2), octaves=4, gain=0.6)
    if weather.clouds > 0.7:
        cover = np.clip(0.85 + 0.5 * field, 0.0, 1.0)
    else:
        cover = np.clip(2.6 * (field * 1.6 + weather.clouds - 0.5) + 0.5, 0.0, 1.0)
    dark = np.clip(np.roll(field, 3, axis=0) * 1.5, -0.4, 0.4)
    horizon = _channels(weather.horizon)
    clear = horizon + (_channels(weather.zenith) - horizon) * up
    white = horizon * 0.35 + _channels((244.0, 245.0, 246.0)) * 0.65
    sky = clear + cover * (white * (1.0 - 0.22 * dark - 0.05 * up) - clear)
    return np.stack([enlarge(np.asarray(channel, np.float32), (rows, size)) for channel in sky])


def _exposed(canvas: Canvas, colour: Floats, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Exposure, contrast, colour cast, the darker corners of a lens and the sensor's grain."""
    weather, size = canvas.weather, canvas.size
    from_centre = np.linspace(-1.0, 1.0, size, dtype=np.float32) ** 2
    vignette = 1.0 - np.float32(0.07) * (from_centre[:, None] + from_centre[None, :])
    grain = np.float32(rng.uniform(0.8, 2.2)) * rng.standard_normal((size, size), np.float32)
    # The camera measures the whole picture and evens out most of a street's being in the sun or the shade.
    exposure = weather.exposure * (MEAN_TONE / max(float(colour.mean()), 1.0)) ** 0.75
    tint = _channels(weather.cast) * np.float32(exposure * weather.contrast)
    colour *= vignette
    colour *= tint
    colour += grain - np.float32(96.0 * (weather.contrast - 1.0))
    np.clip(colour, 0.0, 255.0, out=colour)
    return np.ascontiguousarray(colour.astype(np.uint8).transpose(1, 2, 0))
