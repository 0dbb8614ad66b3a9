"""A site of two tiny priors, for tests: how it is served, and what the library makes of the same points."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from page_visits import serving
from PIL import Image
from tiny_priors import save_tiny_prior

from pix2pix.priors.exploring import pictures
from pix2pix.priors.opened import open_directions, open_prior
from pix2pix.priors.points import Point, w_of

# The site as it is with other priors in place of those that ship.
SERVE = """
import sys
from pathlib import Path
from pix2pix import model_files, serve
model_files.PRIORS = Path(sys.argv[1])
sys.exit(serve.main(["--port", "0", *sys.argv[2:]]))
"""


def ship(folder: Path) -> Path:
    """The folder, with two priors in it: 'castles', and 'moons' of one layer."""
    save_tiny_prior(folder / "castles.safetensors")
    save_tiny_prior(folder / "moons.safetensors", "dcgan")
    return folder


@contextmanager
def serving_priors(shipped: Path) -> Iterator[str]:
    """The address of the real server: the gallery, and the page of the priors in a folder."""
    with serving([sys.executable, "-c", SERVE, str(shipped)]) as address:
        yield address


def library(path: Path, point: Point) -> np.ndarray:
    """(64, 64, 3) uint8: what Python makes of the same point."""
    prior, _ = open_prior(path)
    directions = open_directions(path) if point.is_shifted else None
    found: np.ndarray = pictures(prior, w_of(prior, point, directions))[0]
    return found


def decoded(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def assert_same(content: bytes, expected: np.ndarray) -> None:
    """Other numbers of threads may round another way; another point is another picture altogether."""
    difference = np.abs(decoded(content).astype(int) - expected.astype(int))
    assert difference.shape == expected.shape
    assert difference.max() <= 1
    assert difference.mean() < 0.01
