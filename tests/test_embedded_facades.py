"""Embedded facades and the Perlin noise they are textured with."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pix2pix.data.embedded import DRAWERS, facades
from pix2pix.data.embedded.facades.canvas import Canvas
from pix2pix.data.embedded.facades.parts import CLASS_INDEX, Box
from pix2pix.data.embedded.facades.style import MANNERS, choose_manner, choose_style
from pix2pix.data.embedded.perlin import enlarge, fade, fractal_noise, gradient_noise, random_gradients


def test_fade_is_the_2002_curve() -> None:
    t = np.array([0.0, 0.25, 0.5, 1.0], np.float32)
    # 6/1024 - 15/256 + 10/64 = 0.103515625
    np.testing.assert_allclose(fade(t), [0.0, 0.103515625, 0.5, 1.0], atol=1e-7)


def test_noise_is_zero_at_lattice_points() -> None:
    gradients = random_gradients(np.random.default_rng(0), 5, 7)
    noise = gradient_noise(gradients, np.arange(12, dtype=np.float32), np.arange(-3, 9, dtype=np.float32))
    np.testing.assert_allclose(noise, 0.0, atol=1e-6)


def test_noise_by_hand() -> None:
    # All gradients point along +x: at (0.5, 0.5) the four corners cancel; at x = 0.25 the left corner gives
    # (1 - fade(0.25)) 0.25 and the right one fade(0.25) (0.25 - 1).
    gradients = np.stack([np.zeros((3, 3)), np.ones((3, 3))]).astype(np.float32)
    noise = gradient_noise(gradients, np.array([0.5, 0.9], np.float32), np.array([0.5, 0.25], np.float32))
    expected = (1 - 0.103515625) * 0.25 - 0.103515625 * 0.75
    np.testing.assert_allclose(noise, [[0.0, expected], [0.0, expected]], atol=1e-6)


def test_noise_has_the_gradients_of_the_lattice() -> None:
    gradients = random_gradients(np.random.default_rng(1), 4, 4)
    step = np.array([-1e-3, 1e-3], np.float32)
    noise = gradient_noise(gradients, 2 + step, 3 + step)
    slope_y = (noise[1].mean() - noise[0].mean()) / 2e-3
    slope_x = (noise[:, 1].mean() - noise[:, 0].mean()) / 2e-3
    np.testing.assert_allclose([slope_y, slope_x], gradients[:, 2, 3], atol=2e-3)


def test_noise_repeats_with_the_lattice_and_is_continuous() -> None:
    gradients = random_gradients(np.random.default_rng(2), 3, 5)
    y, x = np.linspace(0, 3, 90, dtype=np.float32), np.linspace(0, 5, 150, dtype=np.float32)
    noise = gradient_noise(gradients, y, x)
    np.testing.assert_allclose(gradient_noise(gradients, y + 3, x - 5), noise, atol=1e-4)
    assert np.abs(np.diff(noise, axis=0)).max() < 0.12
    assert np.abs(np.diff(noise, axis=1)).max() < 0.12


def test_noise_stays_within_its_range() -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        position = np.linspace(0, 8, 130, dtype=np.float32)
        assert np.abs(gradient_noise(random_gradients(rng, 8, 8), position, position)).max() <= np.sqrt(0.5)
        field = fractal_noise(rng, (96, 80), (3, 4), octaves=4, gain=0.7)
        assert field.shape == (96, 80)
        assert field.dtype == np.float32
        assert 0.2 < np.abs(field).max() <= 1.0
        assert abs(float(field.mean())) < 0.1


def test_fractal_noise_is_the_same_field_at_every_resolution() -> None:
    fine = fractal_noise(np.random.default_rng(4), (128, 128), (3, 3), octaves=2)
    coarse = fractal_noise(np.random.default_rng(4), (64, 64), (3, 3), octaves=2)
    np.testing.assert_allclose(fine.reshape(64, 2, 64, 2).mean((1, 3)), coarse, atol=0.01)


def test_enlarging_is_bilinear_between_pixel_centres() -> None:
    field = np.array([[0.0, 4.0], [8.0, 12.0]], np.float32)
    expected = np.array([0.0, 1.0, 3.0, 4.0]) + np.array([[0.0], [2.0], [6.0], [8.0]])
    np.testing.assert_allclose(enlarge(field, (4, 4)), expected)


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="counts threads in /proc, which this system lacks")
def test_drawing_starts_no_threads() -> None:
    program = (
        "import os; from pix2pix.data.embedded import facades; before = len(os.listdir('/proc/self/task'));"
        "[facades.draw(1, index) for index in range(4)]; assert len(os.listdir('/proc/self/task')) == before"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parents[1])


def test_facades_are_registered() -> None:
    labels, photo = DRAWERS["facades"](1, 2, 64)
    again, same = facades.draw(1, 2, 64)
    assert np.array_equal(labels, again)
    assert np.array_equal(photo, same)


def test_classes_are_those_of_the_cmp_report_in_its_order() -> None:
    assert " ".join(facades.CLASSES) == (
        "background facade window door cornice sill balcony blind deco molding pillar shop"
    )


@pytest.mark.parametrize("size", [64, 97, 256, 512])
def test_shapes_types_and_determinism(size: int) -> None:
    np.random.seed(size)  # noqa: NPY002 - a drawer that reads the global state would be caught here
    labels, photo = facades.draw(7, 3, size)
    np.random.seed(0)  # noqa: NPY002
    again, same = facades.draw(7, 3, size)
    assert labels.shape == (size, size)
    assert photo.shape == (size, size, 3)
    assert labels.dtype == photo.dtype == np.uint8
    assert labels.max() < len(facades.CLASSES)
    assert np.array_equal(labels, again)
    assert np.array_equal(photo, same)
    assert photo.std() > 10


def test_seed_and_index_both_count() -> None:
    first, second, third = (facades.draw(*which, 64)[1] for which in ((0, 1), (1, 0), (0, 0)))
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, third)
    assert not np.array_equal(second, third)


@pytest.mark.parametrize(("seed", "index", "size"), [(0, 0, 63), (0, 0, 513), (-1, 0, 64), (0, -1, 64)])
def test_what_cannot_be_drawn_is_refused(seed: int, index: int, size: int) -> None:
    with pytest.raises(ValueError, match="expected"):
        facades.draw(seed, index, size)


def _assert_distinct_with_all_classes(count: int, size: int) -> None:
    maps, photos, present = set(), set(), []
    for index in range(count):
        labels, photo = facades.draw(5, index, size)
        maps.add(hashlib.sha256(labels.tobytes()).digest())
        photos.add(hashlib.sha256(photo.tobytes()).digest())
        present.append(np.bincount(labels.ravel(), minlength=len(facades.CLASSES)) > 0)
    assert len(maps) == len(photos) == count
    for start in range(count - 25 + 1):
        assert np.any(present[start : start + 25], axis=0).all(), f"a class is missing in {start} to {start + 24}"


def test_300_are_distinct_and_any_25_show_all_classes() -> None:
    _assert_distinct_with_all_classes(300, 64)


@pytest.mark.slow
def test_1000_are_distinct_and_any_25_show_all_classes() -> None:
    _assert_distinct_with_all_classes(1000, 256)


def test_a_facade_is_the_same_at_every_size() -> None:
    small, large, differences = np.zeros(12), np.zeros(12), []
    for index in range(30):
        coarse, coarse_photo = facades.draw(9, index, 64)
        fine, fine_photo = facades.draw(9, index, 256)
        small += np.bincount(coarse.ravel(), minlength=12) / coarse.size / 30
        large += np.bincount(fine.ravel(), minlength=12) / fine.size / 30
        assert (coarse == fine[2::4, 2::4]).mean() > 0.85
        averaged = fine_photo.reshape(64, 4, 64, 4, 3).mean((1, 3))
        differences.append(np.abs(averaged - coarse_photo).mean())
    np.testing.assert_allclose(small, large, atol=0.005)
    assert np.mean(differences) < 15  # two different facades differ by about 60


def test_classes_have_the_tones_of_photographs() -> None:
    total, brightness = np.zeros(12), np.zeros(12)
    for index in range(60):
        labels, photo = facades.draw(2, index, 64)
        total += np.bincount(labels.ravel(), minlength=12)
        brightness += np.bincount(labels.ravel(), photo.mean(-1).ravel(), minlength=12)
    share, mean = total / total.sum(), brightness / total
    wall, window, door, shop = (CLASS_INDEX[name] for name in ("facade", "window", "door", "shop"))
    assert 0.28 < share[wall] < 0.45
    assert 0.08 < share[window] < 0.18
    assert 0.15 < share[0] < 0.33
    assert mean[door] < mean[shop] < mean[window] < mean[wall]


@pytest.mark.parametrize("kind", sorted(set(facades.PAINTERS) - {"dormer"}))
def test_parts_stay_within_their_label(kind: str) -> None:
    rng = np.random.default_rng(12)
    classes = {"french": "window", "garage": "door", "sign": "shop", "awning": "shop", "entablature": "molding"}
    classes |= {"shutter": "blind", "roller": "blind", "pediment": "cornice"}
    for trial in range(24):
        style = choose_style(rng, choose_manner(rng))
        object.__setattr__(style, "surround", False)  # a window's surround is wall by design
        canvas = Canvas(64 if trial % 2 else 256)
        canvas.colour[...] = 77
        canvas.labels[...] = 1
        width, height = rng.uniform(0.02, 0.3, 2)
        x0, y0 = rng.uniform(0.1, 0.6, 2)
        rect = canvas.snap(Box(x0, y0, x0 + width, y0 + height))
        if rect[2] <= rect[0] or rect[3] <= rect[1]:
            continue
        facades.PAINTERS[kind](canvas, rect, style, int(rng.integers(4)), rng.random(8).tolist())
        outside = np.ones(canvas.labels.shape, bool)
        outside[rect[1] : rect[3], rect[0] : rect[2]] = False
        assert (canvas.colour[outside] == 77).all(), (trial, rect)
        assert (canvas.labels[outside] == 1).all()
        label = CLASS_INDEX[classes.get(kind, kind)]
        painted = canvas.labels == label
        assert painted.any() or kind == "roller"  # a lone roller with an arch has no window to cover
        assert (canvas.colour[~painted] == 77).all(), (trial, rect)


def test_every_manner_has_a_chance() -> None:
    assert sum(chance for chance, _ in MANNERS) == pytest.approx(1.0)
    rng = np.random.default_rng(0)
    assert len({id(choose_manner(rng)) for _ in range(300)}) == len(MANNERS)
