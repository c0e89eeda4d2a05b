"""One database and one session cookie: what is done in one app is seen in the other."""

from __future__ import annotations

import asyncio
import json
import re
from urllib.parse import urlencode

import pytest

from tests.new_fastapi.conftest import Apps
from tests.new_fastapi.exchange import Answer, Ask, ask_legacy, ask_new

GOOD = json.dumps({"email": "alice@example.com", "password": "wonderland"}).encode()
JSON = {"Content-Type": "application/json"}


class Browser:
    """Keeps the session cookie, and sends it to both apps."""

    def __init__(self, apps: Apps) -> None:
        self.apps = apps
        self.cookie: str | None = None

    async def legacy(self, method: str, target: str, body: bytes = b"", **headers: str) -> Answer:
        return self._keep(ask_legacy(self.apps.legacy, self._ask(method, target, body, headers)))

    async def new(self, method: str, target: str, body: bytes = b"", **headers: str) -> Answer:
        return self._keep(await ask_new(self.apps.new, self.apps.state, self._ask(method, target, body, headers)))

    def _ask(self, method: str, target: str, body: bytes, headers: dict[str, str]) -> Ask:
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookie is not None:
            fields["Cookie"] = self.cookie
        return Ask(method, target, body, fields)

    def _keep(self, answer: Answer) -> Answer:
        if field := answer.headers.get("set-cookie"):
            self.cookie = None if "Max-Age=0" in field else field.partition(";")[0]
        return answer

    async def log_in_by_form(self) -> Answer:
        page = (await self.legacy("GET", "/login")).body.decode()
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
        assert token is not None
        form = {"csrf_token": token[1], "email": "alice@example.com", "password": "wonderland"}
        return await self.legacy(
            "POST", "/login", urlencode(form).encode(), Content_Type="application/x-www-form-urlencoded"
        )


@pytest.fixture
def browser(shared: Apps) -> Browser:
    return Browser(shared)


async def test_a_login_on_the_flask_page_is_a_login_here(browser: Browser) -> None:
    assert (await browser.new("GET", "/me")).status == 401
    assert (await browser.log_in_by_form()).status == 302
    me = await browser.new("GET", "/me")
    assert (me.status, json.loads(me.body)["name"]) == (200, "Alice Liddell")
    assert "set-cookie" not in me.headers  # Flask-Login's marks agree: nothing had to be put right


async def test_a_login_here_is_a_login_on_the_flask_pages(browser: Browser) -> None:
    assert (await browser.legacy("GET", "/catalogue/new")).status == 302
    assert (await browser.new("POST", "/sessions", GOOD, **JSON)).status == 201
    page = await browser.legacy("GET", "/catalogue/new")
    assert (page.status, b"Alice Liddell" in page.body) == (200, True)
    me = await browser.legacy("GET", "/me")
    assert (me.status, me.headers.get("set-cookie")) == (200, None)


async def test_a_login_here_keeps_what_flask_had_in_the_session(browser: Browser) -> None:
    await browser.legacy("GET", "/login")
    before = browser.apps.new.state.session.loads(str(browser.cookie).partition("=")[2])
    await browser.new("POST", "/sessions", GOOD, **JSON)
    after = browser.apps.new.state.session.loads(str(browser.cookie).partition("=")[2])
    assert before.keys() == {"csrf_token"}
    assert after["csrf_token"] == before["csrf_token"]


async def test_a_logout_here_is_a_logout_there_and_the_other_way_round(browser: Browser) -> None:
    await browser.log_in_by_form()
    assert (await browser.new("DELETE", "/sessions")).status == 204
    assert (await browser.legacy("GET", "/me")).status == 401
    await browser.new("POST", "/sessions", GOOD, **JSON)
    assert (await browser.legacy("DELETE", "/sessions")).status == 204
    assert (await browser.new("GET", "/me")).status == 401


@pytest.mark.parametrize(
    "headers", [{}, {"X_Forwarded_For": "203.0.113.9, 10.0.0.1"}, {"User_Agent": "caf\u00e9"}, {"User_Agent": ""}]
)
async def test_both_apps_know_a_browser_by_the_same_mark(browser: Browser, headers: dict[str, str]) -> None:
    """Or each request to the other app would find the session stolen and take its freshness away."""
    await browser.new("POST", "/sessions", GOOD, **JSON, **headers)
    assert "set-cookie" not in (await browser.legacy("GET", "/me", b"", **headers)).headers
    await browser.legacy("POST", "/sessions", GOOD, **JSON, **headers)
    assert "set-cookie" not in (await browser.new("GET", "/me", b"", **headers)).headers


async def test_a_session_that_moved_to_another_address_is_no_longer_fresh_in_either_app(browser: Browser) -> None:
    await browser.log_in_by_form()
    moved = await browser.new("GET", "/me", X_Forwarded_For="203.0.113.9")
    assert moved.status == 200
    session = browser.apps.new.state.session.loads(str(browser.cookie).partition("=")[2])
    assert session["_fresh"] is False
    assert "set-cookie" not in (await browser.legacy("GET", "/me", X_Forwarded_For="203.0.113.9")).headers


async def test_a_remembered_login_is_refreshed_by_both(browser: Browser) -> None:
    remembered = json.dumps({"email": "alice@example.com", "password": "wonderland", "remember": True}).encode()
    await browser.new("POST", "/sessions", remembered, **JSON)
    for ask in (browser.legacy, browser.new):
        assert "Expires=" in (await ask("GET", "/books/1")).headers["set-cookie"]


async def test_each_sees_what_the_other_writes(browser: Browser) -> None:
    await browser.log_in_by_form()
    book = json.dumps({"title": "Emma", "author": "Jane Austen"}).encode()
    for write, read in ((browser.new, browser.legacy), (browser.legacy, browser.new)):
        created = await write("POST", "/books", book, **JSON)
        assert created.status == 201
        place = created.headers["location"]
        assert (await read("GET", place)).body == created.body
        changed = await read("PUT", place, book.replace(b"Emma", b"Persuasion"), **JSON)
        assert (await write("GET", place)).body == changed.body
        assert (await write("DELETE", place)).status == 204
        assert (await read("GET", place)).status == 404


async def test_members_who_join_here_can_log_in_there(browser: Browser) -> None:
    member = {"name": "Dora", "email": "dora@example.com", "password": "jip-the-dog"}
    login = json.dumps({"email": "dora@example.com", "password": "jip-the-dog"}).encode()
    assert (await browser.new("POST", "/users", json.dumps(member).encode(), **JSON)).status == 201
    assert (await browser.legacy("POST", "/sessions", login, **JSON)).status == 201
    assert (await browser.new("POST", "/sessions", login, **JSON)).status == 201


async def test_both_write_at_the_same_time(shared: Apps) -> None:
    """SQLite has one writer at a time; the others wait for it, in whichever app they are."""
    cookie = shared.new.state.session.dumps({"_user_id": "1"})
    headers = {**JSON, "Cookie": f"session={cookie}"}

    def write(number: int) -> Ask:
        return Ask("PUT", f"/books/{number}", b'{"title": "T", "author": "A"}', headers)

    answers = await asyncio.gather(
        *(asyncio.to_thread(ask_legacy, shared.legacy, write(number % 5 + 1)) for number in range(20)),
        *(ask_new(shared.new, shared.state, write(number % 5 + 1)) for number in range(20)),
    )
    assert {answer.status for answer in answers} == {200}
