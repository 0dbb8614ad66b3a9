"""What the page offers to choose from, in words for people: kinds of damage, ways to search, how long."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pix2pix.restoration.options import NEED_NO_PRIOR, TOLD_BY_PATCHES, WITH_PRIOR, SolverName
from pix2pix.restoration.wanted import FLAGS, Degradation
from pix2pix.ui.restoring.asking import MOST_SECONDS
from pix2pix.ui.restoring.damaging import BLUR, QUALITY, SIGMA

DAMAGE: Mapping[Degradation, tuple[str, str]] = MappingProxyType(
    {
        "inpaint": ("Holes", "Paint over what is to be made. Every pixel elsewhere stays exactly as it is."),
        "denoise": ("Noise", "Grain all over the picture. How strong it is can be estimated from the picture itself."),
        "superres": ("Too small", "It comes back larger, with detail that explains the pixels there are."),
        "deblur": ("Blur", "Out of focus, evenly all over. The width is that of the blur, in pixels."),
        "jpeg": ("JPEG", "Blocks and halos of a strongly compressed file."),
        "salt_and_pepper": ("Specks", "Lost pixels, black or white, wherever they lie. They are found and made anew."),
        "gray": ("No colour", "A black and white photo. Its brightness stays exactly as it is."),
    }
)
"""Title and what it means."""

SOLVERS: Mapping[SolverName, str] = MappingProxyType(
    {
        "csgm": "Several random starts among what the generator makes: always plausible, seldom quite this picture.",
        "pgd": "A step towards the photo, then back to what the generator makes, and so on.",
        "w": "One style for the whole picture: close to what was learned.",
        "w+": "A style for each layer: closer to this picture, still made by the generator as it is.",
        "tuned": "A style first, then the generator itself is bent towards this picture: closest to what is known.",
        "untrained": "A network that has never seen a picture: it finds what is regular in this one.",
        "patches": "No search: patches of the photo that are alike tell each other what is missing. Quick.",
    }
)

UNNAMED: Mapping[Degradation, str] = MappingProxyType(
    {
        "inpaint": "Patches of the photo where holes are thin, as scratches and writing: quick. A network that has "
        "never seen a picture where they are wide, and for several results.",
        "denoise": "Patches of the photo that are alike tell each other what is missing: quick. A network that has "
        "never seen a picture for several results.",
    }
)
"""What is done without a prior where nobody says how; of all others `untrained` alone."""

SECONDS = ((15, "15 s"), (60, "1 min"), (300, "5 min"), (None, "No limit"))


def solver(name: SolverName) -> dict[str, Any]:
    """Its note, whether it searches a prior, for which damage it is, and whether seeds change what it finds."""
    has_seeds = name != "patches"
    damage = sorted(DAMAGE if has_seeds else TOLD_BY_PATCHES)
    return {
        "name": name,
        "note": SOLVERS[name],
        "prior": name not in NEED_NO_PRIOR,
        "damage": damage,
        "seeds": has_seeds,
    }


def choices(priors: list[dict[str, str]]) -> dict[str, Any]:
    """For the page's script."""
    return {
        "damage": [
            {"name": name, "title": title, "note": note, "flags": sorted(FLAGS[name])}
            for name, (title, note) in DAMAGE.items()
        ],
        "priors": priors,
        "solvers": [solver(name) for name in SOLVERS],
        "automatic": WITH_PRIOR,
        "unnamed": dict(UNNAMED),
        "most": MOST_SECONDS,
        "seconds": [{"value": value, "title": title} for value, title in SECONDS],
        "start": {"sigma": SIGMA, "blur": BLUR, "quality": QUALITY},
    }
