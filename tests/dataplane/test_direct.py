"""The shorter way of a remote request, and what cannot take it."""

from __future__ import annotations

import pytest

from tests.dataplane.direct_stage import GET, stage
from tests.upstream.scripted import OK, Peer, always, answering, eventually
from tests.upstream.scripts import after_one, silent


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
