"""A real uvicorn server running FrontDoor in a thread, and a client that says exactly what it is told to."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import uvicorn
import uvloop
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.server.limits import Limits
from gateway.server.protocol import FrontDoor

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "uvloop": uvloop.new_event_loop,
    "asyncio": asyncio.new_event_loop,
}
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
HTTP_1_0 = b"GET / HTTP/1.0\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


class Gate:
    """What an app waits at until the test lets it pass."""

    def __init__(self) -> None:
        self._opened = threading.Event()

    def open(self) -> None:
        self._opened.set()

    async def passed(self) -> None:
        while not self._opened.is_set():
            await asyncio.sleep(0.005)


class Served:
    """``app`` answers the requests; set it before sending one."""

    def __init__(self, loop: str, limits: Limits | None = None, unix: str | None = None, **config: Any) -> None:
        self.app: ASGIApp = hello
        door = type("Door", (FrontDoor,), {"limits": limits or Limits(), "__slots__": ()})
        settings: dict[str, Any] = {
            "http": door,
            "ws": "websockets-sansio",
            "interface": "asgi3",
            "lifespan": "off",
            "proxy_headers": False,
            "server_header": False,
            "access_log": False,
            "log_config": None,
            **config,
        }
        if unix is None:
            self._socket = socket.create_server(("127.0.0.1", 0), backlog=128)
            self.port: int = self._socket.getsockname()[1]
        else:
            self._socket = socket.socket(socket.AF_UNIX)
            self._socket.bind(unix)
        # uvicorn closes the socket.
        self._family, self._address = self._socket.family, self._socket.getsockname()
        self.server = uvicorn.Server(uvicorn.Config(self._answer, **settings))
        self._thread = threading.Thread(target=self._run, args=(LOOPS[loop],), daemon=True)
        self._thread.start()
        wait_until(lambda: self.server.started and bool(self.server.server_state.default_headers))

    def _run(self, new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(self.server.serve(sockets=[self._socket]))

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)

    @property
    def connections(self) -> int:
        return len(self.server.server_state.connections)

    @property
    def tasks(self) -> int:
        return len(self.server.server_state.tasks)

    def stop(self) -> None:
        self.server.should_exit = True

    def join(self, timeout: float = 5.0) -> None:
        self._thread.join(timeout)
        assert not self._thread.is_alive(), "the server did not end"

    @contextlib.contextmanager
    def connect(self) -> Iterator[Client]:
        with socket.socket(self._family) as sock:
            sock.settimeout(5)
            sock.connect(self._address)
            yield Client(sock)

    def exchange(self, request: bytes) -> Response:
        """The answer to one request on a connection of its own."""
        with self.connect() as client:
            client.send(request)
            return client.response(head=request.startswith(b"HEAD "))


@dataclass
class Response:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def get(self, name: str) -> str | None:
        """The only value of a header, None without one."""
        values = self.all(name)
        assert len(values) < 2, self.headers
        return values[0] if values else None

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name]


class Truncated(Exception):
    """The connection ended before the response did."""


class Client:
    """Reads responses by the book: what is cut short raises Truncated, a reset ConnectionError."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self.buffer = b""

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def send_while_read(self, data: bytes) -> int:
        """Send until the server has stopped reading for a while. How much of ``data`` it has let in."""
        sent = 0
        view = memoryview(data)
        self.socket.settimeout(0.3)
        with contextlib.suppress(TimeoutError):
            while sent < len(data):
                sent += self.socket.send(view[sent : sent + 1_000_000])
        self.socket.settimeout(5)
        return sent

    def end(self) -> None:
        """Send FIN."""
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Close without a FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def more(self) -> bytes:
        data: bytes = self.socket.recv(1 << 20)
        self.buffer += data
        return data

    def rest(self) -> bytes:
        """All until the server ends the connection."""
        while self.more():
            pass
        data, self.buffer = self.buffer, b""
        return data

    def until(self, end: bytes) -> bytes:
        while end not in self.buffer:
            if not self.more():
                raise Truncated(self.buffer)
        found, _, rest = self.buffer.partition(end)
        self.buffer = rest
        return found + end

    def exactly(self, size: int) -> bytes:
        while len(self.buffer) < size:
            if not self.more():
                raise Truncated(self.buffer)
        found, self.buffer = self.buffer[:size], self.buffer[size:]
        return found

    def response(self, *, head: bool = False) -> Response:
        lines = self.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        version, status, *_ = lines[0].split(" ")
        assert version == "HTTP/1.1"
        headers = [(name, value) for name, _, value in (line.partition(": ") for line in lines[1:-2])]
        found = Response(int(status), headers, b"")
        if head or found.status < 200 or found.status in (204, 304):
            return found
        if found.get("transfer-encoding") == "chunked":
            assert found.get("content-length") is None
            while size := int(self.until(b"\r\n"), 16):
                found.body += self.exactly(size)
                assert self.exactly(2) == b"\r\n"
            assert self.exactly(2) == b"\r\n"
        elif (length := found.get("content-length")) is not None:
            found.body = self.exactly(int(length))
        else:
            found.body = self.rest()
        return found

    def is_closed(self) -> bool:
        """Whether the server ends the connection, having sent nothing more."""
        return not self.buffer and not self.more()


def wait_until(condition: Callable[[], bool], timeout: float = 5.0) -> None:
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.002)


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    await answer(send, b"hello")


async def answer(send: Send, body: bytes, *, status: int = 200, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
    fields = [(b"content-length", str(len(body)).encode()), *headers]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})


async def whole_body(receive: Receive) -> bytes:
    """The request's body; raises EOFError when the client leaves in the middle of it."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise EOFError
        body += bytes(message["body"])
        if not message["more_body"]:
            return body


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    await answer(send, await whole_body(receive))


class Reader:
    """Reads the body of each request, and counts those that a client has left in the middle."""

    def __init__(self) -> None:
        self.cut_short = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await whole_body(receive)
        except EOFError:
            self.cut_short += 1
