from __future__ import annotations

import asyncio

import pytest
from starlette.types import Message

from gateway.backends.wsgi_inbound import Inbound, gather
from tests.backends.asgi import DISCONNECT, Client, request


@pytest.mark.parametrize(
    ("incoming", "length", "body"),
    [
        ([request(b"abc")], 3, b"abc"),
        ([request(b"a", more=True), request(b"", more=True), request(b"bc")], 3, b"abc"),
        ([request(b"abc", more=True)], 3, b"abc"),
        ([request(b"abcde")], 3, b"abc"),
        ([request(b"ab", more=True), request(b"cde", more=True)], 3, b"abc"),
        ([request(b"ab")], 3, None),
        ([DISCONNECT], 3, None),
        ([request(b"ab", more=True), DISCONNECT], 3, None),
    ],
)
async def test_gathering_a_small_body(incoming: list[Message], length: int, body: bytes | None) -> None:
    assert await gather(Client(incoming).receive, length) == body


async def test_the_client_is_watched_only_when_asked() -> None:
    client = Client([request()])
    gone = asyncio.Event()
    inbound = Inbound(client.receive, gone.set)
    client.leave()
    await asyncio.sleep(0.005)
    assert client.received == 0
    inbound.watch()
    inbound.watch()
    async with asyncio.timeout(1):
        await gone.wait()
    assert inbound.gone
    await inbound.stop()


async def test_watching_later() -> None:
    client = Client([request()])
    gone = asyncio.Event()
    inbound = Inbound(client.receive, gone.set)
    client.leave()
    inbound.watch_after(0.005)
    await asyncio.sleep(0)
    assert client.received == 0
    async with asyncio.timeout(1):
        await gone.wait()
    await inbound.stop()


async def test_after_the_end_nobody_calls_receive() -> None:
    client = Client([request()])
    inbound = Inbound(client.receive, lambda: None)
    inbound.watch_after(0.001)
    await inbound.stop()
    inbound.watch()
    await asyncio.sleep(0.005)
    assert client.received == 0


async def test_stopping_ends_a_receive_that_waits() -> None:
    client = Client([])
    left = []
    inbound = Inbound(client.receive, lambda: left.append(True))
    inbound.watch()
    await asyncio.sleep(0)
    assert client.received == 1
    await inbound.stop()
    client.leave()
    await asyncio.sleep(0.002)
    assert left == []
    assert len(asyncio.all_tasks()) == 1


async def test_a_server_that_never_runs_out_of_messages_is_not_asked_for_ever() -> None:
    calls = 0

    async def receive() -> Message:
        nonlocal calls
        calls += 1
        return request()

    inbound = Inbound(receive, lambda: None)
    inbound.watch()
    await asyncio.sleep(0.001)
    assert calls == 2
    assert not inbound.gone
    await inbound.stop()
