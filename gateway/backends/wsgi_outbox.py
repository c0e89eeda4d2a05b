"""A streamed response on its way from the app's thread to the event loop."""

from __future__ import annotations

import asyncio
from collections import deque

from gateway.backends.gate import Gate
from gateway.backends.mailbox import Mailbox
from gateway.backends.wsgi_input import ClientDisconnected

HIGH_WATER = 64 * 1024
"""Bytes that may be on their way to the server before the app's thread has to wait."""


class Outbox:
    """What the app has produced and the server has not yet accepted.

    The event loop takes all there is at once: an app that is quicker than the loop costs one hop for many chunks, and
    a chunk of a slow app goes out at once.
    """

    __slots__ = (
        "_accepted",
        "_chunks",
        "_ended",
        "_error",
        "_gate",
        "_mailbox",
        "_produced",
        "_told",
        "_waiting",
        "gone",
    )

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._chunks: deque[bytes] = deque()
        self._gate = Gate()
        self._produced = 0  # bytes; written by the thread only
        self._accepted = 0  # bytes; written by the event loop only
        self._ended = False
        self._error: BaseException | None = None
        self._waiting: asyncio.Future[None] | None = None
        self._told: asyncio.Future[None] | None = None
        self.gone = False

    # In the app's thread.

    def put(self, chunk: bytes) -> None:
        """Add ``chunk``, then wait while too much is outstanding. Raises ClientDisconnected when nobody takes it."""
        self._chunks.append(chunk)
        self._produced += len(chunk)
        self._tell()
        if self._produced - self._accepted > HIGH_WATER:
            self._gate.wait_until(self._may_go_on)
        if self.gone:
            raise ClientDisconnected("the client has gone")

    def end(self, last: bytes = b"", error: BaseException | None = None) -> None:
        """No more after ``last``. With an error the response is cut off, and cannot be taken for a whole one."""
        if last:
            self._chunks.append(last)
        self._error = error
        self._ended = True
        self._tell()

    # In the event loop.

    async def take(self) -> tuple[bytes, bool]:
        """Wait for chunks; return all there are as one, and whether they are the last.

        Once all that came before it has been taken, raises what the app raised.
        """
        while not self.gone:
            ended = self._ended  # read before the chunks are: when it is set, all of them are there
            if chunks := self._all_chunks():
                return b"".join(chunks), ended and self._error is None
            if ended:
                if self._error is not None:
                    raise self._error
                break
            self._waiting = self._mailbox.loop.create_future()
            if not self._chunks and not self._ended:  # still, now that the thread can see whom to tell
                await self._waiting
            self._waiting = None
        return b"", True

    def accepted(self, size: int) -> None:
        """The server has accepted ``size`` bytes of what was taken."""
        self._accepted += size
        self._gate.open()

    def abandon(self) -> None:
        """Nobody takes any more: free the thread, also if it waits in ``put``, and whoever waits in ``take``."""
        self.gone = True
        self._gate.open()
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def _all_chunks(self) -> list[bytes]:
        chunks = []
        while self._chunks:
            chunks.append(self._chunks.popleft())
        return chunks

    def _may_go_on(self) -> bool:
        return self._produced - self._accepted <= HIGH_WATER or self.gone

    def _tell(self) -> None:
        waiting = self._waiting
        if waiting is not None and waiting is not self._told:
            self._told = waiting
            if not self._mailbox.resolve(waiting):
                self.gone = True  # the loop is closed
