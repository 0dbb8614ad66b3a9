"""Large pictures: tiles without seams, norms as over the whole picture, strips equal to the whole, bounded memory."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from test_translator import label_map, make, picture
from tiny_models import LABELS
from torch import Tensor

from pix2pix import translator
from pix2pix.checkpoint import load_model
from pix2pix.images import enlarge, read_image
from pix2pix.large import network, parts, strips, tiles
from pix2pix.large.tiles import Span, blend, make_grid
from pix2pix.nn import build_generator
from pix2pix.nn.inference import simplify
from pix2pix.nn.statistics import Recount, corrections, fix, measure
from pix2pix.representations import MaskedRgb
from pix2pix.translator import Translator

pytestmark = pytest.mark.usefixtures("one_thread")

ROOT = Path(__file__).parent.parent
DATA = Path(os.environ.get("PIX2PIX_TEST_DATA", ROOT.parent / "shared" / "data"))
SHIPPED = ROOT / "pix2pix" / "weights"
ONE_LEVEL = 2.1 / 255  # of 8 bits, in the network's numbers


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is large: tiles of 320 pixels, strips of a few rows, small windows."""
    monkeypatch.setattr(network, "SAMPLE", 2**18)
    monkeypatch.setattr(translator, "LARGEST", 0)
    monkeypatch.setattr(tiles, "TILE", 320)
    monkeypatch.setattr(tiles, "OVERLAP", 128)
    monkeypatch.setattr(strips, "STRIP", 5000)


def whole_and_parts(
    model: Translator, image: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> tuple[np.ndarray, np.ndarray]:
    in_parts = model(image)
    with monkeypatch.context() as patch:
        patch.setattr(translator, "LARGEST", image.size * 100)
        return model(image), in_parts


def difference(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    apart: np.ndarray = np.abs(first.astype(np.int32) - second.astype(np.int32))
    return apart


# --- geometry ---


@pytest.mark.parametrize("period", [64, 128, 256, 512, 1024])
def test_tiles_cover_every_pixel_and_start_where_the_noise_repeats(period: int) -> None:
    rng = np.random.default_rng(period)
    for _ in range(30):
        height, width = (int(side) * 32 for side in rng.integers(1, 400, 2))
        grid = make_grid(height, width, period, 32)
        for side, spans in ((height, grid.rows), (width, grid.columns)):
            assert spans[0].start == 0
            assert spans[-1].stop == side
            assert all(span.start % period == 0 == span.length % 32 for span in spans)
            assert all(a.stop - b.start == grid.overlap for a, b in itertools.pairwise(spans))
            assert all(span.length > grid.overlap for span in spans[1:])


def test_what_all_tiles_agree_on_comes_out_as_it_is() -> None:
    height, width = 1600, 4128
    picture = torch.rand(1, height, width, generator=torch.Generator().manual_seed(0))
    grid = make_grid(height, width, 256, 32)
    assert (len(grid.rows), len(grid.columns)) == (2, 4)
    blended, next_row = torch.empty_like(picture), 0
    for top, bottom, strip in blend(
        grid, lambda rows, columns: picture[:, rows.start : rows.stop, columns.start : columns.stop].clone()
    ):
        assert top == next_row
        blended[:, top:bottom], next_row = strip, bottom
    assert next_row == height
    assert torch.allclose(blended, picture, atol=1e-6)


def test_borders_of_tiles_are_dropped_and_the_blend_has_no_step() -> None:
    grid = make_grid(64, 2816, 256, 32)
    first, second = grid.columns

    def compute(rows: Span, columns: Span) -> Tensor:
        values = torch.full((1, rows.length, columns.length), float(columns.start > 0))
        if columns.start > 0:
            values[:, :, :96] = 1000  # what a network gives beside the end of its tile
        else:
            values[:, :, -96:] = 1000
        return values

    [(_, _, strip)] = blend(grid, compute)
    row = strip[0, 0]
    assert row.min() == 0
    assert row.max() == 1
    assert row.diff().abs().max() <= 1 / 64 + 1e-6
    assert row[second.start + 95] == 0
    assert row[first.stop - 96] == 1


def test_part_of_an_enlarged_picture_is_that_of_the_whole() -> None:
    image, rng = picture(70, 90), np.random.default_rng(1)
    whole = enlarge(image, 4)
    for _ in range(20):
        top, left = int(rng.integers(0, 270)), int(rng.integers(0, 350))
        part = parts.enlarged_part(image, 4, (top, top + 40), (left, left + 50))
        assert np.array_equal(part, whole[top : top + 40, left : left + 50])


# --- norms ---


@pytest.mark.parametrize("name", ["unet", "resnet6", "compact_unet"])
def test_norms_fixed_at_what_they_measured_change_nothing(name: Any) -> None:
    rng = torch.Generator().manual_seed(0)
    generator = build_generator(name, 3, 3, size=64, width=8, rng=rng).eval()
    x = torch.rand(1, 3, 128, 192, generator=rng) * 2 - 1
    with torch.inference_mode():
        fixed = fix(generator, measure(simplify(generator), x))
        assert (simplify(fixed)(x) - generator(x)).abs().max() < 1e-3
        assert (fixed(x * 0.5) - generator(x * 0.5)).abs().mean() > 1e-3  # fixed they are


def test_norms_see_a_batch_as_one_picture_would() -> None:
    rng = torch.Generator().manual_seed(0)
    generator = build_generator("compact_unet", 3, 3, size=64, width=8, rng=rng).eval()
    batch = torch.randn(5, 3, 64, 64, generator=rng)
    first = measure(simplify(generator), batch)[0]
    with torch.inference_mode():
        seen = generator.get_submodule("down.1.0")(
            torch.nn.functional.leaky_relu(generator.get_submodule("down.0")(batch), 0.2)
        )
    assert torch.allclose(first.mean, seen.mean((0, 2, 3)), atol=1e-5)
    assert torch.allclose(first.variance, seen.var((0, 2, 3), correction=0), rtol=1e-4)


def test_corrected_windows_come_near_to_the_whole() -> None:
    rng = torch.Generator().manual_seed(0)
    generator = build_generator("compact_unet", 3, 3, size=64, width=8, rng=rng).eval()
    picture = torch.randn(1, 3, 256, 512, generator=rng) * torch.linspace(0.05, 1.5, 512)
    exact = measure(simplify(generator), picture)
    places = [(top, left) for top in (0, 96, 192) for left in (0, 112, 224, 336, 448)]
    windows = torch.cat([picture[:, :, top : top + 64, left : left + 64] for top, left in places])
    guess = measure(simplify(generator), windows)
    recount = Recount(simplify(generator), guess)
    recount.add(picture[:, :, :, :320], (0, 256), (0, 256))
    recount.add(picture[:, :, :, 192:], (0, 256), (64, 320))
    found = measure(simplify(generator), windows, corrections(guess, recount.statistics()))

    def off(statistics: Any) -> float:
        errors = [(a.mean - b.mean).abs() / b.variance.sqrt() for a, b in zip(statistics, exact, strict=True)]
        return float(torch.cat(errors).mean())

    assert off(found) < 0.4 * off(guess)
    assert torch.allclose(found[0].mean, exact[0].mean, atol=1e-3)


# --- trained tasks: a strip at a time ---


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(
    "changes",
    [{}, {"data": {"input": "gray", "target": "lab_chroma", "normalise": ["lightness"]}}, {"data": {"target": "gray"}}],
)
@pytest.mark.usefixtures("small_parts")
def test_strips_are_as_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], dtype: Any
) -> None:
    model = make(tmp_path, **changes)
    for channels in (1, 3, 4):
        whole, in_parts = whole_and_parts(model, picture(150, 221, dtype=dtype, channels=channels), monkeypatch)
        assert whole.dtype == in_parts.dtype
        # A convolution of another size may round otherwise: on some processors by 2 levels of 255.
        assert difference(whole, in_parts).max() <= (1 if dtype == np.uint8 else 3 * 257)


@pytest.mark.usefixtures("small_parts")
def test_strips_of_label_maps_are_as_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = make(tmp_path, **LABELS)
    for image in (label_map(200, 301), picture(200, 301)):  # the second has pixels that are no class's colour
        whole, in_parts = whole_and_parts(model, image, monkeypatch)
        assert difference(whole, in_parts).max() <= 1


@pytest.mark.usefixtures("small_parts")
def test_smaller_than_the_work_size_and_very_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = make(tmp_path)
    for height, width in [(30, 40), (3, 900), (64, 64), (1, 1)]:
        whole, in_parts = whole_and_parts(model, picture(height, width), monkeypatch)
        assert difference(whole, in_parts).max() <= 1


# --- native tasks: a tile at a time ---


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("model", [{}, {"residual": True}, {"norm": "batch"}])
def test_tiles_are_nearly_as_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: dict[str, Any]) -> None:
    translate = make(tmp_path, work="native", model=model)
    image = picture(300, 610)
    image[:, 305:] //= 3  # two halves that a norm of either alone would see differently
    whole, in_parts = whole_and_parts(translate, image, monkeypatch)
    assert in_parts.shape == image.shape
    assert difference(whole, in_parts).mean() < 2
    assert np.percentile(difference(whole, in_parts), 99.9) <= 20  # a random network on tiles far below the usual size
    assert np.array_equal(in_parts, translate(image))


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_network_that_adds_nothing_changes_no_pixel(tmp_path: Path, dtype: Any) -> None:
    translate = make(tmp_path, work="native", model={"residual": True})
    output = translate._generator.get_submodule("inner.output")
    with torch.no_grad():
        for parameter in output.parameters():
            parameter.zero_()
    image = picture(300, 610, dtype=dtype)
    assert np.array_equal(translate(image), image)


@pytest.mark.usefixtures("small_parts")
def test_tiles_of_an_enlarged_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = {"scale": 4, "derive": ["downsample: {factor: 4}"]}
    translate = make(tmp_path, work="native", data=steps, model={"residual": True})
    whole, in_parts = whole_and_parts(translate, picture(101, 133), monkeypatch)
    assert in_parts.shape == (404, 532, 3)
    assert difference(whole, in_parts).mean() < 4  # of a random network, whose norms alone decide what comes out


@pytest.mark.usefixtures("small_parts")
def test_samples_in_tiles_follow_their_seed(tmp_path: Path) -> None:
    for changes in ({}, {"generator": "unet", "dropout": 0.5}):
        translate = make(tmp_path, work="native", model=changes)
        image = picture(64, 400)
        first, again, other = translate(image, 1), translate(image, 1), translate(image, 2)
        assert np.array_equal(first, again)
        assert not np.array_equal(first, other)
        assert not np.array_equal(first, translate(image))


def test_holes_of_a_part_are_filled_from_the_whole_picture() -> None:
    image = picture(300, 420, channels=4)
    image[:, :, 3] = 255
    image[40:240, 60:300, 3] = 0  # larger than the part below, which has nothing of its own to fill it from
    whole = MaskedRgb().encode(image)
    encode = parts.part_encoder(image, 1, MaskedRgb())
    part = encode((64, 192), (96, 224))
    assert torch.equal(part[3], whole[3, 64:192, 96:224])
    assert (part - whole[:, 64:192, 96:224]).abs().max() < ONE_LEVEL
    everything = encode((0, 320), (0, 448))  # and what lies beyond the picture is mirrored
    assert everything.shape == (4, 320, 448)
    known = whole[3] > 0
    assert torch.equal(everything[:, :300, :420][:, known], whole[:, known])


def test_parts_of_holes_are_those_of_the_whole_at_any_size() -> None:
    rng = np.random.default_rng(0)
    for _ in range(8):
        height, width = (int(side) for side in rng.integers(20, 300, 2))
        image = picture(height, width, channels=4)
        image[:, :, 3] = 255
        image[rng.random((height, width)) < rng.choice([0.02, 0.5, 0.95]), 3] = 0
        top, left = (8 * int(rng.integers(0, side // 16)) for side in (height, width))
        image[top : top + height // 2, left : left + width // 3, 3] = 0
        whole = MaskedRgb().encode(image)
        part = parts.part_encoder(image, 1, MaskedRgb())((top, height), (left, width))
        assert torch.equal(part[3], whole[3, top:, left:])
        assert (part - whole[:, top:, left:]).abs().max() < ONE_LEVEL


# --- with a shipped model and photos ---


def photos() -> list[np.ndarray]:
    """Photos in colour, (H, W, 3); skips where the machine has none."""
    files = sorted((DATA / "photos").rglob("*.jpg"))
    if not files:
        pytest.skip("no photos under PIX2PIX_TEST_DATA/photos")
    return [read_image(file) for file in files[:: max(1, len(files) // 12)]]


def grainy(image: np.ndarray, sigma: float) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0.5, sigma, image.shape)
    noisy: np.ndarray = np.clip(image + noise, 0, 255).astype(np.uint8)
    return noisy


def uneven(height: int, width: int) -> np.ndarray:
    """A dark flat half and one of many photos, with grain."""
    image = np.full((height, width, 3), 25, np.uint8)
    small = [cv2.resize(photo, (250, 200), interpolation=cv2.INTER_AREA) for photo in photos()]
    for number, (top, left) in enumerate(
        (top, left) for top in range(0, height, 200) for left in range(width // 2, width, 250)
    ):
        part = image[top : top + 200, left : left + 250]
        part[:] = small[number % len(small)][: part.shape[0], : part.shape[1]]
    return grainy(image, 12)


@pytest.mark.slow
def test_a_photo_has_no_seams(monkeypatch: pytest.MonkeyPatch) -> None:
    enlarged = cv2.resize(photos()[3], (2600, 1000), interpolation=cv2.INTER_LANCZOS4)
    model = Translator(load_model(SHIPPED / "denoise.safetensors"), "cpu", None, "torch")
    for image in (grainy(enlarged, 18), uneven(1000, 2600)):
        whole, in_parts = whole_and_parts(model, image, monkeypatch)
        apart = difference(whole, in_parts)
        assert apart.mean() <= 2
        assert np.percentile(apart, 99.9) <= 12
        # Tiles meet between columns 1280 and 1536: gradients there, over those of the whole, against all others.
        steps, usual = (np.abs(np.diff(each.astype(int), axis=1)).mean((0, 2)) for each in (in_parts, whole))
        ratio = steps / usual
        assert abs(ratio[1280:1536].mean() / ratio.mean() - 1) < 0.05
        assert abs(ratio / ratio.mean() - 1).max() < 0.2  # nor is there a single line


@pytest.mark.slow
def test_holes_are_filled_in_parts_as_in_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """At an odd size, with holes of all sizes."""
    enlarged = cv2.resize(photos()[3], (1537, 1001), interpolation=cv2.INTER_LANCZOS4).astype(np.uint8)
    opaque = np.full((1001, 1537), 255, np.uint8)
    rng = np.random.default_rng(0)
    for radius in (2, 5, 10, 20, 40, 80, 160):
        for x, y in rng.integers(0, 1001, (400 // radius, 2)).tolist():
            cv2.circle(opaque, (x * 3 // 2, y), radius, 0, -1)
    model = Translator(load_model(SHIPPED / "inpaint.safetensors"), "cpu", None, "torch")
    whole, in_parts = whole_and_parts(model, np.dstack([enlarged, opaque]), monkeypatch)
    apart = difference(whole, in_parts)
    assert apart[opaque > 0].max() == 0
    assert apart.mean() <= 2
    assert np.percentile(apart, 99.9) <= 12


def checkerboard(height: int, width: int) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    return np.repeat((64 + 128 * ((rows + columns) % 2)).astype(np.uint8)[:, :, None], 3, axis=2)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["denoise", "superres"])
def test_a_checkerboard_of_single_pixels_keeps_its_contrast(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A fifth of it may pass for noise, or for rounded corners where pixels become 4x4; tiles lose no more."""
    model = Translator(load_model(SHIPPED / f"{name}.safetensors"), "cpu", None, "torch")
    scale = model.task.data.scale
    height, width = 1000 // scale, 2600 // scale
    image = cv2.resize(photos()[3], (width, height), interpolation=cv2.INTER_LANCZOS4).astype(np.uint8)
    middle = np.s_[height // 3 : 2 * height // 3, width // 3 : 2 * width // 3]
    image[middle] = checkerboard(height, width)[middle]
    pattern = np.kron(checkerboard(height, width) - 128.0, np.ones((scale, scale, 1)))
    inside = np.s_[
        4 * height * scale // 10 : 6 * height * scale // 10, 4 * width * scale // 10 : 6 * width * scale // 10
    ]
    whole, in_parts = whole_and_parts(model, image, monkeypatch)
    unchanged = float((pattern[inside] ** 2).mean())
    contrasts = [float((output[inside] * pattern[inside]).mean()) / unchanged for output in (whole, in_parts)]
    assert 0.8 <= contrasts[0] <= 1.2, contrasts
    assert abs(contrasts[1] / contrasts[0] - 1) < 0.2


MEMORY = """
import resource, sys
import numpy as np
from pathlib import Path
from pix2pix.checkpoint import load_model
from pix2pix.translator import Translator
translate = Translator(load_model(Path(sys.argv[1])), "cpu")
height, width, channels = (int(each) for each in sys.argv[2:])
rng = np.random.default_rng(0)
image = np.repeat(np.repeat(rng.integers(0, 255, (height // 8, width // 8, channels), np.uint8), 8, 0), 8, 1)
translate(image[:64, :64])
start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert translate(image).shape == (height, width, 3)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start) / 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in KiB on Linux alone")
@pytest.mark.parametrize(("model", "channels"), [("denoise", 3), ("colorize", 1)])
def test_memory_is_that_of_parts(model: str, channels: int) -> None:
    """The output, and a part that does not grow with the picture, in MiB."""
    height, width = 2400, 3200
    command = [
        sys.executable,
        "-c",
        MEMORY,
        str(SHIPPED / f"{model}.safetensors"),
        *map(str, (height, width, channels)),
    ]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    assert float(ended.stdout) < 3 * height * width / 2**20 + 900
