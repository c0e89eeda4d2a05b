"""Each wrapper beside Flask itself: with it, FastAPI answers the same, and without it something else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.compat.held import MOST
from gateway.compat.names import NAMES, compatible
from tests.compat import apps

FIELDS = ("content-type", "allow", "location")


async def ask(app: ASGIApp, method: str, path: str, **more: Any) -> httpx.Response:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        return await client.request(method, path, **more)


def ask_flask(method: str, path: str, **more: Any) -> httpx.Response:
    app = apps.legacy()
    app.config["PROPAGATE_EXCEPTIONS"] = False
    with httpx.Client(transport=httpx.WSGITransport(app=app), base_url="http://shop") as client:
        return client.request(method, path, **more)


def told(response: httpx.Response, fields: Iterable[str], *, content: bool = True) -> list[object]:
    """What a client goes by. Methods in any order, and a target with or without its host, are the same to it."""
    values: list[object] = [response.status_code]
    for name in fields:
        value = response.headers.get(name, "")
        if name == "allow":
            values.append(sorted(part.strip() for part in value.split(",")))
        else:
            values.append(value.removeprefix("http://shop"))
    return [*values, response.content] if content else values


@pytest.mark.parametrize(
    ("name", "method", "path", "more", "fields", "content"),
    [
        ("head", "HEAD", "/plain", {}, (), True),
        ("head", "HEAD", "/stream", {}, ("content-type",), True),
        ("head", "HEAD", "/books/7", {}, (), False),
        ("options", "OPTIONS", "/plain", {}, ("allow", "content-type"), True),
        ("options", "OPTIONS", "/books", {}, ("allow", "content-type"), True),
        ("slashes", "GET", "/shelf", {}, ("location",), False),
        ("slashes", "GET", "/shelf?a=1&b=%2F", {}, ("location",), False),
        ("slashes", "GET", "/plain/", {}, ("content-type",), True),
        ("int404", "GET", "/books/x", {}, ("content-type",), True),
        ("int404", "GET", "/books/-1", {}, ("content-type",), True),
        ("int404", "GET", "/books/1.5", {}, ("content-type",), True),
        ("errors", "GET", "/books/7", {}, ("content-type",), True),
        ("errors", "GET", "/nowhere", {}, ("content-type",), True),
        ("errors", "GET", "/books/8", {}, ("content-type",), True),
        ("errors", "DELETE", "/plain", {}, ("content-type",), True),
        ("errors", "POST", "/books", {"content": "{", "headers": {"content-type": "application/json"}}, (), False),
        ("errors", "POST", "/books", {"content": "title=x", "headers": {"content-type": "text/plain"}}, (), False),
        ("errors", "POST", "/books", {"content": "x"}, (), False),
        ("json", "GET", "/books/1", {}, ("content-type",), True),
    ],
)
async def test_the_answer_is_that_of_flask(
    name: str, method: str, path: str, more: dict[str, Any], fields: tuple[str, ...], content: bool
) -> None:
    flasks = told(ask_flask(method, path, **more), fields, content=content)
    assert told(await ask(compatible(apps.new(), [name]), method, path, **more), fields, content=content) == flasks
    assert told(await ask(compatible(apps.new(), NAMES), method, path, **more), fields, content=content) == flasks
    assert told(await ask(apps.new(), method, path, **more), fields, content=content) != flasks


@pytest.mark.parametrize("path", ["/stream", "/books/1", "/shelf/", "/shelf/?a=1"])
async def test_what_is_no_difference_stays(path: str) -> None:
    wrapped = await ask(compatible(apps.new(), [name for name in NAMES if name != "json"]), "GET", path)
    plain = await ask(apps.new(), "GET", path)
    assert (wrapped.status_code, wrapped.content, wrapped.headers) == (plain.status_code, plain.content, plain.headers)


def answering(status: int, content_type: str, *parts: bytes) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        fields = [(b"content-type", content_type.encode()), (b"x-kept", b"1"), (b"x-kept", b"2")]
        await send({"type": "http.response.start", "status": status, "headers": fields})
        for part in parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body"})

    return app


@pytest.mark.parametrize(
    ("status", "content_type", "content"),
    [
        (404, "application/json", b'{"detail": "gone", "code": 7}'),
        (404, "application/json", b'{"error": "gone"}'),
        (404, "application/json", b"{"),
        (404, "application/problem+json", b'{"title": "gone"}'),
        (500, "text/plain", b"our own words"),
        (404, "text/html", b"<h1>our own page</h1>"),
        (307, "text/plain", b""),
    ],
)
async def test_what_an_app_says_in_its_own_way_stays(status: int, content_type: str, content: bytes) -> None:
    response = await ask(compatible(answering(status, content_type, content), NAMES), "GET", "/")
    assert (response.status_code, response.content) == (status, content)
    assert response.headers["content-type"] == content_type


async def test_other_fields_stay_with_a_changed_answer() -> None:
    response = await ask(compatible(answering(404, "application/json", b'{"detail":', b'"x"}'), NAMES), "GET", "/")
    assert response.headers.get_list("x-kept") == ["1", "2"]
    assert b"<p>x</p>" in response.content


async def test_a_long_answer_goes_on_as_it_comes() -> None:
    long = b'{"b": 1, "a": "%s"}' % (b"x" * MOST)
    parts = [long[at : at + 65536] for at in range(0, len(long), 65536)]
    response = await ask(compatible(answering(200, "application/json", *parts), NAMES), "GET", "/")
    assert response.content == long


async def test_no_more_is_held_than_there_has_to_be() -> None:
    """An endless answer of another kind begins at once."""
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        fields = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
        assert seen == ["http.response.start", "http.response.body"]

    async def send(message: Any) -> None:
        seen.append(message["type"])

    async def receive() -> AsyncIterator[Any]:
        raise AssertionError

    scope = {"type": "http", "method": "GET", "path": "/", "raw_path": b"/", "headers": []}
    await compatible(app, NAMES)(scope, receive, send)  # type: ignore[arg-type]
    assert len(seen) == 2


async def test_websockets_and_lifespans_are_none_of_its_business() -> None:
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)

    for kind in ("websocket", "lifespan"):
        scope = {"type": kind, "path": "/-1"}
        await compatible(app, NAMES)(scope, None, None)  # type: ignore[arg-type]
        assert seen.pop() is scope
