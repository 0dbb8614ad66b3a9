"""Damage for trying: a good picture made worse in a known way, its original kept beside it to compare with.

Where what a visitor restores was damaged here, `truth_of` finds the original by the file's place: `F/name.png` has its
original at `F/truth/...` and, of holes, its mask at `F/mask/mask.png`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np

from pix2pix.images import to_pil, to_rgb, to_rgb8, write_image
from pix2pix.restoration.wanted import Degradation, Fault

SIGMA, BLUR, QUALITY = 25.0, 1.5, 20  # where the visitor has them estimated, or said nothing
HOLES, LOST = 0.2, 0.1  # shares of the picture
GREY = 128  # in place of what is lost

STEPS: Mapping[Degradation, Callable[[Fault], str]] = MappingProxyType(
    {
        "inpaint": lambda fault: _exactly("mask", "area", HOLES),
        "denoise": lambda fault: _exactly("noise", "sigma", SIGMA if fault.sigma is None else fault.sigma),
        "superres": lambda fault: f"downsample: {{factor: {fault.factor}, kind: area}}",
        "deblur": lambda fault: _exactly("blur", "sigma", fault.blur or BLUR),
        "salt_and_pepper": lambda fault: _exactly("salt_and_pepper", "share", LOST),
        "gray": lambda fault: "gray",
    }
)
"""How each kind of damage is done, by a step of `derive`; but for JPEG, which is a file's."""


def damage_for_trying(pixels: np.ndarray, stem: str, fault: Fault, seed: int, folder: Path) -> Path:
    """`pixels` (H, W, C) damaged as `fault` says, as a file in `folder`, and beside it what `truth_of` finds.

    Transparency is laid over white first. Raises ValueError for a picture that is too small for it.
    """
    from pix2pix.data.conditions import derive  # by way of torch, which takes seconds

    colours, scale = to_rgb(pixels), fault.scale
    height, width = (side // scale * scale for side in colours.shape[:2])
    if min(height, width) == 0:
        got = f"{colours.shape[1]}x{colours.shape[0]}"
        raise ValueError(f"got a picture of {got}, expected at least {scale} pixels a side to make it smaller")
    truth = np.ascontiguousarray(colours[:height, :width])
    (folder / "truth").mkdir()
    write_image(folder / "truth" / f"{stem}.png", truth)
    if fault.degradation == "jpeg":
        path = folder / f"{stem}-jpeg.jpg"
        to_pil(to_rgb8(truth)).save(path, "JPEG", quality=fault.quality or QUALITY, subsampling="4:2:0")
        return path
    worse = derive(truth, (STEPS[fault.degradation](fault),), np.random.default_rng(seed))
    if worse.shape[2] == 4:
        holes = worse[:, :, 3:] == 0
        (folder / "mask").mkdir()
        write_image(folder / "mask" / "mask.png", np.where(holes, 255, 0).astype(np.uint8))
        grey = worse.dtype.type(GREY * (np.iinfo(worse.dtype).max // 255))
        worse = np.where(holes, grey, worse[:, :, :3])
    path = folder / f"{stem}-{fault.degradation}.png"
    write_image(path, worse)
    return path


def truth_of(picture: Path) -> Path | None:
    """The original of a picture that was damaged here; None of any other."""
    return next(iter(sorted((picture.parent / "truth").glob("*.png"))), None)


def mask_of(picture: Path) -> Path | None:
    """The mask of the holes that were made in a picture here; None of any other."""
    path = picture.parent / "mask" / "mask.png"
    return path if path.is_file() else None


def _exactly(step: str, name: str, value: float) -> str:
    """A step whose parameter, a range to draw from, holds one value."""
    return f"{step}: {{{name}: [{value}, {value}]}}"
