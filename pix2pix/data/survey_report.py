"""What a set holds, as a few lines for people and as `report.json` for programs."""

from __future__ import annotations

import json
import os
import secrets
import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pix2pix.config import Data
from pix2pix.data.gathering import BadFile, Gathered
from pix2pix.data.layouts import ON_DISK, dev_stems
from pix2pix.data.survey import Seen, Survey

REPORT_FILE = "report.json"
BY = "pix2pix prepare"
NAMED_AT_MOST = 20
GROUPS_AT_MOST = 5
WIDTH = 118
MUCH = 0.4  # of the pixels of label maps: JPEG brings a fifth of them far from their colours, not more


def make_report(found: Survey, gathered: Gathered, data: Data) -> dict[str, Any]:
    """All that is known of a set, of numbers, strings, lists and mappings only."""
    seen = found.seen
    counts = Counter(each.split for each in seen)
    return {
        "layout": found.layout,
        "pictures": {split: counts[split] for split in ON_DISK if counts[split]},
        "sizes": _sizes(seen, data) if seen else None,
        "kinds": {
            "input": _counted([each.input_kind for each in seen if each.input_kind is not None]),
            "target": _counted([each.target_kind for each in seen]),
        },
        "classes": _classes(seen, data),
        "duplicates": _duplicates(found),
        "bad_files": describe_bad(found.bad, gathered),
        "left_out": [],
    }


def describe_bad(bad: Sequence[BadFile], gathered: Gathered) -> list[dict[str, str]]:
    return [{"file": gathered.name(each.path), "reason": each.reason, "kind": each.kind} for each in bad]


def _counted(kinds: Sequence[str]) -> dict[str, int]:
    return dict(sorted(Counter(kinds).items(), key=lambda item: (-item[1], item[0])))


def _sizes(seen: Sequence[Seen], data: Data) -> dict[str, Any]:
    """Of the targets, by their number of pixels; the median is the size of one of them."""
    ordered = sorted((each.size for each in seen), key=lambda size: (size[0] * size[1], size))
    return {
        "min": ordered[0],
        "median": ordered[(len(ordered) - 1) // 2],
        "max": ordered[-1],
        "training_size": data.size,
        "smaller": sum(min(size) < data.size for size in ordered),
    }


def _classes(seen: Sequence[Seen], data: Data) -> dict[str, Any] | None:
    """Shares of the pixels that have a class's colour, or nearly; and what share of all pixels has none."""
    counted = [each.classes for each in seen if each.classes is not None]
    if not counted:
        return None
    *pixels, far = np.sum(counted, axis=0).tolist()
    sure = max(1, sum(pixels))
    shares = {name: count / sure for name, count in zip(data.palette, pixels, strict=True)}
    return {"shares": shares, "never": [name for name in shares if not shares[name]], "far": far / (sum(pixels) + far)}


def _duplicates(found: Survey) -> dict[str, list[list[str]]]:
    """Groups as `split/name`; those in more than one split also under `across_splits`, within train also by `dev`."""
    held_out = dev_stems(each.pair.stem for each in found.seen if each.split == "train")
    groups: dict[str, list[list[str]]] = {"across_splits": [], "exact": [], "near": [], "across_train_and_dev": []}
    for group in found.duplicates:
        members = [found.seen[index] for index in group.members]
        names = sorted(f"{each.split}/{each.pair.stem}" for each in members)
        groups["exact" if group.exact else "near"].append(names)
        if len({each.split for each in members}) > 1:
            groups["across_splits"].append(names)
        if len({each.pair.stem in held_out for each in members if each.split == "train"}) > 1:
            groups["across_train_and_dev"].append(names)
    return {name: sorted(of_kind) for name, of_kind in groups.items()}


def report_lines(report: dict[str, Any], where: str, data: Data) -> list[str]:
    """The report as aligned lines, each no longer than a terminal is wide where names allow it."""
    rows = [("set", f"{where}: {_layout_in_words(report['layout'], data)}")]
    rows.append(("pictures", ", ".join(f"{count:,} {split}" for split, count in report["pictures"].items()) or "none"))
    if report["sizes"] is not None:
        rows.append(("sizes", _sizes_in_words(report["sizes"])))
    for half, kinds in report["kinds"].items():
        if kinds:
            title = f"{half}s" if report["kinds"]["input"] else "photos"
            rows.append((title, ", ".join(f"{count:,} {kind}" for kind, count in kinds.items())))
    if report["classes"] is not None:
        rows.append(("classes", _classes_in_words(report["classes"])))
    rows += [("duplicates", line) for line in _duplicates_in_words(report["duplicates"])]
    rows += [("bad files", line) for line in _bad_in_words(report["bad_files"])]
    if any(bad["kind"] != "unreadable" for bad in report["bad_files"]):
        rows.append(
            ("bad files", "a training stops at a pair that does not fit; prepare --from DIR --out DIR leaves it out")
        )
    rows += [("left out", line) for line in _bad_in_words(report["left_out"])]
    lines, last = [], ""
    for title, text in rows:
        lines += _wrapped("" if title == last else title, text)
        last = title
    return lines


def _wrapped(title: str, text: str) -> list[str]:
    margin = " " * 12
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=f"{title:<12}",
        subsequent_indent=margin,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _layout_in_words(layout: str, data: Data) -> str:
    return {
        "photos": "photos, the inputs derived from them when training",
        "folders": "pairs in two folders",
        "side_by_side": f"pairs side by side, input {data.input_side}",
    }[layout]


def _sizes_in_words(sizes: dict[str, Any]) -> str:
    least, median, most = (f"{width}x{height}" for width, height in (sizes["min"], sizes["median"], sizes["max"]))
    text = f"all {least}" if least == most else f"{least} to {most}, median {median}"
    if sizes["smaller"]:
        text += f"; {sizes['smaller']:,} smaller than the training size {sizes['training_size']}, which enlarges them"
    return text


def _classes_in_words(classes: dict[str, Any]) -> str:
    shares = sorted(classes["shares"].items(), key=lambda item: -item[1])
    text = ", ".join(f"{name} {_percent(share)}" for name, share in shares if share)
    if classes["never"]:
        text += f"; never: {', '.join(classes['never'])}"
    text += f"; {_percent(classes['far'])} of all pixels far from every colour of the palette"
    if classes["far"] >= MUCH:
        text += ", more than JPEG does: are input and target the wrong way round, or is the palette another?"
    return text.removeprefix("; ")


def _percent(share: float) -> str:
    return "0%" if share == 0 else "<0.1%" if share < 0.001 else f"{100 * share:.1f}%"


def _duplicates_in_words(duplicates: dict[str, list[list[str]]]) -> Iterable[str]:
    across, exact, near = (duplicates[name] for name in ("across_splits", "exact", "near"))
    if not exact and not near:
        yield "none"
        return
    for group in across[:GROUPS_AT_MOST]:
        yield f"across splits: {_group_in_words(group)}"
    if len(across) > GROUPS_AT_MOST:
        yield f"and {len(across) - GROUPS_AT_MOST:,} more groups across splits"
    yield (
        f"{_groups(len(exact))} the same pixel for pixel, {_groups(len(near))} nearly the same"
        + ("; none across splits" if not across else "")
    )
    among = duplicates["across_train_and_dev"]
    if among:
        yield f"{_groups(len(among))} across train and dev, which is a tenth of train chosen by name"


def _groups(count: int) -> str:
    return f"{count:,} group{'s' * (count != 1)}"


def _group_in_words(group: list[str]) -> str:
    # One of each split first, so that it is seen which splits they are.
    firsts: dict[str, str] = {}
    for name in group:
        firsts.setdefault(name.split("/")[0], name)
    names = list(dict.fromkeys([*firsts.values(), *group]))
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def _bad_in_words(bad: list[dict[str, str]]) -> Iterable[str]:
    unmatched = [each["file"] for each in bad if each["kind"] == "unmatched"]
    others = [each for each in bad if each["kind"] != "unmatched"]
    if unmatched:
        yield f"{len(unmatched):,} without a partner: {_some(unmatched)}"
    for each in others[:NAMED_AT_MOST]:
        yield f"{each['file']}: {each['reason']}"
    if len(others) > NAMED_AT_MOST:
        yield f"and {len(others) - NAMED_AT_MOST:,} more"


def _some(names: list[str]) -> str:
    more = f" and {len(names) - NAMED_AT_MOST:,} more" if len(names) > NAMED_AT_MOST else ""
    return ", ".join(names[:NAMED_AT_MOST]) + more


def write_report(folder: Path, making: dict[str, Any] | None, report: dict[str, Any]) -> Path:
    """`report.json` in a folder, whole or not at all; `making` says how the set was made, None where it was found."""
    path, temporary = folder / REPORT_FILE, folder / f".{secrets.token_hex(8)}.tmp"
    text = json.dumps({"by": BY, "made": making, **report}, indent=1, ensure_ascii=False)
    try:
        temporary.write_text(text + "\n", encoding="utf-8")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def may_write_report(folder: Path) -> bool:
    """Whether a folder has no `report.json`, or one of ours."""
    return not (folder / REPORT_FILE).exists() or read_report(folder) is not None


def read_report(folder: Path) -> dict[str, Any] | None:
    """The report that lies in a folder, None where there is none of ours; `made` says how the set was made, if so."""
    try:
        content = json.loads((folder / REPORT_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) and content.get("by") == BY else None
