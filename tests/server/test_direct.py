"""An app that begins requests without a task: what the server makes of it. The rest is in tests/dataplane."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import Receive, Scope, Send

from gateway.server.exchange import Exchange
from gateway.server.listener import Listener
from tests.server.serving import GET, hello
from tests.server.wire import connected


class Waiting:
    """Takes every request, and answers none by itself."""

    def __init__(self) -> None:
        self.exchange: Exchange
        self.heard: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("not called")

    def direct(self, exchange: Exchange) -> None:
        self.exchange = exchange
        exchange.take(self)

    def left(self) -> None:
        self.heard.append("left")

    def hand_over(self) -> None:
        self.heard.append("hand over")
        self.exchange.start(hello)


async def test_an_answer_goes_out_in_one_piece_and_the_next_request_may_follow() -> None:
    app = Waiting()
    door, wire = connected(app)
    for _ in range(2):
        wire.written = b""
        door.data_received(GET)
        assert len(door.server_state.tasks) == 1
        assert app.exchange.answer(200, [(b"a", b"b")], b"hi")
        assert wire.written.startswith(b"HTTP/1.1 200 OK\r\n")
        assert wire.written.endswith(b"\r\na: b\r\nContent-Length: 2\r\n\r\nhi")
        assert not door.server_state.tasks
    door.connection_lost(None)
    assert app.heard == []


async def test_a_client_that_leaves_is_told_of_once() -> None:
    app = Waiting()
    door, _ = connected(app)
    door.data_received(GET)
    door.connection_lost(ConnectionResetError())
    door.connection_lost(None)
    assert app.heard == ["left"]
    assert not door.server_state.tasks


async def test_at_the_end_of_the_server_there_are_only_tasks() -> None:
    app = Waiting()
    door, wire = connected(app)
    door.data_received(GET)
    door.shutdown()
    (task,) = door.server_state.tasks
    assert isinstance(task, asyncio.Task)
    await task
    assert b"onnection: close\r\n" in wire.written
    assert wire.written.endswith(b"hello")


async def test_nothing_is_done_while_the_client_does_not_read() -> None:
    app = Waiting()
    door, wire = connected(app)
    door.data_received(GET)
    door.pause_writing()
    assert not app.exchange.answer(200, [], b"hi")
    assert wire.written == b""
    door.resume_writing()
    assert app.exchange.answer(200, [], b"hi")
    door.connection_lost(None)


async def test_a_head_that_cannot_be_sent_leaves_the_request_as_it_was() -> None:
    app = Waiting()
    door, wire = connected(app)
    door.data_received(GET)
    with pytest.raises(ValueError, match="control character"):
        app.exchange.answer(200, [(b"a", b"b\n")], b"")
    assert wire.written == b""
    assert app.exchange.answer(200, [], b"hi")
    door.connection_lost(None)


async def test_content_of_another_length_is_never_sent() -> None:
    app = Waiting()
    door, wire = connected(app)
    door.data_received(GET)
    with pytest.raises(RuntimeError, match="not as long"):
        app.exchange.answer(200, [(b"content-length", b"3")], b"hi")
    assert wire.written == b""
    door.connection_lost(None)


async def test_an_app_that_raises_has_failed(caplog: pytest.LogCaptureFixture) -> None:
    class Raising(Waiting):
        def direct(self, exchange: Exchange) -> None:
            raise LookupError("a fault")

    door, wire = connected(Raising())
    door.data_received(GET)
    assert wire.written.startswith(b"HTTP/1.1 500 ")
    assert "the app raised while it answered" in caplog.text
    door.connection_lost(None)


async def test_a_middleware_is_not_passed_by() -> None:
    app = Waiting()

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)

    door, _ = connected(middleware)
    listener: Listener = door.listener
    assert listener.direct is None
    door.connection_lost(None)
