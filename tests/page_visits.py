"""A visitor of the site in a real browser, for tests: opens pages, waits for results, downloads files."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = Path(os.environ.get("PIX2PIX_CHROMIUM", "/usr/bin/chromium"))
ROOT = Path(__file__).parents[1]
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
RESULT = ".p2p-result"
PATIENCE = 120_000  # milliseconds: what fails is what never comes, on a machine however busy


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser that nobody sees; where there is none, the test is skipped."""
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}; name one in PIX2PIX_CHROMIUM")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield opened
        opened.close()


@contextmanager
def serving(command: Sequence[str]) -> Iterator[str]:
    """The address that `command`, a server, tells in its first line."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        found = re.search(r"http://\S+", line)
        try:
            assert found is not None, f"the server said: {line}"
            yield found[0].rstrip("/")
        finally:
            server.terminate()


class Visit:
    """One visitor's page, which notes the requests that leave this machine and what goes wrong on it."""

    def __init__(self, browser: Any, site: str, viewport: dict[str, int], scheme: str) -> None:
        self.context = browser.new_context(viewport=viewport, color_scheme=scheme, accept_downloads=True)
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.site = site
        self.outside: list[str] = []
        self.wrong: list[str] = []
        self.page.on("request", self._note)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))

    def _note(self, request: Any) -> None:
        if not request.url.startswith((self.site, "data:", "blob:")):
            self.outside.append(request.url)

    def open(self, path: str = "") -> Any:
        self.page.goto(f"{self.site}/{path}")
        self.page.wait_for_selector(".p2p-footer")
        return self.page

    def next_result(self, last: str | None = None) -> str:
        """The id of the result that is shown, once it is another one than `last`."""
        script = (
            "last => { const id = document.querySelector('.p2p-result').dataset.result; return id !== last && id; }"
        )
        return str(self.page.wait_for_function(script, arg=last).json_value())

    def settled(self) -> str:
        """The id of the result once nothing is under way: drawn, sent, made and shown."""
        last = ""
        while True:
            self.page.wait_for_timeout(400)  # a canvas waits for 120 ms of quiet before it sends
            self.page.wait_for_selector(f"{RESULT}[data-result][aria-busy=false]")
            shown = str(self.page.locator(RESULT).get_attribute("data-result"))
            if shown == last:
                return shown
            last = shown

    def slide(self, label: str, key: str, value: str) -> None:
        """Press `key` on a slider until its number is `value`, and let go."""
        from playwright.sync_api import expect

        slider = self.page.get_by_role("slider", name=label).first
        number = self.page.get_by_role("spinbutton", name=label).first
        slider.focus()
        while (before := number.input_value()) != value:
            slider.press(key)
            expect(number).not_to_have_value(before, timeout=PATIENCE)
        slider.dispatch_event("pointerup")

    def download(self, link: str = "a.result-download") -> tuple[str, bytes]:
        """The suggested name and the content of the file behind a link."""
        with self.page.expect_download() as started:
            self.page.locator(link).first.click()
        return started.value.suggested_filename, Path(started.value.path()).read_bytes()
