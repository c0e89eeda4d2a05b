"""Chromium without a window, for tests that look at a page as a person does.

Needs the package `playwright` and Debian's `chromium`, which `make browser` installs. Without them, these tests are
skipped.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.behaviour.process import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page, Route

# Where pictures are kept. Git ignores it; `make pictures` copies those that the README shows.
SCREENSHOTS = Path(os.environ.get("GATEWAY_SCREENSHOTS", ROOT / "build" / "screenshots"))

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
WIDE: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}

# It must not talk to anybody by itself, and containers have no place for its sandbox.
_ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium() -> str:
    """The program. Skips the test that asks, where it or what drives it is missing."""
    missing = [name for name in ("playwright", "axe_playwright_python") if find_spec(name) is None]
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if missing or program is None:
        pytest.skip(f"needs {' and '.join([*missing, *([] if program else ['chromium'])])}: make browser")
    return program


@contextmanager
def launched() -> Iterator[Browser]:
    program = chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


class Window:
    """A page, and what went wrong on it: requests to other hosts, errors of scripts, refusals by its own policy."""

    def __init__(self, browser: Browser, origin: str, **context: Any) -> None:
        """``origin`` is the only host that there is; ``context`` are Playwright's settings."""
        self._context = browser.new_context(base_url=origin, locale="en-GB", timezone_id="Europe/Berlin", **context)
        self._host = urlsplit(origin).netloc
        self.foreign: list[str] = []
        self.complaints: list[str] = []
        # Answers that a test expects are no complaint: the browser logs every 4xx and every broken stream.
        self._context.route("**/*", self._pass)
        self.page: Page = self._context.new_page()
        self.page.set_default_timeout(10_000)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda message: self._hear(message.type, message.text))

    def close(self) -> None:
        self._context.close()

    def picture(self, name: str, **options: Any) -> None:
        """Keep what is seen now."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", animations="disabled", **options)

    def violations(self) -> list[str]:
        """What axe-core finds wrong with the page as it is."""
        from axe_playwright_python.sync_playwright import Axe

        found = Axe().run(self.page).response["violations"]
        return [f"{each['id']} ({each['impact']}): {[node['html'] for node in each['nodes']][:3]}" for each in found]

    def tab_to(self, name: str, most: int = 80) -> None:
        """Press Tab until the control with this accessible name has the focus."""
        target = self.page.get_by_label(name, exact=True).or_(self.page.get_by_role("link", name=name, exact=True))
        target = target.or_(self.page.get_by_role("button", name=name, exact=True)).first
        for _ in range(most):
            self.page.keyboard.press("Tab")
            if target.evaluate("element => element === document.activeElement"):
                return
        raise AssertionError(f"'{name}' is not within {most} tabs")

    def _pass(self, route: Route) -> None:
        if urlsplit(route.request.url).netloc == self._host:
            route.continue_()
        else:
            self.foreign.append(route.request.url)
            route.abort()

    def _hear(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and not text.startswith("Failed to load resource"):
            self.complaints.append(text)


def row(page: Page, label: str) -> Locator:
    return page.locator(f'tr[data-route="{label}"]')


def cell(page: Page, label: str, measure: int, backend: int) -> str:
    """One of the row's figures; two backends stand side by side under each measure."""
    return str(row(page, label).locator("td.n").nth(2 * measure + backend).inner_text())


def live(page: Page) -> None:
    page.get_by_text("Live", exact=True).and_(page.locator("#connection")).wait_for()


def headline(page: Page, words: str) -> None:
    page.locator(".headline", has_text=words).wait_for()
