"""What one request adds to the numbers. On every request's way: a few float additions, nothing else."""

from __future__ import annotations

from bisect import bisect_left

from gateway.telemetry.slots import SlotFile

# Seconds. Upper bounds of the latency buckets; +Inf is one more.
BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

# The first word of a slot's key says which metric it belongs to.
REQUESTS = "requests"
DURATION = "duration"
IN_FLIGHT = "in_flight"
UPSTREAM_FAILURES = "upstream_failures"
UPSTREAM_CONNECTIONS = "upstream_connections"
UPSTREAM_WAITING = "upstream_waiting"
ACCESS_LOG_DROPPED = "access_log_dropped"
REFUSED = "refused"
LIMIT_IN_FLIGHT = "limit_in_flight"
LIMIT_WAITING = "limit_waiting"
LIMIT_ALLOWED = "limit_allowed"
LIMIT_REFUSED = "limit_refused"
FALLBACKS = "fallbacks"
BREAKER_STATE = "breaker_state"
BREAKER_TRANSITIONS = "breaker_transitions"
BACKEND_HEALTH = "backend_health"
BACKEND_EJECTED = "backend_ejected"
BACKEND_EJECTIONS = "backend_ejections"

# What is so now, and ends with its worker; the others only grow.
GAUGES = frozenset(
    (
        *(IN_FLIGHT, UPSTREAM_CONNECTIONS, UPSTREAM_WAITING, LIMIT_IN_FLIGHT, LIMIT_WAITING, LIMIT_ALLOWED),
        *(BREAKER_STATE, BACKEND_HEALTH, BACKEND_EJECTED),
    )
)

# A method is whatever the client writes, and a label set must be finite: the rest is "other".
METHODS = frozenset(
    ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "REPORT", "WEBSOCKET")
)


class Recorder:
    """The counters of one route on one backend.

    A request calls ``begin`` once and ``end`` once. The duration is in seconds, from the request's head to the last
    byte of its answer; a WebSocket counts as a request, without a duration: it lasts as long as its user stays.
    """

    __slots__ = ("_backend", "_duration", "_in_flight", "_requests", "_route", "_slots", "_values")

    def __init__(self, slots: SlotFile, route: str, backend: str) -> None:
        self._slots = slots
        self._values = slots.values
        self._route = route
        self._backend = backend
        self._requests: dict[tuple[str, int], int] = {}
        # One slot for the sum, then one a bucket.
        self._duration = slots.allocate((DURATION, route, backend), len(BOUNDS) + 2)
        self._in_flight = slots.allocate((IN_FLIGHT, route, backend))

    def begin(self) -> None:
        self._values[self._in_flight] += 1.0

    def end(self, method: str, status: int, seconds: float) -> None:
        values = self._values
        values[self._in_flight] -= 1.0
        slot = self._requests.get((method, status))
        values[self._allocate(method, status) if slot is None else slot] += 1.0
        duration = self._duration
        values[duration] += seconds
        values[duration + 1 + bisect_left(BOUNDS, seconds)] += 1.0

    def end_websocket(self, status: int) -> None:
        values = self._values
        values[self._in_flight] -= 1.0
        slot = self._requests.get(("WEBSOCKET", status))
        values[self._allocate("WEBSOCKET", status) if slot is None else slot] += 1.0

    def upstream_failed(self, stage: str, reason: str) -> None:
        """A remote app could not be had, or did not do its part. Seldom: the slot is looked up by its key each time."""
        slot = self._slots.allocate((UPSTREAM_FAILURES, self._route, self._backend, stage, reason))
        self._values[slot] += 1.0

    def _allocate(self, method: str, status: int) -> int:
        label = method if method in METHODS else "other"
        slot = self._slots.allocate((REQUESTS, self._route, self._backend, label, str(status)))
        if label == method:
            self._requests[method, status] = slot
        return slot
