"""Priors kept ready, and their directions: from a name, a file or a run, loaded once and dropped when long unused."""

from __future__ import annotations

from pathlib import Path

from pix2pix.model_files import resolve_prior
from pix2pix.priors.directions import Directions, principal
from pix2pix.priors.families import ReleasedPrior, load_prior, prior_of
from pix2pix.priors.prior import Prior
from pix2pix.shelf import Shelf

KEPT = 4
DIRECTIONS = 8  # of each prior: what fits on a screen, and what there is beyond changes pictures less


def open_prior(name_or_path: str | Path) -> tuple[Prior, ReleasedPrior]:
    """A prior and the file it is from; the last few stay open, and a file that changed is read again.

    On the CPU, where a picture takes milliseconds and is the same on every machine's.
    Raises ValueError when there is no such prior, or its file cannot be read.
    """
    key = _key(name_or_path)

    def read() -> tuple[Prior, ReleasedPrior]:
        released = load_prior(key[0])
        return prior_of(released), released

    return _priors.take(key, read)


def open_directions(name_or_path: str | Path) -> Directions:
    """The `DIRECTIONS` of a prior, found once: a second or two. Raises ValueError as `open_prior` does."""
    prior, _ = open_prior(name_or_path)
    return _directions.take(_key(name_or_path), lambda: principal(prior, DIRECTIONS))


def drop_idle(seconds: float) -> int:
    """Let go of the priors that nobody asked for in so many seconds; how many there were."""
    _directions.drop_idle(seconds)
    return _priors.drop_idle(seconds)


def _key(name_or_path: str | Path) -> tuple[Path, int]:
    path = resolve_prior(name_or_path).resolve()
    return path, path.stat().st_mtime_ns


_priors: Shelf[tuple[Prior, ReleasedPrior]] = Shelf(KEPT)
_directions: Shelf[Directions] = Shelf(KEPT)
