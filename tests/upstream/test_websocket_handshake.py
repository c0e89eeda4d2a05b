"""The handshake with a remote app: what it is asked, and what becomes of its answer."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message

from gateway.upstream.failure import UpstreamError
from gateway.upstream.limits import Timeouts
from gateway.upstream.upstream import Upstream
from tests.upstream.scripted import Fields, Peer, Script, app, to
from tests.upstream.scripts import silent
from tests.upstream.websocket_ends import (
    TEXT,
    Browser,
    RemoteSocket,
    accepting,
    relaying,
    socket_scope,
    switching,
    unmasked,
    unmasked_close,
)


async def failure_of(upstream: Upstream, **scope: Any) -> str:
    async with relaying(upstream, socket_scope(**scope)) as (browser, task):
        with pytest.raises(UpstreamError) as raised:
            await task
    assert not browser.sent
    return raised.value.failure.name


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


# Refusals.


async def refusal(response: bytes, scope: dict[str, Any] | None = None, **options: Any) -> tuple[Browser, str]:
    """What the client is sent, and the app's address."""

    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.say(response.replace(b"ADDRESS", remote.url.encode()))
        if b"length" not in response and b"chunked" not in response:
            peer.finish()
        await peer.rest()

    async with app(script) as remote, to(remote.url, **options) as upstream:
        async with relaying(upstream, socket_scope(**(scope or {}))) as (browser, task):
            await task
        return browser, remote.url


def body_of(sent: list[Message]) -> bytes:
    assert all(message["type"] == "websocket.http.response.body" for message in sent[1:])
    assert [message.get("more_body", False) for message in sent[1:]] == [True] * (len(sent) - 2) + [False]
    return b"".join(message["body"] for message in sent[1:])


@pytest.mark.parametrize(
    ("response", "status", "fields", "body"),
    [
        (
            b"HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\nno!",
            403,
            [(b"content-length", b"3"), (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")],
            b"no!",
        ),
        (
            b"HTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: chunked\r\nWWW-Authenticate: Basic\r\n\r\n"
            b"2\r\nwh\r\n2\r\no?\r\n0\r\n\r\n",
            401,
            [(b"www-authenticate", b"Basic")],
            b"who?",
        ),
        (b"HTTP/1.0 404 Not Found\r\nServer: old\r\n\r\nnot here", 404, [(b"server", b"old")], b"not here"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, [(b"content-length", b"0")], b""),
        (b"HTTP/1.1 204 No Content\r\nX: y\r\n\r\n", 204, [(b"x", b"y")], b""),
        (
            b"HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Content-Length: 2\r\n\r\n13",
            426,
            [(b"content-length", b"2")],
            b"13",
        ),
        (
            b"HTTP/1.1 500 Oops\r\nContent-Length: 3000000\r\n\r\n" + b"x" * 3_000_000,
            500,
            [(b"content-length", b"3000000")],
            b"x" * 3_000_000,
        ),
    ],
)
async def test_a_refusal_is_passed_on(response: bytes, status: int, fields: Fields, body: bytes) -> None:
    browser, _ = await refusal(response)
    assert browser.sent[0] == {"type": "websocket.http.response.start", "status": status, "headers": fields}
    assert body_of(browser.sent) == body


async def test_a_redirect_to_the_apps_own_address_is_to_the_public_one() -> None:
    response = b"HTTP/1.1 302 Found\r\nLocation: ADDRESS/login\r\nContent-Length: 0\r\n\r\n"
    for scheme, public in (("ws", b"http://shop.example/login"), ("wss", b"https://shop.example/login")):
        browser, _ = await refusal(response, {"scheme": scheme})
        assert (b"location", public) in browser.sent[0]["headers"]
    browser, url = await refusal(response, rewrite=False)
    assert (b"location", f"{url}/login".encode()) in browser.sent[0]["headers"]


async def test_a_server_that_cannot_refuse_with_a_response_just_refuses() -> None:
    browser, _ = await refusal(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno!", {"extensions": {}})
    assert [message["type"] for message in browser.sent] == ["websocket.close"]


async def test_a_refusal_that_breaks_off_is_a_failure() -> None:
    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.say(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 30\r\n\r\nhalf of")
        peer.finish()

    async with app(script) as remote, to(remote.url) as upstream, relaying(upstream) as (browser, task):
        with pytest.raises(UpstreamError) as raised:
            await task
    assert raised.value.failure.name == "TRUNCATED"
    assert browser.sent[0]["status"] == 403


async def test_a_refusal_that_stands_still_is_a_failure() -> None:
    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.say(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 30\r\n\r\nhalf of")
        await peer.rest()

    async with app(script) as remote, to(remote.url, timeouts=Timeouts(idle=0.05)) as upstream:
        async with relaying(upstream) as (_, task):
            with pytest.raises(UpstreamError) as raised:
                await task
        await remote.peers[0].rest()
    assert raised.value.failure.name == "IDLE_TIMEOUT"


# Addresses and failures.


async def test_an_app_that_is_not_there() -> None:
    async with app(accepting()) as remote:
        url = remote.url
    async with to(url) as upstream:
        assert await failure_of(upstream) == "CONNECT"


async def test_an_app_that_hangs_up() -> None:
    async def script(peer: Peer) -> None:
        await peer.head()
        peer.finish()

    async with app(script) as remote, to(remote.url) as upstream:
        assert await failure_of(upstream) == "NO_ANSWER"


async def test_an_app_that_does_not_answer() -> None:
    async with app(silent) as remote, to(remote.url, timeouts=Timeouts(head=0.05)) as upstream:
        assert await failure_of(upstream) == "HEAD_TIMEOUT"
        await remote.peers[0].rest()


async def test_an_address_that_cannot_be_reached_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.socket() as first:
        # Nobody accepts, and there is room in the queue for one.
        first.connect(full.getsockname())
        async with to(f"http://127.0.0.1:{full.getsockname()[1]}", timeouts=Timeouts(connect=0.05)) as upstream:
            assert await failure_of(upstream) == "CONNECT_TIMEOUT"


async def test_another_address_is_asked_when_one_cannot_be_reached() -> None:
    async with app(accepting()) as gone:
        url = gone.url
    async with app(accepting()) as remote, to(url, remote.url) as upstream:
        for _ in range(2):
            async with relaying(upstream) as (browser, _):
                await browser.until("websocket.accept")
                browser.leave()
        assert len(remote.peers) == 2


async def test_the_address_with_fewest_websockets_gets_the_next() -> None:
    async with app(accepting()) as one, app(accepting()) as two, to(one.url, two.url) as upstream:
        async with relaying(upstream) as (first, _), relaying(upstream) as (second, _):
            await first.until("websocket.accept")
            await second.until("websocket.accept")
            assert sum(origin.websockets for origin in upstream.origins) == 2
            async with relaying(upstream) as (third, task):
                await third.until("websocket.accept")
                third.leave()
                await task
                first.leave()
                second.leave()
                await asyncio.sleep(0.02)
        assert sorted((len(one.peers), len(two.peers))) == [1, 2]


async def test_a_unix_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "app.sock")

    async def script(remote: RemoteSocket) -> None:
        await remote.send(*(await remote.read()))

    async with app(accepting(script), path=path), to(f"unix:{path}") as upstream, relaying(upstream) as (browser, _):
        await browser.until("websocket.accept")
        browser.say("through a file")
        await browser.until("websocket.send")
        assert browser.messages == ["through a file"]
        browser.leave()


async def test_a_client_that_leaves_before_the_answer_ends_the_connection() -> None:
    async with app(silent) as remote, to(remote.url) as upstream:
        async with relaying(upstream) as (browser, task):
            while not remote.peers or not remote.peers[0].heard:
                await asyncio.sleep(0.001)
            browser.leave()
            with pytest.raises(UpstreamError) as raised:
                await task
        assert raised.value.failure.name == "CLIENT_LEFT"
        await remote.peers[0].rest()
    assert not browser.sent


async def test_a_client_that_leaves_while_it_is_accepted_was_never_there() -> None:
    async with app(accepting()) as remote, to(remote.url) as upstream, relaying(upstream) as (browser, task):
        browser.reading.clear()
        while not upstream.origins[0].websockets:
            await asyncio.sleep(0.001)
        browser.leave()
        with pytest.raises(UpstreamError) as raised:
            await task
    assert raised.value.failure.name == "CLIENT_LEFT"


async def test_a_cancelled_handshake_ends_the_connection() -> None:
    async with app(silent) as remote, to(remote.url) as upstream:
        async with relaying(upstream) as (_, task):
            while not remote.peers or not remote.peers[0].heard:
                await asyncio.sleep(0.001)
            task.cancel()
        assert task.cancelled()
        async with asyncio.timeout(2):
            await remote.peers[0].rest()
