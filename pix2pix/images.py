"""Read and write any image people have, as (H, W, C) arrays of 8 or 16 bits; grids, resizing and padding."""

import contextlib
import io
import os
import re
import secrets
import struct
import threading
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
from PIL import Image, ImageCms, ImageDraw, ImageFont

PIXEL_LIMIT: int = 200_000_000
"""Larger pictures are refused: a file of a few kilobytes can claim to be many gigabytes of pixels."""

IMAGE_SUFFIXES: frozenset[str] = frozenset(
    {
        *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".webp", ".avif", ".gif", ".tif", ".tiff"),
        *(".bmp", ".dib", ".pbm", ".pgm", ".ppm", ".pnm", ".tga", ".jp2", ".j2k", ".ico", ".icns", ".pcx", ".psd"),
    }
)

# Not every format Pillow knows: to decode EPS it would start Ghostscript.
_FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "GIF", "TIFF", "BMP", "DIB", "PPM", "JPEG2000", "ICO", "ICNS", "PCX", "PSD")
_WRITERS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
}
_WRITE_OPTIONS: dict[str, dict[str, int | str]] = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"quality": 95},
    "PNG": {"compress_level": 1},  # a quarter of the usual time, for files 7 % larger
    "TIFF": {"compression": "tiff_adobe_deflate"},
}

# `warnings.catch_warnings` swaps state of the whole process, so only one thread at a time may use it.
_warnings_lock = threading.Lock()


class ImageError(ValueError):
    """A picture that cannot be read or written; the message is one line, file and reason."""


def read_image(path: str | Path, pixel_limit: int = PIXEL_LIMIT) -> np.ndarray:
    """The picture in a file, upright by its EXIF orientation; of an animation the first frame.

    Returns (H, W, C) of uint8 or uint16: one channel for grey, 3 for colour (palette, CMYK, YCbCr and LAB become
    RGB), 4 where there is transparency. 16-bit files keep every bit.
    Raises ImageError for a file that is missing, empty, damaged, no picture, or of more than `pixel_limit` pixels.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            return _read_open_file(file, path, pixel_limit)
    except ImageError:
        raise
    except FileNotFoundError:
        raise ImageError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise ImageError(f"{path}: is a folder, expected an image file") from None
    except PermissionError:
        raise ImageError(f"{path}: no permission to read it") from None
    except MemoryError:
        raise ImageError(f"{path}: not enough memory to decode it") from None
    except Exception as error:
        # A damaged file makes decoders raise nearly anything: OSError, SyntaxError, struct.error, cv2.error ...
        raise ImageError(f"{path}: damaged or truncated image: {_one_line(error)}") from None


def _read_open_file(file: BinaryIO, path: Path, pixel_limit: int) -> np.ndarray:
    image = _open_header(file, path)
    width, height = image.size
    if width * height > pixel_limit:
        raise ImageError(
            f"{path}: {width}x{height} is {width * height} pixels, more than the limit of {pixel_limit}; "
            f"if you trust the file, raise it with --pixel-limit {width * height}"
        )
    # These two can warn while decoding; the lock makes them wait for each other, the common formats run in parallel.
    with _quiet_pillow() if image.format in ("TIFF", "ICO") else contextlib.nullcontext():
        image.load()
    if image.mode in ("RGB", "RGBA", "LA") and _has_16_bits(image, file):
        # Pillow has no 16-bit colour and drops the low bytes.
        file.seek(0)
        deep = cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_UNCHANGED)
        if deep is not None and deep.dtype == np.uint16 and deep.ndim == 3:
            order = cv2.COLOR_BGRA2RGBA if deep.shape[2] == 4 else cv2.COLOR_BGR2RGB
            # OpenCV turns a TIFF upright by itself, as Pillow does; the other formats neither.
            return _upright(cv2.cvtColor(deep, order), _orientation(image))
    try:
        return from_pil(image)
    except ImageError as error:
        raise ImageError(f"{path}: {error}") from None


def _open_header(file: BinaryIO, path: Path) -> Image.Image:
    """A lazy Pillow image: only the header is read.

    `Image.open` itself would judge the size by Pillow's own limit, a variable of the whole process; its registry
    of formats does not.
    """
    prefix = file.read(16)
    if not prefix:
        raise ImageError(f"{path}: the file is empty")
    Image.init()
    # TGA has no signature, any bytes may pass for one.
    formats = (*_FORMATS, "TGA") if path.suffix.lower() == ".tga" else _FORMATS
    reason = "not an image of a known format"
    with _quiet_pillow():
        for name in formats:
            if name not in Image.OPEN:
                continue
            factory, accept = Image.OPEN[name]
            accepted = accept(prefix) if accept else True
            if isinstance(accepted, str):
                reason = accepted
            elif accepted:
                file.seek(0)
                try:
                    return factory(file, str(path))
                except (SyntaxError, IndexError, TypeError, struct.error) as error:
                    reason = f"{name} that cannot be read: {_one_line(error)}"
    raise ImageError(f"{path}: {reason}")


def _has_16_bits(image: Image.Image, file: BinaryIO) -> bool:
    """Whether the file holds 16 bits a channel, although Pillow's mode has 8."""
    if image.format == "PNG":
        file.seek(24)  # signature 8, chunk head 8, width and height 8
        return file.read(1) == b"\x10"
    if image.format == "TIFF":
        bits = getattr(image, "tag_v2", {}).get(258, ())
        return set(bits) == {16}
    if image.format == "PPM":
        file.seek(0)
        fields = re.match(rb"P6(?:\s+|#[^\n]*\n)+\d+(?:\s+|#[^\n]*\n)+\d+(?:\s+|#[^\n]*\n)+(\d+)", file.read(4096))
        # Other maxima than 65535 need scaling, which Pillow does, to 8 bits.
        return fields is not None and int(fields[1]) == 65535
    return False


def from_pil(image: Image.Image) -> np.ndarray:
    """A Pillow image of any mode as (H, W, C) uint8 or uint16, upright; the same treatment as `read_image`.

    Raises ImageError for floating point pixels and for integers outside 0..65535: they have no agreed range.
    """
    image.load()
    return _upright(_pixels(image), _orientation(image))


def _pixels(image: Image.Image) -> np.ndarray:
    mode = image.mode
    if mode == "F":
        raise ImageError("floating point pixels have no agreed range; save the picture with 8 or 16 bits a channel")
    if mode.startswith("I"):
        values = np.asarray(image)
        if values.size and (values.min() < 0 or values.max() > 65535):
            raise ImageError(f"integers from {values.min()} to {values.max()}, expected 0 to 65535 (16 bits)")
        return values.astype(np.uint16)[:, :, None]
    if mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
        assert converted is not None
        return np.array(converted)
    if image.has_transparency_data:
        return np.array(image if mode == "RGBA" else image.convert("RGBA"))
    if mode in ("1", "L"):
        return np.array(image.convert("L"))[:, :, None]
    return np.array(image if mode == "RGB" else image.convert("RGB"))


def _orientation(image: Image.Image) -> int:
    with _quiet_pillow():
        value = image.getexif().get(0x0112, 1)
    return value if isinstance(value, int) else 1


def _upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """(H, W, C) turned as EXIF orientation 1 to 8 asks; other values are noise and change nothing."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


@contextlib.contextmanager
def _quiet_pillow() -> Iterator[None]:
    """Without Pillow's warnings about odd metadata; of other modules' warnings none is lost."""
    with _warnings_lock, warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        yield


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def to_pil(image: np.ndarray) -> Image.Image:
    """(H, W, C) as a Pillow image of mode L, RGB, RGBA or, for 16-bit grey, I;16.

    Raises ValueError for 16-bit colour, which Pillow cannot hold: convert with `to_rgb8` or keep the array.
    """
    _check(image)
    if image.dtype == np.uint16 and image.shape[2] > 1:
        raise ValueError("Pillow cannot hold 16-bit colour: convert with to_rgb8() or keep the array")
    return Image.fromarray(np.ascontiguousarray(image[:, :, 0] if image.shape[2] == 1 else image))


def to_rgb(image: np.ndarray) -> np.ndarray:
    """(H, W, C) to (H, W, 3) of the same dtype: grey is repeated, transparency laid over white."""
    _check(image)
    if image.shape[2] == 1:
        return np.repeat(image, 3, axis=2)
    if image.shape[2] == 3:
        return image
    white = int(np.iinfo(image.dtype).max)
    # The sum is at most white squared: for 16 bits that just fits, together with the half for rounding.
    colour, alpha = image[:, :, :3].astype(np.uint32), image[:, :, 3:].astype(np.uint32)
    blended: np.ndarray = (colour * alpha + white * (white - alpha) + white // 2) // white
    return blended.astype(image.dtype)


def to_rgb8(image: np.ndarray) -> np.ndarray:
    """(H, W, C) to (H, W, 3) uint8; 16 bits become 8 by rounding v * 255 / 65535."""
    return _to_8_bits(to_rgb(image))


def to_gray(image: np.ndarray) -> np.ndarray:
    """(H, W, C) to (H, W, 1) of the same dtype: ITU-R BT.601 luma, rounded; grey stays exactly as it is."""
    _check(image)
    if image.shape[2] == 1:
        return image
    red, green, blue = np.moveaxis(to_rgb(image).astype(np.uint32), 2, 0)
    luma: np.ndarray = (299 * red + 587 * green + 114 * blue + 500) // 1000
    return luma.astype(image.dtype)[:, :, None]


def _to_8_bits(image: np.ndarray) -> np.ndarray:
    # 65535 = 255 * 257, and 257 is odd: no value lies on a half.
    return image if image.dtype == np.uint8 else ((image.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _check(image: np.ndarray) -> None:
    if image.ndim != 3 or image.shape[2] not in (1, 3, 4) or image.dtype not in (np.uint8, np.uint16):
        raise ValueError(
            f"got an array of shape {image.shape} and type {image.dtype}, "
            "expected (H, W, C) with C = 1, 3 or 4, of type uint8 or uint16"
        )


def check_output(path: str | Path) -> None:
    """Raises ImageError where `write_image` could not write for its name alone: an unknown suffix, or a folder."""
    if Path(path).is_dir():
        raise ImageError(f"{path}: a folder, expected a file to write")
    if Path(path).suffix.lower() not in _WRITERS:
        raise ImageError(f"{path}: cannot write '{Path(path).suffix}' files, use one of {', '.join(_WRITERS)}")


def write_image(path: str | Path, image: np.ndarray) -> None:
    """Write (H, W, C) in the format of the path's suffix: whole or not at all.

    PNG and TIFF keep 16 bits, PNG, TIFF and WebP keep transparency; elsewhere 16 bits become 8 and transparency
    is laid over white. JPEG has quality 95 and full colour resolution. The file appears under its name only when
    complete. Raises ImageError for an unknown suffix, an unwritable folder, a full disk.
    """
    path = Path(path)
    _check(image)
    check_output(path)
    try:
        _write_atomically(path, _encode(image, _WRITERS[path.suffix.lower()]))
    except ImageError:
        raise
    except Exception as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else _one_line(error)
        raise ImageError(f"{path}: cannot be written: {reason}") from None


def _encode(image: np.ndarray, file_format: str) -> bytes:
    keeps_depth = file_format in ("PNG", "TIFF")
    if image.dtype == np.uint16 and image.shape[2] > 1 and keeps_depth:
        order = cv2.COLOR_RGBA2BGRA if image.shape[2] == 4 else cv2.COLOR_RGB2BGR
        done, encoded = cv2.imencode(f".{file_format.lower()}", cv2.cvtColor(image, order))
        if not done:
            raise ImageError(f"16-bit {file_format} could not be encoded")
        return encoded.tobytes()
    if not keeps_depth:
        image = _to_8_bits(image)
    image = to_rgb(image) if image.shape[2] == 4 and file_format in ("JPEG", "BMP") else image
    buffer = io.BytesIO()
    to_pil(image).save(buffer, file_format, **_WRITE_OPTIONS.get(file_format, {}))
    return buffer.getvalue()


def _write_atomically(path: Path, content: bytes) -> None:
    # Not tempfile: its files are private to the user, and the finished picture would stay so.
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(content)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def list_images(folder: str | Path) -> list[Path]:
    """The image files right in a folder, 2.jpg before 10.jpg; hidden files and subfolders are left out.

    Raises ImageError when the folder is missing or cannot be read.
    """
    try:
        files = [path for path in Path(folder).iterdir() if path.suffix.lower() in IMAGE_SUFFIXES]
    except OSError as error:
        raise ImageError(f"{folder}: cannot list the folder: {error.strerror}") from None
    return sorted((path for path in files if path.name[0] != "." and path.is_file()), key=_natural_key)


def _natural_key(path: Path) -> tuple[list[str | int], str]:
    # Split on numbers: text and numbers alternate, so the same position never compares one with the other.
    parts = re.split(r"(\d+)", path.name.lower())
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], path.name


def resize(image: np.ndarray, height: int, width: int, nearest: bool) -> np.ndarray:
    """(H, W, C) to (height, width, C) of the same dtype.

    `nearest` invents no new colours, for label maps. Otherwise an axis that shrinks is averaged over area, one
    that grows is interpolated by cubic.
    """
    _check(image)
    assert min(height, width) > 0, "an image has at least one pixel"
    if nearest:
        resized = cv2.resize(image, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    else:
        smaller = min(width, image.shape[1]), min(height, image.shape[0])
        resized = cv2.resize(image, smaller, interpolation=cv2.INTER_AREA)
        if smaller != (width, height):
            resized = cv2.resize(resized, (width, height), interpolation=cv2.INTER_CUBIC)
    return resized.reshape(height, width, image.shape[2])  # OpenCV drops an axis of one channel


def reflect_pad(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """(H, W, C) to (height, width, C): added at the bottom and right, by reflection where the side is long enough
    for it (padding < side), else by repeating the edge."""
    assert min(height - image.shape[0], width - image.shape[1]) >= 0, "padding never shrinks"
    for axis, size in enumerate((height, width)):
        side = image.shape[axis]
        amounts = [(0, 0)] * 3
        amounts[axis] = (0, size - side)
        image = np.pad(image, amounts, mode="reflect") if size - side < side else np.pad(image, amounts, mode="edge")
    return image


def make_grid(rows: Sequence[Sequence[np.ndarray]], gap: int = 4, titles: Sequence[str] = ()) -> np.ndarray:
    """Equally sized tiles (H, W, C) on a white sheet, (H', W', 3) uint8, a title drawn above each column."""
    tiles = [[to_rgb8(tile) for tile in row] for row in rows]
    columns = max(len(row) for row in tiles)
    assert len({tile.shape for row in tiles for tile in row}) == 1, "a grid needs tiles, all of one size"
    assert not titles or len(titles) == columns, "one title for each column"
    height, width, _ = tiles[0][0].shape
    head = max(14, width // 10) + gap if titles else 0
    sheet = np.full((head + gap + len(tiles) * (height + gap), gap + columns * (width + gap), 3), 255, np.uint8)
    for row_index, row in enumerate(tiles):
        for column, tile in enumerate(row):
            top, left = head + gap + row_index * (height + gap), gap + column * (width + gap)
            sheet[top : top + height, left : left + width] = tile
    if not titles:
        return sheet
    picture = Image.fromarray(sheet)
    draw = ImageDraw.Draw(picture)
    for column, title in enumerate(titles):
        font, text = _fit_text(draw, title, width, head - gap)
        draw.text((gap + column * (width + gap) + width / 2, (head + gap) / 2), text, "black", font, anchor="mm")
    return np.array(picture)


def _fit_text(
    draw: ImageDraw.ImageDraw, text: str, width: int, height: int
) -> tuple[ImageFont.FreeTypeFont | ImageFont.ImageFont, str]:
    """The largest font in which the text fits; below 9 pixels nobody can read it, so then the text is shortened."""
    for size in range(max(9, height * 4 // 5), 8, -1):
        font = ImageFont.load_default(size)
        if draw.textlength(text, font) <= width:
            return font, text
    while text and draw.textlength(text + "…", font) > width:
        text = text[:-1]
    return font, text + "…" if text else ""
