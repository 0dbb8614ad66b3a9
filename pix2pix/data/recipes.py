"""A data set from its declaration: fetched with resume, verified, unpacked safely, in place only when it is whole."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import shutil
import tarfile
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from tqdm import tqdm

from pix2pix.config import Source
from pix2pix.images import IMAGE_SUFFIXES

SUFFIXES = (".tar.gz", ".tgz", ".tar", ".zip")
TIMEOUT_SECONDS = 10.0
CHUNK = 1 << 18


class OfflineError(ValueError):
    """The source gives nothing: no network, no such host, or it refuses."""


def fetch(source: Source, folder: Path, name: str, say: Callable[[str], None]) -> Path:
    """Download and unpack `source` to `folder/name`, and give that path.

    What an interrupted download left is gone on with. The set appears under its name only when it is whole: everything
    before lies under hidden names beside it. One process at a time may fetch a set.

    Raises OfflineError when nothing can be had from the source, ValueError with one line when the download broke off
    (the same command goes on with it), when size, checksum or archive are wrong, or when no training picture is in it.
    """
    suffix = next((suffix for suffix in SUFFIXES if source.url.split("?")[0].endswith(suffix)), None)
    if suffix is None:
        raise ValueError(f"source.url: got '{source.url}', expected an archive: {', '.join(SUFFIXES)}")
    target, archive, unpacked = folder / name, folder / f".{name}{suffix}", folder / f".{name}.unpacked"
    assert not target.exists(), target
    say(f"downloading {name} from {source.url} (terms: {source.licence})")
    download(source.url, archive, source.bytes)
    try:
        _verify(archive, source)
        shutil.rmtree(unpacked, ignore_errors=True)
        unpack(archive, unpacked)
        root = _root_of_set(unpacked)
        if not _has_training_pictures(root):
            raise ValueError(
                f"{source.url}: no picture in a train folder; the archive holds no data set this program can read"
            )
        root.rename(target)
    except ValueError:
        archive.unlink()
        raise
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)
    archive.unlink()
    say(f"unpacked to {target}")
    return target


def download(url: str, path: Path, expected_bytes: int | None = None) -> None:
    """Fetch `url` to `path` with a progress bar, going on after the bytes that are already there.

    Raises OfflineError when no answer comes within ten seconds or the server refuses, ValueError when it breaks off.
    """
    have = path.stat().st_size if path.exists() else 0
    if expected_bytes is not None and have > expected_bytes:
        path.unlink()
        have = 0
    if have and have == expected_bytes:
        return
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416 and have:  # nothing after these bytes: the file is whole, or another than was begun
            if error.headers.get("Content-Range") == f"bytes */{have}":
                return
            path.unlink()
            return download(url, path, expected_bytes)
        raise OfflineError(f"{url}: the server answers {error.code} {error.reason}") from None
    except (OSError, http.client.HTTPException) as error:
        raise OfflineError(f"{url}: cannot be reached ({getattr(error, 'reason', error)})") from None
    with response:
        resumed = response.status == 206 and (response.headers.get("Content-Range") or "").startswith(f"bytes {have}-")
        path.parent.mkdir(parents=True, exist_ok=True)
        _receive(response, path, have if resumed else 0, url)


def _receive(response: http.client.HTTPResponse, path: Path, have: int, url: str) -> None:
    length = response.headers.get("Content-Length")
    total = have + int(length) if length is not None else None
    broken = None
    with (
        path.open("ab" if have else "wb") as file,
        tqdm(total=total, initial=have, unit="B", unit_scale=True, desc=path.name.lstrip("."), disable=None) as bar,
    ):
        try:
            while chunk := response.read(CHUNK):
                file.write(chunk)
                bar.update(len(chunk))
        except (TimeoutError, ConnectionError, http.client.HTTPException) as error:
            broken = str(error) or type(error).__name__
    size = path.stat().st_size
    if broken or (total is not None and size < total):
        got = f"{size / 1e6:.1f}{f' of {total / 1e6:.1f}' if total is not None else ''} MB"
        raise ValueError(f"{url}: broke off after {got} ({broken or 'closed'}); run the same command again to go on")


def _verify(archive: Path, source: Source) -> None:
    size = archive.stat().st_size
    if source.bytes is not None and size != source.bytes:
        raise ValueError(
            f"{source.url}: got {size} bytes, expected {source.bytes}; the download was deleted, try again"
        )
    if source.sha256 is not None:
        with archive.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != source.sha256.lower():
            raise ValueError(
                f"{source.url}: got sha256 {digest}, expected {source.sha256}; the download was deleted, try again"
            )


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a .tar.gz, .tgz, .tar or .zip file into the new `folder`.

    Raises ValueError when it is damaged, or when a member would land outside `folder` or is no plain file or folder.
    """
    folder.mkdir(parents=True)
    try:
        if archive.suffix == ".zip":
            with zipfile.ZipFile(archive) as zipped:
                for name in zipped.namelist():
                    if _leaves(name):
                        raise ValueError(f"{archive.name}: member '{name}' would land outside the folder; not unpacked")
                zipped.extractall(folder)
        else:
            with tarfile.open(archive) as tar:
                tar.extractall(folder, filter="data")
    except tarfile.FilterError as error:
        raise ValueError(f"{archive.name}: not unpacked: {error}") from None
    except (tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ValueError(f"{archive.name}: damaged ({reason}); the download was deleted, try again") from None


def _leaves(name: str) -> bool:
    path = PurePosixPath(name.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts or any(":" in part for part in path.parts[:1])


def _root_of_set(unpacked: Path) -> Path:
    """The folder that holds the splits: the archive's one top folder where it has one, else the archive itself."""
    entries = [path for path in unpacked.iterdir() if not path.name.startswith((".", "__MACOSX"))]
    alone = len(entries) == 1 and entries[0].is_dir() and not entries[0].name.startswith("train")
    return entries[0] if alone else unpacked


def _has_training_pictures(root: Path) -> bool:
    return any(
        path.suffix.lower() in IMAGE_SUFFIXES
        for path in root.rglob("*")
        if any(part.startswith("train") for part in path.relative_to(root).parts[:-1])
    )
