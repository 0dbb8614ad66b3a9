"""Pictures of every kind of page for the documentation: `python tests/app_screenshots.py FOLDER [PHOTO]`.

Starts the real server, gives each page something, waits for the result, and takes the picture: at 1280 px and at the
390 px of a phone in light, and one page in dark. PHOTO is what photo pages are given, else one of their examples.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import sync_playwright

CHROMIUM = os.environ.get("PIX2PIX_CHROMIUM", "/usr/bin/chromium")
ROOT = Path(__file__).parents[1]
SHOTS: tuple[tuple[str, int, Literal["light", "dark"]], ...] = (
    *(
        (task, width, "light")
        for task in ("", "facades", "edges2photo", "colorize", "inpaint")
        for width in (1280, 390)
    ),
    ("facades", 1280, "dark"),
)
DRAWN = {"facades", "edges2photo"}


def main(folder: Path, photo: Path | None) -> None:
    """Take all pictures into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, str(ROOT / "apps" / "gallery.py"), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server, sync_playwright() as playwright:
        assert server.stdout is not None
        address = re.search(r"http://\S+", server.stdout.readline())
        assert address is not None, "the server did not start"
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for task, width, scheme in SHOTS:
            height, is_phone = (844, True) if width < 500 else (900, False)
            context = chromium.new_context(
                viewport={"width": width, "height": height}, color_scheme=scheme, is_mobile=is_phone, has_touch=is_phone
            )
            page = context.new_page()
            page.goto(f"{address[0].rstrip('/')}/{task}")
            page.wait_for_selector(".p2p-footer")
            if task:
                use(page, task, photo)
            page.wait_for_timeout(800)
            path = folder / f"{task or 'gallery'}-{width}-{scheme}.png"
            page.screenshot(path=path, full_page=True)
            print(path)
            context.close()
        chromium.close()
        server.terminate()


def use(page: Any, task: str, photo: Path | None) -> None:
    """Give the page of `task` something, and wait for the result."""
    if task in DRAWN:
        page.get_by_role("button", name="Example").first.click()
    elif photo is None:
        page.locator(".drop-example").first.click()
    else:
        page.set_input_files(f"#photo-{task} input[type=file]", photo)
    if task == "inpaint":
        page.wait_for_timeout(3000)
        canvas = page.locator(f"#mask-{task} canvas").first
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.6 * box["height"])
        page.mouse.down()
        page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.7 * box["height"], steps=10)
        page.mouse.up()
    page.wait_for_selector(".p2p-result[data-result]", timeout=60_000)
    page.evaluate("scrollTo(0, 0)")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: python tests/app_screenshots.py FOLDER [PHOTO]")
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) == 3 else None)
