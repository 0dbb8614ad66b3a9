"""Four times as large in a browser: `python apps/superres.py`; further options are those of `pix2pix serve`."""

import sys

from pix2pix.command_line import run
from pix2pix.serve import PROG, main

if __name__ == "__main__":
    run(main, PROG, ["--task", "superres", *sys.argv[1:]])
