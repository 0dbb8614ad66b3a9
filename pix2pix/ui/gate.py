"""What comes through to the site: known routes, bodies of a sane size, files that were sent here, and not too often.

It stands before Gradio, which has many more routes than a site needs, among them ones that fetch addresses, and which
reads any body whole.
"""

from __future__ import annotations

import json
import logging
import re
import shutil
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

from pix2pix.ui.limits import MIB, Busy, Limits
from pix2pix.ui.uploads import check_files
from pix2pix.ui.visitors import Visitors

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

API = "/gradio_api"
CALLS = rf"{API}/(queue/join|call/(v2/)?[\w-]+|run/[\w-]+|api/[\w-]+|component_server|cancel|reset)/?"
UPLOAD = rf"{API}/upload/?"
LOGIN = r"/login/?"
FILE = rf"{API}/file=.*"
READ = (
    r"/(assets|static|svelte)/.*|/(config|login|theme\.css|favicon\.ico|robots\.txt|manifest\.json|logout|health)/?|"
    r"/pwa_icon(/\d+)?|"
    rf"{API}/(info|user|login_check|app_id|token|theme\.css|startup-events|queue/data|upload_progress|queue/status)/?|"
    rf"{API}/(call/(v2/)?[\w-]+/\w+|heartbeat/[\w-]+|custom_component/.*)|{FILE}"
)
PAGE = r"/([\w-]+/?)?"
MOST_CALL = MIB  # bytes of a call; files are uploads, and calls only name them
UPLOADS_A_REQUEST = 4  # a photo, a mask, strokes of colour, and what is drawn in between
LOGINS = 10  # a minute and visitor
POLICY = "; ".join(
    (
        "default-src 'self'",
        # Gradio starts its pages from scripts within them, and compiles the templates of its components.
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "media-src 'self' data: blob:",
        "connect-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)
HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"content-security-policy": POLICY.encode(),
}
FILE_HEADERS = {**HEADERS, b"content-security-policy": b"default-src 'none'; sandbox", b"cache-control": b"private"}


GENERAL = "something went wrong on the server; try again"


class Refused(Exception):
    """An answer in place of what was asked for."""

    def __init__(self, status: int, line: str) -> None:
        super().__init__(line)
        self.status = status


class _Reply:
    """Where an answer is sent, with `headers` in place of its own of those names; or a refusal, where none began."""

    def __init__(self, send: Send, headers: dict[bytes, bytes]) -> None:
        self.refused: Refused | None = None
        self._send = send
        self._headers = headers
        self._has_begun = False

    async def __call__(self, message: Message) -> None:
        if self.refused is not None:
            return
        if message["type"] == "http.response.start":
            if message["status"] == 500 and (b"content-type", b"text/plain; charset=utf-8") in message["headers"]:
                self.refused = Refused(500, GENERAL)  # in place of an answer that no client shows
                return
            self._has_begun = True
            others = [(name, value) for name, value in message.get("headers", ()) if name.lower() not in self._headers]
            message = {**message, "headers": [*others, *self._headers.items()]}
        await self._send(message)

    async def refuse(self, refused: Refused) -> None:
        """Send a refusal as JSON, which Gradio's clients show."""
        if self._has_begun:
            return
        self.refused = None
        body = json.dumps({"detail": str(refused), "error": str(refused)}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        if refused.status in (429, 503):
            headers.append((b"retry-after", b"10"))
        await self({"type": "http.response.start", "status": refused.status, "headers": headers})
        await self({"type": "http.response.body", "body": body})


class Gate:
    """An ASGI application before another; `folder` is where visitors' files lie, `root_path` what a proxy may leave."""

    def __init__(self, app: App, limits: Limits, folder: Path, root_path: str = "") -> None:
        self._app = app
        self._limits = limits
        self._folder = folder.resolve()
        self._root_path = root_path.rstrip("/")
        self._uploads = Visitors(UPLOADS_A_REQUEST * limits.rate)
        self._logins = Visitors(LOGINS, spares_local=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        if scope["type"] != "http":
            return await send({"type": "websocket.close", "code": 1008})
        scope = self._plain(scope)
        reply = _Reply(send, FILE_HEADERS if re.fullmatch(FILE, scope["path"]) else HEADERS)
        try:
            await self._pass(scope, receive, reply)
        except Refused as refused:
            reply.refused = refused
        except Exception:
            # What ended in the middle of a body comes back through others' hands, which may have wrapped it.
            if reply.refused is None or reply.refused.status == 500:
                logging.getLogger(__name__).exception("%s %s", scope["method"], scope["path"])
        if reply.refused is not None:
            await reply.refuse(reply.refused)

    def _plain(self, scope: Scope) -> Scope:
        """Without the path that a proxy may have left, and without a header that would name another server."""
        path = scope["path"]
        if self._root_path and path.startswith(self._root_path + "/"):
            path = path.removeprefix(self._root_path)
        headers = [(name, value) for name, value in scope["headers"] if name != b"x-gradio-server"]
        return {**scope, "path": path, "headers": headers}

    async def _pass(self, scope: Scope, receive: Receive, reply: _Reply) -> None:
        method, path = scope["method"], scope["path"]
        visitor = scope["client"][0] if scope.get("client") else ""
        if method in ("GET", "HEAD", "OPTIONS"):
            if not (re.fullmatch(READ, path) or re.fullmatch(PAGE, path)) or path.startswith("/monitoring"):
                raise Refused(404, "there is nothing at this address")
        elif method != "POST":
            raise Refused(405, "this cannot be done here")
        elif re.fullmatch(CALLS, path):
            receive = await self._checked_call(scope, receive)
        elif re.fullmatch(UPLOAD, path):
            receive = await self._measured_upload(scope, receive, reply, visitor)
        elif re.fullmatch(LOGIN, path):
            _admit(self._logins, visitor)
            receive = _replayed(await _read(receive, MOST_CALL), receive)
        else:
            raise Refused(404, "there is nothing at this address")
        await self._app(scope, receive, reply)

    async def _checked_call(self, scope: Scope, receive: Receive) -> Receive:
        if b"multipart" in _header(scope, b"content-type"):
            raise Refused(415, "expected JSON; files are uploaded first")
        body = await _read(receive, MOST_CALL)
        try:
            content = json.loads(body or b"{}")
        except (ValueError, RecursionError):
            raise Refused(400, "expected JSON") from None
        session = content.get("session_hash") if isinstance(content, dict) else 0
        if not (session is None or (isinstance(session, str) and re.fullmatch(r"[\w-]{1,64}", session))):
            raise Refused(400, "expected a JSON object, with a session_hash of letters and digits if any")
        try:
            checked: bytes = json.dumps(check_files(content, self._folder)).encode()
        except ValueError as error:
            raise Refused(400, str(error)) from None
        headers = [(name, value) for name, value in scope["headers"] if name != b"content-length"]
        scope["headers"] = [*headers, (b"content-length", b"%d" % len(checked))]
        return _replayed(checked, receive)

    async def _measured_upload(self, scope: Scope, receive: Receive, reply: _Reply, visitor: str) -> Receive:
        """The body of an upload; it ends in an error where it is larger than may be."""
        _admit(self._uploads, visitor)
        most = self._limits.upload_bytes
        line = f"more than {most / MIB:g} MB in one upload; send smaller files, or fewer at a time"
        if shutil.disk_usage(self._folder).free < 4 * most:
            raise Refused(503, "the server is busy, it has no room for uploads now; try again later")
        declared = _header(scope, b"content-length")
        if declared.isdigit() and int(declared) > most + MIB:
            await _drain(receive, 4 * most)  # or the sender only sees that the line was cut
            raise Refused(413, line)
        seen = 0

        async def measured() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > most + MIB:  # what stands around the files in the body
                reply.refused = Refused(413, line)
                raise reply.refused
            return message

        return measured


def _admit(visitors: Visitors, visitor: str) -> None:
    try:
        visitors.admit(visitor)
    except Busy as busy:
        raise Refused(429, str(busy)) from None


def _header(scope: Scope, wanted: bytes) -> bytes:
    values: list[bytes] = [value for name, value in scope["headers"] if name.lower() == wanted]
    return values[0] if values else b""


async def _read(receive: Receive, most: int) -> bytes:
    body = b""
    while True:
        message = await receive()
        part: bytes = message.get("body", b"")
        body += part
        if len(body) > most:
            raise Refused(413, f"more than {most / MIB:g} MB in one request; files are uploaded first")
        if not message.get("more_body", False):
            return body


async def _drain(receive: Receive, most: int) -> None:
    seen = 0
    while seen < most:
        message = await receive()
        seen += len(message.get("body", b""))
        if not message.get("more_body", False):
            return


def _replayed(body: bytes, receive: Receive) -> Receive:
    """What tells of a body that was read already, and then of what else comes."""
    told = False

    async def again() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
