"""What is so now, for the metrics page: looked at once a second, not at each request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from gateway.telemetry.slots import Key, SlotFile

# Seconds. Scrapers come every five to sixty.
_INTERVAL: Final = 1.0


class Gauges:
    """Writes what ``sources`` count into slots, between ``start`` and ``stop``. What they leave out is 0 from then."""

    def __init__(self, slots: SlotFile, *sources: Callable[[], Mapping[Key, int]]) -> None:
        self._slots = slots
        self._sources = sources
        self._written: dict[Key, int] = {}
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._look(asyncio.get_running_loop())

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = loop.call_later(_INTERVAL, self._look, loop)
        counts = {key: count for source in self._sources for key, count in source().items()}
        for key in self._written.keys() - counts.keys():
            self._slots.values[self._written[key]] = 0.0
        for key, count in counts.items():
            slot = self._written.get(key)
            if slot is None:
                slot = self._written[key] = self._slots.allocate(key)
            self._slots.values[slot] = count
