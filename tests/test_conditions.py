"""Normalise steps: nearest colours against brute force, JPEG damage undone, every step idempotent."""

import os
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from pix2pix.data.conditions import NORMALISE, nearest_class, normalise, snap_to_palette
from pix2pix.images import list_images, read_image, to_gray

FACADES = {
    "background": (0, 0, 222),
    "facade": (0, 48, 255),
    "window": (0, 128, 255),
    "door": (1, 207, 255),
    "cornice": (32, 255, 224),
    "sill": (112, 254, 142),
    "balcony": (192, 255, 63),
    "blind": (255, 240, 1),
    "deco": (255, 159, 0),
    "molding": (255, 80, 0),
    "pillar": (254, 0, 0),
    "shop": (174, 0, 1),
}
COLOURS = np.array(list(FACADES.values()), np.uint8)
REAL = Path(os.environ.get("PIX2PIX_TEST_DATA", "../shared/data")) / "facades" / "train"


def label_map(seed: int, size: int = 256) -> np.ndarray:
    """A clean map of overlapping rectangles, down to lines of two pixels."""
    generator = np.random.default_rng(seed)
    classes = np.full((size, size), generator.integers(12))
    for _ in range(60):
        height, width = generator.integers(2, 70, 2)
        top, left = generator.integers(0, size, 2)
        classes[top : top + height, left : left + width] = generator.integers(12)
    return COLOURS[classes]


def damage(image: np.ndarray, quality: int) -> np.ndarray:
    halved = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420]
    _, encoded = cv2.imencode(".jpg", image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality, *halved])
    decoded = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    assert decoded is not None
    return np.ascontiguousarray(decoded[:, :, ::-1])


def accuracy(image: np.ndarray, truth: np.ndarray) -> float:
    return float((image == truth).all(axis=2).mean())


def test_nearest_class_is_exact() -> None:
    generator = np.random.default_rng(0)
    for _ in range(5):
        drawn = generator.integers(0, 256, (generator.integers(1, 30), 3)).tolist()
        palette = {str(index): (red, green, blue) for index, (red, green, blue) in enumerate(drawn)}
        image = generator.integers(0, 256, (210, 190, 3), dtype=np.uint8)  # more than one chunk
        colours = np.array(list(palette.values()))
        distances = ((image[:, :, None].astype(int) - colours) ** 2).sum(3)
        classes, squared = nearest_class(image, palette)
        np.testing.assert_array_equal(classes, distances.argmin(2))  # of equals the first
        np.testing.assert_array_equal(squared, distances.min(2))


def test_snap_by_hand() -> None:
    palette = {"black": (0, 0, 0), "white": (255, 255, 255)}
    image = np.array([[[10, 0, 5], [250, 255, 255], [0, 0, 0]]], np.uint8)
    assert snap_to_palette(image, palette).tolist() == [[[0, 0, 0], [255, 255, 255], [0, 0, 0]]]
    assert snap_to_palette(np.full((2, 2, 1), 65535, np.uint16), palette).tolist() == [[[255] * 3] * 2] * 2
    assert (snap_to_palette(np.zeros((3, 3, 4), np.uint8), palette) == 255).all()  # transparent is white


def test_undamaged_map_is_unchanged() -> None:
    generator = np.random.default_rng(1)
    speckles = COLOURS[generator.integers(0, 12, (64, 64))]  # no neighbourhood supports anything
    for image in (label_map(0), speckles, COLOURS[None], COLOURS[:1, None]):
        np.testing.assert_array_equal(snap_to_palette(image, FACADES), image)


def test_seam_between_two_labels_never_becomes_a_third() -> None:
    image = np.zeros((16, 16, 3), np.uint8)
    image[:, :8], image[:, 8:] = FACADES["pillar"], FACADES["facade"]
    image[:, 8] = 100, 29, 155  # a mixture of the two, nearest to background
    assert nearest_class(image, FACADES)[0][0, 8] == 0
    snapped = {tuple(int(value) for value in colour) for colour in snap_to_palette(image, FACADES).reshape(-1, 3)}
    assert snapped == {FACADES["pillar"], FACADES["facade"]}


def test_thin_exact_lines_survive_among_damage() -> None:
    image = np.full((32, 32, 3), FACADES["facade"], np.uint8)
    image[:, 10] = FACADES["door"]
    image[:, 20:] = 60, 90, 200
    np.testing.assert_array_equal(snap_to_palette(image, FACADES)[:, :16], image[:, :16])


@pytest.mark.parametrize(("quality", "at_least"), [(95, 0.995), (75, 0.994), (50, 0.99)])
def test_jpeg_damage_is_undone(quality: int, at_least: float) -> None:
    truths = [label_map(seed) for seed in range(6)]
    damaged = [damage(truth, quality) for truth in truths]
    plain = np.mean([accuracy(COLOURS[nearest_class(d, FACADES)[0]], t) for d, t in zip(damaged, truths, strict=True)])
    ours = np.mean([accuracy(snap_to_palette(d, FACADES), t) for d, t in zip(damaged, truths, strict=True)])
    assert ours > at_least
    assert 1 - ours < (1 - plain) / 5, f"error {1 - ours:.4f}, plain nearest colour {1 - plain:.4f}"


@pytest.mark.skipif(not REAL.is_dir(), reason=f"no real facades in {REAL}; set PIX2PIX_TEST_DATA")
def test_real_labels() -> None:
    """Real shapes, two damages: what a damaged map snaps to survives being damaged again."""
    plain, ours = [], []
    for path in list_images(REAL)[:8]:
        truth = snap_to_palette(read_image(path)[:, 256:], FACADES)
        np.testing.assert_array_equal(snap_to_palette(truth, FACADES), truth)
        again = damage(truth, 75)
        plain.append(1 - accuracy(COLOURS[nearest_class(again, FACADES)[0]], truth))
        ours.append(1 - accuracy(snap_to_palette(again, FACADES), truth))
    assert np.mean(ours) < np.mean(plain) / 3, f"error {np.mean(ours):.4f}, plain nearest colour {np.mean(plain):.4f}"


def test_palette_of_close_colours() -> None:
    palette = {"a": (100, 100, 100), "b": (110, 100, 100), "c": (0, 0, 0)}
    image = np.array(list(palette.values()), np.uint8).repeat(40, axis=0).reshape(3, 40, 3)
    np.testing.assert_array_equal(snap_to_palette(image, palette), image)
    one = {"only": (1, 2, 3)}
    assert snap_to_palette(label_map(0, 8), one).reshape(-1, 3).tolist() == [[1, 2, 3]] * 64


def test_snap_is_fast() -> None:
    image = damage(label_map(0), 75)
    snap_to_palette(image, FACADES)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        snap_to_palette(image, FACADES)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.1  # about 0.006 s; the rest is for busy machines


@pytest.mark.parametrize("step", NORMALISE)
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_step_is_idempotent_and_pure(step: str, channels: int, dtype: type) -> None:
    generator = np.random.default_rng(5)
    for _ in range(4):
        height, width = generator.integers(1, 40, 2)
        image = generator.integers(0, np.iinfo(dtype).max + 1, (height, width, channels), dtype=dtype)
        before = image.copy()
        once = normalise(image, [step], FACADES)
        np.testing.assert_array_equal(image, before)
        assert once.shape[:2] == (height, width)
        np.testing.assert_array_equal(normalise(once, [step], FACADES), once)


def test_steps_run_in_order() -> None:
    palette = {"black": (0, 0, 0), "red": (255, 0, 0)}
    image = np.array([[[240, 0, 0]]], np.uint8)
    assert normalise(image, [], None) is image
    np.testing.assert_array_equal(
        normalise(image, ["palette", "gray"], palette), to_gray(np.array([[[255, 0, 0]]], np.uint8))
    )
    assert normalise(image, ["gray", "rgb"], palette).tolist() == [[[72, 72, 72]]]


def test_errors() -> None:
    image = np.zeros((2, 2, 3), np.uint8)
    with pytest.raises(ValueError, match=r"'pallete'.*'palette'"):
        normalise(image, ["pallete"], FACADES)
    with pytest.raises(ValueError, match="got no palette"):
        normalise(image, ["palette"], None)
    with pytest.raises(ValueError, match="got no palette"):
        normalise(image, ["palette"], {})
