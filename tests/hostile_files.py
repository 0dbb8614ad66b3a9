"""Files that bad people send, for tests: pictures that claim or hold too much, and archives with tricks."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from typing import Any

import numpy as np
from PIL import Image

MIB = 2**20


def encoded(kind: str, height: int = 16, width: int = 24, **options: Any) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png_of(width: int, height: int, pixels: bytes) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def text_bomb() -> bytes:
    """A small picture with a compressed text of 300 MB."""
    packer = zlib.compressobj(9)
    text = b"".join([*(packer.compress(bytes(MIB)) for _ in range(300)), packer.flush()])
    head = struct.pack(">IIBBBBB", 4, 4, 8, 0, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"zTXt", b"Comment\0\0" + text)
    return start + chunk(b"IDAT", zlib.compress(bytes(20))) + chunk(b"IEND", b"")


def tiff_bomb() -> bytes:
    """A header that claims a gigapixel."""
    buffer = io.BytesIO()
    Image.new("L", (64, 64)).save(buffer, "TIFF")
    content = bytearray(buffer.getvalue())
    (start,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, start)
    for index in range(count):
        place = start + 2 + 12 * index
        (tag,) = struct.unpack_from("<H", content, place)
        if tag in (256, 257):  # width and height, as 32 bits
            struct.pack_into("<HII", content, place + 2, 4, 1, 40_000)
    return bytes(content)


def archived(members: dict[str, bytes], attributes: int = 0o100644 << 16) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = attributes
            info.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(info, content)
    return buffer.getvalue()
