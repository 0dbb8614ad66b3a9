"""Pictures of every page for the documentation: `python tests/app_screenshots.py FOLDER [PHOTOS]`.

Starts the real server, gives each page something, waits for the result, and takes FOLDER/TASK-WIDTH.webp: at 1280 px
and at the 390 px of a phone, and one page in dark. PHOTOS holds the photos that pages are given, TASK.jpg or TASK.png;
a page without one is given one of its examples.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

from pix2pix.ui.offers import Offer, offers

CHROMIUM = os.environ.get("PIX2PIX_CHROMIUM", "/usr/bin/chromium")
ROOT = Path(__file__).parents[1]
WIDTHS = (1280, 390)
IN_DARK = "facades"
ADDRESSES = {"gallery": "", "restore": "restore#prior=faces&seconds=300"}


def main(folder: Path, photos: Path | None) -> None:
    """Take all pictures into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    shown = [offer for offer in offers() if offer.model is not None]
    command = [sys.executable, str(ROOT / "apps" / "gallery.py"), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server, sync_playwright() as playwright:
        assert server.stdout is not None
        address = re.search(r"http://\S+", server.stdout.readline())
        assert address is not None, "the server did not start"
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for offer in shown:
            for width in WIDTHS:
                shoot(chromium, address[0], offer, width, photos, folder / f"{offer.name}-{width}.webp")
            if offer.name == IN_DARK:
                shoot(chromium, address[0], offer, WIDTHS[0], photos, folder / f"{offer.name}-{WIDTHS[0]}-dark.webp")
        for name in ("gallery", "explore", "restore"):
            for width in WIDTHS:
                shoot(chromium, address[0], None, width, photos, folder / f"{name}-{width}.webp")
        chromium.close()
        server.terminate()


def shoot(chromium: Any, address: str, offer: Offer | None, width: int, photos: Path | None, path: Path) -> None:
    """The page that `path` is named after, used where it has an `offer`, in the colours that the name's end says."""
    height, is_phone = (844, True) if width < 500 else (900, False)
    scheme = "dark" if path.stem.endswith("dark") else "light"
    context = chromium.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, is_mobile=is_phone, has_touch=is_phone
    )
    page = context.new_page()
    name = path.stem.split("-")[0]
    page.goto(f"{address.rstrip('/')}/{ADDRESSES.get(name, name)}")
    page.wait_for_selector(".p2p-footer")
    if name == "restore":
        restore(page)
    elif offer is not None:
        found = [] if photos is None else sorted(photos.glob(f"{offer.name}.*"))
        use(page, offer, found[0] if found else None)
    page.wait_for_timeout(4000 if name == "explore" else 800)  # the explorer first looks for its directions
    picture = Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")
    picture.save(path, quality=82, method=6)
    print(path)
    context.close()


def restore(page: Any) -> None:
    """Have an example restored to the end."""
    page.locator(".drop-example").first.click()
    page.wait_for_selector(".restore-link", timeout=60_000)
    page.locator(".live-estimate", has_text="steps").wait_for()
    page.locator(".live-start").click()
    page.wait_for_selector(".p2p-result[data-result]", timeout=600_000)
    page.evaluate("scrollTo(0, 0)")


def use(page: Any, offer: Offer, photo: Path | None) -> None:
    """Give the page of `offer` something, and wait for the result."""
    if offer.kind in ("labels", "sketch"):
        page.get_by_role("button", name="Example").first.click()
    elif photo is None:
        page.locator(".drop-example").first.click()
    else:
        page.set_input_files(f"#photo-{offer.name} input[type=file]", photo)
    if offer.kind == "mask":
        page.wait_for_timeout(3000)
        canvas = page.locator(f"#mask-{offer.name} canvas").first
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
        sys.exit("usage: python tests/app_screenshots.py FOLDER [PHOTOS]")
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) == 3 else None)
