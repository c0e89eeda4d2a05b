"""How many connections each remote app has, for the metrics page: looked at once a second, not at each request."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Final

from gateway.backends.registry import Registry
from gateway.backends.remote import RemoteBackend
from gateway.telemetry.recorder import UPSTREAM_CONNECTIONS, UPSTREAM_WAITING
from gateway.telemetry.slots import Key, SlotFile

# Seconds. Scrapers come every five to sixty.
_INTERVAL: Final = 1.0


class Connections:
    """Writes the counts of all remote backends into slots, between ``start`` and ``stop``."""

    def __init__(self, registry: Registry, slots: SlotFile) -> None:
        self._registry = registry
        self._slots = slots
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
        # Two backends may have one name: that of the live file, and that of an older one with requests still running.
        counts: Counter[Key] = Counter()
        for backend in self._registry.backends:
            if isinstance(backend, RemoteBackend):
                counts.update(_counts(backend))
        for key in self._written.keys() - counts.keys():
            self._slots.values[self._written[key]] = 0.0
        for key, count in counts.items():
            slot = self._written.get(key)
            if slot is None:
                slot = self._written[key] = self._slots.allocate(key)
            self._slots.values[slot] = count


def _counts(backend: RemoteBackend) -> dict[Key, int]:
    origins = backend.upstream.origins
    return {
        (UPSTREAM_CONNECTIONS, backend.name, "connecting"): sum(origin.connecting for origin in origins),
        (UPSTREAM_CONNECTIONS, backend.name, "busy"): sum(origin.busy for origin in origins),
        (UPSTREAM_CONNECTIONS, backend.name, "idle"): sum(len(origin.idle) for origin in origins),
        (UPSTREAM_CONNECTIONS, backend.name, "websocket"): sum(origin.websockets for origin in origins),
        (UPSTREAM_WAITING, backend.name): backend.upstream.pool.waiting,
    }
