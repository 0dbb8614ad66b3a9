"""EXIF, XMP, IPTC and resolution: read, made true, and kept from any format into any other."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from picture_files import (
    HEIGHT,
    RGB,
    RGB16,
    WIDTH,
    cv,
    image,
    photo,
    pil,
    profile,
    tiff,
)
from PIL import Image, ImageOps, IptcImagePlugin

from pix2pix.images import Metadata, Picture, read_picture, to_rgb8, write_image
from pix2pix.images.exif import tidy_exif
from pix2pix.images.metadata import tidy_xmp

IPTC = b"\x1c\x02\x78\x00\x0aOld bridge\x1c\x02\x19\x00\x05river"  # caption, keyword
XMP = b"""<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" tiff:Orientation="6"
 xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4">
<tiff:ImageWidth>9</tiff:ImageWidth><xmp:Thumbnails><rdf:Alt>/9j/old</rdf:Alt></xmp:Thumbnails>
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end='w'?>"""


def exif_block(orientation: int = 6, order: str = "<", thumbnail: bool = True) -> bytes:
    """An EXIF block made by hand: two directories below the first, private notes, and a thumbnail at the end."""
    note, jpeg = b"NOTE" + bytes(range(40)), b"\xff\xd8 the old picture \xff\xd9"
    layout: dict[str, list[tuple[int, int, int, bytes | int | str]]] = {
        "first": [
            (0x010F, 2, 7, b"Zenith\0"),
            (0x0112, 3, 1, orientation << (16 if order == ">" else 0)),
            (0x0132, 2, 20, b"1972:05:04 10:20:30\0"),
            (0x8769, 4, 1, "exif"),
            (0x8825, 4, 1, "gps"),
        ],
        "exif": [
            (0x829A, 5, 1, struct.pack(order + "II", 1, 250)),
            (0x927C, 7, len(note), note),
            (0xA002, 4, 1, 9),
            (0xA003, 4, 1, 9),
        ],
        "gps": [
            (0x0001, 2, 2, ord("N") << (24 if order == ">" else 0)),
            (0x0002, 5, 3, struct.pack(order + "6I", 48, 1, 51, 1, 30, 1)),
        ],
        "thumbnail": [(0x0201, 4, 1, "jpeg"), (0x0202, 4, 1, len(jpeg))],
    }
    if not thumbnail:
        del layout["thumbnail"]
    starts, position = {}, 8
    for name, rows in layout.items():
        starts[name] = position
        position += (
            2 + 12 * len(rows) + 4 + sum(len(row[3]) + len(row[3]) % 2 for row in rows if isinstance(row[3], bytes))
        )
    starts["jpeg"] = position
    block = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    for name, rows in layout.items():
        directory, values = struct.pack(order + "H", len(rows)), b""
        for tag, kind, count, value in rows:
            if isinstance(value, bytes):
                held = starts[name] + 2 + 12 * len(rows) + 4 + len(values)
                values += value + bytes(len(value) % 2)
            else:
                held = starts[value] if isinstance(value, str) else value
            directory += struct.pack(order + "HHII", tag, kind, count, held)
        following = starts.get("thumbnail", 0) if name == "first" else 0
        block += directory + struct.pack(order + "I", following) + values
    return block + (jpeg if thumbnail else b"")


def exif_of(path: Path) -> Image.Exif:
    with Image.open(path) as opened:
        exif = opened.getexif()
        exif.get_ifd(0x8769), exif.get_ifd(0x8825), exif.get_ifd(1)
        return exif


def check_exif(exif: Image.Exif, width: int, height: int) -> None:
    assert exif.get(0x0112, 1) == 1
    assert exif[0x010F] == "Zenith"
    assert exif[0x0132] == "1972:05:04 10:20:30"
    shot, place = exif.get_ifd(0x8769), exif.get_ifd(0x8825)
    assert shot[0x829A] == pytest.approx(1 / 250)
    assert shot[0x927C] == b"NOTE" + bytes(range(40))
    assert (shot[0xA002], shot[0xA003]) == (width, height)
    assert [float(each) for each in place[0x0002]] == [48, 51, 30]
    assert not exif.get_ifd(1)


@pytest.mark.parametrize("order", ["<", ">"])
def test_an_exif_block_keeps_all_but_orientation_sizes_and_thumbnail(order: str) -> None:
    old = exif_block(order=order)
    for prefix in (b"", b"Exif\0\0", b"Exif\0\0Exif\0\0"):
        new = tidy_exif(prefix + old, 640, 480)
        assert new is not None
        changed = [index for index in range(len(new)) if new[index] != old[index]]
        assert len(changed) <= 12  # orientation, the pointer to the thumbnail, two sizes; nothing else moved
        assert b"the old picture" not in new
        assert tidy_exif(new, 640, 480) == new
        exif = Image.Exif()
        exif.load(b"Exif\0\0" + new)
        check_exif(exif, 640, 480)


def test_damaged_exif_is_cleaned_or_dropped_never_raised() -> None:
    whole = exif_block()
    generator = np.random.default_rng(5)
    assert tidy_exif(b"", 1, 1) is None
    assert tidy_exif(b"Exif\0\0 nonsense", 1, 1) is None
    for length in range(0, len(whole), 3):
        tidy_exif(whole[:length], 8, 8)
    for _ in range(400):
        block = bytearray(whole)
        for position in generator.integers(0, len(block), 5):
            block[position] = generator.integers(256)
        new = tidy_exif(bytes(block), 8, 8)
        if new is not None:
            exif = Image.Exif()
            exif.load(b"Exif\0\0" + new)  # warnings are errors here: what stays is sound
            assert exif.get(0x0112, 1) == 1


def test_an_xmp_packet_is_made_true() -> None:
    new = tidy_xmp(XMP, 640, 480)
    assert new is not None
    assert b'tiff:Orientation="1"' in new
    assert b"<tiff:ImageWidth>640</tiff:ImageWidth>" in new
    assert b"old" not in new
    assert b'xmp:Rating="4"' in new
    assert tidy_xmp(b"<tiff:Orientation>8</tiff:Orientation>", 1, 1) == b"<tiff:Orientation>1</tiff:Orientation>"
    assert tidy_xmp(b"\xff\xfe<\0", 1, 1) is None


def jpeg_with_everything() -> bytes:
    resource = b"8BIM" + struct.pack(">HHI", 0x0404, 0, len(IPTC)) + IPTC + bytes(len(IPTC) % 2)
    app13 = b"Photoshop 3.0\0" + b"8BIM" + struct.pack(">HHI", 0x03ED, 0, 16) + bytes(16) + resource
    options = {"exif": b"Exif\0\0" + exif_block(), "xmp": XMP, "icc_profile": profile("P3"), "dpi": (300, 300)}
    extra = b"\xff\xed" + struct.pack(">H", len(app13) + 2) + app13
    return pil(image(RGB), "a.jpg", quality=95, subsampling=0, extra=extra, **options)


@pytest.fixture
def everything(tmp_path: Path) -> Picture:
    (tmp_path / "everything.jpg").write_bytes(jpeg_with_everything())
    return read_picture(tmp_path / "everything.jpg")


def test_metadata_of_a_jpeg(everything: Picture) -> None:
    assert everything.pixels.shape == (WIDTH, HEIGHT, 3)  # turned
    metadata = everything.metadata
    assert metadata.exif == tidy_exif(exif_block(), HEIGHT, WIDTH)
    assert metadata.xmp == tidy_xmp(XMP, HEIGHT, WIDTH)
    assert metadata.iptc == IPTC
    assert metadata.icc_profile == profile("P3")
    assert metadata.dpi == (300, 300)


KEPT = {
    # Suffix: what of the metadata it keeps.
    ".jpg": {"icc_profile", "exif", "xmp", "iptc", "dpi"},
    ".tif": {"icc_profile", "exif", "xmp", "iptc", "dpi"},
    ".png": {"icc_profile", "exif", "xmp", "dpi"},
    ".webp": {"icc_profile", "exif", "xmp"},
    ".avif": {"icc_profile", "exif", "xmp"},
    ".bmp": {"dpi"},
    ".npy": set(),
}


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("suffix", KEPT)
def test_metadata_goes_from_a_jpeg_into_every_format(
    tmp_path: Path, everything: Picture, suffix: str, channels: int, dtype: type
) -> None:
    path = tmp_path / f"out{suffix}"
    write_image(path, photo(channels, dtype, 48, 64), everything.metadata)  # twice the size of what was read
    kept = KEPT[suffix] - ({"icc_profile"} if channels == 1 else set())
    if suffix != ".npy":
        with Image.open(path) as opened:
            assert opened.info.get("icc_profile") == (profile("P3") if "icc_profile" in kept else None)
            if "dpi" in kept:
                assert opened.info["dpi"] == pytest.approx((300, 300), rel=1e-3)
            if "xmp" in kept:
                assert opened.info["xmp"] == tidy_xmp(XMP, 64, 48)
            if "iptc" in kept:
                assert IptcImagePlugin.getiptcinfo(opened) == {(2, 120): b"Old bridge", (2, 25): b"river"}
        if "exif" in kept:
            check_exif(exif_of(path), 64, 48)
    again = read_picture(path)
    assert again.pixels.shape[:2] == (48, 64)
    for field in ("icc_profile", "exif", "xmp", "iptc", "dpi"):
        assert (getattr(again.metadata, field) is not None) == (field in kept), field
    third = tmp_path / f"third{suffix}"
    write_image(third, again.pixels, again.metadata)
    if "exif" in kept:
        check_exif(exif_of(third), 64, 48)
    assert read_picture(third).metadata == again.metadata


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_exif_of_a_tiff_by_another_reader(tmp_path: Path, order: str, dtype: type) -> None:
    exif = tidy_exif(exif_block(order=order), 1, 1)
    pixels = photo(3, dtype)
    write_image(tmp_path / "a.tif", pixels, Metadata(exif=exif, iptc=IPTC, dpi=(240, 120)))
    with tifffile.TiffFile(tmp_path / "a.tif") as opened:
        np.testing.assert_array_equal(opened.asarray(), pixels)
        tags = opened.pages.first.tags
        assert opened.byteorder == order
        assert tags["Make"].value == "Zenith"
        assert tags["ExifTag"].value["ExposureTime"] == (1, 250)
        assert tags["ExifTag"].value["PixelXDimension"] == WIDTH
        assert tags["GPSTag"].value["GPSLatitude"] == (48, 1, 51, 1, 30, 1)
        assert tags["XResolution"].value[0] / tags["XResolution"].value[1] == 240
        assert [tag.code for tag in tags] == sorted(tag.code for tag in tags)


def test_iptc_of_a_tiff_that_declares_it_as_numbers(tmp_path: Path) -> None:
    padded = IPTC + bytes(-len(IPTC) % 4)
    for order in "<>":
        numbers = struct.unpack(f"{order}{len(padded) // 4}I", padded)
        (tmp_path / "a.tif").write_bytes(
            tiff(RGB, photometric="rgb", byteorder=order, extratags=[(33723, 4, len(numbers), numbers, True)])
        )
        assert read_picture(tmp_path / "a.tif").metadata.iptc == padded


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.avif", "a.tif", "deep.png"])
def test_orientation_is_applied_once_and_for_all(tmp_path: Path, name: str, orientation: int) -> None:
    path = tmp_path / name
    block = exif_block(orientation)
    options: dict[str, Any] = {"lossless": True} if name == "a.webp" else {}
    if name == "deep.png":
        chunk = b"eXIf" + block
        content = cv(RGB16, ".png")
        chunk = struct.pack(">I", len(block)) + chunk + struct.pack(">I", zlib.crc32(chunk))
        path.write_bytes(content[:33] + chunk + content[33:])
    elif name == "a.tif":
        path.write_bytes(tiff(RGB, photometric="rgb", extratags=[(274, 3, 1, orientation, True)]))
    else:
        path.write_bytes(pil(image(RGB), name, exif=b"Exif\0\0" + block, **options))
    with Image.open(path) as opened:
        expected = np.asarray(ImageOps.exif_transpose(opened).convert("RGB"))
    picture = read_picture(path)
    assert np.abs(to_rgb8(picture.pixels).astype(int) - expected).max() <= (1 if name == "deep.png" else 0)
    for suffix in (".jpg", ".png", ".tif", ".avif"):
        write_image(tmp_path / f"out{suffix}", picture.pixels, picture.metadata)
        with Image.open(tmp_path / f"out{suffix}") as opened:
            assert opened.getexif().get(0x0112, 1) == 1
            assert opened.size == expected.shape[1::-1]


def test_damaged_metadata_never_hides_the_pixels(tmp_path: Path) -> None:
    rubbish = bytes(np.random.default_rng(0).integers(0, 256, 500, dtype=np.uint8))
    for name in ("a.jpg", "a.png", "a.webp"):
        for exif in (rubbish, b"Exif\0\0" + exif_block()[:70], b"Exif\0\0II*\0" + rubbish):
            options = {"xmp": rubbish, "icc_profile": rubbish} if name != "a.png" else {"icc_profile": rubbish}
            (tmp_path / name).write_bytes(pil(image(RGB), name, exif=exif, **options))
            picture = read_picture(tmp_path / name)
            assert picture.pixels.shape == RGB.shape
            assert picture.metadata.icc_profile is None
            assert picture.metadata.xmp is None
            write_image(tmp_path / f"out-{name}", picture.pixels, picture.metadata)
    (tmp_path / "a.tif").write_bytes(tiff(RGB, photometric="rgb", extratags=[(700, 1, 4, b"\xff\xfe\xfd\xfc", True)]))
    assert read_picture(tmp_path / "a.tif").metadata == Metadata()
    write_image(tmp_path / "a.tif", RGB, Metadata(exif=tidy_exif(exif_block(), 1, 1), dpi=(300, 300)))
    content = (tmp_path / "a.tif").read_bytes()
    for tag in (34665, 34853):
        start = content.index(struct.pack("<HHI", tag, 4, 1)) + 8
        for pointer in (0, 8, len(content) - 3, 2**32 - 1):
            (tmp_path / "a.tif").write_bytes(content[:start] + struct.pack("<I", pointer) + content[start + 4 :])
            picture = read_picture(tmp_path / "a.tif")
            np.testing.assert_array_equal(picture.pixels, RGB)
            assert picture.metadata.dpi == pytest.approx((300, 300))
            write_image(tmp_path / "out.tif", picture.pixels, picture.metadata)


def test_a_jpeg_leaves_out_what_it_cannot_hold(tmp_path: Path) -> None:
    large = b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHII", 0x010E, 2, 70_000, 26) + bytes(4) + b"x" * 70_000
    metadata = Metadata(exif=large, xmp=b" " * 70_000, iptc=bytes(70_000), dpi=(1e9, 1e9))
    write_image(tmp_path / "a.jpg", RGB, metadata)
    assert read_picture(tmp_path / "a.jpg").metadata == Metadata()
    write_image(tmp_path / "a.tif", RGB, metadata)
    again = read_picture(tmp_path / "a.tif").metadata
    assert again.exif is not None
    assert b"x" * 70_000 in again.exif
    assert (again.xmp, again.iptc) == (metadata.xmp, metadata.iptc)
