"""Write (H, W, C) arrays as image files with their metadata, whole or not at all."""

from __future__ import annotations

import io
import os
import secrets
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np

from pix2pix.images.arrays import ImageError, check, one_line, to_8_bits, to_pil, to_rgb
from pix2pix.images.bands import NUMPY_SUFFIX
from pix2pix.images.metadata import Metadata, fitted
from pix2pix.images.tiff import write_tiff

_FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".webp": "WEBP",
    ".avif": "AVIF",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
    NUMPY_SUFFIX: "NUMPY",
}
_LONGEST_SIDES = {"JPEG": 65_500, "WEBP": 16_383, "AVIF": 32_768}
"""Pixels that the format, or for AVIF what reads it, can hold."""
_MARKER = 65_533  # bytes that one segment of a JPEG can hold


def check_output(path: str | Path) -> None:
    """Raises ImageError where `write_image` could not write for its name alone: an unknown suffix, or a folder."""
    if Path(path).is_dir():
        raise ImageError(f"{path}: a folder, expected a file to write")
    if Path(path).suffix.lower() not in _FORMATS:
        raise ImageError(f"{path}: cannot write '{Path(path).suffix}' files, use one of {', '.join(_FORMATS)}")


def write_image(path: str | Path, image: np.ndarray, metadata: Metadata | None = None) -> None:
    """Write (H, W, C) in the format of the path's suffix: whole or not at all.

    PNG, TIFF and .npy keep 16 bits, these, WebP and AVIF keep transparency, TIFF and .npy any number of channels;
    elsewhere 16 bits become 8 and transparency is laid over white. JPEG and WebP have quality 95, AVIF 90, JPEG and
    AVIF full colour resolution. Of `metadata`, TIFF and JPEG keep all; PNG all but IPTC; WebP and AVIF the profile,
    EXIF and XMP; BMP the dpi. A profile of other channels is left out, as is what is longer than a JPEG can hold, 64 KB
    each. The file appears under its name only when complete. Raises ImageError for an unknown suffix, channels or sides
    that the format cannot hold, an unwritable folder, a full disk.
    """
    path = Path(path)
    check(image)
    check_output(path)
    file_format = _FORMATS[path.suffix.lower()]
    check_fits(path, *image.shape)
    # Not tempfile: its files are private to the user, and the finished picture would stay so.
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        try:
            with temporary.open("x+b") as file:
                _encode(file, image, file_format, fitted(metadata or Metadata(), image))
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except Exception as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else one_line(error)
        raise ImageError(f"{path}: cannot be written: {reason}") from None


def check_fits(path: Path, height: int, width: int, channels: int = 3) -> None:
    """Raises ImageError where the format of the path's suffix cannot hold a picture of that size."""
    file_format = _FORMATS[path.suffix.lower()]
    if channels not in (1, 3, 4) and file_format not in ("TIFF", "NUMPY"):
        raise ImageError(f"{path}: {channels} channels do not fit into {file_format}; write .tif or .npy")
    longest = _LONGEST_SIDES.get(file_format)
    if longest is not None and max(width, height) > longest:
        raise ImageError(
            f"{path}: cannot be written: {width}x{height}, and {file_format} holds at most {longest} pixels a side; "
            "write PNG or TIFF"
        )


def _encode(file: BinaryIO, image: np.ndarray, file_format: str, metadata: Metadata) -> None:
    if file_format == "NUMPY":
        np.save(file, image[:, :, 0] if image.shape[2] == 1 else image, allow_pickle=False)
    elif file_format == "TIFF":
        write_tiff(file, image, metadata)
    elif file_format == "PNG":
        _write_png(file, image, metadata)
    elif file_format == "JPEG":
        _write_jpeg(file, to_rgb(to_8_bits(image)) if image.shape[2] == 4 else to_8_bits(image), metadata)
    elif file_format == "BMP":
        opaque = to_rgb(image) if image.shape[2] == 4 else image
        to_pil(to_8_bits(opaque)).save(file, "BMP", dpi=metadata.dpi or (96, 96))
    else:
        picture = to_pil(to_8_bits(image))
        profile, exif, xmp = metadata.icc_profile or b"", metadata.exif or b"", metadata.xmp or b""
        if file_format == "WEBP":
            picture.save(file, "WEBP", quality=95, icc_profile=profile, exif=exif, xmp=xmp)
        else:
            subsampling = "4:0:0" if picture.mode == "L" else "4:4:4"
            picture.save(file, "AVIF", quality=90, subsampling=subsampling, icc_profile=profile, exif=exif, xmp=xmp)


def _write_jpeg(file: BinaryIO, image: np.ndarray, metadata: Metadata) -> None:
    profile, exif, xmp = metadata.icc_profile or b"", b"Exif\0\0" + (metadata.exif or b""), metadata.xmp or b""
    iptc = b""
    if metadata.iptc:
        # A resource of Photoshop's: signature, number, empty name, length, and what is in it, to an even length.
        resource = b"8BIM" + struct.pack(">HHI", 0x0404, 0, len(metadata.iptc)) + metadata.iptc
        content = b"Photoshop 3.0\0" + resource + bytes(len(resource) % 2)
        if len(content) <= _MARKER:
            iptc = b"\xff\xed" + struct.pack(">H", len(content) + 2) + content
    dpi = metadata.dpi or (0, 0)
    to_pil(image).save(
        file,
        "JPEG",
        quality=95,
        subsampling=0,
        dpi=dpi if max(dpi) < 65535 else (0, 0),
        icc_profile=profile if len(profile) <= 255 * (_MARKER - 14) else b"",
        exif=exif if metadata.exif and len(exif) <= _MARKER else b"",
        xmp=xmp if len(xmp) <= _MARKER - 29 else b"",
        extra=iptc,
    )


def _write_png(file: BinaryIO, image: np.ndarray, metadata: Metadata) -> None:
    if image.dtype == np.uint16 and image.shape[2] > 1:  # which Pillow does not know
        order = cv2.COLOR_RGBA2BGRA if image.shape[2] == 4 else cv2.COLOR_RGB2BGR
        done, encoded = cv2.imencode(".png", cv2.cvtColor(image, order))
        if not done:
            raise ImageError("16-bit PNG could not be encoded")
        content = encoded.data
    else:
        buffer = io.BytesIO()
        to_pil(image).save(buffer, "PNG", compress_level=1)  # a quarter of the usual time, for files 7 % larger
        content = buffer.getbuffer()
    file.write(content[:33])  # signature and header, which come first
    if metadata.icc_profile:
        file.write(_chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(metadata.icc_profile)))
    if metadata.dpi:
        across, down = (min(round(dpi / 0.0254), 2**31 - 1) for dpi in metadata.dpi)
        file.write(_chunk(b"pHYs", struct.pack(">IIB", across, down, 1)))  # dots a metre
    if metadata.exif:
        file.write(_chunk(b"eXIf", metadata.exif))
    if metadata.xmp:
        file.write(_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + metadata.xmp))
    file.write(content[33:])


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
