"""Holes filled in a browser: `python apps/inpaint.py`; further options are those of `pix2pix serve`."""

import sys

from pix2pix.command_line import run
from pix2pix.serve import PROG, main

if __name__ == "__main__":
    run(main, PROG, ["--task", "inpaint", *sys.argv[1:]])
