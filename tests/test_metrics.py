"""Pixel metrics: hand-computed values, parity with scikit-image and torchmetrics, and what they refuse."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torchmetrics.functional.image import structural_similarity_index_measure

from pix2pix.metrics.pixels import l1, psnr, ssim


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


def test_shapes_that_cannot_be_compared_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected one shape"):
        l1(np.zeros((4, 5, 3)), np.zeros((5, 4, 3)))
    with pytest.raises(ValueError, match=r"11x11"):
        ssim(np.zeros((10, 40, 3)), np.zeros((10, 40, 3)))
