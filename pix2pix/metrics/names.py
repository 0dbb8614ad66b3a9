"""What people read of a metric: its title, which direction is better, how many decimals mean something.

A metric's name may end in its judge, as in `fid[efficientnet_lite0]`; the prefix `fcn_` says that a segmentation
network reads the output. None as a value means "not defined", except for PSNR, where it is the infinity that JSON
cannot write: the pictures are equal.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

REFERENCE = "target itself"
"""The row of the targets scored against themselves: what a metric gives at best, no competitor."""

TITLES: Mapping[str, str] = MappingProxyType(
    {
        "l1": "L1",
        "psnr": "PSNR (dB)",
        "ssim": "SSIM",
        "ms_ssim": "MS-SSIM",
        "lpips": "LPIPS",
        "fid": "FID",
        "kid_x1000": "KID x1000",
        "psnr_ab": "PSNR of a and b (dB)",
        "overlap_l": "Overlap of L",
        "overlap_a": "Overlap of a",
        "overlap_b": "Overlap of b",
        "mean_iou": "Mean IoU",
    }
)
"""Where the name in plain words would not be what the field writes."""

LOWER_IS_BETTER = frozenset({"l1", "lpips", "fid", "kid_x1000"})
HIGHER_IS_BETTER = frozenset(
    {
        *("psnr", "psnr_ab", "ssim", "ms_ssim", "precision", "recall", "overlap_l", "overlap_a", "overlap_b"),
        *("pixel_accuracy", "class_accuracy", "mean_iou"),
    }
)

UNDEFINED = "—"
TWO_DECIMALS = frozenset({"psnr", "psnr_ab", "fid", "kid_x1000", "colourfulness"})


def metric_title(name: str) -> str:
    """`fid[efficientnet_lite0]` as `FID (efficientnet_lite0)`, `pixel_accuracy` as `Pixel accuracy`."""
    plain, judge = _parts(name)
    own = plain.removeprefix("fcn_")
    title = TITLES.get(own, own.replace("_", " "))
    # `capitalize` would make a lower-case word of every abbreviation in it.
    title = f"FCN {title}" if own != plain else title[:1].upper() + title[1:]
    return f"{title} ({judge})" if judge else title


def higher_is_better(name: str) -> bool | None:
    """Whether a larger value is a better one; None where neither is, as for colourfulness, and for unknown names."""
    plain = _parts(name)[0].removeprefix("fcn_")
    if plain in LOWER_IS_BETTER:
        return False
    return True if plain in HIGHER_IS_BETTER else None


def value_text(name: str, value: float | None) -> str:
    """A value with as many decimals as mean something; a dash where it is not defined."""
    number = as_number(name, value)
    if number is None:
        return UNDEFINED
    if math.isinf(number):
        return "∞" if number > 0 else "-∞"
    return f"{number:.{2 if _parts(name)[0] in TWO_DECIMALS else 4}f}"


def as_number(name: str, value: float | None) -> float | None:
    """A value as it is compared: infinite for a PSNR of None, None where it is not defined."""
    if value is None:
        return math.inf if _parts(name)[0] in ("psnr", "psnr_ab") else None
    return None if math.isnan(value) else float(value)


def _parts(name: str) -> tuple[str, str]:
    plain, _, judge = name.partition("[")
    return plain, judge.removesuffix("]")
