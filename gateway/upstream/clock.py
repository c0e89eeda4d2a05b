"""Deadlines, looked at every now and then instead of a timer set and cancelled for each request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

# Seconds.
_SOON: Final = 0.005


class Timed(Protocol):
    """What the clock looks after."""

    def look(self, now: float) -> None:
        """Called at each tick. It must not begin or end anything that the clock looks after."""


class Clock:
    """``now`` is the loop's time in seconds as of the last tick: at most one tick old while anything is looked after.

    ``at_tick`` is called at each tick too, and says whether the clock must go on for its sake.
    """

    __slots__ = ("_at_tick", "_handle", "_loop", "_soon", "_timed", "now", "tick")

    def __init__(self, loop: asyncio.AbstractEventLoop, tick: float, at_tick: Callable[[float], bool]) -> None:
        self._loop = loop
        self._at_tick = at_tick
        self._timed: set[Timed] = set()
        self._soon: list[Callable[[], None]] = []
        self._handle: asyncio.TimerHandle | None = None
        self.tick = tick
        self.now = loop.time()

    def after(self, seconds: float) -> float:
        """A point in time that is not less than ``seconds`` away."""
        return self.now + seconds + self.tick

    def add(self, timed: Timed) -> None:
        self._timed.add(timed)
        if self._handle is None:
            self.now = self._loop.time()
            self._handle = self._loop.call_later(self.tick, self._look)

    def remove(self, timed: Timed) -> None:
        self._timed.discard(timed)

    def soon(self, callback: Callable[[], None]) -> None:
        """Call it in some milliseconds. One timer serves all who ask meanwhile."""
        if not self._soon:
            self._loop.call_later(_SOON, self._call)
        self._soon.append(callback)

    def _call(self) -> None:
        soon, self._soon = self._soon, []
        for callback in soon:
            callback()

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _look(self) -> None:
        now = self.now = self._loop.time()
        for timed in self._timed:
            timed.look(now)
        goes_on = self._at_tick(now)
        self._handle = self._loop.call_later(self.tick, self._look) if goes_on or self._timed else None
