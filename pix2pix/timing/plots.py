"""The plot of the performance page: time above, memory below, one column for each thing that grows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]

COLOURS = {"unet": "#1f5fa8", "compact_unet": "#d1600a"}
NAMES = {"unet": "U-Net", "compact_unet": "compact"}
STYLES = {"plain": (":", "o"), "torch-bf16": ("-", "s"), "openvino-bf16": ("--", "^")}
INK, FAINT = "#333333", "#dddddd"
GIB = 2**30


def draw(parts: Mapping[str, Mapping[str, Any]], path: Path) -> bool:
    """Draw what has been measured; whether there was anything, and matplotlib to draw it with."""
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError:
        return False
    columns = [part for part in PANELS if any("skipped" not in row for row in parts.get(part, {}).get("rows", ()))]
    if not columns:
        return False
    with matplotlib.rc_context({"font.size": 10, "axes.edgecolor": INK, "text.color": INK, "axes.labelcolor": INK}):
        figure = Figure(figsize=(3.6 * len(columns) + 0.4, 6.4), layout="constrained")
        axes = figure.subplots(2, len(columns), squeeze=False, sharex="col")
        for column, part in enumerate(columns):
            rows = [row for row in parts[part]["rows"] if "skipped" not in row]
            panel(axes[0][column], axes[1][column], part, rows)
        figure.savefig(path, dpi=110, format="webp", facecolor="white", pil_kwargs={"quality": 90, "method": 6})
    return True


def panel(upper: Any, lower: Any, part: str, rows: Sequence[Row]) -> None:
    """One column of the plot, on two axes of matplotlib."""
    title, across, x, label, value = PANELS[part]
    for axes, measure, name in (
        (upper, value, label),
        (lower, lambda row: row["peak_memory_bytes"] / GIB, "peak memory, GiB"),
    ):
        for key in dict.fromkeys((row.get("generator"), row.get("backend")) for row in rows):
            own = [row for row in rows if (row.get("generator"), row.get("backend")) == key]
            line, marker = STYLES.get(key[1] or "", ("-", "o"))
            named = ", ".join(filter(None, (NAMES.get(key[0] or "", key[0]), key[1])))
            colour = COLOURS.get(key[0] or "", "#2a7a4b")
            points = [float(row[x]) for row in own], [float(measure(row)) for row in own]
            axes.plot(*points, line, marker=marker, markersize=4.5, linewidth=1.6, color=colour, label=named)
        finish(axes, name, sorted({float(row[x]) for row in rows}))
    upper.set_title(title, fontsize=11, fontweight="bold", loc="left")
    lower.set_xlabel(across)
    if rows and "generator" in rows[0]:
        many = len(upper.get_lines()) > 3  # then the corner above the growing memory is where there is room
        (lower if many else upper).legend(frameon=False, fontsize=8.5, loc="upper left" if many else "best")


def finish(axes: Any, label: str, places: Sequence[float]) -> None:
    """Log scales where the figures span more than a factor of four, else from zero; a tick at each point measured."""
    from matplotlib.ticker import FuncFormatter, NullLocator

    values = [value for line in axes.get_lines() for value in line.get_ydata()]
    axes.set_xscale("log", base=2)
    axes.set_xticks(places, [short(place) for place in places])
    axes.xaxis.set_minor_locator(NullLocator())
    if max(values) > 4 * min(values):
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.set_yticks(round_values(min(values), max(values)))
    else:
        axes.set_ylim(0, 1.25 * max(values))
    axes.set_ylabel(label)
    axes.grid(color=FAINT, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def round_values(least: float, most: float) -> list[float]:
    """1, 2, 5, 10, ... from just below `least` to just above `most`, both positive."""
    every = [lead * 10.0**power for power in range(-6, 9) for lead in (1, 2, 5)]
    below = max(value for value in every if value <= least)
    above = min(value for value in every if value >= most)
    return [value for value in every if below <= value <= above]


def short(number: float) -> str:
    """400, 4k, 100k."""
    return f"{number / 1000:g}k" if number >= 2000 else f"{number:g}"


# title, what grows, its column, what is measured, its value
PANELS: Mapping[str, tuple[str, str, str, str, Callable[[Row], float]]] = {
    "train": (
        "Training, picture size",
        "side of the pictures, px",
        "size",
        "images/s",
        lambda row: row["images_per_second"],
    ),
    "batch": ("Training, batch", "images a step", "batch", "images/s", lambda row: row["images_per_second"]),
    "translate": (
        "Translation, picture size",
        "side of the picture, px",
        "size",
        "ms a picture",
        lambda row: row["milliseconds"],
    ),
    "data": ("Data set size", "drawn pairs", "pairs", "s until the first batch", lambda row: row["start_seconds"]),
}
