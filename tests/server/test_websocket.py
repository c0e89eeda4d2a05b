from __future__ import annotations

import base64
import os

import pytest
from starlette.types import Receive, Scope, Send
from websockets.sync.client import connect

from gateway.server.request_head import check
from gateway.server.websocket import handshake
from tests.server.serving import Client, Served, wait_until

UPGRADE = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %b\r\n"


async def upper(scope: Scope, receive: Receive, send: Send) -> None:
    """Accepts, says what it was asked for, and sends back what it hears in upper case."""
    assert scope["type"] == "websocket"
    await receive()
    await send({"type": "websocket.accept"})
    host = dict(scope["headers"])[b"host"].decode()
    await send({"type": "websocket.send", "text": f"{host} {scope['path']} {scope['query_string'].decode()}"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"].upper()})


def request(target: bytes = b"/chat?x=1", fields: bytes = UPGRADE) -> bytes:
    key = base64.b64encode(os.urandom(16))
    return b"GET " + target + b" HTTP/1.1\r\nHost: a\r\n" + fields.replace(b"%b", key) + b"\r\n"


def frame(text: bytes) -> bytes:
    """A text frame of a client, masked with zeros."""
    return bytes([0x81, 0x80 | len(text)]) + bytes(4) + text


def message(client: Client) -> bytes:
    opcode, length = client.exactly(2)
    assert opcode == 0x81
    return client.exactly(length)


def test_a_conversation(served: Served) -> None:
    served.app = upper
    with connect(f"ws://127.0.0.1:{served.port}/chat?x=1") as socket:
        assert socket.recv() == f"127.0.0.1:{served.port} /chat x=1"
        for text in ("a", "", "b" * 70_000):
            socket.send(text)
            assert socket.recv() == text.upper()
    wait_until(lambda: served.connections == 0)


def test_what_comes_with_the_handshake_is_not_lost(served: Served) -> None:
    served.app = upper
    with served.connect() as client:
        client.send(request() + frame(b"early"))
        assert client.until(b"\r\n\r\n").startswith(b"HTTP/1.1 101 ")
        assert message(client) == b"a /chat x=1"
        assert message(client) == b"EARLY"
        client.send(frame(b"late"))
        assert message(client) == b"LATE"


@pytest.mark.parametrize(
    ("target", "told"),
    [
        (b"http://b:1/c?d", b"b:1 /c d"),
        (b"http://b", b"b / "),
        (b"/%C3%A9", "a /é ".encode()),
        (b"/\xc3\xa9", "a /é ".encode()),
    ],
)
def test_targets(served: Served, target: bytes, told: bytes) -> None:
    served.app = upper
    with served.connect() as client:
        client.send(request(target))
        assert client.until(b"\r\n\r\n").startswith(b"HTTP/1.1 101 ")
        assert message(client) == told


def test_handshake_behind_an_ordinary_request(served: Served) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await upper(scope, receive, send)
        else:
            await send({"type": "http.response.start", "status": 204})
            await send({"type": "http.response.body"})

    served.app = app
    with served.connect() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" + request())
        assert client.response().status == 204
        assert client.until(b"\r\n\r\n").startswith(b"HTTP/1.1 101 ")
        assert message(client) == b"a /chat x=1"


@pytest.mark.parametrize(
    "fields", [UPGRADE.replace(b"websocket\r", b"h2c\r"), UPGRADE.replace(b"Connection: Upgrade\r\n", b"")]
)
def test_other_upgrades_are_ignored(served: Served, fields: bytes) -> None:
    # RFC 9110 7.8: a server may.
    response = served.exchange(request(fields=fields))
    assert (response.status, response.body) == (200, b"hello")


def test_a_handshake_is_checked_like_any_request(served: Served) -> None:
    assert served.exchange(request().replace(b"Host: a\r\n", b"")).status == 400
    assert served.exchange(request().replace(b"Host: a", b"Content-Length: 5\r\nHost: a") + b"hello").status == 400


def test_the_handshake_that_is_handed_over() -> None:
    head = check(b"GET", b"/a%20b\xff?x=\xfe&y='", False, [(b"host", b"a"), (b"x", b"\xe9")])
    assert handshake(head) == b"GET /a%20b%FF?x=%FE&y=' HTTP/1.1\r\nhost: a\r\nx: \xe9\r\n\r\n"
