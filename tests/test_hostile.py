"""What bad people send: each is refused with one line, and the server is as well afterwards as it was before."""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import os
import re
import socket
import threading
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hostile_files import archived, encoded, png_of, text_bomb, tiff_bomb
from many_files import memory_of
from PIL import Image
from serve_clients import ROOT, Site, call, download, file_data, request, started, upload
from tiny_models import save_tiny_model

MIB = 2**20
MOST_MEMORY = 2000 * MIB


PNG, JPEG = encoded("PNG"), encoded("JPEG")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server of narrow limits; its own temporary files, and others' beside them."""
    folder = tmp_path_factory.mktemp("hostile")
    model = save_tiny_model(folder / "run" / "model.safetensors", data={"input": "gray", "target": "lab_chroma"})
    flags = ("--model", str(model), "--upload-limit", "4", "--pixel-limit", "1000000", "--rate", "40")
    proxied = ("--root-path", "/")  # it says who asks
    (folder / "temporary").mkdir()
    (folder / "temporary" / "secret.png").write_bytes(PNG)
    with started(*flags, *proxied, environment={"TMPDIR": str(folder / "temporary")}) as running:
        running.url = running.url.rstrip("/")
        yield running
        assert running.process.poll() is None, "the server has ended"


@pytest.fixture(autouse=True)
def alive(site: Site) -> Iterator[None]:
    """After each test the server answers, and a picture is made."""
    yield
    assert request(f"{site.url}/health")[0] == 200
    status, answer = upload(site.url, "fine.png", PNG)
    assert status == 200
    assert call(site.url, "tiny", image=file_data(json.loads(answer)[0]))[0] == "complete"
    assert memory_of(site.process.pid) < MOST_MEMORY


def base(site: Site) -> Path:
    """The server's own folder of temporary files."""
    status, answer = upload(site.url, "where.png", PNG)
    assert status == 200
    return Path(json.loads(answer)[0]).parents[1]


def told(site: Site, name: str, content: bytes) -> str:
    """The line that a picture is refused with."""
    status, answer = upload(site.url, name, content)
    if status != 200:
        line = str(json.loads(answer)["detail"])
    else:
        outcome, said = call(site.url, "tiny", image=file_data(json.loads(answer)[0]))
        assert outcome == "error", said
        line = str(said)
    assert line
    assert "\n" not in line
    assert "/tmp" not in line
    assert str(base(site)) not in line
    assert "None" not in line
    assert len(line) < 300
    return line


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("bomb.png", png_of(100_000, 100_000, zlib.compress(bytes(MIB))), "100000x100000 pixels, more than the 1 mill"),
        ("bomb.tif", tiff_bomb(), "40000x40000 pixels, more than the 1 million|damaged"),
        ("long.png", png_of(30_000, 100, zlib.compress(bytes(30_001 * 100))), "30000x100 pixels, more than the 1 mill"),
        ("short.png", png_of(900, 900, zlib.compress(bytes(100))), "damaged or truncated"),
        ("cut.jpg", JPEG[: len(JPEG) // 2], "damaged or truncated"),
        ("cut.png", PNG[:60], "damaged or truncated|cannot be read"),
        ("empty.png", b"", "the file is empty"),
        ("one.png", b"\x89", "not an image"),
        ("text.png", b"hello, this is a text\n" * 50, "not an image of a known format"),
        ("page.png", b"<html><script>alert(1)</script></html>", "not an image of a known format"),
        ("drawing.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "not an image of"),
        ("drawing.png", b"<?xml version='1.0'?><svg onload='alert(1)'/>", "not an image of a known format"),
        ("paper.pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "not an image of a known format"),
        ("program.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(run) system\n", "not an image of a known"),
        (
            "pickle.npy",
            b"\x93NUMPY\x01\x00v\x00{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
            ".npy|damaged",
        ),
        ("random.tga", bytes(range(256)) * 4, "TGA|damaged|not an image|pixels"),
        ("movie.mp4", b"\0\0\0\x20ftypisom" + bytes(100), "a clip, which takes too long here"),
        ("text bomb.png", text_bomb(), "damaged or truncated"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 14 else "",
)
def test_pictures_that_are_none(site: Site, name: str, content: bytes, line: str) -> None:
    said = told(site, name, content)
    assert re.search(line, said), said
    assert said.startswith(f"{name}: ")


def test_pictures_that_are_odd_are_made(site: Site) -> None:
    html = PNG + b"<html><script>alert(1)</script></html>"
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("../evil.png", PNG)
    for name, content, shape in (
        ("dot.png", encoded("PNG", 1, 1), (1, 1)),
        ("line.png", encoded("PNG", 10, 30_000), (30_000, 10)),
        ("page.png", html, (24, 16)),
        ("archive.jpg", JPEG + archive.getvalue(), (24, 16)),
    ):
        status, answer = upload(site.url, name, content)
        assert status == 200
        outcome, made = call(site.url, "tiny", image=file_data(json.loads(answer)[0]))
        assert outcome == "complete", (name, made)
        assert isinstance(made, list)
        status, headers, output = download(site.url, made[0][0]["path"])
        assert headers["content-type"].startswith("image/")
        assert b"<script>" not in output
        with Image.open(io.BytesIO(output)) as opened:
            assert opened.size == shape


def test_what_could_run_in_a_browser_is_never_shown_there(site: Site) -> None:
    for name in ("a.svg", "a.html", "a.xhtml", "a.js", "a.png.svg", "a", "a.xml"):
        status, answer = upload(site.url, name, b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>")
        path = json.loads(answer)[0]
        call(site.url, "tiny", image=file_data(path))  # a call must not make it one of the server's own
        status, headers, _ = download(site.url, path)
        assert status == 200
        assert headers["content-disposition"].startswith("attachment")
        assert headers["content-type"] == "application/octet-stream"
        assert headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "name",
    [
        *(
            "../../../etc/passwd.png",
            "..\\..\\x.png",
            "a\nb.png",
            "a\r\nX-Evil: 1.png",
            "x" * 4000 + ".png",
            "",
            ".",
            "..",
        ),
        *(
            "\0.png",
            "-rf.png",
            "CON.png",
            "~root.png",
            "$(id).png",
            "<img src=x onerror=alert(1)>.png",
            "%2e%2e%2fx.png",
        ),
        "é猫\u202egnp.png",
    ],
)
def test_names_with_tricks(site: Site, name: str) -> None:
    folder = base(site)
    status, answer = upload(site.url, name, PNG)
    if status != 200:
        assert status in (400, 413, 500), (status, answer)
        return
    path = Path(json.loads(answer)[0])
    assert path.resolve().is_relative_to(folder)
    assert len(path.relative_to(folder).parts) == 2
    outcome, made = call(site.url, "tiny", image=file_data(str(path)))
    assert outcome == "complete", made
    assert isinstance(made, list)
    status, headers, _ = download(site.url, made[0][0]["path"])
    assert status == 200
    assert "x-evil" not in headers


def test_more_than_may_be_uploaded(site: Site) -> None:
    before = {path.name for path in base(site).iterdir()}
    assert "more than 4 MB in one upload" in told(site, "large.png", bytes(12 * MIB))
    # And without saying so before: in chunks, of which the server cannot know how many come.
    host, port = site.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as line:
        line.sendall(
            b"POST /gradio_api/upload HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
            b"Content-Type: multipart/form-data; boundary=b\r\n\r\n"
        )
        head = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
        answer = b""
        with contextlib.suppress(OSError):  # it has heard enough
            for part in (head, *[bytes(MIB)] * 40):
                line.sendall(b"%x\r\n%s\r\n" % (len(part), part))
        with contextlib.suppress(OSError):
            answer = line.recv(4096)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 413")
    left = [path for path in base(site).iterdir() if path.name not in before and path.is_file()]
    assert sum(path.stat().st_size for path in left) <= 6 * MIB
    many = b"".join(
        b'--b\r\nContent-Disposition: form-data; name="files"; filename="%d.png"\r\n\r\nx\r\n' % index
        for index in range(1500)
    )
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    assert request(f"{site.url}/gradio_api/upload", many + b"--b--\r\n", kind)[0] == 400


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (archived({"../../evil.png": PNG}), "names a file outside of itself"),
        (archived({"/tmp/evil.png": PNG}), "names a file outside of itself"),
        (archived({"evil.png": b"/etc/passwd"}, 0o120777 << 16), "holds a link"),
        (archived({f"{index}.bmp": bytes(8 * MIB) for index in range(12)}), "unpacks to 96 MB, more than the 16"),
        (archived({f"{index}.png": PNG for index in range(201)}), "holds 201 pictures, more than the 200"),
        (archived({"in.zip": archived({"a.png": PNG})}), "holds no pictures"),
        (archived({"a.png": b"no picture"}), "no picture was made; a.png: not an image"),
        (archived({"a.png": PNG})[:-40], "damaged, or no zip archive"),
        (b"PK\x03\x04" + bytes(1000), "damaged, or no zip archive"),
    ],
    ids=["up", "root", "link", "bomb", "many", "nested", "text", "cut", "zeros"],
)
def test_archives_with_tricks(site: Site, content: bytes, line: str) -> None:
    status, answer = upload(site.url, "sent.zip", content)
    assert status == 200
    outcome, said = call(site.url, "batch", task="tiny", files=[file_data(json.loads(answer)[0])])
    assert outcome == "error"
    assert line in str(said)
    assert "/tmp" not in str(said).replace("/tmp/evil", "")
    assert not list(base(site).parent.rglob("evil.png"))


# --- addresses, and others' files ---


@pytest.fixture
def listener() -> Iterator[tuple[str, list[object]]]:
    """An address on this machine, and who has come to it."""
    came: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        over = threading.Event()

        def wait() -> None:
            while not over.is_set():
                try:
                    line, who = server.accept()
                except TimeoutError:
                    continue
                line.close()
                came.append(who)

        thread = threading.Thread(target=wait)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", came
        time.sleep(0.3)
        over.set()
        thread.join()


def test_no_address_is_ever_fetched(site: Site, listener: tuple[str, list[object]]) -> None:
    url, came = listener
    meta = {"_type": "gradio.FileData"}
    _, fine = upload(site.url, "a.png", PNG)
    sent = json.loads(fine)[0]
    for payload in (
        {"path": f"{url}/a.png", "meta": meta},
        {"path": f"{url}/a.png"},
        {"path": sent, "url": f"{url}/a.png", "meta": meta},
        {"path": "", "url": f"{url}/a.png", "meta": meta},
        {"path": f"{site.url}/gradio_api/file={sent}", "meta": meta},
        {"path": f"//{url.removeprefix('http://')}/a.png", "meta": meta},
        {"path": f"file://{sent}", "meta": meta},
        {"url": f"{url}/a.png", "meta": meta},
        {"path": None, "url": f"{url}/a.png", "meta": meta},
        f"{url}/a.png",
        [f"{url}/a.png"],
    ):
        for body in ({"data": [payload, 1.0, None, 1, 0]}, {"data": [payload], "fn_index": 0, "session_hash": "s"}):
            for route in ("call/tiny", "run/tiny", "api/tiny", "queue/join", "component_server"):
                kind = {"Content-Type": "application/json"}
                status, _, answer = request(f"{site.url}/gradio_api/{route}", json.dumps(body).encode(), kind)
                if status == 200 and "event_id" in json.loads(answer):
                    event = json.loads(answer)["event_id"]
                    if route == "call/tiny":
                        request(f"{site.url}/gradio_api/call/tiny/{event}")
        call(site.url, "tiny", image=payload)
        call(site.url, "batch", task="tiny", files=[payload])
    for path in (f"file={url}/a.png", f"proxy={url}/a.png", f"file={quote(url + '/a.png', safe='')}", f"stream/{url}"):
        assert request(f"{site.url}/gradio_api/{path}")[0] in (403, 404)
    time.sleep(0.5)
    assert came == []


def test_nothing_else_on_this_machine_is_read(site: Site) -> None:
    folder = base(site)
    secret = folder.parent / "secret.png"
    assert secret.exists()
    inside = next(path for path in folder.iterdir() if path.is_dir())
    for path in (
        *("/etc/passwd", "/etc/hostname", str(ROOT / "pyproject.toml"), str(ROOT / "pix2pix" / "weights"), str(secret)),
        *("pyproject.toml", "pix2pix/serve.py", ".", "..", "/", "", str(folder), str(inside), f"{inside}/"),
        *(f"{folder}/../secret.png", f"{inside}/../../secret.png", f"{folder}/%2e%2e/secret.png", "/proc/self/environ"),
        *(
            "/proc/self/cwd/pyproject.toml",
            f"{folder}/./../../../../../etc/passwd",
            "~/.bashrc",
            "\\etc\\passwd",
            "a\0b",
        ),
    ):
        for text in (quote(path), quote(path, safe="")):
            status, _, answer = request(f"{site.url}/gradio_api/file={text}")
            assert status in (400, 403, 404), (path, answer)
            assert PNG not in answer
        outcome, said = call(site.url, "tiny", image=file_data(path))
        assert outcome == "error", path
        assert (
            "a file is none that was sent" in str(said)
            or "no longer here" in str(said)
            or "expected a file" in str(said)
        )


def test_no_route_tells_of_others(site: Site) -> None:
    _, answer = upload(site.url, "mine.png", PNG)
    outcome, made = call(site.url, "tiny", image=file_data(json.loads(answer)[0]))
    assert outcome == "complete"
    assert isinstance(made, list)
    result = Path(made[0][0]["path"])
    assert len(result.parents[1].name) >= 32  # 192 bits that nobody guesses
    for place in (result.parent, result.parents[1], result.parents[2]):
        assert download(site.url, str(place))[0] == 403
    for path in (
        *(
            "info",
            "startup-events",
            "queue/status",
            "app_id",
            "user",
            "token",
            "theme.css",
            "queue/data?session_hash=s",
        ),
        *("heartbeat/../info", "runs", "openapi.json", "dev/reload", "deep_link?session_hash=s", "vibe-code/"),
        *("profiling/summary", "upload_progress?upload_id=x", "call/tiny/" + "0" * 32),
    ):
        try:
            _, _, answer = request(f"{site.url}/gradio_api/{path}", timeout=3)
        except http.client.IncompleteRead as cut:  # a stream for nobody ends so
            answer = cut.partial
        except TimeoutError:
            continue
        assert str(result.parents[1].name).encode() not in answer, path
        assert b"mine" not in answer, path
    for path in ("/monitoring", "/monitoring/summary", "/monitoring/x", "/docs", "/openapi.json", "/redoc"):
        assert request(f"{site.url}{path}")[0] == 404, path
    for method in ("PUT", "DELETE", "PATCH"):
        assert request(f"{site.url}/gradio_api/upload", b"", method=method)[0] == 405


# --- calls ---


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"saturation": "lots"}, "saturation: expected a number, got 'lots'"),
        ({"saturation": [1]}, "saturation: expected a number"),
        ({"saturation": True}, "saturation: expected a number"),
        ({"saturation": 1e308}, "saturation: got 1e.308, expected 0"),
        ({"samples": 2.5}, "samples: expected a whole number"),
        ({"samples": 10**30}, "samples: got"),
        ({"samples": 10**400}, "samples: got 10*\\.\\.\\., which is too large"),
        ({"saturation": 10**400}, "saturation: got 10*\\.\\.\\., which is too large"),
        ({"seed": -1}, "seed: got -1"),
        ({"hints": 5}, "hints: expected a file"),
        ({"image": None}, "image: expected a file"),
        ({"image": "x.png"}, "image: expected a file"),
        ({"image": []}, "image: expected a file"),
        ({"image": {"path": 5}}, "a file is none that was sent"),
        ({"image": {"path": {}}}, "a file is none that was sent"),
    ],
)
def test_values_of_wrong_types(site: Site, values: dict[str, Any], line: str) -> None:
    _, answer = upload(site.url, "a.png", PNG)
    outcome, said = call(site.url, "tiny", **{"image": file_data(json.loads(answer)[0]), **values})
    assert outcome == "error"
    assert re.match(line, str(said)), said


def test_calls_that_are_no_calls(site: Site) -> None:
    kind = {"Content-Type": "application/json"}
    for body in (
        b"",
        b"{",
        b"[]",
        b"5",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"session_hash": 5}',
    ):
        for route in ("call/tiny", "queue/join", "component_server", "cancel", "reset", "call/v2/tiny", "run/tiny"):
            status, _, answer = request(f"{site.url}/gradio_api/{route}", body, kind)
            assert 400 <= status < 600, (route, body[:20], answer)
            assert b"Traceback" not in answer
            assert str(ROOT).encode() not in answer
    large = json.dumps({"data": ["x" * 2 * MIB]}).encode()
    assert request(f"{site.url}/gradio_api/queue/join", large, kind)[0] == 413
    multipart = {"Content-Type": "multipart/form-data; boundary=b"}
    assert request(f"{site.url}/gradio_api/queue/join", b"--b--", multipart)[0] == 415
    assert request(f"{site.url}/gradio_api/call/nothing", b'{"data": []}', kind)[0] >= 400


def test_too_many_requests_of_one_visitor(site: Site) -> None:
    _, answer = upload(site.url, "a.png", PNG)
    image = file_data(json.loads(answer)[0])
    lines = [
        str(said)
        for outcome, said in (
            call(site.url, "tiny", image=image, headers={"X-Forwarded-For": "203.0.113.9"}) for _ in range(60)
        )
        if outcome == "error"
    ]
    assert 5 < len(lines) <= 20
    assert all(re.fullmatch(r"too many requests, 40 a minute are served; try again in \d+ s", line) for line in lines)
    statuses = [upload(site.url, "a.png", PNG, {"X-Forwarded-For": "203.0.113.9"}) for _ in range(200)]
    refused = [content for status, content in statuses if status == 429]
    assert refused
    assert b"too many requests, 160 a minute are served" in refused[0]
    # Another one is served.
    assert call(site.url, "tiny", image=image, headers={"X-Forwarded-For": "203.0.113.10"})[0] == "complete"


def test_connections_that_stay_silent(site: Site) -> None:
    host, port = site.url.removeprefix("http://").split(":")
    lines = [socket.create_connection((host, int(port)), timeout=10) for _ in range(100)]
    for line in lines:
        line.sendall(b"POST /gradio_api/upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n")
    assert request(f"{site.url}/health")[0] == 200
    for line in lines:
        line.close()
    assert os.path.exists(f"/proc/{site.process.pid}") or not os.path.exists("/proc")
