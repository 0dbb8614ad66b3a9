"""Reading, writing and laying out images: every mode, every kind of damage, values computed by hand."""

import contextlib
import io
import os
import stat
import struct
import threading
import warnings
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image, ImageOps

from pix2pix.images import (
    PIXEL_LIMIT,
    ImageError,
    fill_smoothly,
    from_pil,
    list_images,
    make_grid,
    read_image,
    reflect_pad,
    resize,
    to_gray,
    to_pil,
    to_rgb,
    to_rgb8,
    write_image,
)


def test_holes_are_filled_with_the_colours_around_them() -> None:
    rng = np.random.default_rng(0)
    for _ in range(6):
        height, width = (int(side) for side in rng.integers(1, 70, 2))
        picture = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        known = rng.random((height, width)) < rng.choice([0.1, 0.5, 0.9])
        filled = fill_smoothly(picture, known)
        assert filled.shape == picture.shape
        assert filled.dtype == np.float32
        np.testing.assert_array_equal(filled[known], picture[known])
        if known.any():  # means of known colours never leave their range
            assert filled.min() >= picture[known].min() - 1e-3
            assert filled.max() <= picture[known].max() + 1e-3
    flat = np.full((33, 70, 3), (10, 200, 30), np.uint8)
    holes = np.ones((33, 70), bool)
    holes[5, 60] = False
    np.testing.assert_allclose(fill_smoothly(flat, ~holes), flat, atol=1e-3)  # from one pixel, everywhere
    np.testing.assert_array_equal(fill_smoothly(flat, np.zeros((33, 70), bool)), np.zeros((33, 70, 3)))


def test_a_hole_takes_more_from_what_is_near() -> None:
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[:, 32:] = 200
    known = np.ones((64, 64), bool)
    known[24:40, 8:56] = False
    filled = fill_smoothly(picture, known)[:, :, 0]
    assert filled[32, 12] < 60 < 140 < filled[32, 52]
    assert np.abs(np.diff(filled[32, 10:54])).max() < 40  # and no step shows where the two sides meet


def random_image(height: int, width: int, channels: int, dtype: type, seed: int = 0) -> np.ndarray:
    high = np.iinfo(dtype).max + 1
    return np.random.default_rng(seed).integers(0, high, (height, width, channels), dtype=dtype)


def save(tmp_path: Path, image: Image.Image, name: str, **options: Any) -> Path:
    image.save(tmp_path / name, **options)
    return tmp_path / name


def png_by_hand(width: int, height: int, depth: int, kind: int, rows: bytes) -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


# Reading: modes


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_lossless_formats_keep_every_bit(tmp_path: Path, suffix: str, dtype: type, channels: int) -> None:
    image = random_image(7, 5, channels, dtype)
    write_image(tmp_path / f"picture{suffix}", image)
    read = read_image(tmp_path / f"picture{suffix}")
    assert read.dtype == dtype
    np.testing.assert_array_equal(read, image)


def test_16_bit_ppm_and_pgm_are_exact(tmp_path: Path) -> None:
    colour, gray = random_image(4, 6, 3, np.uint16), random_image(4, 6, 1, np.uint16)
    (tmp_path / "a.ppm").write_bytes(b"P6\n# a remark\n6 4\n65535\n" + colour.astype(">u2").tobytes())
    (tmp_path / "b.pgm").write_bytes(b"P5 6 4 65535\n" + gray.astype(">u2").tobytes())
    np.testing.assert_array_equal(read_image(tmp_path / "a.ppm"), colour)
    np.testing.assert_array_equal(read_image(tmp_path / "b.pgm"), gray)


def test_palette_becomes_colour(tmp_path: Path) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.putdata([0, 1])
    read = read_image(save(tmp_path, image, "p.png"))
    np.testing.assert_array_equal(read, [[[10, 20, 30], [200, 100, 50]]])
    # One transparent entry, and one alpha a palette entry: Pillow stores these differently.
    np.testing.assert_array_equal(
        read_image(save(tmp_path, image, "t.png", transparency=1)), [[[10, 20, 30, 255], [200, 100, 50, 0]]]
    )
    np.testing.assert_array_equal(
        read_image(save(tmp_path, image, "b.png", transparency=b"\x80\xff")), [[[10, 20, 30, 128], [200, 100, 50, 255]]]
    )


@pytest.mark.parametrize(
    ("mode", "name", "channels", "dtype"),
    [
        ("1", "a.png", 1, np.uint8),
        ("1", "a.tiff", 1, np.uint8),
        ("L", "a.jpg", 1, np.uint8),
        ("LA", "a.png", 4, np.uint8),
        ("CMYK", "a.jpg", 3, np.uint8),
        ("CMYK", "a.tiff", 3, np.uint8),
        ("YCbCr", "a.tiff", 3, np.uint8),
        ("LAB", "a.tiff", 3, np.uint8),
        ("I;16", "a.tiff", 1, np.uint16),
        ("I", "a.tiff", 1, np.uint16),
        ("RGB", "a.webp", 3, np.uint8),
        ("RGBA", "a.webp", 4, np.uint8),
        ("RGB", "a.gif", 3, np.uint8),
        ("RGB", "a.tga", 3, np.uint8),
        ("RGB", "a.jp2", 3, np.uint8),
        ("RGBA", "a.ico", 4, np.uint8),
    ],
)
def test_modes(tmp_path: Path, mode: str, name: str, channels: int, dtype: type) -> None:
    # Pillow writes uncompressed YCbCr TIFFs that it cannot read back.
    options = {"compression": "jpeg"} if mode == "YCbCr" else {}
    read = read_image(save(tmp_path, Image.new(mode, (16, 16)), name, **options))
    assert read.shape == (16, 16, channels)
    assert read.dtype == dtype
    assert read.flags.c_contiguous
    assert read.flags.writeable


def test_colours_of_converted_modes(tmp_path: Path) -> None:
    white_cmyk = Image.new("CMYK", (8, 8), (0, 0, 0, 0))
    red_ycbcr = Image.new("RGB", (8, 8), (255, 0, 0)).convert("YCbCr")
    white_lab = Image.new("LAB", (8, 8), (255, 128, 128))
    assert read_image(save(tmp_path, white_cmyk, "c.jpg"))[0, 0].tolist() == [255, 255, 255]
    np.testing.assert_allclose(from_pil(red_ycbcr)[0, 0], [255, 0, 0], atol=2)
    assert read_image(save(tmp_path, white_lab, "lab.tiff"))[0, 0].min() >= 254
    assert from_pil(Image.new("1", (1, 1), 1)).tolist() == [[[255]]]


def test_gray_png_with_a_transparent_value(tmp_path: Path) -> None:
    image = Image.fromarray(np.array([[7, 9]], np.uint8))
    read = read_image(save(tmp_path, image, "t.png", transparency=9))
    assert read.tolist() == [[[7, 7, 7, 255], [9, 9, 9, 0]]]


def test_16_bit_gray_with_alpha_is_kept(tmp_path: Path) -> None:
    # Pillow cannot write it.
    path = tmp_path / "la16.png"
    path.write_bytes(png_by_hand(1, 1, depth=16, kind=4, rows=b"\x00" + struct.pack(">HH", 1000, 40001)))
    assert read_image(path).tolist() == [[[1000, 1000, 1000, 40001]]]


def test_first_frame_of_an_animation(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ((255, 0, 0), (0, 255, 0))]
    for name in ("a.gif", "a.webp", "a.png"):
        options: dict[str, Any] = {"lossless": True} if name == "a.webp" else {}
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], duration=10, **options)
        assert read_image(tmp_path / name)[0, 0, :3].tolist() == [255, 0, 0], name


@pytest.mark.parametrize("orientation", range(10))
@pytest.mark.parametrize("name", ["a.png", "a.tiff", "a.jpg"])
def test_exif_orientation_as_pillow_does_it(tmp_path: Path, orientation: int, name: str) -> None:
    pixels = np.kron(random_image(2, 3, 3, np.uint8), np.ones((8, 8, 1), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path, Image.fromarray(pixels), name, exif=exif)
    with Image.open(path) as opened:
        expected = np.array(ImageOps.exif_transpose(opened))
        np.testing.assert_array_equal(read_image(path), expected)
    with Image.open(path) as opened:
        np.testing.assert_array_equal(from_pil(opened), expected)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_of_16_bit_colour(tmp_path: Path, orientation: int) -> None:
    deep = random_image(2, 3, 3, np.uint16)
    shallow = Image.fromarray(to_rgb8(deep))
    exif = Image.Exif()
    exif[0x0112] = orientation
    expected = np.array(ImageOps.exif_transpose(Image.open(save(tmp_path, shallow, "8.png", exif=exif))))
    write_image(tmp_path / "plain.png", deep)
    raw = (tmp_path / "plain.png").read_bytes()
    tagged = (tmp_path / "8.png").read_bytes()
    start = tagged.index(b"eXIf") - 4
    chunk = tagged[start : start + 12 + int.from_bytes(tagged[start : start + 4], "big")]
    (tmp_path / "16.png").write_bytes(raw[:33] + chunk + raw[33:])  # signature and IHDR are 33 bytes
    np.testing.assert_array_equal(to_rgb8(read_image(tmp_path / "16.png")), expected)
    # A TIFF, made by OpenCV with its own orientation entry rewritten in place.
    tiff = tiff_with_orientation(deep, orientation)
    (tmp_path / "16.tiff").write_bytes(tiff)
    np.testing.assert_array_equal(to_rgb8(read_image(tmp_path / "16.tiff")), expected)


def tiff_with_orientation(deep: np.ndarray, orientation: int) -> bytes:
    """A minimal uncompressed little-endian 16-bit RGB TIFF."""
    height, width, _ = deep.shape
    entries = [
        (256, 3, 1, width),
        (257, 3, 1, height),
        (258, 3, 3, 8 + 2 + 10 * 12 + 4),
        (259, 3, 1, 1),
        (262, 3, 1, 2),
        (273, 4, 1, 8 + 2 + 10 * 12 + 4 + 6),
        (274, 3, 1, orientation),
        (277, 3, 1, 3),
        (278, 3, 1, height),
        (279, 4, 1, deep.nbytes),
    ]
    directory = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    head = b"II*\x00" + struct.pack("<I", 8) + struct.pack("<H", len(entries)) + directory + struct.pack("<I", 0)
    return head + struct.pack("<HHH", 16, 16, 16) + deep.astype("<u2").tobytes()


# Reading: refusals


def error_line(path: Path, pixel_limit: int = PIXEL_LIMIT) -> str:
    with pytest.raises(ImageError) as caught:
        read_image(path, pixel_limit)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{path}: ")
    return message


def test_missing_empty_folder_and_text(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("I am no picture, however long I go on about it.")
    (tmp_path / "folder.png").mkdir()
    assert "no such file" in error_line(tmp_path / "none.png")
    assert "empty" in error_line(tmp_path / "empty.png")
    assert "not an image" in error_line(tmp_path / "text.png")
    assert "folder" in error_line(tmp_path / "folder.png")


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.gif", "a.tiff", "a.bmp", "deep.png", "deep.tiff"])
@pytest.mark.parametrize("keep", [3, 20, 200, 0.5, 0.95])
def test_truncated(tmp_path: Path, name: str, keep: float) -> None:
    if name.startswith("deep"):
        write_image(tmp_path / name, random_image(40, 40, 3, np.uint16))
    else:
        Image.fromarray(random_image(40, 40, 3, np.uint8)).save(tmp_path / name)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: int(keep if keep > 1 else keep * len(content))])
    error_line(tmp_path / name)


def test_damage_anywhere_gives_a_picture_or_an_image_error(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "a long description that lies outside of the directory entry"
    generator = np.random.default_rng(1)
    for name in ("a.png", "a.jpg", "a.webp", "a.gif", "a.tiff", "a.bmp", "a.ico", "a.jp2"):
        buffer = io.BytesIO()
        options = {"exif": exif} if name in ("a.png", "a.jpg", "a.webp", "a.tiff") else {}
        file_format = Image.registered_extensions()[name[1:]]
        Image.fromarray(random_image(16, 16, 3, np.uint8)).save(buffer, file_format, **options)
        for _ in range(40):
            content = bytearray(buffer.getvalue())
            for position in generator.integers(0, min(len(content), 300), 4):
                content[position] = generator.integers(256)
            (tmp_path / name).write_bytes(content)
            with contextlib.suppress(ImageError):
                assert read_image(tmp_path / name, 10_000).ndim == 3


def test_float_pixels_are_refused(tmp_path: Path) -> None:
    path = save(tmp_path, Image.new("F", (4, 4)), "f.tiff")
    assert "floating point" in error_line(path)
    cv2.imwrite(str(tmp_path / "f3.tiff"), np.zeros((4, 4, 3), np.float32))
    assert "TIFF" in error_line(tmp_path / "f3.tiff")


def test_wide_integers_are_refused(tmp_path: Path) -> None:
    path = save(tmp_path, Image.fromarray(np.array([[0, 70_000]], np.int32)), "i.tiff")
    assert "70000" in error_line(path)


def test_bomb_is_refused_from_its_header(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_by_hand(30_000, 20_000, depth=8, kind=2, rows=b""))
    before = Image.MAX_IMAGE_PIXELS
    message = error_line(path)
    assert "30000x20000" in message
    assert "200000000" in message
    assert "--pixel-limit 600000000" in message
    assert before == Image.MAX_IMAGE_PIXELS
    small = save(tmp_path, Image.new("L", (10, 10)), "small.png")
    assert read_image(small, pixel_limit=100).shape == (10, 10, 1)
    error_line(small, pixel_limit=99)


def test_sizes_pillow_warns_about_are_read_silently(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path, Image.new("L", (64, 64)), "a.png")
    for limit in (2500, 1000):  # Pillow warns above its limit and raises above twice its limit
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        assert read_image(path).shape == (64, 64, 1)


def test_corrupt_exif_is_silent(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "x" * 100
    path = save(tmp_path, Image.new("RGB", (8, 8)), "a.jpg", exif=exif.tobytes()[:60])
    with pytest.warns(UserWarning, match="Truncated"), Image.open(path) as opened:
        opened.getexif()
    assert read_image(path).shape == (8, 8, 3)


def test_threads_read_at_once_and_leave_the_warning_filters(tmp_path: Path) -> None:
    path = save(tmp_path, Image.new("RGB", (32, 32)), "a.jpg")
    before = list(warnings.filters)
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(30):
                read_image(path)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert list(warnings.filters) == before


# Conversions


def test_rgb_of_transparency_by_hand() -> None:
    image = np.array([[[100, 0, 255, 128], [9, 9, 9, 0], [1, 2, 3, 255]]], np.uint8)
    # 100 * 128/255 + 255 * 127/255 = 177.2; 0 + 127; 255
    assert to_rgb(image).tolist() == [[[177, 127, 255], [255, 255, 255], [1, 2, 3]]]


def test_rgb_of_16_bit_transparency_is_rounded_exactly() -> None:
    image = random_image(30, 30, 4, np.uint16)
    image[0, 0] = 65535
    colour, alpha = image[..., :3].astype(np.float64), image[..., 3:] / 65535
    np.testing.assert_array_equal(to_rgb(image), np.rint(colour * alpha + 65535 * (1 - alpha)))


def test_16_to_8_bits_rounds_every_value_exactly() -> None:
    values = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1)
    np.testing.assert_array_equal(to_rgb8(values)[..., 0], np.rint(values[..., 0] * (255 / 65535)))


def test_gray_is_luma() -> None:
    assert to_gray(np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8))[0, :, 0].tolist() == [76, 150, 29]
    image = random_image(20, 20, 3, np.uint8)
    difference = to_gray(image)[..., 0].astype(int) - np.asarray(Image.fromarray(image).convert("L"))
    assert abs(difference).max() <= 1
    equal = np.repeat(np.arange(65536, dtype=np.uint16).reshape(256, 256, 1), 3, axis=2)
    np.testing.assert_array_equal(to_gray(equal), equal[..., :1])


@pytest.mark.parametrize(("channels", "dtype"), [(1, np.uint8), (3, np.uint8), (4, np.uint8), (1, np.uint16)])
def test_pil_round_trip(channels: int, dtype: type) -> None:
    image = random_image(5, 4, channels, dtype)
    np.testing.assert_array_equal(from_pil(to_pil(image)), image)


def test_pil_cannot_hold_deep_colour() -> None:
    with pytest.raises(ValueError, match="to_rgb8"):
        to_pil(random_image(2, 2, 3, np.uint16))


@pytest.mark.parametrize("wrong", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 17), np.uint8), np.zeros((4, 4, 3))])
def test_wrong_arrays_are_named(wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"expected \(H, W, C\)"):
        to_rgb(wrong)


# Writing


def test_jpeg_is_full_colour_resolution_and_flattened(tmp_path: Path) -> None:
    image = np.zeros((16, 16, 4), np.uint16)
    image[:, ::2] = 65535, 0, 0, 65535
    write_image(tmp_path / "a.jpg", image)
    read = read_image(tmp_path / "a.jpg")
    assert read.dtype == np.uint8
    # Columns alternate red and white; with halved colour resolution they would mix.
    np.testing.assert_allclose(read[:, 0].mean(0), [255, 0, 0], atol=12)
    np.testing.assert_allclose(read[:, 1].mean(0), [255, 255, 255], atol=12)


@pytest.mark.parametrize("suffix", [".png", ".JPG", ".jpeg", ".webp", ".tif", ".bmp"])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_suffix_takes_every_image(tmp_path: Path, suffix: str, channels: int, dtype: type) -> None:
    write_image(tmp_path / f"a{suffix}", np.full((6, 9, channels), np.iinfo(dtype).max, dtype))
    read = to_rgb8(read_image(tmp_path / f"a{suffix}"))
    assert read.shape == (6, 9, 3)
    assert read.min() >= 253
    assert [path.name for path in tmp_path.iterdir()] == [f"a{suffix}"]


def test_failed_write_keeps_the_old_file_and_no_rubbish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    write_image(path, np.zeros((2, 2, 3), np.uint8))
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pix2pix.images.writing.os.replace", full)
    with pytest.raises(ImageError, match="No space left") as caught:
        write_image(path, np.ones((2, 2, 3), np.uint8))
    assert str(caught.value).startswith(f"{path}: ")
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_write_refusals(tmp_path: Path) -> None:
    image = np.zeros((2, 2, 3), np.uint8)
    with pytest.raises(ImageError, match=r"none/a.png: cannot be written"):
        write_image(tmp_path / "none" / "a.png", image)
    with pytest.raises(ImageError, match=r"cannot write '.xyz'"):
        write_image(tmp_path / "a.xyz", image)
    with pytest.raises(ImageError, match="cannot be written"):
        write_image(tmp_path / "a.webp", np.zeros((1, 20_000, 3), np.uint8))
    assert list(tmp_path.iterdir()) == []


def test_written_files_have_ordinary_permissions(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    write_image(tmp_path / "a.png", np.zeros((2, 2, 3), np.uint8))
    assert stat.S_IMODE(os.stat(tmp_path / "a.png").st_mode) == stat.S_IMODE(os.stat(tmp_path / "plain").st_mode)


# Lists, sizes, grids


def test_list_is_natural_and_shallow(tmp_path: Path) -> None:
    for name in ("10.jpg", "2.JPG", "a10b2.png", "a2b10.png", ".hidden.png", "note.txt", "1.webp"):
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    assert [path.name for path in list_images(tmp_path)] == ["1.webp", "2.JPG", "10.jpg", "a2b10.png", "a10b2.png"]
    with pytest.raises(ImageError, match="cannot list"):
        list_images(tmp_path / "none")


@pytest.mark.parametrize("nearest", [True, False])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_resize_keeps_kind(nearest: bool, dtype: type, channels: int) -> None:
    generator = np.random.default_rng(3)
    for _ in range(8):
        height, width, new_height, new_width = (int(size) for size in generator.integers(1, 40, 4))
        image = random_image(height, width, channels, dtype)
        resized = resize(image, new_height, new_width, nearest)
        assert resized.shape == (new_height, new_width, channels)
        assert resized.dtype == dtype
        if nearest:
            colours = {tuple(colour) for colour in image.reshape(-1, channels)}
            assert {tuple(colour) for colour in resized.reshape(-1, channels)} <= colours
        flat = np.full_like(image, 77)
        assert (resize(flat, new_height, new_width, nearest) == 77).all()


def test_resize_by_hand() -> None:
    image = np.array([[0, 10, 100, 110], [20, 30, 120, 130]], np.uint8)[:, :, None]
    assert resize(image, 1, 2, nearest=False)[..., 0].tolist() == [[15, 115]]
    # Shrinking one axis while the other grows still averages, here 0 and 20, 10 and 30 ...
    assert resize(image, 1, 4, nearest=False)[..., 0].tolist() == [[10, 20, 110, 120]]
    doubled = resize(image, 4, 8, nearest=True)
    np.testing.assert_array_equal(doubled, image.repeat(2, axis=0).repeat(2, axis=1))


def test_reflect_pad_as_torch_does_it() -> None:
    generator = np.random.default_rng(4)
    for _ in range(40):
        height, width, more_height, more_width = (int(size) for size in generator.integers([1, 1, 0, 0], 12, 4))
        image = random_image(height, width, 3, np.uint8)
        tensor = torch.from_numpy(image).permute(2, 0, 1)[None].float()
        tensor = F.pad(tensor, (0, more_width, 0, 0), mode="reflect" if more_width < width else "replicate")
        tensor = F.pad(tensor, (0, 0, 0, more_height), mode="reflect" if more_height < height else "replicate")
        expected = tensor[0].permute(1, 2, 0).numpy().astype(np.uint8)
        np.testing.assert_array_equal(reflect_pad(image, height + more_height, width + more_width), expected)


def test_grid_places_tiles_and_titles() -> None:
    tiles = [
        [random_image(20, 30, 1, np.uint8), random_image(20, 30, 3, np.uint16)],
        [random_image(20, 30, 4, np.uint8)],
    ]
    sheet = make_grid(tiles, gap=4)
    assert sheet.shape == (4 + 2 * 24, 4 + 2 * 34, 3)
    np.testing.assert_array_equal(sheet[4:24, 38:68], to_rgb8(tiles[0][1]))
    np.testing.assert_array_equal(sheet[28:48, 4:34], to_rgb8(tiles[1][0]))
    assert (sheet[28:48, 38:68] == 255).all()
    titled = make_grid(tiles, gap=4, titles=["input", "a title far too long for its tile"])
    head = titled.shape[0] - sheet.shape[0]
    np.testing.assert_array_equal(titled[head:], sheet)
    assert titled[:head, :34].min() < 100
    assert titled[:head, 34:].min() < 100
    assert (titled[:head, 69:] == 255).all()


def test_a_large_jpeg_is_decoded_no_larger_than_needed(tmp_path: Path) -> None:
    rows, columns = np.mgrid[:600, :900]
    image = np.stack([rows * 255 // 600, columns * 255 // 900, (rows + columns) * 255 // 1500], axis=2).astype(np.uint8)
    write_image(tmp_path / "large.jpg", image)
    for enough, side in ((None, 600), (700, 600), (301, 600), (300, 300), (80, 150), (10, 75)):
        read = read_image(tmp_path / "large.jpg", enough=enough)
        assert read.shape == (side, -(-side * 3 // 2), 3)
        assert np.abs(resize(image, *read.shape[:2], nearest=False).astype(int) - read).max() <= 6
    write_image(tmp_path / "large.png", image)
    assert read_image(tmp_path / "large.png", enough=80).shape == image.shape
