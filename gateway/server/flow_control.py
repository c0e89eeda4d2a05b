"""Back-pressure, both ways: who may not go on waits, and what is not wanted yet is left with the client."""

from __future__ import annotations

import asyncio


class Waiters:
    """Tasks that wait for the next change. Made for one or two of them, and for none most of the time."""

    __slots__ = ("_futures",)

    def __init__(self) -> None:
        self._futures: list[asyncio.Future[None]] = []

    async def wait(self) -> None:
        # One future each: who is cancelled cancels its own.
        future = asyncio.get_running_loop().create_future()
        self._futures.append(future)
        try:
            await future
        except asyncio.CancelledError:
            # Apps ask each second whether the client is still there, for hours.
            if future in self._futures:
                self._futures.remove(future)
            raise

    def wake(self) -> None:
        futures, self._futures = self._futures, []
        for future in futures:
            if not future.done():
                future.set_result(None)


class FlowControl:
    """What of a connection stands still at the moment."""

    __slots__ = ("_transport", "_waiters", "read_paused", "write_paused")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._waiters: Waiters | None = None
        self.read_paused = False
        self.write_paused = False

    def pause_reading(self) -> None:
        if not self.read_paused and not self._transport.is_closing():
            self.read_paused = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        if self.read_paused and not self._transport.is_closing():
            self.read_paused = False
            self._transport.resume_reading()

    def pause_writing(self) -> None:
        self.write_paused = True

    def resume_writing(self) -> None:
        self.write_paused = False
        if self._waiters is not None:
            self._waiters.wake()

    async def writable(self) -> None:
        """Wait until the client has taken most of what was written. Returns also when it has gone."""
        if self._waiters is None:
            self._waiters = Waiters()
        while self.write_paused:
            await self._waiters.wait()
