"""Limits of requests in flight, as the page shows them while they are reached."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from tests.behaviour.dashboard.browser import live, row
from tests.behaviour.dashboard.conftest import SPLIT, Open
from tests.behaviour.probe import config, project, replace, text
from tests.behaviour.process import GatewayProcess, eventually

LIMITED = (
    text(SPLIT).replace('legacy: {app: "probe:legacy"}', 'legacy: {app: "probe:legacy", limit: {in_flight: 9}}')
    + "  - {path: /slow, to: legacy, limit: {in_flight: 1, queue: 1, wait: 60}}\n"
)


def test_a_limit_is_shown_with_who_is_in_who_waits_and_who_was_refused(tmp_path: Path, open_window: Open) -> None:
    routes = project(tmp_path, SPLIT)
    # Whoever is in or waits stays until the gateway ends, which does not wait for them.
    with ThreadPoolExecutor(2) as pool, GatewayProcess(routes, "--drain-timeout", "1") as gateway:
        window = open_window(gateway)
        page = window.page
        page.goto("/")
        live(page)
        refused = page.locator("#refused")
        assert refused.inner_text() == "Refused in the last minute: nothing"

        # What has a limit says so as soon as it has one, and nothing else does.
        replace(gateway.routes, LIMITED)
        eventually(lambda: config(gateway)["version"] == 2)
        limit = row(page, "/slow").locator(".limit")
        limit.get_by_text("0 of 1 in flight", exact=True).wait_for()
        backend = page.locator('[data-backend="legacy"] .limit')
        backend.get_by_text("0 of 9 in flight", exact=True).wait_for()
        assert page.locator(".limit").count() == 2

        for _ in range(2):
            pool.submit(httpx.get, gateway.url + "/slow?60", timeout=60)
        limit.get_by_text("1 of 1 in flight, 1 waiting", exact=True).wait_for()
        backend.get_by_text("1 of 9 in flight", exact=True).wait_for()
        assert [httpx.get(gateway.url + "/slow?0").status_code for _ in range(3)] == [503] * 3
        row(page, "/slow").locator(".bad", has_text="is at its limit").wait_for()
        limit.get_by_text("1 of 1 in flight, 1 waiting, 3 refused", exact=True).wait_for()
        refused.get_by_text("3 route_queue_full", exact=True).wait_for()
        assert window.violations() == []
        window.picture("dashboard-limits")
