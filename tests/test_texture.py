"""Distances of texture and layout, and the checkerboard's peak: closed forms, what raises them, what leaves them."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from pix2pix.metrics.spectrum import checkerboard, peak
from pix2pix.metrics.texture import BANDS, laplacian_bands, picture_distance, texture_distances

DATA = Path(os.environ.get("PIX2PIX_TEST_DATA", Path(__file__).parent.parent / "../shared/data"))


def textured(seed: int, side: int = 96, count: int = 4, channels: int = 3) -> Tensor:
    """Pictures with details of every size, weaker the finer, as natural ones have; in [-1, 1]."""
    rng = torch.Generator().manual_seed(seed)
    picture = torch.zeros(count, channels, side, side)
    for octave in range(6):
        cells = torch.randn(count, channels, max(2, side >> octave), max(2, side >> octave), generator=rng)
        picture += 0.5**5 * 2**octave * interpolate(cells, size=(side, side), mode="bilinear", align_corners=False)
    return (picture / 4).clamp(-0.9, 0.9)


def photos(count: int) -> Tensor:
    files = sorted((DATA / "photos" / "bsds").rglob("*.jpg")) if DATA.is_dir() else []
    if len(files) < count:
        pytest.skip(f"no photos under {DATA}; set PIX2PIX_TEST_DATA")
    read = [np.asarray(Image.open(file).convert("RGB"))[:256, :256] for file in files[:count]]
    return torch.from_numpy(np.stack(read)).permute(0, 3, 1, 2).float() / 127.5 - 1


@pytest.mark.parametrize(("side", "channels"), [(64, 3), (96, 1), (130, 12)])
def test_equal_sets_are_at_no_distance_and_order_does_not_matter(side: int, channels: int) -> None:
    one, other = (textured(seed, side, channels=channels) for seed in (0, 1))
    assert texture_distances(one, other).shape == (BANDS,)
    assert picture_distance(one, one) == 0
    assert picture_distance(one, other) == picture_distance(other, one) > 0
    assert torch.equal(texture_distances(one, other), texture_distances(one, other))


@pytest.mark.parametrize("offset", [0.05, -0.1])
def test_an_offset_is_layout_alone(offset: float) -> None:
    pictures = textured(0)
    assert picture_distance(pictures + offset, pictures) == pytest.approx(abs(offset) / 2, abs=1e-5)
    assert texture_distances(pictures + offset, pictures) == pytest.approx(torch.zeros(BANDS), abs=1e-6)


def test_contrast_scales_the_texture_distance() -> None:
    # Sorted projections of the bands scale with them, so distances to a flat set are proportional to the contrast.
    pictures, flat = textured(0), torch.zeros(4, 3, 96, 96)
    whole, half = texture_distances(pictures, flat), texture_distances(pictures / 2, flat)
    assert whole.tolist() == pytest.approx((2 * half).tolist(), rel=1e-4)


def test_bands_sum_up_to_the_picture() -> None:
    pictures = textured(0)
    bands = laplacian_bands(pictures)
    assert [band.shape[-1] for band in bands] == [96, 48, 24, 12]
    assert all(abs(float(band.mean())) < 0.01 for band in bands)
    flat = laplacian_bands(torch.full((1, 1, 64, 64), 0.3))
    assert max(float(band.abs().max()) for band in flat) < 1e-6


def test_blur_and_noise_are_both_far_and_the_more_the_farther() -> None:
    pictures = textured(0)
    blurred = [interpolate(avg_pool2d(pictures, by), scale_factor=by, mode="bilinear") for by in (2, 4)]
    rng = torch.Generator().manual_seed(5)
    noise = torch.randn(pictures.shape, generator=rng)
    noisy = [pictures + strength * noise for strength in (0.1, 0.2)]
    for near, far in (blurred, noisy):
        assert 0.003 < picture_distance(near, pictures) < picture_distance(far, pictures)
    finest, *_, coarsest = texture_distances(noisy[0], pictures).tolist()
    assert finest > 3 * coarsest  # white noise is mostly fine


def test_another_order_of_the_pictures_is_another_layout_but_no_other_texture() -> None:
    pictures = textured(0, side=128, count=8)
    shifted = pictures.roll(1, 0)
    other = textured(1, side=128, count=8)
    texture, layout = float(texture_distances(shifted, pictures).sum()), picture_distance(shifted, pictures)
    assert texture < 1e-6  # the same places of the same pictures, sorted
    assert layout > 0.05
    assert float(texture_distances(other, pictures).sum()) < 0.3 * picture_distance(other, pictures)


def pattern(period: int, amplitude: float, shape: torch.Size, both: bool = False) -> Tensor:
    """Stripes of half a period each, up and down by `amplitude`; in both directions, a board."""
    stripes = amplitude * (1 - 2 * ((torch.arange(shape[-1]) % period) // (period // 2)).float())
    if both:
        return (stripes[:, None].sign() * stripes[None, :]).expand(shape)
    return stripes.expand(shape)


@pytest.mark.parametrize("side", [64, 100, 256])
@pytest.mark.parametrize("period", [2, 4])
@pytest.mark.parametrize("both", [False, True])
def test_a_pattern_of_an_upsampling_period_stands_out(side: int, period: int, both: bool) -> None:
    targets, natural = textured(0, side), textured(1, side)
    assert checkerboard(natural, targets) < 5
    spoiled = natural + pattern(period, 0.05, natural.shape, both)
    assert checkerboard(spoiled, targets) > 10
    assert checkerboard(spoiled.mT, targets) > 10
    assert checkerboard(spoiled, spoiled) <= 0  # what the targets have is no fault


def test_colours_that_cancel_out_in_grey_are_seen() -> None:
    natural = textured(1)
    wave = pattern(2, 0.05, natural[:, 0].shape)
    spoiled = natural + torch.stack([wave, -wave, torch.zeros_like(wave)], dim=1)
    assert checkerboard(spoiled, textured(0)) > 10


@pytest.mark.parametrize(("amplitude", "decibels"), [(0.02, 14.3), (0.2 / 255, 0.0)])
def test_height_of_a_peak_on_nothing_in_closed_form(amplitude: float, decibels: float) -> None:
    # At the shortest period all power a^2 is at one frequency; a wave of one level of 255 has (1 / 255)^2.
    flat = pattern(2, amplitude, torch.Size((2, 3, 64, 64)))
    expected = 10 * np.log10(1 + amplitude**2 * 255**2)
    assert peak(flat, 2, 3) == pytest.approx(expected, abs=0.05)
    assert expected == pytest.approx(decibels, abs=0.2)
    assert peak(flat, 2, 2) == pytest.approx(0, abs=1e-3)


def test_a_spectrum_that_only_falls_has_no_peak() -> None:
    line = torch.linspace(0, 1, 64)
    steep = torch.exp(-200 * (line - 0.43) ** 2) + 0.5 * torch.exp(-60 * (line - 0.7) ** 2)
    pictures = (steep[None, None, None, :] * 1.5 - 1).expand(16, 3, 64, 64)  # one picture, again and again
    assert checkerboard(pictures, textured(0, 64)) < 2


def test_natural_pictures_have_no_pattern() -> None:
    pictures = photos(16)
    one, other = pictures[:8], pictures[8:]
    assert checkerboard(one, other) < 3
    assert checkerboard(other, one) < 3
    for period in (2, 4):
        spoiled = one + pattern(period, 0.05, one.shape)
        assert checkerboard(spoiled, other) > 10


def test_the_blocks_of_a_jpeg_do_not_count() -> None:
    natural = textured(0)
    blocks = natural + pattern(8, 0.1, natural.shape)
    assert peak(blocks, 8, 3) > 10
    assert checkerboard(blocks, natural) < 5

    stored = []
    for picture in (127.5 * (natural + 1)).permute(0, 2, 3, 1).round().to(torch.uint8).numpy():
        buffer = io.BytesIO()
        Image.fromarray(picture).save(buffer, "JPEG", quality=20)
        stored.append(torch.from_numpy(np.array(Image.open(buffer))).permute(2, 0, 1).float() / 127.5 - 1)
    assert checkerboard(natural, torch.stack(stored)) < 5
    assert checkerboard(torch.stack(stored), torch.stack(stored)) <= 0
