"""What the page and the endpoint of restoration both call: searches, one at a time, for one visitor among many."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pix2pix.images import read_image, write_image
from pix2pix.ui.limits import Busy, Limits
from pix2pix.ui.offers import Offer
from pix2pix.ui.priors.explorer import Explorer
from pix2pix.ui.restoring.asking import Asked, asked_of, plain
from pix2pix.ui.restoring.damaging import damage_for_trying
from pix2pix.ui.restoring.paces import Paces
from pix2pix.ui.restoring.progress import Found, Progress
from pix2pix.ui.turns import Cancelled, Turns
from pix2pix.ui.visitors import Visitors

if TYPE_CHECKING:
    from pix2pix.priors.prior import Prior
    from pix2pix.ui.restoring.searching import Estimate

WAITING = 4  # searches that wait for the one under way; a minute each
MOST_PIXELS = 16_000_000  # of a restored picture
EXAMPLE_SIDE = 128
EXAMPLE_SEEDS = 100_000
TYPICAL = 0.7  # truncation of an example that a prior makes


class Searcher:
    """Searches for visitors; safe to share between threads.

    Every public function raises ValueError with one line for the visitor; Busy is one. `offers` and the explorer's
    priors give examples, `fresh` makes a folder for files, and within `plain_words` a message names no path.
    """

    def __init__(
        self,
        explorer: Explorer,
        offers: tuple[Offer, ...],
        limits: Limits,
        fresh: Callable[[], Path],
        plain_words: Callable[..., AbstractContextManager[None]],
    ) -> None:
        self.explorer = explorer
        self._offers = offers
        self._visitors = Visitors(limits.rate)
        self._most = min(MOST_PIXELS, limits.pixels)
        self._fresh = fresh
        self._plain_words = plain_words
        # A search keeps all processors busy for a minute; whatever else is asked has turns of its own meanwhile.
        self._turns = Turns(1, WAITING, of_one=1)
        self._paces = Paces()

    @property
    def waiting(self) -> int:
        """How many searches wait for their turn."""
        return self._turns.waiting

    def search(self, picture: Path, mask: Path | None, given: object, visitor: str, progress: Progress) -> Found:
        """What is found for a picture with the settings `given`, see `asked_of`; `progress` is told, and may end it.

        Raises ValueError for what cannot be searched, and Busy; Cancelled where it is ended before its turn.
        """
        from pix2pix.batch.lanes import pool_of, threads  # torch takes seconds, which a page need not wait for
        from pix2pix.ui.restoring.searching import search

        with self._said_plainly(picture, mask):
            asked = self._asked(picture, mask, given)
            self._visitors.admit(visitor)
            with (
                self._turns.take(visitor, is_cancelled=progress.stop.is_set),
                pool_of(1, threads()) as pool,  # as many as the command has, whatever other threads do meanwhile
            ):
                if progress.stop.is_set():
                    raise Cancelled("it was cancelled")
                progress.has_begun = True
                work = pool.submit(search, asked, self._prior(asked), self._most, self._fresh(), progress, self._paces)
                return work.result()

    def estimate(self, picture: Path, given: object, visitor: str) -> Estimate:
        """What a search of it would take. Raises ValueError as `search` does."""
        from pix2pix.ui.restoring.searching import estimate_of

        with self._said_plainly(picture):
            asked = self._asked(picture, None, given)
            self._visitors.admit(visitor)
            return estimate_of(asked, self._prior(asked), self._most, self._paces)

    def damage(self, picture: Path, given: object, visitor: str) -> Path:
        """The picture damaged as the settings say, by their seed, for trying; see `damaging`."""
        with self._said_plainly(picture):
            asked = self._asked(picture, None, given)
            self._visitors.admit(visitor)
            pixels = read_image(picture, self._most)
            return damage_for_trying(pixels, picture.stem, asked.options.fault(), asked.options.seed, self._fresh())

    def example(self, given: object, visitor: str) -> Path:
        """A picture damaged as the settings say: one that their prior makes, or a drawn photo; another each time."""
        number = secrets.randbelow(EXAMPLE_SEEDS)
        prior = given.get("prior") if isinstance(given, dict) else None
        drawn = None if prior is not None else self._drawn(number)
        if drawn is None:
            from pix2pix.priors.points import Point

            if prior is None:
                prior = next((offer.name for offer in self.explorer.offers), "")
            good = self.explorer.picture_file(str(prior), Point(number, TYPICAL), visitor)
        else:
            good = self._fresh() / f"photo-{number}.png"
            write_image(good, drawn)
        return self.damage(good, given, visitor)

    def _drawn(self, number: int) -> np.ndarray | None:
        """A photo as the tasks' own drawers draw them, None where no task has such a drawer."""
        from pix2pix.data.embedded import DRAWERS
        from pix2pix.ui.offers import EXAMPLE_SEED, EXAMPLES

        for offer in self._offers:
            embedded = offer.task.data.embedded
            if offer.kind in ("mask", "photo") and embedded is not None and embedded in DRAWERS:
                _, photo = DRAWERS[embedded](EXAMPLE_SEED, EXAMPLES + number, EXAMPLE_SIDE)
                return np.asarray(photo)
        return None

    def _asked(self, picture: Path, mask: Path | None, given: object) -> Asked:
        return asked_of(given, picture, mask, {offer.name: offer.path for offer in self.explorer.offers})

    def _prior(self, asked: Asked) -> Prior | None:
        return None if asked.prior is None else self.explorer.prior(asked.prior)

    @contextmanager
    def _said_plainly(self, *files: Path | None) -> Iterator[None]:
        try:
            with self._plain_words(*files):
                yield
        except Busy:
            raise
        except ValueError as error:
            raise ValueError(plain(str(error))) from None
