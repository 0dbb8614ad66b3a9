"""What goes out: headers that keep a page to this site, and a refusal in place of an answer."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]

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
# Of every endpoint; a page puts it into itself.
DESCRIPTION = re.compile(rb"(window\.gradio_api_info = ).*?(;</script>)", re.DOTALL)
NO_DESCRIPTION = rb'\1{"named_endpoints": {}, "unnamed_endpoints": {}}\2'
FILE_HEADERS = {**HEADERS, b"content-security-policy": b"default-src 'none'; sandbox", b"cache-control": b"private"}
GENERAL = "something went wrong on the server; try again"


class Refused(Exception):
    """An answer in place of what was asked for."""

    def __init__(self, status: int, line: str) -> None:
        super().__init__(line)
        self.status = status


class Reply:
    """Where an answer is sent, with `headers` in place of its own of those names; or a refusal, where none began.

    `is_bare`: the page that asks who it is, which is to say nothing of what there is.
    """

    def __init__(self, send: Send, headers: dict[bytes, bytes], is_bare: bool = False) -> None:
        self.refused: Refused | None = None
        self._send = send
        self._headers = headers
        self._is_bare = is_bare
        self._held: Message | None = None  # the start of a bare page, until its length is known
        self._page = b""
        self._has_begun = False

    async def __call__(self, message: Message) -> None:
        if self.refused is not None:
            return
        if message["type"] == "http.response.start":
            if message["status"] == 500 and (b"content-type", b"text/plain; charset=utf-8") in message["headers"]:
                self.refused = Refused(500, GENERAL)  # in place of an answer that no client shows
                return
            self._has_begun = True
            others = [_own(*header) for header in message.get("headers", ()) if self._stays(header[0].lower())]
            message = {**message, "headers": [*others, *self._headers.items()]}
            if self._is_bare:
                self._held = message
                return
        elif self._held is not None:
            self._page += message.get("body", b"")
            if message.get("more_body", False):
                return
            page = DESCRIPTION.sub(NO_DESCRIPTION, self._page)
            headers = [header for header in self._held["headers"] if header[0].lower() != b"content-length"]
            await self._send({**self._held, "headers": [*headers, (b"content-length", b"%d" % len(page))]})
            message = {**message, "body": page}
        await self._send(message)

    def _stays(self, name: bytes) -> bool:
        # Gradio allows other sites to read what a visitor may, with the visitor's cookie.
        return name not in self._headers and not name.startswith(b"access-control-")

    async def refuse(self, refused: Refused) -> None:
        """Send a refusal as JSON, which Gradio's clients show."""
        if self._has_begun:
            return
        self.refused, self._is_bare = None, False
        body = json.dumps({"detail": str(refused), "error": str(refused)}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        if refused.status in (429, 503):
            headers.append((b"retry-after", b"10"))
        await self({"type": "http.response.start", "status": refused.status, "headers": headers})
        await self({"type": "http.response.body", "body": body})


def _own(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """A header; a cookie not for requests that other sites have a browser make."""
    if name.lower() == b"set-cookie":
        value = re.sub(rb"(?i)samesite=none", b"SameSite=lax", value)
    return name, value
