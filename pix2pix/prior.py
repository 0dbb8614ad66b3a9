"""`python -m pix2pix.prior VERB`: train, judge, sample and explore generators of pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pix2pix.command_line import run
from pix2pix.priors import commands
from pix2pix.schema import nearest

PROG = "pix2pix prior"


def main(arguments: Sequence[str]) -> int:
    """Do as `arguments` say. Raises ValueError with one line for a user's mistake."""
    verb, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if not verb or verb in ("-h", "--help"):
        print(f"usage: {PROG} {'|'.join(VERBS)} [flags]; `{PROG} sample --help` shows a verb's flags")
        return 0 if verb else 2
    if verb not in VERBS:
        raise ValueError(f"unknown verb '{verb}'; {nearest(verb, VERBS)}")
    return VERBS[verb](rest, f"{PROG} {verb}")


def train(arguments: Sequence[str], prog: str) -> int:
    from pix2pix.priors import training_command

    return training_command.train(arguments, prog)


def evaluate(arguments: Sequence[str], prog: str) -> int:
    from pix2pix.priors import training_command

    return training_command.evaluate(arguments, prog)


def show(arguments: Sequence[str], prog: str) -> int:
    from pix2pix.priors import releasing

    return releasing.show(arguments, prog)


def release(arguments: Sequence[str], prog: str) -> int:
    from pix2pix.priors import releasing

    return releasing.release(arguments, prog)


VERBS: Mapping[str, Callable[[Sequence[str], str], int]] = {
    "train": train,
    "evaluate": evaluate,
    "show": show,
    "release": release,
    "sample": commands.sample,
    "interpolate": commands.interpolate,
    "mix": commands.mix,
    "arithmetic": commands.arithmetic,
    "truncate": commands.truncate,
}

if __name__ == "__main__":
    run(main, PROG)
