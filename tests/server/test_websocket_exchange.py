"""Messages and ends of WebSockets as ASGI apps have them, and what they hold back. On real sockets."""

from __future__ import annotations

import asyncio
import logging
import socket
import time

import pytest
from starlette.types import Message, Receive, Scope, Send
from websockets.frames import Opcode

from gateway.server.websocket_door import WebSocketDoor
from tests.server.serving import Served, wait_until
from tests.server.websocket_app import App
from tests.server.websocket_client import BINARY, TEXT, masked, masked_close, open_websocket, read_close, read_frame


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
