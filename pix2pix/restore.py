"""`python -m pix2pix.restore INPUT...`: repair pictures by searching for one that explains what is left of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pix2pix.command_line import run
from pix2pix.restoration import commands

PROG = "pix2pix restore"


def main(arguments: Sequence[str]) -> int:
    """Do as `arguments` say. Raises ValueError with one line for a user's mistake."""
    if arguments and arguments[0] in VERBS:
        return VERBS[arguments[0]](arguments[1:], f"{PROG} {arguments[0]}")
    return commands.restore(arguments, PROG)


def compare(arguments: Sequence[str], prog: str) -> int:
    from pix2pix.restoration import comparing

    return comparing.compare(arguments, prog)


VERBS: Mapping[str, Callable[[Sequence[str], str], int]] = {"invert": commands.invert, "compare": compare}

if __name__ == "__main__":
    run(main, PROG)
