"""Embedded streets: classes, determinism, agreement of labels and picture, geometry of the camera."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from scipy.ndimage import binary_fill_holes

from pix2pix.data.embedded import streets
from pix2pix.data.embedded.streets.canvas import FULL_LIGHT, SHADE, Camera, Canvas, Plane
from pix2pix.data.embedded.streets.cars import paint_car
from pix2pix.data.embedded.streets.light import TILE, develop, noise_tile
from pix2pix.data.embedded.streets.plan import PLACES, plan_street
from pix2pix.data.embedded.streets.traffic import EXTRAS
from pix2pix.data.embedded.streets.types import Item, Place
from pix2pix.data.embedded.streets.weather import Weather, choose_weather

ROOT = Path(__file__).parents[1]
NAMES = len(streets.CLASSES)
CAMERA = Camera(centre=0.5, horizon=0.4, focal=1.0, height=1.25, curve=0.0)


def weather(seed: int = 0) -> Weather:
    return choose_weather(np.random.default_rng(seed))


def canvas(size: int = 64, camera: Camera = CAMERA) -> Canvas:
    return Canvas(size, camera, weather(), noise_tile(np.random.default_rng(1)))


def test_classes_are_those_of_the_task_in_its_order() -> None:
    task = yaml.safe_load((ROOT / "configs" / "cityscapes.yaml").read_text(encoding="utf-8"))
    assert tuple(task["data"]["palette"]) == streets.CLASSES


@pytest.mark.parametrize("size", [64, 97, 256, 512])
def test_shapes_types_and_determinism(size: int) -> None:
    np.random.seed(size)  # noqa: NPY002 - a drawer that reads the global state would be caught here
    labels, photo = streets.draw(7, 3, size)
    np.random.seed(0)  # noqa: NPY002
    again, same = streets.draw(7, 3, size)
    assert labels.shape == (size, size)
    assert photo.shape == (size, size, 3)
    assert labels.dtype == photo.dtype == np.uint8
    assert labels.flags.c_contiguous
    assert photo.flags.c_contiguous
    assert labels.max() < NAMES
    assert np.array_equal(labels, again)
    assert np.array_equal(photo, same)
    assert photo.std() > 15


def test_seed_and_index_both_count() -> None:
    first, second, third = (streets.draw(*which, 64)[1] for which in ((0, 1), (1, 0), (0, 0)))
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, third)
    assert not np.array_equal(second, third)


@pytest.mark.parametrize(("seed", "index", "size"), [(0, 0, 63), (0, 0, 513), (-1, 0, 64), (0, -1, 64)])
def test_what_cannot_be_drawn_is_refused(seed: int, index: int, size: int) -> None:
    with pytest.raises(ValueError, match="expected"):
        streets.draw(seed, index, size)


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="counts threads in /proc, which this system lacks")
def test_drawing_starts_no_threads() -> None:
    program = (
        "import os; from pix2pix.data.embedded import streets; before = len(os.listdir('/proc/self/task'));"
        "[streets.draw(1, index) for index in range(3)]; assert len(os.listdir('/proc/self/task')) == before"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)


def test_scenes_are_distinct_and_any_36_show_all_classes() -> None:
    count, maps, photos, present = 72, set(), set(), []
    for index in range(count):
        labels, photo = streets.draw(5, index, 64)
        maps.add(hashlib.sha256(labels.tobytes()).digest())
        photos.add(hashlib.sha256(photo.tobytes()).digest())
        present.append(np.bincount(labels.ravel(), minlength=NAMES) > 0)
    assert len(maps) == len(photos) == count
    for start in range(count - 36 + 1):
        seen = np.any(present[start : start + 36], axis=0)
        missing = [name for name, there in zip(streets.CLASSES, seen, strict=True) if not there]
        assert not missing, f"from {start}: {missing}"


def test_a_street_is_the_same_at_every_size() -> None:
    differences = []
    for index in range(24):
        coarse, coarse_photo = streets.draw(9, index, 64)
        fine, fine_photo = streets.draw(9, index, 256)
        assert (coarse == fine[2::4, 2::4]).mean() > 0.85
        averaged = fine_photo.reshape(64, 4, 64, 4, 3).mean((1, 3))
        differences.append(np.abs(averaged - coarse_photo).mean())
    assert np.mean(differences) < 12  # two different streets differ by about 50


def test_shares_and_tones_are_those_of_streets() -> None:
    total, brightness = np.zeros(NAMES), np.zeros(NAMES)
    for index in range(96):
        labels, photo = streets.draw(11, index, 64)
        assert 60 < photo.mean() < 130, index  # as the camera exposes; none is black or burnt out
        burnt = (photo.max(-1) == 255) & (labels != streets.CLASSES.index("sky"))
        assert burnt.mean() < 0.10, index
        total += np.bincount(labels.ravel(), minlength=NAMES)
        brightness += np.bincount(labels.ravel(), photo.mean(-1).ravel(), minlength=NAMES)
    share = dict(zip(streets.CLASSES, total / total.sum(), strict=True))
    mean = dict(zip(streets.CLASSES, brightness / np.maximum(total, 1), strict=True))
    # In the data set: road 0.33, building 0.19, vegetation 0.14, car 0.06.
    assert 0.22 < share["road"] < 0.42
    assert 0.13 < share["building"] < 0.28
    assert 0.07 < share["vegetation"] < 0.22
    assert 0.03 < share["car"] < 0.14
    assert mean["vegetation"] < mean["building"] < mean["sky"]
    assert mean["road"] < 130 < 150 < mean["sky"]


def test_edges_of_the_picture_are_edges_of_the_labels() -> None:
    """Pixels beside a border between two classes differ far more in the picture than neighbours elsewhere."""
    across, within = [], []
    for index in range(12):
        labels, photo = streets.draw(4, index, 128)
        step = np.abs(np.diff(photo.astype(float).mean(-1), axis=1))
        border = np.diff(labels.astype(int), axis=1) != 0
        across.append(step[border].mean())
        within.append(step[~border].mean())
    assert np.mean(across) > 2.5 * np.mean(within)


def test_the_camera_projects_by_hand() -> None:
    # 10 m ahead, 1 m right and on the road: u = 0.5 + 1/10, v = 0.4 + 2 * 1.25/10, of 128 canvas pixels.
    point = canvas().project(np.array([1.0, 0.0, 10.0]))
    np.testing.assert_allclose(point, [0.6 * 128, 0.65 * 128], atol=1e-6)


def test_a_face_and_the_canvas_project_alike() -> None:
    for start, end in (((1.0, 9.0), (2.0, 9.0)), ((2.0, 5.0), (3.0, 12.0))):
        one, other = canvas(), canvas()
        one.face(7, start, end).rectangle(0.0, 0.2, 1.0, 1.5, (10.0, 20.0, 30.0))
        along = np.subtract(end, start) / np.hypot(*np.subtract(end, start))
        far = tuple((np.asarray(start) + along).tolist())
        corners = [(start[0], 0.2, start[1]), (far[0], 0.2, far[1]), (far[0], 1.5, far[1]), (start[0], 1.5, start[1])]
        other.polygon(corners, (10.0, 20.0, 30.0), 7)
        assert one.pixels.any()
        assert np.array_equal(one.pixels, other.pixels)


def test_haze_and_depth_follow_from_the_surface() -> None:
    """A black board at depth z in haze h has the tone h (1 - exp(-d z)), before the camera's exposure."""
    tones = []
    for z in (10.0, 100.0):
        scene = canvas()
        clear = scene.weather._replace(haze=(200.0,) * 3, haze_density=0.01, wet=0.0, exposure=1.0, contrast=1.0)
        scene.weather = clear._replace(cast=(1.0, 1.0, 1.0))
        number = scene.surface("wall", "metal", Plane(0.0, 0.0, 1.0, z))
        scene.pixels[..., 3] = number
        scene.pixels[:, ::2, 3] = number
        numbers, photo = develop(scene, np.random.default_rng(0))
        assert (numbers == number).all()
        tones.append(float(photo[24:40, 24:40].mean()))
    # The exposure evens out three quarters (in logarithms) of the ratio of the two.
    ratio = (1.0 - np.exp(-1.0)) / (1.0 - np.exp(-0.1))
    assert tones[1] / tones[0] == pytest.approx(ratio**0.25, rel=0.03)


def test_a_surface_is_numbered_once() -> None:
    scene = canvas()
    first = scene.upright("car", "metal", 10.0)
    assert scene.upright("car", "metal", 10.001) == first
    assert scene.upright("car", "metal", 14.0) != first
    assert scene.upright("bus", "metal", 10.0) != first


def test_shadow_dims_only_its_polygon() -> None:
    scene = canvas()
    scene.dim(np.array([(-1.0, 5.0), (1.0, 5.0), (1.0, 10.0), (-1.0, 10.0)]), SHADE)
    assert set(np.unique(scene.light)) == {SHADE, FULL_LIGHT}
    rows = np.flatnonzero((scene.light == SHADE).any(axis=1))
    # v = 0.4 + 2.5 / z of 64 rows: from 0.65 at 10 m to 0.9 at 5 m.
    assert abs(rows[0] - 0.65 * 64) <= 1
    assert abs(rows[-1] - 0.90 * 64) <= 1


@pytest.mark.parametrize("heading", [0.0, np.pi, 0.5 * np.pi, -0.5 * np.pi])
@pytest.mark.parametrize("x", [-6.0, 0.0, 4.0])
def test_a_car_fills_its_outline_without_holes(heading: float, x: float) -> None:
    scene = canvas(256)
    item = Item("car", 9.0, x, 9.0, 1, 1.8, 1.45, heading, 1)
    paint_car(scene, item, np.random.default_rng(3))
    car = scene.pixels[..., 3] > 0
    assert car.sum() > 1000
    assert np.array_equal(binary_fill_holes(car), car)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_streets_are_planned_far_to_near_within_their_bounds(place: Place) -> None:
    kinds = set()
    for seed in range(12):
        street = plan_street(np.random.default_rng(seed), place, seed)
        depths = [item.far for item in street.items]
        assert depths == sorted(depths, reverse=True)
        assert street.left > 1.2
        assert street.right > 1.2
        for item in street.items:
            assert item.width > 0
            assert item.height > 0
            kinds.add(item.kind)
            if item.kind in ("block", "house", "wall", "hedge", "fence"):
                edge = street.left if item.side < 0 else street.right
                assert abs(item.x) > edge, item
                assert street.crossing is None or item.far <= street.crossing[0] or item.z >= street.crossing[1], item
    assert kinds - {"garden"} <= set(streets.PAINTERS)


def test_every_dozen_has_every_place_and_every_extra() -> None:
    assert len(PLACES) == len(EXTRAS) == 12
    assert set(EXTRAS) <= set(streets.PAINTERS)


def test_weather_keeps_to_its_ranges() -> None:
    kinds = set()
    for seed in range(200):
        light = weather(seed)
        assert np.hypot(np.hypot(light.sun[0], light.sun[1]), light.sun[2]) == pytest.approx(1.0)
        assert light.sun[1] > 0.1
        assert 0.2 < light.in_shade <= 1.0
        assert light.sunny == (light.direct != (0.0, 0.0, 0.0))
        kinds.add(light.ambient)
    assert len(kinds) == 4


def test_the_noise_tile_repeats_without_a_seam() -> None:
    tile = noise_tile(np.random.default_rng(2)).astype(int)
    assert tile.shape == (TILE, TILE)
    inside = np.abs(np.diff(tile, axis=1)).mean()
    assert np.abs(tile[:, 0] - tile[:, -1]).mean() < 2 * inside
    assert tile.std() == pytest.approx(42, abs=4)
