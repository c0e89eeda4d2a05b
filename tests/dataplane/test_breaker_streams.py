"""What a breaker makes of answers that last, and of requests that never end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from gateway.dataplane.app import Gateway
from tests.dataplane.asgi_client import get, http_scope

App = Callable[[Scope, Receive, Send], Awaitable[None]]

START: Message = {"type": "http.response.start", "status": 200, "headers": []}


async def failing(scope: Scope, receive: Receive, send: Send) -> None:
    await send({**START, "status": 503})
    await send({"type": "http.response.body", "body": b""})


async def legacy(scope: Scope, receive: Receive, send: Send) -> None:
    await send(START)
    await send({"type": "http.response.body", "body": b"legacy"})


async def streaming(scope: Scope, receive: Receive, send: Send) -> None:
    """Sends one event, and finds out that its client has left."""
    await send(START)
    await send({"type": "http.response.body", "body": b"event", "more_body": True})
    while (await receive())["type"] != "http.disconnect":
        pass
    raise ConnectionError


async def hanging(scope: Scope, receive: Receive, send: Send) -> None:
    await asyncio.Event().wait()


class Listener:
    """A client of an event stream: who answers it, and how it leaves."""

    def __init__(self, gateway: Gateway) -> None:
        self._left = asyncio.Event()
        self._heard = asyncio.Event()
        self._asked = False
        self.body = b""
        self.task = asyncio.create_task(gateway(http_scope("GET", "/events"), self._receive, self._send))

    async def _receive(self) -> Message:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.body":
            self.body += message["body"]
            self._heard.set()

    async def hear(self) -> bytes:
        await self._heard.wait()
        return self.body

    async def leave(self) -> None:
        self._left.set()
        await self.task


@asynccontextmanager
async def serving(mood: list[App], **breaker: Any) -> AsyncIterator[Gateway]:
    """The new app does as the first of ``mood`` says; the last one stays."""

    async def new(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        await (mood.pop(0) if len(mood) > 1 else mood[0])(scope, receive, send)

    route = {"path": "/events", "to": "new", "fallback": "legacy", "breaker": {"consecutive": 1, "ramp": 0, **breaker}}
    data = {"version": 1, "default": "legacy", "routes": [route]}
    gateway = Gateway.from_dict(data, apps={"legacy": legacy, "new": new})
    await gateway.start()
    try:
        yield gateway
    finally:
        await gateway.stop()


async def test_streams_that_have_begun_have_succeeded() -> None:
    """A route with nothing but streams would not get its new app back before all of them have ended."""
    async with asyncio.timeout(5), serving([failing, streaming], open=0.05, probes=2) as gateway:
        assert (await get(gateway, "/events")).body == b"legacy"
        await asyncio.sleep(0.06)
        listeners = []
        for _ in range(5):
            listeners.append(Listener(gateway))
            assert await listeners[-1].hear() == b"event"
        for listener in listeners:
            await listener.leave()


async def test_streams_whose_clients_leave_have_gone_well() -> None:
    """Otherwise failures days apart, with streams in between, were in a row."""
    mood: list[App] = [failing, streaming, failing, streaming, failing, streaming]
    async with asyncio.timeout(5), serving(mood, consecutive=2) as gateway:
        for _ in range(3):
            assert (await get(gateway, "/events")).body == b"legacy"
            listener = Listener(gateway)
            assert await listener.hear() == b"event"
            await listener.leave()


async def test_a_probe_that_never_ends_does_not_keep_the_others_out() -> None:
    async with asyncio.timeout(5), serving([failing, hanging, streaming], open=0.05, probes=1) as gateway:
        await get(gateway, "/events")
        await asyncio.sleep(0.06)
        hung = Listener(gateway)
        await asyncio.sleep(0)
        assert (await get(gateway, "/events")).body == b"legacy"
        await asyncio.sleep(0.06)
        listener = Listener(gateway)
        assert await listener.hear() == b"event"
        await listener.leave()
        hung.task.cancel()
        await asyncio.wait((hung.task,))
