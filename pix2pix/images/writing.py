"""Write (H, W, C) arrays as image files, whole or not at all."""

import io
import os
import secrets
from pathlib import Path

import cv2
import numpy as np

from pix2pix.images.arrays import ImageError, check, one_line, to_8_bits, to_pil, to_rgb
from pix2pix.images.bands import NUMPY_SUFFIX, encode_bands

_WRITERS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
    NUMPY_SUFFIX: "NUMPY",
}
_WRITE_OPTIONS: dict[str, dict[str, int | str]] = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"quality": 95},
    "PNG": {"compress_level": 1},  # a quarter of the usual time, for files 7 % larger
    "TIFF": {"compression": "tiff_adobe_deflate"},
}


def check_output(path: str | Path) -> None:
    """Raises ImageError where `write_image` could not write for its name alone: an unknown suffix, or a folder."""
    if Path(path).is_dir():
        raise ImageError(f"{path}: a folder, expected a file to write")
    if Path(path).suffix.lower() not in _WRITERS:
        raise ImageError(f"{path}: cannot write '{Path(path).suffix}' files, use one of {', '.join(_WRITERS)}")


def write_image(path: str | Path, image: np.ndarray) -> None:
    """Write (H, W, C) in the format of the path's suffix: whole or not at all.

    PNG, TIFF and .npy keep 16 bits, these and WebP keep transparency, TIFF and .npy any number of channels; elsewhere
    16 bits become 8 and transparency is laid over white. JPEG has quality 95 and full colour resolution. The file
    appears under its name only when complete. Raises ImageError for an unknown suffix, channels that the format cannot
    hold, an unwritable folder, a full disk.
    """
    path = Path(path)
    check(image)
    check_output(path)
    try:
        _write_atomically(path, _encode(image, _WRITERS[path.suffix.lower()]))
    except ImageError:
        raise
    except Exception as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else one_line(error)
        raise ImageError(f"{path}: cannot be written: {reason}") from None


def _encode(image: np.ndarray, file_format: str) -> bytes:
    if file_format == "NUMPY" or (file_format == "TIFF" and image.shape[2] not in (1, 3, 4)):
        return encode_bands(image, NUMPY_SUFFIX if file_format == "NUMPY" else ".tif")
    if image.shape[2] not in (1, 3, 4):
        raise ImageError(f"{image.shape[2]} channels do not fit into {file_format}; write .tif or .npy")
    keeps_depth = file_format in ("PNG", "TIFF")
    if image.dtype == np.uint16 and image.shape[2] > 1 and keeps_depth:
        order = cv2.COLOR_RGBA2BGRA if image.shape[2] == 4 else cv2.COLOR_RGB2BGR
        done, encoded = cv2.imencode(f".{file_format.lower()}", cv2.cvtColor(image, order))
        if not done:
            raise ImageError(f"16-bit {file_format} could not be encoded")
        return encoded.tobytes()
    if not keeps_depth:
        image = to_8_bits(image)
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
