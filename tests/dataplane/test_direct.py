"""The shorter way of a remote request, and every state in which it has to go over to a task."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest

from gateway.server.limits import Limits
from tests.dataplane.direct_stage import GET, stage
from tests.upstream.scripted import OK, Peer, Script, always, answering, eventually


def after_one(script: Script) -> Script:
    """Answers the first request, which opens the connection, and then does as ``script`` says."""

    async def both(peer: Peer) -> None:
        await peer.head()
        await peer.say(OK)
        await script(peer)

    return both


async def silent(peer: Peer) -> None:
    await peer.head()
    await peer.rest()


class TestTheShorterWay:
    async def test_a_second_request_needs_no_task(self) -> None:
        async with stage(always(OK)) as staged, staged.client() as client:
            await staged.warm()
            for _ in range(3):
                client.send(GET)
                head, content = await client.answer()
                assert head.startswith(b"HTTP/1.1 200 OK\r\n")
                assert content == b"hi"
            assert staged.in_tasks == 0
            assert len(staged.remote.peers) == 1
            assert (staged.counted("requests", "200"), staged.in_flight, staged.idle) == (4, 0, 1)

    async def test_a_body_that_has_come_whole_goes_along(self) -> None:
        async def echo(peer: Peer) -> None:
            await peer.head()
            body = await peer.read(4)
            await peer.say(b"HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\n" + body)

        async with stage(after_one(echo)) as staged, staged.client() as client:
            await staged.warm()
            client.send(b"POST /books HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody")
            assert (await client.answer(4))[1] == b"body"
            assert staged.in_tasks == 0

    async def test_a_chunked_body_that_has_come_whole_gets_a_length(self) -> None:
        async with stage(always(OK)) as staged, staged.client() as client:
            await staged.warm()
            client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n")
            await client.answer()
            assert staged.in_tasks == 0
            assert staged.remote.peers[0].heard.endswith(b"\r\nContent-Length: 2\r\n\r\n")

    @pytest.mark.parametrize(
        ("response", "expected"),
        [
            (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
            (b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n", b""),
            (b"HTTP/1.1 500 Oh\r\nContent-Length: 1\r\n\r\nx", b"x"),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", b"hi"),
            (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi", b"hi"),
            (b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", b"hi"),
        ],
    )
    async def test_whatever_comes_whole_is_passed_on_at_once(self, response: bytes, expected: bytes) -> None:
        async with stage(answering(OK, response)) as staged, staged.client() as client:
            await staged.warm()
            client.send(GET)
            head, content = await client.answer(len(expected))
            assert head[9:12] == response.rpartition(b"HTTP/1.1 ")[2][:3]
            assert content == expected
            assert staged.in_tasks == 0

    async def test_an_answer_to_head_has_no_content(self) -> None:
        async with stage(answering(OK, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", OK)) as staged:
            await staged.warm()
            async with staged.client() as client:
                client.send(b"HEAD /books HTTP/1.1\r\nHost: a\r\n\r\n" + GET)
                assert b"Content-Length: 9" in await client.head()
                assert (await client.answer())[1] == b"hi"
            assert staged.in_tasks == 0

    async def test_requests_sent_ahead_are_answered_in_turn(self) -> None:
        answers = [b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d" % number for number in range(5)]
        async with stage(answering(OK, *answers)) as staged, staged.client() as client:
            await staged.warm()
            client.send(GET * 5)
            assert [(await client.answer(1))[1] for _ in range(5)] == [b"0", b"1", b"2", b"3", b"4"]
            assert staged.in_tasks == 0

    async def test_a_client_of_http_1_0_is_told_the_end(self) -> None:
        async with stage(always(OK)) as staged, staged.client() as client:
            await staged.warm()
            client.send(b"GET / HTTP/1.0\r\n\r\n")
            assert (await client.rest()).endswith(b"\r\nConnection: close\r\n\r\nhi")
            assert staged.in_tasks == 0

    async def test_a_new_client_is_given_its_id(self) -> None:
        split = {"path": "/books", "to": {"remote": 99.99, "other": 0.01}, "sticky": "cookie"}
        async with stage(always(OK), routes=[split]) as staged, staged.client() as client:
            await staged.warm()
            client.send(GET)
            head, _ = await client.answer()
            assert head.count(b"\r\nSet-Cookie: strangler_id=") == 1
            assert staged.in_tasks == 0

    async def test_the_address_of_the_app_does_not_leak(self) -> None:
        async def leaks(peer: Peer) -> None:
            port = peer._writer.get_extra_info("sockname")[1]
            await peer.head()
            where = b"http://127.0.0.1:%d/x" % port
            await peer.say(b"HTTP/1.1 302 Found\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % where)

        async with stage(after_one(leaks)) as staged, staged.client() as client:
            await staged.warm()
            client.send(GET)
            assert b"\r\nLocation: http://shop.example/x\r\n" in await client.head()
            assert staged.in_tasks == 0


class TestInATask:
    """What cannot begin without one."""

    @pytest.mark.parametrize(
        "request_",
        [
            b"POST /books HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nab",
            b"OPTIONS /books HTTP/1.1\r\nHost: a\r\n\r\n",
        ],
    )
    async def test_where_the_exchange_is_an_unusual_one(self, request_: bytes) -> None:
        async with stage(always(OK)) as staged, staged.client() as client:
            await staged.warm()
            client.send(request_)
            assert (await client.answer())[1] == b"hi"
            assert staged.in_tasks == 1

    async def test_where_the_body_is_still_to_come(self) -> None:
        async def echo(peer: Peer) -> None:
            await peer.head()
            body = await peer.read(4)
            await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n" + body)

        async with stage(after_one(echo)) as staged, staged.client() as client:
            await staged.warm()
            client.send(b"PUT /books HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbo")
            await eventually(lambda: staged.in_tasks == 1)
            client.send(b"dy")
            assert (await client.answer(4))[1] == b"body"

    async def test_where_no_connection_is_idle(self) -> None:
        async with stage(after_one(silent), always(OK)) as staged, staged.client() as first, staged.client() as second:
            await staged.warm()
            first.send(GET)
            await eventually(lambda: staged.idle == 0)
            second.send(GET)
            await second.answer()
            assert staged.in_tasks == 1

    async def test_where_the_request_is_refused(self) -> None:
        async with stage(always(OK)) as staged, staged.client() as client:
            await staged.warm()
            client.send(b"GET /a%00b HTTP/1.1\r\nHost: a\r\n\r\n")
            assert (await client.head()).startswith(b"HTTP/1.1 400 ")
            assert (staged.in_tasks, staged.counted("requests", "none", "400")) == (1, 1)


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
        async def closes(peer: Peer) -> None:
            await peer.head()
            peer.finish()

        async with stage(after_one(closes), always(OK)) as staged, staged.client() as client:
            await staged.warm()
            client.send(GET)
            assert (await client.answer())[1] == b"hi"
            assert (len(staged.remote.peers), staged.in_tasks) == (2, 1)
            assert staged.remote.peers[1].heard == staged.remote.peers[0].heard.split(b"\r\n\r\n")[1] + b"\r\n\r\n"

    async def test_what_must_not_be_sent_twice_is_not(self) -> None:
        async def resets(peer: Peer) -> None:
            await peer.head()
            peer.reset()

        async with stage(after_one(resets), always(OK)) as staged, staged.client() as client:
            await staged.warm()
            client.send(b"POST /books HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx")
            assert (await client.head()).startswith(b"HTTP/1.1 502 ")
            assert len(staged.remote.peers) == 1
            assert staged.counted("upstream_failures", "no_answer") == 1

    async def test_a_body_that_may_be_sent_twice_is(self) -> None:
        async def resets(peer: Peer) -> None:
            await peer.head()
            peer.reset()

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
        async def half(peer: Peer) -> None:
            await peer.head()
            await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
            await peer.rest()

        async with stage(after_one(half)) as staged, staged.client() as client:
            await staged.warm()
            client.send(GET)
            await client.answer(4)
            client.reset()
            await eventually(lambda: staged.in_flight == 0)
            assert staged.origin.open == 0

    async def test_one_that_only_ends_its_side_gets_its_answer(self) -> None:
        go = asyncio.Event()

        async def later(peer: Peer) -> None:
            await peer.head()
            await go.wait()
            await peer.say(OK)

        async with stage(after_one(later)) as staged, staged.client() as client:
            await staged.warm()
            client.send(GET)
            client.writer.write_eof()
            await eventually(lambda: staged.in_flight == 1)
            await asyncio.sleep(0.02)
            go.set()
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
        go = asyncio.Event()

        async def later(peer: Peer) -> None:
            await peer.head()
            await go.wait()
            await peer.say(OK)

        async with stage(after_one(later)) as staged, staged.client() as client:
            await staged.warm()
            client.send(GET)
            await eventually(lambda: staged.in_flight == 1)
            staged.server.drain()
            await eventually(lambda: staged.in_tasks == 1)
            go.set()
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
        go = asyncio.Event()

        async def later(peer: Peer) -> None:
            await peer.head()
            await go.wait()
            await peer.say(OK)

        async with stage(after_one(later)) as staged, staged.client() as client:
            await staged.warm()
            client.send(GET)
            await eventually(lambda: staged.in_flight == 1)
            backend = staged.gateway._runtime.snapshot.backends["remote"]  # type: ignore[union-attr]
            await backend.stop()
            go.set()
            assert (await client.answer())[1] == b"hi"
            await eventually(lambda: backend.in_flight == 0)
            # What a backend that has been stopped still answers, it answers as the last thing on a connection.
            assert staged.origin.open == 0
