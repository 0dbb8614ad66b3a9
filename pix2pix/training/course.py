"""How a run goes: its evaluations on `dev`, the best model so far, when to stop, what is wrong, and its report."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pix2pix.checkpoint import read_released, write_atomically
from pix2pix.reporting.run_report import write_run_report
from pix2pix.training.diagnosis import Finding, Rule, can_tell, diagnose
from pix2pix.training.tracking import RunFolder

CHOSEN_BY = "dev_distance"


@dataclass(frozen=True)
class Best:
    """The best evaluation so far, whose model is `best.safetensors`."""

    images: int
    distance: float


@dataclass
class Course:
    """What the first process knows of how its run goes. `facts` are those of the summary that never change."""

    run: RunFolder
    kind: str  # of what is trained
    total: int
    patience: int | None
    facts: Mapping[str, Any]
    say: Callable[[str], None]
    rules: tuple[Rule, ...] = ()
    best: Best | None = None
    findings: list[Finding] = field(default_factory=list)

    def restore(self, seen: int) -> None:
        """Go on at `seen` images. A best model from later, which a kill cut off from its state, will come again."""
        self.findings = diagnose(self.run.evaluations(), self.total, self.rules)
        if not self.run.best.exists():
            return
        try:
            facts = read_released(self.run.best, self.kind)[1].facts
        except ValueError as error:
            self.say(f"{error}; going on without it")
            self.run.best.unlink()
            return
        if facts.images_seen > seen or not facts.history:
            self.run.best.unlink()
        else:
            self.best = Best(facts.images_seen, facts.history[-1][CHOSEN_BY])

    def is_better(self, seen: int, scores: Mapping[str, float]) -> bool:
        """Whether this evaluation is the best so far; it is taken down if so."""
        distance = round(scores[CHOSEN_BY], 6)  # as it stands in the log
        if not math.isfinite(distance) or (self.best is not None and distance >= self.best.distance):
            return False
        self.best = Best(seen, distance)
        return True

    def diagnose(self) -> None:
        """Look at all evaluations again, and say what has newly come up."""
        known = {finding.name for finding in self.findings}
        self.findings = diagnose(self.run.evaluations(), self.total, self.rules)
        for finding in self.findings:
            if finding.name not in known:
                self.say(f"at {finding.images:,} images: {finding.name}. {finding.sentence} {finding.advice}")

    def patience_is_over(self, seen: int) -> bool:
        return self.patience is not None and self.best is not None and seen - self.best.images >= self.patience

    def write(self, seen: int, seconds: float, scoring: float, finished: bool, stopped_early: bool) -> None:
        """`summary.json` and `report.html`; `scoring` is the share of the time that evaluations took."""
        summary = {
            **self.facts,
            "images": seen,
            "total": self.total,
            "seconds": round(seconds, 1),
            "finished": finished,
            "stopped_early": stopped_early,
            "scoring_share": round(scoring, 4),
            "best": {"images": self.best.images, CHOSEN_BY: self.best.distance} if self.best else None,
            "findings": [asdict(finding) for finding in self.findings],
            "diagnosed": can_tell(self.run.evaluations(), self.total),
        }
        text = json.dumps(summary, indent=2) + "\n"

        def write(temporary: Path) -> None:
            temporary.write_text(text, encoding="utf-8")

        write_atomically(self.run.summary, write)
        write_run_report(self.run.path)

    def closing_words(self, seen: int) -> list[str]:
        """What a user is told at the end."""
        words = []
        if self.best is not None and self.best.images < seen:
            last = self.run.evaluations()[-1][CHOSEN_BY]
            words.append(
                f"the best on dev was at {self.best.images:,} images (distance {self.best.distance:.4f}, "
                f"now {last:.4f}): {self.run.best}"
            )
        if not can_tell(self.run.evaluations(), self.total):
            words.append(
                "diagnosis: too few evaluations to tell; a longer run or a smaller --train.sample-every has more"
            )
        elif not self.findings:
            words.append("diagnosis: nothing found")
        words += [f"diagnosis: {each.name}. {each.sentence} {each.advice}" for each in self.findings]
        return [*words, f"the report is {self.run.report}"]
