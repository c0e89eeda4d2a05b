"""A stream over a real connection, and a peer that sends what bytes it likes."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from websockets.frames import Close, Frame, Opcode
from websockets.protocol import SERVER, Side

from gateway.websocket.end import Closed, End
from gateway.websocket.limits import Limits
from gateway.websocket.stream import Stream

TEXT, BINARY, CONTINUATION = Opcode.TEXT, Opcode.BINARY, Opcode.CONT
CLOSE, PING, PONG = Opcode.CLOSE, Opcode.PING, Opcode.PONG

# Short enough for a test to wait for, long enough for a busy machine.
HURRIED = Limits(ping_interval=0.1, ping_timeout=0.1, close_timeout=0.1, linger=0.1)


def frame(opcode: Opcode, data: bytes = b"", *, fin: bool = True, mask: bool = True) -> bytes:
    """As it is on the wire; clients mask."""
    return Frame(opcode, data, fin).serialize(mask=mask)


def close_frame(code: int, reason: str = "", *, mask: bool = True) -> bytes:
    return frame(CLOSE, Close(code, reason).serialize(), mask=mask)


class Peer:
    """The other end of a connection. ``masks`` if it is the client."""

    def __init__(self, sock: socket.socket, masks: bool) -> None:
        self.socket = sock
        self.masks = masks
        self._buffer = b""

    async def send(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.socket, data)

    async def send_frame(self, opcode: Opcode, data: bytes = b"", *, fin: bool = True) -> None:
        await self.send(frame(opcode, data, fin=fin, mask=self.masks))

    async def send_close(self, code: int, reason: str = "") -> None:
        await self.send(close_frame(code, reason, mask=self.masks))

    async def send_while_taken(self, data: bytes) -> int:
        """Send until nothing more is taken for a while. How much of ``data`` was."""
        sent = 0
        while sent < len(data):
            try:
                sent += self.socket.send(data[sent : sent + 1_000_000])
            except BlockingIOError:
                loop = asyncio.get_running_loop()
                room: asyncio.Future[None] = loop.create_future()
                loop.add_writer(self.socket, lambda room=room: room.done() or room.set_result(None))  # type: ignore[misc]
                try:
                    async with asyncio.timeout(0.1):
                        await room
                except TimeoutError:
                    return sent
                finally:
                    loop.remove_writer(self.socket)
        return sent

    async def read(self, size: int) -> bytes:
        """Exactly so much. Raises EOFError at the end."""
        while len(self._buffer) < size:
            data = await asyncio.get_running_loop().sock_recv(self.socket, 1 << 20)
            if not data:
                raise EOFError(self._buffer)
            self._buffer += data
        found, self._buffer = self._buffer[:size], self._buffer[size:]
        return found

    async def read_frame(self) -> tuple[Opcode, bytes, bool]:
        """Opcode, payload, whether it is the last of its message. Raises EOFError at the end."""
        first, second = await self.read(2)
        size = second & 127
        if size == 126:
            (size,) = struct.unpack("!H", await self.read(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", await self.read(8))
        masked = bool(second & 128)
        assert masked is not self.masks
        key = await self.read(4) if masked else bytes(4)
        data = await self.read(size)
        if masked:
            padded = key * (size // 4 + 1)
            number = int.from_bytes(data, "big") ^ int.from_bytes(padded[:size], "big")
            data = number.to_bytes(size, "big")
        return Opcode(first & 15), data, bool(first & 128)

    async def read_close(self) -> tuple[int, str]:
        """Code and reason of the next frame; 1005 for an empty one."""
        opcode, data, _ = await self.read_frame()
        assert opcode is CLOSE, (opcode, data)
        close = Close.parse(data)
        return close.code, close.reason

    async def is_ended(self) -> bool:
        """Whether the other end has nothing more to say."""
        with contextlib.suppress(ConnectionResetError):
            data = await asyncio.get_running_loop().sock_recv(self.socket, 1 << 20)
            assert not data, data
        return True

    def end(self) -> None:
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


@asynccontextmanager
async def connected(side: Side = SERVER, limits: Limits | None = None) -> AsyncIterator[tuple[Stream, Peer]]:
    """A stream that is the server, or the client, and its peer."""
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as other:
        other.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        other.connect(listener.getsockname())
        ours, _ = listener.accept()
        other.setblocking(False)
        transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
        stream = Stream(transport, side, limits or Limits(), loop)
        transport.set_protocol(stream)
        try:
            yield stream, Peer(other, masks=side is SERVER)
        finally:
            stream.abort()
            await stream.wait_until_lost()


async def end_of(stream: Stream) -> End:
    """How it ended, as the one who reads is told."""
    with pytest.raises(Closed) as raised:
        await stream.receive()
    return raised.value.end
