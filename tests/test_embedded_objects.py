"""Embedded objects: their outlines, the canvas they are painted on, and the four drawers."""

import hashlib
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from pix2pix.data.embedded import objects
from pix2pix.data.embedded.objects.canvas import Canvas, Mask, choose_light
from pix2pix.data.embedded.objects.outlines import along, dashes, ellipse, mirrored, placement, ribbon, spline

Draw = Callable[[int, int, int], NDArray[np.uint8]]
DRAWERS: dict[str, Draw] = {
    "shoes": objects.draw_shoes,
    "handbags": objects.draw_handbags,
    "faces": objects.draw_faces,
    "objects": objects.draw_objects,
}
every_drawer = pytest.mark.parametrize("draw", DRAWERS.values(), ids=DRAWERS.keys())
UPRIGHT = (0.0, 0.0, 1.0)


def white_canvas(size: int = 256, light: tuple[float, float, float] = UPRIGHT) -> Canvas:
    return Canvas(size, (255.0, 255.0, 255.0), light, np.random.default_rng(0))


# --- outlines ---


def test_a_spline_passes_through_its_points_with_catmull_roms_tangents() -> None:
    points = np.random.default_rng(0).uniform(-1.0, 1.0, (7, 2))
    curve = spline(points, steps=1000)
    np.testing.assert_allclose(curve[::1000], points, atol=1e-12)
    slope = (curve[3001] - curve[2999]) * 500
    np.testing.assert_allclose(slope, (points[4] - points[2]) / 2, atol=0.02)


def test_a_spline_by_hand() -> None:
    # Halfway between p1 and p2 the cubic is (9 (p1 + p2) - (p0 + p3)) / 16.
    curve = spline([(0.0, 0.0), (1.0, 2.0), (3.0, 2.0), (4.0, 0.0)], steps=2)
    np.testing.assert_allclose(curve[3], [2.0, 2.25])
    closed = spline([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)], closed=True, steps=2)
    np.testing.assert_allclose(closed[1], [0.5, -0.125])


def test_a_doubled_point_is_a_corner_without_a_loop() -> None:
    curve = spline([(0.0, 0.0), (1.0, 0.0), (1.0, 0.0), (1.0, 1.0)], steps=8)
    np.testing.assert_allclose(curve[8:17], np.ones((9, 1)) * [1.0, 0.0], atol=1e-12)


def test_a_ribbon_has_the_width_at_each_point() -> None:
    outline = ribbon([(0.0, 0.0), (1.0, 0.0), (2.0, 0.0)], [0.2, 0.4, 0.0])
    np.testing.assert_allclose(
        outline, np.array([[0, 0.1], [1, 0.2], [2, 0], [2, 0], [1, -0.2], [0, -0.1]]), atol=1e-12
    )
    lines = np.random.default_rng(1).uniform(size=(5, 6, 2))
    np.testing.assert_allclose(ribbon(lines, 0.1), np.stack([ribbon(line, 0.1) for line in lines]))


def test_stitches_follow_the_curve() -> None:
    pieces = dashes([(0.0, 0.0), (0.0, 1.0), (1.0, 1.0)], 0.5, share=0.5)
    np.testing.assert_allclose(np.stack(pieces)[:, 0], np.array([[0, 0], [0, 0.5], [0, 1], [0.5, 1]]), atol=1e-12)
    np.testing.assert_allclose(pieces[1][-1], [0.0, 0.75])
    assert along([(0.0, 0.0), (0.0, 1.0), (1.0, 1.0)], 0.75) == pytest.approx((0.5, 1.0))


def test_mirrored_outlines_are_symmetric() -> None:
    outline = mirrored([(0.5, 0.0), (0.8, 0.5), (0.5, 1.0)])
    assert {tuple(point) for point in outline.round(9)} == {tuple(p) for p in (outline * (-1, 1) + (1, 0)).round(9)}


def test_placement_fits_the_box_upright_and_keeps_proportions() -> None:
    rng = np.random.default_rng(2)
    for _ in range(20):
        points = rng.uniform(-3.0, 3.0, (9, 2))
        flip = bool(rng.integers(2))
        pose = placement([points[:4], points[4:]], (0.1, 0.2, 0.9, 0.7), flip=flip)
        placed = points @ pose[:, :2].T + pose[:, 2]
        assert placed.min(axis=0) == pytest.approx([0.1, 0.2], abs=0.5)
        assert (placed >= np.array([0.1, 0.2]) - 1e-9).all()
        assert (placed <= np.array([0.9, 0.7]) + 1e-9).all()
        np.testing.assert_allclose((placed.max(axis=0) + placed.min(axis=0)) / 2, [0.5, 0.45])
        assert placed[:, 1].argmin() == points[:, 1].argmax()
        assert abs(pose[0, 0]) == pytest.approx(abs(pose[1, 1]))


# --- canvas ---


def test_a_mask_covers_the_area_of_its_outline() -> None:
    canvas = white_canvas()
    disc = canvas.mask(ellipse((0.5, 0.5), (0.3, 0.2), steps=200))
    # Smooth filling adds less than a pixel all around.
    area = np.pi * 0.3 * 0.2
    around = np.pi * (0.3 + 0.2)
    assert 0.0 <= disc.cover.sum() / 256**2 - area < around / 256
    ring = canvas.mask([ellipse((0.5, 0.5), (0.3, 0.3), steps=99), ellipse((0.5, 0.5), (0.2, 0.2), steps=99)])
    rows, columns = ring.cover.shape
    assert ring.cover[rows // 2, columns // 2] == 0.0
    assert ring.cover.sum() / 256**2 == pytest.approx(np.pi * 0.05, abs=0.012)


@pytest.mark.parametrize("shift", [(-3.0, 0.0), (0.4, 0.4), (0.0, 5.0), (-0.3, -0.3)])
def test_masks_outside_and_across_the_border(shift: tuple[float, float]) -> None:
    canvas = white_canvas()
    mask = canvas.mask(ellipse((0.5 + shift[0], 0.5 + shift[1]), (0.25, 0.25)))
    rows, columns = mask.area
    assert 0 <= rows.start < rows.stop <= 256
    assert 0 <= columns.start < columns.stop <= 256
    canvas.fill(mask, (0.0, 0.0, 0.0))
    canvas.round_off(mask, 0.05, gloss=0.5)
    canvas.shadow(mask, 0.05, 0.03, 0.5)
    assert np.isfinite(canvas.colour).all()
    assert (canvas.finish() < 128).any() == (abs(shift[0]) < 1 and abs(shift[1]) < 1)


def test_the_intersection_of_masks() -> None:
    first = Mask(2, 3, np.full((4, 5), 0.5, np.float32))
    second = Mask(5, 1, np.full((4, 9), 0.5, np.float32))
    both = first.within(second)
    assert (both.x, both.y, both.cover.shape) == (5, 3, (2, 2))
    assert (both.cover == 0.25).all()
    assert first.within(Mask(100, 100, np.ones((2, 2), np.float32))).cover.sum() == 0.0


def test_rounding_lights_the_side_that_faces_the_light_and_leaves_the_middle() -> None:
    canvas = white_canvas(light=(-0.6, 0.0, 0.8))
    canvas.colour[...] = 100.0
    mask = canvas.mask(ellipse((0.5, 0.5), (0.4, 0.4), steps=64))
    canvas.round_off(mask, 0.1, ambient=0.5)
    row = canvas.colour[128, :, 0]
    assert row[128] == pytest.approx(100.0, abs=1.0)
    assert row[30] > 105.0
    assert row[225] < 85.0
    assert row[5] == 100.0


def test_lighting_of_a_plane_by_hand() -> None:
    light = (-0.6, 0.0, 0.8)
    canvas = white_canvas(light=light)
    plane = np.tile(np.arange(9, dtype=np.float32), (9, 1))  # rises to the right by 45 degrees
    diffuse, highlight = canvas.lighting(plane, 2.0)
    normal = np.array([-1.0, 0.0, 1.0]) / np.sqrt(2.0)
    half = np.array([-0.6, 0.0, 1.8]) / np.linalg.norm([-0.6, 0.0, 1.8])
    assert diffuse[4, 4] == pytest.approx(normal @ light / 0.8, abs=1e-5)
    assert highlight[4, 4] == pytest.approx((normal @ half) ** 2, abs=1e-5)


def test_shadows_fall_away_from_the_light() -> None:
    canvas = white_canvas(light=(-0.6, -0.6, 0.53))
    canvas.shadow(canvas.mask(ellipse((0.5, 0.5), (0.1, 0.1))), 0.1, 0.01, 0.5)
    y, x = np.nonzero(canvas.colour[..., 0] < 200.0)
    assert x.mean() == pytest.approx(127.5 + 0.06 * 256, abs=1.0)
    assert y.mean() == pytest.approx(127.5 + 0.06 * 256, abs=1.0)
    assert canvas.colour.min() == pytest.approx(127.5, abs=1.0)


def test_a_line_thinner_than_a_pixel_grows_faint() -> None:
    taken = []
    for width in (0.001, 0.002, 0.02, 0.04):
        canvas = white_canvas()
        canvas.stroke([(0.2, 0.503), (0.8, 0.503)], (0.0, 0.0, 0.0), width)
        taken.append(float((255.0 - canvas.colour[:, 128, 0]).sum()) / 255.0 / 256.0)
    assert taken[0] < taken[1] < taken[2] < taken[3]
    np.testing.assert_allclose(taken[2:], [0.02, 0.04], atol=0.0015)
    assert taken[0] < 0.002


@pytest.mark.parametrize("name", ["leather", "suede", "plain", "wood", "fur", "canvas", "mesh"])
def test_textures_have_mean_0_and_spread_1(name: str) -> None:
    texture = white_canvas().texture(name)
    assert texture.shape == (256, 256)
    assert abs(float(texture.mean())) < 0.1
    assert 0.8 < float(texture.std()) < 1.05
    assert np.abs(texture).max() <= 2.5


def test_light_comes_from_above_and_in_front() -> None:
    rng = np.random.default_rng(3)
    lights = np.array([choose_light(rng) for _ in range(200)])
    np.testing.assert_allclose(np.linalg.norm(lights, axis=1), 1.0)
    assert (lights[:, 1] < 0).all()
    assert (lights[:, 2] > 0.4).all()


# --- drawers ---


@every_drawer
@pytest.mark.parametrize("size", [64, 97, 256, 300, 512])
def test_shapes_types_and_determinism(draw: Draw, size: int) -> None:
    np.random.seed(size)  # noqa: NPY002 - a drawer that reads the global state would be caught here
    picture = draw(7, 3, size)
    np.random.seed(0)  # noqa: NPY002
    assert picture.shape == (size, size, 3)
    assert picture.dtype == np.uint8
    assert picture.std() > 10
    assert np.array_equal(picture, draw(7, 3, size))


@every_drawer
@pytest.mark.parametrize(("seed", "index", "size"), [(0, 0, 63), (0, 0, 513), (-1, 0, 64), (0, -1, 64)])
def test_what_cannot_be_drawn_is_refused(draw: Draw, seed: int, index: int, size: int) -> None:
    with pytest.raises(ValueError, match="expected"):
        draw(seed, index, size)


@every_drawer
def test_60_are_distinct_and_seed_and_index_both_count(draw: Draw) -> None:
    which = [(5, index) for index in range(50)] + [(seed, 0) for seed in range(6, 16)]
    pictures = [draw(seed, index, 64) for seed, index in which]
    assert len({hashlib.sha256(picture.tobytes()).digest() for picture in pictures}) == 60
    stack = np.stack(pictures).astype(np.float64)
    differences = [np.abs(stack[i] - stack[i + 1]).mean() for i in range(59)]
    assert np.mean(differences) > 20
    assert stack.mean((0, 3)).std() > 5  # and yet they are alike: the thing is in the middle


@every_drawer
def test_the_same_scene_at_every_size(draw: Draw) -> None:
    for index in range(12):
        fine = draw(9, index, 256).reshape(64, 4, 64, 4, 3).mean((1, 3))
        np.testing.assert_allclose(draw(9, index, 64), fine, atol=1.0)
        large = draw(9, index, 512).reshape(64, 8, 64, 8, 3).mean((1, 3))
        assert np.abs(large - fine).mean() < 5  # two different pictures differ by 25 and more


@pytest.mark.parametrize("draw", [objects.draw_shoes, objects.draw_handbags], ids=["shoes", "handbags"])
def test_catalogue_pictures_stand_on_white_within_the_frame(draw: Draw) -> None:
    for index in range(40):
        picture = draw(4, index, 64)
        border = np.concatenate([picture[0], picture[:, 0], picture[:, -1]])
        assert border.min() >= 248, index
        covered = float((picture.min(-1) < 235).mean())
        assert 0.06 < covered < 0.8, index


def test_toes_point_to_the_left_and_shafts_stand_at_the_heel() -> None:
    height = []
    for index in range(40):
        dark = objects.draw_shoes(6, index, 64).min(-1) < 235
        columns = np.flatnonzero(dark.any(0))
        thirds = np.array_split(dark[:, columns[0] : columns[-1] + 1], 3, axis=1)
        height.append([np.ptp(np.nonzero(third)[0]) for third in (thirds[0], thirds[2])])
    toe, heel = np.mean(height, axis=0)
    assert heel > 1.3 * toe


def test_faces_fill_the_frame_with_skin_in_the_middle() -> None:
    pictures = np.stack([objects.draw_faces(2, index, 64) for index in range(40)]).astype(np.float64)
    cheeks = np.concatenate([pictures[:, 36:42, 18:24], pictures[:, 36:42, 40:46]], axis=2)
    red, green, blue = cheeks.mean((1, 2)).T
    assert (red > green).mean() > 0.95
    assert (green > blue).mean() > 0.95
    assert red.min() < 110 < 190 < red.max()
    eyes, forehead = pictures[:, 29:32, 18:46].mean(), pictures[:, 19:23, 26:38].mean()
    assert eyes < forehead - 10


def test_every_kind_of_object_is_drawn_with_enough_to_find_edges_in() -> None:
    rng = np.random.default_rng(1)
    for kind, paint in objects.KINDS.items():
        for _ in range(6):
            canvas = Canvas(128, (255.0, 255.0, 255.0), choose_light(rng), rng)
            paint(canvas, rng, (0.1, 0.1, 0.9, 0.9))
            gray = canvas.finish().mean(-1)
            steps = np.hypot(*np.gradient(gray))
            assert 0.015 < (steps > 12).mean() < 0.45, kind
            assert gray[:5].min() > 200, kind
