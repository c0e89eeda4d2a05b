"""A handshake that ends in an ordinary answer. On real sockets."""

from __future__ import annotations

import logging
import time

import pytest
from starlette.types import Message, Receive, Scope, Send

from tests.server.serving import Served
from tests.server.websocket_client import HANDSHAKE, open_websocket


def test_closing_before_accepting_is_403(sockets: Served) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        assert (await receive())["type"] == "websocket.disconnect"

    sockets.app = app
    with sockets.connect() as client:
        assert open_websocket(client).status == 403
        assert client.is_closed()


@pytest.mark.parametrize(
    ("status", "fields", "bodies", "framing"),
    [
        (401, [(b"www-authenticate", b"Basic")], [b"who?"], ("content-length", "4")),
        (429, [(b"content-length", b"4")], [b"wa", b"it"], ("content-length", "4")),
        (500, [], [b"bro", b"", b"ken"], ("transfer-encoding", "chunked")),
        (204, [(b"x", b"y")], [b"dropped"], ("content-length", None)),
    ],
)
def test_an_app_refuses_with_a_response(
    sockets: Served,
    status: int,
    fields: list[tuple[bytes, bytes]],
    bodies: list[bytes],
    framing: tuple[str, str | None],
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.http.response.start", "status": status, "headers": fields})
        for number, body in enumerate(bodies, 1):
            more = number < len(bodies)
            await send({"type": "websocket.http.response.body", "body": body, "more_body": more})

    sockets.app = app
    with sockets.connect() as client:
        answer = open_websocket(client)
        assert answer.status == status
        assert answer.body == (b"" if status == 204 else b"".join(bodies))
        assert answer.get(framing[0]) == framing[1]
        assert answer.get("connection") == "close"
        for name, value in fields:
            assert answer.get(name.decode()) == value.decode()
        assert client.is_closed()


def test_a_refusal_that_is_not_completed_is_seen_to_be_broken(
    sockets: Served, caplog: pytest.LogCaptureFixture
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.http.response.start", "status": 500, "headers": []})
        await send({"type": "websocket.http.response.body", "body": b"begun", "more_body": True})
        raise ValueError("of the app")

    sockets.app = app
    with caplog.at_level(logging.CRITICAL, "gateway.server"), sockets.connect() as client:
        client.send(HANDSHAKE + b"\r\n")
        assert client.rest().endswith(b"\r\n\r\n5\r\nbegun\r\n")


@pytest.mark.parametrize(
    "message",
    [
        {"type": "websocket.send", "text": "early"},
        {"type": "http.response.start", "status": 200},
        {"type": "websocket.accept", "subprotocol": "a\r\nb: c"},
    ],
)
def test_a_wrong_answer_to_the_handshake_is_500(
    sockets: Served, message: Message, caplog: pytest.LogCaptureFixture
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(message)

    sockets.app = app
    with caplog.at_level(logging.ERROR, "gateway.server"), sockets.connect() as client:
        assert open_websocket(client).status == 500
    assert "the app raised" in caplog.text


def test_an_app_that_does_not_answer_the_handshake_gets_500(sockets: Served, caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()

    sockets.app = app
    with caplog.at_level(logging.ERROR, "gateway.server"), sockets.connect() as client:
        assert open_websocket(client).status == 500
    assert "without an answer" in caplog.text


def test_a_client_that_is_slow_to_take_a_refusal_holds_back_the_app(sockets: Served) -> None:
    sent = 0

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal sent
        await send({"type": "websocket.http.response.start", "status": 503, "headers": []})
        for _ in range(300):
            await send({"type": "websocket.http.response.body", "body": b"x" * 100_000, "more_body": True})
            sent += 1
        await send({"type": "websocket.http.response.body", "body": b""})

    sockets.app = app
    with sockets.connect() as client:
        client.send(HANDSHAKE + b"\r\n")
        time.sleep(0.1)
        assert 0 < sent < 150
        while client.more():
            client.buffer = client.buffer[-9:]
        assert client.buffer.endswith(b"\r\n0\r\n\r\n")
