"""The server's life: it says when the page is ready, gets the first model ready meanwhile, and ends when told to."""

from __future__ import annotations

import logging
import socket
import threading
import webbrowser
from collections.abc import Callable
from types import FrameType

import uvicorn

from pix2pix.ui.limits import Settings
from pix2pix.ui.server import create_app
from pix2pix.ui.service import Service

LAST_WORDS = 3  # seconds, in which requests may end after a signal


class Server(uvicorn.Server):
    """uvicorn's, which tells when it is ready, and of the signal that ended it rather than raise it once more."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self.signal: int | None = None
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets)
        if self.started:
            self._ready()

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

    app = create_app(service, settings)
    # Who asks is what a proxy on this machine says, or one that the variable FORWARDED_ALLOW_IPS names.
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=LAST_WORDS
    )
    server = Server(config, ready)
    server.run(sockets=[listener])
    return 0 if server.signal is None else 128 + server.signal


def warm(service: Service) -> None:
    """Have the first model ready before anybody asks for it."""
    for offer in service.offers:
        if offer.model is not None:
            try:
                service.warm(offer.name)
            except Exception:  # whoever asks for it will be told
                logging.getLogger(__name__).warning("'%s' could not be loaded", offer.name, exc_info=True)
            return
