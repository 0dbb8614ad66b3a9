"""`report.html` of a run: what it did, whether it went well, and what it looked like on the way.

Built from the files of the run folder alone, so it can be made anew at any time, on any machine.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from pix2pix.images import ImageError
from pix2pix.reporting.page import count_text, data_uri, duration_text, render, write_page
from pix2pix.reporting.plots import POINTS, evenly
from pix2pix.reporting.run_files import Record, Summary, read_log, read_summary
from pix2pix.reporting.run_plots import best, sections

SAMPLES = 24  # some 150 KB each


def write_run_report(folder: Path) -> Path:
    """Write `folder/report.html` from the run's configuration, log, samples and summary, and return its path.

    Log, samples and summary may be missing while the run is young; a last line that a kill cut off is passed over.
    Raises ValueError when `folder` is no run, its summary is damaged, or the page cannot be written.
    """
    config_file = folder / "config.yaml"
    if not config_file.is_file():
        raise ValueError(f"{folder}: no run folder, it holds no config.yaml; give the folder that training wrote")
    config = config_file.read_text(encoding="utf-8")
    log, summary = read_log(folder / "log.jsonl"), read_summary(folder / "summary.json")
    samples, unreadable = _samples(folder / "samples")
    context = {
        "title": _title(config, summary, folder),
        "status": _status(summary),
        "headline": _headline(summary, log),
        "diagnosed": summary is not None and summary.diagnosed,
        "findings": [] if summary is None else summary.findings,
        "samples": samples,
        "unreadable": unreadable,
        "sections": sections(log, summary),
        "points": count_text(POINTS),
        "thinned": len(log) if len(log) > POINTS else 0,
        "details": _details(summary, folder),
        "config": config,
        "count": count_text,
    }
    path = folder / "report.html"
    write_page(path, render("run.html", context))
    return path


def _samples(folder: Path) -> tuple[list[dict[str, Any]], int]:
    """Sample grids evenly chosen over time, each with its count of images; and how many could not be read."""
    files = sorted((path for path in folder.glob("*.jpg") if path.stem.isdigit()), key=lambda path: int(path.stem))
    samples: list[dict[str, Any]] = []
    chosen = [files[index] for index in evenly(len(files), SAMPLES)]
    for path in chosen:
        try:
            samples.append({"images": int(path.stem), "uri": data_uri(path)})
        except ImageError:
            continue
    return samples, len(chosen) - len(samples)


def _title(config: str, summary: Summary | None, folder: Path) -> dict[str, str]:
    try:
        content = yaml.safe_load(config)
    except yaml.YAMLError:
        content = None
    content = content if isinstance(content, dict) else {}
    task = (summary.task if summary else "") or str(content.get("name") or "")
    name = folder.resolve().name
    return {"text": str(content.get("title") or task or name), "task": task, "run": name}


def _status(summary: Summary | None) -> str:
    if summary is None:
        return "no summary yet"
    if summary.stopped_early:
        return "stopped early"
    return "finished" if summary.finished else "not finished"


def _headline(summary: Summary | None, log: Sequence[Record]) -> list[tuple[str, str, str]]:
    """Label, figure and small print of the facts that people look for first."""
    summary = summary or Summary()
    last = log[-1] if log else {}
    images = last.get("images") if summary.images is None else summary.images
    seconds = last.get("seconds") if summary.seconds is None else summary.seconds
    rate = last.get("images_per_second") if summary.images_per_second is None else summary.images_per_second
    lowest = best(summary, log)
    facts = []
    if images is not None:
        facts.append(("Images seen", count_text(images), f"of {count_text(summary.total)}" if summary.total else ""))
    if seconds is not None:
        facts.append(("Time", duration_text(seconds), ""))
    if rate is not None and math.isfinite(rate):
        facts.append(("Images per second", _rate_text(rate), ""))
    if lowest is not None:
        facts.append(("Best distance on dev", f"{lowest.dev_distance:.4g}", f"at {count_text(lowest.images)} images"))
    if summary.machine:
        facts.append(("Machine", summary.machine, ""))
    return facts


def _rate_text(rate: float) -> str:
    """Images per second: 0.043, 4.3, 1,234."""
    return f"{rate:.2g}" if rate < 1 else f"{rate:.1f}" if rate < 100 else count_text(rate)


def _details(summary: Summary | None, folder: Path) -> list[tuple[str, str]]:
    summary = summary or Summary()
    learned = summary.parameters
    details = [
        ("Run folder", str(folder.resolve())),
        ("Data", summary.data),
        ("Choices", summary.choices),
        ("Software", summary.software),
        ("Seed", "" if summary.seed is None else str(summary.seed)),
        ("Generator", f"{count_text(learned.generator)} parameters" if learned.generator else ""),
        ("Discriminator", f"{count_text(learned.discriminator)} parameters" if learned.discriminator else ""),
        ("Time spent on scoring", "" if summary.scoring_share is None else f"{100 * summary.scoring_share:.1f} %"),
    ]
    return [(name, text) for name, text in details if text]
