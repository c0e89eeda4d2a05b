from __future__ import annotations

from urllib.parse import urlencode

import httpx
import pytest
from fastapi import FastAPI, Request

from gateway.control.admin.access import Access
from gateway.control.admin.guard import Guard
from gateway.control.admin.login import login_routes
from gateway.control.admin.tokens import Right, Tokens

TOKEN = "read-0123456789abcdef"
FORM = {"content-type": "application/x-www-form-urlencoded", "origin": "http://127.0.0.1:8001"}


def browser(access: Access) -> httpx.AsyncClient:
    app = FastAPI()
    app.include_router(login_routes(access))

    @app.get("/")
    async def page(request: Request) -> str:
        right: Right = request.state.right
        return right.name

    transport = httpx.ASGITransport(Guard(app, access))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8001", headers={"accept": "text/html"})


@pytest.fixture
def guarded() -> httpx.AsyncClient:
    return browser(Access(Tokens([(Right.READ, TOKEN)])))


async def log_in(client: httpx.AsyncClient, token: str = TOKEN, next: str = "/", **headers: str) -> httpx.Response:  # noqa: A002
    return await client.post("/login", content=urlencode({"token": token, "next": next}), headers={**FORM, **headers})


async def test_a_token_begins_a_session_and_logging_out_ends_it(guarded: httpx.AsyncClient) -> None:
    assert (await guarded.get("/")).headers["location"] == "/login?next=/"
    assert '<form method="post" action="/login"' in (await guarded.get("/login?next=/")).text
    done = await log_in(guarded, next="/route?label=x")
    assert (done.status_code, done.headers["location"]) == (303, "/route?label=x")
    assert TOKEN not in done.headers["set-cookie"]
    assert (await guarded.get("/")).json() == "READ"
    session = dict(guarded.cookies)
    assert (await guarded.post("/logout", headers=FORM)).status_code == 303
    assert not guarded.cookies
    guarded.cookies.update(session)
    assert (await guarded.get("/")).status_code == 303


async def test_no_script_and_no_other_site_gets_the_cookie(guarded: httpx.AsyncClient) -> None:
    fields = (await log_in(guarded)).headers["set-cookie"].lower()
    assert "httponly" in fields
    assert "samesite=strict" in fields
    assert "secure" not in fields
    fields = (await log_in(guarded, origin="https://127.0.0.1:8001")).headers["set-cookie"].lower()
    assert "secure" in fields


async def test_a_wrong_token_is_told_and_not_repeated(guarded: httpx.AsyncClient) -> None:
    response = await log_in(guarded, "wrong-<b>0123456789")
    assert response.status_code == 401
    assert "That token is not known here." in response.text
    assert "wrong-" not in response.text
    assert not guarded.cookies


@pytest.mark.parametrize("wanted", ["//evil.example", "/\\evil.example", "http://evil.example", "", "/\n/evil"])
async def test_the_way_back_leads_to_no_other_site(guarded: httpx.AsyncClient, wanted: str) -> None:
    assert (await log_in(guarded, next=wanted)).headers["location"] == "/"


async def test_what_is_in_the_address_is_no_markup(guarded: httpx.AsyncClient) -> None:
    assert '"><script>' not in (await guarded.get("/login", params={"next": '/"><script>'})).text


async def test_nobody_logs_a_browser_in_from_another_site(guarded: httpx.AsyncClient) -> None:
    assert (await log_in(guarded, origin="http://evil.example")).status_code == 403


@pytest.mark.parametrize("cookie", ["gateway_session=", "gateway_session=guessed", "gateway_session", "\x00=;;"])
async def test_another_cookie_is_no_session(guarded: httpx.AsyncClient, cookie: str) -> None:
    assert (await guarded.get("/", headers={"cookie": cookie})).status_code == 303


async def test_without_tokens_there_is_nothing_to_log_in_to() -> None:
    client = browser(Access(Tokens()))
    for response in (await client.get("/login?next=/history"), await log_in(client, next="/history")):
        assert (response.status_code, response.headers["location"]) == (303, "/history")
