"""Small pictures of every mode as other libraries write them, and colour profiles made by hand."""

from __future__ import annotations

import functools
import io
import struct
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import tifffile
from PIL import Image, ImageCms

HEIGHT, WIDTH = 24, 40


def photo(channels: int, dtype: type = np.uint8, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """(H, W, C): smooth, so that lossy formats come close, and different along both axes; low bits vary."""
    top = int(np.iinfo(dtype).max)
    rows, columns = np.mgrid[:height, :width] / np.array([height, width]).reshape(2, 1, 1)
    planes = [0.9 * rows + 0.05, 0.8 * columns + 0.1, 0.5 * rows + 0.4 * columns, 0.9 - 0.4 * rows]
    stacked = np.stack(planes[-1:] if channels == 1 else planes[:channels], axis=2)
    return (stacked * top).astype(dtype)


def icc(space: bytes, tags: dict[bytes, bytes], connection: bytes = b"XYZ ") -> bytes:
    """An ICC profile of version 2 from its tags (ICC.1:2001-04, 6)."""
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(78),
        b"cprt": b"text\0\0\0\0-\0",
        **tags,
    }
    table, body, start = b"", b"", 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        table += struct.pack(">4sII", name, start + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    kind = b"prtr" if space == b"CMYK" else b"mntr"
    white = struct.pack(">iii", 63190, 65536, 54061)  # D50
    full = struct.pack(">I4sI4s4s4s", start + len(body), bytes(4), 0x02400000, kind, space, connection)
    full += struct.pack(">6H", 2024, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + white + bytes(48)
    assert len(full) == 128
    return full + struct.pack(">I", len(tags)) + table + body


def xyz(*values: float) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">iii", *(round(value * 65536) for value in values))


def gamma(exponent: float) -> bytes:
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(exponent * 256))


def samples(values: np.ndarray) -> bytes:
    table = np.rint(values * 65535).astype(">u2")
    return b"curv" + bytes(4) + struct.pack(">I", len(table)) + bytes(table.tobytes())


def parametric(kind: int, *numbers: float) -> bytes:
    return (
        b"para"
        + bytes(4)
        + struct.pack(">HH", kind, 0)
        + b"".join(struct.pack(">i", round(n * 65536)) for n in numbers)
    )


WHITE = {b"wtpt": xyz(0.9642, 1.0, 0.8249)}
GREY_CURVES = {
    "gamma 1.8": gamma(1.8),
    "gamma 2.2": gamma(2.2),
    "linear": b"curv" + bytes(8),
    "dot gain": samples(np.linspace(0, 1, 64) ** 1.75 * 0.9 + 0.1 * np.linspace(0, 1, 64)),
    "parametric 0": parametric(0, 2.4),
    "parametric 3": parametric(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045),
}


@functools.cache
def profile(name: str) -> bytes:
    if name == "sRGB":
        return bytes(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    if name == "P3":
        primaries = {
            b"rXYZ": (0.5151, 0.2412, -0.0011),
            b"gXYZ": (0.2920, 0.6922, 0.0419),
            b"bXYZ": (0.1571, 0.0666, 0.7841),
        }
        curves = {name: gamma(2.2) for name in (b"rTRC", b"gTRC", b"bTRC")}
        return icc(b"RGB ", {**WHITE, **{name: xyz(*values) for name, values in primaries.items()}, **curves})
    if name == "CMYK":
        return icc(b"CMYK", {**WHITE, b"A2B0": cmyk_table()}, b"Lab ")
    return icc(b"GRAY", {**WHITE, b"kTRC": GREY_CURVES[name]})


def cmyk_table() -> bytes:
    """A `mft1` table of two points a side: ink takes away lightness, cyan and magenta add some blue and red."""
    grid = np.stack(np.meshgrid(*[[0.0, 1.0]] * 4, indexing="ij"), axis=-1).reshape(-1, 4)
    cyan, magenta, yellow, black = grid.T
    lightness = 100 * (1 - 0.45 * cyan) * (1 - 0.5 * magenta) * (1 - 0.1 * yellow) * (1 - 0.85 * black)
    left = (1 - black)[:, None] * np.stack([70 * magenta - 35 * cyan, 85 * yellow - 50 * cyan], axis=1)
    lab = np.column_stack([lightness * 2.55, left + 128]).round().clip(0, 255).astype(np.uint8)
    ramp = np.arange(256, dtype=np.uint8).tobytes()
    identity = struct.pack(">9i", *(65536, 0, 0, 0, 65536, 0, 0, 0, 65536))
    return b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + identity + 4 * ramp + lab.tobytes() + 3 * ramp


def pil(image: Image.Image, name: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, Image.registered_extensions()[name[name.index(".") :]], **options)
    return buffer.getvalue()


def tiff(image: np.ndarray, **options: Any) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, image, metadata=None, software=False, **options)
    return buffer.getvalue()


def cv(image: np.ndarray, suffix: str) -> bytes:
    order = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}
    done, encoded = cv2.imencode(suffix, cv2.cvtColor(image, order[image.shape[2]]) if image.shape[2] > 1 else image)
    assert done
    return bytes(encoded)


def palette(with_transparency: bool) -> tuple[Image.Image, np.ndarray]:
    colours = np.random.default_rng(0).integers(0, 256, (16, 4), dtype=np.uint8)
    indices = np.arange(HEIGHT * WIDTH, dtype=np.uint8).reshape(HEIGHT, WIDTH) % 16
    image = Image.fromarray(indices).convert("L")
    image.putpalette(colours[:, :3].tobytes())
    if with_transparency:
        image.info["transparency"] = colours[:, 3].tobytes()
    return image, colours[indices][:, :, : 4 if with_transparency else 3]


GREY, RGB, RGBA = photo(1), photo(3), photo(4)
GREY16, RGB16, RGBA16 = photo(1, np.uint16), photo(3, np.uint16), photo(4, np.uint16)
BITS = np.where(GREY > 100, 255, 0).astype(np.uint8)
LA = Image.merge("LA", [Image.fromarray(GREY[:, :, 0]), Image.fromarray(RGBA[:, :, 1])])
LA_SHOWN = np.concatenate([np.repeat(GREY, 3, axis=2), RGBA[:, :, 1:2]], axis=2)
PALETTE, PALETTE_SHOWN = palette(False)
CLEAR, CLEAR_SHOWN = palette(True)
CMYK = Image.fromarray(np.stack([photo(4)[:, :, index] // 2 for index in range(4)], axis=2), "CMYK")
CMYK_SHOWN = np.asarray(CMYK.convert("RGB"))


def image(array: np.ndarray) -> Image.Image:
    return Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array)


READ: list[tuple[str, Callable[[], bytes], np.ndarray, int]] = [
    # What it is called, who wrote it, what must be read, by how many levels it may be off.
    ("1.png", lambda: pil(image(BITS).convert("1"), "a.png"), BITS, 0),
    ("1.tif", lambda: pil(image(BITS).convert("1"), "a.tif", compression="group4"), BITS, 0),
    ("1.bmp", lambda: pil(image(BITS).convert("1"), "a.bmp"), BITS, 0),
    ("L.png", lambda: cv(GREY, ".png"), GREY, 0),
    ("L.jpg", lambda: cv(GREY, ".jpg"), GREY, 3),
    ("L.tif", lambda: tiff(GREY[:, :, 0], photometric="minisblack"), GREY, 0),
    ("L-white-is-zero.tif", lambda: tiff(255 - GREY[:, :, 0], photometric="miniswhite"), GREY, 0),
    ("L.bmp", lambda: pil(image(GREY), "a.bmp"), GREY, 0),
    ("L.avif", lambda: pil(image(GREY), "a.avif", quality=95), GREY, 3),
    ("L.webp", lambda: pil(image(GREY), "a.webp", lossless=True), np.repeat(GREY, 3, axis=2), 0),
    ("LA.png", lambda: pil(LA, "a.png"), LA_SHOWN, 0),
    ("LA.tif", lambda: pil(LA, "a.tif"), LA_SHOWN, 0),
    ("LA.webp", lambda: pil(LA, "a.webp", lossless=True, exact=True), LA_SHOWN, 0),
    ("P.png", lambda: pil(PALETTE, "a.png"), PALETTE_SHOWN, 0),
    ("P.tif", lambda: pil(PALETTE, "a.tif"), PALETTE_SHOWN, 0),
    ("P.bmp", lambda: pil(PALETTE, "a.bmp"), PALETTE_SHOWN, 0),
    ("P-clear.png", lambda: pil(CLEAR, "a.png"), CLEAR_SHOWN, 0),
    ("RGB.png", lambda: cv(RGB, ".png"), RGB, 0),
    ("RGB.jpg", lambda: pil(image(RGB), "a.jpg", quality=95, subsampling=0), RGB, 4),
    ("RGB-progressive.jpg", lambda: pil(image(RGB), "a.jpg", quality=95, subsampling=0, progressive=True), RGB, 4),
    ("RGB.webp", lambda: pil(image(RGB), "a.webp", lossless=True), RGB, 0),
    ("RGB.avif", lambda: pil(image(RGB), "a.avif", quality=95, subsampling="4:4:4"), RGB, 6),
    ("RGB.bmp", lambda: cv(RGB, ".bmp"), RGB, 0),
    ("RGB.tif", lambda: tiff(RGB, photometric="rgb"), RGB, 0),
    ("RGB-big-endian.tif", lambda: tiff(RGB, photometric="rgb", byteorder=">", compression="zlib"), RGB, 0),
    ("RGB-lzw.tif", lambda: pil(image(RGB), "a.tif", compression="tiff_lzw"), RGB, 0),
    ("RGB-planes.tif", lambda: tiff(np.moveaxis(RGB, 2, 0), photometric="rgb", planarconfig="separate"), RGB, 0),
    ("RGB-ycbcr.tif", lambda: pil(image(RGB), "a.tif", compression="jpeg", quality=95), RGB, 10),
    ("RGBA.png", lambda: cv(RGBA, ".png"), RGBA, 0),
    ("RGBA.webp", lambda: pil(image(RGBA), "a.webp", lossless=True, exact=True), RGBA, 0),
    ("RGBA.avif", lambda: pil(image(RGBA), "a.avif", quality=95, subsampling="4:4:4"), RGBA, 6),
    ("RGBA.tif", lambda: tiff(RGBA, photometric="rgb", extrasamples=["unassalpha"]), RGBA, 0),
    ("I16.png", lambda: cv(GREY16, ".png"), GREY16, 0),
    ("I16.tif", lambda: tiff(GREY16[:, :, 0], photometric="minisblack"), GREY16, 0),
    ("I16-big-endian.tif", lambda: tiff(GREY16[:, :, 0], photometric="minisblack", byteorder=">"), GREY16, 0),
    ("RGB16.png", lambda: cv(RGB16, ".png"), RGB16, 0),
    ("RGB16.tif", lambda: tiff(RGB16, photometric="rgb"), RGB16, 0),
    ("RGB16-lzw.tif", lambda: cv(RGB16, ".tiff"), RGB16, 0),
    (
        "RGB16-big-endian.tif",
        lambda: tiff(RGB16, photometric="rgb", byteorder=">", compression="zlib", predictor=True),
        RGB16,
        0,
    ),
    ("RGB16-planes.tif", lambda: tiff(np.moveaxis(RGB16, 2, 0), photometric="rgb", planarconfig="separate"), RGB16, 0),
    ("RGBA16.png", lambda: cv(RGBA16, ".png"), RGBA16, 0),
    ("RGBA16.tif", lambda: tiff(RGBA16, photometric="rgb", extrasamples=["unassalpha"]), RGBA16, 0),
    (
        "RGBA16-premultiplied.tif",
        lambda: tiff(premultiplied(RGBA16), photometric="rgb", extrasamples=["assocalpha"]),
        RGBA16,
        2,
    ),
    ("CMYK.tif", lambda: pil(CMYK, "a.tif"), CMYK_SHOWN, 0),
    ("CMYK.jpg", lambda: pil(CMYK, "a.jpg", quality=98, subsampling=0), CMYK_SHOWN, 6),
]


def premultiplied(rgba: np.ndarray) -> np.ndarray:
    colour = np.rint(rgba[:, :, :3].astype(np.float64) * rgba[:, :, 3:] / 65535)
    return np.concatenate([colour.astype(np.uint16), rgba[:, :, 3:]], axis=2)
