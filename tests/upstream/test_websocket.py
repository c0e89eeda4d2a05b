"""A relayed WebSocket after its handshake: messages and ends."""

from __future__ import annotations

import asyncio

import pytest

from gateway.websocket.limits import MESSAGE_SIZE, Limits
from gateway.websocket.server_side import EXTENSION
from tests.upstream.scripted import Peer, app, to
from tests.upstream.websocket_ends import (
    BINARY,
    CLOSE,
    CONTINUATION,
    DENIAL,
    PING,
    PONG,
    TEXT,
    RemoteSocket,
    accepting,
    relaying,
    socket_scope,
    switching,
)


async def echo(remote: RemoteSocket) -> None:
    while True:
        opcode, data = await remote.read()
        await remote.send(opcode, data)
        if opcode is CLOSE:
            remote.peer.finish()
            return


async def test_messages_go_both_ways_as_they_are() -> None:
    messages: list[str | bytes] = ["grün", b"\xff\0", "", b"", "x" * 70_000]
    async with app(accepting(echo)) as remote, to(remote.url) as upstream, relaying(upstream) as (browser, _):
        await browser.until("websocket.accept")
        for message in messages:
            browser.say(message)
        await browser.until("websocket.send", len(messages))
        assert browser.messages == messages
        browser.leave(1000)


async def test_an_event_with_both_keys_is_read_as_asgi_has_it() -> None:
    async with app(accepting(echo)) as remote, to(remote.url) as upstream, relaying(upstream) as (browser, _):
        await browser.until("websocket.accept")
        browser.tell({"type": "websocket.receive", "bytes": None, "text": "a"})
        browser.tell({"type": "websocket.receive", "bytes": b"b", "text": None})
        await browser.until("websocket.send", 2)
        assert browser.messages == ["a", b"b"]
        browser.leave(1000)


async def test_fragments_of_the_app_are_one_message_and_its_pings_are_answered_here() -> None:
    async def script(remote: RemoteSocket) -> None:
        await remote.send(TEXT, b"one ", fin=False)
        await remote.send(PING, b"there?")
        assert await remote.read() == (PONG, b"there?")
        await remote.send(CONTINUATION, b"message")

    async with app(accepting(script)) as remote, to(remote.url) as upstream, relaying(upstream) as (browser, _):
        await browser.until("websocket.send")
        assert browser.messages == ["one message"]
        browser.leave(1000)


async def test_the_longest_message_goes_both_ways() -> None:
    message = b"x" * MESSAGE_SIZE

    async def script(remote: RemoteSocket) -> None:
        opcode, data = await remote.read()
        assert (opcode, len(data)) == (BINARY, MESSAGE_SIZE)
        await remote.send(opcode, data)

    async with app(accepting(script)) as remote, to(remote.url) as upstream, relaying(upstream) as (browser, _):
        await browser.until("websocket.accept")
        browser.say(message)
        await browser.until("websocket.send")
        assert browser.messages == [message]
        browser.leave(1000)


@pytest.mark.parametrize(
    ("code", "reason", "told"),
    [
        (1000, "", (1000, "")),
        (1001, "tab closed", (1001, "tab closed")),
        (4000, "ü" * 61, (4000, "ü" * 61)),
        (1009, "too big", (1009, "too big")),
        # An empty close frame goes on as one.
        (1005, "", (1005, "")),
        (1005, "invented", (1005, "")),
        (1006, "", (1001, "the client has left")),
        (1015, "", (1001, "the client has left")),
        (3000, None, (3000, "")),
    ],
)
async def test_the_app_is_told_how_the_client_closed(code: int, reason: str | None, told: tuple[int, str]) -> None:
    heard: list[tuple[int, str]] = []

    async def script(remote: RemoteSocket) -> None:
        assert await remote.read() == (TEXT, b"last")
        heard.append(await remote.read_close())
        await remote.close(1000)
        remote.peer.finish()

    async with app(accepting(script)) as remote, to(remote.url) as upstream, relaying(upstream) as (browser, _):
        await browser.until("websocket.accept")
        browser.say("last")
        browser.leave(code, reason)
    assert heard == [told]


async def test_a_disconnect_without_a_code_is_an_empty_close_frame() -> None:
    async with app(accepting()) as remote, to(remote.url) as upstream, relaying(upstream) as (browser, task):
        await browser.until("websocket.accept")
        browser.tell({"type": "websocket.disconnect"})
        await task
    assert remote.peers[0].heard[-2:] == b"\x88\x80"


@pytest.mark.parametrize(
    ("code", "reason", "told"),
    [(1000, "", (1000, "")), (1012, "restart", (1012, "restart")), (4999, "ü" * 61, (4999, "ü" * 61))],
)
async def test_the_client_is_told_how_the_app_closed(code: int, reason: str, told: tuple[int, str]) -> None:
    async def script(remote: RemoteSocket) -> None:
        await remote.send(TEXT, b"last")
        await remote.close(code, reason)
        assert await remote.read_close() == (code, reason)
        remote.peer.finish()

    async with app(accepting(script)) as remote, to(remote.url) as upstream, relaying(upstream) as (browser, task):
        await task
    assert browser.messages == ["last"]
    assert browser.sent[-1] == {"type": "websocket.close", "code": told[0], "reason": told[1]}


@pytest.mark.parametrize(("ours", "code"), [(False, 1000), (True, 1005)])
async def test_an_empty_close_frame_of_the_app_is_passed_on_where_the_server_can(ours: bool, code: int) -> None:
    async def script(remote: RemoteSocket) -> None:
        await remote.send(CLOSE)
        assert await remote.read_close() == (1005, "")
        remote.peer.finish()

    extensions = {**DENIAL, EXTENSION: {"progress": lambda: None, "max_message": 1000}} if ours else DENIAL
    scope = socket_scope(extensions=extensions)
    async with (
        app(accepting(script)) as remote,
        to(remote.url) as upstream,
        relaying(upstream, scope) as (browser, task),
    ):
        await task
    assert browser.sent[-1] == {"type": "websocket.close", "code": code, "reason": ""}


@pytest.mark.parametrize("how", ["finish", "reset"])
async def test_an_app_that_dies_is_told_as_1011(how: str) -> None:
    async def script(peer: Peer) -> None:
        await peer.say(switching(await peer.head()))
        await RemoteSocket(peer).send(TEXT, b"last")
        await RemoteSocket(peer).read()
        getattr(peer, how)()

    async with app(script) as remote, to(remote.url) as upstream, relaying(upstream) as (browser, task):
        await browser.until("websocket.send")
        browser.say("go on")
        await task
    assert browser.messages == ["last"]
    assert browser.sent[-1]["code"] == 1011
    assert "broke off" in browser.sent[-1]["reason"]


@pytest.mark.parametrize(
    ("opcode", "data", "told_app", "told_client"),
    [
        (TEXT, b"\xff", 1007, "no WebSocket message"),
        (CONTINUATION, b"of nothing", 1002, "no WebSocket message"),
        (BINARY, b"x" * 1001, 1009, "too long"),
    ],
)
async def test_an_app_that_breaks_the_protocol(opcode: int, data: bytes, told_app: int, told_client: str) -> None:
    heard = []

    async def script(remote: RemoteSocket) -> None:
        await remote.send(BINARY, b"x" * 1000)
        await remote.send(type(TEXT)(opcode), data)
        heard.append(await remote.read_close())
        remote.peer.finish()

    limits = Limits(message=1000)
    async with (
        app(accepting(script)) as remote,
        to(remote.url) as upstream,
        relaying(upstream, limits=limits) as (browser, task),
    ):
        await task
    assert browser.messages == [b"x" * 1000]
    assert heard[0][0] == told_app
    assert browser.sent[-1]["code"] == 1011
    assert told_client in browser.sent[-1]["reason"]


async def test_the_servers_limit_holds_for_the_app_too() -> None:
    async def script(remote: RemoteSocket) -> None:
        await remote.send(BINARY, b"x" * 501)

    scope = socket_scope(extensions={EXTENSION: {"progress": lambda: None, "max_message": 500}})
    async with (
        app(accepting(script)) as remote,
        to(remote.url) as upstream,
        relaying(upstream, scope, limits=None) as (browser, task),
    ):
        await task
    assert browser.sent[-1]["code"] == 1011


async def test_a_client_that_is_gone_when_the_app_sends_ends_both() -> None:
    async def script(remote: RemoteSocket) -> None:
        while True:
            await remote.send(TEXT, b"news")
            await asyncio.sleep(0.005)

    async with app(accepting(script)) as remote, to(remote.url) as upstream, relaying(upstream) as (browser, task):
        await browser.until("websocket.send")
        # The server tells it to whoever sends, and no disconnect ever comes.
        browser.gone = True
        await task


async def test_a_client_that_leaves_ends_the_apps_connection_at_once() -> None:
    closed = asyncio.Event()

    async def script(remote: RemoteSocket) -> None:
        await remote.read_close()
        closed.set()
        await remote.close(1000)
        remote.peer.finish()

    async with app(accepting(script)) as remote, to(remote.url) as upstream, relaying(upstream) as (browser, _):
        await browser.until("websocket.accept")
        browser.leave()
        async with asyncio.timeout(0.5):
            await closed.wait()


async def test_an_app_that_ignores_the_end_is_cut_off() -> None:
    async def deaf(peer: Peer) -> None:
        await peer.say(switching(await peer.head()))
        await peer.rest()

    async with app(deaf) as remote, to(remote.url) as upstream, relaying(upstream) as (browser, _):
        await browser.until("websocket.accept")
        browser.leave()


async def test_what_the_app_said_before_its_end_reaches_a_slow_client() -> None:
    async def script(remote: RemoteSocket) -> None:
        for number in range(50):
            await remote.send(TEXT, str(number).encode())
        await remote.close(4000, "all said")

    async with app(accepting(script)) as remote, to(remote.url) as upstream, relaying(upstream) as (browser, task):
        await browser.until("websocket.accept")
        browser.reading.clear()
        await asyncio.sleep(0.05)
        # Who still talks to an app that has gone is not the end of it.
        browser.say("too late")
        await asyncio.sleep(0.02)
        browser.reading.set()
        await task
    assert browser.messages == [str(number) for number in range(50)]
    assert browser.sent[-1]["code"] == 4000


async def test_a_server_that_ends_cancels_the_relay_and_the_app_sees_it() -> None:
    async with app(accepting()) as remote, to(remote.url) as upstream, relaying(upstream) as (browser, task):
        await browser.until("websocket.accept")
        task.cancel()
        await asyncio.wait((task,))
        async with asyncio.timeout(0.5):
            await remote.peers[0].rest()
    assert task.cancelled()
