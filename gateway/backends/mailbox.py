"""Waking an event loop from threads, at the price of one wake-up for many messages."""

from __future__ import annotations

import asyncio
from collections import deque


class Mailbox:
    """Futures of one event loop that threads have asked to be resolved.

    ``loop.call_soon_threadsafe`` makes a handle and writes to a file descriptor each time. Under load several
    threads finish between two turns of the loop; they share one wake-up here.
    """

    __slots__ = ("_resolved", "_waking", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._resolved: deque[asyncio.Future[None]] = deque()
        self._waking = False

    def resolve(self, future: asyncio.Future[None]) -> bool:
        """Resolve ``future`` on its loop, from any thread. False if the loop is closed: nobody will see it."""
        # Append before reading the flag, while the loop clears the flag before it empties the queue: whichever
        # way the two interleave, either the loop finds this future or the flag is down and it is woken again.
        self._resolved.append(future)
        if not self._waking:
            self._waking = True
            try:
                self.loop.call_soon_threadsafe(self._deliver)
            except RuntimeError:
                self._waking = False
                return False
        return True

    def _deliver(self) -> None:
        self._waking = False
        resolved = self._resolved
        while resolved:
            future = resolved.popleft()
            if not future.done():
                future.set_result(None)
