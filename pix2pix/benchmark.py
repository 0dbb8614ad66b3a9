"""`python -m pix2pix.benchmark train|translate|data|growth|quality`: what this costs here, and what it is worth."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence

from pix2pix import model_files
from pix2pix.command_line import parse, run
from pix2pix.schema import nearest
from pix2pix.timing.agreement import Disagreement
from pix2pix.timing.options import DataOptions, GrowthOptions, QualityOptions, TrainOptions, TranslateOptions, resolve
from pix2pix.timing.output import command, show

PROG = "pix2pix benchmark"


def main(arguments: Sequence[str]) -> int:
    """Measure as `arguments` say; 1 where two sides do not compute the same. Raises ValueError for a user's mistake."""
    verb, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if not verb or verb in ("-h", "--help"):
        print(f"usage: {PROG} {'|'.join(VERBS)} [flags]; `{PROG} train --help` shows a verb's flags")
        return 0 if verb else 2
    if verb not in VERBS:
        raise ValueError(f"unknown verb '{verb}'; {nearest(verb, VERBS)}")
    try:
        return VERBS[verb](rest)
    except Disagreement as error:
        print(f"{PROG}: {error}", file=sys.stderr)
        return 1


def train(arguments: Sequence[str]) -> int:
    options = parse(TrainOptions, arguments, f"{PROG} train")
    changes = {"batch": options.batch, "compile": options.compile, "precision": options.precision}
    task = resolve(options, data={"size": options.size}, model={"generator": options.generator}, train=changes)

    from pix2pix.timing.training import lines, measure  # torch takes seconds, mistakes need not wait

    figures = measure(task, options.steps, options.against == "plain")
    if options.compile and not figures["compile"]:
        print("no C++ compiler found: the networks ran uncompiled; install g++ or clang++", file=sys.stderr)
    return show(figures, lines, options.json_, command("train", arguments))


def translate(arguments: Sequence[str]) -> int:
    options = parse(TranslateOptions, arguments, f"{PROG} translate")
    if options.model is not None and options.generator is not None:
        raise ValueError("got both --model and --generator; give one of them")
    task = resolve(options, model={"generator": options.generator})

    from pix2pix.timing.translation import chosen_backends, lines, measure
    from pix2pix.training.choices import choose_device

    model = model_files.resolve(options.model) if options.model is not None else None
    backends = chosen_backends(options.backend, choose_device(task.train.device))
    figures = measure(task, model, options.size, backends, options.steps, options.against == "plain")
    return show(figures, lines, options.json_, command("translate", arguments))


def data(arguments: Sequence[str]) -> int:
    options = parse(DataOptions, arguments, f"{PROG} data")
    task = resolve(options, data={"size": options.size, "path": options.data}, train={"batch": options.batch})

    from pix2pix.timing.data import lines, measure

    return show(measure(task, options.images), lines, options.json_, command("data", arguments))


def growth(arguments: Sequence[str]) -> int:
    options = parse(GrowthOptions, arguments, f"{PROG} growth")
    task = resolve(options)

    from pix2pix.timing.growth import Plan, grow

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    plan = Plan(steps=options.steps)
    typed = command("growth", arguments)
    results = grow(task, plan, options.only, options.out, options.include, typed, say)
    return show(results, lambda _: [f"written to {options.out / 'performance.md'}"], options.json_, typed)


def quality(arguments: Sequence[str]) -> int:
    options = parse(QualityOptions, arguments, f"{PROG} quality")
    typed = command("quality", arguments)

    from pix2pix.timing.quality import add_to_page, measure

    figures = measure(options.curves, typed)
    page = add_to_page(figures, options.out)
    return show(figures, lambda _: [f"written to {page}"], options.json_, typed)


VERBS: Mapping[str, Callable[[Sequence[str]], int]] = {
    "train": train,
    "translate": translate,
    "data": data,
    "growth": growth,
    "quality": quality,
}

if __name__ == "__main__":
    run(main, PROG)
