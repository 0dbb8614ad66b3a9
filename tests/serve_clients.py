"""Many visitors at once: the real server on this machine, and clients that ask it for pictures as fast as it answers.

    python tests/serve_clients.py --clients 32 --seconds 180 --task facades

Prints requests, results, busy answers, other errors, the middle and the slow times from the upload to the downloaded
file, and the server's memory after each third. Ends with 1 where an error is not a clear "busy", or memory grows by
more than 5 % from the end of the first third to the end of the last.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from many_files import memory_of

ROOT = Path(__file__).parent.parent
READY = 120  # seconds
BUSY = ("busy", "too many requests")
MOST_GROWTH = 1.05


@dataclass
class Site:
    """A running server: where it is, its process, and what it has said."""

    url: str
    process: subprocess.Popen[str]
    said: list[str]

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait; the status of the process."""
        self.process.send_signal(number)
        return self.process.wait(timeout=30)


@contextmanager
def started(*flags: str, environment: dict[str, str] | None = None) -> Iterator[Site]:
    """`pix2pix serve` on a free port of this machine, ready, and ended with the block."""
    command = [sys.executable, "-m", "pix2pix.serve", "--port", "0", *flags]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
    ) as process:
        lines: queue.Queue[str] = queue.Queue()
        said: list[str] = []
        assert process.stdout is not None
        threading.Thread(target=_listen, args=(process.stdout, lines, said), daemon=True).start()
        try:
            url = ""
            while not url:
                line = lines.get(timeout=READY)
                if line == "":
                    raise RuntimeError(f"the server ended: {''.join(said)}")
                if line.startswith("pix2pix: http"):
                    url = line.split(": ", 1)[1].strip()
            yield Site(url, process, said)
        finally:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(timeout=20)
                except subprocess.TimeoutExpired:
                    process.kill()


def _listen(stream: Iterator[str], lines: queue.Queue[str], said: list[str]) -> None:
    for line in stream:
        said.append(line)
        lines.put(line)
    lines.put("")


def request(
    url: str,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
    method: str | None = None,
    timeout: float = 120,
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of an answer, an error's too."""
    asked = urllib.request.Request(url, data=body, headers=headers or {}, method=method)
    try:
        with urllib.request.urlopen(asked, timeout=timeout) as answer:
            return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, {k.lower(): v for k, v in error.headers.items()}, error.read()


def upload(url: str, name: str, content: bytes, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    """Send a file as a browser does: the status, and a JSON list of its path on the server."""
    boundary = b"----a-boundary-of-a-test"
    shown = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A").encode()
    body = b"--%s\r\n" % boundary
    body += b'Content-Disposition: form-data; name="files"; filename="%s"\r\n' % shown
    body += b"Content-Type: application/octet-stream\r\n\r\n%s\r\n--%s--\r\n" % (content, boundary)
    kind = {"Content-Type": f"multipart/form-data; boundary={boundary.decode()}"}
    status, _, answer = request(f"{url}/gradio_api/upload", body, {**kind, **(headers or {})})
    return status, answer


def file_data(path: str) -> dict[str, object]:
    """An uploaded file as a parameter of a call."""
    return {"path": path, "meta": {"_type": "gradio.FileData"}}


def call(url: str, endpoint: str, headers: dict[str, str] | None = None, **values: object) -> tuple[str, object]:
    """("complete", outputs) or ("error", what went wrong) of an endpoint, whose parameters are `values`."""
    kind = {"Content-Type": "application/json", **(headers or {})}
    status, _, answer = request(f"{url}/gradio_api/call/v2/{endpoint}", json.dumps(values).encode(), kind)
    if status != 200:
        return "error", json.loads(answer).get("detail", answer.decode())
    event = json.loads(answer)["event_id"]
    status, _, stream = request(f"{url}/gradio_api/call/{endpoint}/{event}", headers=headers)
    events = [part.split("\n", 1) for part in stream.decode().strip().split("\n\n")]
    for kind_, data in events:
        if kind_ in ("event: complete", "event: error"):
            content = json.loads(data.removeprefix("data: "))
            outcome = kind_.removeprefix("event: ")
            return outcome, content["error"] if isinstance(content, dict) and "error" in content else content
    return "error", f"no end of the stream: {stream[-200:]!r}"


def download(url: str, path: str, headers: dict[str, str] | None = None) -> tuple[int, dict[str, str], bytes]:
    """A file by its path on the server."""
    return request(f"{url}/gradio_api/file={quote(path)}", headers=headers)


@dataclass
class Counts:
    """What all clients saw."""

    times: list[float] = field(default_factory=list)
    busy: int = 0
    errors: list[str] = field(default_factory=list)

    def add(self, outcome: str, line: object, seconds: float) -> None:
        """Count one request."""
        if outcome == "complete":
            self.times.append(seconds)
        elif isinstance(line, str) and any(word in line for word in BUSY):
            self.busy += 1
        else:
            self.errors.append(str(line))


def visit(url: str, task: str, picture: bytes, until: float, counts: Counts) -> None:
    """One client: upload, ask, download, and again; after "busy" with a pause, as people do."""
    while time.perf_counter() < until:
        start = time.perf_counter()
        outcome, line = "error", object()
        try:
            status, answer = upload(url, "picture.png", picture)
            if status == 200:
                outcome, line = call(url, task, image=file_data(json.loads(answer)[0]))
            else:
                line = json.loads(answer)["detail"]
            if outcome == "complete":
                assert isinstance(line, list)
                status, _, made = download(url, line[0][0]["path"])
                if status != 200 or not made:
                    outcome, line = "error", f"download: {status}"
        except Exception as error:
            outcome, line = "error", f"{type(error).__name__}: {error}"
        counts.add(outcome, line, time.perf_counter() - start)
        if outcome != "complete":
            time.sleep(0.5)


def load(url: str, process: int, task: str, clients: int, seconds: float, picture: bytes) -> int:
    """Visit with so many clients for so long, and tell; the status of the process."""
    counts, start = Counts(), time.perf_counter()
    until = start + seconds
    threads = [
        threading.Thread(target=visit, args=(url, task, picture, until, counts), daemon=True) for _ in range(clients)
    ]
    for thread in threads:
        thread.start()
    memories = []
    for third in (1, 2, 3):
        # The end of a third, as the mean of its last tenth: one sample would be chance.
        samples = []
        while time.perf_counter() < start + third * seconds / 3:
            if time.perf_counter() > start + (third - 0.1) * seconds / 3:
                samples.append(memory_of(process) / 2**20)
            time.sleep(0.2)
        samples = samples or [memory_of(process) / 2**20]
        memories.append(sum(samples) / len(samples))
    for thread in threads:
        thread.join(timeout=120)
    times = sorted(counts.times)
    everything = len(times) + counts.busy + len(counts.errors)
    print(f"{clients} clients, {seconds:g} s, '{task}': {everything} requests, {len(times)} results, ", end="")
    print(f"{counts.busy} busy, {len(counts.errors)} other errors; {len(times) / seconds:.1f} results a second")
    if times:
        print(f"p50 {times[len(times) // 2]:.2f} s, p95 {times[int(len(times) * 0.95)]:.2f} s")
    print(f"memory after each third: {', '.join(f'{each:.0f}' for each in memories)} MiB")
    for line in sorted(set(counts.errors))[:10]:
        print(f"  {line}")
    has_grown = memories[2] > MOST_GROWTH * memories[0]
    return int(bool(counts.errors) or has_grown or not times)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--task", default="facades")
    parser.add_argument("--warm", type=float, default=5, help="seconds of visits that are not counted")
    parser.add_argument("flags", nargs="*", help="of the server, after --")
    asked = parser.parse_args()
    with started("--rate", "0", *asked.flags) as site:
        outcome, drawn = call(site.url, "example", task=asked.task)
        assert outcome == "complete", drawn
        assert isinstance(drawn, list)
        _, _, picture = download(site.url, drawn[0]["path"])
        visit(site.url, asked.task, picture, time.perf_counter() + asked.warm, Counts())
        return load(site.url, site.process.pid, asked.task, asked.clients, asked.seconds, picture)


if __name__ == "__main__":
    sys.exit(main())
