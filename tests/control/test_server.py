from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from starlette.types import Receive, Scope, Send
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from gateway.control import logs
from gateway.control.listening import Address, listen
from gateway.control.server import Server

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class App:
    """Answers when it is let; tells when a request has come in."""

    def __init__(self) -> None:
        self.come = asyncio.Event()
        self.let = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            self.come.set()
            while (await receive())["type"] != "websocket.disconnect":
                continue
            return
        self.come.set()
        if scope["path"] == "/slow":
            await self.let.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})


class Running:
    def __init__(self, server: Server, app: App, address: Address, task: asyncio.Task[None]) -> None:
        self.server, self.app, self.address, self.task = server, app, address, task

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(self.address.host, self.address.port)

    async def drained(self, timeout: float = 3.0) -> None:
        async with asyncio.timeout(timeout):
            await self.task


@asynccontextmanager
async def serving(drain_timeout: int = 5, kind: type[Server] = Server) -> AsyncIterator[Running]:
    listener, address = listen(Address("127.0.0.1", 0), "--host", "--port")
    app, started = App(), asyncio.Event()
    server = kind(app, drain_timeout=drain_timeout, on_started=started.set)
    task = asyncio.create_task(server.serve([listener]))
    await started.wait()
    try:
        yield Running(server, app, address, task)
    finally:
        app.let.set()
        server.drain()
        await task


async def answer(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    async with asyncio.timeout(3):
        head = await reader.readuntil(b"\r\n\r\n")
        return head, await reader.readexactly(2)


async def test_a_slow_request_is_finished_and_told_that_the_connection_ends() -> None:
    async with serving() as running:
        reader, writer = await running.connect()
        writer.write(GET.replace(b"/ ", b"/slow "))
        await running.app.come.wait()
        running.server.drain()
        await asyncio.sleep(0.3)
        with pytest.raises(ConnectionRefusedError):
            await running.connect()
        running.app.let.set()
        head, body = await answer(reader)
        assert head.startswith(b"HTTP/1.1 200")
        assert b"connection: close\r\n" in head
        assert body == b"ok"
        assert await reader.read() == b""
        await running.drained()
        writer.close()


async def test_a_connection_whose_request_is_not_read_yet_is_answered() -> None:
    """Its bytes are in the socket's buffer at the moment of the drain: uvicorn alone resets it."""
    async with serving() as running:
        connections = [await running.connect() for _ in range(20)]
        await asyncio.sleep(0.02)  # all accepted, none with a request
        running.server.drain()
        while not running.server.should_exit or running.server.servers[0].is_serving():
            await asyncio.sleep(0)
        for _, writer in connections:
            writer.write(GET)
        for reader, writer in connections:
            head, _ = await answer(reader)
            assert head.startswith(b"HTTP/1.1 200")
            assert b"connection: close\r\n" in head
            writer.close()
        await running.drained()


class CrowdedServer(Server):
    """Clients connect and send at the very moment at which it stops to accept."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        assert sockets is not None
        self.crowd = [socket.create_connection(sockets[0].getsockname()) for _ in range(5)]
        for client in self.crowd:
            client.sendall(GET)
        await super().shutdown(sockets)


async def test_connections_that_nobody_has_accepted_yet_are_answered() -> None:
    """The kernel has: their clients have sent their requests, and would be reset with the queue."""
    async with serving(kind=CrowdedServer) as running:
        running.server.drain()
        await running.drained()
        assert isinstance(running.server, CrowdedServer)
        for client in running.server.crowd:
            with client:
                assert client.recv(1000).endswith(b"\r\n\r\nok")


async def test_with_patience_an_idle_connection_may_bring_one_more_request() -> None:
    async with serving() as running:
        reader, writer = await running.connect()
        writer.write(GET)
        await answer(reader)
        running.server.drain(patience=2)
        await asyncio.sleep(0.4)
        writer.write(GET)
        head, _ = await answer(reader)
        assert b"connection: close\r\n" in head
        # Nobody is left to wait for.
        await running.drained(timeout=1)
        writer.close()


async def test_the_shorter_patience_counts() -> None:
    async with serving() as running:
        _, writer = await running.connect()
        running.server.drain(patience=60)
        await asyncio.sleep(0.3)
        running.server.drain()
        await running.drained(timeout=1)
        writer.close()


async def test_idle_connections_do_not_delay_the_end() -> None:
    async with serving() as running:
        idle = [await running.connect() for _ in range(5)]
        running.server.drain()
        await running.drained(timeout=1)
        for reader, writer in idle:
            assert await reader.read() == b""
            writer.close()


@pytest.fixture
def configured_logs(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Logging as a worker has it, and as it was after the test."""
    loggers = [logging.getLogger(name) for name in (None, "gateway", "uvicorn.error")]
    before = [(each, each.level, each.handlers[:], each.filters[:]) for each in loggers]
    logs.configure("test")
    logging.getLogger().addHandler(caplog.handler)
    yield caplog
    for each, level, handlers, filters in before:
        each.setLevel(level)
        each.handlers, each.filters = handlers, filters


async def test_a_request_that_outlasts_the_drain_time_is_cut_off_in_one_line(
    configured_logs: pytest.LogCaptureFixture,
) -> None:
    async with serving(drain_timeout=0) as running:
        reader, writer = await running.connect()
        writer.write(GET.replace(b"/ ", b"/slow "))
        await running.app.come.wait()
        running.server.drain()
        await running.drained()
        assert b"200" not in await reader.read()
        writer.close()
    assert configured_logs.messages == ["1 request was not finished within the drain time and cut off"]


async def test_websockets_are_told_that_the_service_restarts() -> None:
    async with serving() as running, connect(f"ws://127.0.0.1:{running.address.port}/") as socket_:
        running.server.drain()
        with pytest.raises(ConnectionClosed):
            await socket_.recv()
        assert socket_.close_code == 1012
        await running.drained()


async def test_signals_stay_with_the_process() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    async with serving():
        assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


async def test_two_workers_can_share_one_listening_socket() -> None:
    listener, address = listen(Address("127.0.0.1", 0), "--host", "--port")
    app = App()
    servers = [Server(app, drain_timeout=1) for _ in range(2)]
    shares = [socket.socket(fileno=listener.fileno()), listener.dup()]
    listener.detach()
    tasks = [asyncio.create_task(server.serve([share])) for server, share in zip(servers, shares, strict=True)]
    await asyncio.sleep(0.05)
    servers[0].drain()
    await tasks[0]
    reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(GET)
    assert (await answer(reader))[1] == b"ok"
    writer.close()
    servers[1].drain()
    await tasks[1]
