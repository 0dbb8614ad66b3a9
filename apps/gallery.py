"""All tasks in a browser: `python apps/gallery.py`; the options are those of `pix2pix serve`."""

from pix2pix.command_line import run
from pix2pix.serve import PROG, main

if __name__ == "__main__":
    run(main, PROG)
