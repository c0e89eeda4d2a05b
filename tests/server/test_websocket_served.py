"""WebSockets over TLS on both sides, of a browser and of an app, and under another server than ours."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.types import Receive, Scope, Send
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from gateway.server.websocket_door import WebSocketDoor
from gateway.upstream.failure import UpstreamError
from gateway.upstream.upstream import Upstream
from gateway.upstream.websocket import Relay
from tests.server.serving import LOOPS, Served, wait_until


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": scope["scheme"]})
    while (message := await receive())["type"] == "websocket.receive":
        if message.get("text") == "close":
            await send({"type": "websocket.close", "code": 4000})
        else:
            await send({**message, "type": "websocket.send"})


@pytest.fixture(params=list(LOOPS))
def secure(request: pytest.FixtureRequest, certificate: tuple[Path, Path]) -> Iterator[Served]:
    served = Served(request.param, ws=WebSocketDoor, ssl_certfile=certificate[0], ssl_keyfile=certificate[1])
    served.app = echo
    yield served
    wait_until(lambda: not served.connections and not served.tasks)
    served.stop()
    served.join()


@pytest.fixture
def trusting(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate[0]))


def conversation(websocket: ClientConnection, scheme: str) -> None:
    """All that TLS could spoil: messages that come and go at once, and the end."""
    assert websocket.recv(timeout=5) == scheme
    for message in ("hello", b"x" * 3_000_000, ""):
        websocket.send(message)
        assert websocket.recv(timeout=5) == message
    websocket.send("close")
    with pytest.raises(ConnectionClosed) as closed:
        websocket.recv(timeout=5)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4000


def test_a_conversation_with_a_browser(secure: Served, trusting: ssl.SSLContext) -> None:
    with connect(f"wss://localhost:{secure.port}/", ssl=trusting, proxy=None, max_size=None) as websocket:
        conversation(websocket, "wss")
    with connect(f"wss://localhost:{secure.port}/", ssl=trusting, proxy=None) as websocket:
        websocket.close(4001)


def test_a_conversation_with_an_app_behind(secure: Served, trusting: ssl.SSLContext) -> None:
    upstream = Upstream([f"https://localhost:{secure.port}"], tls=trusting)
    suspicious = Upstream([f"https://localhost:{secure.port}"])

    async def relay(scope: Scope, receive: Receive, send: Send) -> None:
        chosen = suspicious if scope["path"] == "/suspicious" else upstream
        chosen.start()
        try:
            await Relay(chosen, scope, receive, send).run()
        except UpstreamError as error:
            body = error.failure.name.encode()
            await send({"type": "websocket.http.response.start", "status": error.failure.status, "headers": []})
            await send({"type": "websocket.http.response.body", "body": body})
        finally:
            chosen.stop()

    front = Served("uvloop", ws=WebSocketDoor)
    front.app = relay
    with connect(f"ws://127.0.0.1:{front.port}/", proxy=None, max_size=None) as websocket:
        conversation(websocket, "wss")
    with connect(f"ws://127.0.0.1:{front.port}/", proxy=None) as websocket:
        websocket.close(4001)
    with pytest.raises(InvalidStatus) as refused:
        connect(f"ws://127.0.0.1:{front.port}/suspicious", proxy=None)
    assert bytes(refused.value.response.body) == b"CONNECT"
    wait_until(lambda: not front.connections and not front.tasks)
    front.stop()
    front.join()


def test_relaying_behind_uvicorns_own_protocol() -> None:
    """What our own server adds is not needed."""
    app = Served("asyncio", ws="websockets-sansio")
    app.app = echo
    upstream = Upstream([f"http://127.0.0.1:{app.port}"])
    ended = asyncio.Event()

    async def relay(scope: Scope, receive: Receive, send: Send) -> None:
        upstream.start()
        await Relay(upstream, scope, receive, send).run()
        upstream.stop()
        ended.set()

    front = Served("asyncio", ws="websockets-sansio")
    front.app = relay
    with connect(f"ws://127.0.0.1:{front.port}/", proxy=None, max_size=None) as websocket:
        conversation(websocket, "ws")
    wait_until(ended.is_set)
    for served in (front, app):
        served.stop()
        served.join()
