"""The figures of a comparison for people and for programs: a Markdown table a case, and JSON with every picture's."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from pix2pix.checkpoint import write_atomically
from pix2pix.command_line import machine
from pix2pix.metrics.names import UNDEFINED, as_number, higher_is_better, metric_title, value_text
from pix2pix.restoration.cases import Case
from pix2pix.restoration.comparison import Plan
from pix2pix.restoration.ledger import Figures, Ledger
from pix2pix.restoration.methods import Method

METRICS = ("psnr", "ssim", "lpips")
KNOWN = (
    "All methods are told the holes, the noise level and the factor, and known pixels are put back for all alike; what "
    "a search makes is laid seamlessly into its holes, as `restore` does."
)


def means(figures: Sequence[Figures]) -> dict[str, float | None]:
    """Of each metric and of the seconds; None where no picture has the metric. Infinite PSNRs count as they are."""
    found: dict[str, float | None] = {}
    for name in (*METRICS, "seconds"):
        values = [value for each in figures if (value := as_number(name, getattr(each, name))) is not None]
        found[name] = float(np.mean(values)) if values else None
    return found


def markdown(plan: Plan, ledger: Ledger) -> str:
    """A table a case: a row a method with its means, the best of each metric in bold."""
    setting = ledger.setting
    head = [
        f"# Restoration on {setting.data}",
        "",
        f"{len(plan.truths)} pictures of {setting.size}x{setting.size} of {setting.split}; prior {setting.prior}; "
        f"LPIPS {setting.lpips}; seed {setting.seed}; {machine()}, {torch.get_num_threads()} threads. {KNOWN}",
    ]
    return "\n".join(head + [line for case, methods in plan.methods for line in _table(case, methods, plan, ledger)])


def write(plan: Plan, ledger: Ledger, folder: Path) -> None:
    """`comparison.md` and `comparison.json` in `folder`. Raises ValueError where they cannot be written."""
    record = {
        "setting": ledger.setting.model_dump(),
        "machine": machine(),
        "threads": torch.get_num_threads(),
        "cases": {
            case.name: {
                each.name: {"missing": each.missing}
                if each.missing
                else _finite(means(_of(plan, ledger, case, each))) | {"n": len(_of(plan, ledger, case, each))}
                for each in methods
            }
            for case, methods in plan.methods
        },
        "pictures": [figures.model_dump() for figures in ledger.figures.values()],
    }
    _write(folder / "comparison.md", markdown(plan, ledger))
    _write(folder / "comparison.json", json.dumps(record, indent=2, allow_nan=False))


def _write(path: Path, text: str) -> None:
    write_atomically(path, lambda temporary: temporary.write_text(text + "\n", encoding="utf-8"))


def _table(case: Case, methods: Sequence[Method], plan: Plan, ledger: Ledger) -> list[str]:
    titles = [f"{metric_title(name)} {'↑' if higher_is_better(name) else '↓'}" for name in METRICS]
    lines = [
        "",
        f"## {case.name}: {case.title}",
        "",
        f"| | {' | '.join(titles)} | seconds | n |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    rows = {each: _of(plan, ledger, case, each) for each in methods if not each.missing}
    found = {each.name: means(figures) for each, figures in rows.items()}
    best = {name: _best(name, [row[name] for row in found.values()]) for name in METRICS}
    for each in methods:
        if each.missing:
            lines.append(f"| {each.name} | {each.missing} | | | | |")
            continue
        row = found[each.name]
        shown = [
            f"**{value_text(name, row[name])}**"
            if row[name] is not None and row[name] == best[name]
            else _text(name, row)
            for name in METRICS
        ]
        seconds = UNDEFINED if row["seconds"] is None else f"{row['seconds']:.3g}"
        lines.append(f"| {each.name} | {' | '.join(shown)} | {seconds} | {len(rows[each])} |")
    return lines


def _text(name: str, row: dict[str, float | None]) -> str:
    return UNDEFINED if row[name] is None else value_text(name, row[name])


def _best(name: str, values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return (max if higher_is_better(name) else min)(known, default=None)


def _of(plan: Plan, ledger: Ledger, case: Case, method: Method) -> list[Figures]:
    """What there is of the plan's pictures; the ledger may hold more of them."""
    keys = [(case.name, method.name, truth.stem) for truth in plan.truths]
    return [ledger.figures[key] for key in keys if key in ledger.figures]


def _finite(row: dict[str, float | None]) -> dict[str, float | None]:
    """JSON has no infinity: None, as for single pictures."""
    return {name: None if value is None or np.isinf(value) else value for name, value in row.items()}
