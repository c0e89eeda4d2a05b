"""WebSockets and several addresses: which one is asked, and what a handshake says about it."""

from __future__ import annotations

import asyncio
import socket

import pytest

from gateway.resilience.outlier import Settings
from gateway.upstream.failure import UpstreamError
from gateway.upstream.limits import Timeouts
from gateway.upstream.rotating_pool import RotatingPool
from gateway.upstream.upstream import Upstream
from tests.upstream.addresses import BROKEN, addresses, apps, babbles, closes, hangs
from tests.upstream.scripted import Peer, Script, always, app, to
from tests.upstream.websocket_ends import accepting, relaying


async def handshake(upstream: Upstream) -> str:
    """What comes of one. Who is accepted leaves."""
    async with relaying(upstream) as (browser, task):
        accepted = asyncio.create_task(browser.until("websocket.accept"))
        await asyncio.wait((task, accepted), return_when=asyncio.FIRST_COMPLETED)
        accepted.cancel()
        browser.leave(1000)
        await asyncio.wait((task,))
    if any(message["type"] == "websocket.accept" for message in browser.sent):
        return "accepted"
    failed = isinstance(task.exception(), UpstreamError)
    return "failed" if failed or browser.sent[0]["status"] >= 500 else "refused"


async def test_a_websocket_goes_to_no_address_that_is_left_out() -> None:
    async with apps(accepting(), accepting(), outliers=None) as upstream:
        assert isinstance(upstream.pool, RotatingPool)
        upstream.pool.checked(upstream.origins[0], up=False)
        for _ in range(2):
            async with relaying(upstream) as (browser, _):
                await browser.until("websocket.accept")
                assert [origin.websockets for origin in upstream.origins] == [0, 1]
                browser.leave(1000)


async def resets(peer: Peer) -> None:
    await peer.head()
    peer.reset()


@pytest.mark.parametrize("bad", [always(BROKEN), closes, resets, babbles, hangs])
async def test_an_address_that_fails_handshakes_gets_no_more_requests(bad: Script) -> None:
    async with apps(
        bad, accepting(), outliers=Settings(consecutive=3, eject=60), timeouts=Timeouts(head=0.1)
    ) as upstream:
        for _ in range(3):
            assert await handshake(upstream) == "failed"
        assert addresses(upstream) == [1]
        assert await handshake(upstream) == "accepted"


async def test_an_address_that_takes_no_handshake_is_left_out() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        gone = f"http://127.0.0.1:{taken.getsockname()[1]}"
        async with app(accepting()) as good, to(gone, good.url, outliers=Settings(consecutive=1)) as upstream:
            assert await handshake(upstream) == "accepted"
            assert addresses(upstream) == [1]


async def test_an_app_that_refuses_websockets_is_well() -> None:
    """As it is that accepts them; and a client that leaves before the answer says nothing."""
    refused = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
    settings = Settings(consecutive=2, eject=60)
    async with apps(always(refused), accepting(), outliers=settings) as upstream:
        assert [await handshake(upstream) for _ in range(4)] == ["refused"] * 4
        assert addresses(upstream) == [0, 1]
    async with apps(hangs, hangs, outliers=settings) as upstream:
        for _ in range(4):
            async with relaying(upstream) as (browser, task):
                await asyncio.sleep(0.02)
                browser.leave()
                with pytest.raises(UpstreamError, match="CLIENT_LEFT"):
                    await task
        assert addresses(upstream) == [0, 1]
