"""Embedded towns: aerial photographs and street maps of the same places."""

import hashlib
import itertools
import os
import subprocess
import sys
from pathlib import Path
from random import Random

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pix2pix.data.embedded import towns
from pix2pix.data.embedded.basics import Colour
from pix2pix.data.embedded.towns.blocks import USES
from pix2pix.data.embedded.towns.lot import Contents, Lot
from pix2pix.data.embedded.towns.plan import occupied, plan_scene
from pix2pix.data.embedded.towns.plane import Plane, box_corners, box_outline, ellipse_outline, normals, ribbon
from pix2pix.data.embedded.towns.style import MANNERS, MAP_MOTORWAY, MAP_PARK, MAP_STREET, MAP_WATER, WATER
from pix2pix.images import read_image

ROOT = Path(__file__).parents[1]


def _close(picture: NDArray[np.uint8], colour: Colour, tolerance: float = 6.0) -> NDArray[np.bool_]:
    """Where a picture has this colour."""
    return np.asarray((np.abs(picture - np.array(colour)) <= tolerance).all(-1))


def test_the_plane_turns_and_scales_by_hand() -> None:
    plane = Plane(extent=200.0, angle=np.pi / 2, radius=np.inf, kink=0.0)
    # A quarter turn takes (20, 0) to (0, 20) and (0, 50) to (-50, 0); 200 metres are the picture's side.
    placed = plane.place(np.array([[0.0, 0.0], [20.0, 0.0], [0.0, 50.0]]))
    np.testing.assert_allclose(placed, [[0.5, 0.5], [0.5, 0.6], [0.25, 0.5]], atol=1e-12)


def test_an_arc_keeps_right_angles_and_distances_along_its_middle() -> None:
    plane = Plane(extent=1.0, angle=0.7, radius=300.0, kink=0.0)
    for u in (-120.0, 0.0, 85.0):
        along = plane.place(np.array([[u - 1e-3, 0.0], [u + 1e-3, 0.0]]))
        across = plane.place(np.array([[u, -1e-3], [u, 1e-3]]))
        assert np.linalg.norm(along[1] - along[0]) == pytest.approx(2e-3, rel=1e-6)
        assert float((along[1] - along[0]) @ (across[1] - across[0])) == pytest.approx(0.0, abs=1e-10)


def test_outlines_by_hand() -> None:
    assert box_outline((0.0, 1.0, 4.0, 3.0)) == [(0.0, 1.0), (4.0, 1.0), (4.0, 3.0), (0.0, 3.0)]
    np.testing.assert_array_equal(box_corners([(0.0, 1.0, 4.0, 3.0)])[0], box_outline((0.0, 1.0, 4.0, 3.0)))
    cut = np.array(box_outline((0.0, 0.0, 10.0, 10.0), chamfer=1.0), np.float32)
    assert cv2.contourArea(cut) == pytest.approx(98.0)  # four corners of 1/2 each are missing
    circle = np.array(ellipse_outline((0.0, 0.0, 2.0, 2.0), 360), np.float32)
    assert cv2.contourArea(circle) == pytest.approx(np.pi, rel=1e-3)
    line = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]])
    np.testing.assert_array_equal(normals(line), [[0.0, 1.0]] * 3)
    np.testing.assert_array_equal(ribbon(line, 0.5, 1.0)[[0, 3]], [[0.0, 1.25], [2.0, 0.75]])


@pytest.mark.parametrize("use", sorted(USES))
def test_blocks_keep_to_their_ground(use: str) -> None:
    for trial in range(30):
        rng = Random(trial)
        long, wide = rng.uniform(30, 180), rng.uniform(25, 120)
        contents = Contents()
        USES[use][0](Lot((100.0, 200.0, 100.0 + long, 200.0 + wide), contents, rng))
        boxes = np.array([building.box for building in contents.buildings]).reshape(-1, 2, 2)
        spots = np.array([spot for _, outline in contents.ground for spot in outline])
        for points in (boxes.reshape(-1, 2), spots):
            assert (points >= (98.0, 198.0)).all(), (trial, points.min(0))
            assert (points <= (102.0 + long, 202.0 + wide)).all(), (trial, points.max(0), long, wide)
        assert (boxes[:, 1] > boxes[:, 0]).all(), trial


def test_what_crosses_the_town_is_kept_free() -> None:
    for index in range(12):
        rng = Random(index)
        _, manner = list(MANNERS.values())[index % len(MANNERS)]
        scene = plan_scene(rng, manner)
        for way in scene.ways.ways:
            inside = way.line[((way.line > 0.0) & (way.line < 1.0)).all(1)]
            assert occupied(scene, inside).all()


@pytest.mark.parametrize("size", [64, 97, 256, 512])
def test_shapes_types_and_determinism(size: int) -> None:
    np.random.seed(size)  # noqa: NPY002 - a drawer that reads the global state would be caught here
    aerial, street_map = towns.draw(7, 3, size)
    np.random.seed(0)  # noqa: NPY002
    reversed_map, reversed_aerial = towns.draw_reversed(7, 3, size)
    assert aerial.shape == street_map.shape == (size, size, 3)
    assert aerial.dtype == street_map.dtype == np.uint8
    assert aerial.flags.c_contiguous
    assert street_map.flags.c_contiguous
    assert np.array_equal(aerial, reversed_aerial)
    assert np.array_equal(street_map, reversed_map)
    assert aerial.std() > 10


def test_the_same_in_another_process() -> None:
    program = (
        "import hashlib; from pix2pix.data.embedded import towns;"
        "print(hashlib.sha256(b''.join(part.tobytes() for part in towns.draw(3, 4, 64))).hexdigest())"
    )
    environment = dict(os.environ) | {"PYTHONHASHSEED": "5"}
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.stdout.strip() == hashlib.sha256(b"".join(p.tobytes() for p in towns.draw(3, 4, 64))).hexdigest()


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="counts threads in /proc, which this system lacks")
def test_drawing_starts_no_threads() -> None:
    program = (
        "import os; from pix2pix.data.embedded import towns; before = len(os.listdir('/proc/self/task'));"
        "[towns.draw(1, index, 512) for index in range(4)]; assert len(os.listdir('/proc/self/task')) == before"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)


@pytest.mark.parametrize(("seed", "index", "size"), [(0, 0, 63), (0, 0, 513), (-1, 0, 64), (0, -1, 64)])
def test_what_cannot_be_drawn_is_refused(seed: int, index: int, size: int) -> None:
    with pytest.raises(ValueError, match="expected"):
        towns.draw(seed, index, size)


def test_towns_differ_and_show_everything() -> None:
    aerials, maps, layouts = set(), set(), []
    shown = {"street": 0, "park": 0, "water": 0, "motorway": 0}
    colours = {"street": MAP_STREET, "park": MAP_PARK, "water": MAP_WATER, "motorway": MAP_MOTORWAY}
    for index in range(40):
        aerial, street_map = towns.draw(5, index, 64)
        aerials.add(hashlib.sha256(aerial.tobytes()).digest())
        maps.add(hashlib.sha256(street_map.tobytes()).digest())
        layouts.append(aerial.astype(np.float32))
        for name, colour in colours.items():
            shown[name] += bool(_close(street_map, colour).mean() > 0.005)
    assert len(aerials) == len(maps) == 40
    assert shown["street"] == 40
    assert shown["park"] > 15
    assert shown["water"] > 12
    assert shown["motorway"] > 5
    apart = [np.abs(one - other).mean() for one, other in itertools.pairwise(layouts)]
    assert min(apart) > 15
    assert np.mean(apart) > 35


def test_water_is_at_the_same_points_in_both() -> None:
    """Big waters: what the map shows in its blue is water in the aerial picture, and the other way round."""
    wet = 0
    for index in range(20):
        _, street_map, material = towns.render(11, index, 128)
        blue = (street_map[..., 2].astype(int) - street_map[..., 0] > 60).astype(np.uint8)
        water = (material == WATER).astype(np.uint8)
        if blue.mean() < 0.03:
            continue
        wet += 1
        agree = (blue == water) | (cv2.dilate(blue, np.ones((3, 3))) != cv2.erode(blue, np.ones((3, 3))))
        # Boats are in the aerial picture alone, trees hang over ponds.
        assert agree.mean() > 0.98, (index, agree.mean())
    assert wet >= 5


def test_streets_are_grey_and_parks_are_green_from_above() -> None:
    streets, parks = [], []
    for index in range(20):
        aerial, street_map = towns.draw(2, index, 128)
        colourful = aerial.astype(np.float32)
        spread = colourful.max(-1) - colourful.min(-1)
        streets.append(float(np.median(spread[_close(street_map, MAP_STREET, 2.0)])))
        park = _close(street_map, MAP_PARK, 3.0)
        if park.mean() > 0.01:
            parks.append(float(np.median(spread[park])))
    assert np.mean(streets) < 16
    assert np.mean(parks) > np.mean(streets) + 15


def test_a_town_is_the_same_at_every_size() -> None:
    for index in range(8):
        coarse, coarse_map = towns.draw(9, index, 64)
        fine, fine_map = towns.draw(9, index, 256)
        assert np.abs(fine.reshape(64, 4, 64, 4, 3).mean((1, 3)) - coarse).mean() < 15
        assert np.abs(fine_map.reshape(64, 4, 64, 4, 3).mean((1, 3)) - coarse_map).mean() < 5


def test_the_maps_have_the_colours_of_real_ones() -> None:
    folder = Path(os.environ.get("PIX2PIX_TEST_DATA", ROOT / "../shared/data")) / "maps" / "train"
    files = sorted(folder.glob("*.jpg"))[:30]
    if not files:
        pytest.skip(f"no maps in {folder}: set PIX2PIX_TEST_DATA to a folder with the maps data set")
    real = np.concatenate([read_image(file)[::2, 256::2].reshape(-1, 3) for file in files])
    drawn = np.concatenate([towns.draw(1, index, 64)[1].reshape(-1, 3) for index in range(24)])
    # The nearest colour that the drawn maps use is close to nearly every real point, antialiased edges aside.
    used, counts = np.unique(drawn, axis=0, return_counts=True)
    used = used[counts > 50].astype(np.float32)
    sample = real[:: len(real) // 4000].astype(np.float32)
    distance = np.abs(sample[:, None] - used[None]).max(-1).min(1)
    assert (distance < 14).mean() > 0.9
