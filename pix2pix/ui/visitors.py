"""How often one visitor may ask: a token bucket each, and no more of them than fit."""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

from pix2pix.ui.limits import Busy
from pix2pix.ui.origins import is_loopback

KEPT = 10_000  # visitors; of more, those that asked longest ago are forgotten
NETWORK = 64  # bits of an IPv6 address that stand for one connection to the net, whose other 2**64 it may use at will


class Asking(Protocol):
    """What Gradio tells of who asks, as far as it matters here."""

    @property
    def username(self) -> str | None: ...
    @property
    def client(self) -> object: ...


def visitor_of(request: Asking | None) -> str:
    """Who asks, for the limits: who signed in, else the address; nothing for a call from within this process."""
    if request is None:
        return ""
    return visitor_named(request.username, getattr(request.client, "host", None) or "")


def visitor_named(user: str | None, address: str) -> str:
    """The same, of a name and an address; no name is taken for an address."""
    if user:
        return f"user {user}"
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4 or parsed.is_loopback or parsed.ipv4_mapped:
        return str(getattr(parsed, "ipv4_mapped", None) or parsed)
    rest = 128 - NETWORK
    return f"{ipaddress.IPv6Address(int(parsed) >> rest << rest)}/{NETWORK}"


def is_local(visitor: str) -> bool:
    """Whether a visitor is this machine itself, or a call from within this process."""
    return visitor == "" or is_loopback(visitor)


class Visitors:
    """`rate` requests a minute each: as many at once after a minute's rest, and one each 60 / rate seconds from then.

    People at this machine itself are not counted; where a proxy stands before the server, it has to say whom it speaks
    for, or all are one. `now` is the time in seconds.
    """

    def __init__(self, rate: int, now: Callable[[], float] = time.monotonic, spares_local: bool = True) -> None:
        self._rate = rate
        self._spares_local = spares_local
        self._now = now
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, and when they were counted

    def admit(self, visitor: str) -> None:
        """Count one request. Raises Busy, with the seconds to wait, when it is one too many."""
        if self._rate == 0 or (self._spares_local and is_local(visitor)):
            return
        with self._lock:
            now = self._now()
            tokens, counted = self._buckets.pop(visitor, (float(self._rate), now))
            tokens = min(float(self._rate), tokens + (now - counted) * self._rate / 60)
            enough = tokens >= 1
            self._buckets[visitor] = (tokens - enough, now)
            if len(self._buckets) > KEPT:
                self._buckets.popitem(last=False)
        if not enough:
            seconds = math.ceil((1 - tokens) * 60 / self._rate)
            raise Busy(f"too many requests, {self._rate} a minute are served; try again in {seconds} s")
