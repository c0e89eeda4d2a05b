"""The handshake with a remote app: what it is asked, and what becomes of its answer."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.upstream.scripted import Peer, Script, app, to
from tests.upstream.websocket_ends import (
    TEXT,
    RemoteSocket,
    accepting,
    failure_of,
    relaying,
    socket_scope,
    switching,
    unmasked,
    unmasked_close,
)


async def request_for(scope: dict[str, Any], **options: Any) -> list[str]:
    """The lines of the head that the app gets."""
    async with app(accepting()) as remote, to(remote.url, **options) as upstream:
        async with relaying(upstream, socket_scope(**scope)) as (browser, _):
            await browser.until("websocket.accept")
            browser.leave()
        return remote.peers[0].heard.partition(b"\r\n\r\n")[0].decode().split("\r\n")


async def test_what_the_app_is_asked() -> None:
    headers = [
        (b"host", b"shop.example"),
        (b"connection", b"keep-alive, Upgrade"),
        (b"upgrade", b"websocket"),
        (b"origin", b"https://shop.example"),
        (b"cookie", b"session=1"),
        (b"authorization", b"Bearer x"),
        (b"x-forwarded-for", b"203.0.113.9"),
        (b"x-forwarded-proto", b"https"),
        (b"x_forged", b"1"),
        (b"sec-websocket-key", b"the client's own"),
        (b"sec-websocket-version", b"13"),
        (b"sec-websocket-extensions", b"permessage-deflate"),
        (b"sec-websocket-protocol", b"v2, v1"),
        (b"te", b"trailers"),
    ]
    lines = await request_for({"target": b"/a%20b?x=1&y", "headers": headers, "subprotocols": ["v2", "v1"]})
    key = lines.pop()
    assert key.startswith("Sec-WebSocket-Key: ")
    assert len(key) == len("Sec-WebSocket-Key: ") + 24
    assert lines == [
        "GET /a%20b?x=1&y HTTP/1.1",
        "host: shop.example",
        "origin: https://shop.example",
        "cookie: session=1",
        "authorization: Bearer x",
        "x-forwarded-for: 203.0.113.9",
        "x-forwarded-proto: https",
        "sec-websocket-protocol: v2, v1",
        "Via: 1.1 strangler-gateway",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
    ]


async def test_each_handshake_has_a_key_of_its_own() -> None:
    assert (await request_for({}))[-1] != (await request_for({}))[-1]


async def test_an_app_that_is_to_see_its_own_host_does() -> None:
    lines = await request_for({}, keep_host=False)
    (host,) = [line for line in lines if line.startswith("Host:")]
    assert host.startswith("Host: 127.0.0.1:")


async def test_the_client_is_accepted_after_the_app_with_its_subprotocol_and_fields() -> None:
    gate = asyncio.Event()

    async def slowly(peer: Peer) -> None:
        request = await peer.head()
        await gate.wait()
        fields = (b"Sec-WebSocket-Protocol: v1", b"Set-Cookie: a=1", b"Set-Cookie: b=2", b"Date: now", b"Keep-Alive: 5")
        await peer.say(switching(request, *fields))
        await RemoteSocket(peer).end_well()

    async with (
        app(slowly) as remote,
        to(remote.url) as upstream,
        relaying(upstream, socket_scope(subprotocols=["v2", "v1"])) as (browser, _),
    ):
        while not remote.peers or not remote.peers[0].heard:
            await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        assert not browser.sent
        gate.set()
        accept = await browser.until("websocket.accept")
        browser.leave()
    fields = [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2"), (b"date", b"now")]
    assert accept == {"type": "websocket.accept", "subprotocol": "v1", "headers": fields}


async def test_without_a_subprotocol_there_is_none() -> None:
    scope = socket_scope(subprotocols=["v1"])
    async with app(accepting()) as remote, to(remote.url) as upstream, relaying(upstream, scope) as (browser, _):
        assert (await browser.until("websocket.accept"))["subprotocol"] is None
        browser.leave()


async def test_interim_responses_before_the_101_are_read_and_dropped() -> None:
    async def script(peer: Peer) -> None:
        request = await peer.head()
        await peer.say(
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + switching(request)
        )
        await RemoteSocket(peer).end_well()

    async with app(script) as remote, to(remote.url) as upstream, relaying(upstream) as (browser, _):
        assert (await browser.until("websocket.accept"))["headers"] == []
        browser.leave()


@pytest.mark.parametrize("cut", [0, 1, 20, -1])
async def test_what_comes_with_the_101_is_passed_on(cut: int) -> None:
    async def script(peer: Peer) -> None:
        answer = switching(await peer.head()) + unmasked(TEXT, b"at once") + unmasked_close(4000, "that was all")
        await peer.say(answer[:cut])
        await asyncio.sleep(0.005)
        await peer.say(answer[cut:])
        peer.finish()

    async with app(script) as remote, to(remote.url) as upstream, relaying(upstream) as (browser, task):
        await task
    assert [message["type"] for message in browser.sent] == ["websocket.accept", "websocket.send", "websocket.close"]
    assert browser.messages == ["at once"]
    assert browser.sent[-1]["code"] == 4000


def instead(old: bytes, new: bytes) -> Script:
    async def script(peer: Peer) -> None:
        answer = switching(await peer.head())
        assert old in answer
        await peer.say(answer.replace(old, new))
        await peer.rest()

    return script


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Upgrade: websocket\r\n", b"Upgrade: h2c\r\n"),
        (b"Upgrade: websocket\r\n", b""),
        (b"Connection: Upgrade\r\n", b""),
        (b"Connection: Upgrade\r\n", b"Connection: keep-alive\r\n"),
        (b"Accept: ", b"Accept: x"),
        (b"Sec-WebSocket-Accept", b"X-Accept"),
        (b"\r\n\r\n", b"\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"),
        (b"\r\n\r\n", b"\r\nSec-WebSocket-Protocol: v3\r\n\r\n"),
        (b"\r\n\r\n", b"\r\nSec-WebSocket-Protocol: v1, v2\r\n\r\n"),
        (b"HTTP/1.1 101", b"SPDY/3.1 101"),
        (b"\r\n\r\n", b"\r\nX: " + b"x" * 70_000),
    ],
)
async def test_a_101_that_is_no_answer_to_ours_fails(old: bytes, new: bytes) -> None:
    async with app(instead(old, new)) as remote, to(remote.url) as upstream:
        assert await failure_of(upstream, subprotocols=["v1", "v2"]) == "BAD_HEAD"
        # The connection is ended, not left to itself.
        async with asyncio.timeout(2):
            await remote.peers[0].rest()


async def test_a_request_that_cannot_be_passed_on() -> None:
    async with app(accepting()) as remote, to(remote.url) as upstream:
        assert await failure_of(upstream, headers=[(b"x", b"a\nb")]) == "BAD_REQUEST"
