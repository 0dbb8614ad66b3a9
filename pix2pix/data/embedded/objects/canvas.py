"""The canvas of the embedded objects: smooth fills, Perlin materials, rounded shading under one light, soft shadows.

Parts are painted flat one over the other and then rounded together: the distance to the edge of a mask, bent to a
quarter circle, is a height whose normals are lit (Lambert, and Blinn's highlight).

James F. Blinn, "Models of Light Reflection for Computer Synthesized Pictures", SIGGRAPH 1977.
"""

from dataclasses import dataclass
from itertools import accumulate

import cv2
import numpy as np
from numpy.typing import NDArray

from pix2pix.data.embedded.basics import Colour
from pix2pix.data.embedded.objects.outlines import Pairs, Points, ribbon
from pix2pix.data.embedded.perlin import Field, enlarge, fractal_noise

Picture = NDArray[np.uint8]
Outline = Points | list[Points]

SHORTEST_SIDE = 256  # smaller pictures are drawn at a multiple and averaged down
SUBPIXEL_BITS = 4
SMOOTHING = 1.5  # pixels that the smooth edges of cv2.fillPoly add to the width of a line
ROUNDING_STEPS = 10  # pixels of height field within the rounded border; more are not seen

TEXTURES = {
    # cells across the picture, octaves, gain: fine and coarse grain
    "leather": (56, 2, 0.6),
    "suede": (56, 2, 0.9),
    "plain": (5, 3, 0.5),
    "wood": (6, 3, 0.6),
    "fur": (40, 2, 0.8),
}


@dataclass(frozen=True)
class Mask:
    """Coverage (h, w) within 0 to 1 of a part of the canvas that begins at column `x` and row `y`."""

    x: int
    y: int
    cover: Field

    @property
    def area(self) -> tuple[slice, slice]:
        """Where it lies on the canvas."""
        rows, columns = self.cover.shape
        return slice(self.y, self.y + rows), slice(self.x, self.x + columns)

    def within(self, other: "Mask") -> "Mask":
        """What both cover."""
        x, y = max(self.x, other.x), max(self.y, other.y)
        right = min(self.x + self.cover.shape[1], other.x + other.cover.shape[1])
        bottom = min(self.y + self.cover.shape[0], other.y + other.cover.shape[0])
        if right <= x or bottom <= y:
            return Mask(self.x, self.y, np.zeros((1, 1), np.float32))
        mine = self.cover[y - self.y : bottom - self.y, x - self.x : right - self.x]
        theirs = other.cover[y - other.y : bottom - other.y, x - other.x : right - other.x]
        return Mask(x, y, mine * theirs)


def choose_light(rng: np.random.Generator, frontal: float = 0.0) -> tuple[float, float, float]:
    """Unit vector towards the light: from above, more often from the left; `frontal` brings it round to the viewer."""
    x, y, z = rng.uniform((-0.8, -0.9, 0.6), (0.45, -0.35, 1.1)).tolist()
    z += frontal
    length = (x * x + y * y + z * z) ** 0.5
    return x / length, y / length, z / length


class Canvas:
    """Colours (S, S, 3) float32 within 0 to 255, S a multiple of the picture's size and at least 256.

    `pose` (2, 3) maps the coordinates that a drawer uses to [0, 1] of the picture, y downwards.
    """

    def __init__(self, size: int, ground: Colour, light: tuple[float, float, float], rng: np.random.Generator) -> None:
        self.size = size
        self.factor = max(1, -(-SHORTEST_SIDE // size))
        self.side = size * self.factor
        self.light = light
        self.pose: Points = np.eye(2, 3)
        self.colour: Field = np.empty((self.side, self.side, 3), np.float32)
        self.colour[...] = ground
        self._texture_seed = int(rng.integers(2**32))
        self._textures: dict[str, Field] = {}

    def texture(self, name: str) -> Field:
        """A field of the material, mean 0, spread about 1; the same for the same canvas."""
        if name not in self._textures:
            self._textures[name] = _normalised(self._make_texture(name))
        return self._textures[name]

    def _make_texture(self, name: str) -> Field:
        shape = (self.side, self.side)
        rng = np.random.default_rng((self._texture_seed, *name.encode()))
        if name == "canvas":  # a weave: threads over and under, uneven
            thread = np.sin((np.arange(self.side, dtype=np.float32) + 0.5) * np.float32(2 * np.pi * 72 / self.side))
            uneven = enlarge(fractal_noise(rng, (128, 128), (20, 20), octaves=2), shape)
            return np.asarray(np.outer(thread, thread) + 2.0 * uneven, np.float32)
        if name == "mesh":
            thread = np.cos((np.arange(self.side, dtype=np.float32) + 0.5) * np.float32(2 * np.pi * 44 / self.side))
            return np.asarray(np.maximum.outer(thread, thread), np.float32)
        cells, octaves, gain = TEXTURES[name]
        columns = cells * 6 if name == "wood" else cells
        # Noise of low frequency loses nothing at half the resolution.
        base = shape if cells > 20 else (128, 128)
        field = enlarge(fractal_noise(rng, base, (cells, columns), octaves=octaves, gain=gain), shape)
        return np.asarray(-np.abs(field), np.float32) if name == "leather" else field

    def place(self, points: Pairs) -> Points:
        """Points in canvas pixels, whose centres are whole numbers."""
        at = np.asarray(points, np.float64) @ self.pose[:, :2].T + self.pose[:, 2]
        return np.asarray(at * self.side - 0.5)

    def mask(self, outline: Outline, clip: Mask | None = None) -> Mask:
        """What an outline encloses, with smooth edges; of several, what an odd number of them encloses."""
        loops = outline if isinstance(outline, list) else [outline]
        points = self.place(loops[0] if len(loops) == 1 else np.concatenate(loops))
        x0, y0 = (min(max(int(edge) - 1, 0), self.side - 1) for edge in np.floor(points.min(axis=0)).tolist())
        x1, y1 = (min(max(int(edge) + 2, 1), self.side) for edge in np.ceil(points.max(axis=0)).tolist())
        patch = np.zeros((max(y1 - y0, 1), max(x1 - x0, 1)), np.uint8)
        fixed = np.rint((points - (x0, y0)) * 2**SUBPIXEL_BITS).astype(np.int32)
        ends = list(accumulate(len(loop) for loop in loops))
        polygons = [fixed[end - len(loop) : end] for loop, end in zip(loops, ends, strict=True)]
        cv2.fillPoly(patch, polygons, 255, cv2.LINE_AA, SUBPIXEL_BITS)
        mask = Mask(x0, y0, patch * np.float32(1 / 255))
        return mask.within(clip) if clip else mask

    def soften(self, mask: Mask, reach: float) -> Mask:
        """The mask with blurred edges (standard deviation `reach` of the picture), which reach beyond it."""
        sigma = max(reach * self.side, 0.3)
        margin = int(np.ceil(2.5 * sigma))
        rows, columns = mask.cover.shape
        x, y = max(mask.x - margin, 0), max(mask.y - margin, 0)
        right, bottom = min(mask.x + columns + margin, self.side), min(mask.y + rows + margin, self.side)
        edges = mask.y - y, bottom - mask.y - rows, mask.x - x, right - mask.x - columns
        padded = np.asarray(cv2.copyMakeBorder(mask.cover, *edges, cv2.BORDER_CONSTANT), np.float32)
        return Mask(x, y, _blurred(padded, sigma))

    def fill(self, mask: Mask, colour: Colour, texture: str = "plain", grain: float = 0.03, share: float = 1.0) -> None:
        """Paint a colour, varied by `grain` (relative) with a texture."""
        area = mask.area
        cover = (mask.cover * np.float32(share))[..., None]
        pigment = np.asarray(colour, np.float32)
        if grain:
            pigment = pigment * (1.0 + np.float32(grain) * self.texture(texture)[area][..., None])
        self.colour[area] += (pigment - self.colour[area]) * cover

    def stroke(
        self,
        points: Pairs | list[Points],
        colour: Colour,
        width: float,
        share: float = 1.0,
        clip: Mask | None = None,
        taper: float = 0.0,
    ) -> None:
        """Paint one line or many of a width (in the drawer's units); one thinner than a pixel grows faint instead."""
        lines = points if isinstance(points, list) and isinstance(points[0], np.ndarray) else [np.asarray(points)]
        pixels = width * float(np.hypot(*self.pose[:, 0])) * self.side
        slim = width * max(1.0 - SMOOTHING / pixels, 1e-5)
        groups = [np.stack(lines)] if len({len(line) for line in lines}) == 1 else lines
        outline: list[Points] = []
        for group in groups:
            profile = slim * (1.0 - taper * np.linspace(-1.0, 1.0, group.shape[-2]) ** 2)
            outline += list(ribbon(group, profile).reshape(-1, 2 * group.shape[-2], 2))
        self.fill(self.mask(outline, clip), colour, grain=0.0, share=share * min(1.0, pixels / SMOOTHING))

    def round_off(
        self, mask: Mask, reach: float, gloss: float = 0.0, power: float = 24.0, ambient: float = 0.5
    ) -> None:
        """Shade what has been painted in the mask as if its border, `reach` wide, were rounded towards the ground."""
        rows, columns = mask.cover.shape
        if min(rows, columns) < 3:
            return
        pixels = max(reach * self.side, 1.0)
        step = max(1.0, pixels / ROUNDING_STEPS)
        small = (max(3, round(columns / step)), max(3, round(rows / step)))
        inside = cv2.resize(mask.cover, small, interpolation=cv2.INTER_AREA) if step > 1.0 else mask.cover
        distance = cv2.distanceTransform((inside > 0.4).astype(np.uint8), cv2.DIST_L2, 3)
        radius = pixels / step
        share = np.minimum(distance / radius, 1.0)
        height = _blurred(radius * np.sqrt(share * (2.0 - share)), 0.3 * radius)
        diffuse, highlight = self.lighting(height, power)
        light = np.float32(ambient) + np.float32(1.0 - ambient) * diffuse
        if step > 1.0:
            light = _resized(light, columns, rows)
            highlight = _resized(highlight, columns, rows) if gloss else highlight
        view = self.colour[mask.area]
        view *= (1.0 + mask.cover * (light - 1.0))[..., None]
        if gloss:
            view += (mask.cover * highlight * np.float32(255.0 * gloss))[..., None]

    def lighting(self, height: Field, power: float) -> tuple[Field, Field]:
        """Light on a relief (in pixels): diffuse, 1 where it faces the viewer, and highlights within 0 to 1."""
        across = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8)
        down = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8)
        scale = 1.0 / np.sqrt(1.0 + across * across + down * down)
        x, y, z = self.light
        diffuse = np.maximum((z - x * across - y * down) * scale, 0.0) / np.float32(z)
        half = (2.0 + 2.0 * z) ** 0.5  # the length of light + (0, 0, 1)
        facing = np.maximum((1.0 + z - x * across - y * down) * scale * np.float32(1.0 / half), 0.0)
        return np.asarray(diffuse, np.float32), np.asarray(facing**power, np.float32)

    def shadow(self, mask: Mask, shift: float, reach: float, depth: float, clip: Mask | None = None) -> None:
        """Darken what lies under a mask that will be painted, away from the light by `shift`."""
        soft = self.soften(mask, reach)
        x, y, _ = self.light
        moved_x = soft.x - round(x * shift * self.side)
        moved_y = soft.y - round(y * shift * self.side)
        left, top = max(0, -moved_x), max(0, -moved_y)
        cover = soft.cover[top : max(self.side - moved_y, 0), left : max(self.side - moved_x, 0)]
        if not cover.size:
            return
        moved = Mask(moved_x + left, moved_y + top, cover)
        self.darken(moved.within(clip) if clip else moved, depth)

    def darken(self, mask: Mask, depth: float) -> None:
        """Take `depth` of the light from what the mask covers."""
        self.colour[mask.area] *= (1.0 - np.float32(depth) * mask.cover)[..., None]

    def finish(self) -> Picture:
        """The picture (size, size, 3), averaged down."""
        # Clipped before averaging, as a camera does: overexposed points must not brighten their neighbours.
        colour = np.clip(self.colour, 0.0, 255.0)
        if self.factor > 1:
            area = cv2.resize(colour, (self.size, self.size), interpolation=cv2.INTER_AREA)
            colour = np.asarray(area, np.float32)
        return np.asarray(np.clip(colour + 0.5, 0.0, 255.0), np.uint8)


def _blurred(field: Field, sigma: float) -> Field:
    """Gaussian blur; beyond a few pixels of width at reduced resolution, where it costs less and looks the same."""
    step = int(min(max(sigma / 2.5, 1.0), min(field.shape) / 3 + 1.0))
    if step <= 1:
        return np.asarray(cv2.GaussianBlur(field, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), np.float32)
    rows, columns = field.shape
    small = cv2.resize(field, (max(1, columns // step), max(1, rows // step)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / step, borderType=cv2.BORDER_REPLICATE)
    return _resized(np.asarray(small, np.float32), columns, rows)


def _resized(field: Field, columns: int, rows: int) -> Field:
    return np.asarray(cv2.resize(field, (columns, rows), interpolation=cv2.INTER_LINEAR), np.float32)


def _normalised(field: Field) -> Field:
    """Mean 0 and standard deviation 1, within 2.5 of them."""
    centred = field - field.mean()
    return np.asarray(np.clip(centred / max(float(centred.std()), 1e-6), -2.5, 2.5), np.float32)
