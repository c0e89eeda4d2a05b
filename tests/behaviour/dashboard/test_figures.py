"""Live figures: what a second of 300 routes costs the browser, and that it writes what the server would."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from gateway.control.admin.status import FigureView
from gateway.control.dashboard import words
from gateway.control.dashboard.overview import figures, seen
from tests.behaviour.dashboard.browser import live, row
from tests.behaviour.dashboard.conftest import SPLIT, Open
from tests.behaviour.probe import project, text
from tests.behaviour.process import GatewayProcess

if TYPE_CHECKING:
    from playwright.sync_api import Browser


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


def test_rows_with_errors_come_by_themselves_and_do_not_go(large: GatewayProcess, open_window: Open) -> None:
    page = open_window(large).page
    page.goto("/")
    live(page)
    page.get_by_label("Show").select_option("with errors")
    assert page.locator("#shown").inner_text() == "0 of 301"
    status = large.ask("/api/v1/status").json()
    show = '(status) => import("/static/dashboard.js").then((it) => it.show(status))'
    measured = status["routes"][7]["backends"]["new"]
    measured |= {"rate": 2.0, "error_ratio": 0.02, "p50": 0.1, "p95": 0.2}
    page.evaluate(show, status)
    assert page.locator("#shown").inner_text() == "1 of 301"
    assert row(page, status["routes"][7]["label"]).locator("td.bad").inner_text() == "2.0 %"
    measured |= {"error_ratio": 0.0}
    page.evaluate(show, status)
    assert page.locator("#shown").inner_text() == "1 of 301"


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
    script = '([name, all]) => import("/static/words.js").then((words) => all.map((each) => words[name](each)))'
    limits = [
        {"in_flight": 3, "allowed": 64, "waiting": waiting, "refused": refused}
        for waiting in (0, 2)
        for refused in (0, 17)
    ]
    assert page.evaluate(script, ["limit", limits]) == [words.limit(**each) for each in limits]
    refusals: list[dict[str, int]] = [{}, {"connections": 2, "slow_head": 30, "malformed": 2}]
    assert page.evaluate(script, ["refusals", refusals]) == [words.refusals(each) for each in refusals]
    measures = [
        {"rate": rate, "in_flight": running, "error_ratio": errors, "p50": p50, "p95": p50, "requests": 1, "errors": 1}
        for rate in (0.0, 12.0)
        for running in (0, 2)
        for errors in (0.0, 0.02)
        for p50 in (None, 0.01)
    ]
    script = '([all, weight]) => import("/static/figures.js").then((it) => all.map((each) => it.figures(each, weight)))'
    for weight in (0, 10):
        assert page.evaluate(script, [measures, weight]) == [
            [figure.text for figure in figures(FigureView.model_validate(each), weight)] for each in measures
        ]
    script = '([to, observed]) => import("/static/figures.js").then((it) => it.seen(to, observed))'
    to = {"legacy": 90.0, "new": 10.0}
    for observed in ({}, {"legacy": 89.25, "new": 10.75}, {"new": 100.0}):
        assert page.evaluate(script, [to, observed]) == seen(to, observed)
