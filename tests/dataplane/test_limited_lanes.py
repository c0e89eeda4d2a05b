"""Limits on requests in flight, on the shorter way and beside a fallback and a breaker."""

from __future__ import annotations

import asyncio

import pytest

from tests.dataplane.direct_stage import GET, stage
from tests.upstream.scripted import OK, always, eventually
from tests.upstream.scripts import after_one, held

ONE = {"in_flight": 1, "queue": 1, "wait": 5}
NONE_WAITS = {"in_flight": 1, "queue": 0, "wait": 2}


async def test_a_request_that_is_let_in_at_once_needs_no_task() -> None:
    async with stage(always(OK), remote={"limit": ONE}) as staged, staged.client() as client:
        await staged.warm()
        for _ in range(3):
            client.send(GET)
            await client.answer()
        assert staged.in_tasks == 0


async def test_one_that_waits_has_a_task_and_is_served_in_its_turn() -> None:
    gate = asyncio.Event()
    async with (
        stage(after_one(held(gate)), remote={"limit": ONE}) as staged,
        staged.client() as first,
        staged.client() as second,
    ):
        await staged.warm()
        first.send(GET)
        await eventually(lambda: staged.counted("in_flight") == 1)
        second.send(GET)
        await eventually(lambda: staged.in_tasks == 1)
        assert len(staged.remote.peers) == 1
        gate.set()
        for client in (first, second):
            head, _ = await client.answer()
            assert head.startswith(b"HTTP/1.1 200 ")
        # One connection was enough.
        assert len(staged.remote.peers) == 1


async def test_one_that_cannot_even_wait_is_refused_without_a_task() -> None:
    gate = asyncio.Event()
    async with (
        stage(after_one(held(gate)), remote={"limit": NONE_WAITS}) as staged,
        staged.client() as first,
        staged.client() as second,
    ):
        await staged.warm()
        first.send(GET)
        await eventually(lambda: staged.counted("in_flight") == 1)
        for _ in range(3):
            # It is read again a little later each time.
            second.send(GET)
            head = await second.head()
            assert head.startswith(b"HTTP/1.1 503 ")
            assert b"\r\nretry-after: 2\r\n" in head
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            assert b'"request_id"' in await second.reader.readexactly(length)
        assert staged.in_tasks == 0
        assert staged.counted("refused", "backend_queue_full") == 3
        assert staged.counted("requests", "503") == 3
        gate.set()
        await first.answer()
        second.send(GET)
        assert (await second.head()).startswith(b"HTTP/1.1 200 ")


async def test_a_client_that_leaves_frees_its_place() -> None:
    gate = asyncio.Event()
    async with (
        stage(after_one(held(gate)), always(OK), remote={"limit": NONE_WAITS}) as staged,
        staged.client() as second,
    ):
        await staged.warm()
        async with staged.client() as first:
            first.send(GET)
            await eventually(lambda: staged.counted("in_flight") == 1)
        await eventually(lambda: staged.counted("in_flight") == 0)
        second.send(GET)
        assert (await second.head()).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("breaker", ["off", {"consecutive": 2}])
async def test_the_fallback_of_a_full_backend_answers_and_its_breaker_stays_closed(breaker: object) -> None:
    gate = asyncio.Event()
    async with stage(always(OK)) as other:
        route = {"path": "/books", "to": "remote", "fallback": "other", "breaker": breaker}
        async with (
            stage(
                after_one(held(gate)),
                remote={"limit": NONE_WAITS},
                other={"url": other.remote.url},
                routes=[route],
            ) as staged,
            staged.client() as first,
            staged.client() as second,
        ):
            await staged.warm()
            first.send(GET)
            await eventually(lambda: staged.counted("in_flight", "remote") == 1)
            for _ in range(4):
                second.send(GET)
                head, _ = await second.answer()
                assert head.startswith(b"HTTP/1.1 200 ")
            assert staged.counted("fallbacks", "queue", "answered") == 4
            gate.set()
            await first.answer()
            second.send(GET)
            await second.answer()
            assert staged.counted("fallbacks", "queue", "answered") == 4


async def test_a_full_route_is_not_for_the_fallback() -> None:
    gate = asyncio.Event()
    route = {"path": "/books", "to": "remote", "fallback": "other", "limit": NONE_WAITS}
    async with (
        stage(after_one(held(gate)), routes=[route]) as staged,
        staged.client() as first,
        staged.client() as second,
    ):
        await staged.warm()
        first.send(GET)
        await eventually(lambda: staged.counted("in_flight", "remote") == 1)
        second.send(GET)
        assert (await second.head()).startswith(b"HTTP/1.1 503 ")
        assert staged.counted("fallbacks") == 0
        assert staged.counted("refused", "route_queue_full") == 1
