"""The second half of the README's walk-through, click by click: 0, 10, 50, 100 % and back."""

from __future__ import annotations

from pathlib import Path

from tests.behaviour.dashboard.browser import headline, live, row
from tests.behaviour.dashboard.conftest import Open
from tests.behaviour.probe import project, serves
from tests.behaviour.process import GatewayProcess, eventually


def test_one_endpoint_goes_there_and_back_in_the_browser(tmp_path: Path, open_window: Open) -> None:
    with GatewayProcess(project(tmp_path)) as gateway:
        page = open_window(gateway).page
        page.goto("/")
        live(page)
        for version, (share, to) in enumerate(
            [("10 %", "{legacy: 90, new: 10}"), ("50 %", "{legacy: 50, new: 50}"), ("100 %", "new")], 2
        ):
            page.get_by_role("link", name="Split /books", exact=True).click()
            page.get_by_role("button", name=share, exact=True).click()
            page.get_by_text("of its users move from legacy to new").wait_for()
            page.get_by_label("Reason, for the history").fill(f"to {share}")
            page.get_by_role("button", name="Apply", exact=True).click()
            headline(page, f"Version {version} is live on 1 of 1 worker")
            assert f"to: {to}\n" in gateway.routes.read_text()
            page.get_by_role("link", name="Routes").click()
            live(page)
        assert serves(gateway, "new")
        page.get_by_role("button", name="Undo", exact=True).click()
        headline(page, "Version 5 is live")
        assert "to: {legacy: 50, new: 50}" in gateway.routes.read_text()
        page.get_by_role("button", name="Roll back /books to legacy", exact=True).click()
        headline(page, "Version 6 is live")
        eventually(lambda: serves(gateway, "legacy"))
        assert row(page, "/books").locator("td.to").inner_text().strip() == "legacy"

        good = gateway.routes.read_text()
        gateway.routes.write_text(good + "oops\n")
        page.get_by_role("alert").get_by_text("routes.yaml is refused").wait_for()
        page.get_by_role("button", name="Restore routes.yaml").click()
        eventually(lambda: gateway.routes.read_text() == good)
