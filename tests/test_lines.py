"""Line drawings: edges whatever the contrast, and a normalisation that holds still on anything and finds lines."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest

from pix2pix.data.conditions.lines import edges, lines, sketch, soft_edges
from pix2pix.images import read_image, resize, to_gray, to_rgb8

REAL = Path(os.environ.get("PIX2PIX_TEST_DATA", Path(__file__).parents[1] / "../shared/data"))
SHOES = REAL / "edges2shoes" / "val"
needs_shoes = pytest.mark.skipif(not SHOES.is_dir(), reason=f"no real shoes in {SHOES}; set PIX2PIX_TEST_DATA")

DERIVED = (edges, soft_edges, sketch)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def scene(height: int, width: int, seed: int = 0, dtype: type = np.uint8) -> np.ndarray:
    """Coloured discs and boxes on a slope of light, with a little noise."""
    random = rng(seed)
    canvas = np.full((height, width, 3), 120.0, np.float32)
    canvas += np.linspace(0, 60, width, dtype=np.float32)[None, :, None]
    for _ in range(8):
        colour = random.uniform(20, 240, 3).tolist()
        x, y, reach = (int(part) for part in random.uniform(0, 1, 3) * (width, height, min(height, width) / 3))
        if random.uniform() < 0.5:
            cv2.circle(canvas, (x, y), reach, colour, cv2.FILLED)
        else:
            cv2.rectangle(canvas, (x, y), (x + reach, y + reach), colour, cv2.FILLED)
    canvas += random.normal(0, 1, canvas.shape)
    scale = np.iinfo(dtype).max // 255
    return np.clip(canvas * scale, 0, np.iinfo(dtype).max).astype(dtype)


def drawing(width: int = 1, side: int = 256) -> np.ndarray:
    """(side, side) coverage of known strokes: a face-like drawing of a circle, an ellipse, a line and two dots."""
    large = np.zeros((side * 4, side * 4), np.uint8)
    pen = {"color": 255, "thickness": width * 4, "lineType": cv2.LINE_AA}
    unit = side * 4 / 256

    def at(x: float, y: float) -> tuple[int, int]:
        return round(x * unit), round(y * unit)

    cv2.circle(large, at(128, 128), round(100 * unit), **pen)
    cv2.ellipse(large, at(128, 170), at(50, 20), 0, 0, 180, **pen)
    cv2.line(large, at(128, 90), at(120, 140), **pen)
    cv2.line(large, at(70, 80), at(100, 76), **pen)
    cv2.line(large, at(150, 76), at(186, 80), **pen)
    shrunk: np.ndarray = cv2.resize(large, (side, side), interpolation=cv2.INTER_AREA) / 255
    return shrunk


def paper(darkness: np.ndarray) -> np.ndarray:
    tone: np.ndarray = np.rint(np.clip(1 - darkness, 0, 1) * 255).astype(np.uint8)
    return tone if tone.ndim == 3 else tone[:, :, None]


def farthest(one: np.ndarray, other: np.ndarray, share: float = 0.99) -> float:
    """Distance in pixels that this share of the ink of `one` keeps to the ink of `other`."""
    distance = cv2.distanceTransform((other[:, :, 0] > 0).astype(np.uint8), cv2.DIST_L2, 5)
    return float(np.quantile(distance[one[:, :, 0] == 0], share))


def same_lines(found: np.ndarray, expected: np.ndarray, share: float = 0.99) -> None:
    assert farthest(found, expected, share) <= 2.3, "lines where there are none"
    assert farthest(expected, found, share) <= 2.3, "lines that are lost"


def is_thin(image: np.ndarray) -> bool:
    ink = image[:, :, 0] == 0
    only_two = np.isin(image, (0, np.iinfo(image.dtype).max)).all()
    return bool(only_two) and not (ink[:-1, :-1] & ink[1:, :-1] & ink[:-1, 1:] & ink[1:, 1:]).any()


# --- what all derived inputs hold ---


@pytest.mark.parametrize("step", DERIVED)
@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 40, 1), (33, 1, 4), (2, 3, 3), (70, 45, 4), (64, 64, 1)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_derived_inputs_keep_size_and_type(
    step: Callable[..., np.ndarray], shape: tuple[int, int, int], dtype: type
) -> None:
    image = rng(1).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)
    before = image.copy()
    derived = step(image, rng())
    assert derived.shape == (*shape[:2], 1)
    assert derived.dtype == dtype
    assert np.array_equal(image, before)
    assert np.array_equal(derived, step(image, rng()))


@pytest.mark.parametrize("step", DERIVED)
@pytest.mark.parametrize("level", [0, 90, 255])
def test_a_flat_picture_holds_no_line(step: Callable[..., np.ndarray], level: int) -> None:
    flat = np.full((64, 80, 3), level, np.uint8)
    drawn = step(flat, rng(), shade=0.0) if step is sketch else step(flat, rng())
    assert (drawn == 255).all()


@pytest.mark.parametrize("step", DERIVED)
def test_eight_and_sixteen_bits_give_the_same_lines(step: Callable[..., np.ndarray]) -> None:
    image = to_gray(scene(96, 128))
    deep = step(image.astype(np.uint16) * 257, rng())
    assert np.abs(deep.astype(float) / 257 - step(image, rng())).mean() < 0.6


# --- edges ---


def test_edges_lie_on_the_steps_of_a_square() -> None:
    image = np.full((64, 64, 1), 200, np.uint8)
    image[16:48, 16:48] = 60
    expected = np.full_like(image, 255)
    cv2.rectangle(expected, (16, 16), (47, 47), 0)
    same_lines(edges(image, rng(), detail=0.0), expected)


@pytest.mark.parametrize("noise", [1, 3])
def test_edges_draw_no_noise(noise: float) -> None:
    image = np.clip(rng().normal(128, noise, (256, 256, 3)), 0, 255).astype(np.uint8)
    slope = (image * 0.0 + np.linspace(40, 200, 256)[None, :, None]).astype(np.uint8)
    assert (edges(image, rng(), detail=1.0) == 255).all()
    assert (edges(slope, rng(), detail=1.0) == 255).all()


@pytest.mark.parametrize("contrast", [0.4, 0.7])
def test_edges_do_not_see_the_contrast(contrast: float) -> None:
    image = scene(200, 256, dtype=np.uint16)
    pale = (image * contrast + 9000).astype(np.uint16)
    strong, weak = (edges(picture, rng(), detail=0.3) == 0 for picture in (image, pale))
    assert (strong & weak).sum() > 0.98 * (strong | weak).sum()


def test_edges_are_thin_and_more_with_more_detail() -> None:
    image = scene(256, 256, 3)
    image[64:128] = rng().integers(0, 255, (64, 256, 3))
    drawn = [edges(image, rng(), detail=detail) for detail in (0.0, 0.3, 0.6, 1.0)]
    amounts = [int((picture == 0).sum()) for picture in drawn]
    assert amounts == sorted(amounts)
    assert amounts[0] < amounts[-1]
    assert all(is_thin(picture) for picture in drawn)
    drawn_by_lot = {int((edges(image, rng(seed), detail=(0.0, 1.0)) == 0).sum()) for seed in range(5)}
    assert len(drawn_by_lot) > 2


@needs_shoes
def test_edges_of_shoes_are_as_many_as_the_published_ones() -> None:
    shares = []
    for path in sorted(SHOES.glob("*.jpg"))[:10]:
        photo = to_rgb8(read_image(path))[:, 256:]
        shares.append(float((edges(photo, rng()) == 0).mean()))
    assert min(shares) > 0.01
    assert max(shares) < 0.10
    assert 0.02 < np.mean(shares) < 0.06


# --- soft edges and sketch ---


def test_soft_edges_do_not_see_the_contrast_and_are_darkest_on_the_step() -> None:
    image = scene(128, 128, 4, np.uint16)
    pale = (image * 0.5 + 9000).astype(np.uint16)
    assert np.abs(soft_edges(image, rng()).astype(float) - soft_edges(pale, rng())).max() < 700
    step = np.full((64, 64, 1), 50, np.uint8)
    step[:, 32:] = 180
    row = soft_edges(step, rng())[30, :, 0]
    assert set(np.argsort(row)[:2]) == {31, 32}
    assert row[0] > 250


def test_a_sketch_has_dark_lines_on_white_and_shade_darkens_it() -> None:
    step = np.full((64, 64, 3), 90, np.uint8)
    step[:, 32:] = 200
    plain = sketch(step, rng(), shade=0.0)
    assert plain[30, 31, 0] < 100
    assert plain[30, 5, 0] == 255
    assert sketch(step, rng(), shade=1.0).mean() < plain.mean()


# --- lines: what it must hold on anything ---


def anything() -> list[np.ndarray]:
    random = rng(2)
    pictures = [np.full((40, 50, 3), level, np.uint8) for level in (0, 1, 128, 254, 255)]
    pictures += [np.full((1, 1, channels), level, np.uint8) for level in (0, 77, 255) for channels in (1, 3, 4)]
    for _ in range(60):
        height, width = random.integers(1, 80, 2)
        channels = int(random.choice([1, 3, 4]))
        dtype = np.uint8 if random.uniform() < 0.7 else np.uint16
        top = int(np.iinfo(dtype).max)
        noise = random.integers(0, top, (height, width, channels), dtype, endpoint=True)
        pictures += [noise, np.where(noise > random.uniform(0, top), top, 0).astype(dtype)]
    single = np.full((30, 30, 1), 255, np.uint8)
    single[11, 12] = 0
    slope = np.linspace(0, 255, 90).astype(np.uint8)
    pictures += [
        single,
        255 - single,
        np.tile(slope, (50, 1))[:, :, None],
        np.tile(slope[:, None], (1, 50))[:, :, None],
    ]
    pictures += [scene(90, 120, 5), scene(64, 64, 6, np.uint16), np.indices((20, 20)).sum(0)[:, :, None] % 2 * 255]
    return [
        np.ascontiguousarray(picture, picture.dtype if picture.dtype != np.int64 else np.uint8) for picture in pictures
    ]


def test_lines_holds_still_on_anything() -> None:
    for image in anything():
        before = image.copy()
        once = lines(image)
        assert once.shape == (*image.shape[:2], 1)
        assert once.dtype == image.dtype
        assert is_thin(once), image.shape
        assert np.array_equal(lines(once), once)
        assert np.array_equal(lines(np.repeat(once, 3, axis=2)), once)
        assert np.array_equal(image, before)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_lines_leaves_edges_as_they_are(dtype: type) -> None:
    for seed in range(5):
        drawn = edges(scene(128, 90 + seed, seed, dtype), rng())
        result = lines(drawn)
        assert np.array_equal(result, drawn)
        assert not np.shares_memory(result, drawn)


@pytest.mark.parametrize("level", [0, 30, 128, 255])
def test_blank_paper_of_any_shade_stays_blank(level: int) -> None:
    blank = np.full((128, 128, 3), level, np.uint8)
    assert (lines(blank) == 255).all()
    noisy = np.clip(rng().normal(level, 6, blank.shape), 0, 255).astype(np.uint8)
    assert (lines(noisy) == 0).mean() < 0.002


# --- lines: known strokes are found again ---

ROWS, COLUMNS = np.mgrid[:256, :256] / 255
LIGHT = 0.35 + 0.6 * COLUMNS * (0.5 + 0.5 * ROWS)
SHADOW = cv2.GaussianBlur(np.where(COLUMNS + ROWS > 1, 0.5, 0.9), (0, 0), 3)
PENS = np.array([[0.9, 0.2, 0.1], [0.1, 0.3, 0.9], [0.95, 0.85, 0.1], [0.1, 0.6, 0.2]])


def jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    _, code = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = np.asarray(cv2.imdecode(code, cv2.IMREAD_UNCHANGED))
    return decoded if decoded.ndim == 3 else decoded[:, :, None]


def noise(sigma: float) -> np.ndarray:
    return rng(7).normal(0, sigma, (256, 256))


DRAWN: dict[str, Callable[[], np.ndarray]] = {
    **{f"{width} pixels": partial(lambda width: paper(drawing(width)), width) for width in (1, 2, 3, 5, 8)},
    "jpeg": lambda: jpeg(paper(drawing(1)), 30),
    "white on black": lambda: paper(1 - drawing(2)),
    "white on blue": lambda: paper(1 - (np.array([0.1, 0.2, 0.7]) + drawing(3)[..., None] * [0.9, 0.8, 0.3])),
    "faint pencil": lambda: paper(0.1 + 0.2 * drawing(2) + noise(0.02)),
    "uneven light": lambda: paper(1 - LIGHT * (1 - 0.7 * drawing(3))),
    "shadow": lambda: paper(1 - SHADOW * (1 - 0.7 * drawing(3))),
    "colour pens": lambda: paper(drawing(3)[..., None] * (1 - PENS[(COLUMNS * 3.99).astype(int)])),
    "blurred": lambda: paper(0.8 * cv2.GaussianBlur(drawing(2), (0, 0), 1.2)),
    "specks": lambda: paper(np.maximum(drawing(3), cv2.dilate((noise(1) > 3.5) * 0.8, np.ones((1, 2))))),
    "shrunk": lambda: resize(paper(0.8 * drawing(1, 1024)), 256, 256, nearest=False),
}


@pytest.mark.parametrize("name", DRAWN)
def test_lines_finds_known_strokes(name: str) -> None:
    expected = lines(paper(drawing(3)))
    assert 0.01 < (expected == 0).mean() < 0.03
    result = lines(DRAWN[name]())
    assert is_thin(result)
    same_lines(result, expected, share=0.97)


def test_a_filled_area_becomes_its_outline() -> None:
    filled, outline = np.full((256, 256, 1), 255, np.uint8), np.full((256, 256, 1), 255, np.uint8)
    cv2.circle(filled, (120, 130), 60, 20, cv2.FILLED)
    cv2.circle(outline, (120, 130), 60, 0)
    same_lines(lines(filled), outline)


@needs_shoes
def test_lines_keeps_the_published_edges_of_shoes() -> None:
    for path in sorted(SHOES.glob("*.jpg"))[:5]:
        published = np.where(to_gray(to_rgb8(read_image(path))[:, :256]) < 128, 0, 255).astype(np.uint8)
        same_lines(lines(to_rgb8(read_image(path))[:, :256]), published)
        same_lines(lines(255 - published), published)
