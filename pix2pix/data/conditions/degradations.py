"""Damage done to a photo to make an input of it: noise, JPEG, blur, a lower resolution and fewer levels.

The functions of a name, `noise salt_and_pepper jpeg blur downsample quantize`, draw their strength and run in training.
What they do once it is drawn is in `add_noise`, `compress`, `blur_with` and `shrink`, and what they draw in
`draw_quality` and `draw_kernel`, for whoever needs a known amount of damage.
"""

import math
from collections.abc import Callable
from typing import Annotated, Any, Literal

import cv2
import numpy as np
import torch
from pydantic import AfterValidator, Field
from torch.nn import functional

from pix2pix.data.conditions.steps import ordered

NoiseKind = Literal["gaussian", "poisson", "camera"]
BlurKind = Literal["gaussian", "motion", "defocus"]
Interpolation = Literal["bicubic", "area"]

MIDDLE = 127.5  # mid grey in levels of 255
SHOT_SHARE = 0.75  # of the variance of camera noise at mid grey; the rest does not depend on the light

# From a camera's own colours to sRGB, in the shape that such matrices have: a grey stays grey, each channel loses
# some of the others. It is what gives the noise of a photo its colour.
_COLOUR_MATRIX = np.array([[1.7, -0.6, -0.1], [-0.2, 1.5, -0.3], [0.0, -0.6, 1.6]], np.float32)

# The variance that linear interpolation in a Bayer pattern leaves of red, green and blue on average. A quarter of the
# red pixels are measured, a half are means of two, a quarter of four: 1/4 + 1/4 + 1/16; green: 1/2 + 1/8.
_BAYER_VARIANCE = np.array([0.5625, 0.625, 0.5625], np.float32)

_OVERSAMPLING = 8


NotNegative = Annotated[float, Field(ge=0)]
Quality = Annotated[int, Field(ge=1, le=100)]
Range = Annotated[tuple[NotNegative, NotNegative], AfterValidator(ordered)]
Share = Annotated[float, Field(ge=0, le=1)]
ShareRange = Annotated[tuple[Share, Share], AfterValidator(ordered)]
QualityRange = Annotated[tuple[Quality, Quality], AfterValidator(ordered)]


def noise(
    image: np.ndarray, rng: np.random.Generator, *, sigma: Range = (5.0, 50.0), kind: NoiseKind = "gaussian"
) -> np.ndarray:
    """Noise of a standard deviation drawn from `sigma`, in levels of 255; see `add_noise` for the kinds.

    Shape: (H, W, C) -> (H, W, C) of the same dtype; alpha stays. Raises ValueError for a range in the wrong order.
    """
    strength = rng.uniform(*ordered(sigma))
    return _on_colour(image, lambda colour: add_noise(colour, rng, strength, kind))


def add_noise(image: np.ndarray, rng: np.random.Generator, sigma: float, kind: NoiseKind) -> np.ndarray:
    """(H, W, 1 or 3) of 8 or 16 bits -> the same with noise as float32 in its own levels, neither clipped nor rounded.

    `gaussian`: N(0, sigma^2) on every value on its own.
    `poisson`: counted photons. The variance is proportional to the value and sigma^2 at mid grey; black has none.
    `camera`: three quarters of the variance at mid grey are shot noise as above (as a Gaussian), one quarter reading
    noise that black has, too; the pattern is that of `camera_pattern`. The curve of sRGB is left out of it.
    """
    scale = np.iinfo(image.dtype).max / 255
    values = image.astype(np.float32)
    if kind == "poisson":
        # A photon is worth sigma^2 / 127.5 levels: the variance of a count is its mean. None at all for sigma 0 would
        # be a division by zero; a ten-thousandth of a level is no noise either.
        photon = max(sigma, 1e-4) ** 2 / MIDDLE * scale
        return np.asarray(rng.poisson(values / photon) * photon, np.float32)
    if kind == "gaussian":
        return values + np.float32(sigma * scale) * rng.standard_normal(values.shape, np.float32)
    deviation = np.sqrt(SHOT_SHARE / (MIDDLE * scale) * values + (1 - SHOT_SHARE))
    pattern = camera_pattern(rng, *image.shape[:2])
    added = np.float32(sigma * scale) * deviation * (pattern if image.shape[2] == 3 else pattern[:, :, 1:2])
    return np.asarray(values + added)


def camera_pattern(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Noise of mean 0 and variance 1 as a camera's pictures have it, (height, width, 3) float32.

    One independent value a pixel behind a Bayer pattern, the two missing colours interpolated linearly from the
    neighbours, which blurs it a little, then the camera's colours turned to sRGB, which ties the channels together.
    """
    # OpenCV interpolates 16-bit integers. A deviation of 4096 leaves 8 of them on either side; the border, where
    # neighbours are missing, is cut off.
    mosaic = rng.standard_normal((height + 4, width + 4), np.float32) * 4096 + 32768
    colours = cv2.cvtColor(np.rint(mosaic).clip(0, 65535).astype(np.uint16), cv2.COLOR_BayerRGGB2RGB)
    camera = (colours[2:-2, 2:-2].astype(np.float32) - 32768) / 4096
    matrix = _COLOUR_MATRIX / np.sqrt(_COLOUR_MATRIX**2 @ _BAYER_VARIANCE)[:, None]
    return np.asarray(cv2.transform(camera, matrix)).reshape(height, width, 3)


def salt_and_pepper(image: np.ndarray, rng: np.random.Generator, *, share: ShareRange = (0.02, 0.2)) -> np.ndarray:
    """Lost pixels: a share of them, drawn from `share`, is white or black, as often the one as the other.

    A pixel is lost with all its channels, as in a picture with dead pixels. Shape: (H, W, C) -> (H, W, C) of the same
    dtype; alpha stays. Raises ValueError for a range in the wrong order.
    """
    lost = rng.uniform(*ordered(share))
    draws = rng.random(image.shape[:2])[:, :, None]
    white = image.dtype.type(np.iinfo(image.dtype).max)

    def lose(colour: np.ndarray) -> np.ndarray:
        return np.asarray(np.where(draws < lost / 2, white, np.where(draws < lost, image.dtype.type(0), colour)))

    return _on_colour(image, lose)


def quantize(
    image: np.ndarray, rng: np.random.Generator, *, levels: Annotated[int, Field(ge=2, le=256)] = 8
) -> np.ndarray:
    """Every value at the nearest of `levels` evenly spaced ones, black and white among them. Nothing is drawn.

    Shape: (H, W, C) -> (H, W, C) of the same dtype; alpha stays.
    """
    step = np.iinfo(image.dtype).max / (levels - 1)
    return _on_colour(image, lambda colour: np.rint(colour / step) * step)


def jpeg(image: np.ndarray, rng: np.random.Generator, *, quality: QualityRange = (20, 70)) -> np.ndarray:
    """What is left after saving as JPEG with a quality drawn from `quality`, 1 to 100, both ends included.

    Shape: (H, W, C) -> (H, W, C) of the same dtype; alpha stays. 16 bits become 8 on the way, as JPEG has no more.
    Raises ValueError for a range in the wrong order.
    """
    chosen = draw_quality(rng, quality)
    return _on_colour(image, lambda colour: compress(colour, chosen))


def draw_quality(rng: np.random.Generator, quality: QualityRange) -> int:
    """One of the qualities, both ends included. Raises ValueError for a range in the wrong order."""
    return int(rng.integers(*ordered(quality), endpoint=True))


def compress(image: np.ndarray, quality: int) -> np.ndarray:
    """(H, W, 1 or 3) through JPEG of that quality with halved colour resolution (4:2:0), to the same dtype."""
    step = np.iinfo(image.dtype).max // 255  # 1 or 257
    bytes_ = image if step == 1 else ((image.astype(np.uint32) + step // 2) // step).astype(np.uint8)
    settings = [cv2.IMWRITE_JPEG_QUALITY, quality]
    settings += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420]
    # Blue first, as OpenCV wants it: JPEG weighs the channels differently.
    done, encoded = cv2.imencode(".jpg", np.ascontiguousarray(bytes_[:, :, ::-1]), settings)
    assert done, image.shape
    decoded = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED)).reshape(image.shape)
    return np.asarray(decoded[:, :, ::-1].astype(image.dtype) * image.dtype.type(step))


def blur(
    image: np.ndarray, rng: np.random.Generator, *, sigma: Range = (0.5, 3.0), kind: BlurKind = "gaussian"
) -> np.ndarray:
    """Blur of a width drawn from `sigma`, in pixels; motion goes in a direction drawn from all.

    `sigma` is the kernel's standard deviation along an axis, for motion along its line, so that the kinds are about
    equally strong. Shape: (H, W, C) -> (H, W, C) of the same dtype; alpha stays.
    Raises ValueError for a range in the wrong order.
    """
    kernel = draw_kernel(rng, sigma, kind)
    return _on_colour(image, lambda colour: blur_with(colour, kernel))


def draw_kernel(rng: np.random.Generator, sigma: Range, kind: BlurKind) -> np.ndarray:
    """A kernel for `blur_with`, of a width drawn from `sigma`. Raises ValueError for a range in the wrong order."""
    width = rng.uniform(*ordered(sigma))
    if kind == "gaussian":
        return gaussian_kernel(width)
    if kind == "defocus":
        return defocus_kernel(width)
    return motion_kernel(width, rng.uniform(0, math.pi))


def blur_with(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """(H, W, C) of any number type, blurred; float32 in the same levels, not rounded.

    A kernel is (K, L), or (K,) for the separable one that is the outer product with itself, with odd sides and sum 1.
    Beyond the border the picture is reflected without repeating its edge.
    """
    values = np.ascontiguousarray(image, np.float32)
    if kernel.ndim == 1:
        blurred = cv2.sepFilter2D(values, cv2.CV_32F, kernel, kernel)
    else:
        blurred = cv2.filter2D(values, cv2.CV_32F, kernel[::-1, ::-1])  # turned: OpenCV correlates
    return np.asarray(blurred).reshape(image.shape)


def gaussian_kernel(sigma: float) -> np.ndarray:
    """Gaussian, (K,) float32, separable; it reaches 4 sigma to each side, as SciPy's."""
    radius = int(4 * sigma + 0.5)
    offsets = np.arange(-radius, radius + 1) / max(sigma, 1e-6)
    kernel = np.exp(-(offsets**2) / 2)
    return np.asarray(kernel / kernel.sum(), np.float32)


def defocus_kernel(sigma: float) -> np.ndarray:
    """Disc of a lens out of focus, (K, K) float32; its radius is twice sigma."""
    radius = 2 * sigma
    return _rasterised(radius, lambda x, y: np.hypot(x, y) <= radius)


def motion_kernel(sigma: float, angle: float) -> np.ndarray:
    """Straight even motion, (K, K) float32: a line one pixel wide, turned from the x axis by `angle` in radians.

    Its length is sigma * sqrt(12).
    """
    half = math.sqrt(3) * sigma
    cosine, sine = math.cos(angle), math.sin(angle)
    return _rasterised(
        half, lambda x, y: (np.abs(cosine * x + sine * y) <= half) & (np.abs(cosine * y - sine * x) <= 0.5)
    )


def _rasterised(radius: float, inside: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> np.ndarray:
    """Share of each pixel that lies in a shape within `radius` of the centre, normalised to sum 1."""
    reach = math.ceil(radius)
    side = 2 * reach + 1
    offsets = (np.arange(side * _OVERSAMPLING) + 0.5) / _OVERSAMPLING - side / 2
    fine = inside(offsets[None], offsets[:, None]).astype(np.float32)
    coverage = fine.reshape(side, _OVERSAMPLING, side, _OVERSAMPLING).mean((1, 3))
    if coverage.sum() == 0:  # too small for any of the samples
        coverage[reach, reach] = 1
    return np.asarray(coverage / coverage.sum(), np.float32)


def downsample(
    image: np.ndarray,
    rng: np.random.Generator,
    *,
    factor: Annotated[int, Field(ge=1)] = 4,
    kind: Interpolation = "bicubic",
) -> np.ndarray:
    """Smaller by a whole factor, (H, W, C) -> (H // factor, W // factor, C) of the same dtype, alpha as the colours.

    Rows and columns at the bottom and right that do not fill a pixel are cropped first. Nothing is drawn.
    Raises ValueError for a picture with a side below `factor`.
    """
    return _rounded(shrink(image, factor, kind), image.dtype)


def shrink(image: np.ndarray, factor: int, kind: Interpolation) -> np.ndarray:
    """As `downsample`, but float32 in the picture's levels, neither clipped nor rounded.

    `bicubic` is what super-resolution is compared on: the kernel of Keys 1981 with a = -0.5, widened by the factor
    against aliasing, as in MATLAB's `imresize`. It is torch's `interpolate(antialias=True)`, which differs from
    MATLAB within two output pixels of the border: there the kernel is cut off, in MATLAB the picture is reflected.
    `area` is the mean over factor x factor pixels.
    """
    height, width = image.shape[0] // factor, image.shape[1] // factor
    if min(height, width) == 0:
        got = f"{image.shape[1]}x{image.shape[0]}"
        raise ValueError(f"got a picture of {got}, expected at least {factor} pixels a side to downsample by {factor}")
    values = image[: height * factor, : width * factor].astype(np.float32)
    if kind == "area":
        means = cv2.resize(values, (width, height), interpolation=cv2.INTER_AREA)
        return np.asarray(means).reshape(height, width, image.shape[2])
    batch = torch.from_numpy(values).permute(2, 0, 1)[None]
    smaller = functional.interpolate(batch, (height, width), mode="bicubic", antialias=True)
    return smaller[0].permute(1, 2, 0).contiguous().numpy()


def _on_colour(image: np.ndarray, change: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Changes grey or colour, (H, W, 1 or 3) to any number type, clips and rounds; alpha comes back as it was."""
    changed = _rounded(change(image[:, :, :3]), image.dtype)
    return changed if image.shape[2] < 4 else np.concatenate([changed, image[:, :, 3:]], axis=2)


def _rounded(values: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    if values.dtype == dtype:
        return values
    return np.asarray(np.rint(values).clip(0, np.iinfo(dtype).max), dtype)
