"""Embedded scenes: day and night pairs and pictures under any light."""

import hashlib
from itertools import pairwise

import numpy as np
import pytest

from pix2pix.data.embedded import scenes
from pix2pix.data.embedded.scenes.buildings import cast_shadow, paint_face
from pix2pix.data.embedded.scenes.canvas import Camera, Canvas, Sun, _tiles
from pix2pix.data.embedded.scenes.land import SEASONS, paint_water, rolling, rugged, treetops
from pix2pix.data.embedded.scenes.light import LIGHTS, Hour, choose_light, develop
from pix2pix.data.embedded.scenes.sky import plan_sky
from pix2pix.data.embedded.scenes.things import paint_lamp

CAMERA = Camera(horizon=0.5, height=4.0, focal=1.0)
LOW_LEFT_SUN = Sun(-0.8, 0.6, 0.0)


def empty_canvas(size: int = 64) -> Canvas:
    canvas = Canvas(size, CAMERA, LOW_LEFT_SUN, np.random.default_rng(0))
    below = np.arange(canvas.side) >= canvas.side // 2
    canvas.nature[below] = 0
    canvas.sun[below] = 255
    canvas.colour[...] = 100
    return canvas


def test_projection_by_hand() -> None:
    np.testing.assert_allclose(CAMERA.project(2.0, 4.0, 10.0), [0.7, 0.5])  # at the eye's height: on the horizon
    np.testing.assert_allclose(CAMERA.project(np.array([-1.0, 0.0]), 0.0, 8.0), [[0.375, 1.0], [0.5, 1.0]])
    assert CAMERA.distance(1.0) == pytest.approx(8.0)
    assert CAMERA.half_width(8.0) == pytest.approx(4.0)


def test_only_faces_towards_the_camera_are_painted_and_lit_by_their_slope() -> None:
    canvas = empty_canvas()
    inside = np.array([0.0, 2.0, 12.0])
    front = np.array([[-2.0, 0.0, 10.0], [2.0, 0.0, 10.0], [2.0, 3.0, 10.0], [-2.0, 3.0, 10.0]])
    back = front + np.array([0.0, 0.0, 4.0])
    roof = np.array([[-2.0, 3.0, 10.0], [2.0, 3.0, 10.0], [2.0, 3.0, 14.0], [-2.0, 3.0, 14.0]])
    assert not paint_face(canvas, back, inside, (10.0, 20.0, 30.0), 0.3)
    assert (canvas.colour == 100).all()
    for corners in (front, front[::-1], roof):  # the order of the corners does not matter
        assert paint_face(canvas, corners, inside, (10.0, 20.0, 30.0), 0.3)
    at_front, on_roof = (int(row * canvas.side) for row in (0.7, 0.59))
    assert canvas.colour[at_front, canvas.side // 2].tolist() == [10, 20, 30]
    assert canvas.sun[at_front, canvas.side // 2] == 0  # the sun is exactly at the side
    assert canvas.sun[on_roof, canvas.side // 2] == 153  # 255 times the sine of its height


def test_shadows_fall_away_from_the_sun() -> None:
    canvas = empty_canvas()
    cast_shadow(canvas, (-0.5, 0.5), (12.0, 13.0), 3.0)
    row = round((0.5 + 4.0 / 12.5) * canvas.side)
    dark = np.flatnonzero(canvas.sun[row] < 128) / canvas.side
    # It reaches from the foot to 0.8 / 0.6 * 3 = 4 metres right of it: (4.5 m / 12.5 m).
    assert dark.min() == pytest.approx(0.5 - 0.5 / 12.5, abs=0.01)
    assert dark.max() == pytest.approx(0.5 + 4.5 / 12.5, abs=0.01)


def test_calm_water_is_a_mirror() -> None:
    canvas = empty_canvas()
    half = canvas.side // 2
    canvas.nature[...] = 0
    canvas.colour[:half] = (200, 40, 40)
    canvas.colour[: half // 2] = (40, 40, 200)
    paint_water(canvas, (0.0, 0.0, 0.0), 0.5, np.full(512, 1.2), 0.0)
    near, far = canvas.colour[-10].mean(0), canvas.colour[half + 10].mean(0)
    assert far[0] > 3 * far[2]
    assert near[2] > 3 * near[0]
    assert far.sum() > near.sum()  # flat rays are mirrored more


def test_lamps_and_stars_are_for_the_night() -> None:
    def taken(hour: Hour, lamp: bool) -> np.ndarray:
        canvas = empty_canvas()
        if lamp:
            paint_lamp(canvas, 0.0, 12.0, 3.0, 0.0)
        sky = plan_sky(canvas, np.random.default_rng(1))
        return develop(canvas, sky, LIGHTS[hour], np.random.default_rng(2)).astype(float)

    night, day = (taken(hour, True) - taken(hour, False) for hour in ("night", "day"))
    foot = np.s_[53:57, 24:31]  # the ground before the lamp, on the other side than its shadow
    assert night[foot].mean() > 15
    assert abs(day[foot].mean()) < 3
    assert night[foot][..., 0].mean() > 1.3 * night[foot][..., 2].mean()  # lamplight is warm


def test_outlines_lie_within_0_and_1() -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        for line in (rugged(rng, 0.5), rolling(rng, 3), treetops(rng, 40, True), treetops(rng, 40, False)):
            assert line.shape == (512,)
            assert line.min() >= 0.0
            assert 0.5 < line.max() <= 1.0


def test_noise_tiles_are_the_same_field_at_every_resolution_and_read_only() -> None:
    coarse, fine = _tiles(256)["coarse"], _tiles(512)["coarse"]
    np.testing.assert_allclose(fine.reshape(512, 2, 512, 2).mean((1, 3)), coarse, atol=0.05)
    np.testing.assert_array_equal(coarse[:256], coarse[256:])
    with pytest.raises(ValueError, match="read-only"):
        coarse[0, 0] = 1.0


def test_chances_add_up() -> None:
    for chances in (
        [view.chance for view in scenes.VIEWS.values()],
        [view.chance_in_pairs for view in scenes.VIEWS.values()],
        [chance for chance, _ in SEASONS],
        list(scenes.DAYLIGHT.values()),
        list(scenes.ANY_LIGHT.values()),
    ):
        assert sum(chances) == pytest.approx(1.0)


@pytest.mark.parametrize("size", [64, 97, 256, 512])
def test_shapes_types_and_determinism(size: int) -> None:
    np.random.seed(size)  # noqa: NPY002 - a drawer that reads the global state would be caught here
    pictures = (*scenes.draw_day_night(7, 3, size), scenes.draw_scene(7, 3, size))
    np.random.seed(0)  # noqa: NPY002
    again = (*scenes.draw_day_night(7, 3, size), scenes.draw_scene(7, 3, size))
    for picture, same in zip(pictures, again, strict=True):
        assert picture.shape == (size, size, 3)
        assert picture.dtype == np.uint8
        assert picture.std() > 5
        assert np.array_equal(picture, same)


@pytest.mark.parametrize(("seed", "index", "size"), [(0, 0, 63), (0, 0, 513), (-1, 0, 64), (0, -1, 64)])
def test_what_cannot_be_drawn_is_refused(seed: int, index: int, size: int) -> None:
    with pytest.raises(ValueError, match="expected"):
        scenes.draw_day_night(seed, index, size)
    with pytest.raises(ValueError, match="expected"):
        scenes.draw_scene(seed, index, size)


def test_indices_and_seeds_differ_much() -> None:
    pictures = [scenes.draw_scene(seed, index, 64) for seed in (0, 1) for index in range(30)]
    assert len({hashlib.sha256(picture.tobytes()).digest() for picture in pictures}) == 60
    values = np.stack(pictures).astype(float)
    differences = [np.abs(first - second).mean() for first, second in pairwise(values)]
    assert np.mean(differences) > 30
    assert np.min(differences) > 8


def test_a_scene_is_the_same_at_every_size() -> None:
    differences = []
    for index in range(24):
        coarse = scenes.draw_scene(9, index, 64)
        fine = scenes.draw_scene(9, index, 256)
        averaged = fine.reshape(64, 4, 64, 4, 3).mean((1, 3))
        differences.append(np.abs(averaged - coarse).mean())
    assert np.max(differences) < 5  # two different scenes differ by about 50
    large = scenes.draw_scene(9, 1, 512).reshape(64, 8, 64, 8, 3).mean((1, 3))
    assert np.abs(large - scenes.draw_scene(9, 1, 64)).mean() < 8


def test_night_is_the_same_view_but_dark_blue_and_noisy() -> None:
    related = []
    for index in range(24):
        day, night = scenes.draw_day_night(4, index, 64)
        assert night.mean() < 0.75 * day.mean()
        assert night[:4, :, 2].mean() > night[:4, :, 0].mean()
        # Edges of the one are edges of the other, more than those of another scene.
        other = scenes.draw_day_night(4, index + 100, 64)[1]
        edges = [np.abs(np.diff(picture.mean(-1), axis=0)).ravel() for picture in (day, night, other)]
        related.append((np.corrcoef(edges[0], edges[1])[0, 1], np.corrcoef(edges[0], edges[2])[0, 1]))
    same, different = np.mean(related, axis=0)
    assert same > 0.25
    assert same > different + 0.15


def test_pictures_have_the_statistics_of_photographs() -> None:
    pictures = np.stack([scenes.draw_scene(2, index, 256) for index in range(30)]).astype(float)
    assert 80 < pictures.mean() < 150
    assert pictures.std() > 45
    # Texture down to the pixel, yet neighbours agree.
    step = np.abs(np.diff(pictures.mean(-1), axis=2))
    assert 2.0 < np.median(step) < 10.0
    chroma = pictures.max(-1) - pictures.min(-1)
    assert 30 < chroma.mean() < 90
    blue = (pictures[..., 2] > pictures[..., 0] + 30).mean()
    green = (pictures[..., 1] > np.maximum(pictures[..., 0], pictures[..., 2]) + 8).mean()
    red = (pictures[..., 0] > pictures[..., 1] + 40).mean()
    assert min(blue, green) > 0.08
    assert red > 0.01


def test_light_varies_but_keeps_its_hour() -> None:
    rng = np.random.default_rng(0)
    for hour, light in LIGHTS.items():
        varied = [choose_light(hour, rng) for _ in range(20)]
        assert len({other.zenith for other in varied}) == 20
        assert all(abs(sum(other.ambient) / sum(light.ambient) - 1) < 0.15 for other in varied)
