"""The story of the README, in a browser: a canary is raised, the file broken and repaired, and all of it taken back."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from tests.behaviour.dashboard.browser import PHONE, cell, headline, live, row
from tests.behaviour.dashboard.conftest import Open
from tests.behaviour.probe import Traffic, replace
from tests.behaviour.process import ROOT, GatewayProcess, eventually

if TYPE_CHECKING:
    from playwright.sync_api import Page

# Seconds of traffic before the first picture: for charts with something on them, see `make pictures`.
WARM_UP = float(os.environ.get("GATEWAY_WARM_UP", "0"))


def test_a_canary_is_raised_watched_and_taken_back(tmp_path: Path, open_window: Open) -> None:
    """The bookshop: /books goes from 10 to 50 percent, somebody breaks the file, and it goes back."""
    path = tmp_path / "routes.yaml"
    path.write_text((ROOT / "routes.yaml").read_text())
    database = {"DATABASE_URL": f"sqlite:///{tmp_path / 'bookshop.db'}", "THIRD_PARTY_URL": "http://127.0.0.1:9"}
    books = "GET,HEAD /books"
    with GatewayProcess(path, workers=2, env=database) as shop, Visitors(shop.url):
        window = open_window(shop)
        page = window.page
        page.goto("/")
        live(page)
        headline(page, "Version 1 is live on 2 of 2 workers")
        eventually(lambda: cell(page, books, 0, 0) not in ("", "0", "<0.1"), timeout=15)
        eventually(lambda: "seen" in row(page, books).inner_text())
        page.wait_for_timeout(1000 * WARM_UP)
        window.picture("dashboard")
        for name, context in (("dashboard-phone", PHONE), ("dashboard-dark", {"color_scheme": "dark"})):
            other = open_window(shop, **context)
            other.page.goto("/")
            live(other.page)
            if name == "dashboard-phone":
                other.page.locator("#table-title").evaluate("element => element.scrollIntoView()")
            other.picture(name)

        page.get_by_role("link", name=f"Split {books}", exact=True).click()
        page.get_by_label("new", exact=True).fill("50")
        page.get_by_text("40 % of its users move from legacy to new").wait_for()
        assert "to: {legacy: 90, new: 10}" in path.read_text().partition("path: /books\n")[2]
        page.get_by_label("Reason, for the history").fill("no errors on 10 %")
        page.get_by_label("Your name").fill("alice")
        window.picture("dashboard-split")

        page.get_by_role("button", name="Apply", exact=True).click()
        page.locator(".headline", has_text=re.compile(r"Version 2 is live on 2 of 2 workers, in \d+ ms")).wait_for()
        assert "to: {legacy: 50, new: 50}" in path.read_text()
        page.get_by_text("“no errors on 10 %”").wait_for()
        # And the traffic moves: from a ninth of legacy's rate to nearly all of it.
        eventually(lambda: rate(page, books, "new") > 0.5 * rate(page, books, "legacy"), timeout=15)

        page.get_by_role("link", name="Routes").click()
        live(page)
        good = path.read_text()
        replace(path, good.replace("to: {legacy: 50, new: 50}", "to: {lagacy: 50, new: 50}", 1))
        alert = page.get_by_role("alert")
        alert.get_by_text("routes.yaml is refused. Version 2 stays live").wait_for()
        line = 1 + good.split("\n").index("    to: {legacy: 50, new: 50}")
        assert f"routes.yaml:{line}:10: unknown backend 'lagacy'" in alert.inner_text()
        assert page.locator(".code .marked").inner_text().split() == [
            "▸",
            str(line),
            "to:",
            "{lagacy:",
            "50,",
            "new:",
            "50}",
        ]
        assert "refused" in page.title()
        window.picture("dashboard-refused")

        replace(path, good)
        headline(page, "Version 2 is live on 2 of 2 workers")
        assert page.get_by_role("alert").count() == 0

        page.get_by_role("button", name=f"Roll back {books} to legacy", exact=True).click()
        headline(page, "Version 3 is live on 2 of 2 workers")
        assert row(page, books).locator("td.to").inner_text().strip() == "legacy"
        page.get_by_role("button", name="Undo", exact=True).click()
        headline(page, "Version 4 is live on 2 of 2 workers")
        assert "legacy 50 % · new 50 %" in row(page, books).inner_text().replace("\u00a0", " ")
        assert path.read_text() == good

        page.get_by_role("link", name="History").click()
        told = page.locator("#versions tbody tr").all_inner_texts()
        assert [each.split()[0] for each in told] == ["4", "3", "2", "1"]
        assert "no errors on 10 %" in told[2]
        assert "alice (dashboard or API)" in told[2]
        page.get_by_role("link", name="Diff of version 2", exact=True).click()
        assert page.locator(".diff .added").inner_text() == "+    to: {legacy: 50, new: 50}"


def rate(page: Page, label: str, backend: str) -> float:
    """Requests a second by the page's own column."""
    shown = cell(page, label, 0, ["legacy", "new"].index(backend))
    return 0.0 if shown in ("", "0", "<0.1") else float(shown)


class Visitors(Traffic):
    """Each request is a new user's: it brings no cookie."""

    PATHS = ("/books", "/books", "/books", "/items", "/books/3", "/products/search?q=a", "/users", "/docs", "/")

    def __init__(self, url: str) -> None:
        super().__init__(url, threads=2)
        self._base = url

    def _send(self) -> None:
        with httpx.Client(base_url=self._base, timeout=10) as client:
            while not self._end.is_set():
                for path in self.PATHS:
                    client.get(path)
                    client.cookies.clear()
                    if self._end.wait(0.02):
                        return
