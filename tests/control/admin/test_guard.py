from __future__ import annotations

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from gateway.control.admin.access import Access
from gateway.control.admin.attempts import MOST
from gateway.control.admin.guard import Guard
from gateway.control.admin.tokens import Right, Tokens

CHANGE = "change-0123456789abcdef"
READ = "read-0123456789abcdef"
JSON = {"content-type": "application/json"}


async def told(scope: Scope, receive: Receive, send: Send) -> None:
    """Says what right the request has come with."""
    await PlainTextResponse(Request(scope).state.right.name)(scope, receive, send)


def behind(*tokens: tuple[Right, str], token: str | None = None) -> httpx.AsyncClient:
    """A client of a guarded application that accepts ``tokens``; it sends ``token``."""
    transport = httpx.ASGITransport(Guard(told, Access(Tokens(tokens))))
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8001", headers=headers)


def guarded(token: str | None = None) -> httpx.AsyncClient:
    return behind((Right.CHANGE, CHANGE), (Right.READ, READ), token=token)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_without_tokens_this_machine_may_do_everything(method: str) -> None:
    assert (await behind().request(method, "/", headers=JSON)).text == "CHANGE"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8001", "10.0.0.1:8001", ""])
async def test_without_tokens_a_page_that_rebinds_its_name_is_turned_away(host: str) -> None:
    response = await behind().get("/", headers={"host": host})
    assert response.status_code == 421
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("hosts", [[], ["localhost", "evil.example"]])
async def test_a_request_has_one_host(hosts: list[str]) -> None:
    client = behind()
    request = httpx.Request("GET", "http://127.0.0.1:8001/", headers=[("x", "y"), *(("host", host) for host in hosts)])
    if not hosts:
        del request.headers["host"]
    assert (await client.send(request)).status_code == 400


async def test_with_tokens_any_name_will_do() -> None:
    assert (await guarded(CHANGE).get("/", headers={"host": "gateway.example"})).text == "CHANGE"


@pytest.mark.parametrize("token", [None, "wrong-0123456789abcdef", ""])
async def test_without_its_token_nothing_is_told(token: str | None) -> None:
    response = await guarded(token).get("/api/v1/status")
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer realm="gateway"'
    assert response.headers["content-type"] == "application/problem+json"


async def test_reading_and_changing_are_separate_rights() -> None:
    reader = guarded(READ)
    assert (await reader.get("/")).text == "READ"
    assert (await reader.post("/api/v1/plan", headers=JSON)).text == "READ"
    response = await reader.post("/api/v1/changes", headers=JSON)
    assert (response.status_code, response.json()["kind"]) == (403, "read-only")
    assert (await guarded(CHANGE).post("/api/v1/changes", headers=JSON)).text == "CHANGE"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "QUERY"])
async def test_a_method_that_is_not_known_to_be_safe_changes(method: str) -> None:
    assert (await guarded(READ).request(method, "/", headers=JSON)).status_code == 403


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/login", "/static/dashboard.css"])
async def test_what_load_balancers_and_the_login_need_is_open(path: str) -> None:
    assert (await guarded().get(path)).text == "NONE"


@pytest.mark.parametrize("headers", [{"origin": "http://evil.example", **JSON}, {"content-type": "text/plain"}])
async def test_another_sites_page_changes_nothing_whatever_it_knows(headers: dict[str, str]) -> None:
    for client in (behind(), guarded(CHANGE)):
        response = await client.post("/api/v1/changes", headers=headers)
        assert (response.status_code, response.json()["kind"]) == (403, "cross-site")


async def test_a_browser_is_led_to_the_login() -> None:
    response = await guarded().get("/route?label=GET%20/books", headers={"accept": "text/html,*/*"})
    assert response.status_code == 303
    assert response.headers["location"] == "/login?next=/route%3Flabel%3DGET%2520/books"


async def test_who_guesses_has_to_wait(caplog: pytest.LogCaptureFixture) -> None:
    client = guarded("guess-0123456789abcdef")
    statuses = [(await client.get("/")).status_code for _ in range(MOST + 1)]
    assert statuses == [401] * MOST + [429]
    right = await client.get("/", headers={"authorization": f"Bearer {CHANGE}"})
    assert right.status_code == 429
    assert 50 <= int(right.headers["retry-after"]) <= 61
    assert "a wrong token for the admin listener, from 127.0.0.1" in caplog.text
    assert "guess" not in caplog.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"content-length": "65537"}, 413), ({"content-length": "+1"}, 411), ({"transfer-encoding": "chunked"}, 411)],
)
async def test_a_body_without_bounds_is_not_read(headers: dict[str, str], status: int) -> None:
    assert (await behind().post("/", headers={**JSON, **headers})).status_code == status


async def test_no_answer_is_framed_cached_or_loads_from_elsewhere() -> None:
    for response in (await guarded(READ).get("/"), await guarded().get("/")):
        assert response.headers["x-frame-options"] == "DENY"
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["content-security-policy"].startswith("default-src 'self';")
        assert "access-control-allow-origin" not in response.headers
