"""How many connections each remote app has, for the metrics page."""

from __future__ import annotations

from collections import Counter

from gateway.backends.registry import Registry
from gateway.backends.remote import RemoteBackend
from gateway.telemetry.recorder import UPSTREAM_CONNECTIONS, UPSTREAM_WAITING
from gateway.telemetry.slots import Key


def connections(registry: Registry) -> Counter[Key]:
    """The counts of all remote backends, as gauges have them."""
    # Two backends may have one name: that of the live file, and that of an older one with requests still running.
    counts: Counter[Key] = Counter()
    for backend in registry.backends:
        if isinstance(backend, RemoteBackend):
            counts.update(_counts(backend))
    return counts


def _counts(backend: RemoteBackend) -> dict[Key, int]:
    origins = backend.upstream.origins
    return {
        (UPSTREAM_CONNECTIONS, backend.name, "connecting"): sum(origin.connecting for origin in origins),
        (UPSTREAM_CONNECTIONS, backend.name, "busy"): sum(origin.busy for origin in origins),
        (UPSTREAM_CONNECTIONS, backend.name, "idle"): sum(len(origin.idle) for origin in origins),
        (UPSTREAM_CONNECTIONS, backend.name, "websocket"): sum(origin.websockets for origin in origins),
        (UPSTREAM_WAITING, backend.name): backend.upstream.pool.waiting,
    }
