"""The dashboard in a browser, before a real gateway with real traffic."""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from gateway.control.admin.status import FigureView
from gateway.control.dashboard import words
from gateway.control.dashboard.overview import figures, seen
from tests.behaviour.browser import Window, launched
from tests.behaviour.probe import Traffic, config, project, replace, settled_on, text
from tests.behaviour.process import ROOT, GatewayProcess, eventually

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

SPLIT = "{legacy: 90, new: 10}"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
WIDE = {"viewport": {"width": 1280, "height": 800}}

# Seconds of traffic before the first picture: for charts with something on them, see `make pictures`.
WARM_UP = float(os.environ.get("GATEWAY_WARM_UP", "0"))

Open = Callable[..., Window]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as running:
        yield running


@pytest.fixture
def open_window(browser: Browser) -> Iterator[Open]:
    """Opens windows, and looks afterwards whether any of them asked somebody else or complained."""
    windows: list[Window] = []

    def opened(gateway: GatewayProcess, **context: Any) -> Window:
        windows.append(Window(browser, gateway.admin, **WIDE | context))
        return windows[-1]

    yield opened
    for window in windows:
        window.close()
    assert [window.foreign for window in windows] == [[] for _ in windows]
    assert [window.complaints for window in windows] == [[] for _ in windows]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[GatewayProcess]:
    """Two workers, /books split. ``browser`` is asked for so that nothing starts where there is none."""
    assert browser.is_connected()
    with GatewayProcess(project(tmp_path_factory.mktemp("dashboard"), SPLIT), workers=2) as gateway:
        yield gateway


@pytest.fixture
def gateway(shared: GatewayProcess) -> Iterator[GatewayProcess]:
    yield shared
    replace(shared.routes, text(SPLIT))
    eventually(lambda: settled_on(shared, text(SPLIT)))


def row(page: Page, label: str) -> Locator:
    return page.locator(f'tr[data-route="{label}"]')


def cell(page: Page, label: str, measure: int, backend: int) -> str:
    """One of the row's figures; two backends stand side by side under each measure."""
    return str(row(page, label).locator("td.n").nth(2 * measure + backend).inner_text())


def live(page: Page) -> None:
    page.get_by_text("Live", exact=True).and_(page.locator("#connection")).wait_for()


def headline(page: Page, words: str) -> None:
    page.locator(".headline", has_text=words).wait_for()


# --- The story of the README ------------------------------------------------------------------------------------------


def test_a_canary_is_raised_watched_and_taken_back(
    tmp_path: Path, browser: Browser, open_window: Open, request: pytest.FixtureRequest
) -> None:
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
        time.sleep(WARM_UP)
        window.picture("dashboard")
        for name, context in {"dashboard-phone": PHONE, "dashboard-dark": {"color_scheme": "dark"}}.items():
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
        assert "legacy 50 % · new 50 %" in row(page, books).inner_text()
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


# --- How it is used ---------------------------------------------------------------------------------------------------


def test_the_split_is_set_with_the_keyboard_alone(gateway: GatewayProcess, open_window: Open) -> None:
    window = open_window(gateway)
    page = window.page
    page.goto("/")
    live(page)
    window.tab_to("Skip to the content", most=1)
    window.tab_to("Filter")
    page.keyboard.type("books")
    assert page.locator("#shown").inner_text() == "1 of 2"
    window.tab_to("Split /books")
    page.keyboard.press("Enter")
    page.wait_for_url("**/route**")
    window.tab_to("Share of new, slider")
    page.keyboard.press("ArrowRight")
    page.get_by_text("1 % of its users move from legacy to new").wait_for()
    window.tab_to("new", most=1)
    page.keyboard.press("Control+A")
    page.keyboard.type("25")
    page.get_by_text("15 % of its users move from legacy to new").wait_for()
    # Enter in a field shows the plan and never applies it.
    page.keyboard.press("Enter")
    window.tab_to("Reason, for the history")
    page.keyboard.type("by hand")
    page.keyboard.press("Enter")
    assert gateway.routes.read_text() == text(SPLIT)
    window.tab_to("Apply")
    page.keyboard.press("Enter")
    page.get_by_text("“by hand”").wait_for()
    assert "to: {legacy: 75, new: 25}" in gateway.routes.read_text()


def test_what_is_applied_is_what_was_shown(gateway: GatewayProcess, open_window: Open) -> None:
    page = open_window(gateway).page
    page.goto("/route?label=/books")
    page.get_by_role("button", name="25 %", exact=True).click()
    apply = page.get_by_role("button", name="Apply", exact=True)
    apply.wait_for()
    assert page.locator("#rest").inner_text() == "75 %"
    page.get_by_label("new", exact=True).fill("50")
    assert apply.is_disabled()
    page.get_by_text("40 % of its users move from legacy to new").wait_for()
    assert apply.is_enabled()


def test_a_change_by_somebody_else_shows_by_itself_and_keeps_the_focus(
    gateway: GatewayProcess, open_window: Open
) -> None:
    page = open_window(gateway).page
    page.goto("/")
    live(page)
    button = page.get_by_role("link", name="Split /books", exact=True)
    button.focus()
    replace(gateway.routes, text("new"))
    row(page, "/books").locator("td.to").get_by_text("new", exact=True).wait_for()
    assert button.evaluate("element => element === document.activeElement")
    assert page.get_by_text("an edit of the file").count() == 1


def test_a_plan_is_made_anew_when_somebody_else_was_faster(gateway: GatewayProcess, open_window: Open) -> None:
    page = open_window(gateway).page
    page.goto("/route?label=/books")
    live(page)
    page.get_by_label("new", exact=True).fill("25")
    page.get_by_text("15 % of its users move from legacy to new").wait_for()
    page.get_by_label("Reason, for the history").fill("half a sent")
    replace(gateway.routes, text("{legacy: 95, new: 5}"))
    page.get_by_text("20 % of its users move from legacy to new").wait_for()
    assert page.get_by_label("Reason, for the history").input_value() == "half a sent"
    page.get_by_role("button", name="Apply", exact=True).click()
    page.get_by_text("“half a sent”").wait_for()
    assert "{legacy: 75, new: 25}" in gateway.routes.read_text()


def test_without_a_script_the_essentials_work(gateway: GatewayProcess, open_window: Open) -> None:
    page = open_window(gateway, java_script_enabled=False).page
    page.goto("/")
    assert "Reload for newer ones" in page.locator("#connection").inner_text()
    page.get_by_role("link", name="Split /books", exact=True).click()
    page.get_by_label("new", exact=True).fill("25")
    page.get_by_role("button", name="Show the plan", exact=True).click()
    assert page.get_by_text("15 % of its users move from legacy to new").is_visible()
    page.get_by_role("button", name="Apply", exact=True).click()
    assert "to: {legacy: 75, new: 25}" in gateway.routes.read_text()
    page.get_by_role("button", name="Undo", exact=True).click()
    assert gateway.routes.read_text() == text(SPLIT)


def test_a_lost_connection_is_said_and_found_again(tmp_path: Path, browser: Browser, open_window: Open) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    routes = project(tmp_path, SPLIT)
    with GatewayProcess(routes, "--admin", f"127.0.0.1:{port}") as gateway:
        page = open_window(gateway).page
        page.goto("/")
        live(page)
    page.get_by_text(re.compile(r"Connection lost\. Figures of .*; trying again…")).wait_for()
    with GatewayProcess(routes, "--admin", f"127.0.0.1:{port}"):
        live(page)
        assert page.locator("body.lost").count() == 0


def test_with_a_token_a_person_logs_in_first(tmp_path: Path, browser: Browser, open_window: Open) -> None:
    tokens = {"GATEWAY_ADMIN_TOKEN": "change-change-change"}
    with GatewayProcess(project(tmp_path, SPLIT), env=tokens) as gateway:
        window = open_window(gateway)
        page = window.page
        page.goto("/route?label=/books")
        assert window.violations() == []
        page.get_by_label("Token").fill("change-change-change")
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url("**/route?label=/books")
        live(page)


# --- How it looks -----------------------------------------------------------------------------------------------------

PAGES = ("/", "/route?label=/books&weight.new=25", "/history", "/diff?from=1&to=2", "/version?number=1")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", ["wide", "phone"])
def test_axe_finds_nothing_wrong(gateway: GatewayProcess, open_window: Open, scheme: str, device: str) -> None:
    window = open_window(gateway, color_scheme=scheme, **(PHONE if device == "phone" else {}))
    replace(gateway.routes, text("new"))
    eventually(lambda: settled_on(gateway, text("new")))
    everything = '{"rollback": {"all": true}}'
    for path in (*PAGES, f"/plan?change={everything}"):
        window.page.goto(path)
        assert window.violations() == [], path
    replace(gateway.routes, text("lagacy"))
    eventually(lambda: config(gateway)["state"] == "rejected")
    window.page.goto("/")
    assert window.violations() == []


def test_dark_is_dark(gateway: GatewayProcess, open_window: Open) -> None:
    window = open_window(gateway, color_scheme="dark")
    page = window.page
    page.goto("/")
    live(page)
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert max(map(int, re.findall(r"\d+", str(colour)))) < 50


def test_a_phone_shows_it_without_scrolling_sideways(gateway: GatewayProcess, open_window: Open) -> None:
    window = open_window(gateway, **PHONE)
    page = window.page
    for path in PAGES:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        for control in page.locator("button:visible, a.button:visible, input:visible, select:visible").all():
            box = control.bounding_box()
            assert box is not None
            assert box["height"] >= 24 or control.get_attribute("type") == "range"


# --- What it costs ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[GatewayProcess]:
    """300 routes."""
    assert browser.is_connected()
    path = project(tmp_path_factory.mktemp("large"), SPLIT)
    path.write_text(text(SPLIT) + "".join(f"  - {{path: /more/{n}, to: {SPLIT}}}\n" for n in range(299)))
    with GatewayProcess(path) as gateway:
        yield gateway


def test_300_rows_are_found_by_typing_under_a_header_that_stays(large: GatewayProcess, open_window: Open) -> None:
    page = open_window(large).page
    page.goto("/")
    live(page)
    assert page.locator("#shown").inner_text() == "301 of 301"
    page.evaluate("scrollTo(0, 5000)")
    header = page.locator(".routes thead").bounding_box()
    assert header is not None
    assert 0 < header["y"] < 60
    page.get_by_label("Filter").fill("more/29 new")
    assert page.locator("#shown").inner_text() == "10 of 301"
    assert page.locator(".routes tbody tr:visible").count() == 10


def test_a_second_of_300_rows_is_cheap_and_moves_nothing(large: GatewayProcess, open_window: Open) -> None:
    page = open_window(large).page
    page.goto("/")
    live(page)
    status = large.ask("/api/v1/status").json()
    for place, route in enumerate(status["routes"]):
        for measured in route["backends"].values():
            measured |= {"rate": 10.0 + place, "in_flight": place, "p50": 0.01, "p95": 9.9, "error_ratio": 0.5}
        route["observed"] = {"legacy": 90.0, "new": 10.0}
    found = page.evaluate(_WATCH, status)
    assert found["changed"] > 3000
    assert found["again"] == 0
    assert found["shift"] == 0
    # Some 5 ms here. The bound is for a machine that runs other tests, too.
    assert found["milliseconds"] < 100


# Shows the same status twice, and looks at what the second time did, and whether anything has moved.
_WATCH = """async (status) => {
  const { show } = await import("/static/dashboard.js");
  let shift = 0;
  new PerformanceObserver((list) => { for (const each of list.getEntries()) shift += each.value; })
    .observe({ type: "layout-shift", buffered: false });
  const seen = [];
  const observer = new MutationObserver((changes) => seen.push(...changes));
  const everything = { childList: true, characterData: true, attributes: true, subtree: true };
  observer.observe(document.querySelector(".routes"), everything);
  const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const begun = performance.now();
  show(status);
  const milliseconds = performance.now() - begun;
  await painted();
  const changed = seen.splice(0).length;
  show(status);
  await painted();
  return { milliseconds, changed, again: seen.length, shift };
}"""


def test_the_script_writes_figures_as_the_server_does(gateway: GatewayProcess, open_window: Open) -> None:
    page = open_window(gateway).page
    page.goto("/")
    numbers = [
        None,
        0,
        1e-6,
        4e-4,
        0.001,
        0.0042,
        0.0125,
        0.042,
        0.05,
        0.1,
        0.25,
        0.9,
        1,
        1.25,
        9.94,
        12.5,
        99.5,
        12345,
    ]
    script = '([name, all]) => import("/static/words.js").then((words) => all.map(words[name]))'
    for name in ("rate", "ratio", "seconds"):
        assert page.evaluate(script, [name, numbers]) == [getattr(words, name)(number) for number in numbers]
    measures = [
        {"rate": rate, "in_flight": running, "error_ratio": errors, "p50": p50, "p95": p50, "requests": 1, "errors": 1}
        for rate in (0.0, 12.0)
        for running in (0, 2)
        for errors in (0.0, 0.02)
        for p50 in (None, 0.01)
    ]
    script = (
        '([all, weight]) => import("/static/dashboard.js").then((it) => all.map((each) => it.figures(each, weight)))'
    )
    for weight in (0, 10):
        assert page.evaluate(script, [measures, weight]) == [
            [figure.text for figure in figures(FigureView.model_validate(each), weight)] for each in measures
        ]
    script = '([to, observed]) => import("/static/dashboard.js").then((it) => it.seen(to, observed))'
    to = {"legacy": 90.0, "new": 10.0}
    for observed in ({}, {"legacy": 89.25, "new": 10.75}, {"new": 100.0}):
        assert page.evaluate(script, [to, observed]) == seen(to, observed)
