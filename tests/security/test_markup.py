"""What others have written stands on the dashboard's pages as text: from the file, from changes, from addresses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from tests.behaviour.probe import HEAD, config, project, replace
from tests.behaviour.process import ROOT, GatewayProcess, eventually

MARK = "alert(1)"
SCRIPT = f"<script>{MARK}</script>"
IMAGE = f"'\"><img src=x onerror={MARK}>"
TEXT = (
    HEAD
    + f"""\
  # {SCRIPT}
  - path: "/<svg/onload={MARK}>"
    name: "{SCRIPT}"
    host: "shop.example"
    headers: {{X-Mark: "{SCRIPT}"}}
    to: {{legacy: 90, new: 10}}
  - path: "/image"
    name: '{IMAGE.replace("'", "''")}'
    query: {{"{SCRIPT}": "{SCRIPT}"}}
    to: new
"""
)


class Page(HTMLParser):
    """Notes elements and attributes that could only be there by way of what we have written."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.made: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name for name, _ in attrs}
        if tag == "img" or (tag == "script" and "src" not in names) or any(name.startswith("on") for name in names):
            self.made.append(f"<{tag} {names}>")


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    routes = project(tmp_path_factory.mktemp("markup"))
    routes.write_text(TEXT)
    with GatewayProcess(routes) as gateway:
        yield gateway


def look(gateway: GatewayProcess, path: str) -> str:
    answer = gateway.ask(path)
    assert Page(answer.text).made == [], path
    return answer.text


def test_a_page_shows_markup_and_has_none(gateway: GatewayProcess) -> None:
    assert "&lt;script&gt;alert(1)" in look(gateway, "/")
    for name in (SCRIPT, IMAGE, f"no such {SCRIPT}"):
        look(gateway, f"/route?label={quote(name)}")
        for change in (f'{{"move": {{"route": {json.dumps(name)}, "backend": "new"}}}}', json.dumps(name)):
            look(gateway, f"/plan?change={quote(change)}")
    for path in ("/history", "/version?number=1", "/docs", "/coverage", f"/?q={quote(IMAGE)}&show={quote(SCRIPT)}"):
        look(gateway, path)
    for path in (
        f"/{SCRIPT}",
        f"/diff?from={SCRIPT}&to=1",
        f"/version?number={SCRIPT}",
        f"/api/v1/series?route={SCRIPT}",
    ):
        look(gateway, path)


def test_who_has_changed_something_and_why_is_text(gateway: GatewayProcess) -> None:
    change = {"rollback": {}} if config(gateway)["version"] > 1 else {"move": {"route": SCRIPT, "backend": "new"}}
    body = {"change": change, "user": IMAGE[:60], "reason": SCRIPT}
    answer = httpx.post(gateway.admin + "/api/v1/changes", json=body, headers={"if-match": "*"}, timeout=10)
    assert answer.status_code == 200, answer.text
    assert "&lt;script&gt;alert(1)" in look(gateway, "/history")
    look(gateway, f"/diff?from=1&to={answer.json()['version']}")


def test_a_file_that_is_refused_is_shown_as_text(gateway: GatewayProcess) -> None:
    before = gateway.routes.read_text()
    try:
        replace(gateway.routes, TEXT + f'  - path: "/x"\n    to: "{SCRIPT}"\n')
        eventually(lambda: config(gateway)["state"] != "live")
        assert "&lt;script&gt;alert(1)" in look(gateway, "/")
    finally:
        replace(gateway.routes, before)
        eventually(lambda: config(gateway)["state"] == "live")


@pytest.mark.parametrize(
    "script", sorted(ROOT.glob("gateway/control/dashboard/static/*.js")), ids=lambda path: path.name
)
def test_no_script_makes_elements_of_text(script: Path) -> None:
    source = script.read_text()
    assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", source) == []
