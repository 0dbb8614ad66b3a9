"""Write TIFFs of any depth and number of channels with their metadata, EXIF among it (TIFF 6.0; Exif 3.0, 4.6.3)."""

from __future__ import annotations

import struct
from typing import BinaryIO

import numpy as np

from pix2pix.images.exif import (
    DESCRIPTIVE_TAGS,
    EXIF_DIRECTORY,
    GPS_DIRECTORY,
    byte_order,
    first_directory,
    moved,
)
from pix2pix.images.metadata import Metadata

_XMP, _IPTC = 700, 33723
_BYTE, _LONG, _UNDEFINED = 1, 4, 7
_CLASSIC_LIMIT = 2**32 - 2**26
"""Bytes; beyond them offsets need 64 bits, as BigTIFF has them."""


def write_tiff(file: BinaryIO, image: np.ndarray, metadata: Metadata) -> None:
    """Write (H, W, C) into an empty file that is open for reading and writing; 16 bits and all metadata are kept.

    1, 3 and 4 channels are grey, RGB and RGBA; others are bands without a meaning. Of EXIF, private notes of cameras
    are copied, but offsets inside of them no longer hold; in files of more than 4 GB only its first directory is kept.
    """
    import tifffile

    channels = image.shape[2]
    is_big = image.nbytes > _CLASSIC_LIMIT
    exif = metadata.exif
    order = byte_order(exif) if exif else "<"
    tags: list[tuple[int, int, int, object, bool]] = []
    for code, kind, value in ((_XMP, _BYTE, metadata.xmp), (_IPTC, _UNDEFINED, metadata.iptc)):
        if value:
            tags.append((code, kind, len(value), value, True))
    if exif:
        for entry in first_directory(exif):
            if entry.tag in DESCRIPTIVE_TAGS:
                tags.append((entry.tag, entry.kind, entry.count, exif[entry.start : entry.end], True))
            elif entry.tag in (EXIF_DIRECTORY, GPS_DIRECTORY) and not is_big:
                # tifffile refuses to write pointers: one with the number before, which nobody uses, holds its place.
                tags.append((entry.tag - 1, _LONG, 1, 0, True))
    tifffile.imwrite(
        file,
        image[:, :, 0] if channels == 1 else image,
        bigtiff=is_big,
        byteorder="<" if order == "<" else ">",
        photometric="rgb" if channels in (3, 4) else "minisblack",
        planarconfig=None if channels == 1 else "contig",
        extrasamples=["unassalpha"] if channels == 4 else None,
        compression="adobe_deflate",
        compressionargs={"level": 1},  # a third of the usual time, for files 5 % larger
        predictor=image.dtype == np.uint8,  # with 16 bits it takes half as long again and gains little
        iccprofile=metadata.icc_profile,
        resolution=metadata.dpi,
        resolutionunit="inch" if metadata.dpi else None,
        software=False,
        metadata=None,
        extratags=tags,
    )
    if exif and not is_big:
        _append_directories(file, exif, order)


def _append_directories(file: BinaryIO, exif: bytes, order: str) -> None:
    """Put the block at the end of the file, and pointers to its directories where places were held for them."""
    base = file.seek(0, 2)
    base += base % 2  # directories begin at even offsets
    file.seek(base)
    file.write(moved(exif, base))
    pointers = {
        entry.tag: base + struct.unpack_from(order + "I", exif, entry.start)[0]
        for entry in first_directory(exif)
        if entry.tag in (EXIF_DIRECTORY, GPS_DIRECTORY)
    }
    file.seek(4)
    (start,) = struct.unpack(order + "I", file.read(4))
    file.seek(start)
    (number,) = struct.unpack(order + "H", file.read(2))
    for position in range(start + 2, start + 2 + 12 * number, 12):
        file.seek(position)
        (tag,) = struct.unpack(order + "H", file.read(2))
        if tag + 1 in pointers:
            file.seek(position)
            file.write(struct.pack(order + "HHII", tag + 1, _LONG, 1, pointers[tag + 1]))
