"""Who comes through to a site: its own pages, programs, and nobody in another's name."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from serve_clients import ROOT, Site, call, file_data, request, started, upload
from tiny_models import LABELS, save_tiny_model

from pix2pix.ui.gate import Gate
from pix2pix.ui.limits import MIB, Limits, Settings
from pix2pix.ui.origins import refusal
from pix2pix.ui.visitors import is_local, visitor_named

EVIL = "https://evil.example"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_model(tmp_path_factory.mktemp("run") / "model.safetensors", **LABELS)


@pytest.fixture(scope="module")
def local(model: Path) -> Iterator[Site]:
    """A server of this machine only."""
    with started("--model", str(model)) as site:
        yield site


@pytest.fixture(scope="module")
def guarded(model: Path) -> Iterator[Site]:
    """A server behind a proxy, for those who sign in."""
    with started("--model", str(model), "--root-path", "/", "--auth", "al:secret", "--rate", "5") as site:
        yield Site(site.url.rstrip("/"), site.process, site.said)


# --- other sites ---


def test_no_other_site_is_answered(local: Site) -> None:
    own = {"Origin": local.url}
    assert upload(local.url, "a.png", b"x", own)[0] == 200
    for headers in (
        {"Origin": EVIL},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": EVIL, "X-Forwarded-Host": "evil.example"},
        {**own, "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    ):
        status, answer = upload(local.url, "a.png", b"x", headers)
        assert status == 403, headers
        assert json.loads(answer)["detail"].startswith("another site asked for this in your name")
        assert call(local.url, "tasks", headers)[0] == "error"
        assert request(f"{local.url}/config", headers=headers)[0] == 403
    followed = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert request(f"{local.url}/", headers=followed)[0] == 200
    assert request(f"{local.url}/logout", headers=followed)[0] == 403
    asked = {"Origin": EVIL, "Access-Control-Request-Method": "POST"}
    for headers in (own, asked, {}):
        for method in ("GET", "OPTIONS"):
            _, answered, _ = request(f"{local.url}/config", headers=headers, method=method)
            assert not [name for name in answered if name.startswith("access-control-")]


def test_no_other_name_means_this_machine(local: Site) -> None:
    port = local.url.rsplit(":", 1)[1]
    for host in ("evil.example", f"evil.example:{port}", "127.evil.example", "192.168.1.5", "[2001:db8::1]:1", "[", ""):
        status, _, answer = request(f"{local.url}/", headers={"Host": host})
        assert status in (400, 403), host
        assert status == 400 or "on this machine only" in json.loads(answer)["detail"]
        rebound = {"Host": host, "Origin": f"http://{host}"}
        assert upload(local.url, "a.png", b"x", rebound)[0] in (400, 403)
    for host in ("localhost", f"localhost:{port}", "127.0.0.1", "127.1.2.3:80", f"[::1]:{port}"):
        assert request(f"{local.url}/", headers={"Host": host})[0] == 200, host


def test_a_proxy_names_the_host() -> None:
    def line(only_here: bool = False, behind_proxy: bool = False, **headers: str) -> str:
        sent = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        return refusal(sent, False, only_here, behind_proxy)

    proxied = {"host": "127.0.0.1:7860", "x_forwarded_host": "pix.example", "x_forwarded_proto": "https"}
    assert line(True, True, origin="https://pix.example", **proxied) == ""
    assert line(True, True, origin="https://PIX.example", **proxied) == ""
    assert line(True, False, origin="https://pix.example", **proxied)
    assert line(True, True, origin="http://pix.example", **proxied)
    assert line(True, True, host="pix.example", origin="https://pix.example") == ""
    assert line(host="pix.example", origin="https://pix.example") == ""
    assert line(host="pix.example", origin="https://pix.example.evil")
    assert line(host="pix.example", origin=EVIL)
    assert line(True, host="pix.example")


def test_what_no_page_needs_is_not_there(local: Site) -> None:
    kind = {"Content-Type": "application/json"}
    for path in ("component_server", "run/tiny", "api/tiny"):
        assert request(f"{local.url}/gradio_api/{path}", b'{"data": []}', kind)[0] == 404, path
    for path in ("token", "app_id", "queue/status", "user", "custom_component/1/x/y/z.py"):
        assert request(f"{local.url}/gradio_api/{path}")[0] == 404, path
    for path in ("/monitoring", "/pwa_icon", "/pwa_icon/64"):
        assert request(f"{local.url}{path}")[0] == 404, path


# --- signing in ---


def signed_in(site: Site) -> dict[str, str]:
    status, headers, _ = request(f"{site.url}/login", b"username=al&password=secret")
    assert status == 200
    assert "samesite=none" not in headers["set-cookie"].lower()
    return {"Cookie": headers["set-cookie"].split(";")[0]}


def test_strangers_learn_nothing_and_stop_nobody(guarded: Site) -> None:
    cookie = signed_in(guarded)
    described = rb"window\.gradio_api_info = (.*?);</script>"
    for path in ("/", "/?page=tiny&all_endpoints=1"):
        status, headers, page = request(f"{guarded.url}{path}", headers={"Accept-Encoding": "br, gzip"})
        found = re.search(described, page, re.DOTALL)
        assert status == 200
        assert found is not None
        assert json.loads(found[1]) == {"named_endpoints": {}, "unnamed_endpoints": {}}
        assert int(headers["content-length"]) == len(page)
        assert b"tiny" not in page
    _, _, page = request(f"{guarded.url}/", headers=cookie)
    found = re.search(described, page, re.DOTALL)
    assert found is not None
    assert "/tiny" in json.loads(found[1])["named_endpoints"]
    body = json.dumps({"session_hash": "s", "fn_index": 0, "event_id": "e"}).encode()
    for path in ("cancel", "reset"):
        kind = {"Content-Type": "application/json"}
        assert request(f"{guarded.url}/gradio_api/{path}", body, kind)[0] == 401
        assert request(f"{guarded.url}/gradio_api/{path}", body, {**kind, **cookie})[0] == 200


def test_users_are_counted_by_name_and_others_by_address(guarded: Site) -> None:
    cookie = signed_in(guarded)
    statuses = []
    for place in range(30):  # wherever they ask from
        statuses.append(upload(guarded.url, "a.png", b"x", {**cookie, "X-Forwarded-For": f"203.0.113.{place}"})[0])
    assert statuses[0] == 200
    assert statuses[-1] == 429
    statuses = [
        upload(guarded.url, "a.png", b"x", {"X-Forwarded-For": f"2001:db8:0:7::{place:x}"})[0] for place in range(30)
    ]
    assert (statuses[0], statuses[-1]) == (401, 429)


def test_a_header_that_no_proxy_sent_is_not_believed(local: Site) -> None:
    _, answer = upload(local.url, "a.png", b"x")
    image = file_data(json.loads(answer)[0])
    said = {str(call(local.url, "tiny", {"X-Forwarded-For": "203.0.113.9"}, image=image)[1]) for _ in range(130)}
    assert not [line for line in said if "too many" in line]
    _, _, config = request(f"{local.url}/config", headers={"X-Forwarded-Host": "evil.example"})
    assert b"evil.example" not in config


@pytest.mark.parametrize(
    ("user", "address", "visitor", "local"),
    [
        ("", "127.0.0.1", "127.0.0.1", True),
        ("", "127.8.9.1", "127.8.9.1", True),
        ("", "::1", "::1", True),
        ("", "::ffff:127.0.0.1", "127.0.0.1", True),
        ("", "::ffff:203.0.113.9", "203.0.113.9", False),
        ("", "203.0.113.9", "203.0.113.9", False),
        ("", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", False),
        ("", "::1:2:3", "::/64", False),
        ("", "", "", True),
        ("127.0.0.1", "203.0.113.9", "user 127.0.0.1", False),
        ("localhost-bob", "203.0.113.9", "user localhost-bob", False),
        ("al", "127.0.0.1", "user al", False),
    ],
)
def test_visitors(user: str, address: str, visitor: str, local: bool) -> None:
    assert visitor_named(user, address) == visitor
    assert is_local(visitor) == local


# --- the disk ---


def test_uploads_at_a_time_do_not_fill_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Room for four of the largest size is kept, beside those that come in at the time."""

    class Usage:
        free = 41 * MIB

    monkeypatch.setattr("shutil.disk_usage", lambda folder: Usage)
    go_on = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await go_on.wait()
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def all_at_once() -> list[int]:
        gate = Gate(app, Limits(upload_bytes=10 * MIB), tmp_path, Settings())

        async def one(headers: list[tuple[bytes, bytes]]) -> int:
            statuses: list[int] = []

            async def send(message: Any) -> None:
                if message["type"] == "http.response.start":
                    statuses.append(message["status"])
                elif statuses[-1] != 200:
                    go_on.set()

            async def receive() -> Any:
                return {"type": "http.request", "body": bytes(1000), "more_body": False}

            scope = {"type": "http", "method": "POST", "path": "/gradio_api/upload", "headers": headers, "client": None}
            await gate(scope, receive, send)
            return statuses[0]

        size = [(b"content-length", b"700000")]
        first = await asyncio.gather(one(size), one(size), one(size))
        return [*first, await one(size), await one([]), await one([])]

    # 0.7 and 0.7 MB come in; the third would be in their way, the others come when they have gone.
    assert asyncio.run(all_at_once()) == [200, 200, 503, 200, 200, 200]


def test_another_gradio_is_one_line() -> None:
    code = (
        "import os, sys; from pathlib import Path; from pix2pix.ui.environment import prepare; prepare(Path('.'))\n"
        "import gradio as gr; from gradio import routes; from fastapi import FastAPI\n"
        "from pix2pix.ui.visits import check_gradio; from pix2pix.ui.server import mounted\n"
        "with gr.Blocks(analytics_enabled=False) as site: pass\n"
        "app = mounted(gr.mount_gradio_app(FastAPI(), site, path='/', ssr_mode=False))\n"
        "check_gradio(site, app); del site._queue.pending_messages_per_session\n"
        "try: check_gradio(site, app)\n"
        "except ValueError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    (line,) = done.stdout.splitlines()
    assert re.search(r"gradio 6\..*pending_messages_per_session.*; run: pip install 'pix2pix\[app\]'", line)
