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

from pix2pix.ui.limits import MIB, Busy, Limits, Settings
from pix2pix.ui.origins import header, refusal
from pix2pix.ui.replies import FILE_HEADERS, HEADERS, Message, Refused, Reply, Send
from pix2pix.ui.uploads import check_files
from pix2pix.ui.visitors import Visitors, visitor_named

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

API = "/gradio_api"
CALLS = rf"{API}/(queue/join|call/(v2/)?[\w-]+|run/predict|cancel|reset)/?"
UPLOAD = rf"{API}/upload/?"
LOGIN = r"/login/?"
FILE = rf"{API}/file=.*"
READ = (
    r"/(assets|static|svelte)/.*|/(config|login|theme\.css|favicon\.ico|robots\.txt|manifest\.json|logout|health)/?|"
    rf"{API}/(info|login_check|theme\.css|startup-events|queue/data|upload_progress)/?|"
    rf"{API}/(call/(v2/)?[\w-]+/\w+|heartbeat/[\w-]+)|{FILE}"
)
PAGE = r"/([\w-]+/?)?"
NO_PAGE = r"/(config|login|logout|monitoring)/?"
OTHERS = rf"{API}/(cancel|reset)/?"  # calls of which Gradio does not ask who makes them
MOST_CALL = MIB  # bytes of a call; files are uploads, and calls only name them
UPLOADS_A_REQUEST = 4  # a photo, a mask, strokes of colour, and what is drawn in between
LOGINS = 10  # a minute and visitor


class Gate:
    """An ASGI application before another; `folder` is where visitors' files lie, `user_of` who has signed in."""

    def __init__(
        self,
        app: App,
        limits: Limits,
        folder: Path,
        settings: Settings,
        user_of: Callable[[Scope], str | None] = lambda scope: None,
    ) -> None:
        self._app = app
        self._limits = limits
        self._folder = folder.resolve()
        self._settings = settings
        self._user_of = user_of
        self._uploads = Visitors(UPLOADS_A_REQUEST * limits.rate)
        self._logins = Visitors(LOGINS, spares_local=False)
        self._coming = 0  # bytes of uploads that are not on the disk yet

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        if scope["type"] != "http":
            return await send({"type": "websocket.close", "code": 1008})
        scope = self._plain(scope)
        user = self._user_of(scope)
        is_stranger = bool(self._settings.auth) and user is None
        is_bare = is_stranger and _is_page(scope["path"])
        if is_bare:
            scope["headers"] = [each for each in scope["headers"] if each[0] != b"accept-encoding"]
        reply = Reply(send, FILE_HEADERS if re.fullmatch(FILE, scope["path"]) else HEADERS, is_bare)
        try:
            self._check_origin(scope)
            if is_stranger and re.fullmatch(OTHERS, scope["path"]):
                raise Refused(401, "sign in first")
            address = scope["client"][0] if scope.get("client") else ""
            await self._pass(scope, receive, reply, visitor_named(user, address))
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
        root_path = self._settings.root_path
        if root_path and path.startswith(root_path + "/"):
            path = path.removeprefix(root_path)
        unwanted = (b"x-gradio-server",) if self._settings.behind_proxy else (b"x-gradio-server", b"x-forwarded-")
        headers = [(name, value) for name, value in scope["headers"] if not name.lower().startswith(unwanted)]
        return {**scope, "path": path, "headers": headers}

    def _check_origin(self, scope: Scope) -> None:
        is_visit = scope["method"] == "GET" and _is_page(scope["path"])
        settings = self._settings
        line = refusal(scope["headers"], is_visit, settings.only_here, settings.behind_proxy)
        if line:
            raise Refused(403, line)

    async def _pass(self, scope: Scope, receive: Receive, reply: Reply, visitor: str) -> None:
        method, path = scope["method"], scope["path"]
        if method in ("GET", "HEAD"):
            if not (re.fullmatch(READ, path) or _is_page(path)):
                raise Refused(404, "there is nothing at this address")
        elif method != "POST":
            raise Refused(405, "this cannot be done here")
        elif re.fullmatch(CALLS, path):
            receive = await self._checked_call(scope, receive)
        elif re.fullmatch(UPLOAD, path):
            _admit(self._uploads, visitor)
            return await self._upload(scope, receive, reply)
        elif re.fullmatch(LOGIN, path):
            _admit(self._logins, visitor)
            receive = _replayed(await _read(receive, MOST_CALL), receive)
        else:
            raise Refused(404, "there is nothing at this address")
        await self._app(scope, receive, reply)

    async def _checked_call(self, scope: Scope, receive: Receive) -> Receive:
        if "multipart" in header(scope["headers"], b"content-type"):
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

    async def _upload(self, scope: Scope, receive: Receive, reply: Reply) -> None:
        """Pass an upload on; it ends in an error where it is larger than may be."""
        most = self._limits.upload_bytes
        line = f"more than {most / MIB:g} MB in one upload; send smaller files, or fewer at a time"
        told = header(scope["headers"], b"content-length")
        left = int(told) if told.isdecimal() else most
        if left > most + MIB:
            await _drain(receive, 4 * most)  # or the sender only sees that the line was cut
            raise Refused(413, line)
        if shutil.disk_usage(self._folder).free - self._coming < 4 * most:
            raise Refused(503, "the server is busy, it has no room for uploads now; try again later")
        seen = 0

        async def measured() -> Message:
            nonlocal seen, left
            message = await receive()
            size = len(message.get("body", b""))
            seen += size
            self._coming -= min(size, left)
            left -= min(size, left)
            if seen > most + MIB:  # what stands around the files in the body
                reply.refused = Refused(413, line)
                raise reply.refused
            return message

        self._coming += left
        try:
            await self._app(scope, measured, reply)
        finally:
            self._coming -= left


def _is_page(path: str) -> bool:
    return bool(re.fullmatch(PAGE, path)) and not re.fullmatch(NO_PAGE, path)


def _admit(visitors: Visitors, visitor: str) -> None:
    try:
        visitors.admit(visitor)
    except Busy as busy:
        raise Refused(429, str(busy)) from None


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
