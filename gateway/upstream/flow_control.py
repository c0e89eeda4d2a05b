"""Back-pressure towards an app and from it."""

from __future__ import annotations

import asyncio


class FlowControl:
    """What of a connection stands still. One task at most waits for it to take more, and none most of the time."""

    __slots__ = ("_loop", "_transport", "_waiter", "read_paused", "write_paused")

    def __init__(self, loop: asyncio.AbstractEventLoop, transport: asyncio.Transport) -> None:
        self._loop = loop
        self._transport = transport
        self._waiter: asyncio.Future[None] | None = None
        self.read_paused = False
        self.write_paused = False

    def pause_reading(self) -> None:
        if not self.read_paused and not self._transport.is_closing():
            self.read_paused = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        if self.read_paused:
            self.read_paused = False
            if not self._transport.is_closing():
                self._transport.resume_reading()

    def pause_writing(self) -> None:
        self.write_paused = True

    def resume_writing(self) -> None:
        """Also when the connection is gone: nobody waits for it any more."""
        self.write_paused = False
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def writable(self) -> None:
        """Wait until the app has taken most of what was written to it. Returns also when the connection is gone."""
        while self.write_paused:
            self._waiter = self._loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
