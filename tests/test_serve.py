"""`pix2pix serve` as a process: ready, the same files as `translate`, nobody else told, cleanly over."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from serve_clients import ROOT, Site, call, download, file_data, request, started, upload
from tiny_models import LABELS, save_tiny_model

from pix2pix import translate
from pix2pix.config import task_names
from pix2pix.serve import Arguments, listening, read_accounts
from pix2pix.ui.offers import offers

CHROMIUM = Path(os.environ.get("PIX2PIX_CHROMIUM", "/usr/bin/chromium"))
SPY = """
import os, socket
def note(what, address):
    host = address[0] if isinstance(address, tuple) else address
    if isinstance(host, bytes):
        host = host.decode()
    if host not in (None, "", "localhost") and not str(host).startswith(("127.", "::1", "/", "@")):
        with open(os.environ["SPIED"], "a") as file:
            file.write(f"{what} {address}\\n")
connect, connect_ex, lookup = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo
class Spied(socket.socket):
    def connect(self, address):
        note("connect", address)
        return super().connect(address)
    def connect_ex(self, address):
        note("connect", address)
        return super().connect_ex(address)
def looked_up(host, *rest, **named):
    note("look up", host)
    return lookup(host, *rest, **named)
socket.socket, socket.getaddrinfo = Spied, looked_up
"""


@pytest.fixture(scope="module")
def spied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose `sitecustomize` notes in `spied.txt` every connection and look-up that leaves this machine."""
    folder = tmp_path_factory.mktemp("spy")
    (folder / "sitecustomize.py").write_text(SPY)
    return folder


@pytest.fixture(scope="module")
def gallery(spied: Path) -> Iterator[Site]:
    """Every task."""
    where = {"PYTHONPATH": f"{spied}{os.pathsep}{ROOT}", "SPIED": str(spied / "spied.txt")}
    with started(environment=where) as site:
        yield site


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.jpg", quality=90)
    return tmp_path / "photo.jpg"


def sent(site: Site, path: Path) -> dict[str, object]:
    status, answer = upload(site.url, path.name, path.read_bytes())
    assert status == 200, answer
    return file_data(json.loads(answer)[0])


def translated(tmp_path: Path, *arguments: str) -> bytes:
    assert translate.main(["--out", str(tmp_path / "commanded"), *arguments]) == 0
    (output,) = (tmp_path / "commanded").iterdir()
    return output.read_bytes()


def block(kind: str) -> str:
    """The example in the API's documentation."""
    found = re.search(rf"```{kind}\n(.*?)```", (ROOT / "docs" / "api.md").read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


# --- the API ---


def test_the_documented_python_works(gallery: Site, photo: Path, tmp_path: Path) -> None:
    program = block("python").replace("http://127.0.0.1:7860", gallery.url)
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True
    )
    made = Path(ended.stdout.strip().splitlines()[-1])
    assert made.name == "photo.jpg"
    assert made.read_bytes() == translated(tmp_path, "--model", "colorize", "--saturation", "1.2", str(photo))


def test_the_documented_curl_works(gallery: Site, photo: Path, tmp_path: Path) -> None:
    program = block("bash").replace("http://127.0.0.1:7860", gallery.url)
    subprocess.run(["bash", "-euc", program], cwd=tmp_path, timeout=120, check=True)
    expected = translated(tmp_path, "--model", "colorize", "--saturation", "1.2", str(photo))
    assert (tmp_path / "colour.jpg").read_bytes() == expected


def test_every_task_with_a_model_has_an_endpoint(gallery: Site) -> None:
    _, _, answer = request(f"{gallery.url}/gradio_api/info")
    endpoints = json.loads(answer)["named_endpoints"]
    outcome, listed = call(gallery.url, "tasks")
    assert outcome == "complete"
    assert isinstance(listed, list)
    tasks = {task["name"]: task for task in listed[0]}
    assert set(tasks) == set(task_names()) - {"custom"}
    for offer in offers():
        task = tasks[offer.name]
        assert task["has_model"] == (offer.model is not None)
        assert task["palette"] == {name: list(colour) for name, colour in offer.palette.items()}
        if offer.model is not None:
            given = [each["parameter_name"] for each in endpoints[task["endpoint"]]["parameters"]]
            assert given == ["image", *task["parameters"]]
            assert endpoints[task["endpoint"]]["description"].startswith(offer.title)
    assert set(tasks["colorize"]["parameters"]) == {"saturation", "hints", "samples", "seed"}
    assert set(tasks["inpaint"]["parameters"]) == {"mask", "grow", "samples", "seed"}
    assert {"/translate", "/batch", "/edges", "/snapped", "/example", "/tasks"} <= set(endpoints)
    assert not any("page" in name or "lambda" in name for name in endpoints)


def test_endpoints_on_files(gallery: Site, photo: Path, tmp_path: Path) -> None:
    outcome, drawn = call(gallery.url, "example", task="facades", seed=3)
    assert outcome == "complete"
    assert isinstance(drawn, list)
    picture = {"image": drawn[0]}
    outcome, made = call(gallery.url, "facades", **picture)
    assert (outcome, isinstance(made, list)) == ("complete", True)
    assert isinstance(made, list)
    _, _, source = download(gallery.url, drawn[0]["path"])
    (tmp_path / "facades-3.png").write_bytes(source)
    _, headers, output = download(gallery.url, made[0][0]["path"])
    assert output == translated(tmp_path, "--model", "facades", str(tmp_path / "facades-3.png"))
    assert headers["content-type"] == "image/png"
    outcome, several = call(gallery.url, "translate", task="facades", samples=2, seed=1, **picture)
    assert isinstance(several, list)
    assert [Path(each["path"]).name for each in several[0]] == ["facades-3-1.png", "facades-3-2.png"]
    for endpoint, values in (("edges", {"detail": 0.7}), ("snapped", {"task": "facades"})):
        outcome, found = call(gallery.url, endpoint, image=sent(gallery, photo), **values)
        assert outcome == "complete", found
        assert isinstance(found, list)
        assert download(gallery.url, found[0]["path"])[0] == 200


def test_a_batch_through_the_api(gallery: Site, photo: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as packed:
        packed.write(photo, "a/photo.jpg")
        packed.writestr("b.png", b"broken")
    outcome, made = call(gallery.url, "batch", task="colorize", files=[sent(gallery, tmp_path / "in.zip")])
    assert outcome == "complete", made
    assert isinstance(made, list)
    assert made[1:] == [1, ["b.png: not an image of a known format"]]
    status, headers, content = download(gallery.url, made[0]["path"])
    assert status == 200
    assert headers["content-disposition"].startswith("attachment")
    (tmp_path / "out.zip").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "out.zip") as opened:
        assert opened.namelist() == ["a/photo.jpg", "report.json"]


# --- the page ---


def test_health_and_headers(gallery: Site) -> None:
    status, headers, answer = request(f"{gallery.url}/health")
    health = json.loads(answer)
    assert status == 200
    assert set(health) == {"status", "version", "models", "waiting", "uptime_seconds"}
    assert "/" not in answer.decode()
    for path in ("/", "/health", "/facades", "/nothing/here"):
        _, headers, _ = request(f"{gallery.url}{path}")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["content-security-policy"].startswith("default-src 'self'; ")
        assert "server" not in headers


def test_no_policy_is_violated_in_a_browser(gallery: Site) -> None:
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}; name one in PIX2PIX_CHROMIUM")
    from playwright import sync_api

    noted: list[str] = []
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        page = chromium.new_page()
        page.on("console", lambda message: noted.append(message.text) if "Policy" in message.text else None)
        page.on("pageerror", lambda error: noted.append(str(error)))
        page.on("request", lambda asked: noted.append(asked.url) if _leaves(asked.url, gallery.url) else None)
        for path in ("/", "/facades", "/inpaint", "/?view=api"):
            page.goto(f"{gallery.url}{path}", wait_until="load")
            page.wait_for_timeout(1500)
        chromium.close()
    assert noted == []


def _leaves(url: str, site: str) -> bool:
    return not url.startswith((f"{site}/", "data:", "blob:"))


def test_nobody_else_is_told(gallery: Site, spied: Path, photo: Path) -> None:
    """Last of those with the gallery: all that was asked of it above counts."""
    request(f"{gallery.url}/")
    assert call(gallery.url, "colorize", image=sent(gallery, photo))[0] == "complete"
    noted = spied / "spied.txt"
    assert not noted.exists(), noted.read_text()
    told = "import socket; socket.getaddrinfo('127.0.0.1', 1); socket.getaddrinfo('192.0.2.1', 1)"
    where = {**os.environ, "PYTHONPATH": str(spied), "SPIED": str(spied / "own.txt")}
    subprocess.run([sys.executable, "-c", told], env=where, check=True)
    assert (spied / "own.txt").read_text() == "look up 192.0.2.1\n"  # the spy sees


# --- signing in, and the end ---


def test_signing_in_behind_a_proxy_and_a_clean_end(tmp_path: Path) -> None:
    model = save_tiny_model(tmp_path / "run" / "model.safetensors", **LABELS)
    (tmp_path / "accounts").write_text("bo:se:cret\n\n", encoding="utf-8")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    flags = ("--model", str(model), "--root-path", "/pix", "--auth", "al:secret", "--auth-file", f"{tmp_path}/accounts")
    with started(*flags, environment={"TMPDIR": str(temporary)}) as site:
        assert site.url.endswith("/pix")
        url = site.url.removesuffix("/pix")
        assert request(f"{url}/health")[0] == 200
        assert request(f"{url}/pix/health")[0] == 200  # whether the proxy takes its path away or not
        assert upload(url, "a.png", b"x")[0] == 401
        assert request(f"{url}/gradio_api/info")[0] == 401
        cookies = {}
        for user, password in (("al", "wrong"), ("al", "se:cret"), ("", ""), ("al", "secret"), ("bo", "se:cret")):
            body = f"username={user}&password={password}".encode()
            status, headers, _ = request(f"{url}/login", body)
            assert (status == 200) == (password in ("secret", "se:cret") and (user, password) != ("al", "se:cret"))
            if status == 200:
                cookies[user] = {"Cookie": headers["set-cookie"].split(";")[0]}
        status, answer = upload(url, "a.png", b"x", cookies["al"])
        assert status == 200
        path = json.loads(answer)[0]
        assert download(url, path)[0] == 401
        assert download(url, path, cookies["al"])[0] == 200
        statuses = [request(f"{url}/login", b"username=al&password=guess")[0] for _ in range(12)]
        assert statuses[-1] == 429
        assert len(list(temporary.glob("pix2pix-*"))) == 1
        assert site.end(signal.SIGTERM) == 143
    assert list(temporary.glob("pix2pix-*")) == []
    assert [line for line in site.said if "Traceback" in line or "Warning" in line] == []


@pytest.mark.slow
@pytest.mark.parametrize("late", [False, True])
def test_ctrl_c_ends_it_at_any_time(tmp_path: Path, late: bool) -> None:
    where = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pix2pix.serve", "--port", "0"]

    def listen() -> None:
        """What a shell starts in the background ignores Ctrl-C, and so would all that it starts."""
        signal.signal(signal.SIGINT, signal.default_int_handler)

    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=where, preexec_fn=listen
    ) as process:
        assert process.stdout is not None
        if late:
            process.stdout.readline()
        else:
            until = time.monotonic() + 60
            while not list(tmp_path.glob("pix2pix-*")) and time.monotonic() < until:
                time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert list(tmp_path.glob("pix2pix-*")) == []


# --- the command line ---


def refused(*arguments: str) -> str:
    command = [sys.executable, "-W", "error", "-m", "pix2pix.serve", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=ROOT)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    return done.stderr


def test_mistakes_are_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"port {port} is taken; --port 0 takes any free one" in refused("--port", str(port))
    assert "unknown task 'facade'; did you mean 'facades'?" in refused("--task", "facade")
    line = refused("--auth", "hunter2")
    assert "expected USER:PASSWORD" in line
    assert "hunter2" not in line


def test_mistakes_without_a_process(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot listen on 192"):
        listening("192.0.2.1", 0)
    with pytest.raises(ValueError, match="cannot be read"):
        read_accounts((), tmp_path / "missing")
    assert read_accounts(("a:b:c", " d :e"), None) == (("a", "b:c"), ("d", "e"))


def test_a_missing_package_says_the_install_line(tmp_path: Path) -> None:
    hidden = "import sys; sys.modules['gradio'] = None; from pix2pix import serve; serve.main(['--port', '0'])"
    done = subprocess.run([sys.executable, "-c", hidden], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.stderr.splitlines()[-1].endswith("pages need the package 'gradio'; run: pip install 'pix2pix[app]'")


def test_neither_torch_nor_gradio_is_there_before_it_is_needed() -> None:
    code = "import sys, pix2pix.serve; print(*[name for name in ('torch', 'gradio', 'kornia') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == []
    pages = (
        "import sys; from pathlib import Path; from pix2pix.ui.environment import prepare; prepare(Path('.'));"
        "import pix2pix.ui.running; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", pages], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "False"


def test_help_tells_of_every_flag() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pix2pix.serve", "--help"], capture_output=True, text=True, check=True, cwd=ROOT
    )
    for field in Arguments.model_fields:
        assert f"--{field.replace('_', '-')}" in done.stdout


# --- the container ---


def test_the_container_copies_what_is_there_and_its_command_parses() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    instructions = [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]
    for copied in (rest for name, rest in instructions if name == "COPY"):
        *sources, _ = [word for word in shlex.split(copied) if not word.startswith("--")]
        for source in sources:
            assert (ROOT / source).exists(), source
    (command,) = (json.loads(rest) for name, rest in instructions if name == "CMD")
    assert command[:2] == ["pix2pix", "serve"]
    from pix2pix.command_line import parse

    options = parse(Arguments, command[2:], "pix2pix serve")
    assert options.host == "0.0.0.0"
    (exposed,) = (int(rest) for name, rest in instructions if name == "EXPOSE")
    assert options.port == exposed
    assert any(name == "USER" and rest not in ("root", "0") for name, rest in instructions)
    (check,) = (rest for name, rest in instructions if name == "HEALTHCHECK")
    assert f":{exposed}/health" in check
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert {".git", "runs", ".venv"} <= set(ignored)
