"""A handshake that a remote app answers with an ordinary response."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.types import Message

from gateway.upstream.failure import UpstreamError
from gateway.upstream.limits import Timeouts
from tests.upstream.scripted import Fields, Peer, app, to
from tests.upstream.websocket_ends import Browser, relaying, socket_scope


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
