"""What a person does with the dashboard, in a browser before a real gateway."""

from __future__ import annotations

import re
import socket
from pathlib import Path

from tests.behaviour.dashboard.browser import live, row
from tests.behaviour.dashboard.conftest import SPLIT, Open
from tests.behaviour.probe import project, replace, text
from tests.behaviour.process import GatewayProcess


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


def test_a_form_that_nobody_has_touched_follows_what_somebody_else_does(
    gateway: GatewayProcess, open_window: Open
) -> None:
    page = open_window(gateway).page
    page.goto("/route?label=/books")
    live(page)
    replace(gateway.routes, text("{legacy: 60, new: 40}"))
    page.get_by_text("legacy gets the rest: 60 %").wait_for()
    assert page.get_by_label("new", exact=True).input_value() == "40"
    assert page.get_by_label("Share of new, slider").input_value() == "40"
    assert page.get_by_role("button", name="Apply", exact=True).count() == 0


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


def test_a_lost_connection_is_said_and_found_again(tmp_path: Path, open_window: Open) -> None:
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


def test_with_a_token_a_person_logs_in_first(tmp_path: Path, open_window: Open) -> None:
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
