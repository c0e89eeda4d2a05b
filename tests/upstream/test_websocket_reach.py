"""Handshakes that reach no app, get no answer, or whose client does not stay for it; and which address is asked."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from gateway.upstream.failure import UpstreamError
from gateway.upstream.limits import Timeouts
from tests.upstream.scripted import Peer, app, to
from tests.upstream.scripts import silent
from tests.upstream.websocket_ends import RemoteSocket, accepting, failure_of, relaying


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
