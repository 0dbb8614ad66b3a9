"""Map to aerial photo in a browser: `python apps/map2aerial.py`; further options are those of `pix2pix serve`."""

import sys

from pix2pix.command_line import run
from pix2pix.serve import PROG, main

if __name__ == "__main__":
    run(main, PROG, ["--task", "map2aerial", *sys.argv[1:]])
