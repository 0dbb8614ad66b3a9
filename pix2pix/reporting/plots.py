"""Plots as data: what a page's script hands to plotly, in colours that follow the reader's light or dark mode.

A colour is the name of a variable of `page.css`, as `var(--series-1)`; the script puts its present value in.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

POINTS = 2000  # of a curve; more cost megabytes and cannot be told apart on a screen
SMOOTH_FROM = 60  # points; fewer are few enough to see each of them
COLOURS = 5

Values = Sequence[float | None]
Trace = dict[str, Any]


@dataclass(frozen=True)
class Plot:
    """One plot with its words: `explanation` says what a healthy one looks like."""

    title: str
    explanation: str
    traces: list[Trace]
    x_title: str
    y_title: str = ""

    def figure(self) -> dict[str, Any]:
        """What `Plotly.react` takes: traces and layout."""
        axis = {
            "gridcolor": "var(--line)",
            "zerolinecolor": "var(--line-strong)",
            "linecolor": "var(--line)",
            "automargin": True,
        }
        layout = {
            "font": {"color": "var(--ink-soft)", "family": "var(--sans)", "size": 12},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "margin": {"l": 8, "r": 8, "t": 28, "b": 8},
            "xaxis": {
                **axis,
                "title": {"text": self.x_title, "standoff": 8},
                "nticks": 6,
                "zeroline": False,
                "rangemode": "tozero",
            },
            "yaxis": {**axis, "title": {"text": self.y_title, "standoff": 8}, "nticks": 7},
            "showlegend": sum(trace.get("showlegend", True) for trace in self.traces) > 1,
            "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "font": {"color": "var(--ink)"}},
            "hovermode": "closest",
            "hoverlabel": {
                "bgcolor": "var(--card)",
                "bordercolor": "var(--line-strong)",
                "font": {"color": "var(--ink)"},
            },
        }
        return {"data": self.traces, "layout": layout}


def colour(series: int) -> str:
    return f"var(--series-{series % COLOURS})"


def curve(name: str, x: Sequence[float], y: Values, series: int, smooth: bool = True) -> list[Trace]:
    """One quantity over time: few points as dots on a line, many as a faint line and, with `smooth`, its mean."""
    if len(x) <= SMOOTH_FROM:
        return [
            {
                **_line(name, x, _finite(y), series),
                "mode": "lines+markers",
                "line": {"color": colour(series), "width": 2},
                "marker": {"color": colour(series), "size": 6},
            }
        ]
    if not smooth:
        return [{**_thin(_line(name, x, _finite(y), series)), "line": {"color": colour(series), "width": 2.2}}]
    raw = {
        **_line(name, x, _finite(y), series),
        "line": {"color": colour(series), "width": 1},
        "opacity": 0.28,
        "showlegend": False,
        "hoverinfo": "skip",
    }
    mean = _line(name, x, running_mean(_finite(y), max(3, len(x) // 40)), series)
    return [_thin(raw), {**_thin(mean), "line": {"color": colour(series), "width": 2.2}}]


def star(name: str, x: float, y: float, series: int) -> Trace:
    """One marked point."""
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [x],
        "y": [y],
        "marker": {"symbol": "star", "size": 15, "color": colour(series), "line": {"color": "var(--card)", "width": 1}},
        "hovertemplate": "%{y:.4g} at %{x:,}",
    }


def dots(name: str, values: Sequence[float], labels: Sequence[str], places: Sequence[int], series: int) -> Trace:
    """One dot a picture at `places` of the horizontal axis, its label shown when it is pointed at."""
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": list(places),
        "y": list(values),
        "text": [_plain(label) for label in labels],
        "marker": {"color": colour(series), "size": 6, "opacity": 0.75},
        "hovertemplate": "%{text}: %{y:.4g}<extra></extra>",
    }


def running_mean(values: Values, window: int) -> list[float | None]:
    """The mean of up to `window` neighbours around each value, those there are at the ends; gaps stay gaps."""
    known = np.array([value is not None for value in values])
    numbers = np.array([0.0 if value is None else value for value in values])
    kernel = np.ones(min(window | 1, 2 * ((len(values) - 1) // 2) + 1))
    sums, counts = np.convolve(numbers, kernel, "same"), np.convolve(known, kernel, "same")
    means = sums / np.maximum(counts, 1)
    return [float(f"{mean:.6g}") if there else None for mean, there in zip(means, known, strict=True)]


def evenly(count: int, most: int) -> list[int]:
    """At most `most` indices evenly chosen among `count`, the first and the last always among them."""
    return sorted(set(np.linspace(0, count - 1, min(count, most)).round().astype(int).tolist()))


def _line(name: str, x: Sequence[float], y: Values, series: int) -> Trace:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "legendgroup": f"{series}",
        "x": list(x),
        "y": list(y),
        "hovertemplate": "%{y:.4g} at %{x:,}",
    }


def _thin(trace: Trace) -> Trace:
    kept = evenly(len(trace["x"]), POINTS)
    return {**trace, "x": [trace["x"][index] for index in kept], "y": [trace["y"][index] for index in kept]}


def _finite(values: Values) -> list[float | None]:
    """JSON has neither NaN nor infinity: a gap in the line."""
    return [value if value is not None and math.isfinite(value) else None for value in values]


def _plain(label: str) -> str:
    """Plotly reads a little HTML in its texts, so a file's name could be taken for a tag."""
    return label.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
