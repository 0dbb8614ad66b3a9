"""Zip archives of pictures, opened with suspicion: they may lie of their size, and point anywhere."""

from __future__ import annotations

import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pix2pix.images import IMAGE_SUFFIXES
from pix2pix.ui.limits import MIB, Limits
from pix2pix.ui.names import safe_name

MOST_DIRECTORY = 4 * MIB  # of the table of contents, which is read whole
MOST_RATIO = 100  # unpacked to packed, of the whole
MOST_TIMES = 4  # unpacked to the limit of an upload
ALWAYS = 16 * MIB  # unpacked, whatever the ratio: pictures of flat colours shrink to next to nothing
MOST_DEPTH = 16  # folders
_END, _END_BYTES, _LOCATOR_64, _LONGEST_COMMENT = b"PK\x05\x06", 22, b"PK\x06\x07", 65_535


def is_archive(path: Path) -> bool:
    """Whether a file is a zip archive, by its first bytes: a picture with an archive behind it is a picture."""
    with path.open("rb") as file:
        return file.read(4) in (b"PK\x03\x04", _END)


def unpack(archive: Path, folder: Path, limits: Limits) -> tuple[list[Path], list[str]]:
    """The pictures of `archive` as files below `folder`, in its folders and order; and a line for each nested archive.

    Hidden files, what macOS adds, and what has no name of a picture are left out.
    Raises ValueError for what is no whole archive, points out of itself, holds links, or is too large.
    """
    with _reasons(archive):
        _check_directory(archive)
        with zipfile.ZipFile(archive) as opened:
            members = [(member, parts) for member in opened.infolist() if (parts := _parts(member))]
            nested = ["/".join(parts) for _, parts in members if parts[-1].lower().endswith(".zip")]
            pictures = [each for each in members if Path(each[1][-1]).suffix.lower() in IMAGE_SUFFIXES]
            _check_size(archive, [member for member, _ in pictures], limits)
            files: list[Path] = []
            for member, parts in pictures:
                files.append(free(folder.joinpath(*map(safe_name, parts))))
                with opened.open(member) as packed, files[-1].open("xb") as file:
                    shutil.copyfileobj(packed, file, MIB)
    return files, [f"{name}: an archive within an archive, which is not opened" for name in nested]


def pack(archive: Path, files: Iterable[tuple[Path, str]]) -> None:
    """Move files under their names into a new archive; pictures are small already and are stored as they are."""
    with zipfile.ZipFile(archive, "x", zipfile.ZIP_STORED) as opened:
        for path, name in files:
            opened.write(path, name)
            path.unlink()  # or all of them would take their size twice


def free(path: Path) -> Path:
    """`path` with its folder made; where a file of that name is there, as two members may share one, another name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    number = 2
    free = path
    while free.exists():
        free = path.with_stem(f"{path.stem}-{number}")
        number += 1
    return free


def _check_directory(archive: Path) -> None:
    """Before the table of contents is read: is it of a sane size?"""
    size = archive.stat().st_size
    with archive.open("rb") as file:
        file.seek(max(0, size - _END_BYTES - _LONGEST_COMMENT - 20))
        tail = file.read()
    end = tail.rfind(_END)
    if end < 0 or len(tail) < end + _END_BYTES:
        raise zipfile.BadZipFile("its end is missing")
    (directory,) = struct.unpack_from("<I", tail, end + 12)
    if directory > MOST_DIRECTORY or tail[max(0, end - 20) : end].startswith(_LOCATOR_64):
        raise ValueError("holds too many files; send fewer at a time")


def _parts(member: zipfile.ZipInfo) -> tuple[str, ...]:
    """Folders and name of what is to be looked at; nothing for what is left out. Raises ValueError for what is evil."""
    name = member.filename
    if not member.flag_bits & 0x800:  # not marked as UTF-8, which macOS writes without saying so
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    parts = tuple(part for part in name.replace("\\", "/").split("/") if part not in ("", "."))
    if name.startswith(("/", "\\")) or ".." in parts or (parts and parts[0][1:2] == ":"):
        raise ValueError("names a file outside of itself")
    if len(parts) > MOST_DEPTH:
        raise ValueError(f"more than {MOST_DEPTH} folders deep")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise ValueError("holds a link; send the files themselves")
    if member.is_dir() or any(part.startswith((".", "__MACOSX")) for part in parts):
        return ()
    return parts


def _check_size(archive: Path, pictures: list[zipfile.ZipInfo], limits: Limits) -> None:
    if not pictures:
        raise ValueError("holds no pictures")
    if len(pictures) > limits.files:
        raise ValueError(f"holds {len(pictures)} pictures, more than the {limits.files} that are taken at a time")
    # A member that holds more than it says is cut there by the reader, and its checksum is wrong.
    unpacked = sum(member.file_size for member in pictures)
    most = max(ALWAYS, min(MOST_TIMES * limits.upload_bytes, MOST_RATIO * archive.stat().st_size))
    if unpacked > most:
        raise ValueError(f"unpacks to {unpacked / MIB:.0f} MB, more than the {most / MIB:.0f} that are taken")


@contextmanager
def _reasons(archive: Path) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{archive.name}: {error}") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, struct.error) as error:
        # RuntimeError: it is encrypted; NotImplementedError: a kind of compression that nobody uses
        reason = "encrypted" if "encrypted" in str(error) else "damaged, or no zip archive"
        raise ValueError(f"{archive.name}: {reason}") from None
    except OSError as error:
        raise ValueError(f"{archive.name}: cannot be unpacked: {error.strerror}") from None
