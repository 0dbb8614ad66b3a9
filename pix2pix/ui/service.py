"""What pages and endpoints both call: files in, files out, for one visitor among many."""

from __future__ import annotations

import logging
import os
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pix2pix.batch.files import Found
from pix2pix.batch.pipeline import Budget, processors
from pix2pix.batch.translating import bytes_of, memory_bytes
from pix2pix.images import picture_size, read_image, resize, stored_size, write_image
from pix2pix.schema import nearest
from pix2pix.ui.batches import keep, make_archive
from pix2pix.ui.limits import Busy, Limits
from pix2pix.ui.making import Maker
from pix2pix.ui.offers import Offer, example
from pix2pix.ui.previews import preview_shape, read_preview, spread_map, write_preview
from pix2pix.ui.priors.explorer import Explorer
from pix2pix.ui.priors.offers import PriorOffer
from pix2pix.ui.restoring.searcher import Searcher
from pix2pix.ui.turns import Turns
from pix2pix.ui.uploads import sent_file
from pix2pix.ui.visitors import Visitors, is_local
from pix2pix.ui.wishes import Archive, Result, Wish
from pix2pix.ui.words import plain_words

if TYPE_CHECKING:
    from pix2pix.translator import Translator

__all__ = ["Archive", "Busy", "Limits", "Result", "Service", "Wish"]

MOST_BATCHES = 8  # at a time; each takes a thread
EDGES_SIDE = 256  # short side that lines are derived at, as in training
MOST_SNAPPED = 16_000_000  # pixels; a label map of as many takes seconds
SEEN_BYTES_A_PIXEL = 18  # of a picture that is read, and made smaller or snapped; measured: 16 with 16 bits, 8 with 8


class Service:
    """All that a server does with pictures; safe to share between threads.

    Every public function raises ValueError with one line for the visitor, in which no path of this machine is; Busy is
    one. Outputs lie in a fresh folder of unguessable name below `folder`, and keep the pictures' own names.
    """

    def __init__(
        self,
        offers: Sequence[Offer],
        limits: Limits,
        folder: Path,
        device: str = "auto",
        confined: bool = False,
        priors: Sequence[PriorOffer] = (),
    ) -> None:
        """`confined`: files that are not in `folder`, where uploads lie too, are refused, as a server needs it."""
        self.offers = tuple(offers)
        self.limits = limits
        self.folder = folder
        self._device = device
        self._confined = confined
        self._visitors = Visitors(limits.rate)
        # One more than there are processors, since reading and writing wait.
        self._turns = Turns(processors() + 1, limits.waiting)
        self.explorer = Explorer(priors, limits, self._turns, self._fresh)
        self.searcher = Searcher(self.explorer, self.offers, limits, self._fresh, self._plain_words)
        self._memory = Budget(memory_bytes() // 4)
        self._counting = threading.Lock()
        self._batches: Counter[str] = Counter()

    def sent(self, file: str | Path) -> Path:
        """A file that a visitor named. Raises ValueError where it is none that was sent to this server, or is gone."""
        return sent_file(file, self.folder) if self._confined else Path(file)

    @property
    def waiting(self) -> int:
        """How many requests wait for their turn."""
        return self._turns.waiting

    @property
    def restores(self) -> bool:
        """Whether restoring has a page: where the site is about more than one task."""
        return bool(self.explorer.offers) or len(self.offers) > 1

    def offer(self, name: str) -> Offer:
        """The offer of that name. Raises ValueError, with the nearest one, where there is none."""
        for each in self.offers:
            if each.name == name:
                return each
        raise ValueError(f"no task '{name}'; {nearest(name, [each.name for each in self.offers])}")

    def translate(self, name: str, picture: Path, wish: Wish, visitor: str) -> Result:
        """The outputs of one picture. Raises ValueError for a picture or a wish that cannot be used, and Busy."""
        start = time.perf_counter()
        offer = self.offer(name)
        with self._plain_words(picture, wish.mask, wish.hints):
            wish.check(offer)
            self._visitors.admit(visitor)
            with self._turns.take(visitor):
                maker = Maker(self._translator(offer), wish, self.limits.pixels)
                folder = self._fresh()
                (job,) = maker.plan([Found(picture, picture.parent)], folder / "made")
                with self._room(maker, picture):
                    width, height = maker.make(job, folder)
                    rows, columns = preview_shape(height, width)
                    all_pages = offer.task.data.input == "raw"
                    before = write_preview(folder / "before.jpg", read_preview(picture, rows, columns, all_pages))
                    shown = [read_preview(output, rows, columns) for output in job.outputs]
                after = [write_preview(folder / f"after-{n}.jpg", image) for n, image in enumerate(shown, 1)]
                spread, levels = None, 0.0
                if len(shown) > 1:
                    heat, levels = spread_map(shown)
                    spread = write_preview(folder / "spread.jpg", heat)
        seconds = time.perf_counter() - start
        return Result(job.outputs, before, tuple(after), spread, levels, width, height, seconds)

    def edges(self, picture: Path, detail: float, visitor: str, side: int = EDGES_SIDE) -> Path:
        """PNG of the lines that tasks of drawings derive from a photo, more of them with `detail` from 0 to 1.

        They are found in the photo with its short side at `side` pixels, or as it is when smaller, since lines of one
        pixel cannot be shrunk.
        """
        from pix2pix.data.conditions import DERIVE  # by way of torch, which takes seconds

        with self._plain_words(picture):
            if not 0 <= detail <= 1:
                raise ValueError(f"detail: got {detail}, expected 0 to 1")
            self._visitors.admit(visitor)
            with self._turns.take(visitor), self._seen(picture, self.limits.pixels):
                photo = read_image(picture, self.limits.pixels, enough=side)
                share = min(1.0, side / min(photo.shape[:2]))
                height, width = (max(1, round(length * share)) for length in photo.shape[:2])
                photo = resize(photo, height, width, nearest=False)
                lines = DERIVE["edges"](photo, np.random.default_rng(0), detail=detail)
                return self._png(lines, f"{picture.stem}.png")

    def snapped(self, name: str, picture: Path, visitor: str) -> Path:
        """PNG of a label map, every pixel of which has one of the palette's colours."""
        from pix2pix.data.conditions import snap_to_palette
        from pix2pix.large.strips import in_strips

        offer = self.offer(name)
        with self._plain_words(picture):
            if not offer.palette:
                raise ValueError(f"'{offer.name}' has no palette: its pictures are no label maps")
            self._visitors.admit(visitor)
            most = min(MOST_SNAPPED, self.limits.pixels)
            with self._turns.take(visitor), self._seen(picture, most):
                snapped = in_strips(lambda rows: snap_to_palette(rows, offer.palette), read_image(picture, most))
                return self._png(snapped, f"{picture.stem}.png")

    def preview(self, picture: Path, visitor: str) -> tuple[Path, int, int]:
        """A JPEG to look at, and the (width, height) of the picture, upright."""
        with self._plain_words(picture):
            self._visitors.admit(visitor)
            with self._turns.take(visitor), self._seen(picture, self.limits.pixels):
                width, height = picture_size(picture)
                image = read_preview(picture, *preview_shape(height, width), pixel_limit=self.limits.pixels)
                return write_preview(self._fresh() / "preview.jpg", image), width, height

    def example(self, name: str, seed: int, visitor: str) -> Path:
        """PNG of an input that the task's own drawer draws, another one for each seed."""
        offer = self.offer(name)
        if not 0 <= seed < 2**63:
            raise ValueError(f"seed: got {seed}, expected a number from 0 to 2**63 - 1")
        self._visitors.admit(visitor)
        with self._turns.take(visitor):
            return self._png(example(offer, seed), f"{offer.name}-{seed}.png")

    def batch(
        self,
        name: str,
        files: Sequence[Path],
        wish: Wish,
        visitor: str,
        progress: Callable[[int, int], None],
        is_cancelled: Callable[[], bool],
    ) -> Archive:
        """A zip of the outputs of many pictures, which may come in zips, and of a report; one bad file stops nothing.

        `progress` is told how many of how many are done. Raises ValueError where nothing could be made, and Busy while
        another batch of this visitor runs.
        """
        offer = self.offer(name)
        with self._plain_words(*files, wish.mask):
            wish.check(offer)
            if wish.hints is not None:
                raise ValueError("hints: those of one picture, leave them out of a batch")
            self._visitors.admit(visitor)
            with self._one_batch(visitor):
                folder = self._fresh()
                files, wish = keep(files, wish, folder)

                def is_over() -> bool:
                    os.utime(folder)  # in use, and so kept
                    return is_cancelled()

                with self._turns.take(visitor, is_cancelled=is_over):
                    maker = Maker(self._translator(offer), wish, self.limits.pixels)

                @contextmanager
                def turn(maker: Maker, picture: Path) -> Iterator[None]:
                    with self._turns.take(visitor, True, is_over), self._room(maker, picture):
                        yield

                return Archive(*make_archive(maker, files, folder, self.limits, turn, progress, is_over))

    @contextmanager
    def _one_batch(self, visitor: str) -> Iterator[None]:
        with self._counting:
            if not is_local(visitor) and self._batches[visitor]:
                raise Busy("your other batch is still running; wait for it or cancel it")
            if self._batches.total() >= MOST_BATCHES:
                raise Busy(f"the server is busy with {MOST_BATCHES} batches; try again in a few minutes")
            self._batches += Counter([visitor])  # which also forgets those at 0
        try:
            yield
        finally:
            with self._counting:
                self._batches[visitor] -= 1

    def warm(self, name: str) -> None:
        """Load a model now, so that the first visitor need not wait for it."""
        offer = self.offer(name)
        if offer.model is not None:
            self._translator(offer)(np.zeros((64, 64, 3), np.uint8))

    def _translator(self, offer: Offer) -> Translator:
        if offer.model is None:
            raise ValueError(f"'{offer.name}' has no model yet; train one: {offer.how_to_train}")
        from pix2pix import hub  # torch takes seconds, which the page need not wait for

        try:
            return hub.load(offer.model, self._device)
        except (ValueError, OSError):  # which name the file
            logging.getLogger(__name__).exception("the model of '%s' cannot be loaded", offer.name)
            raise ValueError(f"'{offer.name}' cannot be loaded on this server") from None

    def _fresh(self) -> Path:
        folder = self.folder / secrets.token_urlsafe(24)
        folder.mkdir(parents=True, mode=0o700)
        return folder

    def _png(self, image: np.ndarray, name: str) -> Path:
        path = self._fresh() / name
        write_image(path, image)
        return path

    @contextmanager
    def _seen(self, picture: Path, most: int) -> Iterator[None]:
        """Room for a picture that is only read. Raises ValueError where it has more than `most` pixels."""
        width, height = stored_size(picture) or (1, 1)
        if width * height > most:
            raise ValueError(
                f"{picture.name}: {width}x{height} pixels, more than the {most / 1e6:g} million that are taken here; "
                "send a smaller picture"
            )
        with self._memory.take(SEEN_BYTES_A_PIXEL * width * height):
            yield

    @contextmanager
    def _room(self, maker: Maker, picture: Path) -> Iterator[None]:
        width, height = maker.check_size(picture)
        with self._memory.take(bytes_of(width * height * maker.translator.task.data.scale**2)):
            yield

    @contextmanager
    def _plain_words(self, *files: Path | None) -> Iterator[None]:
        """Messages without paths of this machine, and without advice that is for whoever runs the server."""
        try:
            for file in files:
                if file is not None:
                    self.sent(file)
            yield
        except Busy:
            raise
        except ValueError as error:
            folders = {self.folder, *(file.parent for file in files if file is not None)}
            raise ValueError(plain_words(str(error), folders)) from None
        except MemoryError:
            raise ValueError("not enough memory for this picture; send a smaller one") from None
