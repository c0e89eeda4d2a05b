"""``wsgi.input`` of a large or chunked request: a bounded buffer between the event loop and the app's thread."""

from __future__ import annotations

import asyncio
import io
from collections import deque
from collections.abc import Callable

from gateway.backends.gate import Gate

READ_AHEAD = 256 * 1024
"""Bytes that may wait for the app to read them. Beyond that nothing is taken from the client."""


class ClientDisconnected(ConnectionError):
    """The client has gone: the rest of the request will not come, the rest of the response will not be seen."""


class BodyPipe:
    """The body of one request on its way from the event loop to the app's thread.

    ``length`` is the declared length, None if only the end will tell. ``demand`` is called, in the event loop, when
    the app wants something that is not there.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, length: int | None, demand: Callable[[], None]) -> None:
        self._loop = loop
        self._expected = length
        self._demand = demand
        self._chunks: deque[memoryview] = deque()
        self._gate = Gate()
        self._fed = 0  # bytes; written by the event loop only
        self._taken = 0  # bytes; written by the thread only
        self._ended = False
        self._error: OSError | None = None
        self._room: asyncio.Future[None] | None = None
        self._told: asyncio.Future[None] | None = None

    # In the event loop.

    def feed(self, data: bytes, more: bool) -> None:
        """Add what has come; ``more`` says whether anything is to follow."""
        if self._expected is not None:
            # A server cannot give more than was declared, nor end before; a middleware might. More is cut, as a
            # server would; less is an error, for it must never look like the end.
            data = data[: self._expected]
            self._expected -= len(data)
        if data:
            self._fed += len(data)
            self._chunks.append(memoryview(data))
        if not more:
            if self._expected:
                self._error = ClientDisconnected("the body ended before its declared length")
            self._ended = True
        self._gate.open()

    def fail(self, error: OSError) -> None:
        """Unless the body is complete, reading raises ``error`` from here on, also if there is something to read."""
        if not self._ended and self._error is None:
            self._error = error
            self._gate.open()

    async def room(self) -> None:
        """Return when there is room for more."""
        if self._fed - self._taken < READ_AHEAD:
            return
        self._room = self._loop.create_future()
        if self._fed - self._taken >= READ_AHEAD:  # still, now that the thread can see whom to tell
            await self._room
        self._room = None

    # In the app's thread.

    def take(self, limit: int) -> memoryview:
        """Wait for something to read, and return at most ``limit`` bytes of it; nothing at the end of the body."""
        if not self._ready():
            self._loop.call_soon_threadsafe(self._demand)
            self._gate.wait_until(self._ready)
        if self._error is not None:
            raise self._error
        if not self._chunks:
            return memoryview(b"")
        chunk = self._chunks[0]
        if len(chunk) <= limit:
            self._chunks.popleft()
        else:
            self._chunks[0] = chunk[limit:]
            chunk = chunk[:limit]
        self._taken += len(chunk)
        room = self._room
        if room is not None and room is not self._told and self._fed - self._taken < READ_AHEAD:
            self._told = room
            self._loop.call_soon_threadsafe(_resolve, room)
        return chunk

    def _ready(self) -> bool:
        return bool(self._chunks) or self._ended or self._error is not None


class _RawInput(io.RawIOBase):
    def __init__(self, pipe: BodyPipe) -> None:
        self._pipe = pipe

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        chunk = self._pipe.take(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def readall(self) -> bytes:
        # The inherited one goes in steps of 8 KiB.
        chunks = []
        while chunk := self._pipe.take(READ_AHEAD):
            chunks.append(chunk)
        return b"".join(chunks)


def input_stream(pipe: BodyPipe) -> io.BufferedReader:
    """The file object for the app. All of ``read``, ``readline`` and iteration is the standard library's."""
    return io.BufferedReader(_RawInput(pipe), 64 * 1024)


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
