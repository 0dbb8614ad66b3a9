"""EXIF blocks made true for a picture that is upright and new, byte by byte, so that everything else in them stays.

A block is a small TIFF: a header, and directories of 12-byte entries (TIFF 6.0, section 2; Exif 3.0, section 4.6).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

EXIF_DIRECTORY, GPS_DIRECTORY = 0x8769, 0x8825
"""Tags of the first directory that point to further ones."""

DESCRIPTIVE_TAGS = frozenset(
    # Description, make, model, software, date, artist, computer, rating, Windows' title to subject, copyright.
    {0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x013C, 0x4746, 0x4749, *range(0x9C9B, 0x9CA0), 0x8298}
)
"""Tags of the first directory that tell of the picture; the others say how its pixels are stored."""

_INTEROPERABILITY_DIRECTORY = 0xA005
_ORIENTATION, _WIDTH, _HEIGHT, _EXIF_WIDTH, _EXIF_HEIGHT = 0x0112, 0x0100, 0x0101, 0xA002, 0xA003
_SHORT, _LONG = 3, 4
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 129: 1}  # bytes of each type
_POINTERS: dict[int, tuple[int, ...]] = {
    0: (EXIF_DIRECTORY, GPS_DIRECTORY),
    EXIF_DIRECTORY: (_INTEROPERABILITY_DIRECTORY,),
}


@dataclass(frozen=True)
class Entry:
    """One entry of a directory: where it is, its tag, type and number of values, and where those lie."""

    position: int
    tag: int
    kind: int
    count: int
    start: int
    end: int

    @property
    def is_inline(self) -> bool:
        return self.start == self.position + 8


def tidy_exif(exif: bytes, width: int, height: int) -> bytes | None:
    """An EXIF block, with or without its `Exif` prefix, for an upright picture of `width` x `height` pixels.

    Orientation becomes 1, the tags of its size tell the new one, and the thumbnail, which shows the old picture, goes.
    Entries that are damaged are left out. Returns the block without the prefix; None where nothing can be read.
    """
    while exif.startswith(b"Exif\0\0"):
        exif = exif[6:]
    block = bytearray(exif)
    try:
        order = byte_order(exif)
        end = _tidy_directory(block, order, struct.unpack_from(order + "I", block, 4)[0], 0, (width, height))
    except (ValueError, struct.error):
        return None
    # Cameras put the thumbnail last. Where it lies elsewhere, nothing points to it any more.
    return bytes(block[:end])


def byte_order(block: bytes) -> str:
    """'<' or '>'. Raises ValueError where the block does not begin as a TIFF does."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(bytes(block[:4]))
    if order is None:
        raise ValueError(f"begins with {block[:4]!r}, expected a TIFF header")
    return order


def entries(block: bytes | bytearray, order: str, start: int) -> Iterator[Entry]:
    """The entries of the directory at `start`, all but those of unknown types and of values outside of the block.

    Raises struct.error where the directory itself lies outside.
    """
    (number,) = struct.unpack_from(order + "H", block, start)
    struct.unpack_from(f"{12 * number}x", block, start + 2)
    for position in range(start + 2, start + 2 + 12 * number, 12):
        tag, kind, count, offset = struct.unpack_from(order + "HHII", block, position)
        size = _SIZES.get(kind, 0) * count
        begin = position + 8 if size <= 4 else offset
        if size and begin + size <= len(block):
            yield Entry(position, tag, kind, count, begin, begin + size)


def _tidy_directory(block: bytearray, order: str, start: int, name: int, size: tuple[int, int]) -> int:
    """Rewrite the directory at `start`, and those that it points to, in place; returns where the last of it ends."""
    (number,) = struct.unpack_from(order + "H", block, start)
    end: int = start + 2 + 12 * number + 4
    truths = {
        0: {_ORIENTATION: 1, _WIDTH: size[0], _HEIGHT: size[1]},
        EXIF_DIRECTORY: {_EXIF_WIDTH: size[0], _EXIF_HEIGHT: size[1]},
    }.get(name, {})
    kept = []
    for entry in list(entries(block, order, start)):
        if entry.tag in _POINTERS.get(name, ()):
            try:
                (below,) = struct.unpack_from(order + "I", block, entry.start)
                end = max(end, _tidy_directory(block, order, below, entry.tag, size))
            except struct.error:
                continue
        if entry.tag == _ORIENTATION and entry.tag in truths:
            kept.append(struct.pack(order + "HHIHxx", entry.tag, _SHORT, 1, 1))
        elif entry.tag in truths:
            kept.append(struct.pack(order + "HHII", entry.tag, _LONG, 1, truths[entry.tag]))
        else:
            end = max(end, entry.end)
            kept.append(bytes(block[entry.position : entry.position + 12]))
    # No next directory: the one after the first is the thumbnail's.
    directory = struct.pack(order + "H", len(kept)) + b"".join(kept) + bytes(4)
    block[start : start + len(directory)] = directory
    return end


def first_directory(exif: bytes) -> list[Entry]:
    """The entries of the first directory of a block that `tidy_exif` returned."""
    order = byte_order(exif)
    return list(entries(exif, order, struct.unpack_from(order + "I", exif, 4)[0]))


def moved(exif: bytes, distance: int) -> bytes:
    """A block that `tidy_exif` returned, its offsets counted from `distance` bytes before it.

    Offsets inside of a camera's private notes are not known, and stay.
    """
    block, order = bytearray(exif), byte_order(exif)

    def move(start: int, name: int) -> None:
        for entry in list(entries(exif, order, start)):
            if entry.tag in _POINTERS.get(name, ()):
                (below,) = struct.unpack_from(order + "I", exif, entry.start)
                move(below, entry.tag)
                struct.pack_into(order + "I", block, entry.start, below + distance)
            elif not entry.is_inline:
                struct.pack_into(order + "I", block, entry.position + 8, entry.start + distance)

    move(struct.unpack_from(order + "I", exif, 4)[0], 0)
    return bytes(block)
