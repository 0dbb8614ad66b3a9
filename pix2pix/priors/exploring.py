"""What a prior knows, as sheets of pictures: samples, walks, mixed styles, sums and differences, truncation.

Every sheet names its pictures by their seeds, and has the noise inputs fixed, so that pictures differ by w alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pix2pix.images import make_grid
from pix2pix.priors.judging import AT_ONCE, pictures_of
from pix2pix.priors.pacing import Places, looks, paced
from pix2pix.priors.prior import Prior
from pix2pix.priors.walks import Path, arithmetic, latents_of, spread, variations, walk, with_layers_of

Picture = NDArray[np.uint8]
Sheet = NDArray[np.uint8]
GAP = 4  # white pixels around a picture of a sheet
AROUND = 8  # variations of a result, in a square around it


def pictures(prior: Prior, w: Tensor) -> Picture:
    """Pictures (N, size, size, 3) of w (N, layers, w_dim); a value may be one level from that of a picture alone."""
    # Several at once take a third of the time, and sum in another order.
    with torch.no_grad():
        return np.concatenate([pictures_of(prior.synthesize(part)) for part in torch.split(w, AT_ONCE)])


def seeded_pictures(prior: Prior, seeds: Sequence[int], truncation: float) -> Picture:
    """The pictures (N, size, size, 3) that `seeds` name."""
    return pictures(prior, prior.map(latents_of(prior, seeds), truncation))


def looks_of(prior: Prior, w: Tensor) -> NDArray[np.float32]:
    """What `paced` compares of the pictures of w (N, layers, w_dim): (N, D)."""
    with torch.no_grad():
        return np.concatenate([looks(prior.synthesize(part)).cpu().numpy() for part in torch.split(w, AT_ONCE)])


def walk_pictures(
    prior: Prior, seeds: Sequence[int], steps: int, path: Path, loop: bool, truncation: float
) -> tuple[Picture, list[int]]:
    """The frames (frames, size, size, 3) of a walk through the pictures of `seeds`, and the numbers of those.

    They are evenly paced, with `steps` from a seed to the next on average. `spherical` goes from z to z, `linear` from
    w to w.
    """
    z = latents_of(prior, seeds)
    keys = z if path == "spherical" else prior.map(z, truncation)

    def along(places: Places) -> Tensor:
        found = walk(keys, torch.from_numpy(places), path, loop)
        return prior.map(found, truncation) if path == "spherical" else found

    places = paced(lambda places: looks_of(prior, along(places)), len(seeds) - (not loop), steps)
    return pictures(prior, along(places)), np.flatnonzero(places % 1 == 0).tolist()


def sample_sheet(found: Picture, seeds: Sequence[int]) -> Sheet:
    """The pictures (N, size, size, 3) of `seeds` in a square, each below its seed."""
    tiles = [_titled(picture, str(seed)) for picture, seed in zip(found, seeds, strict=True)]
    columns = math.isqrt(len(tiles) - 1) + 1
    return _sheet([tiles[first : first + columns] for first in range(0, len(tiles), columns)])


def walk_sheet(frames: Picture, keys: Sequence[int], seeds: Sequence[int]) -> Sheet:
    """A walk (frames, size, size, 3), one line from each key frame to the next, both under their seeds."""
    rows = []
    for leg, (first, last) in enumerate(pairwise(keys)):
        titles = [str(seeds[leg]), *[""] * (last - first - 1), str(seeds[(leg + 1) % len(seeds)])]
        shown = zip(frames[first : last + 1], titles, strict=True)
        rows.append([_titled(frame, title) for frame, title in shown])
    return _sheet(rows)


def mixing_sheet(prior: Prior, rows: Sequence[int], columns: Sequence[int], chosen: range, truncation: float) -> Sheet:
    """Each row's picture with the `chosen` layers of each column's; the sources are in the first row and column."""
    left, top = (prior.map(latents_of(prior, seeds), truncation) for seeds in (rows, columns))
    sources = seeded_pictures(prior, columns, truncation)
    sheet = [[_blank(prior), *(_titled(picture, str(seed)) for picture, seed in zip(sources, columns, strict=True))]]
    for seed, w in zip(rows, left, strict=True):
        mixed = with_layers_of(w[None].expand_as(top), top, chosen)
        line = pictures(prior, torch.cat([w[None], mixed]))
        sheet.append([_titled(line[0], str(seed)), *(_titled(picture, "") for picture in line[1:])])
    return _sheet(sheet)


def arithmetic_sheet(
    prior: Prior, present: Sequence[int], absent: Sequence[int], plus: Sequence[int], truncation: float, seed: int
) -> Sheet:
    """Three columns of sources above their means, and at the right the result amid variations of it.

    The result is mean(present) - mean(absent) + mean(plus); the variations are drawn from `seed`.
    """
    groups = [prior.map(latents_of(prior, seeds), truncation) for seeds in (present, absent, plus)]
    result, rng = arithmetic(*groups), torch.Generator().manual_seed(seed)
    around = pictures(prior, variations(result, spread(prior, truncation, rng), AROUND, rng))
    means = pictures(prior, torch.stack([group.mean(dim=0) for group in groups] + [result]))

    most = max(len(present), len(absent), len(plus))
    rows = [[_blank(prior)] * 7 for _ in range(max(most + 1, 3))]
    for column, (group, seeds, sign) in enumerate(zip(groups, (present, absent, plus), "+-+", strict=True)):
        for row, (picture, each) in enumerate(zip(pictures(prior, group), seeds, strict=True)):
            rows[row][column] = _titled(picture, f"{sign} {each}")
        rows[most][column] = _titled(means[column], f"{sign} mean")
    square = [_titled(picture, "") for picture in around]
    square.insert(AROUND // 2, _titled(means[3], "= result"))
    for place, tile in enumerate(square):
        rows[place // 3][4 + place % 3] = tile
    return _sheet(rows)


def truncation_sheet(prior: Prior, seeds: Sequence[int], values: Sequence[float]) -> Sheet:
    """One line for each truncation, which is told at its left, with the same seeds in each."""
    rows = []
    for row, value in enumerate(values):
        titles = ["" if row else str(seed) for seed in seeds]
        shown = zip(seeded_pictures(prior, seeds, value), titles, strict=True)
        rows.append([_blank(prior, f"{value:g}"), *(_titled(picture, title) for picture, title in shown)])
    return _sheet(rows)


def _titled(picture: Picture, title: str) -> Picture:
    return make_grid([[picture]], gap=0, titles=[title])


def _blank(prior: Prior, text: str = "") -> Picture:
    """A white tile, with `text` in its middle."""
    tile = _titled(np.full((prior.size, prior.size, 3), 255, np.uint8), text)
    return np.roll(tile, prior.size // 2, axis=0)


def _sheet(rows: Sequence[Sequence[Picture]]) -> Sheet:
    return make_grid(rows, gap=GAP)
