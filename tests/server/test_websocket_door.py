"""WebSockets as ASGI apps have them, on real sockets: the handshake, messages, ends."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Iterator

import pytest
from starlette.types import Message, Receive, Scope, Send
from websockets.frames import Opcode

from gateway.server.limits import Limits
from gateway.server.websocket_door import WebSocketDoor
from gateway.websocket.limits import Limits as StreamLimits
from tests.server.conftest import HURRIED
from tests.server.serving import LOOPS, Served, wait_until
from tests.server.websocket_client import (
    ACCEPT,
    HANDSHAKE,
    KEY,
    masked,
    masked_close,
    open_websocket,
    read_close,
    read_frame,
)

TEXT, BINARY = Opcode.TEXT, Opcode.BINARY
CONNECT = {"type": "websocket.connect"}


class App:
    """Accepts, echoes, and keeps what it was told."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []
        self.told: list[Message] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        assert await receive() == CONNECT
        await send({"type": "websocket.accept"})
        while True:
            message = await receive()
            self.told.append(message)
            if message["type"] == "websocket.disconnect":
                return
            await send({**message, "type": "websocket.send"})


@pytest.fixture(scope="module", params=list(LOOPS))
def _sockets(request: pytest.FixtureRequest) -> Iterator[Served]:
    served = Served(request.param, ws=WebSocketDoor)
    yield served
    served.stop()
    served.join()


@pytest.fixture
def sockets(_sockets: Served) -> Iterator[Served]:
    """Nothing is left of any test."""
    yield _sockets
    wait_until(lambda: not _sockets.connections and not _sockets.tasks)


@pytest.fixture(params=list(LOOPS))
def hurried_sockets(request: pytest.FixtureRequest) -> Iterator[Served]:
    """With limits that a test can wait for."""
    limits = StreamLimits(ping_interval=0.1, ping_timeout=0.1, close_timeout=0.1, linger=0.1)
    door = type("Door", (WebSocketDoor,), {"stream_limits": limits, "limits": HURRIED, "__slots__": ()})
    served = Served(request.param, ws=door, ws_max_size=1000)
    yield served
    served.stop()
    served.join()


# The handshake.


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


# Refusals.


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


# Messages and ends.


def test_messages_are_echoed(sockets: Served) -> None:
    app = sockets.app = App()
    with sockets.connect() as client:
        open_websocket(client)
        for opcode, data in ((TEXT, b"hi"), (BINARY, b"\0"), (TEXT, b""), (BINARY, b"")):
            client.send(masked(opcode, data))
            assert read_frame(client) == (opcode, data)
        client.send(masked_close(3000, "bye"))
        assert read_close(client) == (3000, "bye")
        assert client.is_closed()
    wait_until(lambda: len(app.told) == 5)
    assert app.told[:2] == [{"type": "websocket.receive", "text": "hi"}, {"type": "websocket.receive", "bytes": b"\0"}]
    assert app.told[4] == {"type": "websocket.disconnect", "code": 3000, "reason": "bye"}


@pytest.mark.parametrize(("leave", "code"), [("end", 1006), ("reset", 1006), ("empty", 1005)])
def test_the_app_is_told_how_the_client_has_gone(sockets: Served, leave: str, code: int) -> None:
    app = sockets.app = App()
    with sockets.connect() as client:
        open_websocket(client)
        if leave == "empty":
            client.send(masked(Opcode.CLOSE))
        else:
            getattr(client, leave)()
        wait_until(lambda: bool(app.told))
    assert app.told == [{"type": "websocket.disconnect", "code": code, "reason": ""}]


@pytest.mark.parametrize(
    ("message", "frame"),
    [
        ({"code": 4000, "reason": "done"}, (4000, "done")),
        ({}, (1000, "")),
        ({"code": 1005, "reason": "not sent"}, (1005, "")),
        ({"reason": None}, (1000, "")),
        ({"reason": "ü" * 100}, (1000, "ü" * 61)),
    ],
)
def test_the_app_closes(sockets: Served, message: Message, frame: tuple[int, str]) -> None:
    told: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", **message})
        told.append(await receive())
        await send({"type": "websocket.close"})
        try:
            await send({"type": "websocket.send", "text": "late"})
        except OSError:
            told.append({})

    sockets.app = app
    with sockets.connect() as client:
        open_websocket(client)
        assert read_close(client) == frame
        client.send(masked_close(1000))
        assert client.is_closed()
    wait_until(lambda: len(told) == 2)
    assert told[0] == {"type": "websocket.disconnect", "code": frame[0], "reason": frame[1]}


@pytest.mark.parametrize("code", [999, 1004, 1006, 1015, 5000])
def test_a_code_that_no_close_frame_has_is_an_error_of_the_app(
    sockets: Served, code: int, caplog: pytest.LogCaptureFixture
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": code})

    sockets.app = app
    with caplog.at_level(logging.ERROR, "gateway.server"), sockets.connect() as client:
        open_websocket(client)
        assert read_close(client) == (1011, "")
    assert "is not a code" in caplog.text


@pytest.mark.parametrize(("fails", "code"), [(True, 1011), (False, 1000)])
def test_an_app_that_returns_or_fails_leaves_no_open_end(
    sockets: Served, fails: bool, code: int, caplog: pytest.LogCaptureFixture
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        if fails:
            raise SystemExit("of the app")

    sockets.app = app
    with caplog.at_level(logging.CRITICAL, "gateway.server"), sockets.connect() as client:
        open_websocket(client)
        assert read_close(client) == (code, "")


def test_an_app_that_sends_to_a_client_that_has_gone_gets_an_oserror(sockets: Served) -> None:
    raised: list[BaseException] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        try:
            while True:
                await send({"type": "websocket.send", "bytes": b"x" * 100_000})
        except OSError as error:
            raised.append(error)
            raise

    sockets.app = app
    with sockets.connect() as client:
        open_websocket(client)
        client.reset()
        wait_until(lambda: bool(raised))


def test_a_message_over_the_limit_ends_with_1009(hurried_sockets: Served) -> None:
    app = hurried_sockets.app = App()
    with hurried_sockets.connect() as client:
        open_websocket(client)
        client.send(masked(BINARY, b"x" * 1000))
        assert len(read_frame(client)[1]) == 1000
        client.send(masked(BINARY, b"x" * 1001))
        assert read_close(client)[0] == 1009
    wait_until(lambda: len(app.told) == 2)
    assert app.told[1]["code"] == 1009
    assert app.scopes[0]["extensions"]["gateway.websocket"]["max_message"] == 1000


def test_a_dead_client_is_found_out(hurried_sockets: Served) -> None:
    app = hurried_sockets.app = App()
    with hurried_sockets.connect() as client:
        open_websocket(client)
        assert read_frame(client) == (Opcode.PING, b"")
        wait_until(lambda: bool(app.told))
    assert app.told[0]["code"] == 1006
    wait_until(lambda: not hurried_sockets.connections)


# The server.


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


# Back-pressure and memory.


def test_back_pressure_towards_a_client_that_does_not_read(sockets: Served) -> None:
    sent = 0

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal sent
        await send({"type": "websocket.accept"})
        for _ in range(400):
            await send({"type": "websocket.send", "bytes": b"x" * 100_000})
            sent += 1

    sockets.app = app
    with sockets.connect() as client:
        open_websocket(client)
        time.sleep(0.1)
        stopped_at = sent
        time.sleep(0.1)
        assert 0 < stopped_at == sent < 150
        for _ in range(400):
            assert len(read_frame(client)[1]) == 100_000


def test_back_pressure_towards_a_client_that_sends_too_much(sockets: Served) -> None:
    asked = asyncio.Event()
    got = 0

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal got
        await send({"type": "websocket.accept"})
        await receive()
        while not asked.is_set():
            await asyncio.sleep(0.005)
        while (await receive())["type"] != "websocket.disconnect":
            got += 1

    sockets.app = app
    with sockets.connect() as client:
        open_websocket(client)
        data = masked(BINARY, b"x" * 50_000) * 600
        taken = client.send_while_read(data)
        assert taken < 12_000_000, "the kernel's buffers and ours"
        asked.set()
        client.send(data[taken:])
        wait_until(lambda: got == 600)


def test_pings_of_clients_that_do_not_read_take_no_memory(sockets: Served) -> None:
    sockets.app = App()
    with sockets.connect() as client:
        open_websocket(client)
        (door,) = sockets.server.server_state.connections
        assert isinstance(door, WebSocketDoor)
        wait_until(lambda: door.stream is not None)
        stream = door.stream
        assert stream is not None
        transport = stream._transport
        # So that the kernel does not keep megabytes of pongs for us.
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        pings = masked(Opcode.PING, b"x" * 120) * 1000
        for _ in range(15):
            client.send(pings)
        wait_until(lambda: stream._incoming.frames == 15_000)
        # What the event loop takes in one read is answered at once.
        assert transport.get_write_buffer_size() < 500_000


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


def test_limits_of_the_front_door_hold_for_handshakes(sockets: Served) -> None:
    sockets.app = App()
    with sockets.connect() as client:
        assert open_websocket(client, b"Cookie: " + b"x" * 20_000 + b"\r\n").status == 101
    with sockets.connect() as client:
        assert open_websocket(client, b"Cookie: " + b"x" * Limits().head + b"\r\n").status == 431
