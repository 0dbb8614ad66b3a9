"""Every format times every mode: what other programs wrote is read right, and what is written, others read right."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from picture_files import (
    READ,
    RGB,
    WIDTH,
    image,
    photo,
)
from PIL import Image

from pix2pix.images import ImageError, Metadata, read_image, read_picture, write_image


@pytest.mark.parametrize(("name", "write", "expected", "tolerance"), READ, ids=[row[0] for row in READ])
def test_pixels_and_depth_are_read(
    tmp_path: Path, name: str, write: Callable[[], bytes], expected: np.ndarray, tolerance: int
) -> None:
    (tmp_path / name).write_bytes(write())
    picture = read_picture(tmp_path / name)
    assert picture.pixels.dtype == expected.dtype
    assert picture.pixels.shape == expected.shape
    assert np.abs(picture.pixels.astype(int) - expected).max() <= tolerance
    assert picture.suffix == Path(name).suffix
    assert picture.pixels.flags.c_contiguous
    assert picture.pixels.flags.writeable
    np.testing.assert_array_equal(read_image(tmp_path / name), picture.pixels)


@pytest.mark.parametrize("name", ["a.gif", "a.tga", "a.jp2", "a.ppm", "a.ico"])
def test_formats_that_are_not_written_become_png(tmp_path: Path, name: str) -> None:
    image(RGB).resize((32, 32)).save(tmp_path / name)
    assert read_picture(tmp_path / name).suffix == ".png"


LOSSY = {".jpg": 6, ".jpeg": 6, ".jpe": 6, ".jfif": 6, ".webp": 14, ".avif": 8}
SUFFIXES = (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".avif", ".tif", ".tiff", ".bmp")


def by_another_reader(path: Path, deep: bool) -> np.ndarray:
    if path.suffix in (".tif", ".tiff"):
        read = np.asarray(tifffile.imread(path))
    elif deep and path.suffix == ".png":
        read = np.asarray(cv2.imread(str(path), cv2.IMREAD_UNCHANGED))
        if read.ndim == 3:
            read = cv2.cvtColor(read, cv2.COLOR_BGRA2RGBA if read.shape[2] == 4 else cv2.COLOR_BGR2RGB)
    else:
        with Image.open(path) as opened:
            read = np.array(opened)
    return read[:, :, None] if read.ndim == 2 else read


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_others_read_what_is_written(tmp_path: Path, suffix: str, channels: int, dtype: type) -> None:
    path, pixels = tmp_path / f"a{suffix}", photo(channels, dtype)
    write_image(path, pixels)
    read = by_another_reader(path, dtype == np.uint16)
    is_deep = dtype == np.uint16 and suffix in (".png", ".tif", ".tiff")
    assert read.dtype == (np.uint16 if is_deep else np.uint8)
    expected = pixels if is_deep else np.rint(pixels / (np.iinfo(dtype).max / 255)).astype(np.uint8)
    if channels == 4 and suffix in (".jpg", ".jpeg", ".jpe", ".jfif", ".bmp"):
        alpha = pixels[:, :, 3:] / np.iinfo(dtype).max
        expected = np.rint(255 * (pixels[:, :, :3] / np.iinfo(dtype).max * alpha + 1 - alpha))
    elif channels == 1 and suffix == ".webp":
        expected = np.repeat(expected, 3, axis=2)  # it knows no grey
    assert read.shape == expected.shape
    assert np.abs(read.astype(int) - expected).max() <= LOSSY.get(
        suffix, 1 if channels == 4 and suffix == ".bmp" else 0
    )


@pytest.mark.parametrize(("suffix", "side"), [(".jpg", 65_501), (".webp", 16_384), (".avif", 32_769)])
def test_a_side_too_long_for_the_format_names_another(tmp_path: Path, suffix: str, side: int) -> None:
    with pytest.raises(ImageError, match=rf"a\{suffix}: cannot be written: {side}x1, .* write PNG or TIFF"):
        write_image(tmp_path / f"a{suffix}", np.zeros((1, side, 3), np.uint8))
    write_image(tmp_path / "a.png", np.zeros((1, side, 3), np.uint8))
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_what_fails_halfway_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(b"old")
    with pytest.raises(ImageError, match="cannot be written"):
        write_image(tmp_path / "a.tif", RGB, Metadata(iptc="no bytes"))  # type: ignore[arg-type]
    assert (tmp_path / "a.tif").read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_bands_are_joined_without_a_seam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pix2pix.images.pixels._BAND", 7 * WIDTH)
    for name, write, expected, tolerance in READ:
        (tmp_path / name).write_bytes(write())
        assert np.abs(read_image(tmp_path / name).astype(int) - expected).max() <= tolerance, name


PEAK = """
import resource, sys
import numpy as np
from pix2pix.images import read_picture, write_image
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
{work}
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


def peak(work: str) -> int:
    """The bytes by which a fresh process grows at most."""
    ended = subprocess.run([sys.executable, "-c", PEAK.format(work=work)], capture_output=True, text=True, check=True)
    return int(ended.stdout)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "dtype"), [("a.jpg", "uint8"), ("a.png", "uint8"), ("a.tif", "uint16")])
def test_reading_and_writing_take_few_copies(tmp_path: Path, name: str, dtype: str) -> None:
    height, width = 3000, 4000
    path = tmp_path / name
    made = f"image = np.zeros(({height}, {width}, 3), np.{dtype})\nimage[:] = np.arange({width})[:, None] % 251\n"
    assert peak(made + f"write_image({str(path)!r}, image)") < 2.6 * height * width * 3 * np.dtype(dtype).itemsize
    assert peak(f"read_picture({str(path)!r})") < 2.6 * height * width * 3 * np.dtype(dtype).itemsize
