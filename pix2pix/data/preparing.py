"""From folders of pictures to a data set and its report: gathered, looked at, split and written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pix2pix.config import Task
from pix2pix.data.building import Building, Form, Plan
from pix2pix.data.duplicates import find_duplicates
from pix2pix.data.gathering import Gathered, gather
from pix2pix.data.splitting import TEST, VAL, assign_splits
from pix2pix.data.survey import Seen, Survey, survey
from pix2pix.data.survey_report import describe_bad, make_report, may_write_report, read_report, write_report

Say = Callable[[str], None]


@dataclass(frozen=True)
class Wishes:
    """How a set is to be written; no shares: the splits that are there, else a tenth for val."""

    val: float | None = None
    test: float | None = None
    pairs: bool = False
    side_by_side: bool = False
    short_side: int | None = None


def survey_set(roots: tuple[Path, ...], task: Task) -> dict[str, Any]:
    """The report on the pictures under one root, or under two of inputs and targets; nothing is written."""
    gathered = gather(roots, task.data)
    return make_report(survey(gathered, task.data), gathered, task.data)


def survey_in_place(root: Path, task: Task) -> dict[str, Any]:
    """The report on a set that is there, also written to it unless it holds another program's `report.json`."""
    earlier = read_report(root) or {}
    report = {**survey_set((root,), task), "left_out": earlier.get("left_out", [])}
    if may_write_report(root):
        write_report(root, earlier.get("made"), report)
    return report


def make_set(roots: tuple[Path, ...], out: Path, task: Task, wishes: Wishes, say: Say) -> dict[str, Any]:
    """Write a set of what lies under `roots` to the new folder `out`; its report.

    A set of the same making that is there stays as it is. Where no picture is of use, nothing is written.
    Raises ValueError with one line where `out` holds anything else, or the task could not read what would be written.
    """
    making = describe_making(roots, task, wishes)
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        check_making(out, making)
        say(f"{out} is made already; delete it to make it anew")
        return survey_in_place(out, task)
    gathered = gather(roots, task.data)
    plan = make_plan(task, gathered, wishes)
    found = survey(gathered, task.data)
    if not found.seen:
        return make_report(found, gathered, task.data)
    check_shapes(found, plan)
    building = Building(out, making)
    written, failed = building.write(split(found, gathered, wishes, say), plan)
    groups = find_duplicates([each.content for each in written], [each.small for each in written])
    made = Survey(plan.form, tuple(written), (), tuple(groups))
    report = {**make_report(made, gathered, task.data), "left_out": describe_bad((*found.bad, *failed), gathered)}
    if written:
        building.finish(report)
    else:
        building.discard()
    return report


def describe_making(roots: tuple[Path, ...], task: Task, wishes: Wishes) -> dict[str, Any]:
    """What decides the content of a set beside the pictures, to tell the same command from another one."""
    derive = list(task.data.derive) if wishes.pairs or wishes.side_by_side else []
    return {"from": [str(root.resolve()) for root in roots], "derive": derive, **asdict(wishes)}


def check_making(out: Path, making: dict[str, Any]) -> None:
    """Raises ValueError unless the set in `out` was made so."""
    made = (read_report(out) or {}).get("made")
    if not isinstance(made, dict):
        raise ValueError(f"{out}: is there already, and was not made by this command; choose another --out")
    for name, wanted in making.items():
        if made.get(name) != wanted:
            flag = name.replace("_", "-")
            raise ValueError(
                f"{out}: was made with {flag} {made.get(name)}, got {wanted} now; choose another --out, or delete it"
            )


def make_plan(task: Task, gathered: Gathered, wishes: Wishes) -> Plan:
    """How to write what was gathered. Raises ValueError where the task could not read it."""
    data, layout = task.data, gathered.layout
    form: Form = "folders"
    if wishes.side_by_side or (layout == "side_by_side" and not wishes.pairs):
        form = "side_by_side"
    elif layout == "photos" and not wishes.pairs:
        form = "photos"
    if data.layout not in ("auto", form):
        raise ValueError(
            f"{task.name}: the task says layout: {data.layout}, but {form} would be written; set it to auto"
        )
    if form == "side_by_side" and data.scale != 1:
        raise ValueError(f"side by side: the target is {data.scale} times as large as the input; write two folders")
    derives = layout == "photos" and form != "photos"
    return Plan(data, layout, form, wishes.short_side or (data.resize_to if derives else None))


def check_shapes(found: Survey, plan: Plan) -> None:
    """Raises ValueError where pairs side by side would be taken for photos."""
    others = sum(width != height for width, height in (one.size for one in found.seen))
    if plan.form == "side_by_side" and plan.data.derive and plan.data.layout == "auto" and others:
        raise ValueError(
            f"side by side: {others} of {len(found.seen)} pictures are not square, and a task that derives its inputs "
            "takes such pairs for photos; write two folders with --pairs"
        )


def split(found: Survey, gathered: Gathered, wishes: Wishes, say: Say) -> list[Seen]:
    """Everything seen with its split: those on disk where there are several and no shares are given, else assigned."""
    if len(gathered.splits) > 1 and wishes.val is None and wishes.test is None:
        say(f"the splits {', '.join(gathered.splits)} stay as they are; --val SHARE splits anew")
        return list(found.seen)
    val, test = (VAL if wishes.val is None else wishes.val), (TEST if wishes.test is None else wishes.test)
    stems = [one.pair.stem for one in found.seen]
    splits = assign_splits(stems, [group.members for group in found.duplicates], val, test)
    return [replace(one, split=name) for one, name in zip(found.seen, splits, strict=True)]
