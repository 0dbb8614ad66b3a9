"""A visitor of the site in a real browser, for tests: opens pages, waits for results, downloads files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

RESULT = ".p2p-result"


class Visit:
    """One visitor's page, which notes the requests that leave this machine and what goes wrong on it."""

    def __init__(self, browser: Any, site: str, viewport: dict[str, int], scheme: str) -> None:
        self.context = browser.new_context(viewport=viewport, color_scheme=scheme, accept_downloads=True)
        self.page = self.context.new_page()
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
        return str(self.page.wait_for_function(script, arg=last, timeout=20_000).json_value())

    def settled(self) -> str:
        """The id of the result once nothing is under way: drawn, sent, made and shown."""
        last = ""
        while True:
            self.page.wait_for_timeout(400)  # a canvas waits for 120 ms of quiet before it sends
            self.page.wait_for_selector(f"{RESULT}[data-result][aria-busy=false]", timeout=20_000)
            shown = str(self.page.locator(RESULT).get_attribute("data-result"))
            if shown == last:
                return shown
            last = shown

    def download(self, link: str = "a.result-download") -> tuple[str, bytes]:
        """The suggested name and the content of the file behind a link."""
        with self.page.expect_download() as started:
            self.page.locator(link).first.click()
        return started.value.suggested_filename, Path(started.value.path()).read_bytes()
