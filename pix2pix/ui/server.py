"""The site and the API as one web application: signing in, limits, cleaning up, and whether it is well."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import sys
import time
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import gradio as gr
from fastapi import FastAPI
from gradio import routes
from starlette.requests import HTTPConnection
from starlette.routing import Mount
from starlette.types import Scope

from pix2pix import __version__
from pix2pix.ui import look
from pix2pix.ui.endpoints import add_endpoints
from pix2pix.ui.gate import Gate
from pix2pix.ui.housekeeping import Housekeeping, drop_idle_models, remove_old_files
from pix2pix.ui.limits import Settings
from pix2pix.ui.priors.endpoints import add_prior_endpoints
from pix2pix.ui.restoring.endpoints import add_restore_endpoint
from pix2pix.ui.service import Service
from pix2pix.ui.site import build_site
from pix2pix.ui.visits import check_gradio, forget_visits, lighten

OPEN = Settings()
QUICK = 24  # threads beside those that wait for their turn: pages, examples, the ends of batches


def create_app(
    service: Service, settings: Settings = OPEN, build: Callable[[Service], gr.Blocks] = build_site
) -> FastAPI:
    """An application for an ASGI server, with the pages that `build` makes and the endpoints beside them.

    `environment.prepare` comes first, with the folder of the `service`.
    """
    site = build(service)
    with site:
        if service.offers:
            add_endpoints(service)
        add_prior_endpoints(service.explorer)
        if service.restores:
            add_restore_endpoint(service.searcher)
    # The service says who computes and who waits, in one place for pages and endpoints: Gradio lets all come.
    site.max_threads = service.limits.waiting + QUICK
    site.queue(default_concurrency_limit=None, max_size=4 * site.max_threads)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # Without it Gradio takes the paths of a payload for the developer's own, and trusts them.
        site.has_launched = True
        lighten(site, mounted(app))
        housekeeping = Housekeeping(
            [
                lambda: remove_old_files(service.folder, service.limits),
                lambda: drop_idle_models(service.limits),
                lambda: forget_visits(site, mounted(app)),
            ]
        )
        housekeeping.start()
        yield
        housekeeping.stop()

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    _add_health(app, service)
    with warnings.catch_warnings():
        # It warns that pages are not rendered on the server, which nobody asked for.
        warnings.filterwarnings("ignore", message="SSR mode")
        gr.mount_gradio_app(
            app,
            site,
            path="/",
            auth=verifier(settings.auth) if settings.auth else None,
            root_path=settings.root_path or None,
            show_error=False,
            max_file_size=service.limits.upload_bytes,
            footer_links=["api"],
            run_history=False,
            ssr_mode=False,
            enable_monitoring=False,
            mcp_server=False,
            pwa=False,
            theme=look.theme(),
            head=look.head(),
        )
    gradio = mounted(app)
    check_gradio(site, gradio)
    app.add_middleware(Gate, service.limits, service.folder, settings, lambda scope: user_of(gradio, scope))
    return app


def mounted(app: FastAPI) -> routes.App:
    """Gradio's own application within ours."""
    return next(each.app for each in app.routes if isinstance(each, Mount) and isinstance(each.app, routes.App))


def user_of(app: routes.App, scope: Scope) -> str | None:
    """Who has signed in, by the cookie of a request, as Gradio finds it."""
    cookies = HTTPConnection(scope).cookies
    tokens = (cookies.get(f"access-token-{kind}{app.cookie_id}", "") for kind in ("", "unsecure-"))
    return app.tokens.get(next((token for token in tokens if token), ""))


def verifier(accounts: tuple[tuple[str, str], ...]) -> Callable[[str, str], bool]:
    """Whether a name and a password are one of `accounts`, in a time that does not tell how nearly."""
    salt = secrets.token_bytes(16)

    def digest(name: str, password: str) -> bytes:
        # The lengths before: "a" and "bc" are not "ab" and "c".
        text = f"{len(name)}:{name}{password}".encode("utf-8", "surrogatepass")
        return hmac.new(salt, text, hashlib.sha256).digest()

    known = [digest(name, password) for name, password in accounts]

    def is_known(name: str, password: str) -> bool:
        given = digest(name, password)
        return sum(hmac.compare_digest(given, each) for each in known) > 0

    return is_known


def _add_health(app: FastAPI, service: Service) -> None:
    start = time.monotonic()

    @app.get("/health")
    def health() -> dict[str, str | int | list[str]]:
        # Not imported for this, since it brings torch; while it is being imported it has not all that it will.
        loaded = getattr(sys.modules.get("pix2pix.hub"), "loaded", list)
        return {
            "status": "ok",
            "version": __version__,
            "models": loaded(),
            "waiting": service.waiting,
            "uptime_seconds": round(time.monotonic() - start),
        }
