"""The cases that ways of restoring are compared on: each a kind of damage with its strength, done by the file's name.

What a step of `derive` can do is done by it. Boxes, lost pixels and writing, which no training needs, are drawn here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from pix2pix.data.conditions.masks import with_mask
from pix2pix.restoration.classics import Kind
from pix2pix.restoration.damage import Damaged, damage
from pix2pix.restoration.operators import Mask
from pix2pix.schema import nearest

Picture = NDArray[np.uint8]
Holes = NDArray[np.bool_]
HoleMaker = Callable[[np.random.Generator, int], Holes]
"""Draws the holes of a square of so many pixels a side."""

WORDS = "the quick brown fox jumps over the lazy dog and runs on "
LINES = 6  # of writing in a picture
LETTERS = 0.8  # of a line's height


@dataclass(frozen=True)
class Case:
    """One kind of damage at one strength. `kind` says which classics and which model are for it."""

    name: str
    title: str
    kind: Kind
    damage: Callable[[Picture, np.random.Generator], Damaged]
    factor: int = 1  # by which the damaged picture is smaller

    def damaged(self, picture: Picture, stem: str) -> Damaged:
        """`picture` (S, S, 3) uint8 damaged, always in the same way for the same `stem`."""
        return self.damage(picture, np.random.default_rng(seed_of(stem)))


def centre_box(rng: np.random.Generator, side: int) -> Holes:
    """A quarter of the picture, in the middle."""
    holes = np.zeros((side, side), np.bool_)
    first = side // 4
    holes[first : first + side // 2, first : first + side // 2] = True
    return holes


def lost_pixels(share: float) -> HoleMaker:
    """So large a share of the pixels, anywhere; which is met exactly, but for rounding."""

    def draw(rng: np.random.Generator, side: int) -> Holes:
        return (rng.permutation(side * side) < round(share * side * side)).reshape(side, side)

    return draw


def writing(rng: np.random.Generator, side: int) -> Holes:
    """Lines of text across the picture, each beginning somewhere in the sentence."""
    pitch = side / LINES
    sheet = Image.new("L", (side, side))
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(LETTERS * pitch)
    for line in range(LINES):
        start = int(rng.integers(len(WORDS)))
        draw.text((0, (line + 0.5) * pitch), (WORDS[start:] + 3 * WORDS), 255, font, anchor="lm")
    return np.asarray(sheet) >= 128


def seed_of(text: str) -> int:
    """The seed that `inputs.derived_pair` takes of a picture's stem, so that an evaluation does the same damage."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")


def chosen_cases(text: str) -> tuple[Case, ...]:
    """The cases in `text`, as `box-25,noise-50`, or `all`. Raises ValueError, with the nearest name, for others."""
    names = list(CASES) if text == "all" else text.split(",")
    for name in names:
        if name not in CASES:
            raise ValueError(f"--cases: no case '{name}'; {nearest(name, CASES)}")
    return tuple(CASES[name] for name in CASES if name in names)


def _by_steps(*steps: str) -> Callable[[Picture, np.random.Generator], Damaged]:
    return lambda picture, rng: damage(picture, steps, rng)


def _by_holes(draw: HoleMaker) -> Callable[[Picture, np.random.Generator], Damaged]:
    def make(picture: Picture, rng: np.random.Generator) -> Damaged:
        holes = draw(rng, picture.shape[0])
        known = torch.from_numpy((~holes).astype(np.float32))[None, None]
        return Damaged(with_mask(picture, holes), Mask(known), 0.0, "gaussian")

    return make


CASES: Mapping[str, Case] = MappingProxyType(
    {
        case.name: case
        for case in (
            Case("whole", "nothing lost: inversion", "invert", _by_steps()),
            Case("box-25", "a box of 25 % lost", "inpaint", _by_holes(centre_box)),
            Case("strokes-40", "strokes of 40 % lost", "inpaint", _by_steps("mask: {area: [0.4, 0.4]}")),
            Case("pixels-50", "50 % of the pixels lost", "inpaint", _by_holes(lost_pixels(0.5))),
            Case("pixels-80", "80 % of the pixels lost", "inpaint", _by_holes(lost_pixels(0.8))),
            Case("text", "lost below writing", "inpaint", _by_holes(writing)),
            Case("noise-25", "noise of 25 levels", "denoise", _by_steps("noise: {sigma: [25, 25]}")),
            Case("noise-50", "noise of 50 levels", "denoise", _by_steps("noise: {sigma: [50, 50]}")),
            Case("smaller-4", "a quarter of the side, bicubic", "superres", _by_steps("downsample: {factor: 4}"), 4),
        )
    }
)
