"""How much a server does, for one visitor and for all, and what it says when that is reached."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 2**20


class Busy(ValueError):
    """More is asked than there is room for now; the message is one line for the visitor, who may try again."""


@dataclass(frozen=True)
class Limits:
    """What visitors may ask for, and for how long things stay."""

    upload_bytes: int = 200 * MIB  # of one upload, which may be many files
    pixels: int = 100_000_000  # of a picture that is sent, and of one that is made
    files: int = 200  # of a batch
    rate: int = 120  # requests a minute and visitor; 0: no limit
    waiting: int = 32  # requests that wait for their turn
    keep_seconds: float = 3600  # of temporary files, from their last use
    idle_seconds: float = 900  # of models, from their last use


@dataclass(frozen=True)
class Settings:
    """How the site is reached."""

    auth: tuple[tuple[str, str], ...] = ()  # names and passwords of those who may; empty: everyone
    root_path: str = ""  # what a proxy puts before the paths
    behind_proxy: bool = False  # whether a proxy is believed, who says for whom it asks
    only_here: bool = False  # whether nobody but this machine itself can connect
