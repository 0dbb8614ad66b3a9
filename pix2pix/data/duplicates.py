"""Which pictures of a set are the same, or nearly so: by their content, and by how they look in a few pixels.

The difference hash of Krawetz 2013 ("Kind of Like That"): a picture shrunk to 9x8 grey pixels, one bit for each pixel
that is darker than the next, 64 in all. Two pictures that agree in nearly all bits, and whose small versions differ
little, are near duplicates: copies saved anew, resized or brightened. Mirrored and cropped ones are not found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pix2pix.images import resize, to_gray, to_rgb, to_rgb8

# Chosen on faces, shoes, facades, street scenes, maps and photos: of their pairs no two different pictures pass all
# three, of copies saved as JPEG of quality 40, at 0.6 times the size, or brighter by a twentieth 90 to 100 % do.
BITS_APART = 4
LEVELS_APART = 6.0  # of 255, the mean over the small picture, brightness taken off
LEAST_DETAIL = 6.0  # standard deviation in levels; below it the bits are chance, as on white paper with thin lines


@dataclass(frozen=True)
class Group:
    """Pictures that are duplicates of each other, by their numbers; `exact` where all hold the same pixels."""

    members: tuple[int, ...]
    exact: bool


def small_version(image: np.ndarray) -> np.ndarray:
    """What near duplicates are told by: (H, W, C) uint8 or uint16 -> (8, 9) uint8 grey."""
    return to_gray(to_rgb8(resize(to_rgb(image), 8, 9, nearest=False)))[:, :, 0]


def find_duplicates(contents: Sequence[bytes], small: Sequence[np.ndarray]) -> list[Group]:
    """Groups of two or more, ordered by their first members, from content hashes and `small_version`s of N pictures.

    Nearness is passed on: where a is near b and b near c, all three are one group. Memory grows with N, time with its
    square: a fraction of a second for 10,000.
    """
    first: dict[bytes, int] = {}
    labels = np.array([first.setdefault(content, index) for index, content in enumerate(contents)], np.int64)
    if len(labels) == 0:
        return []
    originals = np.unique(labels)
    values = np.stack([small[index] for index in originals])
    hashes = np.packbits(values[:, :, :-1] < values[:, :, 1:]).view(np.uint64)
    centred = values.reshape(len(values), -1).astype(np.float32)
    centred -= centred.mean(1, keepdims=True)
    detailed = np.flatnonzero(centred.std(1) >= LEAST_DETAIL)
    originals, hashes, centred = originals[detailed], hashes[detailed], centred[detailed]
    for row in range(len(originals) - 1):
        near = row + 1 + np.flatnonzero(np.bitwise_count(hashes[row + 1 :] ^ hashes[row]) <= BITS_APART)
        near = near[np.abs(centred[near] - centred[row]).mean(1) <= LEVELS_APART]
        joined = np.unique(labels[originals[[row, *near]]])
        if len(joined) > 1:
            labels[np.isin(labels, joined)] = joined[0]
    return _groups(labels, contents)


def _groups(labels: np.ndarray, contents: Sequence[bytes]) -> list[Group]:
    found: dict[int, list[int]] = {}
    for index, label in enumerate(labels.tolist()):
        found.setdefault(label, []).append(index)
    return [
        Group(tuple(members), len({contents[member] for member in members}) == 1)
        for members in found.values()
        if len(members) > 1
    ]
