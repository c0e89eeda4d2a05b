"""A request on the shorter way goes over to a task where its answer does not come whole, or not well."""

from __future__ import annotations

import asyncio
import logging

import pytest

from tests.dataplane.direct_stage import GET, stage
from tests.upstream.scripted import OK, Peer, always, answering, eventually
from tests.upstream.scripts import after_one, closes, resets, silent


class TestGoingOnInATask:
    async def test_an_answer_that_comes_in_pieces_is_passed_on_as_it_comes(self) -> None:
        go = asyncio.Event()

        async def streams(peer: Peer) -> None:
            await peer.head()
            await peer.say(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
            await go.wait()
            await peer.say(b"3\r\none\r\n")
            await asyncio.sleep(0.02)
            await peer.say(b"3\r\ntwo\r\n0\r\n\r\n")
            await peer.rest()

        async with stage(after_one(streams)) as staged, staged.client() as client:
            await staged.warm()
            client.send(GET)
            assert b"text/event-stream" in await client.head()
            assert staged.in_flight == 1
            go.set()
            assert await client.reader.readuntil(b"two\r\n0\r\n\r\n") == b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"
            await eventually(lambda: staged.in_flight == 0)
            assert (staged.in_tasks, staged.idle, staged.counted("requests", "200")) == (1, 1, 2)

    async def test_a_long_answer_arrives_whole(self) -> None:
        size = 5_000_000
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size
        async with stage(answering(OK, answer)) as staged, staged.client() as client:
            await staged.warm()
            client.send(GET)
            assert (await client.answer(size))[1] == b"x" * size
            assert staged.in_tasks == 1

    async def test_a_head_in_two_reads_needs_none(self) -> None:
        async def halting(peer: Peer) -> None:
            await peer.head()
            await peer.say(b"HTTP/1.1 200 OK\r\nConte")
            await asyncio.sleep(0.03)
            await peer.say(b"nt-Length: 2\r\n\r\nhi")
            await peer.rest()

        async with stage(after_one(halting)) as staged, staged.client() as client:
            await staged.warm()
            client.send(GET)
            assert (await client.answer())[1] == b"hi"
            assert staged.in_tasks == 0

    async def test_content_that_follows_its_head_at_once_needs_none(self) -> None:
        async def in_two(peer: Peer) -> None:
            for _ in range(3):
                await peer.head()
                await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
                await asyncio.sleep(0.001)
                await peer.say(b"hi")
                await peer.say(b"hi")
            await peer.rest()

        async with stage(after_one(in_two)) as staged, staged.client() as client:
            await staged.warm()
            for _ in range(3):
                client.send(GET)
                assert (await client.answer(4))[1] == b"hihi"
            # The sleep may be longer than the wait.
            assert staged.in_tasks < 3
            await asyncio.sleep(0.01)
            assert (staged.in_flight, staged.idle) == (0, 1)

    async def test_a_head_is_not_kept_until_its_content_comes(self) -> None:
        go = asyncio.Event()

        async def slow(peer: Peer) -> None:
            await peer.head()
            await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
            await go.wait()
            await peer.say(b"hi")
            await peer.rest()

        async with stage(after_one(slow)) as staged, staged.client() as client:
            await staged.warm()
            client.send(GET)
            assert (await client.head()).startswith(b"HTTP/1.1 200 OK\r\n")
            go.set()
            assert await client.reader.readexactly(2) == b"hi"
            assert staged.in_tasks == 1

    async def test_a_connection_that_was_just_being_closed_costs_nothing(self) -> None:
        async with stage(after_one(closes), always(OK)) as staged, staged.client() as client:
            await staged.warm()
            client.send(GET)
            assert (await client.answer())[1] == b"hi"
            assert (len(staged.remote.peers), staged.in_tasks) == (2, 1)
            assert staged.remote.peers[1].heard == staged.remote.peers[0].heard.split(b"\r\n\r\n")[1] + b"\r\n\r\n"

    async def test_what_must_not_be_sent_twice_is_not(self) -> None:
        async with stage(after_one(resets), always(OK)) as staged, staged.client() as client:
            await staged.warm()
            client.send(b"POST /books HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx")
            assert (await client.head()).startswith(b"HTTP/1.1 502 ")
            assert len(staged.remote.peers) == 1
            assert staged.counted("upstream_failures", "no_answer") == 1

    async def test_a_body_that_may_be_sent_twice_is(self) -> None:
        async def echo(peer: Peer) -> None:
            await peer.head()
            body = await peer.read(2)
            await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + body)

        async with stage(after_one(resets), echo) as staged, staged.client() as client:
            await staged.warm()
            client.send(b"PUT /books HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab")
            assert (await client.answer())[1] == b"ab"

    @pytest.mark.parametrize(
        ("response", "reason"),
        [
            (b"SSH-2.0-OpenSSH\r\n", "bad_head"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "bad_head"),
            (b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n", "bad_head"),
            (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "bad_head"),
        ],
    )
    async def test_an_answer_that_is_none_is_a_502(self, response: bytes, reason: str) -> None:
        async with stage(answering(OK, response)) as staged, staged.client() as client:
            await staged.warm()
            client.send(GET)
            head = await client.head()
            assert head.startswith(b"HTTP/1.1 502 ")
            assert b"application/problem+json" in head
            await eventually(lambda: staged.counted("upstream_failures", reason) == 1)
            assert (staged.idle, staged.in_flight, staged.in_tasks) == (0, 0, 1)

    async def test_an_answer_that_breaks_off_is_broken_off(self) -> None:
        half_seen = asyncio.Event()

        async def breaks(peer: Peer) -> None:
            await peer.head()
            await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
            await half_seen.wait()
            peer.finish()

        async with stage(after_one(breaks)) as staged, staged.client() as client:
            await staged.warm()
            client.send(GET)
            head, content = await client.answer(4)
            assert b"Content-Length: 9" in head
            assert content == b"half"
            half_seen.set()
            assert await client.rest() == b""
            await eventually(lambda: staged.counted("upstream_failures", "truncated") == 1)

    async def test_an_answer_that_breaks_off_before_any_of_it_is_passed_on_is_a_502(self) -> None:
        async def breaks(peer: Peer) -> None:
            await peer.head()
            await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
            peer.finish()

        async with stage(after_one(breaks)) as staged, staged.client() as client:
            await staged.warm()
            client.send(GET)
            assert (await client.head()).startswith(b"HTTP/1.1 502 ")
            await eventually(lambda: staged.counted("upstream_failures", "truncated") == 1)
            assert staged.counted("requests", "502") == 1

    @pytest.mark.parametrize("limit", ["head", "total"])
    async def test_an_app_that_takes_too_long_is_a_504(self, limit: str) -> None:
        async with stage(after_one(silent), remote={"timeouts": {limit: 0.05}}) as staged, staged.client() as client:
            await staged.warm()
            client.send(GET)
            assert (await client.head()).startswith(b"HTTP/1.1 504 ")
            await eventually(lambda: staged.counted("upstream_failures", f"{limit}_timeout") == 1)
            assert (staged.in_flight, staged.origin.open, staged.in_tasks) == (0, 0, 1)

    async def test_a_client_that_does_not_read_is_waited_for(self) -> None:
        size = 3_000_000
        big = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size
        async with stage(answering(OK, big, OK), always(OK)) as staged, staged.client(limit=1024) as client:
            await staged.warm()
            # Of the second request, the answer is there long before the first one has been read.
            client.send(GET + GET)
            await eventually(lambda: staged.counted("requests", "200") >= 2 or staged.in_flight == 1)
            assert (await client.answer(size))[1] == b"x" * size
            assert (await client.answer())[1] == b"hi"

    async def test_a_header_that_cannot_be_sent_is_told_in_the_log(self, caplog: pytest.LogCaptureFixture) -> None:
        answer = b"HTTP/1.1 200 OK\r\nX: a\x01b\r\nContent-Length: 0\r\n\r\n"
        async with stage(answering(OK, answer)) as staged, staged.client() as client:
            await staged.warm()
            with caplog.at_level(logging.ERROR, "gateway"):
                client.send(GET)
                head = await client.head()
            assert head[9:12] in (b"500", b"502")
            await eventually(lambda: staged.in_flight == 0)
