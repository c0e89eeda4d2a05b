"""Answers that are whole, and that nobody takes to the end: their connections serve on."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import Message

from gateway.upstream.connection import Connection
from gateway.upstream.failure import UpstreamError
from gateway.upstream.limits import READ_AHEAD, PoolLimits, Timeouts
from gateway.upstream.upstream import Upstream
from tests.upstream.scripted import OK, Client, Peer, a_scope, answering, app, ask, eventually, to

# Looked at ten times a second, so that a client that leaves is noticed soon.
PATIENT = Timeouts(connect=2, send=2, head=2, idle=2)
# Long, so that nothing is closed for being idle.
KEPT = PoolLimits(keepalive=60)
SIZE = READ_AHEAD + READ_AHEAD // 2
LONG = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: %d\r\n\r\n%b" % (SIZE, b"." * SIZE)


class Declined(OSError):
    """What one raises who wants no more of an answer."""


async def kept(upstream: Upstream) -> Connection:
    """The connection that all requests go on."""
    await ask(upstream)
    (connection,) = upstream.origins[0].idle
    return connection


async def test_a_client_left_that_had_not_read_all() -> None:
    async with app(answering(OK, LONG, OK)) as served, to(served.url, timeouts=PATIENT, limits=KEPT) as upstream:
        connection = await kept(upstream)
        client = Client()
        client.reading.clear()
        asking = asyncio.create_task(upstream(a_scope(), client.receive, client.send))
        await eventually(lambda: connection.response.complete)
        client.leave()
        with pytest.raises(UpstreamError, match="CLIENT_LEFT"):
            await asking
        assert connection in upstream.origins[0].idle
        assert (await ask(upstream)).body == b"hi"
    assert len(served.peers) == 1


async def test_an_answer_is_declined() -> None:
    """As where a fallback answers in its place."""

    async def decline(_: Message) -> None:
        await eventually(lambda: connection.response.complete)
        raise Declined

    async with app(answering(OK, LONG, OK)) as served, to(served.url, timeouts=PATIENT, limits=KEPT) as upstream:
        connection = await kept(upstream)
        with pytest.raises(Declined):
            await upstream(a_scope(), Client().receive, decline)
        assert connection in upstream.origins[0].idle
        assert (await ask(upstream)).body == b"hi"
    assert len(served.peers) == 1


async def test_the_app_closes_it_meanwhile() -> None:
    """A POST would not survive to be sent on a connection whose end stands there unread."""

    async def closing(peer: Peer) -> None:
        for answer in (OK, LONG):
            await peer.head()
            await peer.say(answer)
        peer.finish()

    async def decline(_: Message) -> None:
        await eventually(lambda: connection.response.complete)
        raise Declined

    async with app(closing, answering(OK)) as served, to(served.url, timeouts=PATIENT, limits=KEPT) as upstream:
        connection = await kept(upstream)
        with pytest.raises(Declined):
            await upstream(a_scope(), Client().receive, decline)
        await eventually(lambda: connection.closed)
        assert (await ask(upstream, "POST")).body == b"hi"
