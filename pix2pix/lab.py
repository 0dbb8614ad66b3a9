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
TOLERANCE = 5e-6  # of light beyond 0..1; seen as 0.005 in L
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
    pixels = np.clip(lab.reshape(-1, 3), (0, -200, -200), (100, 200, 200)).astype(np.float32)
    light = _light(pixels)
    outside = np.flatnonzero(~_fits(light))
    if outside.size:
        light[outside] = _light(_within_srgb(pixels[outside]))
    return encoded(light, dtype).reshape(lab.shape)


def _within_srgb(pixels: Floats) -> Floats:
    """(M, 3) Lab with as much of their chroma as sRGB has; found by halving, from the grey that it always has."""
    low: Floats = np.zeros(len(pixels), np.float32)
    high: Floats = np.ones(len(pixels), np.float32)
    for _ in range(HALVINGS):
        middle = (low + high) * np.float32(0.5)
        fits = _fits(_light(_scaled(pixels, middle)))
        low, high = np.where(fits, middle, low), np.where(fits, high, middle)
    return _scaled(pixels, low)


def _scaled(pixels: Floats, share: Floats) -> Floats:
    return np.concatenate([pixels[:, :1], pixels[:, 1:] * share[:, None]], axis=1)


def _fits(light: Floats) -> NDArray[np.bool_]:
    return np.asarray(((light >= -TOLERANCE) & (light <= 1 + TOLERANCE)).all(1))


def _light(pixels: Floats) -> Floats:
    """(M, 3) Lab -> linear RGB, 0..1 within sRGB."""
    y = (pixels[:, 0] + 16) / 116
    f = np.stack([y + pixels[:, 1] / 500, y, y - pixels[:, 2] / 200], axis=1)
    xyz = np.where(f > 6 / 29, f**3, (f - 16 / 116) / 7.787).astype(np.float32)
    return xyz @ _rgb_of_normed().T


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
