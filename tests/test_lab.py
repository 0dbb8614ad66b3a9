"""CIE Lab: parity with scikit-image, the way there and back, and colours that sRGB does not have."""

import tracemalloc

import numpy as np
import pytest
from skimage.color import rgb2lab

from pix2pix.lab import BAND, CHROMA_SCALE, encoded, lab_to_rgb, lightness, linear_light, recolour, rgb_to_lab


def picture(seed: int, dtype: type = np.uint8, channels: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    height, width = rng.integers(1, 60, 2)
    return rng.integers(0, np.iinfo(dtype).max, (height, width, channels), dtype, endpoint=True)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_it_is_the_lab_of_scikit_image(dtype: type) -> None:
    image = picture(0, dtype)
    np.testing.assert_allclose(rgb_to_lab(image), rgb2lab(image / np.iinfo(dtype).max), atol=0.02)
    np.testing.assert_allclose(lightness(image), rgb_to_lab(image)[..., 0], atol=1e-4)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("seed", range(5))
def test_every_colour_comes_back(seed: int, dtype: type) -> None:
    image = picture(seed, dtype)
    back = lab_to_rgb(rgb_to_lab(image), np.dtype(dtype))
    assert back.dtype == dtype
    assert np.abs(back.astype(int) - image).max() <= (0 if dtype == np.uint8 else 24)  # float32 near black


def test_known_colours() -> None:
    colours = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [119, 119, 119]]], np.uint8)
    expected = [(53.24, 80.09, 67.20), (87.73, -86.18, 83.18), (32.30, 79.19, -107.86), (100, 0, 0), (50.03, 0, 0)]
    np.testing.assert_allclose(rgb_to_lab(colours)[0], np.array(expected), atol=0.03)
    assert linear_light(np.array([0, 255], np.uint8)).tolist() == [0, 1]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_greys_have_no_chroma_and_their_own_lightness(dtype: type) -> None:
    greys: np.ndarray = np.arange(np.iinfo(dtype).max + 1, dtype=dtype)[None, :, None]
    assert np.abs(rgb_to_lab(np.repeat(greys, 3, axis=2))[..., 1:]).max() < 1e-3
    np.testing.assert_array_equal(encoded(linear_light(greys), np.dtype(dtype)), greys)


@pytest.mark.parametrize(("dtype", "nearest"), [(np.uint8, 0.3), (np.uint16, 0.01)])
def test_outside_srgb_chroma_gives_way_while_lightness_and_hue_stay(dtype: type, nearest: float) -> None:
    rng = np.random.default_rng(1)
    wanted = np.stack([rng.uniform(1, 99, (80, 80)), *rng.uniform(-110, 110, (2, 80, 80))], axis=2).astype(np.float32)
    made = rgb_to_lab(lab_to_rgb(wanted, np.dtype(dtype)))
    assert np.abs(made[..., 0] - wanted[..., 0]).max() < nearest
    before, after = (lab[..., 1] + 1j * lab[..., 2] for lab in (wanted, made))
    had, has = np.abs(before), np.abs(after)
    assert (has <= had + 1.5).all()  # 1.5: rounding to 8 bits in the dark
    sure = (had > 20) & (has > 20)
    assert np.abs(np.angle(after[sure] / before[sure])).max() < (0.08 if dtype == np.uint8 else 0.01)
    # As much chroma as sRGB has: a little more would not fit.
    outside = has < had - 3
    assert outside.mean() > 0.3
    more = made * np.array([1, 1.1, 1.1], np.float32)
    again = rgb_to_lab(lab_to_rgb(more, np.dtype(dtype)))
    grown = np.abs(again[..., 1] + 1j * again[..., 2]) - has
    assert np.median(grown[outside]) < 0.2


def test_however_much_chroma_is_asked_for_hue_stays_and_as_much_is_had() -> None:
    """A thousand times the chroma of a colour is that colour's own edge of sRGB, found as finely."""
    lab = np.random.default_rng(2).uniform((20, -1, -1), (80, 1, 1), (40, 40, 3)).astype(np.float32)
    direction = lab[..., 1:] / np.hypot(lab[..., 1], lab[..., 2])[..., None]
    ends = []
    for length in (134, 100_000):
        wanted = np.concatenate([lab[..., :1], direction * length], axis=2).astype(np.float32)
        ends.append(rgb_to_lab(lab_to_rgb(wanted, np.dtype(np.uint16))))
    assert np.abs(ends[0] - ends[1]).max() < 0.3
    had = ends[1][..., 1:] / np.hypot(ends[1][..., 1], ends[1][..., 2])[..., None]
    assert np.abs(had - direction).max() < 0.01


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(1, 1), (37, 61), (300, 500), (2, BAND + 3)])
def test_a_recoloured_picture_has_its_lightness_and_the_chroma(
    size: tuple[int, int], channels: int, dtype: type
) -> None:
    rng = np.random.default_rng(3)
    top = np.iinfo(dtype).max
    image = rng.integers(0, top, (*size, channels), dtype, endpoint=True)
    chroma = rng.uniform(-0.5, 0.5, (2, *size)).astype(np.float32)
    made = recolour(image, chroma)
    assert made.dtype == dtype
    assert np.abs(lightness(made) - lightness(image)).max() < (0.3 if dtype == np.uint8 else 0.01)
    lab = np.stack([lightness(image), *(chroma * CHROMA_SCALE)], axis=2)
    steps = np.abs(made.astype(int) - lab_to_rgb(lab, np.dtype(dtype)))  # float32 adds up in another order in BLAS
    assert (steps > top // 255).mean() < 1e-3
    assert steps.mean() < 0.01 * top / 255


def test_no_chroma_gives_the_grey_itself() -> None:
    for dtype in (np.uint8, np.uint16):
        greys: np.ndarray = np.arange(np.iinfo(dtype).max + 1, dtype=dtype)[None, :, None]
        made = recolour(greys, np.zeros((2, 1, greys.shape[1]), np.float32))
        assert np.abs(made.astype(int) - greys).max() <= (0 if dtype == np.uint8 else 1)


def test_recolouring_needs_little_memory_beside_its_output() -> None:
    image = np.random.default_rng(4).integers(0, 256, (1000, 1500, 1), np.uint8)
    chroma = np.full((2, 1000, 1500), 0.3, np.float32)
    tracemalloc.start()
    try:
        made = recolour(image, chroma)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak - made.nbytes < 16 * 2**20
