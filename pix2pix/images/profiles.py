"""Colour profiles: which colours one is about, and pictures in grey or CMYK brought to sRGB by theirs.

ICC.1:2022: the tags of a grey profile, 8.3.4; its curve, 10.6 and 10.18. IEC 61966-2-1: the curve of sRGB.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageCms


def profile_space(profile: bytes | None) -> str | None:
    """The colours that a profile is about: 'RGB', 'GRAY', 'CMYK' ...; None for none, or a damaged one."""
    if not profile:
        return None
    try:
        space: str = ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile.xcolor_space
    except (OSError, TypeError, ValueError):
        return None
    return space.strip()


def cmyk_to_srgb(profile: bytes | None) -> Callable[[Image.Image], Image.Image] | None:
    """A function from a CMYK picture to sRGB as `profile` means it; None where the profile is none for that."""
    if profile_space(profile) != "CMYK":
        return None
    assert profile is not None
    try:
        transform = ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB"), "CMYK", "RGB"
        )
    except ImageCms.PyCMSError:
        return None

    def convert(image: Image.Image) -> Image.Image:
        converted = ImageCms.applyTransform(image, transform)
        assert converted is not None
        return converted

    return convert


def grey_to_srgb(profile: bytes | None, dtype: np.dtype) -> np.ndarray | None:
    """For each value of `dtype`, uint8 or uint16, the one that shows in sRGB as the profile means it.

    Returns (256,) or (65536,) of `dtype`; None where the profile is none of grey, or damaged. The curve is read from
    the profile itself, since colour engines give 8 bits, too few for 16.
    """
    if profile_space(profile) != "GRAY":
        return None
    assert profile is not None
    levels = int(np.iinfo(dtype).max)
    try:
        with np.errstate(all="ignore"):
            luminance = _grey_curve(profile, np.linspace(0, 1, levels + 1)).clip(0, 1)
    except (struct.error, ValueError, IndexError):
        return None
    shown = np.where(luminance <= 0.0031308, 12.92 * luminance, 1.055 * luminance ** (1 / 2.4) - 0.055)
    table: np.ndarray = np.rint(shown * levels).astype(dtype)
    return table


def _grey_curve(profile: bytes, values: np.ndarray) -> np.ndarray:
    """The luminance, 0 to 1, of grey values from 0 to 1. Raises struct.error, ValueError for a damaged profile."""
    (number,) = struct.unpack_from(">I", profile, 128)
    tags = [struct.unpack_from(">4sII", profile, 132 + 12 * index) for index in range(min(number, 100))]
    start = next((offset for name, offset, _ in tags if name == b"kTRC"), None)
    if start is None:
        raise ValueError("no curve of grey")
    kind = profile[start : start + 4]
    if kind == b"curv":
        curve = _sampled(profile, start, values)
    elif kind == b"para":
        curve = _parametric(profile, start, values)
    else:
        raise ValueError(f"a curve of type {kind!r}")
    if not np.isfinite(curve).all():
        raise ValueError("a curve without values")
    if profile[20:24] == b"Lab ":  # then the curve gives lightness L* / 100 rather than luminance
        return np.where(curve > 0.08, ((100 * curve + 16) / 116) ** 3, 100 * curve * 27 / 24389)
    return curve


def _sampled(profile: bytes, start: int, values: np.ndarray) -> np.ndarray:
    (count,) = struct.unpack_from(">I", profile, start + 8)
    if count == 0:
        return values
    samples = np.frombuffer(profile, ">u2", count, start + 12)
    if count == 1:
        return np.asarray(values ** (samples[0] / 256))
    return np.asarray(np.interp(values, np.linspace(0, 1, count), samples / 65535))


def _parametric(profile: bytes, start: int, values: np.ndarray) -> np.ndarray:
    """ICC.1:2022, table 68: (a x + b)^g + e from d on, below it c x + f."""
    (kind,) = struct.unpack_from(">H", profile, start + 8)
    number = (1, 3, 4, 5, 7)[kind]
    numbers = [each / 65536 for each in struct.unpack_from(f">{number}i", profile, start + 12)]
    g, a, b, c, d, e, f = 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0
    if kind == 0:
        (g,) = numbers
    elif kind in (1, 2):
        g, a, b = numbers[:3]
        if a == 0:
            raise ValueError("a curve that is flat")
        d, e = -b / a, sum(numbers[3:])
        f = e
    elif kind == 3:
        g, a, b, c, d = numbers
    else:
        g, a, b, c, d, e, f = numbers
    return np.where(values >= d, np.maximum(a * values + b, 0) ** g + e, c * values + f)
