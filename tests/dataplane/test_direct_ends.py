"""What ends a request on the shorter way before its answer: a client that leaves, and a server that stops."""

from __future__ import annotations

import asyncio
import json

import pytest

from gateway.server.limits import Limits
from tests.dataplane.direct_stage import GET, stage
from tests.upstream.scripted import Peer, eventually
from tests.upstream.scripts import after_one, half, held, silent


class TestTheClientLeaves:
    async def test_the_app_is_told_at_once(self) -> None:
        ended = asyncio.Event()

        async def waits(peer: Peer) -> None:
            await peer.head()
            await peer.rest()
            ended.set()

        async with stage(after_one(waits)) as staged, staged.client() as client:
            await staged.warm()
            client.send(GET)
            await eventually(lambda: staged.in_flight == 1)
            client.reset()
            await eventually(lambda: staged.in_flight == 0)
            assert staged.counted("requests", "499") == 1
            assert (staged.in_tasks, staged.origin.open) == (0, 0)
            await asyncio.wait_for(ended.wait(), 1)

    async def test_in_the_middle_of_a_stream(self) -> None:
        async with stage(after_one(half)) as staged, staged.client() as client:
            await staged.warm()
            client.send(GET)
            await client.answer(len(b"begin"))
            client.reset()
            await eventually(lambda: staged.in_flight == 0)
            assert staged.origin.open == 0

    async def test_one_that_only_ends_its_side_gets_its_answer(self) -> None:
        gate = asyncio.Event()
        async with stage(after_one(held(gate))) as staged, staged.client() as client:
            await staged.warm()
            client.send(GET)
            client.writer.write_eof()
            await eventually(lambda: staged.in_flight == 1)
            await asyncio.sleep(0.02)
            gate.set()
            assert (await client.rest()).endswith(b"hi")
            assert staged.in_tasks == 0

    @pytest.mark.parametrize("version", [b"1.0", b"1.1"])
    async def test_one_that_has_closed_its_side_and_reads_nothing_is_found_out(self, version: bytes) -> None:
        limits = Limits(half_closed=0.03, half_closed_quiet=0.05)
        async with stage(after_one(silent), limits=limits) as staged, staged.client() as client:
            await staged.warm()
            client.send(GET.replace(b"1.1", version))
            client.writer.close()
            await eventually(lambda: staged.counted("requests", "499") == 1)
            assert (staged.in_flight, staged.origin.open) == (0, 0)


class TestTheEnd:
    async def test_a_running_request_is_waited_for(self) -> None:
        gate = asyncio.Event()
        async with stage(after_one(held(gate))) as staged, staged.client() as client:
            await staged.warm()
            client.send(GET)
            await eventually(lambda: staged.in_flight == 1)
            staged.server.drain()
            await eventually(lambda: staged.in_tasks == 1)
            gate.set()
            got = await client.rest()
            assert b"onnection: close" in got
            assert got.endswith(b"hi")

    async def test_one_that_does_not_end_in_time_is_told_so(self) -> None:
        settings = {"drain_timeout": 0}
        async with stage(after_one(silent), server=settings) as staged, staged.client() as client:
            await staged.warm()
            client.send(GET)
            await eventually(lambda: staged.in_flight == 1)
            staged.server.drain()
            got = await client.rest()
            assert got.startswith(b"HTTP/1.1 503 ")
            assert json.loads(got.partition(b"\r\n\r\n")[2])["detail"] == "The server is shutting down."

    async def test_running_requests_are_counted_for_the_limit(self) -> None:
        settings = {"limit_concurrency": 1}
        async with stage(after_one(silent), server=settings) as staged:
            await staged.warm()
            async with staged.client() as first, staged.client() as second:
                first.send(GET)
                await eventually(lambda: staged.in_flight == 1)
                second.send(GET)
                assert (await second.head()).startswith(b"HTTP/1.1 503 ")

    async def test_a_request_keeps_what_it_was_decided_on(self) -> None:
        gate = asyncio.Event()
        async with stage(after_one(held(gate))) as staged, staged.client() as client:
            await staged.warm()
            client.send(GET)
            await eventually(lambda: staged.in_flight == 1)
            backend = staged.gateway._runtime.snapshot.backends["remote"]  # type: ignore[union-attr]
            await backend.stop()
            gate.set()
            assert (await client.answer())[1] == b"hi"
            await eventually(lambda: backend.in_flight == 0)
            # What a backend that has been stopped still answers, it answers as the last thing on a connection.
            assert staged.origin.open == 0
