"""The server's life: it says when the page is ready, gets the first model ready meanwhile, and ends when told to."""

from __future__ import annotations

import logging
import os
import shutil
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable
from types import FrameType

import uvicorn

from pix2pix.ui.limits import Settings
from pix2pix.ui.server import create_app
from pix2pix.ui.service import Service

LAST_WORDS = 3  # seconds, in which requests may end after a signal
TRIES = 3  # of removing a folder, into which a thread may be writing


class Server(uvicorn.Server):
    """uvicorn's, which tells when it is ready, and when it is over, with the signal that ended it."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None], over: Callable[[int | None], None]) -> None:
        super().__init__(config)
        self.signal: int | None = None
        self._ready = ready
        self._over = over

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop answering, and say nothing of requests that are cut off by it."""
        logging.disable()
        await super().shutdown(sockets)
        self._over(self.signal)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End, at once when told for the second time."""
        self.force_exit = self.should_exit
        self.should_exit = True
        self.signal = sig


def serve(service: Service, listener: socket.socket, settings: Settings, url: str, opens: bool) -> int:
    """Answer on `listener` until a signal comes; the status of the process."""

    def ready() -> None:
        print(f"pix2pix: {url}{settings.root_path}", flush=True)
        threading.Thread(target=warm, args=(service,), name="warm", daemon=True).start()
        if opens:
            webbrowser.open(url)

    def over(number: int | None) -> None:
        # Threads in the middle of a picture cannot be told to end, and the interpreter would wait for them.
        if number is not None:
            for _ in range(TRIES):
                shutil.rmtree(service.folder, ignore_errors=True)
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(128 + number)

    app = create_app(service, settings)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        # Who asks is what a proxy on this machine says, or one that the variable FORWARDED_ALLOW_IPS names.
        proxy_headers=settings.behind_proxy,
        timeout_graceful_shutdown=LAST_WORDS,
    )
    server = Server(config, ready, over)
    server.run(sockets=[listener])
    return 0 if server.signal is None else 128 + server.signal


def warm(service: Service) -> None:
    """Have the first model, or else the first prior, ready before anybody asks for it."""
    for offer in service.offers:
        if offer.model is not None:
            try:
                service.warm(offer.name)
            except Exception:  # whoever asks for it will be told
                logging.getLogger(__name__).warning("'%s' could not be loaded", offer.name, exc_info=True)
            return
    try:
        service.explorer.warm()
    except Exception:
        logging.getLogger(__name__).warning("a prior could not be loaded", exc_info=True)
