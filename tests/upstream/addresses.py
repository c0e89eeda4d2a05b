"""Several addresses of one app, in which ways one of them may fail, and who gets requests."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from gateway.resilience.outlier import Settings
from gateway.upstream.failure import UpstreamError
from gateway.upstream.upstream import Upstream
from tests.upstream.scripted import App, Peer, Script, app, ask, to

SETTINGS = Settings(consecutive=3, error_ratio=0.5, window=10, minimum=20, eject=0.2, slow_start=0)
BROKEN = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"


def says(name: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(name), name)


@asynccontextmanager
async def apps(*scripts: Script, outliers: Settings | None = SETTINGS, **options: Any) -> AsyncIterator[Upstream]:
    async with AsyncExitStack() as stack:
        served: list[App] = [await stack.enter_async_context(app(script)) for script in scripts]
        urls = [each.url for each in served]
        yield await stack.enter_async_context(to(*urls, outliers=outliers, **options))


async def asked(upstream: Upstream, times: int) -> Counter[bytes]:
    """Who answered how many; a failed request is counted under its failure."""
    found: Counter[bytes] = Counter()
    for _ in range(times):
        try:
            answer = await ask(upstream)
            found[answer.body or b"%d" % answer.status] += 1
        except UpstreamError as error:
            found[error.failure.name.encode()] += 1
    return found


def addresses(upstream: Upstream) -> list[int]:
    """Which of them get requests, by their place in the list."""
    return [upstream.origins.index(origin) for origin in upstream.pool.inside]


async def closes(peer: Peer) -> None:
    await peer.head()


async def hangs(peer: Peer) -> None:
    await peer.rest()


async def breaks_off(peer: Peer) -> None:
    await peer.head()
    await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")


async def babbles(peer: Peer) -> None:
    await peer.head()
    await peer.say(b"I am no HTTP server\r\n\r\n")
