"""From a file that a visitor sent and a wish to the outputs' files: by the very functions that `translate` runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pix2pix.batch.files import Found, is_clip
from pix2pix.batch.names import EXACT, SUFFIXES, Format, Job, exact_formats, output_suffix, plan
from pix2pix.batch.translating import picture_work, sample_seeds
from pix2pix.images import read_image, stored_size
from pix2pix.ui import masking
from pix2pix.ui.wishes import Wish

if TYPE_CHECKING:
    from pix2pix.guidance import Guidance
    from pix2pix.translator import Translator


A_CLIP = "a clip, which takes too long here; pictures are taken, `pix2pix translate` takes clips, too"


@dataclass(frozen=True)
class Maker:
    """One model and one wish, for any number of pictures; `pixels` is what a picture may have, before and after."""

    translator: Translator
    wish: Wish
    pixels: int

    @property
    def fills_holes(self) -> bool:
        """Whether pictures have holes to fill, and stay as they are elsewhere."""
        return self.translator.task.data.input == "masked_rgb"

    def plan(self, pictures: Sequence[Found], folder: Path, reserved: Sequence[Path] = ()) -> list[Job]:
        """The outputs of each picture below `folder`, named and of the format that `pix2pix translate` gives them.

        Raises ValueError for a clip.
        """
        if clips := [found.path.name for found in pictures if is_clip(found.path)]:
            raise ValueError(f"{clips[0]}: {A_CLIP}")
        formats: Sequence[Format] = tuple(SUFFIXES)
        if self.fills_holes:
            formats = EXACT  # what is not filled is the visitor's own, to the byte
        elif self.translator.task.is_exact:
            formats = exact_formats(self.translator.suffix)
        return plan(pictures, folder, self.wish.drawn, lambda picture: output_suffix(picture, None, formats), reserved)

    def check_size(self, picture: Path) -> tuple[int, int]:
        """(width, height) as the file says them. Raises ValueError where the picture or its output is too large."""
        width, height = stored_size(picture) or (1, 1)
        scale = self.translator.task.data.scale
        if width * height * scale**2 > self.pixels:
            larger = "" if scale == 1 else f", {scale} times as large when it is made"
            raise ValueError(
                f"{picture.name}: {width}x{height} pixels{larger}, more than the {self.pixels / 1e6:g} million that "
                "are taken here; send a smaller picture"
            )
        return width, height

    def make(self, job: Job, folder: Path) -> tuple[int, int]:
        """Write the outputs of one picture, (width, height) of them; `folder` is for what else is needed on the way.

        Raises ValueError for a picture, a mask or hints that cannot be used.
        """
        wish, source = self.wish, job.source
        if self.fills_holes:
            source = masking.join(job.source, wish.mask, wish.grow, folder, self.pixels)
        seeds: list[int | None] = [None] if wish.drawn is None else sample_seeds(wish.seed, wish.drawn)
        work = picture_work(self.translator, seeds, self.pixels, self.translator.task.is_exact, self._guidance())
        width, height = work(Job(source, job.outputs))
        if self.fills_holes:
            for output in job.outputs:
                masking.restore(output, job.source, wish.mask, wish.grow, self.pixels)
        scale = self.translator.task.data.scale
        return width * scale, height * scale

    def _guidance(self) -> Callable[[Path], Guidance] | None:
        from pix2pix.guidance import Guidance  # torch takes seconds, which a page need not wait for

        hints = None if self.wish.hints is None else read_image(self.wish.hints, self.pixels)
        guidance = Guidance(self.wish.saturation, hints, self.wish.strength, self.wish.as_drawn)
        is_plain = hints is None and guidance == Guidance()
        return None if is_plain else lambda picture: guidance
