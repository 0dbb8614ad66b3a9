"""sRGB to CIE Lab and back, with colours outside sRGB brought in at their own lightness and hue.

By the formulas (IEC 61966-2-1, CIE 15, white point D65): OpenCV's conversions go by tables and are off by 0.03 to 0.4.
L is in 0..100, a and b of sRGB colours within -108..98.
"""

from __future__ import annotations

import functools
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

XYZ_OF_RGB = np.array([[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]])
NORMED = (XYZ_OF_RGB / XYZ_OF_RGB.sum(1, keepdims=True)).astype(np.float32)
"""To X, Y and Z over those of white, so that a grey has a = b = 0 and is its own luminance."""
CHROMA_SCALE = 110.0
"""a and b over this are what networks work with, within [-1, 1]: Zhang et al. 2016, arXiv 1603.08511."""
TOLERANCE = 5e-6  # of light beyond 0..1; seen as 0.005 in L
MOST_CHROMA = np.float32(134)  # the blue of sRGB has 133.8
BAND = 2**16  # pixels worked on at a time: some MiB, which stay near the processor
HALVINGS = 10  # of the range in which the largest chroma within sRGB is looked for: to a thousandth


def linear_light(image: np.ndarray) -> Floats:
    """The light of every value of a uint8 or uint16 picture, black 0 and white 1; any shape."""
    light: Floats = _light_of_levels(image.dtype.name)[image]
    return light


def encoded(light: Floats, dtype: np.dtype[Any]) -> np.ndarray:
    """Light as rounded sRGB values of uint8 or uint16; any shape. float32 is off by 0.01 of a 16-bit step."""
    light = np.clip(light, 0, 1)
    level = np.where(light <= 0.0031308, light * 12.92, 1.055 * np.power(light, 1 / 2.4) - 0.055)
    return np.asarray(np.rint(level * np.iinfo(dtype).max), dtype)


def luminance(image: np.ndarray) -> Floats:
    """Y of (H, W, 1 or 3) uint8 or uint16, 1 for white -> (H, W)."""
    light = linear_light(image)
    return light[:, :, 0] if image.shape[2] == 1 else np.asarray(cv2.transform(light, NORMED[1:2]))


def lightness(image: np.ndarray) -> Floats:
    """L of (H, W, 1 or 3) uint8 or uint16 -> (H, W)."""
    return 116 * _f(luminance(image)) - 16


def rgb_to_lab(image: np.ndarray) -> Floats:
    """(H, W, 3) uint8 or uint16 sRGB -> (H, W, 3) Lab."""
    assert image.ndim == 3, image.shape
    assert image.shape[2] == 3, image.shape
    x, y, z = np.moveaxis(_f(np.asarray(cv2.transform(linear_light(image), NORMED))), 2, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=2)


def lab_to_rgb(lab: Floats, dtype: np.dtype[Any]) -> np.ndarray:
    """(H, W, 3) Lab -> (H, W, 3) sRGB of `dtype`, uint8 or uint16.

    Where sRGB has no such colour, a and b shrink by a common factor until it has one: lightness and hue stay.
    """
    assert lab.shape[2:] == (3,), lab.shape
    pixels = lab.reshape(-1, 3)
    rgb = np.empty(pixels.shape, dtype)
    for start in range(0, len(pixels), BAND):
        band = slice(start, start + BAND)
        rgb[band] = _srgb(pixels[band].T, dtype).T
    return rgb.reshape(lab.shape)


def recolour(image: np.ndarray, chroma: Floats) -> np.ndarray:
    """A picture in other colours: the lightness of (H, W, 1 or 3) with `chroma` (2, H, W), as (H, W, 3) of its dtype.

    `chroma` is a and b over `CHROMA_SCALE`. It may leave [-1, 1]: what sRGB has not is brought in as `lab_to_rgb` does.
    Besides its output it needs some MiB.
    """
    height, width = image.shape[:2]
    assert chroma.shape == (2, height, width), f"{chroma.shape}, expected (2, {height}, {width})"
    rgb = np.empty((height, width, 3), image.dtype)
    rows = max(1, BAND // max(1, width))
    for start in range(0, height, rows):
        band = slice(start, start + rows)
        planes = np.stack([lightness(image[band]), *(chroma[:, band] * np.float32(CHROMA_SCALE))])
        rgb[band] = np.moveaxis(_srgb(planes.reshape(3, -1), image.dtype).reshape(planes.shape), 0, 2)
    return rgb


def _srgb(planes: Floats, dtype: np.dtype[Any]) -> np.ndarray:
    """(3, M) Lab -> (3, M) sRGB of `dtype`."""
    planes = np.stack([np.clip(planes[0], 0, 100), *planes[1:]], dtype=np.float32)
    light = _light(planes)
    outside = np.flatnonzero(~_fits(light))
    if outside.size:
        light[:, outside] = _light(_within_srgb(planes[:, outside]))
    return encoded(light, dtype)


def _within_srgb(planes: Floats) -> Floats:
    """(3, M) Lab with as much of their chroma as sRGB has; found by halving, from the grey that it always has."""
    low: Floats = np.zeros(planes.shape[1], np.float32)
    high: Floats = MOST_CHROMA / np.maximum(np.hypot(planes[1], planes[2]), MOST_CHROMA)
    for _ in range(HALVINGS):
        middle = (low + high) * np.float32(0.5)
        fits = _fits(_light(_scaled(planes, middle)))
        low, high = np.where(fits, middle, low), np.where(fits, high, middle)
    return _scaled(planes, low)


def _scaled(planes: Floats, share: Floats) -> Floats:
    return np.concatenate([planes[:1], planes[1:] * share])


def _fits(light: Floats) -> NDArray[np.bool_]:
    return np.asarray((light.min(0) >= -TOLERANCE) & (light.max(0) <= 1 + TOLERANCE))


def _light(planes: Floats) -> Floats:
    """(3, M) Lab -> linear RGB, 0..1 within sRGB."""
    y = (planes[0] + 16) / 116
    f = np.stack([y + planes[1] / 500, y, y - planes[2] / 200])
    xyz = np.where(f > 6 / 29, f * f * f, (f - 16 / 116) / 7.787)
    light: Floats = _rgb_of_normed() @ xyz
    return light


def _f(xyz: Floats) -> Floats:
    return np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116).astype(np.float32)


@functools.cache
def _rgb_of_normed() -> Floats:
    return np.linalg.inv(NORMED.astype(np.float64)).astype(np.float32)


@functools.cache
def _light_of_levels(dtype: str) -> Floats:
    top = int(np.iinfo(dtype).max)
    level = np.arange(top + 1) / top
    return np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4).astype(np.float32)
