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

    from pix2pix.priors.pacing import Places
    from pix2pix.priors.points import Point
    from pix2pix.priors.prior import Prior

PICTURES_A_REQUEST = 10  # of the limit of requests: a picture takes milliseconds, and follows a slider as it moves
STRIP = 32  # pictures at most
LEG_STEPS = 24
SHARE_DIGITS = 5  # which fit into an address
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
        """The pictures at `points` one below the other, as JPEG."""
        offer = self.offer(name)
        self._visitors.admit(visitor)
        with self._turns.take(visitor):
            return _strip(self._pictures(offer, points))

    def leg(self, name: str, seeds: tuple[int, int], point: Point, visitor: str) -> tuple[bytes, list[float]]:
        """An evenly paced walk from seed to seed as a strip, without its end, and the share of the way of each picture.

        Each picture has all else that `point` says.
        """
        offer = self.offer(name)
        self._visitors.admit(visitor)
        with self._turns.take(visitor):
            points = self._paced(offer, seeds, LEG_STEPS, False, point)[:-1]
            return _strip(self._pictures(offer, points)), [each.share for each in points]

    def walk(self, name: str, seeds: Sequence[int], steps: int, loops: bool, point: Point, visitor: str) -> Path:
        """A GIF of the evenly paced way from seed to seed, each frame with all else that `point` says.

        `steps` are from one seed to the next on average; a loop ends one step before its first frame.
        """
        from pix2pix.priors.gifs import write_gif

        offer = self.offer(name)
        if not 2 <= len(seeds) <= WALK_SEEDS:
            raise ValueError(f"seeds: got {len(seeds)}, expected 2 to {WALK_SEEDS}")
        if not 1 <= steps <= WALK_STEPS:
            raise ValueError(f"steps: got {steps}, expected 1 to {WALK_STEPS} from one seed to the next")
        count = len(seeds) * steps if loops else (len(seeds) - 1) * steps + 1
        if count > WALK_FRAMES:
            raise ValueError(f"got {count} frames, expected at most {WALK_FRAMES}; fewer seeds, or fewer steps")
        self._visitors.admit(visitor)
        with self._turns.take(visitor):
            frames = self._pictures(offer, self._paced(offer, seeds, steps, loops, point)[:count])
            path = self._fresh() / f"{name}-walk-{seeds[0]}.gif"
            write_gif(path, frames)
            return path

    def prior(self, name: str) -> Prior:
        """The prior itself, for whoever searches in it."""
        return self._prior(self.offer(name))

    def warm(self) -> None:
        """Open the first prior now, so that the first visitor need not wait for it."""
        from pix2pix.priors.opened import open_directions
        from pix2pix.priors.points import Point

        if self.offers:
            self._pictures(self.offers[0], [Point()])
            open_directions(self.offers[0].path)

    def _pictures(self, offer: PriorOffer, points: Sequence[Point]) -> np.ndarray:
        """(N, size, size, 3) uint8."""
        from pix2pix.priors.exploring import pictures

        return pictures(self._prior(offer), self._w(offer, points))

    def _paced(self, offer: PriorOffer, seeds: Sequence[int], steps: int, loops: bool, point: Point) -> list[Point]:
        from pix2pix.priors.exploring import looks_of
        from pix2pix.priors.pacing import paced

        def look(places: Places) -> np.ndarray:
            return looks_of(self._prior(offer), self._w(offer, way(seeds, places, point)))

        return way(seeds, paced(look, len(seeds) - (not loops), steps), point)

    def _w(self, offer: PriorOffer, points: Sequence[Point]) -> Tensor:
        """(N, layers, w_dim)."""
        import torch

        from pix2pix.priors.opened import DIRECTIONS, open_directions
        from pix2pix.priors.points import w_of

        prior = self._prior(offer)
        for point in points:
            point.check(prior.layers, DIRECTIONS)
        directions = open_directions(offer.path) if any(point.is_shifted for point in points) else None
        with torch.no_grad():
            return torch.cat([w_of(prior, point, directions) for point in points])

    def _prior(self, offer: PriorOffer) -> Prior:
        from pix2pix.priors.opened import open_prior  # torch takes seconds, which a page need not wait for

        try:
            return open_prior(offer.path)[0]
        except (ValueError, OSError):  # which name the file
            logging.getLogger(__name__).exception("the prior '%s' cannot be loaded", offer.name)
            raise ValueError(f"'{offer.name}' cannot be loaded on this server") from None


def way(seeds: Sequence[int], places: Places, point: Point) -> list[Point]:
    """The points at `places` of a walk: place k is seed k, and behind the last one comes the first again."""
    points = []
    for place in places.tolist():
        leg, share = int(place), round(place % 1, SHARE_DIGITS)
        first, second = seeds[leg % len(seeds)], seeds[(leg + 1) % len(seeds)]
        points.append(replace(point, seed=first, toward=second if share else None, share=share))
    return points


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


def _strip(pictures: np.ndarray) -> bytes:
    """(N, S, S, 3) one below the other, as JPEG."""
    file = io.BytesIO()
    to_pil(pictures.reshape(-1, *pictures.shape[2:])).save(file, "JPEG", quality=95, subsampling=0)
    return file.getvalue()
