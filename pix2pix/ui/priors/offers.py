"""The priors that a site offers, without torch."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pix2pix import model_files
from pix2pix.priors.configuration import PriorConfiguration


@dataclass(frozen=True)
class PriorOffer:
    """One prior of a site; `data` and `licence` say in words what it was trained on, and on what terms."""

    name: str
    title: str
    path: Path
    data: str
    licence: str
    images_seen: int


def prior_offers(prior: str | None, say: Callable[[str], None] = lambda line: None) -> tuple[PriorOffer, ...]:
    """Every prior that ships, or the one that `prior` means, as `model_files.resolve_prior` finds it.

    The longest trained comes first. Of those that ship one that cannot be read is left out, and `say` is told.
    Raises ValueError for a name that means nothing, and for a file that is no prior.
    """
    if prior is not None:
        return (_offer(model_files.resolve_prior(prior)),)
    found = []
    for path in model_files.shipped_priors().values():
        try:
            found.append(_offer(path))
        except ValueError as error:
            say(f"{error}; it has no page")
    return tuple(sorted(found, key=lambda offer: -offer.images_seen))


def _offer(path: Path) -> PriorOffer:
    metadata = model_files.read_metadata(path, PriorConfiguration.kind)
    configuration = model_files.configuration_in(path, metadata, PriorConfiguration)
    # A run's file is called like that of any run: its folder tells it from others.
    is_of_run = path.name == model_files.MODEL_FILE
    name = (path.resolve().parent.name if is_of_run else path.stem) or configuration.name
    title = configuration.title or name.replace("_", " ").replace("-", " ").capitalize()
    facts = _facts(path, metadata.get("facts", ""))
    seen = facts.get("images_seen")
    data, licence = (str(facts.get(key, "")) for key in ("data", "licence"))
    return PriorOffer(name, title, path, data, licence, seen if isinstance(seen, int) else 0)


def _facts(path: Path, text: str) -> dict[str, object]:
    try:
        facts = json.loads(text)
    except ValueError:
        facts = None
    if not isinstance(facts, dict):
        raise ValueError(f"{path}: damaged metadata: no facts")
    return facts
