"""A client that has ended its side: it gets its answer if it is there, and keeps nothing at work if it is not."""

from __future__ import annotations

import asyncio
import time

import pytest
from starlette.types import Message, Receive, Scope, Send

from tests.server.conftest import HURRIED
from tests.server.serving import GET, HTTP_1_0, POST, Gate, Reader, Served, answer, echo, wait_until


@pytest.mark.parametrize("request_bytes", [GET, HTTP_1_0])
def test_an_answer_that_comes_at_once(served: Served, request_bytes: bytes) -> None:
    with served.connect() as client:
        client.send(request_bytes)
        client.end()
        assert client.response().body == b"hello"
        assert client.is_closed()


def test_pipelined_requests_are_all_answered(served: Served) -> None:
    with served.connect() as client:
        client.send(GET * 3)
        client.end()
        assert [client.response().body for _ in range(3)] == [b"hello"] * 3
        assert client.is_closed()


def test_a_request_that_is_not_whole_behind_one_that_is(served: Served) -> None:
    with served.connect() as client:
        client.send(GET + GET[:-4])
        client.end()
        assert client.response().status == 200
        assert client.is_closed()


@pytest.mark.parametrize("part", [b"", b"GET / HTTP/1.1\r\nHo"])
def test_nothing_asked_nothing_answered(served: Served, part: bytes) -> None:
    with served.connect() as client:
        client.send(part)
        client.end()
        assert client.is_closed()


def test_an_answer_that_takes_long(hurried: Served) -> None:
    gate = Gate()
    messages: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await gate.passed()
        await answer(send, b"late")
        messages.append(await receive())

    hurried.app = app
    with hurried.connect() as client:
        client.send(GET)
        client.end()
        time.sleep(HURRIED.half_closed * 8)
        gate.open()
        # How it was found out that the client is still there.
        assert client.response().status == 100
        assert client.response().body == b"late"
        assert client.is_closed()
    wait_until(lambda: len(messages) == 1)


@pytest.mark.parametrize("request_bytes", [GET, HTTP_1_0])
def test_a_client_that_has_gone_is_told_to_the_app(hurried: Served, request_bytes: bytes) -> None:
    ends: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        ends.append(await receive())

    hurried.app = app
    with hurried.connect() as client:
        client.send(request_bytes)
        wait_until(lambda: hurried.tasks == 1)
    # All that closing sends is a FIN, as above.
    wait_until(lambda: ends == [{"type": "http.disconnect"}], 2)
    wait_until(lambda: hurried.connections == 0)


def test_a_silent_stream_to_a_client_that_has_gone_ends(hurried: Served) -> None:
    ends: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        ends.append(await receive())

    hurried.app = app
    with hurried.connect() as client:
        client.send(GET)
        client.until(b"\r\n\r\n")
    wait_until(lambda: ends == [{"type": "http.disconnect"}], 2)
    wait_until(lambda: hurried.connections == 0)


def test_a_stream_that_moves_goes_on(hurried: Served) -> None:
    events = 12

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(events):
            await asyncio.sleep(HURRIED.half_closed_quiet / 6)
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
        await send({"type": "http.response.body"})

    hurried.app = app
    with hurried.connect() as client:
        client.send(GET)
        client.end()
        assert client.response().body == b"x" * events


def test_a_client_that_reads_slowly_has_not_left(hurried: Served) -> None:
    size = 20_000_000
    ends: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        asking = asyncio.ensure_future(receive())
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x" * size, "more_body": True})
        # Waits until most of that has been taken, and writes nothing meanwhile.
        await send({"type": "http.response.body", "body": b"x", "more_body": True})
        asking.cancel()
        ends.extend([] if asking.cancelled() or not asking.done() else [asking.result()])
        await send({"type": "http.response.body"})

    hurried.app = app
    with hurried.connect() as client:
        client.send(GET)
        client.end()
        got = 0
        while data := client.socket.recv(1 << 18):
            got += len(data)
            time.sleep(0.008)
    assert got > size
    assert not ends


def test_an_answer_to_a_client_that_seemed_to_have_left(hurried: Served) -> None:
    # In HTTP/1.0 there is no way to ask, so the app is told; but what it answers all the same is sent.
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        assert (await receive())["type"] == "http.disconnect"
        await answer(send, b"here you are")

    hurried.app = app
    with hurried.connect() as client:
        client.send(HTTP_1_0)
        client.end()
        assert client.response().body == b"here you are"


def test_a_body_that_is_cut_short_is_no_request(served: Served) -> None:
    app = served.app = Reader()
    with served.connect() as client:
        client.send(POST + b"Content-Length: 5\r\n\r\nhe")
        client.end()
        assert client.is_closed()
    wait_until(lambda: app.cut_short == 1)


def test_a_whole_body_before_the_end(served: Served) -> None:
    served.app = echo
    with served.connect() as client:
        client.send(POST + b"Content-Length: 5\r\n\r\nhello")
        client.end()
        assert client.response().body == b"hello"
