"""Damage to photos: statistics of noise, parity of blur, JPEG and resolution with other libraries, any size."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from functools import partial
from typing import get_args

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import TypeAdapter, ValidationError
from scipy import ndimage, signal

from pix2pix.data.conditions.degradations import (
    BlurKind,
    Interpolation,
    NoiseKind,
    QualityRange,
    Range,
    add_noise,
    blur,
    blur_with,
    camera_pattern,
    compress,
    defocus_kernel,
    downsample,
    gaussian_kernel,
    jpeg,
    motion_kernel,
    noise,
    quantize,
    salt_and_pepper,
    shrink,
)

Step = Callable[[np.ndarray, np.random.Generator], np.ndarray]

KEEPS_SIZE: dict[str, Step] = {"jpeg": jpeg, "quantize": quantize, "salt_and_pepper": salt_and_pepper}
KEEPS_SIZE |= {f"noise {kind}": partial(noise, kind=kind) for kind in get_args(NoiseKind)}
KEEPS_SIZE |= {f"blur {kind}": partial(blur, kind=kind) for kind in get_args(BlurKind)}
SHRINKS: dict[str, Step] = {f"downsample {kind}": partial(downsample, kind=kind) for kind in get_args(Interpolation)}


def photo(height: int, width: int, channels: int = 3, dtype: type = np.uint8, seed: int = 0) -> np.ndarray:
    """Smooth with some grain, not symmetric in anything; alpha is random."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    phases = np.arange(channels) * 1.7
    waves = np.sin(rows[..., None] / 5 + phases) * np.cos(columns[..., None] / 7 - phases) + columns[..., None] / width
    values = 0.45 + 0.25 * waves + rng.normal(0, 0.03, (height, width, channels))
    if channels == 4:
        values[:, :, 3] = rng.uniform(0, 1, (height, width))
    image: np.ndarray = np.rint(values.clip(0, 1) * np.iinfo(dtype).max).astype(dtype)
    return image


@pytest.mark.parametrize("step", [*KEEPS_SIZE, *SHRINKS])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_shape_type_alpha_and_argument_survive_and_the_seed_decides(step: str, dtype: type, channels: int) -> None:
    function = (KEEPS_SIZE | SHRINKS)[step]
    for height, width in [(37, 22), (4, 9), (64, 64)] + [(1, 1), (1, 30), (2, 3)] * (step in KEEPS_SIZE):
        image = photo(height, width, channels, dtype)
        before = image.copy()
        output = function(image, np.random.default_rng(3))
        assert output.dtype == dtype
        assert output.shape == (image.shape if step in KEEPS_SIZE else (height // 4, width // 4, channels))
        assert np.array_equal(image, before)
        assert np.array_equal(output, function(image, np.random.default_rng(3)))
        if channels == 4 and step in KEEPS_SIZE:
            assert np.array_equal(output[..., 3], image[..., 3])
        if min(height, width) > 20 and step in KEEPS_SIZE:
            assert not np.array_equal(output[..., 0], image[..., 0])


@pytest.mark.parametrize("step", [step for step in KEEPS_SIZE if step not in ("blur defocus", "quantize")])
def test_another_seed_gives_another_picture(step: str) -> None:
    image = photo(40, 40)
    one, other = (KEEPS_SIZE[step](image, np.random.default_rng(seed)) for seed in (1, 2))
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("step", [*KEEPS_SIZE, *SHRINKS])
def test_16_bits_are_damaged_like_8(step: str) -> None:
    function = (KEEPS_SIZE | SHRINKS)[step]
    image = photo(64, 64)
    eight = function(image, np.random.default_rng(5))
    sixteen = function(image.astype(np.uint16) * 257, np.random.default_rng(5))
    # Poisson numbers of the same mean and generator are the same; the rest differs by rounding.
    assert np.abs(sixteen / 257 - eight).max() <= 0.51
    if step not in ("jpeg", "salt_and_pepper"):
        assert (sixteen % 257 != 0).any()  # not merely 8 bits


@pytest.mark.parametrize("step", [*KEEPS_SIZE, *SHRINKS])
@pytest.mark.parametrize("value", [0, 255])
def test_black_and_white_never_wrap_around(step: str, value: int) -> None:
    image = np.full((32, 32, 3), value, np.uint8)
    output = (KEEPS_SIZE | SHRINKS)[step](image, np.random.default_rng(0))
    if "noise" in step or step == "salt_and_pepper":
        assert abs(output.astype(float) - value).mean() < 60
    else:
        assert np.abs(output.astype(int) - value).max() <= (step == "jpeg")  # its coarse steps miss black by one


@pytest.mark.parametrize("kind", get_args(NoiseKind))
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_noise_at_mid_grey_has_the_standard_deviation_asked_for(kind: NoiseKind, channels: int, dtype: type) -> None:
    scale = np.iinfo(dtype).max / 255
    grey: np.ndarray = np.full((300, 300, channels), round(127.5 * scale), dtype)
    for sigma in (5.0, 30.0):
        added = add_noise(grey, np.random.default_rng(1), sigma, kind) / scale - 127.5
        for channel in range(channels):
            assert added[..., channel].std() == pytest.approx(sigma, rel=0.03)
            assert added[..., channel].mean() == pytest.approx(0.5 * (dtype == np.uint8), abs=0.03 * sigma)


@pytest.mark.parametrize(("kind", "shot"), [("gaussian", 0.0), ("poisson", 1.0), ("camera", 0.75)])
def test_noise_grows_with_the_light_as_its_kind_says(kind: NoiseKind, shot: float) -> None:
    sigma = 20.0
    for value in (0, 32, 64, 200, 255):
        flat = np.full((300, 300, 3), value, np.uint8)
        variance = (add_noise(flat, np.random.default_rng(2), sigma, kind) - value).var()
        assert variance == pytest.approx(sigma**2 * (shot * value / 127.5 + 1 - shot), rel=0.04, abs=1e-6)


def test_gaussian_noise_is_white_and_normal() -> None:
    grey = np.full((400, 400, 3), 128, np.uint8)
    added = (add_noise(grey, np.random.default_rng(4), 10.0, "gaussian") - 128) / 10
    assert (added**4).mean() == pytest.approx(3, rel=0.03)  # the fourth moment of a normal distribution
    assert (added[1:] * added[:-1]).mean() == pytest.approx(0, abs=0.01)
    assert (added[..., 0] * added[..., 1]).mean() == pytest.approx(0, abs=0.01)


def test_poisson_noise_counts_whole_photons() -> None:
    photon = 50.0**2 / 127.5
    noisy = add_noise(np.full((100, 100, 1), 128, np.uint8), np.random.default_rng(4), 50.0, "poisson")
    assert np.abs(noisy / photon - np.rint(noisy / photon)).max() < 1e-5


def test_camera_noise_is_blurred_and_ties_the_channels_together() -> None:
    pattern = camera_pattern(np.random.default_rng(6), 400, 401)
    assert pattern.shape == (400, 401, 3)
    assert pattern.mean((0, 1)) == pytest.approx(0, abs=0.01)
    assert pattern.std((0, 1)) == pytest.approx(1, rel=0.01)
    neighbours = (pattern[1:] * pattern[:-1]).mean((0, 1))
    assert (neighbours > 0.2).all()
    assert (neighbours < 0.7).all()
    assert np.abs((pattern[4:] * pattern[:-4]).mean((0, 1))).max() < 0.02  # a few pixels on nothing is left of it
    correlation = np.corrcoef(pattern.reshape(-1, 3).T)
    assert correlation[0, 1] < -0.2
    assert correlation[1, 2] < -0.2


@pytest.mark.parametrize("kind", get_args(NoiseKind))
def test_no_noise_is_no_change(kind: NoiseKind) -> None:
    image = photo(30, 40)
    assert np.array_equal(noise(image, np.random.default_rng(0), sigma=(0, 0), kind=kind), image)


def test_the_strength_is_drawn_from_all_of_the_range() -> None:
    grey = np.full((64, 64, 1), 128, np.uint8)
    rng = np.random.default_rng(0)
    strengths = [noise(grey, rng, sigma=(2, 12)).std() for _ in range(200)]
    assert 1.8 < min(strengths) < 2.6
    assert 11.2 < max(strengths) < 12.6
    assert np.mean(strengths) == pytest.approx(7, abs=0.6)


@pytest.mark.parametrize("sigma", [0.0, 0.3, 0.5, 1.0, 2.3, 3.0, 12.0])
def test_gaussian_blur_agrees_with_scipy(sigma: float) -> None:
    image = photo(70, 51, dtype=np.uint16)
    blurred = blur_with(image, gaussian_kernel(sigma))
    expected = ndimage.gaussian_filter(image.astype(np.float64), sigma, mode="mirror", axes=(0, 1))
    assert np.abs(blurred - expected).max() / 65535 < 1e-6
    kernel = gaussian_kernel(sigma)
    if len(kernel) < 50:
        assert np.abs(blur_with(image, np.outer(kernel, kernel)) - expected).max() / 65535 < 1e-6


@pytest.mark.parametrize("shape", [(3, 5), (1, 7), (15, 15), (41, 31)])
def test_blur_is_a_convolution_also_with_kernels_without_symmetry(shape: tuple[int, int]) -> None:
    kernel = np.random.default_rng(0).random(shape, np.float32)
    kernel /= kernel.sum()
    image = photo(60, 80)
    rows, columns = shape[0] // 2, shape[1] // 2
    padded = np.pad(image.astype(np.float64), [(rows, rows), (columns, columns), (0, 0)], mode="reflect")
    expected = signal.fftconvolve(padded, kernel[..., None], mode="valid", axes=(0, 1))
    assert np.abs(blur_with(image, kernel) - expected).max() < 1e-3


@pytest.mark.parametrize("sigma", [0.0, 0.3, 0.5, 0.8, 1.5, 3.0, 7.0])
def test_kernels_are_as_wide_as_they_say(sigma: float) -> None:
    disc = defocus_kernel(sigma)
    offsets = np.arange(len(disc)) - len(disc) // 2
    assert disc.sum() == pytest.approx(1, abs=1e-6)
    assert np.array_equal(disc, disc.T)
    # Pixels are points here, so the variance is off by up to a sixth, and a little for the sampling.
    assert (disc.sum(0) * offsets**2).sum() == pytest.approx(sigma**2, abs=0.18 + 0.01 * sigma**2)
    for angle in (0.0, 0.6, math.pi / 2, 2.5):
        line = motion_kernel(sigma, angle)
        offsets = np.arange(len(line)) - len(line) // 2
        along = math.cos(angle) * offsets[None] + math.sin(angle) * offsets[:, None]
        across = math.cos(angle) * offsets[:, None] - math.sin(angle) * offsets[None]
        assert line.sum() == pytest.approx(1, abs=1e-6)
        assert (line * along**2).sum() == pytest.approx(sigma**2, abs=0.18 + 0.03 * sigma**2)
        assert (line * across**2).sum() < 0.25


def test_motion_runs_along_the_line_and_defocus_makes_a_disc() -> None:
    point = np.zeros((41, 41, 1), np.uint8)
    point[20, 20] = 255
    rows, columns = np.nonzero(blur_with(point, motion_kernel(3.0, 0.0))[..., 0] > 0.5)
    assert set(rows) == {20}
    assert columns.max() - columns.min() == pytest.approx(3 * math.sqrt(12), abs=1)
    disc = blur_with(point, defocus_kernel(4.0))[..., 0]
    assert disc[20, 20] == pytest.approx(disc[20, 26])  # even inside, nothing outside
    assert disc[20, 29] == pytest.approx(0, abs=1e-4)
    assert np.count_nonzero(disc > disc[20, 20] / 2) == pytest.approx(math.pi * 8**2, rel=0.05)


def test_blur_draws_its_direction_from_all() -> None:
    point = np.zeros((21, 21, 1), np.uint16)
    point[10, 10] = 65535
    shapes = {blur(point, np.random.default_rng(seed), sigma=(3, 3), kind="motion").tobytes() for seed in range(9)}
    assert len(shapes) == 9


def test_salt_and_pepper_loses_the_share_asked_for_and_leaves_the_rest() -> None:
    grey = np.full((400, 400, 3), 100, np.uint16)
    output = salt_and_pepper(grey, np.random.default_rng(0), share=(0.3, 0.3))
    assert (output == output[:, :, :1]).all()  # whole pixels
    values, counts = np.unique(output[:, :, 0], return_counts=True)
    assert values.tolist() == [0, 100, 65535]
    assert counts / 400**2 == pytest.approx([0.15, 0.7, 0.15], abs=0.005)
    assert np.array_equal(salt_and_pepper(grey, np.random.default_rng(0), share=(0, 0)), grey)


def test_quantize_by_hand() -> None:
    rng = np.random.default_rng(0)
    ramp = np.array([[0, 42, 43, 127, 128, 212, 213, 255]], np.uint8)[:, :, None]
    assert quantize(ramp, rng, levels=4).ravel().tolist() == [0, 0, 85, 85, 170, 170, 255, 255]
    assert quantize(ramp, rng, levels=2).ravel().tolist() == [0, 0, 0, 0, 255, 255, 255, 255]
    assert np.array_equal(quantize(ramp, rng, levels=256), ramp)


@pytest.mark.parametrize("quality", [5, 20, 70, 95])
def test_jpeg_agrees_with_pillow(quality: int) -> None:
    image = photo(61, 90)
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality, subsampling=2)  # 4:2:0
    expected = np.asarray(Image.open(buffer)).astype(int)
    # Two builds of libjpeg; the exact way of a cosine transform may differ.
    assert np.abs(compress(image, quality) - expected).mean() < 0.3
    assert np.abs(compress(image, quality) - expected).max() <= 8
    grey = image[:, :, :1]
    buffer = io.BytesIO()
    Image.fromarray(grey[:, :, 0]).save(buffer, "JPEG", quality=quality)
    assert np.abs(compress(grey, quality)[:, :, 0] - np.asarray(Image.open(buffer)).astype(int)).mean() < 0.3


def test_jpeg_halves_the_resolution_of_colour_and_keeps_the_order_of_channels() -> None:
    image = np.zeros((32, 32, 3), np.uint8)
    image[:, ::2] = (230, 30, 30)
    image[:, 1::2] = (30, 30, 230)
    output = compress(image, 95).astype(int)
    assert np.abs(output[:, ::2, 0] - output[:, 1::2, 0]).mean() < 60  # was 200: red and blue stripes mixed
    flat = np.full((16, 16, 3), (200, 90, 20), np.uint8)
    assert np.abs(compress(flat, 90).astype(int) - flat).max() <= 3


def test_jpeg_draws_both_ends_of_its_range() -> None:
    image = photo(32, 32)
    known = {compress(image, quality).tobytes(): quality for quality in (20, 21, 22)}
    rng = np.random.default_rng(0)
    drawn = {known[jpeg(image, rng, quality=(20, 22)).tobytes()] for _ in range(40)}
    assert drawn == {20, 21, 22}


@pytest.mark.parametrize("factor", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_bicubic_agrees_with_torch_and_pillow(factor: int, channels: int) -> None:
    image = photo(67, 50, channels, np.uint16)
    rows, columns = 67 // factor, 50 // factor
    cropped = image[: rows * factor, : columns * factor].astype(np.float32)
    smaller = shrink(image, factor, "bicubic")
    batch = torch.from_numpy(cropped).double().permute(2, 0, 1)[None]
    by_torch = torch.nn.functional.interpolate(batch, (rows, columns), mode="bicubic", antialias=True)
    assert np.abs(smaller - by_torch[0].permute(1, 2, 0).numpy()).max() / 65535 < 1e-6
    for channel in range(channels):
        by_pillow = Image.fromarray(cropped[..., channel]).resize((columns, rows), Image.Resampling.BICUBIC)
        assert np.abs(smaller[..., channel] - np.asarray(by_pillow)).max() / 65535 < 1e-6


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_bicubic_is_that_of_matlab_inside(factor: int) -> None:
    """MATLAB's imresize: Keys' kernel with a = -0.5, stretched by the factor, weights summing to 1."""
    image = photo(24 * factor, 20 * factor, 1)[:, :, 0].astype(np.float64)

    def weights(size: int) -> np.ndarray:
        centres = (np.arange(size)[:, None] + 0.5) * factor - 0.5
        x = np.abs(np.arange(size * factor)[None] - centres) / factor
        near = 1.5 * x**3 - 2.5 * x**2 + 1
        far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
        kernel: np.ndarray = np.where(x <= 1, near, np.where(x <= 2, far, 0))
        return np.asarray(kernel / kernel.sum(1, keepdims=True))

    expected = weights(24) @ image @ weights(20).T
    difference = shrink(image[..., None].astype(np.uint8), factor, "bicubic")[..., 0] - expected
    assert np.abs(difference[2:-2, 2:-2]).max() < 1e-3


def test_area_is_the_mean_of_whole_blocks() -> None:
    image = photo(26, 35, 3, np.uint16)
    expected = image[:24, :32].reshape(6, 4, 8, 4, 3).mean((1, 3))
    assert np.abs(shrink(image, 4, "area") - expected).max() < 0.02
    assert np.array_equal(downsample(image, np.random.default_rng(0), kind="area"), np.rint(expected).astype(np.uint16))


def test_mistakes_are_refused_with_the_reason() -> None:
    rng, image = np.random.default_rng(0), photo(8, 3)
    with pytest.raises(ValueError, match=r"got a picture of 3x8, expected at least 4 pixels a side"):
        downsample(image, rng)
    with pytest.raises(ValueError, match=r"got the range \(50, 5\), expected the lower limit first"):
        noise(image, rng, sigma=(50, 5))
    with pytest.raises(ValueError, match=r"lower limit first"):
        blur(image, rng, sigma=(3, 1))
    with pytest.raises(ValueError, match=r"lower limit first"):
        jpeg(image, rng, quality=(70, 20))
    with pytest.raises(ValueError, match=r"lower limit first"):
        salt_and_pepper(image, rng, share=(0.3, 0.2))


@pytest.mark.parametrize(
    ("adapter", "good", "bad"),
    [
        (TypeAdapter(Range), [0, 3.5], [[-1, 2], [5, 1], [1]]),
        (TypeAdapter(QualityRange), [20, 70], [[0, 50], [20, 101], [70, 20], [1.5, 2]]),
    ],
)
def test_a_range_in_a_file_is_checked_when_read(
    adapter: TypeAdapter[tuple[float, float]], good: list[float], bad: list[list[float]]
) -> None:
    assert adapter.validate_python(good) == tuple(good)
    for value in bad:
        with pytest.raises(ValidationError):
            adapter.validate_python(value)


def test_a_picture_that_is_not_contiguous_is_read_right() -> None:
    image = photo(30, 40, 4)
    turned = np.rot90(image)[:, ::-1]
    assert not turned.flags.c_contiguous
    for step in (KEEPS_SIZE | SHRINKS).values():
        straight = step(np.ascontiguousarray(turned), np.random.default_rng(0))
        assert np.array_equal(step(turned, np.random.default_rng(0)), straight)
