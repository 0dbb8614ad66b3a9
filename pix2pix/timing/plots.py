"""The plots of the performance page: cost, a column for each thing that grows, and quality over minutes of training."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]

COLOURS = {"unet": "#1f5fa8", "compact_unet": "#d1600a"}
NAMES = {"unet": "U-Net", "compact_unet": "compact"}
STYLES = {"plain": (":", "o"), "torch-bf16": ("-", "s"), "openvino-bf16": ("--", "^")}
CURVES = (*COLOURS.values(), "#2a7a4b", "#8a3f9c", "#a08000", "#555555")
TICK_SPACE = 0.055  # of an axis' width, which the figures of one tick need
INK, FAINT = "#333333", "#dddddd"
GIB = 2**30


def draw(parts: Mapping[str, Mapping[str, Any]], path: Path) -> bool:
    """Draw what has been measured; whether there was anything, and matplotlib to draw it with."""
    columns = [part for part in PANELS if any("skipped" not in row for row in parts.get(part, {}).get("rows", ()))]
    if not columns:
        return False

    def fill(figure: Any) -> None:
        axes = figure.subplots(2, len(columns), squeeze=False, sharex="col")
        for column, part in enumerate(columns):
            rows = [row for row in parts[part]["rows"] if "skipped" not in row]
            panel(axes[0][column], axes[1][column], part, rows)

    return save(path, (3.6 * len(columns) + 0.4, 6.4), fill)


def draw_quality(quality: Row, path: Path) -> bool:
    """Draw LPIPS and KID over minutes, as `pix2pix.timing.quality` measured them; False without matplotlib."""

    def fill(figure: Any) -> None:
        left, right = figure.subplots(1, 2)
        quality_panel(left, "lpips", "LPIPS", quality)
        quality_panel(right, "kid_x1000", "KID x 1000", quality)
        lines = left.get_legend_handles_labels()
        figure.legend(*lines, loc="outside lower center", ncols=3, frameon=False, fontsize=8.5)

    return save(path, (9.6, 4.2), fill)


def save(path: Path, inches: tuple[float, float], fill: Callable[[Any], None]) -> bool:
    """A figure (width, height) that `fill` fills, in one look; whether there is matplotlib to draw it with."""
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError:
        return False
    with matplotlib.rc_context({"font.size": 10, "axes.edgecolor": INK, "text.color": INK, "axes.labelcolor": INK}):
        figure = Figure(figsize=inches, layout="constrained")
        fill(figure)
        figure.savefig(path, dpi=110, format="webp", facecolor="white", pil_kwargs={"quality": 90, "method": 6})
    return True


def quality_panel(axes: Any, metric: str, label: str, quality: Row) -> None:
    """One metric over minutes, on an axes of matplotlib: a line a curve, its interval if it has one, the best guess."""
    ends = (f"{metric}_low", f"{metric}_high")
    values = [row[name] for row in quality["rows"] for name in (metric, *ends) if name in row]
    for number, curve in enumerate(quality["curves"]):
        own = [row for row in quality["rows"] if row["curve"] == curve["name"]]
        points = [row["minutes"] for row in own], [row[metric] for row in own]
        colour = CURVES[number % len(CURVES)]
        axes.plot(*points, "-o", markersize=4.5, linewidth=1.6, color=colour, label=curve["name"])
        if ends[0] in own[0]:
            around = [[row[end] for row in own] for end in ends]
            axes.fill_between(points[0], *around, color=colour, alpha=0.15, linewidth=0)
    if (best := quality["trivial"][metric]) is not None:
        value, across = best["value"], axes.get_yaxis_transform()
        values.append(value)
        axes.axhline(value, color=INK, linewidth=0.8)
        axes.text(0.99, value, best["name"], transform=across, fontsize=8.5, ha="right", va="bottom")
    if min(values) > 0 and max(values) > 4 * min(values):  # KID has no bias, and so may be negative
        logarithmic(axes, values)
    places = sorted({row["minutes"] for row in quality["rows"]})
    axes.set_xscale("log", base=2)
    axes.set_xticks(places, labels_apart(places))
    look(axes, label)
    axes.set_title(f"{label}, lower is better", fontsize=11, fontweight="bold", loc="left")
    axes.set_xlabel("minutes of training")


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
    values = [value for line in axes.get_lines() for value in line.get_ydata()]
    axes.set_xscale("log", base=2)
    axes.set_xticks(places, [short(place) for place in places])
    if max(values) > 4 * min(values):
        logarithmic(axes, values)
    else:
        axes.set_ylim(0, 1.25 * max(values))
    look(axes, label)


def logarithmic(axes: Any, values: Sequence[float]) -> None:
    """A log scale with round ticks about `values`, all positive."""
    from matplotlib.ticker import FuncFormatter, NullLocator

    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_yticks(round_values(min(values), max(values)))


def look(axes: Any, label: str) -> None:
    """What all panels have in common."""
    from matplotlib.ticker import NullLocator

    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_ylabel(label)
    axes.grid(color=FAINT, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def labels_apart(places: Sequence[float]) -> list[str]:
    """A label for each of the growing, positive `places` on a log axis, empty where it would touch the one before."""
    least, labels, last = (places[-1] / places[0]) ** TICK_SPACE, list[str](), 0.0
    for place in places:
        free = place >= last * least
        labels.append(f"{place:.0f}" if free and place >= 10 else f"{place:.2g}" if free else "")
        last = place if free else last
    return labels


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
