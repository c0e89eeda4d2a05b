"""Both ends of a relayed WebSocket: a remote app, scripted frame by frame, and what a server does for a client."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.types import Message, Scope
from websockets.frames import Close, Frame, Opcode
from websockets.utils import accept_key

from gateway.upstream.failure import UpstreamError
from gateway.upstream.upstream import Upstream
from gateway.upstream.websocket import Relay
from gateway.websocket.limits import Limits
from tests.upstream.scripted import Fields, Peer, Script, a_scope

TEXT, BINARY, CONTINUATION = Opcode.TEXT, Opcode.BINARY, Opcode.CONT
CLOSE, PING, PONG = Opcode.CLOSE, Opcode.PING, Opcode.PONG

HURRIED = Limits(close_timeout=0.2, linger=0.2)
DENIAL: dict[str, dict[str, Any]] = {"websocket.http.response": {}}


def unmasked(opcode: Opcode, data: bytes = b"", *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=False)


def unmasked_close(code: int, reason: str = "") -> bytes:
    return unmasked(CLOSE, Close(code, reason).serialize())


def switching(request: bytes, *fields: bytes) -> bytes:
    """The 101 to this handshake, with these further lines."""
    key = next(line for line in request.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key:"))
    accept = accept_key(key.partition(b":")[2].strip().decode())
    lines = [b"Upgrade: websocket", b"Connection: Upgrade", b"Sec-WebSocket-Accept: " + accept.encode(), *fields]
    return b"HTTP/1.1 101 Switching Protocols\r\n" + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


class RemoteSocket:
    """The app's end of a WebSocket."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer

    async def send(self, opcode: Opcode, data: bytes = b"", *, fin: bool = True) -> None:
        await self.peer.say(unmasked(opcode, data, fin=fin))

    async def close(self, code: int, reason: str = "") -> None:
        await self.peer.say(unmasked_close(code, reason))

    async def read(self) -> tuple[Opcode, bytes]:
        """The next frame; it is masked, and whole. EOFError at the end."""
        first, size = await self.peer.read(2)
        assert first & size & 128
        size &= 127
        # Past the peer's memory of what it has heard: there may be tens of megabytes.
        read = self.peer._reader.readexactly
        if size == 126:
            (size,) = struct.unpack("!H", await read(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", await read(8))
        key = await read(4)
        data = await read(size)
        number = int.from_bytes(data, "big") ^ int.from_bytes((key * (size // 4 + 1))[:size], "big")
        return Opcode(first & 15), number.to_bytes(size, "big")

    async def read_close(self) -> tuple[int, str]:
        """Code and reason of the next frame; 1005 for an empty one."""
        opcode, data = await self.read()
        assert opcode is CLOSE, (opcode, data)
        close = Close.parse(data)
        return close.code, close.reason

    async def end_well(self) -> None:
        """Read on until the other end closes, and answer as one should."""
        while (frame := await self.read())[0] is not CLOSE:
            pass
        await self.send(*frame)
        self.peer.finish()


async def quiet(socket: RemoteSocket) -> None:
    """Says nothing."""


def accepting(script: Callable[[RemoteSocket], Awaitable[None]] = quiet, *fields: bytes) -> Script:
    """An app that accepts, does what ``script`` says, and then waits for the end."""

    async def run(peer: Peer) -> None:
        await peer.say(switching(await peer.head(), *fields))
        socket = RemoteSocket(peer)
        await script(socket)
        await socket.end_well()

    return run


def socket_scope(
    target: bytes = b"/chat",
    headers: Fields | None = None,
    subprotocols: list[str] | None = None,
    **more: Any,
) -> Scope:
    scope = a_scope("GET", target, headers)
    del scope["method"]
    return {
        **scope,
        "type": "websocket",
        "scheme": "ws",
        "subprotocols": subprotocols or [],
        "extensions": DENIAL,
        **more,
    }


class Browser:
    """What the server does for one client. While ``reading`` is not set, the client takes nothing."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.reading = asyncio.Event()
        self.reading.set()
        self.gone = False
        self._coming: asyncio.Queue[Message] = asyncio.Queue()
        self._coming.put_nowait({"type": "websocket.connect"})
        self._changed = asyncio.Event()

    async def receive(self) -> Message:
        return await self._coming.get()

    async def send(self, message: Message) -> None:
        await self.reading.wait()
        if self.gone:
            raise BrokenPipeError
        self.sent.append(message)
        self._changed.set()

    def say(self, content: str | bytes) -> None:
        key = "text" if isinstance(content, str) else "bytes"
        self._coming.put_nowait({"type": "websocket.receive", key: content})

    def tell(self, message: Message) -> None:
        self._coming.put_nowait(message)

    @property
    def waiting(self) -> int:
        """How many messages nobody has asked for yet."""
        return self._coming.qsize()

    def leave(self, code: int = 1006, reason: str | None = "") -> None:
        self.gone = True
        self._coming.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})

    async def until(self, kind: str, count: int = 1) -> Message:
        """The ``count``-th message of this kind, once it has come."""
        while True:
            found = [message for message in self.sent if message["type"] == kind]
            if len(found) >= count:
                return found[count - 1]
            self._changed.clear()
            await self._changed.wait()

    @property
    def messages(self) -> list[str | bytes]:
        """What has come from the app."""
        sent = [message for message in self.sent if message["type"] == "websocket.send"]
        return [message["text"] if "text" in message else message["bytes"] for message in sent]


@asynccontextmanager
async def relaying(
    upstream: Upstream, scope: Scope | None = None, limits: Limits | None = HURRIED
) -> AsyncIterator[tuple[Browser, asyncio.Task[None]]]:
    """A client, and the task that relays for it. When the block is left, the task must have ended, or end soon."""
    browser = Browser()
    before = asyncio.all_tasks()
    relay = Relay(upstream, scope or socket_scope(), browser.receive, browser.send, limits)
    task = asyncio.create_task(relay.run())
    try:
        async with asyncio.timeout(5):
            yield browser, task
            await asyncio.wait((task,))
        assert not any(origin.websockets for origin in upstream.origins)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    left = {each for each in asyncio.all_tasks() - before if "Relay" in repr(each)}
    assert not left


async def failure_of(upstream: Upstream, **scope: Any) -> str:
    """The name of the failure that a handshake ends in."""
    async with relaying(upstream, socket_scope(**scope)) as (browser, task):
        with pytest.raises(UpstreamError) as raised:
            await task
    assert not browser.sent
    return raised.value.failure.name
