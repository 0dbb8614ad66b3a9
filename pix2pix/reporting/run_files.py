"""What a run folder says of its run: the numbers of `log.jsonl` and the words of `summary.json`, read with patience."""

from __future__ import annotations

import json
import math
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

Record = dict[str, float]
"""One line of the log: name -> number. NaN where training had one."""


class Finding(BaseModel):
    """Something that looks wrong, and what to do about it."""

    model_config = ConfigDict(frozen=True)

    name: str = ""
    images: int | None = None
    sentence: str = ""
    advice: str = ""


class Best(BaseModel):
    """The evaluation with the smallest distance."""

    model_config = ConfigDict(frozen=True)

    images: int
    dev_distance: float


class Parameters(BaseModel):
    """How many weights are learned."""

    model_config = ConfigDict(frozen=True)

    generator: int | None = None
    discriminator: int | None = None


class Summary(BaseModel):
    """`summary.json`; what it does not say is left out of the page."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    images: int | None = None
    total: int | None = None
    seconds: float | None = None
    images_per_second: float | None = None
    finished: bool = False
    stopped_early: bool = False
    machine: str = ""
    choices: str = ""
    data: str = ""
    software: str = ""
    seed: int | None = None
    task: str = ""
    parameters: Parameters = Parameters()
    best: Best | None = None
    scoring_share: float | None = None
    findings: tuple[Finding, ...] = ()
    diagnosed: bool = True


def read_log(path: Path) -> list[Record]:
    """The numbers of each line, in the order of `images`; lines that are cut off or no records are passed over."""
    records = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else ():
        try:
            content = json.loads(line)
        except ValueError:
            continue
        if not isinstance(content, dict):
            continue
        record = {
            name: value
            for name, value in content.items()
            if isinstance(value, int | float) and not isinstance(value, bool)
        }
        if math.isfinite(record.get("images", math.nan)):
            records.append(record)
    return sorted(records, key=lambda record: record["images"])


def read_summary(path: Path) -> Summary | None:
    """The summary, or None when there is none yet. Raises ValueError when it is damaged."""
    if not path.is_file():
        return None
    try:
        return Summary.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ValueError(f"{path}: damaged: {where}: {first['msg']}; remove it to have a report without it") from None
