"""One search, from the file of a picture to the files of what was found, as `pix2pix restore` makes them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pix2pix.batch.files import Found as Named
from pix2pix.batch.files import is_clip
from pix2pix.batch.names import EXACT, output_suffix, plan
from pix2pix.images import picture_size, read_image, read_picture, to_rgb, to_rgb8, write_image
from pix2pix.model_files import shipped_models
from pix2pix.priors.prior import Prior
from pix2pix.restoration.choosing import solver_for
from pix2pix.restoration.commands import fault_of
from pix2pix.restoration.diagnosing import HOLES, Damaged, damaged
from pix2pix.restoration.inverting import psnr
from pix2pix.restoration.options import SolverName
from pix2pix.restoration.pipeline import (
    TRAINED,
    Restored,
    restore_with_prior,
    restore_without_prior,
    searched_tiles,
    steps_from_picture,
)
from pix2pix.restoration.solvers import SOLVERS
from pix2pix.restoration.tiling import OVERLAP, TILE, tiles
from pix2pix.restoration.wanted import Box, box_in, largest_square
from pix2pix.restoration.watching import words_of
from pix2pix.ui.making import A_CLIP
from pix2pix.ui.previews import preview_shape, read_preview, spread_map, write_preview
from pix2pix.ui.restoring.asking import Asked, command_of
from pix2pix.ui.restoring.damaging import truth_of
from pix2pix.ui.restoring.paces import Paces
from pix2pix.ui.restoring.previewing import Preview
from pix2pix.ui.restoring.progress import Found, Progress
from pix2pix.ui.restoring.watching import Watch
from pix2pix.ui.wishes import Result

MOST_TILES = 4  # that are searched without a prior: with two cores minutes each


@dataclass(frozen=True)
class Estimate:
    """How long a search takes at most, its solver and how many steps of it that is."""

    seconds: float
    solver: str
    steps: int


@dataclass(frozen=True)
class Task:
    """What a search is given: the damage, how, the prior and its square or neither, and the parts of the picture."""

    damage: Damaged
    name: SolverName
    prior: Prior | None
    box: Box | None
    parts: Sequence[tuple[slice, slice]]
    pixels: int  # of a part, as it is searched

    def run(self, seed: int, watch: Watch) -> Restored:
        """The picture of one seed, as the command makes it."""
        if self.prior is None:
            return restore_without_prior(self.damage, SOLVERS[self.name], seed, watch)
        return restore_with_prior(self.damage, self.prior, SOLVERS[self.name], self.box, seed, watch)


def task_of(asked: Asked, pixels: np.ndarray, prior: Prior | None, most: int) -> Task:
    """What is asked of a picture (H, W, C); `most` pixels it may have, before and after.

    Raises ValueError where nothing is to be made, and for more than is searched here.
    """
    mask = None if asked.mask is None else read_image(asked.mask, most)
    damage = damaged(pixels, fault_of(asked.options.fault(), asked.picture), mask)
    (height, width), scale = damage.colours.shape[:2], damage.fault.scale
    check_size(height * scale, width * scale, most)
    name = solver_for(asked.options, damage.fault, damage.holes)
    if prior is not None:
        box = None if asked.options.box is None else box_in(asked.options.box)
        square = box or largest_square(height, width)
        return Task(damage, name, prior, box, [(square.rows, square.columns)], prior.size**2)
    found = searched_tiles(damage)
    check_tiles(sum(is_searched for *_, is_searched in found))
    return Task(damage, name, None, None, [tile[:2] for tile in found], _pixels(found[0][0], found[0][1], scale))


def estimate_of(asked: Asked, prior: Prior | None, most: int, paces: Paces) -> Estimate:
    """What a search takes where all of the picture is to be made, or the widest of holes. Raises ValueError as
    `task_of`.
    """
    fault = fault_of(asked.options.fault(), asked.picture)
    name = solver_for(asked.options, fault)
    width, height = picture_size(asked.picture)
    check_size(height * fault.scale, width * fault.scale, most)
    steps, count, pixels = SOLVERS[name].steps, 1, 0
    if prior is not None:
        pixels = prior.size**2
    else:
        found = tiles(height, width, TILE // fault.scale, OVERLAP // fault.scale)
        if fault.degradation not in HOLES:  # of which only tiles with holes are searched, wherever they are
            check_tiles(len(found))
        count, pixels = len(found), _pixels(*found[0], fault.scale)
        begins_with_model = name == "untrained" and TRAINED.get(fault.degradation) in shipped_models()
        steps = sum(steps_from_picture(steps)) if begins_with_model else steps
    seconds = min(paces.seconds(name, pixels, steps * count), asked.seconds)
    return Estimate(seconds * asked.completions, name, steps * count)


def check_size(height: int, width: int, most: int) -> None:
    """Raises ValueError for a picture that would be too large once it is restored."""
    if height * width > most:
        raise ValueError(
            f"{width}x{height} pixels once restored, at most {most / 1e6:g} million here; send a smaller one"
        )


def check_tiles(count: int) -> None:
    """Raises ValueError for more than are searched here."""
    if count > MOST_TILES:
        raise ValueError(
            f"too large to search all of it here, in {count} tiles of at most {MOST_TILES}: send a part of it, or a "
            "smaller one; the command takes any size"
        )


def search(asked: Asked, prior: Prior | None, most: int, folder: Path, progress: Progress, paces: Paces) -> Found:
    """What is found, as files in `folder`. One picture is made at least, others until the visitor says stop.

    Raises ValueError for a picture or a mask that cannot be used.
    """
    start = time.perf_counter()
    if is_clip(asked.picture):
        raise ValueError(f"{asked.picture.name}: {A_CLIP}")
    picture = read_picture(asked.picture, most)
    task = task_of(asked, picture.pixels, prior, most)
    named = [Named(asked.picture, asked.picture.parent)]
    (job,) = plan(named, folder / "made", asked.options.completions, lambda path: output_suffix(path, None, EXACT))
    truth = truth_of(asked.picture)
    original = None if truth is None else read_image(truth, most)
    made: list[Path] = []
    lines: list[str] = []
    for number, output in enumerate(job.outputs, 1):
        if made and progress.stop.is_set():
            break
        watch = Watch(asked, number, Preview(task.damage, task.parts), progress, folder)
        restored = task.run(asked.options.seed + number - 1, watch)
        if task.name != "patches":  # which take as long as there is to tell
            paces.learn(task.name, task.pixels, restored.steps, watch.seconds)
        output.parent.mkdir(exist_ok=True)
        write_image(output, restored.picture, picture.metadata)
        made.append(output)
        lines.append(line(task.damage, restored, watch.is_stopped, picture.pixels, original))
    height, width = restored.picture.shape[:2]
    result = result_of(asked.picture, made, (height, width), folder, time.perf_counter() - start)
    return Found(result, tuple(lines), command_of(asked))


def _pixels(rows: slice, columns: slice, scale: int) -> int:
    return int((rows.stop - rows.start) * (columns.stop - columns.start) * scale**2)


def line(damage: Damaged, restored: Restored, is_stopped: bool, pixels: np.ndarray, original: np.ndarray | None) -> str:
    """What is told of a restored picture, beside its size and how long it took; of an `original`, how near it is."""
    why = ", ".join(words_of(ending, is_stopped) for ending in restored.endings)
    said = [f"{restored.steps} steps, {why}"]
    if np.isfinite(restored.misfit):
        said.append(f"misfit {restored.misfit:.1f} levels of 255")
    if damage.is_estimated:
        said.append(f"noise level estimated: {damage.fault.sigma:.1f}")
    if original is not None and original.shape[:2] == restored.picture.shape[:2]:
        said.append(f"PSNR against the original {psnr(to_rgb8(restored.picture), to_rgb(original)):.1f} dB")
        if damage.fault.scale == 1:
            said[-1] += f", {psnr(to_rgb8(pixels), to_rgb(original)):.1f} before"
    return "; ".join(said)


def result_of(picture: Path, made: Sequence[Path], size: tuple[int, int], folder: Path, seconds: float) -> Result:
    """The files with pictures of them to look at."""
    rows, columns = preview_shape(*size)
    before = write_preview(folder / "before.jpg", read_preview(picture, rows, columns))
    shown = [read_preview(output, rows, columns) for output in made]
    after = [write_preview(folder / f"after-{number}.jpg", image) for number, image in enumerate(shown, 1)]
    spread, levels = None, 0.0
    if len(shown) > 1:
        heat, levels = spread_map(shown)
        spread = write_preview(folder / "spread.jpg", heat)
    return Result(tuple(made), before, tuple(after), spread, levels, size[1], size[0], seconds)
