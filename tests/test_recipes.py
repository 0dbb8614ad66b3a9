"""Downloads against a small server of our own: whole, resumed, broken off, wrong, hostile, and none at all."""

from __future__ import annotations

import hashlib
import io
import socket
import tarfile
import threading
import time
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pix2pix.config import Source
from pix2pix.data.recipes import OfflineError, download, fetch


class Server(ThreadingHTTPServer):
    """Serves `files`; keeps the Range of every request; may ignore ranges or hang up after some bytes."""

    files: dict[str, bytes]
    ranges: list[str | None]
    honours_ranges = True
    hangs_up_after: int | None = None


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        content, asked = self.server.files.get(self.path), self.headers.get("Range")
        self.server.ranges.append(asked)
        if content is None:
            self.send_error(404)
            return
        first = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.server.honours_ranges else 0
        if first >= len(content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(content)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if first else 200)
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - first))
        self.end_headers()
        self.wfile.write(content[first:][: self.server.hangs_up_after])

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    running = Server(("127.0.0.1", 0), Handler)
    running.files, running.ranges = {}, []
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


def offer(server: Server, name: str, content: bytes) -> str:
    server.files[f"/{name}"] = content
    return f"http://127.0.0.1:{server.server_port}/{name}"


def png() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((4, 8, 3), np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def tar(members: dict[str, bytes], mode: str = "w:gz") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def quiet(line: str) -> None:
    pass


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


WHOLE = {"toy/train/1.png": png(), "toy/val/2.png": png()}
ARCHIVES = {
    "toy.tar.gz": tar(WHOLE),
    "toy.tgz": tar(WHOLE),
    "toy.tar": tar(WHOLE, "w"),
    "toy.zip": zipped(WHOLE),
    "bare.zip": zipped({"train/1.png": png(), "val/2.png": png()}),
    "train_only.zip": zipped({"train/1.png": png()}),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_a_set_arrives_whole_and_nothing_else_stays(server: Server, tmp_path: Path, name: str) -> None:
    url = offer(server, name, ARCHIVES[name])
    content = ARCHIVES[name]
    source = Source(url=url, bytes=len(content), sha256=hashlib.sha256(content).hexdigest().upper(), licence="CC0")
    said: list[str] = []
    assert fetch(source, tmp_path / "sets", "toy", said.append) == tmp_path / "sets" / "toy"
    assert (tmp_path / "sets/toy/train/1.png").read_bytes() == png()
    assert names(tmp_path / "sets") == {"toy"}
    assert "CC0" in said[0]


@pytest.mark.parametrize("honours_ranges", [True, False])
def test_a_download_that_broke_off_goes_on(server: Server, tmp_path: Path, honours_ranges: bool) -> None:
    content = tar({**WHOLE, "toy/train/noise.bin": np.random.default_rng(0).bytes(700_000)})
    source = Source(url=offer(server, "toy.tar.gz", content), bytes=len(content))
    server.hangs_up_after = 300_000
    with pytest.raises(ValueError, match=r"broke off after 0\.3 of 0\.7 MB.*run the same command again") as caught:
        fetch(source, tmp_path, "toy", quiet)
    assert not isinstance(caught.value, OfflineError)
    assert not (tmp_path / "toy").exists()
    server.hangs_up_after, server.honours_ranges = None, honours_ranges
    fetch(source, tmp_path, "toy", quiet)
    assert server.ranges == [None, "bytes=300000-"]
    assert names(tmp_path) == {"toy"}


@pytest.mark.parametrize("expected", [True, False], ids=["size known", "size unknown"])
@pytest.mark.parametrize("left", ["all", "too much"])
def test_what_is_left_of_an_earlier_download_is_judged(
    server: Server, tmp_path: Path, expected: bool, left: str
) -> None:
    url = offer(server, "toy.zip", ARCHIVES["toy.zip"])
    path = tmp_path / "toy.zip"
    path.write_bytes(ARCHIVES["toy.zip"] if left == "all" else b"x" * 100_000)
    download(url, path, len(ARCHIVES["toy.zip"]) if expected else None)
    assert path.read_bytes() == ARCHIVES["toy.zip"]


WRONG: dict[str, tuple[dict[str, object], str, bytes, str]] = {
    "size": ({"bytes": 5}, "toy.zip", ARCHIVES["toy.zip"], "expected 5"),
    "checksum": ({"sha256": "0" * 64}, "toy.zip", ARCHIVES["toy.zip"], "expected 000"),
    "truncated gzip": ({}, "toy.tar.gz", ARCHIVES["toy.tar.gz"][:-40], "damaged"),
    "no archive": ({}, "toy.tar.gz", b"<html>moved</html>", "damaged"),
    "no zip": ({}, "toy.zip", b"<html>moved</html>", "damaged"),
    "tar that climbs": ({}, "toy.tar.gz", tar({**WHOLE, "../evil.txt": b"x"}), "not unpacked"),
    "absolute link": ({}, "toy.tar.gz", b"", "not unpacked"),
    "zip that climbs": ({}, "toy.zip", zipped({**WHOLE, "toy/../../evil.txt": b"x"}), "outside"),
    "absolute zip": ({}, "toy.zip", zipped({**WHOLE, "/tmp/evil.txt": b"x"}), "outside"),
    "drive in zip": ({}, "toy.zip", zipped({**WHOLE, "C:\\evil.txt": b"x"}), "outside"),
    "no train": ({}, "toy.zip", zipped({"toy/val/1.png": png()}), "no picture in a train folder"),
}


def tar_with_link() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        link = tarfile.TarInfo("toy/train")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc"
        archive.addfile(link)
    return buffer.getvalue()


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_refused_and_removed(server: Server, tmp_path: Path, case: str) -> None:
    checks, name, content, message = WRONG[case]
    url = offer(server, name, content or tar_with_link())
    with pytest.raises(ValueError, match=message) as caught:
        fetch(Source.model_validate({"url": url, **checks}), tmp_path / "sets", "toy", quiet)
    assert "\n" not in str(caught.value)
    assert not isinstance(caught.value, OfflineError)
    assert names(tmp_path) == {"sets"}
    assert names(tmp_path / "sets") == set()


def test_no_answer_is_offline_and_quick(server: Server, tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{unused.getsockname()[1]}/toy.zip"
    begun = time.monotonic()
    with pytest.raises(OfflineError, match="cannot be reached"):
        fetch(Source(url=closed), tmp_path / "sets", "toy", quiet)
    with pytest.raises(OfflineError, match="404"):
        fetch(Source(url=f"http://127.0.0.1:{server.server_port}/gone.zip"), tmp_path / "sets", "toy", quiet)
    assert time.monotonic() - begun < 5
    assert names(tmp_path) == set()


def test_other_files_than_archives_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"expected an archive: \.tar\.gz"):
        fetch(Source(url="http://127.0.0.1/set.rar"), tmp_path, "toy", quiet)
