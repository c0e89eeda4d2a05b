"""``expose: true``: every answer names the backend that gave it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from gateway.dataplane.app import Gateway
from tests.dataplane.asgi_client import call, get, websocket_scope

OWN = [(b"x-served-by", b"replica-7"), (b"x-mine", b"1")]


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Has an X-Served-By of its own."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept", "headers": OWN})
        return
    if scope["path"] == "/fails":
        raise RuntimeError("on purpose")
    await send({"type": "http.response.start", "status": 200, "headers": OWN})
    await send({"type": "http.response.body", "body": b""})


@asynccontextmanager
async def serving(**more: Any) -> AsyncIterator[Gateway]:
    routes = [{"path": "/moved", "to": "new"}, {"path": "/split", "to": {"legacy": 1, "new": 99}}]
    data = {"version": 1, "default": "legacy", "routes": routes, "override": {"secret": "of-testers"}, **more}
    gateway = Gateway.from_dict(data, apps={"legacy": app, "new": app})
    await gateway.start()
    yield gateway
    await gateway.stop()


@pytest.mark.parametrize(
    ("target", "headers", "backend"),
    [
        ("/", [], b"legacy"),
        ("/moved", [], b"new"),
        ("/moved", [(b"x-gateway-backend", b"legacy:of-testers")], b"legacy"),
        # The gateway answers in its place; who failed is worth knowing all the same.
        ("/fails", [], b"legacy"),
    ],
)
async def test_the_answer_names_its_backend_once(
    target: str, headers: list[tuple[bytes, bytes]], backend: bytes
) -> None:
    async with serving(expose=True) as gateway:
        answer = await get(gateway, target, headers)
    assert answer.all(b"x-served-by") == [backend]


async def test_it_stands_beside_the_sticky_cookie() -> None:
    async with serving(expose=True) as gateway:
        answer = await get(gateway, "/split")
    assert len(answer.all(b"x-served-by")) == len(answer.all(b"set-cookie")) == len(answer.all(b"x-mine")) == 1


async def test_a_websocket_is_told_too() -> None:
    async with serving(expose=True) as gateway:
        answer = await call(gateway, websocket_scope("/moved"), {"type": "websocket.connect"})
    assert answer.sent[0]["type"] == "websocket.accept"
    assert answer.all(b"x-served-by") == [b"new"]


async def test_what_the_gateway_refuses_was_served_by_none() -> None:
    async with serving(expose=True) as gateway:
        answer = await get(gateway, "/x", raw_path=b"/a/../b")
    assert (answer.status, answer.all(b"x-served-by")) == (400, [])


async def test_without_it_the_apps_own_passes() -> None:
    async with serving() as gateway:
        assert (await get(gateway, "/moved")).headers == OWN
