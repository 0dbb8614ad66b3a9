"""Colour profiles of any kind on pictures of any mode: grey and CMYK become sRGB, colours keep theirs."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from picture_files import (
    CMYK,
    GREY,
    GREY16,
    GREY_CURVES,
    READ,
    RGB,
    image,
    profile,
)
from PIL import Image, ImageCms

from pix2pix.images import read_image, read_picture
from pix2pix.images.profiles import grey_to_srgb


@pytest.mark.parametrize("curve", GREY_CURVES)
def test_grey_is_brought_to_srgb_as_lcms_does_it(curve: str) -> None:
    levels = Image.fromarray(np.arange(256, dtype=np.uint8)[None])
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile(curve)))
    srgb, exact = ImageCms.createProfile("sRGB"), ImageCms.Flags.NOOPTIMIZE  # else it interpolates between 33 values
    expected = ImageCms.profileToProfile(levels, source, srgb, outputMode="RGB", flags=exact)
    assert expected is not None
    table = grey_to_srgb(profile(curve), np.dtype(np.uint8))
    assert table is not None
    assert np.abs(table.astype(int) - np.asarray(expected)[0, :, 1]).max() <= 1
    deep = grey_to_srgb(profile(curve), np.dtype(np.uint16))
    assert deep is not None
    assert (np.diff(deep.astype(int)) >= 0).all()
    assert len(np.unique(deep)) > 40_000  # 16 bits remain: a curve of 256 steps would leave 256
    assert np.abs(deep[::257] / 257.0 - table).max() <= 0.51


def test_grey_curves_by_hand() -> None:
    # Linear luminance 0.5 is 0.735 in sRGB; gamma 2.2 at a half is 0.5 ** 2.2 = 0.2176, in sRGB 0.5040.
    linear = grey_to_srgb(profile("linear"), np.dtype(np.uint16))
    power = grey_to_srgb(profile("gamma 2.2"), np.dtype(np.uint16))
    assert linear is not None
    assert power is not None
    assert abs(linear[32768] / 65535 - 0.7354) < 1e-4
    assert abs(power[32768] / 65535 - 0.5040) < 1e-3
    own = grey_to_srgb(profile("parametric 3"), np.dtype(np.uint16))  # sRGB's own curve changes nothing
    assert own is not None
    assert np.abs(own.astype(int) - np.arange(65536)).max() <= 8  # its numbers have 16 bits after the point


WITH_PROFILES = [name for name in (row[0] for row in READ) if "bmp" not in name]


def with_profile(content: bytes, icc_profile: bytes) -> bytes | None:
    """The same file with a profile, put in by hand or by another library; None where that cannot be had."""
    if content[:4] == b"\x89PNG":
        chunk = b"iCCP" + b"x\0\0" + zlib.compress(icc_profile)
        chunk = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        return content[:33] + chunk + content[33:]
    if content[:2] == b"\xff\xd8":
        segment = b"ICC_PROFILE\0\1\1" + icc_profile
        return content[:2] + b"\xff\xe2" + struct.pack(">H", len(segment) + 2) + segment + content[2:]
    return None


@pytest.mark.parametrize("name", [name for name in WITH_PROFILES if name.endswith((".png", ".jpg"))])
@pytest.mark.parametrize("colours", ["sRGB", "P3", "gamma 1.8", "CMYK", "damaged", "cut"])
def test_profiles_of_any_kind_on_any_mode(tmp_path: Path, name: str, colours: str) -> None:
    write = next(row[1] for row in READ if row[0] == name)
    (tmp_path / "plain").write_bytes(write())
    plain = read_image(tmp_path / "plain")
    given = {"damaged": b"no profile at all " * 20, "cut": profile("P3")[:200]}.get(colours) or profile(colours)
    tagged = with_profile(write(), given)
    assert tagged is not None
    (tmp_path / name).write_bytes(tagged)
    picture = read_picture(tmp_path / name)
    np.testing.assert_array_equal(read_image(tmp_path / name), picture.pixels)
    assert picture.metadata.icc_profile == (given if colours in ("sRGB", "P3") else None)
    is_grey = name.startswith(("1.", "L", "I16"))
    if colours == "gamma 1.8" and is_grey:
        top = np.iinfo(plain.dtype).max
        expected = plain.astype(np.float64)
        shown = slice(0, 3 if plain.shape[2] == 4 else 1)
        light = (expected[:, :, shown] / top) ** (round(1.8 * 256) / 256)
        expected[:, :, shown] = top * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
        assert np.abs(picture.pixels - expected).max() <= 0.51
    elif colours == "CMYK" and name.startswith("CMYK"):
        with Image.open(tmp_path / name) as opened:
            source = ImageCms.ImageCmsProfile(io.BytesIO(given))
            converted = ImageCms.profileToProfile(opened, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        np.testing.assert_array_equal(picture.pixels, np.asarray(converted))
        assert np.abs(picture.pixels.astype(int) - plain).max() > 10
    else:
        np.testing.assert_array_equal(picture.pixels, plain)


@pytest.mark.parametrize(
    ("mode", "colours"), [("L", "gamma 1.8"), ("I;16", "gamma 1.8"), ("CMYK", "CMYK"), ("RGB", "P3")]
)
def test_profiles_of_tiffs(tmp_path: Path, mode: str, colours: str) -> None:
    picture = {"L": image(GREY), "I;16": image(GREY16), "CMYK": CMYK, "RGB": image(RGB)}[mode]
    picture.save(tmp_path / "plain.tif")
    picture.save(tmp_path / "a.tif", icc_profile=profile(colours))
    read, plain = read_picture(tmp_path / "a.tif"), read_image(tmp_path / "plain.tif")
    assert read.metadata.icc_profile == (profile(colours) if mode == "RGB" else None)
    assert np.array_equal(read.pixels, plain) == (mode == "RGB")
