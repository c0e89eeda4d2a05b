"""A gateway without a control process checks its backends by itself."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.responses import PlainTextResponse

from gateway.dataplane.app import Gateway
from gateway.telemetry.slots import SlotFile
from tests.dataplane.asgi_client import get
from tests.upstream.scripted import Peer, app, eventually

CHECK = {"path": "/healthz", "every": 0.1, "timeout": 0.2, "unhealthy_after": 1, "healthy_after": 1}


class Named:
    """Answers its name to the gateway's clients, and its health to the checks."""

    def __init__(self, name: bytes) -> None:
        self.name = name
        self.well = True
        self.checks = 0
        self.requests = 0

    async def __call__(self, peer: Peer) -> None:
        while True:
            head = await peer.head()
            if b"/healthz" in head:
                self.checks += 1
                status = b"200 OK" if self.well else b"503 Busy"
                await peer.say(b"HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n" % status)
            else:
                self.requests += 1
                await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(self.name), self.name))


@asynccontextmanager
async def gateway(backends: dict[str, Any], slots: SlotFile | None = None, **more: Any) -> AsyncIterator[Gateway]:
    data = {"version": 1, "default": next(iter(backends)), "backends": backends, **more}
    made = Gateway.from_dict(data, slots=slots)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


async def answers(made: Gateway, times: int = 6) -> set[bytes]:
    return {(await get(made, "/")).body for _ in range(times)}


async def eventually_answer(made: Gateway, wanted: set[bytes]) -> None:
    until = asyncio.get_running_loop().time() + 5
    while await answers(made) != wanted:
        assert asyncio.get_running_loop().time() < until
        await asyncio.sleep(0.02)


async def test_who_is_down_gets_no_requests_and_no_check_outlives_the_gateway() -> None:
    one, two = Named(b"one"), Named(b"two")
    async with app(one) as first, app(two) as second:
        backend = {"urls": [first.url, second.url], "health": CHECK, "outliers": "off"}
        async with gateway({"new": backend}) as made:
            assert await answers(made) == {b"one", b"two"}
            two.well = False
            await eventually_answer(made, {b"one"})
            two.well = True
            await eventually_answer(made, {b"one", b"two"})
        checks = one.checks
        await asyncio.sleep(0.25)
        assert one.checks == checks


async def test_an_app_that_is_down_is_not_asked_where_there_is_a_fallback() -> None:
    new, old = Named(b"new"), Named(b"old")
    slots = SlotFile()
    async with app(new) as first, app(old) as second:
        backends = {"old": {"url": second.url}, "new": {"url": first.url, "health": CHECK}}
        routes = [{"path": "/", "to": "new", "fallback": "old"}]
        async with gateway(backends, slots, routes=routes) as made:
            assert await answers(made) == {b"new"}
            new.well = False
            await eventually_answer(made, {b"old"})
            requests = new.requests
            assert await answers(made) == {b"old"}
            assert new.requests == requests
            assert dict(slots.items())["fallbacks", "/", "new", "old", "down", "diverted"][0] >= 6
            new.well = True
            await eventually_answer(made, {b"new"})


async def test_an_app_that_is_down_is_asked_where_there_is_no_other_or_none_that_is_up() -> None:
    new, old = Named(b"new"), Named(b"old")
    async with app(new) as first, app(old) as second:
        checked = {"health": CHECK}
        backends = {"old": {"url": second.url, **checked}, "new": {"url": first.url, **checked}}
        routes = [{"path": "/", "to": "new", "fallback": "old"}]
        async with gateway(backends, routes=routes) as made:
            new.well = old.well = False
            slots = made._runtime.slots
            await eventually(lambda: _down(slots) == 2)
            await asyncio.sleep(0.3)
            assert await answers(made) == {b"new"}
            assert (await get(made, "/elsewhere")).body == b"old"


async def test_without_checks_nothing_runs_beside_the_requests() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        backends = {"new": {"url": f"http://127.0.0.1:{taken.getsockname()[1]}"}}
        before = asyncio.all_tasks()
        async with gateway(backends):
            assert asyncio.all_tasks() == before


async def test_apps_in_this_process_are_always_available() -> None:
    data = {"version": 1, "default": "new"}
    made = Gateway.from_dict(data, apps={"new": PlainTextResponse("new")})
    assert await answers(made) == {b"new"}
    await made.stop()


def _down(slots: SlotFile) -> int:
    return sum(key[0] == "backend_health" and values[0] == 2.0 for key, values in slots.items())
