"""`python -m pix2pix.serve`: the tasks as pages in a browser, and as an API, on this machine or for others."""

from __future__ import annotations

import errno
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro
from pydantic import Field

from pix2pix.command_line import parse, run
from pix2pix.schema import Frozen
from pix2pix.ui.environment import prepare
from pix2pix.ui.folders import temporary_folder
from pix2pix.ui.limits import MIB, Limits, Settings
from pix2pix.ui.offers import Offer, offers
from pix2pix.ui.origins import is_loopback
from pix2pix.ui.priors.offers import PriorOffer, prior_offers
from pix2pix.ui.service import Service

PROG = "pix2pix serve"
MINUTE = 60
DEFAULTS = Limits()


class Arguments(Frozen):
    """Open the tasks as pages in a browser: paint, sketch, upload, and get a result at once; each is an API, too.

    Without --task, --model and --prior it is a gallery of all. Nothing is shared and nothing is reported to anyone.
    """

    host: Annotated[str, tyro.conf.arg(metavar="ADDRESS")] = Field(
        "127.0.0.1", description="where to listen; 0.0.0.0 is for everyone who reaches this machine"
    )
    port: Annotated[int, tyro.conf.arg(metavar="N")] = Field(7860, ge=0, le=65535, description="0 is any free one")
    root_path: Annotated[str, tyro.conf.arg(metavar="/PATH")] = Field(
        "",
        description="behind a proxy: the path at which the site is, / at the top; its X-Forwarded-* are believed",
    )
    auth: Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="USER:PASSWORD")] = Field(
        (), description="who may sign in; may be repeated"
    )
    auth_file: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = Field(
        None, description="the same, a line each, which no list of processes shows"
    )
    task: Annotated[str | None, tyro.conf.arg(metavar="TASK")] = Field(
        None, description="this one only: its newest run under runs/TASK, else the shipped model"
    )
    model: Annotated[str | None, tyro.conf.arg(metavar="NAME|FILE|RUN")] = Field(
        None, description="this one only: a shipped model, a model file, or a run folder"
    )
    prior: Annotated[str | None, tyro.conf.arg(metavar="NAME|FILE|RUN")] = Field(
        None, description="only this one, a generator of pictures: explore it, restore photos with it"
    )
    device: Annotated[str, tyro.conf.arg(metavar="auto|cpu|cuda|mps")] = "auto"
    upload_limit: Annotated[int, tyro.conf.arg(metavar="MB")] = Field(
        DEFAULTS.upload_bytes // MIB, gt=0, description="of one upload"
    )
    pixel_limit: Annotated[int, tyro.conf.arg(metavar="N")] = Field(
        DEFAULTS.pixels, gt=0, description="larger pictures are refused, before and after"
    )
    rate: Annotated[int, tyro.conf.arg(metavar="N")] = Field(
        DEFAULTS.rate, ge=0, description="requests a minute and visitor; 0 is no limit, as is this machine itself"
    )
    waiting: Annotated[int, tyro.conf.arg(metavar="N")] = Field(
        DEFAULTS.waiting, ge=0, le=1000, description="requests in the queue; one more is told that the server is busy"
    )
    keep: Annotated[float, tyro.conf.arg(metavar="MINUTES")] = Field(
        DEFAULTS.keep_seconds / MINUTE, gt=0, description="until files that nobody uses are removed"
    )
    idle: Annotated[float, tyro.conf.arg(metavar="MINUTES")] = Field(
        DEFAULTS.idle_seconds / MINUTE, gt=0, description="until models that nobody uses leave the memory"
    )
    open: bool = Field(False, description="open a browser at the page")

    @property
    def limits(self) -> Limits:
        """What visitors may ask for."""
        return Limits(
            upload_bytes=self.upload_limit * MIB,
            pixels=self.pixel_limit,
            rate=self.rate,
            waiting=self.waiting,
            keep_seconds=self.keep * MINUTE,
            idle_seconds=self.idle * MINUTE,
        )


def main(arguments: Sequence[str]) -> int:
    """Serve until Ctrl-C (130) or SIGTERM (143). Raises ValueError with one line for a user's mistake."""
    options = parse(Arguments, arguments, PROG)
    accounts = read_accounts(options.auth, options.auth_file)
    if options.root_path and not options.root_path.startswith("/"):
        raise ValueError(f"--root-path {options.root_path}: expected a path that begins with /")
    offered, priors = everything(options.task, options.model, options.prior)
    signal.signal(signal.SIGTERM, _leave)  # so that the folder is removed also before the server takes over
    with listening(options.host, options.port) as listener:
        if not is_loopback(options.host) and not accounts:
            print(f"{PROG}: anyone who reaches this machine can use it; --auth USER:PASSWORD asks who", file=sys.stderr)
        with temporary_folder() as folder:
            prepare(folder)
            try:
                from pix2pix.ui.running import serve
            except ModuleNotFoundError as error:
                if error.name not in ("gradio", "gradio_client", "uvicorn", "fastapi"):
                    raise
                raise ValueError(f"pages need the package '{error.name}'; run: pip install 'pix2pix[app]'") from None
            service = Service(offered, options.limits, folder, options.device, True, priors)
            url = f"http://{_shown(options.host)}:{listener.getsockname()[1]}"
            settings = Settings(
                accounts, options.root_path.rstrip("/"), bool(options.root_path), is_loopback(options.host)
            )
            return serve(service, listener, settings, url, options.open)


def everything(
    task: str | None, model: str | None, prior: str | None
) -> tuple[tuple[Offer, ...], tuple[PriorOffer, ...]]:
    """The tasks and the priors of the site: all there are, or the one that was named. Raises ValueError for two."""

    def say(line: str) -> None:
        print(f"{PROG}: {line}", file=sys.stderr)

    if prior is None:
        return offers(task, model, say), prior_offers(None, say) if task is None and model is None else ()
    if task is not None or model is not None:
        raise ValueError("--prior beside --task or --model: each says which page, give one of them")
    return (), prior_offers(prior)


def read_accounts(given: Sequence[str], file: Path | None) -> tuple[tuple[str, str], ...]:
    """Names and passwords, of the command line and of a file. Raises ValueError for a line that is none."""
    lines = list(given)
    if file is not None:
        try:
            lines += [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "no text"
            raise ValueError(f"--auth-file {file}: cannot be read: {reason}") from None
    accounts = []
    for line in lines:
        name, colon, password = line.partition(":")
        if not (name.strip() and colon and password):
            raise ValueError("--auth: expected USER:PASSWORD")  # without what was got, which is half a secret
        accounts.append((name.strip(), password))
    return tuple(accounts)


def listening(host: str, port: int) -> socket.socket:
    """A socket that takes connections. Raises ValueError for a port that is taken, or a host that is not this one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=2048)
    except OverflowError:
        raise ValueError(f"--port {port}: expected 0 to 65535") from None
    except socket.gaierror:
        raise ValueError(f"--host {host}: no such address") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ValueError(f"port {port} is taken; --port 0 takes any free one") from None
        raise ValueError(f"cannot listen on {host}, port {port}: {error.strerror}") from None
    # Its connections inherit it. asyncio sets it only for sockets that name their protocol, which these do not; without
    # it the body of an answer waits 40 ms for the other side to acknowledge the headers.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _shown(host: str) -> str:
    """The address to type on this machine."""
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}
    return everywhere.get(host, f"[{host}]" if ":" in host else host)


def _leave(number: int, frame: object) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    run(main, PROG)
