"""Drawings made of photos: what is drawn, what is left out, the hand and the pen, at every size and type of image."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from pix2pix.data.drawn_lines import (
    PEN,
    STEP,
    TONE,
    WOBBLE,
    Points,
    contour_strokes,
    drawn_lines,
    leave_out,
    pen_stroke,
    polyline_length,
)
from pix2pix.images import read_image, resize, to_gray

DATA = Path(os.environ.get("PIX2PIX_TEST_DATA", Path(__file__).parents[1] / "../shared/data"))
FOLDERS = {"shoes": DATA / "edges2shoes" / "val", "faces": DATA / "faces128" / "val"}


def scene(side: int = 256) -> np.ndarray:
    """A house, a sun and two trees in flat colours, painted at 1024 and averaged down; (side, side, 3) uint8."""
    paper = np.full((1024, 1024, 3), (150, 200, 240), np.uint8)
    paper[700:] = (60, 130, 50)
    cv2.rectangle(paper, (300, 450), (700, 850), (200, 170, 140), -1)
    cv2.fillPoly(paper, [np.array([[260, 450], [500, 220], [740, 450]])], (160, 50, 40))
    cv2.rectangle(paper, (460, 640), (560, 850), (70, 40, 30), -1)
    cv2.circle(paper, (850, 160), 90, (250, 220, 60), -1)
    cv2.circle(paper, (130, 520), 100, (20, 80, 30), -1)
    cv2.circle(paper, (870, 600), 80, (20, 80, 30), -1)
    return resize(paper, side, side, nearest=False)


def photos(kind: str) -> list[np.ndarray]:
    paths = sorted(FOLDERS[kind].glob("*.jpg"))[:4]
    if not paths:
        pytest.skip(f"no photos in {FOLDERS[kind]}; set PIX2PIX_TEST_DATA")
    return [read_image(path)[:, 256:] if kind == "shoes" else read_image(path) for path in paths]


def total(strokes: list[Points]) -> float:
    return sum(polyline_length(stroke) for stroke in strokes)


def ink_share(drawing: np.ndarray) -> float:
    return float(1 - drawing.mean() / np.iinfo(drawing.dtype).max)


def likeness(first: np.ndarray, second: np.ndarray) -> float:
    """Correlation of two drawings, looked at from some distance."""
    blurred = [cv2.GaussianBlur(resize(image, 128, 128, False).astype(float), (0, 0), 2) for image in (first, second)]
    return float(np.corrcoef(blurred[0].ravel(), blurred[1].ravel())[0, 1])


# The whole


def test_a_state_of_the_generator_makes_one_drawing_and_another_state_another() -> None:
    photo = scene()
    before = photo.copy()
    drawings = [drawn_lines(photo, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert np.array_equal(drawings[0], drawings[1])
    assert not np.array_equal(drawings[0], drawings[2])
    assert np.array_equal(photo, before)


def test_neither_opencv_nor_numpy_lends_it_random_numbers() -> None:
    drawings = []
    for seed in (1, 2):
        cv2.setRNGSeed(seed)
        drawings.append(drawn_lines(scene(), np.random.default_rng(0)))
    assert np.array_equal(drawings[0], drawings[1])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize(("height", "width"), [(64, 64), (97, 130), (300, 64)])
def test_size_and_type_are_kept(height: int, width: int, channels: int, dtype: type) -> None:
    photo = resize(scene(), height, width, nearest=False)
    if channels == 1:
        photo = to_gray(photo)
    if channels == 4:
        photo = np.concatenate([photo, np.full((height, width, 1), 255, np.uint8)], axis=2)
    deep: np.ndarray = photo.astype(dtype) * (257 if dtype == np.uint16 else 1)
    drawing = drawn_lines(deep, np.random.default_rng(0))
    assert drawing.shape == (height, width, 1)
    assert drawing.dtype == dtype
    assert 0.01 < ink_share(drawing) < 0.4
    # 8 bits or 16, the drawing is the same one.
    assert ink_share(drawing) == pytest.approx(ink_share(drawn_lines(photo, np.random.default_rng(0))), abs=1e-9)


def test_transparent_pixels_are_paper_whatever_colour_they_hide() -> None:
    photo = np.concatenate([scene(), np.zeros((256, 256, 1), np.uint8)], axis=2)
    assert (drawn_lines(photo, np.random.default_rng(0)) == 255).all()


@pytest.mark.parametrize("side", [128, 512, 1024])
def test_sizes_of_one_photo_are_drawn_alike(side: int) -> None:
    for seed in range(3):
        small, large = (drawn_lines(scene(size), np.random.default_rng(seed)) for size in (256, side))
        other = drawn_lines(scene(), np.random.default_rng(seed + 10))
        assert likeness(small, large) > 0.6
        assert likeness(small, large) > likeness(small, other) + 0.1


@pytest.mark.parametrize("tone", [0, 40, 128, 255])
def test_a_flat_photo_leaves_the_paper_blank(tone: int) -> None:
    flat = np.full((80, 120, 3), tone, np.uint8)
    assert (drawn_lines(flat, np.random.default_rng(0)) == 255).all()


def test_the_noise_of_a_camera_and_a_slow_gradient_are_not_drawn() -> None:
    rng = np.random.default_rng(0)
    gradient = np.linspace(60, 220, 256)[None, :, None] + rng.normal(0, 3, (256, 256, 3))
    assert ink_share(drawn_lines(gradient.astype(np.uint8), rng)) < 0.002


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 64, 1), (3, 2, 4), (64, 1, 3), (20, 1024, 3)])
def test_the_smallest_and_the_longest_photos_pass(shape: tuple[int, int, int]) -> None:
    rng = np.random.default_rng(0)
    assert drawn_lines(rng.integers(0, 256, shape, dtype=np.uint8), rng).shape == (*shape[:2], 1)


def test_what_is_no_image_is_refused() -> None:
    with pytest.raises(ValueError, match="expected"):
        drawn_lines(np.zeros((8, 8, 3)), np.random.default_rng(0))


@pytest.mark.parametrize("seed", range(6))
def test_the_pen_is_dark_on_white(seed: int) -> None:
    drawing = drawn_lines(scene(), np.random.default_rng(seed))
    assert TONE[0] <= drawing.min() <= TONE[1]
    assert np.median(drawing) == 255


@pytest.mark.parametrize("kind", FOLDERS)
def test_photos_get_neither_too_little_ink_nor_too_much(kind: str) -> None:
    for seed, photo in enumerate(photos(kind)):
        assert 0.01 < ink_share(drawn_lines(photo, np.random.default_rng(seed))) < 0.25


# What there is to draw


def test_contours_are_where_the_colours_change() -> None:
    photo = np.full((256, 256, 3), 230, np.uint8)
    photo[64:192, 64:192] = (40, 60, 120)
    points = np.concatenate(contour_strokes(photo, 0)) * 256
    from_square = np.abs(np.abs(points - 128).max(1) - 64)
    # Corners are cut by the smoothing, the rest is within a pixel or two on the darker side.
    assert np.median(from_square) < 2
    assert from_square.max() < 6
    assert total(contour_strokes(photo, 0)) > 0.75 * 2


def test_a_thin_dark_line_is_one_line() -> None:
    photo = np.full((256, 256, 3), 230, np.uint8)
    cv2.line(photo, (40, 60), (210, 190), (30, 30, 30), 3)
    strokes = contour_strokes(photo, 0)
    assert total(strokes) == pytest.approx(np.hypot(170, 130) / 256, rel=0.15)
    x, y = (np.concatenate(strokes) * 256).T
    beside = np.abs((y - 60) * 170 - (x - 40) * 130) / np.hypot(170, 130)
    # The square end of a line may be a short stroke of its own.
    assert np.quantile(beside, 0.9) < 1.5
    assert beside.max() < 6


def test_grey_and_its_three_channels_have_the_same_contours() -> None:
    grey = to_gray(scene())
    assert np.array_equal(
        drawn_lines(grey, np.random.default_rng(0)), drawn_lines(np.repeat(grey, 3, 2), np.random.default_rng(0))
    )


@pytest.mark.parametrize("seed", range(5))
def test_contours_are_open(seed: int) -> None:
    photo = scene()
    cv2.circle(photo, (60, 60), 12, (0, 0, 0), -1)  # small enough for a single stroke
    for stroke in contour_strokes(photo, seed):
        assert np.linalg.norm(stroke[0] - stroke[-1]) > 2 * STEP
        assert np.linalg.norm(np.diff(stroke, axis=0), axis=1).max() <= STEP * 1.001


# What is left out


@pytest.mark.parametrize("seed", range(8))
def test_three_tenths_of_the_length_are_left_out_in_whole_strokes(seed: int) -> None:
    strokes = contour_strokes(scene(), seed)
    kept = leave_out(strokes, seed)
    error = total(strokes) - total(kept) - 0.3 * total(strokes)
    assert abs(error) < 0.02 * total(strokes)
    assert all(abs(error + polyline_length(stroke)) >= abs(error) for stroke in kept)  # one more comes no nearer
    assert {id(stroke) for stroke in kept} < {id(stroke) for stroke in strokes}


@pytest.mark.parametrize("kind", FOLDERS)
def test_of_real_photos_nearly_exactly_three_tenths_are_missing(kind: str) -> None:
    for seed, photo in enumerate(photos(kind)):
        strokes = contour_strokes(photo, seed)
        assert 1 - total(leave_out(strokes, seed)) / total(strokes) == pytest.approx(0.3, abs=0.01)


def test_what_is_left_out_changes_with_the_seed() -> None:
    strokes = contour_strokes(scene(), 0)
    kept = [{id(stroke) for stroke in leave_out(strokes, seed)} for seed in range(4)]
    assert len({frozenset(some) for some in kept}) == 4
    assert leave_out([], 0) == []


# The hand


def straight(length: float) -> Points:
    x = np.arange(0.2, 0.2 + length, STEP)
    return np.column_stack([x, np.full(len(x), 0.5)])


def displacement(contour: Points, drawn: Points) -> float:
    """The largest, at the offset that leaves the overshoot of the start out."""
    excess = len(drawn) - len(contour)
    gaps = [drawn[start : start + len(contour), :2] - contour for start in range(excess + 1)]
    return min(float(np.linalg.norm(gap, axis=1).max()) for gap in gaps)


@pytest.mark.parametrize("length", [0.05, 0.2, 0.5])
def test_strokes_are_displaced_by_one_to_two_hundredths_of_the_side(length: float) -> None:
    contour = straight(length)
    drawn = [pen_stroke(contour, 3 / 256, seed) for seed in range(200)]
    exact = [displacement(contour, stroke) for stroke in drawn if len(stroke) == len(contour)]
    assert len(exact) > 80
    assert WOBBLE[0] - 1e-9 <= min(exact) < 0.0115
    assert 0.0185 < max(exact) <= WOBBLE[1] + 1e-9


def test_some_ends_are_drawn_on() -> None:
    contour = straight(0.3)
    drawn = [pen_stroke(contour, 3 / 256, seed) for seed in range(300)]
    longer = [len(stroke) - len(contour) for stroke in drawn if len(stroke) > len(contour)]
    assert 0.25 < len(longer) / 300 < 0.47  # 1 - 0.8^2 = 0.36 of the strokes
    assert max(longer) * STEP < 2 * 0.05 + 2 * STEP


def test_the_hand_is_slow() -> None:
    """A wobble of low frequency bends a straight stroke but never kinks it."""
    for seed in range(100):
        steps = np.diff(pen_stroke(straight(0.4), 3 / 256, seed)[:, :2], axis=0)
        angles = np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))
        assert np.abs(np.diff(angles)).max() < np.deg2rad(20)


# The pen


@pytest.mark.parametrize("pen", [1, 1.3, 3, 4.5, 6])
def test_widths_stay_within_the_pens_and_taper(pen: float) -> None:
    for seed in range(50):
        widths = pen_stroke(straight(0.4), pen / 256, seed)[:, 2]
        assert PEN[0] <= widths.min()
        assert widths.max() <= PEN[1]
        if pen >= 3:
            assert max(widths[0], widths[-1]) < 0.7 * widths.max()


@pytest.mark.parametrize("side", [64, 256, 1024])
def test_on_paper_lines_are_as_wide_as_the_side_asks(side: int) -> None:
    """The thickness of a level line, column by column, in pixels at 256: the slope of the hand adds little to it."""
    photo = np.full((side, side, 3), 235, np.uint8)
    photo[side // 2 :] = (40, 60, 120)
    thick = []
    for seed in range(12):
        drawing = drawn_lines(photo, np.random.default_rng(seed))[:, :, 0].astype(float)
        columns = (255 - drawing).sum(0) / (255 - drawing.min()) * 256 / side
        thick.append(float(np.median(columns[columns > 0])))
    assert 0.9 < min(thick) < 2.5
    assert 3 < max(thick) < 6.5
