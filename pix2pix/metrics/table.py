"""Figures as a table in a terminal: one line a metric, one column a row of the evaluation."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

from pix2pix.metrics.names import metric_title, value_text

HEAD_WIDTH = 12  # of the table's columns, where words allow


def table(rows: Mapping[str, Mapping[str, float | None]], intervals: Mapping[str, tuple[float, float]], n: int) -> str:
    """One line a metric with n at its end, one column a row of `rows`; the intervals of the first one below."""
    titles = {name: metric_title(name) for name in next(iter(rows.values()))}
    heads = [textwrap.wrap(row, HEAD_WIDTH, break_on_hyphens=False) for row in rows]
    depth, widths = max(map(len, heads)), [max(map(len, head)) for head in heads]
    heads = [[""] * (depth - len(head)) + head for head in heads]
    first = max(map(len, titles.values()))
    lines = [
        "  ".join([" " * first, *(f"{head[line]:>{width}}" for head, width in zip(heads, widths, strict=True))])
        for line in range(depth)
    ]
    lines[-1] += f"  {'n':>5}"
    for name, title in titles.items():
        values = [f"{_ascii(name, of.get(name)):>{width}}" for of, width in zip(rows.values(), widths, strict=True)]
        lines.append("  ".join([f"{title:{first}}", *values, f"{n:5}"]))
    for name, (low, high) in intervals.items():
        around = f"{_ascii(name, low)} to {_ascii(name, high)}"
        lines.append(f"{metric_title(name)} of {next(iter(rows))}: 95 % interval {around}")
    return "\n".join(lines)


def _ascii(name: str, value: float | None) -> str:
    """As the reports write it, in letters that every terminal has."""
    return value_text(name, value).replace("\u221e", "inf").replace("\u2014", "-")
