"""From where a request may come: this site's own pages, programs, and people who follow a link to a page.

A browser says which site had it ask: `Origin` with all that writes, `Sec-Fetch-Site` with everything. Programs say
neither. What a browser cannot say is that a name has come to mean this machine (DNS rebinding); where only this machine
itself can connect, no other name is its own.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

STRANGE_HOST = "this server answers on this machine only, at its own address"
STRANGE_ORIGIN = "another site asked for this in your name; open this site's own page"

Headers = Sequence[tuple[bytes, bytes]]


def is_loopback(host: str) -> bool:
    """Whether an address, or the name that all machines have for themselves, is this machine itself."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def refusal(headers: Headers, is_visit: bool, only_here: bool, behind_proxy: bool) -> str:
    """Why a request is refused, in one line; empty where it is not.

    `is_visit`: it asks for a page. `only_here`: nobody but this machine can connect. `behind_proxy`: what a proxy says
    of the request that it had is believed.
    """
    host = header(headers, b"host")
    if only_here and not behind_proxy and not is_loopback(_name(host)):
        return STRANGE_HOST
    origin = header(headers, b"origin")
    if origin:
        hosts, schemes = [host], ["http", "https"]
        if behind_proxy:
            hosts.append(_first(header(headers, b"x-forwarded-host")))
            told = _first(header(headers, b"x-forwarded-proto"))
            schemes = [told] if told else schemes
        if origin.lower() not in {f"{scheme}://{each}".lower() for scheme in schemes for each in hosts if each}:
            return STRANGE_ORIGIN
    follows_link = is_visit and header(headers, b"sec-fetch-mode") == "navigate"
    if header(headers, b"sec-fetch-site") == "cross-site" and not follows_link:
        return STRANGE_ORIGIN
    return ""


def header(headers: Headers, wanted: bytes) -> str:
    """The value of a header; empty where there is none."""
    return next((value.decode("latin-1").strip() for name, value in headers if name.lower() == wanted), "")


def _first(listed: str) -> str:
    return listed.split(",")[0].strip()


def _name(host: str) -> str:
    """A host without its port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
