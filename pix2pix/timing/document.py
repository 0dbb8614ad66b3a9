"""The page of performance figures: tables with the machine, n, seed and command beside them, and two plots."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pix2pix.metrics.names import metric_title
from pix2pix.timing import data, training, translation
from pix2pix.timing.plots import draw, draw_quality

Column = tuple[str, Callable[[Mapping[str, Any]], str]]
LINES: Mapping[str, Callable[[Mapping[str, Any]], list[str]]] = {
    "train": training.lines,
    "translate": translation.lines,
    "data": data.lines,
}
HEADINGS = {"train": "Training step", "translate": "Translation", "data": "Data"}
NAMES = {"unet": "U-Net", "compact_unet": "compact"}


def write_document(results: Mapping[str, Any], out: Path) -> None:
    """Write performance.md, performance.webp and quality.webp into the folder `out`."""
    drawn = draw(results["parts"], out / "performance.webp")
    quality_drawn = "quality" in results and draw_quality(results["quality"], out / "quality.webp")
    (out / "performance.md").write_text(document(results, drawn, quality_drawn), encoding="utf-8")


def document(results: Mapping[str, Any], with_plot: bool, with_quality_plot: bool = False) -> str:
    """The page as Markdown."""
    parts = [
        "# Performance",
        "Written by `python -m pix2pix.benchmark`, verbs growth and quality; every table says where and how it was "
        "measured. 1 GiB is 2^30 bytes; memory is the peak of the whole process, libraries included, and on CUDA that "
        "of torch's tensors on the GPU alone.",
    ]
    if results["included"]:
        parts += ["## Beside the field's usual code", PLAIN]
        parts += [included(figures) for figures in results["included"].values()]
    if "quality" in results:
        parts.append(quality_section(results["quality"], with_quality_plot))
    if results["parts"]:
        parts.append("## How cost grows")
    if with_plot:
        parts.append("![Speed and memory over picture size, batch and size of the data set](performance.webp)")
    parts += [section(part, results["parts"][part]) for part in SECTIONS if part in results["parts"]]
    return "\n\n".join(parts) + "\n"


PLAIN = (
    "The plain training step is fp32, eager, NCHW, batch 1, with torch's own convolutions, norms and Adam and the "
    "allocator as it ships; it has the same networks, losses and weights, and before anything is timed both sides must "
    "compute the same losses, gradients and updates from the same pair. Plain translation calls the same generator in "
    "fp32, eager, NCHW. Sides take turns, each in a process of its own; figures are medians."
)


def included(figures: Mapping[str, Any]) -> str:
    """The lines that a verb printed, and its command."""
    said = "\n".join(LINES[figures["what"]](figures))
    network = figures.get("model") or NAMES.get(figures.get("generator", ""), figures.get("generator", ""))
    batch = f"batch {figures['batch']}" if "batch" in figures else ""
    title = ", ".join(filter(None, (HEADINGS[figures["what"]], network, batch)))
    return f"### {title}\n\n`{figures.get('command', '')}`, seed {figures['seed']}\n\n```\n{said}\n```"


def section(part: str, measured: Mapping[str, Any]) -> str:
    """One part's table, with what it was measured by."""
    title, columns = SECTIONS[part]
    n = f"{training.count(measured)}, after warming up" if part != "data" else "n = 1"
    beside = f"{measured['machine']}; {measured['software']}; {n}; seed {measured['seed']}; `{measured['command']}`"
    return f"### {title}\n\n{beside}\n\n{table(columns, measured['rows'])}"


def quality_section(measured: Mapping[str, Any], with_plot: bool) -> str:
    """How good after how many minutes: the table, by whom it was judged, how each rate was measured, the plot."""
    judges = "; ".join(f"{metric}: {judge}" for metric, judge in measured["judges"].items())
    seeds = ", ".join("none, dropout off" if seed is None else str(seed) for seed in measured["seeds"])
    beside = (
        f"{measured['machine']}; {measured['software']}; task {measured['task']}, split {measured['split']}, "
        f"n = {measured['n']}; seed {seeds}; `{measured['command']}`. Judges: {judges}. KID with its 95 % interval."
    )
    rates = "\n".join(
        f"- {curve['name']}: {curve['images_per_second']:g} images/s, {curve['measured_by']}"
        for curve in measured["curves"]
    )
    guesses = "\n".join(
        f"- {metric_title(measured['metrics'][plain])}: {best['value']:.{DECIMALS[plain]}f}, {best['name']}"
        for plain, best in measured["trivial"].items()
        if best is not None
    )
    parts = ["## Time to quality", beside]
    if with_plot:
        parts.append("![LPIPS and KID over minutes of training](quality.webp)")
    parts += [table(_QUALITY, measured["rows"]), f"Minutes are images seen / images a second / 60:\n\n{rates}"]
    if guesses:
        parts.append(f"The best guess that needs no network:\n\n{guesses}")
    return "\n\n".join(parts)


def table(columns: Sequence[Column], rows: Sequence[Mapping[str, Any]]) -> str:
    """A Markdown table; a row that was skipped says why in its last cell."""
    lines = ["| " + " | ".join(name for name, _ in columns) + " |", "|---" + "|--:" * (len(columns) - 1) + "|"]
    for row in rows:
        cells = [_cell(show, row) for _, show in columns]
        if "skipped" in row:
            cells[-1] = f"skipped: {row['skipped']}"
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(show: Callable[[Mapping[str, Any]], str], row: Mapping[str, Any]) -> str:
    try:
        return show(row)
    except KeyError:  # the plain way has no ratio to itself, a skipped row no figures
        return ""


def _number(name: str, form: str, scale: float = 1.0) -> Callable[[Mapping[str, Any]], str]:
    return lambda row: format(row[name] / scale, form)


_GENERATOR: Column = ("generator", lambda row: NAMES.get(str(row["generator"]), str(row["generator"])))
_MEMORY: Column = ("peak memory, GiB", _number("peak_memory_bytes", ".2f", 2**30))
_STEPS: list[Column] = [
    _GENERATOR,
    ("side, px", _number("size", ".0f")),
    ("batch", _number("batch", ".0f")),
    ("precision", lambda row: str(row["precision"])),
    ("images/s", _number("images_per_second", ".2f")),
    ("s a step", _number("seconds_a_step", ".3f")),
    _MEMORY,
]
DECIMALS = {"l1": 4, "lpips": 4, "kid_x1000": 1}
_QUALITY: list[Column] = [
    ("curve", lambda row: str(row["curve"])),
    ("minutes", _number("minutes", ".1f")),
    ("images", _number("images", ",.0f")),
    ("L1", _number("l1", ".4f")),
    ("LPIPS", _number("lpips", ".4f")),
    (
        "KID x 1000",
        lambda row: f"{row['kid_x1000']:.1f} ({row['kid_x1000_low']:.1f} to {row['kid_x1000_high']:.1f})",
    ),
    ("n", _number("n", ".0f")),
]
_TRANSLATION: list[Column] = [
    _GENERATOR,
    ("side, px", _number("size", ".0f")),
    ("backend", lambda row: str(row["backend"])),
    ("ms a picture", _number("milliseconds", ".1f")),
    ("ratio to plain", _number("ratio", ".2f")),
    _MEMORY,
]
_DATA: list[Column] = [
    ("drawn pairs", _number("pairs", ",.0f")),
    ("of them for training", _number("kept_for_training", ",.0f")),
    ("s until the first batch", _number("start_seconds", ".2f")),
    _MEMORY,
]
SECTIONS: Mapping[str, tuple[str, Sequence[Column]]] = {
    "train": ("Training step over the side of the pictures", _STEPS),
    "batch": ("Training step over the batch", _STEPS),
    "translate": ("Translation over the side of the picture, many waiting", _TRANSLATION),
    "data": ("Start of a training over the size of the data set", _DATA),
}
