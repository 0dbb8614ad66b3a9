"""Pixel metrics: hand-computed values, parity with scikit-image and torchmetrics, and what they refuse."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torchmetrics.functional.image import (
    multiscale_structural_similarity_index_measure,
    structural_similarity_index_measure,
)

from pix2pix.metrics.pixels import SCALES, l1, ms_ssim, psnr, ssim


def pictures(seed: int, height: int, width: int, channels: tuple[int, ...] = (3,)) -> tuple[np.ndarray, np.ndarray]:
    """A smooth scene and a noisy copy: SSIM well inside (0, 1)."""
    generator = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    scene = 127 + 90 * np.sin(rows / 7 + generator.uniform(0, 6)) * np.cos(columns / 5)
    scene = np.repeat(scene[..., None], 3, axis=2)[..., : channels[0] if channels else 1]
    noisy = np.clip(scene + generator.normal(0, 25, scene.shape), 0, 255)
    both = scene.astype(np.uint8), noisy.astype(np.uint8)
    return both if channels else (both[0][..., 0], both[1][..., 0])


def test_l1_of_known_pictures() -> None:
    black, white = np.zeros((4, 5, 3), np.uint8), np.full((4, 5, 3), 255, np.uint8)
    assert l1(black, white) == 1.0
    half = black.copy()
    half[:2] = 51
    assert l1(half, black) == pytest.approx(0.1)
    assert l1(black, half) == l1(half, black)  # no uint8 wrap-around


def test_psnr_of_known_pictures() -> None:
    black = np.zeros((4, 5, 3), np.uint8)
    assert psnr(black, black) == math.inf
    assert psnr(black, black + np.uint8(255)) == pytest.approx(0.0)
    assert psnr(black, black + np.uint8(1)) == pytest.approx(20 * math.log10(255))


@pytest.mark.parametrize(
    ("height", "width", "channels"), [(64, 48, (3,)), (11, 11, (3,)), (37, 90, ()), (12, 200, (3,))]
)
def test_psnr_and_ssim_agree_with_scikit_image(height: int, width: int, channels: tuple[int, ...]) -> None:
    output, target = pictures(height, height, width, channels)
    expected = structural_similarity(  # type: ignore[no-untyped-call]
        output,
        target,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        channel_axis=-1 if channels else None,
        data_range=255,
    )
    assert ssim(output, target) == pytest.approx(expected, abs=1e-6)
    assert 0.05 < expected < 0.999
    expected = peak_signal_noise_ratio(target, output, data_range=255)  # type: ignore[no-untyped-call]
    assert psnr(output, target) == pytest.approx(expected, abs=1e-9)


def test_ssim_agrees_with_torchmetrics() -> None:
    output, target = pictures(3, 70, 50)
    one, other = (torch.from_numpy(image).double().permute(2, 0, 1)[None] for image in (output, target))
    # Its mean includes a reflected border, which the paper has not; its picture of places holds ours in the middle.
    _, places = structural_similarity_index_measure(one, other, data_range=255.0, return_full_image=True)
    assert ssim(output, target) == pytest.approx(float(places[..., 5:-5, 5:-5].mean()), abs=1e-6)


def test_ssim_of_two_flat_pictures_is_its_luminance_term() -> None:
    dark, bright = np.full((20, 20, 3), 50, np.uint8), np.full((20, 20, 3), 100, np.uint8)
    c1 = (0.01 * 255) ** 2
    assert ssim(dark, bright) == pytest.approx((2 * 50 * 100 + c1) / (50**2 + 100**2 + c1))
    assert ssim(dark, dark) == pytest.approx(1.0)


def scales_by_torchmetrics(output: np.ndarray, target: np.ndarray) -> float:
    """MS-SSIM of one channel from torchmetrics' SSIM at each scale, whole windows only at every one of them."""
    one, other = (torch.from_numpy(image).double()[None, None] for image in (output, target))
    product = 1.0
    for scale, exponent in enumerate(SCALES):
        if scale < len(SCALES) - 1:
            _, term = structural_similarity_index_measure(
                one, other, data_range=255.0, return_contrast_sensitivity=True
            )
            one, other = (torch.nn.functional.avg_pool2d(image, 2, ceil_mode=True) for image in (one, other))
        else:
            _, places = structural_similarity_index_measure(one, other, data_range=255.0, return_full_image=True)
            term = places[..., 5:-5, 5:-5].mean()
        product *= max(float(term), 0) ** exponent
    return product


@pytest.mark.parametrize(("height", "width"), [(256, 256), (176, 320), (161, 161), (175, 163), (203, 187)])
def test_ms_ssim_agrees_with_torchmetrics_scale_by_scale(height: int, width: int) -> None:
    output, target = pictures(height, height, width)
    target = target.copy()
    target[..., 1] //= 2  # channels that differ: each must go through the five scales on its own
    expected = np.mean([scales_by_torchmetrics(output[..., c], target[..., c]) for c in range(3)])
    assert 0.3 < expected < 0.99
    assert ms_ssim(output, target) == pytest.approx(expected, abs=1e-6)
    assert ms_ssim(output[..., 1], target[..., 1]) == pytest.approx(
        scales_by_torchmetrics(output[..., 1], target[..., 1]), abs=1e-6
    )


def test_ms_ssim_is_near_that_of_torchmetrics() -> None:
    output, target = pictures(5, 256, 256)
    one, other = (torch.from_numpy(image).double().permute(2, 0, 1)[None] for image in (output, target))
    # Its coarsest scale, 16 pixels a side here, includes a reflected border, which the paper has not.
    expected = multiscale_structural_similarity_index_measure(one, other, data_range=255.0)
    assert ms_ssim(output, target) == pytest.approx(float(expected), abs=0.01)


def test_ms_ssim_of_known_pictures() -> None:
    dark, bright = np.full((161, 170, 3), 50, np.uint8), np.full((161, 170, 3), 100, np.uint8)
    c1 = (0.01 * 255) ** 2
    assert ms_ssim(dark, dark) == pytest.approx(1.0)
    luminance = (2 * 50 * 100 + c1) / (50**2 + 100**2 + c1)  # flat: only the coarsest scale's luminance differs from 1
    assert ms_ssim(dark, bright) == pytest.approx(luminance**0.1333)
    output, _ = pictures(1, 192, 192)
    assert ms_ssim(output, 255 - output) == 0.0  # negative structure, and no complex number


def test_shapes_that_cannot_be_compared_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected one shape"):
        l1(np.zeros((4, 5, 3)), np.zeros((5, 4, 3)))
    with pytest.raises(ValueError, match=r"11x11"):
        ssim(np.zeros((10, 40, 3)), np.zeros((10, 40, 3)))
    with pytest.raises(ValueError, match=r"got a picture of 160x300, expected more than 160"):
        ms_ssim(np.zeros((300, 160, 3)), np.zeros((300, 160, 3)))
