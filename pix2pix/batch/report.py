"""What became of each picture, as `report.json` tells it and as the last lines on the console do."""

from __future__ import annotations

import json
import os
import secrets
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pix2pix.batch.files import is_clip
from pix2pix.batch.names import Job

REPORT = "report.json"
NAMED = 20  # failures on the console; the report has them all
Status = Literal["done", "skipped", "failed"]


@dataclass(frozen=True, slots=True)
class Record:
    """One picture: what became of it, why it failed, its size in pixels, and how long it took."""

    job: Job
    status: Status
    reason: str = ""
    width: int | None = None
    height: int | None = None
    seconds: float | None = None

    def line(self) -> str:
        """As one line of JSON."""
        facts: dict[str, object] = {"input": str(self.job.source), "status": self.status}
        if self.reason:
            facts["reason"] = self.reason
        else:
            facts["outputs"] = [str(output) for output in self.job.outputs]
        if self.width is not None:
            facts |= {"width": self.width, "height": self.height}
        if self.seconds is not None:
            facts["seconds"] = round(self.seconds, 3)
        return json.dumps(facts)


@dataclass(frozen=True)
class Outcome:
    """The records of the pictures that ended or were left as they were, in order; of how many, in what time, and the
    signal that stopped the run, if one did."""

    records: Sequence[Record]
    planned: int
    seconds: float
    signal: int | None = None

    def count(self, status: Status) -> int:
        return sum(record.status == status for record in self.records)

    @property
    def not_begun(self) -> int:
        return self.planned - len(self.records)

    @property
    def translated(self) -> list[Job]:
        """The jobs whose outputs are there."""
        return [record.job for record in self.records if record.status != "failed"]

    @property
    def status(self) -> int:
        """Of the process: 0, 1 when a picture failed, 128 and the signal's number when one stopped it."""
        return 128 + self.signal if self.signal is not None else int(self.count("failed") > 0)


def write_report(path: Path, facts: Mapping[str, object], outcome: Outcome) -> None:
    """Write `facts`, totals, and a line for each picture as one JSON object, whole or not at all.

    Raises ValueError when the file cannot be written.
    """
    whole = {
        **facts,
        "seconds": round(outcome.seconds, 3),
        "stopped by": None if outcome.signal is None else signal.Signals(outcome.signal).name,
        "totals": {
            "pictures": outcome.planned,
            "done": outcome.count("done"),
            "skipped": outcome.count("skipped"),
            "failed": outcome.count("failed"),
            "not begun": outcome.not_begun,
        },
    }
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("x", encoding="utf-8") as file:
            file.write(json.dumps(whole, indent=1).removesuffix("\n}") + ',\n "pictures": [')
            for index, record in enumerate(outcome.records):
                file.write(("," if index else "") + "\n  " + record.line())
            file.write("\n ]\n}\n")
        os.replace(temporary, path)
    except OSError as error:
        raise ValueError(f"{path}: cannot be written: {error.strerror}") from None
    finally:
        temporary.unlink(missing_ok=True)


def success_lines(outcome: Outcome, samples: int) -> list[str]:
    """For the console: how many pictures were done, with `samples` outputs each, and how many left as they were."""
    lines, done, skipped = [], outcome.count("done"), outcome.count("skipped")
    if done:
        jobs = (record.job for record in outcome.records if record.status == "done")
        folders = list(dict.fromkeys(job.outputs[0].parent for job in jobs))
        where = str(folders[0]) if len(folders) == 1 else f"{len(folders)} folders, {folders[0]} the first"
        each = f", {samples} outputs each" if samples > 1 else ""
        noun, pace = "picture", f"{done * samples / outcome.seconds:.2f} images/s"
        if all(is_clip(record.job.source) for record in outcome.records if record.status == "done"):
            noun, pace = "clip", f"{outcome.seconds:.0f} s"
        lines.append(printable(f"{pictures_in_words(done, noun)}{each}, written to {where}; {pace}"))
    if skipped:
        lines.append(f"{pictures_in_words(skipped)} left alone, the outputs are there already")
    return lines


def failure_lines(outcome: Outcome, report: Path | None) -> list[str]:
    """For the console: a line for each picture that failed, of many the first ones and where the others are named."""
    failed = [record for record in outcome.records if record.status == "failed"]
    named = failed if report is None else failed[:NAMED]
    names = [" ".join(str(record.job.source).split()) for record in named]  # as in reasons, which are one line
    lines = [
        record.reason if name in record.reason else f"{name}: {record.reason}"
        for name, record in zip(names, named, strict=True)
    ]
    if len(failed) > len(named):
        lines.append(f"... and {len(failed) - len(named)} more, see {report}")
    if failed:
        lines.append(f"{len(failed)} of {outcome.planned} pictures could not be translated")
    if outcome.signal is not None:
        rest = pictures_in_words(outcome.not_begun)
        lines.append(f"stopped, {rest} not begun; the same command with --skip-existing goes on")
    return lines


def pictures_in_words(count: int, noun: str = "picture") -> str:
    """`1 picture`, `2 pictures`."""
    return f"{count} {noun}" + "s" * (count != 1)


def printable(text: str) -> str:
    """File names may hold bytes that are no text, which a console refuses."""
    return text.encode("utf-8", "backslashreplace").decode()
