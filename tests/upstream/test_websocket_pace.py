"""A relayed WebSocket that is silent, dead, or faster at one end than at the other."""

from __future__ import annotations

import asyncio

import pytest

from gateway.upstream.limits import Timeouts
from gateway.websocket.limits import Limits
from gateway.websocket.server_side import EXTENSION
from tests.upstream.scripted import Peer, app, to
from tests.upstream.websocket_ends import (
    BINARY,
    PING,
    PONG,
    TEXT,
    RemoteSocket,
    accepting,
    relaying,
    socket_scope,
    switching,
)


async def test_a_websocket_where_nothing_is_said_is_closed() -> None:
    heard = []

    async def script(remote: RemoteSocket) -> None:
        heard.append(await remote.read_close())
        await remote.close(1001)
        remote.peer.finish()

    timeouts = Timeouts(idle=0.1)
    async with (
        app(accepting(script)) as remote,
        to(remote.url, timeouts=timeouts) as upstream,
        relaying(upstream) as (browser, task),
    ):
        await task
    assert heard == [(1001, "nothing was said for 0.1 s")]
    assert browser.sent[-1] == {"type": "websocket.close", "code": 1001, "reason": "nothing was said for 0.1 s"}


async def test_the_idle_time_is_not_cut_short() -> None:
    timeouts = Timeouts(connect=0.05, idle=0.3)
    async with (
        app(accepting()) as remote,
        to(remote.url, timeouts=timeouts) as upstream,
        relaying(upstream) as (_, task),
    ):
        await asyncio.sleep(0.25)
        assert not task.done()


@pytest.mark.parametrize("who", ["app", "client", "pinging app", "pinging client"])
async def test_whatever_either_side_does_keeps_it_open(who: str) -> None:
    async def script(remote: RemoteSocket) -> None:
        if who == "client":
            return
        for _ in range(7):
            if who == "app":
                await remote.send(TEXT, b"news")
            elif who == "pinging app":
                await remote.send(PING)
            # So seldom that now and then nothing has moved.
            await asyncio.sleep(0.06)

    count = 0

    def progress() -> int:
        nonlocal count
        loop = asyncio.get_running_loop()
        if who == "pinging client":
            count = int(loop.time() / 0.06)
        return count

    scope = socket_scope(extensions={EXTENSION: {"progress": progress, "max_message": 1000}})
    async with (
        app(accepting(script)) as remote,
        to(remote.url, timeouts=Timeouts(idle=0.1)) as upstream,
        relaying(upstream, scope) as (browser, task),
    ):
        await browser.until("websocket.accept")
        for _ in range(7):
            if who == "client":
                browser.say("hello")
            await asyncio.sleep(0.06)
        assert not task.done()
        browser.leave(1000)


async def test_pongs_that_answer_our_own_pings_do_not() -> None:
    pings = 0

    async def script(remote: RemoteSocket) -> None:
        nonlocal pings
        while (frame := await remote.read())[0] is PING:
            pings += 1
            await remote.send(PONG, frame[1])
        await remote.send(*frame)
        remote.peer.finish()

    limits = Limits(ping_interval=0.04, ping_timeout=0.04)
    async with (
        app(accepting(script)) as remote,
        to(remote.url, timeouts=Timeouts(idle=0.2)) as upstream,
        relaying(upstream, limits=limits) as (browser, task),
    ):
        await task
    assert browser.sent[-1]["code"] == 1001
    assert pings > 1


async def test_a_dead_app_is_found_out() -> None:
    async def dead(peer: Peer) -> None:
        await peer.say(switching(await peer.head()))
        await asyncio.Event().wait()

    limits = Limits(ping_interval=0.05, ping_timeout=0.05, linger=0.05)
    async with app(dead) as remote, to(remote.url) as upstream, relaying(upstream, limits=limits) as (browser, task):
        await task
    assert browser.sent[-1]["code"] == 1011


async def test_an_app_is_not_read_faster_than_its_client_takes_it() -> None:
    said = 0

    async def script(remote: RemoteSocket) -> None:
        nonlocal said
        for _ in range(300):
            await remote.send(BINARY, b"x" * 100_000)
            said += 1

    async with app(accepting(script)) as remote, to(remote.url) as upstream, relaying(upstream) as (browser, _):
        await browser.until("websocket.accept")
        browser.reading.clear()
        await asyncio.sleep(0.1)
        assert said < 150
        browser.reading.set()
        await browser.until("websocket.send", 300)
        browser.leave(1000)


async def test_a_client_is_not_asked_faster_than_its_app_takes_it() -> None:
    gate = asyncio.Event()
    heard = 0

    async def script(remote: RemoteSocket) -> None:
        nonlocal heard
        await gate.wait()
        for _ in range(300):
            await remote.read()
            heard += 1

    async with app(accepting(script)) as remote, to(remote.url) as upstream, relaying(upstream) as (browser, _):
        await browser.until("websocket.accept")
        for _ in range(300):
            browser.say(b"x" * 100_000)
        await asyncio.sleep(0.1)
        assert browser.waiting > 150
        gate.set()
        while heard < 300:
            await asyncio.sleep(0.005)
        browser.leave(1000)
