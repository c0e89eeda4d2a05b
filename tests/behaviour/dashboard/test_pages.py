"""The dashboard without its script, as curl or an old browser sees it: pages, forms, and what is refused."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.behaviour.probe import config, project, replace, settled_on, text
from tests.behaviour.process import GatewayProcess, eventually

SPLIT = "{legacy: 90, new: 10}"
ROLL_BACK = '{"rollback": {"route": "/books"}}'
UNDO = '{"rollback": {}}'


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    with GatewayProcess(project(tmp_path_factory.mktemp("dashboard"), SPLIT), workers=2) as gateway:
        yield gateway


@pytest.fixture
def gateway(shared: GatewayProcess) -> Iterator[GatewayProcess]:
    """One that serves the split, at whatever version."""
    yield shared
    replace(shared.routes, text(SPLIT))
    eventually(lambda: settled_on(shared, text(SPLIT)))


def digest(gateway: GatewayProcess) -> str:
    """As a form of the page has it."""
    found = re.search(r'name="digest" value="(\w+)"', gateway.ask("/").text)
    assert found is not None
    return found[1]


def apply(gateway: GatewayProcess, change: str, **fields: str) -> httpx.Response:
    """Press a button of the page."""
    form = {"change": change, "digest": digest(gateway), **fields}
    return httpx.post(gateway.admin + "/apply", data=form, headers={"origin": gateway.admin}, timeout=10)


def test_every_page_is_there_and_loads_nothing_from_elsewhere(gateway: GatewayProcess) -> None:
    for path in ("/", "/history", "/route?label=/books", "/plan?change=" + UNDO, "/version?number=1"):
        page = gateway.ask(path)
        assert page.status_code in (200, 409), path
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "default-src 'self'" in page.headers["content-security-policy"]
        assert re.findall(r'(?:src|href|action)="(?!/|#)', page.text) == []
        assert re.findall(r'<style|<script(?! src=)|\sstyle=|\son\w+="', page.text) == []
        for own in set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text)):
            assert gateway.ask(own).status_code == 200


def test_its_own_files_are_asked_for_again_and_not_sent_again(gateway: GatewayProcess) -> None:
    first = gateway.ask("/static/dashboard.js")
    assert first.headers["cache-control"] == "no-cache"
    again = httpx.get(first.url, headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304


def test_a_plan_is_a_page_and_changes_nothing(gateway: GatewayProcess) -> None:
    before = gateway.routes.read_text()
    page = gateway.ask("/route?label=/books&weight.new=25").text
    assert "15 % of its users move from legacy to new" in page
    assert "+    to: {legacy: 75, new: 25}" in page
    assert "Apply" in page
    assert gateway.routes.read_text() == before


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("weight.new=10", "Choose a share"),
        ("weight.new=lots", "The share of new is a number from 0 to 100"),
        ("weight.nobody=10", "No backend is called &#39;nobody&#39;"),
        ("preset=new:100", "90 % of its users move from legacy to new"),
    ],
)
def test_what_cannot_be_planned_is_said_in_place_of_the_plan(gateway: GatewayProcess, query: str, said: str) -> None:
    page = gateway.ask(f"/route?label=/books&{query}")
    assert page.status_code == 200
    assert said in page.text


def test_one_click_rolls_a_route_back_and_another_undoes_it(gateway: GatewayProcess) -> None:
    answer = apply(gateway, ROLL_BACK, user="Zoë", reason="too slow")
    assert answer.status_code == 303
    page = gateway.ask(answer.headers["location"]).text
    assert re.search(r"is live on 2 of 2 workers, in \d+ ms\.", page)
    assert "Zoë (dashboard or API)" in html.unescape(page)
    assert "“too slow”" in page
    assert "to: legacy" in gateway.routes.read_text()

    answer = apply(gateway, UNDO)
    assert answer.status_code == 303
    assert gateway.routes.read_text() == text(SPLIT)


def test_a_change_returns_to_the_page_it_was_made_on(gateway: GatewayProcess) -> None:
    location = apply(gateway, ROLL_BACK, back="/books").headers["location"]
    assert location.startswith("/route?label=%2Fbooks&applied=")
    location = apply(gateway, UNDO, back="https://evil.example/").headers["location"]
    assert location.startswith("/route?label=https%3A%2F%2Fevil.example%2F&applied=")
    assert gateway.ask(location).status_code == 404


def test_a_person_need_not_give_his_name_twice(gateway: GatewayProcess) -> None:
    answer = apply(gateway, ROLL_BACK, user="Zoë; Max")
    name, _, value = answer.headers["set-cookie"].partition(";")[0].partition("=")
    page = httpx.get(gateway.admin + "/route?label=/books", cookies={name: value})
    assert 'name="user" maxlength="100" value="Zoë; Max"' in page.text


def test_a_plan_for_an_older_text_is_not_done_but_made_anew(gateway: GatewayProcess) -> None:
    old = digest(gateway)
    replace(gateway.routes, text(SPLIT) + "# somebody else\n")
    eventually(lambda: digest(gateway) != old)
    answer = apply(gateway, ROLL_BACK, digest=old)
    assert answer.status_code == 412
    assert "Somebody has changed the routes since this page was made" in answer.text
    assert f'name="digest" value="{digest(gateway)}"' in answer.text
    assert gateway.routes.read_text() == text(SPLIT) + "# somebody else\n"


@pytest.mark.parametrize("change", ["", "{}", "[1]", '{"split": {"route": "/books", "weights": {"new": 1000}}}'])
def test_a_change_that_no_page_asks_for_is_refused(gateway: GatewayProcess, change: str) -> None:
    answer = apply(gateway, change)
    assert answer.status_code == 422
    assert "Nothing was changed" in answer.text
    assert gateway.routes.read_text() == text(SPLIT)


@pytest.mark.parametrize("headers", [{}, {"origin": "https://evil.example"}, {"origin": "null"}])
def test_another_site_cannot_press_a_button(gateway: GatewayProcess, headers: dict[str, str]) -> None:
    form = {"change": ROLL_BACK, "digest": digest(gateway)}
    answer = httpx.post(gateway.admin + "/apply", data=form, headers=headers)
    assert answer.status_code == 403
    assert gateway.routes.read_text() == text(SPLIT)


def test_a_refused_file_is_shown_at_its_line_and_restored_with_one_click(gateway: GatewayProcess) -> None:
    replace(gateway.routes, text("lagacy"))
    eventually(lambda: config(gateway)["state"] == "rejected")
    page = html.unescape(gateway.ask("/").text)
    assert "routes.yaml is refused." in page
    assert "routes.yaml:8:9: unknown backend 'lagacy'; did you mean 'legacy'?" in page
    assert re.search(r'<span class="marked"><b>▸ +8</b> +to: lagacy</span>', page)
    refused = apply(gateway, ROLL_BACK)
    assert refused.status_code == 409
    assert "repair it, or roll back to a version" in refused.text
    assert apply(gateway, UNDO).status_code == 303
    eventually(lambda: config(gateway)["state"] == "live")
    assert gateway.routes.read_text() == text(SPLIT)


def test_a_file_that_is_missing_is_said_and_brought_back_with_one_click(gateway: GatewayProcess) -> None:
    gateway.routes.unlink()
    eventually(lambda: config(gateway)["state"] == "missing")
    page = gateway.ask("/").text
    assert "<title>routes.yaml is missing" in page
    assert '<a href="#config">routes.yaml is missing</a>' in page
    assert "<code>routes.yaml: no such file</code>" in page
    assert "Restore routes.yaml" in page
    assert apply(gateway, UNDO).status_code == 303
    assert config(gateway)["state"] == "live"
    assert gateway.routes.read_text() == text(SPLIT)


def test_the_history_has_every_version_with_diffs_and_texts(gateway: GatewayProcess) -> None:
    apply(gateway, ROLL_BACK, user="ann", reason="<b>too slow</b>")
    version = config(gateway)["version"]
    page = gateway.ask("/history").text
    assert "ann (dashboard or API)" in page
    assert "&lt;b&gt;too slow&lt;/b&gt;" in page
    assert f"/diff?from={version - 1}&amp;to={version}" in page
    diff = gateway.ask(f"/diff?from={version - 1}&to={version}").text
    assert '<span class="removed">-    to: {legacy: 90, new: 10}</span>' in diff
    assert '<span class="added">+    to: legacy</span>' in diff
    assert "to: legacy</span>" in gateway.ask(f"/version?number={version}").text
    for path in (f"/diff?from=1&to={version + 1}", "/version?number=9999"):
        answer = gateway.ask(path)
        assert answer.status_code == 404
        assert "is not kept" in answer.text


def test_a_route_that_is_gone_is_said_to_be(gateway: GatewayProcess) -> None:
    answer = gateway.ask("/route?label=<script>")
    assert answer.status_code == 404
    assert "no route that is called &lt;script&gt;" in answer.text


def test_rows_are_filtered_without_a_script(gateway: GatewayProcess) -> None:
    page = gateway.ask("/?q=books&show=split").text
    assert '<output id="shown" for="q show">1 of 2</output>' in page
    assert len(re.findall(r"<tr [^>]*hidden>", page)) == 1


def test_who_may_only_read_sees_everything_and_has_no_button(tmp_path: Path) -> None:
    tokens = {"GATEWAY_ADMIN_TOKEN": "change-change-change", "GATEWAY_ADMIN_READ_TOKEN": "read-read-read-read"}
    with GatewayProcess(project(tmp_path, SPLIT), env=tokens) as gateway:
        assert gateway.ask("/").status_code == 401
        browser = {"accept": "text/html"}
        assert httpx.get(gateway.admin + "/", headers=browser).headers["location"] == "/login?next=/"
        reading = httpx.get(gateway.admin + "/", headers={"authorization": "Bearer read-read-read-read"})
        assert "legacy 90 % · new 10 %" in reading.text
        assert 'name="change"' not in reading.text
        assert "/plan?" not in reading.text
        changing = httpx.get(gateway.admin + "/", headers={"authorization": "Bearer change-change-change"})
        assert 'name="change"' in changing.text
