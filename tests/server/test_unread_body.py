"""A request's body that the app does not read, or does not read yet. Over sockets."""

from __future__ import annotations

import asyncio
import time

import pytest
from starlette.types import Receive, Scope, Send

from gateway.http1.server_side import server_side
from tests.server.serving import CHUNKED, GET, POST, Gate, Served, answer, wait_until, whole_body


def test_a_body_that_nobody_reads_is_drained(served: Served) -> None:
    with served.connect() as client:
        client.send(POST + b"Content-Length: 100000\r\n\r\n" + b"x" * 50_000)
        assert client.response().body == b"hello"
        client.send(b"x" * 50_000 + GET)
        assert client.response().body == b"hello"


@pytest.mark.parametrize(
    "framing", [b"Content-Length: 100000000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n5f5e100\r\n"]
)
def test_a_long_body_that_nobody_reads_ends_the_connection(served: Served, framing: bytes) -> None:
    with served.connect() as client:
        client.send(POST + framing)
        wait_until(lambda: served.tasks == 0)
        # Told by the answer, which can be read although more was sent (no reset before it).
        client.send(b"x" * 400_000)
        response = client.response()
        assert response.body == b"hello"
        client.end()
        client.rest()
    wait_until(lambda: served.connections == 0)


def test_a_malformed_rest_of_a_body_that_nobody_reads(served: Served) -> None:
    with served.connect() as client:
        client.send(CHUNKED + b"5\r\n")
        assert client.response().body == b"hello"
        client.send(b"helloXXX")
        assert client.is_closed()


def test_reading_stops_while_the_app_does_not_want_the_body(served: Served) -> None:
    gate = Gate()
    sizes = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await gate.passed()
        while True:
            message = await receive()
            sizes.append(len(message["body"]))
            if not message["more_body"]:
                break
        await answer(send, b"%d" % sum(sizes))

    served.app = app
    size = 30_000_000
    with served.connect() as client:
        client.send(POST + b"Content-Length: %d\r\n\r\n" % size)
        wait_until(lambda: served.tasks == 1)
        sent = client.send_while_read(b"x" * size)
        assert sent < size / 2
        gate.open()
        client.send(b"x" * (size - sent))
        assert client.response().body == b"%d" % size
    # 64 KiB, and the read that went past it: 256 KiB at most.
    assert max(sizes) <= (64 + 256) * 1024


@pytest.mark.parametrize(
    ("framing", "leave"),
    [
        (b"Content-Length: 50000000\r\n\r\n", "end"),
        (CHUNKED[len(POST) :] + b"2faf080\r\n", "end"),
        (b"Content-Length: 50000000\r\n\r\n", "reset"),
    ],
)
def test_an_app_that_takes_no_more_of_the_body_can_ask_whether_the_client_has_gone(
    served: Served, caplog: pytest.LogCaptureFixture, framing: bytes, leave: str
) -> None:
    stuck, gone = Gate(), Gate()
    asked: list[bool] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        side = server_side(scope)
        assert side is not None
        await stuck.passed()
        asked.append(side.client_gone())
        await gone.passed()
        while not side.client_gone():
            await asyncio.sleep(0.005)
        asked.append((await receive())["type"] == "http.disconnect")

    served.app = app
    with served.connect() as client:
        client.send(POST + framing + bytes(200_000))
        # All of it has come, and the server has stopped reading.
        time.sleep(0.1)
        stuck.open()
        wait_until(lambda: asked == [False])
        client.end() if leave == "end" else client.reset()
        gone.open()
        wait_until(lambda: asked == [False, True])
    wait_until(lambda: served.tasks == 0)
    assert caplog.messages == []


def test_a_client_that_has_ended_its_side_behind_a_whole_request_has_not_gone(served: Served) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        side = server_side(scope)
        assert side is not None
        await asyncio.sleep(0.1)
        told = side.client_gone()
        await answer(send, f"{told} {len(await whole_body(receive))}".encode())

    served.app = app
    with served.connect() as client:
        client.send(POST + b"Content-Length: 300000\r\n\r\n" + bytes(300_000))
        client.end()
        assert client.response().body == b"False 300000"
