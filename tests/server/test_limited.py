"""Limits that are off unless somebody wants them, over real sockets, and limits that change while the server runs."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from starlette.types import Message, Receive, Scope, Send

from gateway.http1.server_side import server_side
from gateway.server.limits import Limits
from gateway.server.listener import Listener
from gateway.server.websocket_door import WebSocketDoor
from tests.server.conftest import HURRIED
from tests.server.serving import CHUNKED, GET, LOOPS, POST, Client, Served, answer, hello, wait_until, whole_body
from tests.server.websocket_client import open_websocket, read_close


class Limited:
    """A server, and the reasons of what it has refused."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.refused: list[str] = []

    def limit(self, limits: Limits) -> None:
        """As the worker does, in the thread of the event loop."""
        config, state = self.served.server.config, self.served.server.server_state
        done: list[bool] = []

        def apply() -> None:
            listener = Listener.of(config, state, {}, loop, limits)
            listener.on_refused = self.refused.append
            listener.limit(limits)
            done.append(True)

        loop = self.loop()
        loop.call_soon_threadsafe(apply)
        wait_until(lambda: bool(done))

    def loop(self) -> asyncio.AbstractEventLoop:
        found: list[asyncio.AbstractEventLoop] = []

        async def tell(scope: Scope, receive: Receive, send: Send) -> None:
            found.append(asyncio.get_running_loop())
            await hello(scope, receive, send)

        app, self.served.app = self.served.app, tell
        self.served.exchange(GET)
        self.served.app = app
        wait_until(lambda: not self.served.connections)
        return found[0]


@pytest.fixture(params=list(LOOPS))
def limited(request: pytest.FixtureRequest) -> Iterator[Callable[[Limits], Limited]]:
    """Starts a server with limits that it gets while it runs."""
    served = Served(request.param, ws=WebSocketDoor)

    def start(limits: Limits) -> Limited:
        made = Limited(served)
        made.limit(limits)
        return made

    yield start
    served.stop()
    served.join()


def limiting(most: int) -> Callable[[Scope, Receive, Send], asyncio.Future[None]]:
    """An app that lets a body have ``most`` bytes and answers how long it was."""
    told: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        side = server_side(scope)
        assert side is not None
        if not side.limit_body(most):
            await answer(send, b"too long", status=413)
            return
        told.append({"type": "begun"})
        with contextlib.suppress(EOFError):
            await answer(send, b"%d" % len(await whole_body(receive)))
            return
        told.append({"type": "http.disconnect"})

    app.told = told  # type: ignore[attr-defined]
    return app  # type: ignore[return-value]


@pytest.mark.parametrize(
    "request_bytes",
    [
        POST + b"Content-Length: 10\r\n\r\n0123456789",
        CHUNKED + b"a\r\n0123456789\r\n0\r\n\r\n",
        CHUNKED + b"5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n",
    ],
)
def test_a_body_may_be_as_long_as_its_limit(served: Served, request_bytes: bytes) -> None:
    served.app = limiting(10)
    assert served.exchange(request_bytes).body == b"10"


def test_a_body_that_is_announced_too_long_is_for_the_app_to_refuse(served: Served) -> None:
    served.app = limiting(10)
    with served.connect() as client:
        # A client that waits to be told is spared the sending.
        client.send(POST + b"Content-Length: 11\r\nExpect: 100-continue\r\n\r\n")
        response = client.response()
        assert (response.status, response.body, response.get("connection")) == (413, b"too long", "close")
        assert client.is_closed()
    assert served.exchange(POST + b"Content-Length: 11\r\n\r\n0123456789a").status == 413
    # One that is small enough to be read costs no connection.
    assert served.exchange(CHUNKED + b"b\r\n0123456789a\r\n0\r\n\r\n").status == 413


def test_a_body_that_grows_too_long_is_413_from_the_server(served: Served) -> None:
    served.app = app = limiting(10)
    with served.connect() as client:
        client.send(CHUNKED + b"5\r\n01234\r\n")
        wait_until(lambda: bool(app.told))  # type: ignore[attr-defined]
        client.send(b"6\r\n567")
        response = client.response()
        assert response.status == 413
        assert json.loads(response.body)["detail"] == "The request's body is longer than 10 bytes."
        # The client can read that while it still sends (RFC 9112 9.6).
        client.send(b"89a\r\n" * 1000)
        assert client.is_closed()
    wait_until(lambda: not served.tasks)
    # The app has heard of it as of a client that left.
    assert app.told[1:] == [{"type": "http.disconnect"}]  # type: ignore[attr-defined]


def test_an_answer_that_has_begun_is_broken_off_when_the_body_grows_too_long(served: Served) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        side = server_side(scope)
        assert side is not None
        assert side.limit_body(10)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while (message := await receive())["type"] == "http.request":
            await send({"type": "http.response.body", "body": message["body"], "more_body": True})

    served.app = app
    with served.connect() as client:
        client.send(CHUNKED + b"5\r\n01234\r\n")
        assert client.until(b"01234\r\n").endswith(b"5\r\n01234\r\n")
        client.send(b"6\r\n")
        # No last chunk.
        assert client.rest() == b""


def test_one_connection_too_many_is_503(limited: Callable[[Limits], Limited]) -> None:
    server = limited(Limits(connections=2))
    with server.served.connect() as first, server.served.connect() as second:
        wait_until(lambda: server.served.connections == 2)
        with server.served.connect() as third:
            response = third.response()
            assert (response.status, response.get("retry-after"), response.get("connection")) == (503, "1", "close")
            # It may have asked already, and reads the answer all the same.
            third.send(GET)
            assert third.is_closed()
        # Those that were there are served.
        for client in (first, second):
            client.send(GET)
            assert client.response().body == b"hello"
    wait_until(lambda: server.served.connections == 0)
    assert server.served.exchange(GET).status == 200
    assert server.refused == ["connections"]


def test_one_client_s_connection_too_many_is_429(limited: Callable[[Limits], Limited]) -> None:
    server = limited(Limits(connections_per_client=1))
    with server.served.connect(), server.served.connect() as second:
        assert second.response().status == 429
    wait_until(lambda: server.served.connections == 0)
    assert server.refused == ["connections_per_client"]
    server.limit(Limits(connections_per_client=1, proxies={"127.0.0.1"}))
    with server.served.connect(), server.served.connect() as second:
        second.send(GET)
        assert second.response().status == 200


def test_a_flood_of_connections_is_reset(limited: Callable[[Limits], Limited]) -> None:
    server = limited(Limits(connections_per_client=1))
    with contextlib.ExitStack() as stack:
        stack.enter_context(server.served.connect())
        clients = [connected(stack, server) for _ in range(29)]
        wait_until(lambda: len(server.refused) == 29)
        outcomes = [outcome(client) for client in clients]
        assert outcomes.count("reset") == 29 - 8
        assert outcomes.count("429") == 8


def connected(stack: contextlib.ExitStack, server: Limited) -> Client | None:
    """A connection; None if it was reset before connect() had returned."""
    try:
        return stack.enter_context(server.served.connect())
    except ConnectionError:
        return None


def outcome(client: Client | None) -> str:
    try:
        return "reset" if client is None else str(client.response().status)
    except ConnectionError:
        return "reset"


async def stand(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await receive()


def test_websockets_are_connections_too(limited: Callable[[Limits], Limited]) -> None:
    server = limited(Limits(connections=1))
    server.served.app = stand
    with server.served.connect() as websocket:
        assert open_websocket(websocket).status == 101
        with server.served.connect() as second:
            assert second.response().status == 503
    wait_until(lambda: server.served.connections == 0)
    server.served.app = hello
    assert server.served.exchange(GET).status == 200


def test_a_connection_takes_so_many_requests(limited: Callable[[Limits], Limited]) -> None:
    server = limited(Limits(requests_per_connection=2))
    with server.served.connect() as client:
        client.send(GET)
        assert client.response().get("connection") is None
        client.send(GET)
        assert client.response().get("connection") == "close"
        assert client.is_closed()
    assert server.refused == []


async def stream(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["path"] == "/late":
        while (await receive())["type"] != "http.disconnect":
            pass
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await receive()
    leaving = asyncio.ensure_future(receive())
    while not leaving.done():
        await send({"type": "http.response.body", "body": b"tick", "more_body": True})
        await asyncio.sleep(0.02)


def test_a_stream_ends_when_its_time_is_over(limited: Callable[[Limits], Limited]) -> None:
    server = limited(replace(HURRIED, stream_lifetime=0.2, header_timeout=5, keep_alive=5))
    server.served.app = stream
    with server.served.connect() as client:
        client.send(GET)
        body = client.rest()
        assert 5 <= body.count(b"tick") < 500
        assert not body.endswith(b"0\r\n\r\n")
    with server.served.connect() as client:
        client.send(GET.replace(b"/", b"/late", 1))
        assert client.response().status == 504
    wait_until(lambda: not server.served.tasks or server.served.connections == 0)
    # One that is quick enough leaves no time behind for the next.
    server.served.app = hello
    with server.served.connect() as client:
        for _ in range(6):
            client.send(GET)
            assert client.response().status == 200
            client.socket.settimeout(0.1)
            with pytest.raises(TimeoutError):
                client.more()
            client.socket.settimeout(5)
    assert server.refused == ["stream_lifetime", "stream_lifetime"]


def test_a_websocket_ends_when_its_time_is_over(limited: Callable[[Limits], Limited]) -> None:
    server = limited(Limits(stream_lifetime=0.2))
    server.served.app = stand
    with server.served.connect() as client:
        assert open_websocket(client).status == 101
        assert read_close(client) == (1012, "connect again")


def test_limits_change_while_a_connection_is_open(limited: Callable[[Limits], Limited]) -> None:
    server = limited(Limits())
    long = b"GET /" + b"x" * 2000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"
    with server.served.connect() as client:
        client.send(long)
        assert client.response().status == 200
        listener = Listener.of(server.served.server.config, server.served.server.server_state, {}, None, Limits())  # type: ignore[arg-type]
        listener.limit(Limits(request_line=1000))
        client.send(long)
        assert client.response().status == 414
    assert server.refused == ["target_too_long"]
