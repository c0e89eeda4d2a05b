"""Light and dark, wide and on a phone, and what axe-core says."""

from __future__ import annotations

import re

import pytest

from tests.behaviour.dashboard.browser import PHONE, live
from tests.behaviour.dashboard.conftest import Open
from tests.behaviour.probe import config, replace, settled_on, text
from tests.behaviour.process import GatewayProcess, eventually

PAGES = ("/", "/route?label=/books&weight.new=25", "/history", "/diff?from=1&to=2", "/version?number=1", "/coverage")


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


@pytest.mark.parametrize("bad", [True, False], ids=["refused", "missing"])
def test_nor_does_a_phone_while_the_file_is_bad(gateway: GatewayProcess, open_window: Open, bad: bool) -> None:
    window = open_window(gateway, **PHONE)
    page = window.page
    if bad:
        replace(gateway.routes, text("lagacy"))
    else:
        gateway.routes.unlink()
    eventually(lambda: config(gateway)["state"] == ("rejected" if bad else "missing"))
    page.goto("/")
    # Both stand beside each other in the line on top.
    live(page)
    assert page.locator("#alarm a").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
