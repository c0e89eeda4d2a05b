"""A gateway behind its own front door, before scripted remote apps: all in one event loop, over real sockets."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gateway.control.server import Server
from gateway.dataplane.app import Gateway
from gateway.server.exchange import Exchange
from gateway.server.limits import Limits
from gateway.server.protocol import FrontDoor
from gateway.telemetry.access_log import AccessLog
from gateway.telemetry.slots import SlotFile
from tests.upstream.scripted import App, Script, app, eventually

GET = b"GET /books HTTP/1.1\r\nHost: shop.example\r\n\r\n"


class Client:
    """Says what it is told to, and reads by the byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def head(self) -> bytes:
        async with asyncio.timeout(5):
            return await self.reader.readuntil(b"\r\n\r\n")

    async def answer(self, size: int = 2) -> tuple[bytes, bytes]:
        """The head, and ``size`` bytes of content."""
        head = await self.head()
        async with asyncio.timeout(5):
            return head, await self.reader.readexactly(size)

    async def rest(self) -> bytes:
        async with asyncio.timeout(5):
            return await self.reader.read()

    def reset(self) -> None:
        """Close without a FIN, which could also mean that no more is to be asked."""
        sock = self.writer.transport.get_extra_info("socket")
        if sock.fileno() < 0:
            return
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


class Stage:
    """``in_tasks`` counts the requests for which a task was started."""

    def __init__(self, gateway: Gateway, server: Server, port: int, remote: App, slots: SlotFile) -> None:
        self.gateway = gateway
        self.server = server
        self.port = port
        self.remote = remote
        self.in_tasks = 0
        self._slots = slots

    @asynccontextmanager
    async def client(self, limit: int = 1 << 20) -> AsyncIterator[Client]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=limit)
        client = Client(reader, writer)
        try:
            yield client
        finally:
            client.reset()

    async def warm(self) -> None:
        """One request, which opens the connection to the remote app. It has to have a task."""
        async with self.client() as client:
            client.send(GET)
            await client.answer()
        await eventually(lambda: self.idle == 1)
        assert self.in_tasks == 1
        self.in_tasks = 0

    @property
    def upstream(self) -> Any:
        snapshot = self.gateway._runtime.snapshot
        assert snapshot is not None
        return snapshot.backends["remote"].upstream  # type: ignore[union-attr]

    @property
    def origin(self) -> Any:
        return self.upstream.origins[0]

    @property
    def idle(self) -> int:
        return len(self.origin.idle)

    def counted(self, *key: str) -> float:
        return sum(values[0] for names, values in self._slots.items() if names[0] == key[0] and set(key) <= set(names))

    @property
    def in_flight(self) -> float:
        assert self.origin.busy == self.counted("in_flight")
        return self.counted("in_flight")


@asynccontextmanager
async def stage(
    *scripts: Script,
    limits: Limits | None = None,
    server: dict[str, Any] | None = None,
    access_log: AccessLog | None = None,
    **config: Any,
) -> AsyncIterator[Stage]:
    """``config`` is merged into that of the gateway; ``remote`` in it into the backend's, ``other`` is another one."""
    async with app(*scripts) as remote:
        slots = SlotFile()
        backend = {"url": remote.url, **config.pop("remote", {})}
        backends = {"remote": backend, "other": config.pop("other", {"url": "http://127.0.0.1:9"})}
        data = {"version": 1, "backends": backends, "default": "remote", "routes": [], **config}
        gateway = Gateway.from_dict(data, slots=slots, access_log=access_log)
        await gateway.start()
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        door = type("Door", (FrontDoor,), {"limits": limits or Limits(), "__slots__": ()})
        served = Server(gateway, protocol=door, **{"drain_timeout": 2, **(server or {})})
        running = asyncio.create_task(served.serve([listener]))
        staged = Stage(gateway, served, port, remote, slots)
        start = Exchange.start

        def counting(exchange: Exchange, answer: Any) -> None:
            staged.in_tasks += 1
            start(exchange, answer)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Exchange, "start", counting)
            try:
                await eventually(lambda: served.started)
                yield staged
            finally:
                served.drain(0)
                await running
                await gateway.stop()
