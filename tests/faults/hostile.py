"""An upstream that breaks HTTP in the way that a request names, and answers rightly where none is named.

It reads each request to its end, and writes down that it was done, before it does anything about it. One instance
serves any number of tests; its connections are kept, so that what one answer leaves behind meets the next request.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable
from types import TracebackType

from tests.faults.background import BackgroundServer
from tests.faults.ledger import Ledger
from tests.faults.stamped import Book, Wanted, stamp
from tests.faults.wire import Malformed, field, read_body, read_head


class Turn:
    """One request that has come, and what can be done to who sent it."""

    def __init__(self, wanted: Wanted, body: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.content = stamp(wanted, "new", body)
        self.head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(self.content)}\r\n\r\n".encode()
        self._reader = reader
        self._writer = writer

    @property
    def asked_again(self) -> bool:
        """Whether the next request has come already."""
        return bool(self._reader._buffer)  # type: ignore[attr-defined]

    async def say(self, *data: bytes) -> None:
        self._writer.write(b"".join(data))
        await self._writer.drain()

    async def answer(self) -> None:
        await self.say(self.head, self.content)

    async def hang(self) -> None:
        """Say no more, for as long as the other side stays."""
        while await self._reader.read(1 << 16):
            pass

    def finish(self) -> None:
        """Close; what was said arrives."""
        self._writer.close()

    def end_own_side(self) -> None:
        self._writer.write_eof()

    def reset(self) -> None:
        linger = struct.pack("ii", 1, 0)
        self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._writer.transport.abort()


Fault = Callable[[Turn], Awaitable[None]]


class Hostile(BackgroundServer):
    def __init__(self, ledger: Ledger, faults: dict[str, Fault]) -> None:
        self._book = Book(ledger.book("hostile"))
        self._faults = faults

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        self._book.close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # asyncio would tell of each connection that the gateway breaks off.
        with contextlib.suppress(EOFError, OSError, Malformed):
            while not writer.is_closing():
                line, fields = await read_head(reader)
                body = await read_body(reader, fields)
                method, target, _ = line.split(" ")
                wanted = Wanted.of(target)
                self._book.note(method, wanted.name)
                turn = Turn(wanted, body, reader, writer)
                fault = field(fields, "x-fault")
                if fault is None:
                    await turn.answer()
                else:
                    await self._faults[fault](turn)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
