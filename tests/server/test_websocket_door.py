"""How WebSockets begin, and what the server says to all of them. On real sockets."""

from __future__ import annotations

import logging

import pytest
from starlette.types import Message, Receive, Scope, Send

from gateway.server.limits import Limits
from gateway.server.websocket_door import WebSocketDoor
from tests.server.serving import Served, wait_until
from tests.server.websocket_app import CONNECT, App
from tests.server.websocket_client import (
    ACCEPT,
    HANDSHAKE,
    KEY,
    TEXT,
    masked,
    masked_close,
    open_websocket,
    read_close,
    read_frame,
)


def test_the_handshake_and_the_scope(sockets: Served) -> None:
    app = sockets.app = App()
    with sockets.connect() as client:
        answer = open_websocket(
            client, b"Sec-WebSocket-Protocol: v2, v1\r\nsec-websocket-protocol: v0\r\nCookie: a=b\r\n"
        )
        assert answer.status == 101
        assert answer.get("sec-websocket-accept") == ACCEPT
        assert answer.get("upgrade") == "websocket"
        assert answer.get("connection") == "Upgrade"
        assert answer.get("sec-websocket-protocol") is None
        assert answer.get("sec-websocket-extensions") is None
        assert answer.get("content-length") is None
        assert answer.get("date") is not None
        client.send(masked_close(1000))
        assert read_close(client) == (1000, "")
    (scope,) = app.scopes
    assert scope["type"] == "websocket"
    assert scope["asgi"]["spec_version"] == "2.4"
    assert (scope["scheme"], scope["http_version"]) == ("ws", "1.1")
    assert (scope["path"], scope["raw_path"], scope["query_string"]) == ("/chat", b"/chat", b"room=1")
    assert scope["subprotocols"] == ["v2", "v1", "v0"]
    assert scope["client"][0] == scope["server"][0] == "127.0.0.1"
    assert "websocket.http.response" in scope["extensions"]
    assert (b"cookie", b"a=b") in scope["headers"]


def test_an_app_accepts_with_a_subprotocol_and_fields_of_its_own(sockets: Served) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        fields = [
            (b"set-cookie", b"a=1"),
            (b"set-cookie", b"b=2"),
            (b"Sec-WebSocket-Accept", b"forged"),
            (b"date", b"x"),
        ]
        await send({"type": "websocket.accept", "subprotocol": "v1", "headers": fields})

    sockets.app = app
    with sockets.connect() as client:
        answer = open_websocket(client, b"Sec-WebSocket-Protocol: v1\r\n")
        assert answer.get("sec-websocket-protocol") == "v1"
        assert answer.all("set-cookie") == ["a=1", "b=2"]
        assert answer.all("sec-websocket-accept") == [ACCEPT]
        assert answer.all("Sec-WebSocket-Accept") == []
        assert answer.all("date") == ["x"]


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        (b"Version: 13", b"Version: 8", 426),
        (b"Sec-WebSocket-Version: 13\r\n", b"", 426),
        (b"Sec-WebSocket-Key: " + KEY + b"\r\n", b"", 400),
        (KEY, b"c2hvcnQ=", 400),
        (KEY, b"not base64 at all!", 400),
        (b"Sec-WebSocket-Key: ", b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Key: ", 400),
    ],
)
def test_what_is_no_handshake_is_refused(sockets: Served, old: bytes, new: bytes, status: int) -> None:
    sockets.app = App()
    with sockets.connect() as client:
        client.send(HANDSHAKE.replace(old, new) + b"\r\n")
        answer = client.response()
        assert answer.status == status
        assert answer.get("content-type") == "application/problem+json"
        assert answer.get("sec-websocket-version") == ("13" if status == 426 else None)
        assert client.is_closed()


def test_a_field_with_a_line_break_is_never_sent(sockets: Served, caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept", "headers": [(b"x", b"a\r\nset-cookie: b")]})

    sockets.app = app
    with caplog.at_level(logging.CRITICAL, "gateway.server"), sockets.connect() as client:
        assert open_websocket(client).status == 500


def test_what_a_client_sends_before_it_is_accepted_waits(sockets: Served) -> None:
    sockets.app = App()
    with sockets.connect() as client:
        client.send(HANDSHAKE + b"\r\n" + masked(TEXT, b"hasty"))
        assert client.response().status == 101
        assert read_frame(client) == (TEXT, b"hasty")


def test_a_client_that_leaves_during_the_handshake_is_told_to_the_app(sockets: Served) -> None:
    told: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        told.extend([await receive(), await receive()])
        try:
            await send({"type": "websocket.accept"})
        except OSError:
            told.append({"type": "OSError"})

    sockets.app = app
    with sockets.connect() as client:
        client.send(HANDSHAKE + b"\r\n")
        wait_until(lambda: len(told) == 0 and sockets.tasks == 1)
    wait_until(lambda: len(told) == 3)
    assert told == [CONNECT, {"type": "websocket.disconnect", "code": 1006, "reason": ""}, {"type": "OSError"}]


def test_a_server_that_ends_tells_its_clients_to_come_back() -> None:
    app = App()
    served = Served("uvloop", ws=WebSocketDoor)
    served.app = app
    with served.connect() as client:
        open_websocket(client)
        served.stop()
        assert read_close(client) == (1012, "the server is restarting")
        client.send(masked_close(1012))
        assert client.is_closed()
    served.join()
    assert app.told == [{"type": "websocket.disconnect", "code": 1012, "reason": "the server is restarting"}]


def test_a_server_that_ends_refuses_what_is_not_accepted_yet() -> None:
    told: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        told.extend([await receive(), await receive()])

    served = Served("asyncio", ws=WebSocketDoor)
    served.app = app
    with served.connect() as client:
        client.send(HANDSHAKE + b"\r\n")
        wait_until(lambda: served.tasks == 1)
        served.stop()
        assert client.response().status == 503
    served.join()
    assert told[1]["type"] == "websocket.disconnect"


def test_a_limit_on_concurrency_holds_for_websockets_too() -> None:
    served = Served("uvloop", ws=WebSocketDoor, limit_concurrency=1)
    served.app = App()
    with served.connect() as first, served.connect() as second:
        assert open_websocket(first).status == 101
        assert open_websocket(second).status == 503
    served.stop()
    served.join()


def test_limits_of_the_front_door_hold_for_handshakes(sockets: Served) -> None:
    sockets.app = App()
    with sockets.connect() as client:
        assert open_websocket(client, b"Cookie: " + b"x" * 20_000 + b"\r\n").status == 101
    with sockets.connect() as client:
        assert open_websocket(client, b"Cookie: " + b"x" * Limits().head + b"\r\n").status == 431
