"""How long people wait: `python tests/app_timings.py [--starts N] [--later N] [--add FILE]`, on a machine of no load.

- ready: from the command `pix2pix serve --task facades` to its page in a browser that is open already, canvas drawn.
- first: from a click for an example, at once when the page is ready, to the picture on the screen.
- later: from the end of a stroke, or a click for an example, to the picture that it makes on the screen.

Each start is a new server and a new visitor, of a package whose bytecode is there, as pip leaves it. FILE gathers the
seconds of several runs. Ends with 1 where a median misses its target.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from page_hand import Hand
from playwright.sync_api import sync_playwright
from serve_clients import started

CHROMIUM = os.environ.get("PIX2PIX_CHROMIUM", "/usr/bin/chromium")
TARGETS = {"ready": 6.0, "first": 1.5, "later": 0.7}

# In the page, so that nothing of this script is counted: when the pointer went up, and when the newest result, which is
# decoded before it is put in place, was on the screen: the second frame after it begins when the first was shown.
CLOCK = """
window.marks = { up: Infinity, shown: 0 };
addEventListener("pointerup", () => { marks.up = performance.now(); }, true);
new MutationObserver(() => {
  requestAnimationFrame(() => requestAnimationFrame(() => { marks.shown = performance.now(); }));
}).observe(document, { subtree: true, attributes: true, attributeFilter: ["data-result"] });
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=10)
    parser.add_argument("--later", type=int, default=4, help="results after the first, of each start")
    parser.add_argument("--add", type=Path, help="seconds of earlier runs, which these are added to")
    asked = parser.parse_args()
    seconds: dict[str, list[float]] = {name: [] for name in TARGETS}
    if asked.add is not None and asked.add.exists():
        seconds = json.loads(asked.add.read_text())
    with TemporaryDirectory() as bytecode, sync_playwright() as playwright:
        environment = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": bytecode}
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        one_start(chromium, 0, environment)
        for _ in range(asked.starts):
            for name, each in one_start(chromium, asked.later, environment).items():
                seconds[name] += each
        chromium.close()
    if asked.add is not None:
        asked.add.write_text(json.dumps(seconds))
    return tell(seconds)


def one_start(chromium: Any, later: int, environment: dict[str, str]) -> dict[str, list[float]]:
    """A server and a visitor, from the command to the last result."""
    seconds: dict[str, list[float]] = {name: [] for name in TARGETS}
    context = chromium.new_context(viewport={"width": 1280, "height": 1000})
    page = context.new_page()
    page.add_init_script(CLOCK)
    begun = time.perf_counter()
    with started("--task", "facades", environment=environment) as site:
        page.goto(site.url)
        page.locator(".canvas-surface").wait_for()
        page.locator(".p2p-footer").wait_for()
        seconds["ready"].append(time.perf_counter() - begun)
        example = page.get_by_role("button", name="Example").first
        example.click()
        seconds["first"].append(waited(page))
        hand = Hand(page, "labels-facades")
        hand.tool("box")
        hand.colour("window")
        for number in range(later):
            if number % 2:
                example.click()
            else:
                hand.stroke([(40 + 20 * number, 60), (60 + 20 * number, 100)])
            seconds["later"].append(waited(page))
        context.close()
    return seconds


def waited(page: Any) -> float:
    """From the pointer's last way up to the last result that it made, in seconds."""
    page.wait_for_function("marks.shown > marks.up", timeout=60_000)
    shown = 0.0
    while shown != (shown := page.evaluate("marks.shown")):
        page.wait_for_timeout(800)
    return float(shown - page.evaluate("marks.up")) / 1000


def tell(seconds: dict[str, list[float]]) -> int:
    """Print the middle and the worst of each; 1 where a middle misses its target."""
    missed = 0
    for name, target in TARGETS.items():
        each = seconds[name]
        middle = statistics.median(each)
        missed += middle > target
        print(f"{name}: median {middle:.2f} s, worst {max(each):.2f} s of {len(each)}; target {target:g} s")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
