"""The card of a model: what it does, what it was trained on and on what terms, how, and how good it is."""

from __future__ import annotations

from pix2pix.checkpoint import ReleasedModel
from pix2pix.metrics.table import table


def card(name: str, model: ReleasedModel) -> str:
    """Several lines on `model`, whatever is known of it."""
    task, facts = model.task, model.facts
    data, train = task.data, task.train
    weights = sum(weight.numel() for weight in model.weights.values())
    where = "every pixel" if task.work == "native" else f"a short side of {task.work_size or data.size} pixels"
    scale = f", the output {data.scale} times as large" if data.scale > 1 else ""
    lines = [
        f"{name}: {task.title or task.name}",
        f"from {data.input} to {data.target}{scale}; the network sees {where}, trained at {data.size}",
        f"{task.model.generator}, {weights / 1e6:.2f} M weights, {model.path.stat().st_size / 1e6:.1f} MB",
        f"data: {facts.data}; terms: {facts.licence}",
        f"training: {facts.images_seen:,} images in batches of {train.batch}, seed {train.seed}; {facts.software}",
    ]
    if facts.command:
        lines.append(f"command: {facts.command}")
    if facts.figures is not None:
        figures = facts.figures
        judges = "; ".join(f"{metric}: {judge}" for metric, judge in figures.judges.items())
        lines.append(f"scored once on {figures.split}{f' ({judges})' if judges else ''}:")
        lines.append(table({"model": figures.metrics, **figures.trivial}, figures.intervals, figures.n))
    return "\n".join(lines)
