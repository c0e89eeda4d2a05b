"""A remote app that does exactly what a test says, byte by byte, and a client that asks for it."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Message, Scope

from gateway.upstream.failure import UpstreamError
from gateway.upstream.upstream import Upstream

Fields = list[tuple[bytes, bytes]]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


class Peer:
    """The app's end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        # Every byte that has come.
        self.heard = b""

    async def head(self) -> bytes:
        """The next request's head, with its empty line. EOFError when there is none."""
        got = await self._reader.readuntil(b"\r\n\r\n")
        self.heard += got
        return got

    async def read(self, size: int) -> bytes:
        got = await self._reader.readexactly(size)
        self.heard += got
        return got

    async def rest(self) -> bytes:
        """All that comes until the connection ends; a reset is an end too."""
        got = b""
        try:
            while part := await self._reader.read(1 << 16):
                got += part
        except ConnectionError:
            pass
        self.heard += got
        return got

    async def say(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    def finish(self) -> None:
        """Close as one does after all is said."""
        self._writer.close()

    def reset(self) -> None:
        """Close with a reset."""
        transport = self._writer.transport
        linger = struct.pack("ii", 1, 0)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()


Script = Callable[[Peer], Awaitable[None]]


class App:
    """Runs one of ``scripts`` for each connection, the last of them for all that follow."""

    def __init__(self, scripts: Sequence[Script]) -> None:
        self._scripts = scripts
        self._tasks: set[asyncio.Task[None]] = set()
        self.peers: list[Peer] = []
        self.port = 0
        self.failures: list[BaseException] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        script = self._scripts[min(len(self.peers), len(self._scripts) - 1)]
        peer = Peer(reader, writer)
        self.peers.append(peer)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await script(peer)
        except (EOFError, ConnectionError, asyncio.CancelledError):
            pass
        except AssertionError as error:
            self.failures.append(error)
        finally:
            self._tasks.discard(task)
            writer.close()

    async def stop(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.failures:
            raise self.failures[0]


@asynccontextmanager
async def app(*scripts: Script, path: str | None = None) -> AsyncIterator[App]:
    """A scripted app on a port of its own, or on a Unix socket at ``path``."""
    served = App(scripts)
    if path is not None:
        server = await asyncio.start_unix_server(served.serve, path, limit=1 << 20)
    else:
        server = await asyncio.start_server(served.serve, "127.0.0.1", 0, limit=1 << 20)
        served.port = server.sockets[0].getsockname()[1]
    try:
        yield served
    finally:
        server.close()
        await served.stop()


def answering(*responses: bytes) -> Script:
    """Answers the requests of a connection in turn, and then reads on until it is closed."""

    async def script(peer: Peer) -> None:
        for response in responses:
            await peer.head()
            await peer.say(response)
        await peer.rest()

    return script


def always(response: bytes) -> Script:
    async def script(peer: Peer) -> None:
        while True:
            await peer.head()
            await peer.say(response)

    return script


@asynccontextmanager
async def to(*urls: str, **options: Any) -> AsyncIterator[Upstream]:
    """A started upstream."""
    upstream = Upstream(urls, **options)
    upstream.start()
    try:
        yield upstream
    finally:
        upstream.stop()


def a_scope(
    method: str = "GET", target: bytes = b"/", headers: Fields | None = None, version: str = "1.1", root_path: str = ""
) -> Scope:
    raw_path, _, query = target.partition(b"?")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": version,
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 1234),
        "scheme": "http",
        "method": method,
        "root_path": root_path,
        "path": raw_path.decode(),
        "raw_path": raw_path,
        "query_string": query,
        "headers": [(b"host", b"shop.example")] if headers is None else headers,
        "extensions": {"http.response.early_hint": {}},
    }


@dataclass
class Client:
    """What the server does for one client. ``parts`` are of the request's body; ``leave`` is the client going away.

    While ``reading`` is not set, the client takes nothing of its answer.
    """

    parts: Sequence[bytes] = ()
    status: int = 0
    headers: Fields = field(default_factory=list)
    received: bytearray = field(default_factory=bytearray)
    complete: bool = False
    # Of each early hint.
    hints: list[list[bytes]] = field(default_factory=list)
    asked: int = 0
    left: asyncio.Event = field(default_factory=asyncio.Event)
    reading: asyncio.Event = field(default_factory=asyncio.Event)
    began: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.reading.set()

    async def receive(self) -> Message:
        self.asked += 1
        if self.asked <= len(self.parts):
            return {"type": "http.request", "body": self.parts[self.asked - 1], "more_body": self.more}
        if not self.parts and self.asked == 1:
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.left.wait()
        return {"type": "http.disconnect"}

    @property
    def body(self) -> bytes:
        return bytes(self.received)

    @property
    def more(self) -> bool:
        return self.asked < len(self.parts)

    async def send(self, message: Message) -> None:
        assert not self.complete
        await self.reading.wait()
        if message["type"] == "http.response.early_hint":
            assert self.status == 0
            self.hints.append(list(message["links"]))
        elif message["type"] == "http.response.start":
            assert self.status == 0
            self.status = message["status"]
            self.headers = list(message["headers"])
            self.began.set()
        else:
            assert self.status
            self.received += message["body"]
            self.complete = not message.get("more_body", False)

    def leave(self) -> None:
        self.left.set()


async def ask(
    upstream: Upstream,
    method: str = "GET",
    target: bytes = b"/",
    headers: Fields | None = None,
    body: Sequence[bytes] = (),
    version: str = "1.1",
    root_path: str = "",
) -> Client:
    """Send one request through ``upstream``. Raises what it raises."""
    client = Client(body)
    await upstream(a_scope(method, target, headers, version, root_path), client.receive, client.send)
    return client


async def ask_as(client: Client, upstream: Upstream, method: str = "GET", headers: Fields | None = None) -> None:
    """As ``ask``, for a client that a test looks at, or has leave, meanwhile."""
    await upstream(a_scope(method, headers=headers), client.receive, client.send)


async def failure_of(upstream: Upstream, method: str = "GET", **request: Any) -> str:
    """The name of the failure that a request ends in."""
    try:
        answer = await ask(upstream, method, **request)
    except UpstreamError as error:
        return error.failure.name
    raise AssertionError(f"answered {answer.status} {answer.body!r}")


async def eventually(condition: Callable[[], bool], timeout: float = 3.0) -> None:
    until = asyncio.get_running_loop().time() + timeout
    while not condition():
        assert asyncio.get_running_loop().time() < until, "still not so"
        await asyncio.sleep(0.005)
