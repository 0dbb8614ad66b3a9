"""`pix2pix restore compare`: solvers, models and classics on the same damaged pictures, as tables and sheets."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro
from pydantic import Field

from pix2pix import model_files
from pix2pix.command_line import parse
from pix2pix.priors.options import LARGEST_SEED, Compared

if TYPE_CHECKING:
    from pix2pix.priors.prior import Prior
    from pix2pix.restoration.comparison import Plan

SIZE_WITHOUT_PRIOR = 64


class CompareOptions(Compared):
    """Compare ways of restoring; what an earlier run has left in --out is not computed again."""

    data: Annotated[str | None, tyro.conf.arg(metavar="DIR")] = Field(None, description="a folder of whole pictures")
    prior: Annotated[str | None, tyro.conf.arg(metavar="NAME|FILE|RUN")] = Field(
        None, description="a shipped prior's name, a file or a run folder; default: without the solvers that need one"
    )
    split: Literal["train", "dev", "val", "test"] = Field("val", description="which of the pictures")
    count: Annotated[int, tyro.conf.arg(metavar="N")] = Field(20, ge=1, description="how many of them")
    size: Literal[64, 128, 256] | None = Field(
        None, description="side they are brought to; default: the prior's, else 64"
    )
    cases: Annotated[str, tyro.conf.arg(metavar="CASE,CASE,...")] = Field(
        "all",
        description="whole, box-25, strokes-40, pixels-50, pixels-80, text, noise-25, noise-50, smaller-4",
    )
    methods: Annotated[str, tyro.conf.arg(metavar="METHOD,METHOD,...")] = Field(
        "all", description="by name, as in the table, or by group: nothing, classics, models, solvers"
    )
    curves: bool = Field(False, description="also plot the first picture's searches against the truth")
    seed: int = Field(0, ge=0, le=LARGEST_SEED, description="of the searches; the damage depends on names alone")
    out: Annotated[Path, tyro.conf.arg(metavar="DIR")] = Field(
        Path("comparison"), description="where tables, sheets and figures go"
    )


def compare(arguments: Sequence[str], prog: str = "pix2pix restore compare") -> int:
    """Compare as `arguments` say. Raises ValueError with one line for a user's mistake."""
    options = parse(CompareOptions, arguments, prog)
    if options.data is None:
        raise ValueError("compare: on what? give --data DIR, a folder of whole pictures")
    options.check_backbone()
    path = model_files.resolve_prior(options.prior) if options.prior is not None else None

    # torch takes seconds, which --help and the mistakes above need not wait for
    from pix2pix.metrics.judges import fingerprint
    from pix2pix.priors.families import load_prior, prior_of
    from pix2pix.restoration import comparison, tables
    from pix2pix.restoration.ledger import Ledger, Setting
    from pix2pix.restoration.sheets import write_sheets

    prior = prior_of(load_prior(path)) if path is not None else None
    plan = planned(options, prior)
    setting = Setting(
        data=Path(options.data).resolve().name,
        split=options.split,
        size=plan.truths[0].picture.shape[0],
        prior="none" if path is None else f"{path.name}, {fingerprint(path)}",
        seed=options.seed,
        lpips="none" if plan.judge is None else f"{plan.judge.name}, {plan.judge.weights}",
    )
    ledger = Ledger(options.out, setting)

    def after(number: int) -> None:
        tables.write(plan, ledger, options.out)
        if number < comparison.SHOWN:
            write_sheets(plan, options.out)

    comparison.compare(plan, ledger, options.out, after)
    if options.curves:
        draw_curves(plan, prior, options.out)
    print(tables.markdown(plan, ledger))
    print(f"\nwritten to {options.out}")
    return 0


def planned(options: CompareOptions, prior: Prior | None) -> Plan:
    """What `options` ask for. Raises ValueError with one line for a user's mistake."""
    from pix2pix.priors.commands_figures import find_lpips
    from pix2pix.restoration.cases import chosen_cases
    from pix2pix.restoration.comparison import Plan
    from pix2pix.restoration.methods import check_methods, chosen_methods, methods_for
    from pix2pix.restoration.truths import read_truths

    assert options.data is not None
    if prior is not None and options.size not in (None, prior.size):
        raise ValueError(f"--size {options.size}: the prior makes pictures of {prior.size} pixels a side; leave it out")
    check_methods(options.methods, prior)
    of_cases = [
        (case, chosen_methods(options.methods, methods_for(case, prior))) for case in chosen_cases(options.cases)
    ]
    of_cases = [(case, methods) for case, methods in of_cases if methods]
    if not of_cases:
        raise ValueError(f"--methods {options.methods}: none of them is for the cases in --cases {options.cases}")
    size = prior.size if prior is not None else options.size or SIZE_WITHOUT_PRIOR
    truths = read_truths(Path(options.data).expanduser(), options.split, options.count, size, say)
    return Plan(truths, of_cases, find_lpips(options, say), options.seed)


def draw_curves(plan: Plan, prior: Prior | None, folder: Path) -> None:
    """The searches in the first picture of each case, as `curves.json` and `curves.webp`."""
    from pix2pix.representations import build_representation
    from pix2pix.restoration import curves
    from pix2pix.restoration.comparison import search_seed
    from pix2pix.restoration.methods import Problem
    from pix2pix.restoration.solvers import SOLVERS

    first = plan.truths[0]
    truth = build_representation("rgb").encode(first.picture)[None]
    found = {
        case.name: [
            curves.trace(
                each.name,
                SOLVERS[each.name],
                prior,
                Problem(case, case.damaged(first.picture, first.stem)).observation(),
                truth,
                search_seed(plan, first),
            )
            for each in methods
            if each.group == "solvers" and each.name != "patches"
        ]
        for case, methods in plan.methods
    }
    found = {case: searches for case, searches in found.items() if searches}
    if not found:
        raise ValueError("--curves: none of the methods is a search; --methods solvers has all of them")
    (folder / "curves.json").write_text(json.dumps(curves.record(found), indent=2) + "\n")
    if not curves.draw(found, folder / "curves.webp"):
        say("without curves.webp: matplotlib is not installed; pip install 'pix2pix[dev]'")


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
