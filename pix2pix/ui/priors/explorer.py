"""What the page and the endpoints of priors both call: points in, pictures out, for one visitor among many."""

from __future__ import annotations

import base64
import io
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pix2pix.images import to_pil
from pix2pix.schema import nearest
from pix2pix.ui import json_values
from pix2pix.ui.limits import Limits
from pix2pix.ui.priors.offers import PriorOffer
from pix2pix.ui.turns import Turns
from pix2pix.ui.visitors import Visitors

if TYPE_CHECKING:
    from torch import Tensor

    from pix2pix.priors.points import Point
    from pix2pix.priors.prior import Prior

PICTURES_A_REQUEST = 10  # of the limit of requests: a picture takes milliseconds, and follows a slider as it moves
STRIP = 32  # pictures at most
WALK_SEEDS = 12
WALK_STEPS = 60
WALK_FRAMES = 300


@dataclass(frozen=True)
class Explored:
    """One picture, as PNG, and what its prior has: layers, and the ranges of them that mean something."""

    png: bytes
    size: int
    layers: int
    groups: tuple[str, ...]


class Explorer:
    """Makes pictures of the priors that are offered; safe to share between threads.

    Every public function raises ValueError with one line for the visitor; Busy is one. Who computes and who waits is
    said by `turns`; `fresh` makes a folder for a file.
    """

    def __init__(self, offers: Sequence[PriorOffer], limits: Limits, turns: Turns, fresh: Callable[[], Path]) -> None:
        self.offers = tuple(offers)
        self._visitors = Visitors(PICTURES_A_REQUEST * limits.rate)
        self._turns = turns
        self._fresh = fresh

    def offer(self, name: str) -> PriorOffer:
        """The offer of that name. Raises ValueError, with the nearest one, where there is none."""
        for each in self.offers:
            if each.name == name:
                return each
        raise ValueError(f"no prior '{name}'; {nearest(name, [each.name for each in self.offers])}")

    def picture(self, name: str, point: Point, visitor: str) -> Explored:
        """The picture at `point`."""
        from pix2pix.priors.points import groups_of

        offer = self.offer(name)
        self._visitors.admit(visitor)
        with self._turns.take(visitor):
            prior = self._prior(offer)
            (picture,) = self._pictures(offer, [point])
            return Explored(_png(picture), prior.size, prior.layers, groups_of(prior.layers))

    def picture_file(self, name: str, point: Point, visitor: str) -> Path:
        """The same PNG as a file, which is named by the prior and the seed."""
        made = self.picture(name, point, visitor)
        path = self._fresh() / f"{name}-{point.seed}.png"
        path.write_bytes(made.png)
        return path

    def strip(self, name: str, points: Sequence[Point], visitor: str) -> bytes:
        """The pictures at `points` one below the other, as JPEG: thumbnails, or a walk to be played at once."""
        offer = self.offer(name)
        self._visitors.admit(visitor)
        with self._turns.take(visitor):
            pictures = self._pictures(offer, points)
            return _jpeg(pictures.reshape(-1, *pictures.shape[2:]))

    def walk(self, name: str, seeds: Sequence[int], steps: int, loops: bool, point: Point, visitor: str) -> Path:
        """A GIF of the way from seed to seed, each frame with all else that `point` says."""
        from pix2pix.priors.gifs import write_gif

        offer = self.offer(name)
        if not 2 <= len(seeds) <= WALK_SEEDS:
            raise ValueError(f"seeds: got {len(seeds)}, expected 2 to {WALK_SEEDS}")
        if not 1 <= steps <= WALK_STEPS:
            raise ValueError(f"steps: got {steps}, expected 1 to {WALK_STEPS} from one seed to the next")
        points = way(seeds, steps, loops, point)
        if len(points) > WALK_FRAMES:
            raise ValueError(f"got {len(points)} frames, expected at most {WALK_FRAMES}; fewer seeds, or fewer steps")
        self._visitors.admit(visitor)
        with self._turns.take(visitor):
            frames = self._pictures(offer, points)
            path = self._fresh() / f"{name}-walk-{seeds[0]}.gif"
            write_gif(path, frames)
            return path

    def warm(self) -> None:
        """Open the first prior now, so that the first visitor need not wait for it."""
        from pix2pix.priors.opened import open_directions
        from pix2pix.priors.points import Point

        if self.offers:
            self._pictures(self.offers[0], [Point()])
            open_directions(self.offers[0].path)

    def _pictures(self, offer: PriorOffer, points: Sequence[Point]) -> np.ndarray:
        """(N, size, size, 3) uint8."""
        import torch

        from pix2pix.priors.exploring import pictures
        from pix2pix.priors.opened import DIRECTIONS, open_directions
        from pix2pix.priors.points import w_of

        prior = self._prior(offer)
        for point in points:
            point.check(prior.layers, DIRECTIONS)
        directions = open_directions(offer.path) if any(point.is_shifted for point in points) else None
        with torch.no_grad():
            ws: list[Tensor] = [w_of(prior, point, directions) for point in points]
        return pictures(prior, torch.cat(ws))

    def _prior(self, offer: PriorOffer) -> Prior:
        from pix2pix.priors.opened import open_prior  # torch takes seconds, which a page need not wait for

        try:
            return open_prior(offer.path)[0]
        except (ValueError, OSError):  # which name the file
            logging.getLogger(__name__).exception("the prior '%s' cannot be loaded", offer.name)
            raise ValueError(f"'{offer.name}' cannot be loaded on this server") from None


def way(seeds: Sequence[int], steps: int, loops: bool, point: Point) -> list[Point]:
    """The points from seed to seed in `steps` steps each; that of a loop ends one step before its first."""
    ends = [*seeds[1:], seeds[0]] if loops else list(seeds[1:])
    points = [
        replace(point, seed=first, toward=second, share=step / steps)
        for first, second in zip(seeds, ends, strict=False)
        for step in range(steps)
    ]
    return points if loops else [*points, replace(point, seed=seeds[-1], toward=None, share=0.0)]


def point_of(given: object) -> Point:
    """JSON values as a point, by the names of its fields. Raises ValueError for a value of another type or name."""
    from pix2pix.priors.points import Point

    if not isinstance(given, Mapping):
        raise ValueError("point: expected a JSON object")
    known = [field.name for field in fields(Point)]
    read: dict[str, Any] = {}
    for name, value in given.items():
        if name not in known:
            raise ValueError(f"no '{str(name)[:40]}' of a point; {nearest(str(name), known)}")
        if name in ("toward", "mixed", "crossing") and value is None:
            continue
        if name == "shifts":
            read[name] = tuple(json_values.number(name, each) for each in json_values.items(name, value, STRIP))
        elif name == "layers":
            read[name] = json_values.text(name, value)
        elif name in ("truncation", "share"):
            read[name] = json_values.number(name, value)
        else:
            read[name] = json_values.whole(name, value)
    return Point(**read)


def data_uri(kind: str, content: bytes) -> str:
    """A small picture as part of an answer: no file on the server, and no second request."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"


def _png(picture: np.ndarray) -> bytes:
    file = io.BytesIO()
    to_pil(picture).save(file, "PNG")
    return file.getvalue()


def _jpeg(picture: np.ndarray) -> bytes:
    file = io.BytesIO()
    to_pil(picture).save(file, "JPEG", quality=95, subsampling=0)
    return file.getvalue()
