"""What a picture file holds besides its pixels: colour profile, EXIF, XMP, IPTC and resolution."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import re
from dataclasses import dataclass

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from pix2pix.images.exif import DESCRIPTIVE_TAGS, EXIF_DIRECTORY, GPS_DIRECTORY, tidy_exif
from pix2pix.images.profiles import profile_space

_PHOTOSHOP_IPTC = 0x0404
_TIFF_IPTC = 33723


@dataclass(frozen=True)
class Metadata:
    """Of an upright picture: EXIF and XMP say orientation 1, and hold no thumbnail of an older picture.

    `icc_profile` is how the colours of the pixels are meant, None for sRGB; `exif` is the block from its TIFF header
    on; `xmp` an XML packet in UTF-8; `iptc` the captions of archives, an IIM record; `dpi` dots an inch, across and
    down.
    """

    icc_profile: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    dpi: tuple[float, float] | None = None


@dataclass(frozen=True)
class Picture:
    """A picture file: upright pixels (H, W, C) of uint8 or uint16, what goes with them, and what to write it as.

    `suffix` is that of the file's own format, such as ".jpg" or ".tif", and ".png" for formats that are not written.
    """

    pixels: np.ndarray
    metadata: Metadata
    suffix: str


def read_metadata(image: Image.Image, width: int, height: int) -> Metadata:
    """What an open and loaded Pillow image knows, for its pixels when upright, `width` x `height`.

    Whatever is damaged counts as not there.
    """
    info = image.info
    icc_profile = _bytes(info.get("icc_profile"))
    if profile_space(icc_profile) != "RGB":
        icc_profile = None
    exif = _tiff_exif(image) if image.format == "TIFF" else _exif(image)
    xmp = info.get("xmp")
    xmp = _bytes(xmp.encode() if isinstance(xmp, str) else xmp)
    return Metadata(
        icc_profile=icc_profile,
        exif=exif and tidy_exif(exif, width, height),
        xmp=xmp and tidy_xmp(xmp, width, height),
        iptc=_iptc(image),
        dpi=_dpi(info.get("dpi")),
    )


def fitted(metadata: Metadata, image: np.ndarray) -> Metadata:
    """`metadata` as it is true for the picture (H, W, C): its size, and no profile of other channels."""
    height, width, channels = image.shape
    space = "GRAY" if channels == 1 else "RGB"
    return dataclasses.replace(
        metadata,
        icc_profile=metadata.icc_profile if profile_space(metadata.icc_profile) == space else None,
        exif=metadata.exif and tidy_exif(metadata.exif, width, height),
        xmp=metadata.xmp and tidy_xmp(metadata.xmp, width, height),
    )


def tidy_xmp(xmp: bytes, width: int, height: int) -> bytes | None:
    """An XMP packet for an upright picture of `width` x `height` pixels, without thumbnails; None if not UTF-8."""
    try:
        xmp.decode()
    except UnicodeDecodeError:
        return None
    for name, value in (
        *((b"tiff:Orientation", 1), (b"tiff:ImageWidth", width), (b"tiff:ImageLength", height)),
        *((b"exif:PixelXDimension", width), (b"exif:PixelYDimension", height)),
    ):
        # An attribute, name="6", or an element, <name>6</name>.
        xmp = re.sub(rb"(\b" + name + rb"""(?:\s*=\s*["']|>)\s*)\d+""", rb"\g<1>%d" % value, xmp)
    return re.sub(rb"<(xmp|xap):Thumbnails\b.*?</\1:Thumbnails>", b"", xmp, flags=re.DOTALL)


def _bytes(value: object) -> bytes | None:
    return value if isinstance(value, bytes) and value else None


def _exif(image: Image.Image) -> bytes | None:
    exif = _bytes(image.info.get("exif"))
    old = image.info.get("Raw profile type exif")  # how ImageMagick kept EXIF in PNG before it had a chunk of its own
    if exif is None and isinstance(old, str):
        with contextlib.suppress(ValueError):
            return bytes.fromhex("".join(old.split("\n")[3:]))
    return exif


def _tiff_exif(image: Image.Image) -> bytes | None:
    """A TIFF has no EXIF block: its tags are a directory's. One is made of those that tell of the picture."""
    try:
        known, made = image.getexif(), Image.Exif()
        for tag in DESCRIPTIVE_TAGS & known.keys():
            made[tag] = known[tag]
        for directory in (EXIF_DIRECTORY, GPS_DIRECTORY):
            if values := known.get_ifd(directory):
                made.get_ifd(directory).update(values)
        return made.tobytes() if made or any(made.get_ifd(name) for name in (EXIF_DIRECTORY, GPS_DIRECTORY)) else None
    except Exception:  # values of damaged tags make Pillow raise nearly anything
        return None


def _iptc(image: Image.Image) -> bytes | None:
    if isinstance(image, TiffImageFile):
        # The bytes as they are: many programs declare them as 32-bit numbers, of which Pillow's door gives the first.
        return _bytes(image.tag_v2._tagdata.get(_TIFF_IPTC))
    resources = image.info.get("photoshop")
    return _bytes(resources.get(_PHOTOSHOP_IPTC)) if isinstance(resources, dict) else None


def _dpi(value: object) -> tuple[float, float] | None:
    try:
        across, down = (float(each) for each in value)  # type: ignore[attr-defined]
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return (across, down) if math.isfinite(across + down) and min(across, down) > 0 else None
