"""`pix2pix <verb>`, the same as `python -m pix2pix.<verb>`."""

from __future__ import annotations

import importlib
import sys

from pix2pix import __version__
from pix2pix.command_line import run
from pix2pix.schema import nearest

VERBS = {
    "prepare": "make a data set, and tell what it holds",
    "train": "learn a task from pairs",
    "translate": "turn pictures into pictures with a trained model",
    "serve": "open the tasks as pages in a browser, and as an API",
    "benchmark": "images a second on this machine",
    "evaluate": "measure a model on pairs it has not seen",
    "prior": "train, sample and explore generators of pictures",
    "restore": "repair pictures by searching, with a prior or without",
    "models": "list the models that are here, or make one ready to give away",
}


def main() -> None:
    """Dispatch to a verb; without one, or with --help, list them."""
    verb, arguments = (sys.argv[1], sys.argv[2:]) if len(sys.argv) > 1 else ("--help", [])
    if verb in {"-h", "--help"}:
        print("usage: pix2pix VERB [--help] ...\n")
        print("\n".join(f"  {name:<10} {purpose}" for name, purpose in VERBS.items()))
        return
    if verb == "--version":
        print(__version__)
        return
    if verb not in VERBS:
        print(f"pix2pix: unknown verb '{verb}'; {nearest(verb, VERBS)}", file=sys.stderr)
        sys.exit(2)
    run(importlib.import_module(f"pix2pix.{verb}").main, f"pix2pix {verb}", arguments)


if __name__ == "__main__":
    main()
