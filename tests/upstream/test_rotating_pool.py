"""Several addresses of one app, some of which fail."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest

from gateway.resilience.outlier import Settings
from gateway.upstream.connection import Connection
from gateway.upstream.failure import Failure, UpstreamError
from gateway.upstream.limits import PoolLimits, Timeouts
from gateway.upstream.rotating_pool import RotatingPool
from gateway.upstream.upstream import Upstream
from tests.upstream.addresses import BROKEN, addresses, apps, asked, babbles, breaks_off, closes, hangs, says
from tests.upstream.scripted import OK, Client, Peer, Script, a_scope, always, app, ask, eventually, failure_of, to
from tests.upstream.scripts import held


@pytest.mark.parametrize(
    ("bad", "seen"),
    [
        (always(BROKEN), b"500"),
        (closes, b"NO_ANSWER"),
        (breaks_off, b"TRUNCATED"),
        (babbles, b"BAD_HEAD"),
        (hangs, b"HEAD_TIMEOUT"),
    ],
    ids=["500", "closes", "breaks off", "babbles", "hangs"],
)
async def test_an_address_that_fails_gets_no_more_requests(bad: Script, seen: bytes) -> None:
    timeouts = Timeouts(head=0.15)
    settings = Settings(consecutive=3, eject=60)
    async with apps(always(says(b"good")), bad, outliers=settings, timeouts=timeouts) as upstream:
        assert (await asked(upstream, 6))[seen] == 3
        assert addresses(upstream) == [0]
        assert await asked(upstream, 10) == {b"good": 10}
        assert not upstream.origins[1].idle


async def test_what_was_asked_before_it_was_left_out_says_nothing_once_it_is_back() -> None:
    """Requests that hang end long after the address has got well again."""
    settings = Settings(consecutive=1, eject=0.05, slow_start=0)
    async with apps(always(OK), always(OK), outliers=settings) as upstream:
        pool = upstream.pool

        async def asking() -> list[Connection]:
            """Four requests: those of them that go to the first address."""
            found = []
            for _ in range(4):
                origin = pool.reserve()
                assert origin is not None
                found.append(await pool.connect(origin))
            return [connection for connection in found if connection.origin is upstream.origins[0]]

        def times_out(connection: Connection) -> None:
            connection.begin(bodiless=False)
            connection.blame(UpstreamError(Failure.HEAD_TIMEOUT))
            pool.give_back(connection)

        first, second = await asking()
        times_out(first)
        assert addresses(upstream) == [1]
        await eventually(_looks(upstream, [0, 1]))
        times_out(second)
        assert addresses(upstream) == [0, 1]
        third, *_ = await asking()
        times_out(third)
        assert addresses(upstream) == [1]


async def in_line(upstream: Upstream) -> asyncio.Task[Client]:
    """A request for which no connection is free."""
    before = upstream.pool.waiting
    asking = asyncio.create_task(ask(upstream))
    await eventually(lambda: upstream.pool.waiting == before + 1)
    return asking


async def test_who_waits_is_not_sent_to_one_that_is_left_out() -> None:
    fails, answers = asyncio.Event(), asyncio.Event()

    async def failing(peer: Peer) -> None:
        await peer.head()
        await fails.wait()

    options: dict[str, Any] = {"limits": PoolLimits(connections=1), "outliers": Settings(consecutive=1)}
    async with app(failing) as bad, app(held(answers)) as good, to(bad.url, good.url, **options) as upstream:
        first, second = (asyncio.create_task(ask(upstream)) for _ in range(2))
        await eventually(lambda: len(bad.peers) == len(good.peers) == 1)
        third = await in_line(upstream)
        fails.set()
        with pytest.raises(UpstreamError, match="NO_ANSWER"):
            await first
        answers.set()
        assert [(await each).body for each in (second, third)] == [b"hi"] * 2
        assert len(bad.peers) == 1


async def test_who_waits_goes_to_one_that_is_back() -> None:
    answers = asyncio.Event()
    settings = Settings(consecutive=1, eject=0.2)
    options: dict[str, Any] = {"limits": PoolLimits(connections=1), "outliers": settings}
    async with (
        app(closes, always(says(b"back"))) as bad,
        app(held(answers)) as good,
        to(bad.url, good.url, **options) as upstream,
    ):
        assert await failure_of(upstream) == "NO_ANSWER"
        holding = asyncio.create_task(ask(upstream))
        await eventually(lambda: len(good.peers) == 1)
        waiting = await in_line(upstream)
        async with asyncio.timeout(2):
            assert (await waiting).body == b"back"
        answers.set()
        await holding


async def test_an_address_that_cannot_be_reached_costs_no_request_and_is_left_out() -> None:
    with socket.socket() as taken:
        # Bound and not listening: nobody else gets the port, and nobody answers.
        taken.bind(("127.0.0.1", 0))
        gone = f"http://127.0.0.1:{taken.getsockname()[1]}"
        async with app(always(says(b"good"))) as good, to(good.url, gone, outliers=Settings(consecutive=1)) as upstream:
            assert await asked(upstream, 5) == {b"good": 5}
            assert addresses(upstream) == [0]


async def test_an_address_that_takes_no_connection_in_time_is_left_out() -> None:
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(2):
            # Linux takes one more than the backlog, and then answers no further SYN.
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())
        deaf = f"http://127.0.0.1:{listener.getsockname()[1]}"
        options: dict[str, Any] = {"timeouts": Timeouts(connect=0.05), "outliers": Settings(consecutive=1)}
        async with app(always(says(b"good"))) as good, to(deaf, good.url, **options) as upstream:
            assert await failure_of(upstream) == "CONNECT_TIMEOUT"
            assert addresses(upstream) == [1]
            assert await asked(upstream, 3) == {b"good": 3}


async def test_a_client_that_leaves_says_nothing_about_the_app() -> None:
    async with apps(hangs, hangs, outliers=Settings(consecutive=1)) as upstream:
        for _ in range(4):
            client = Client()
            task = asyncio.create_task(upstream(a_scope(), client.receive, client.send))
            await asyncio.sleep(0.01)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert addresses(upstream) == [0, 1]


async def test_what_the_app_may_answer_is_no_failure() -> None:
    unknown = b"HTTP/1.1 501 Not Implemented\r\nContent-Length: 0\r\n\r\n"
    missing = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    async with apps(always(unknown), always(missing), outliers=Settings(consecutive=1)) as upstream:
        assert await asked(upstream, 8) == {b"501": 4, b"404": 4}
        assert addresses(upstream) == [0, 1]


async def test_kept_connections_that_the_app_closes_are_no_failures() -> None:
    async def once(peer: Peer) -> None:
        await peer.head()
        await peer.say(says(b"one"))
        await peer.head()

    async with apps(once, once, outliers=Settings(consecutive=1)) as upstream:
        assert await asked(upstream, 12) == {b"one": 12}
        assert addresses(upstream) == [0, 1]


async def test_an_address_comes_back_by_itself() -> None:
    answers = [BROKEN]

    async def gets_well(peer: Peer) -> None:
        while True:
            await peer.head()
            await peer.say(answers[0])

    async with apps(always(says(b"good")), gets_well) as upstream:
        await asked(upstream, 6)
        assert addresses(upstream) == [0]
        answers[0] = says(b"well")
        await eventually(_looks(upstream, [0, 1]))
        assert await asked(upstream, 6) == {b"good": 3, b"well": 3}


async def test_when_all_fail_all_are_asked() -> None:
    async with apps(always(BROKEN), always(BROKEN), always(BROKEN)) as upstream:
        assert await asked(upstream, 30) == {b"500": 30}
        assert addresses(upstream) == [0, 1, 2]


async def test_one_that_has_come_back_gets_a_growing_share() -> None:
    settings = Settings(consecutive=1, eject=0.1, slow_start=1000)
    broken = [True]

    async def first_breaks(peer: Peer) -> None:
        while True:
            await peer.head()
            await peer.say(BROKEN if broken[0] else says(b"back"))

    async with apps(always(says(b"good")), first_breaks, outliers=settings) as upstream:
        await asked(upstream, 2)
        assert addresses(upstream) == [0]
        broken[0] = False
        await eventually(_looks(upstream, [0, 1]))
        # A tenth of a half, and the one with which it comes back.
        found = await asked(upstream, 100)
        assert 5 <= found[b"back"] <= 6
        assert found[b"good"] + found[b"back"] == 100


async def test_checks_take_an_address_out_and_bring_it_back() -> None:
    async with apps(always(says(b"one")), always(says(b"two")), outliers=None) as upstream:
        pool = upstream.pool
        assert isinstance(pool, RotatingPool)
        pool.checked(upstream.origins[0], up=False)
        assert await asked(upstream, 4) == {b"two": 4}
        pool.checked(upstream.origins[0], up=True)
        assert await asked(upstream, 4) == {b"one": 2, b"two": 2}
        for origin in upstream.origins:
            pool.checked(origin, up=False)
        assert await asked(upstream, 4) == {b"one": 2, b"two": 2}


async def test_one_address_is_judged_by_nobody() -> None:
    async with apps(always(BROKEN)) as upstream:
        assert not isinstance(upstream.pool, RotatingPool)
        assert await asked(upstream, 10) == {b"500": 10}


def _looks(upstream: Upstream, wanted: list[int]) -> Callable[[], bool]:
    def look() -> bool:
        assert isinstance(upstream.pool, RotatingPool)
        upstream.pool.move(asyncio.get_running_loop().time())
        return addresses(upstream) == wanted

    return look
