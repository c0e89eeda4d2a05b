"""A client that leaves before it has its answer. Over sockets."""

from __future__ import annotations

import asyncio

from starlette.types import Message, Receive, Scope, Send

from tests.server.scripted_app import content, start
from tests.server.serving import GET, POST, Reader, Served, answer, wait_until


async def stream(scope: Scope, receive: Receive, send: Send) -> None:
    await send(start())
    while True:
        await send(content(b"x" * 1000, True))
        await asyncio.sleep(0.001)


def test_a_client_that_resets_is_told_to_the_app(served: Served) -> None:
    messages: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        messages.append(await receive())
        # Dropped in silence.
        await answer(send, b"too late")
        messages.append(await receive())

    served.app = app
    with served.connect() as client:
        client.send(GET)
        wait_until(lambda: served.tasks == 1)
        client.reset()
    wait_until(lambda: len(messages) == 2)
    assert messages == [{"type": "http.disconnect"}] * 2
    wait_until(lambda: served.connections == 0)


def test_a_client_that_leaves_a_stream_is_told_to_the_app(served: Served) -> None:
    left = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        streaming = asyncio.ensure_future(stream(scope, receive, send))
        left.append(await receive())
        # What it sends from now on is dropped.
        await asyncio.sleep(0.01)
        assert not streaming.done()
        streaming.cancel()

    served.app = app
    with served.connect() as client:
        client.send(GET)
        client.until(b"x")
    wait_until(lambda: bool(left))
    assert left == [{"type": "http.disconnect"}]
    wait_until(lambda: served.connections == 0)


def test_a_client_that_leaves_in_the_middle_of_its_body(served: Served) -> None:
    app = served.app = Reader()
    for framing in (b"Content-Length: 5\r\n\r\nhe", b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"):
        with served.connect() as client:
            client.send(POST + framing)
            wait_until(lambda: served.tasks == 1)
        wait_until(lambda: served.tasks == 0)
    assert app.cut_short == 2


def test_a_client_that_breaks_the_framing_of_its_body(served: Served) -> None:
    app = served.app = Reader()
    with served.connect() as client:
        client.send(POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhe")
        wait_until(lambda: served.tasks == 1)
        client.send(b"lloXX")
        assert client.response().status == 400
        assert client.is_closed()
    wait_until(lambda: app.cut_short == 1)
