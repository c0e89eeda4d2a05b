"""The metrics page: the sum over all workers, those that have gone included, in Prometheus' text format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import accumulate
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from gateway.telemetry.recorder import (
    ACCESS_LOG_DROPPED,
    BACKEND_EJECTED,
    BACKEND_EJECTIONS,
    BACKEND_HEALTH,
    BOUNDS,
    BREAKER_STATE,
    BREAKER_TRANSITIONS,
    DURATION,
    FALLBACKS,
    GAUGES,
    IN_FLIGHT,
    LIMIT_ALLOWED,
    LIMIT_IN_FLIGHT,
    LIMIT_REFUSED,
    LIMIT_WAITING,
    REFUSED,
    REQUESTS,
    UPSTREAM_CONNECTIONS,
    UPSTREAM_FAILURES,
    UPSTREAM_WAITING,
)
from gateway.telemetry.slots import Key, SlotFile, SlotReader

Totals = dict[Key, list[float]]


class Aggregate(Collector):
    """Sums the slot files of all workers. Register it with a ``CollectorRegistry``.

    A counter must never fall, so a worker that ends leaves its counts here: ``retire_worker`` folds them in. Its
    requests in flight and its connections died with it and are dropped.
    """

    def __init__(self) -> None:
        self._readers: dict[Path, SlotReader | None] = {}
        self._gone: Totals = {}

    def add_worker(self, path: Path) -> None:
        """The worker may still be starting: its file is opened when it is there."""
        self._readers[path] = None

    def retire_worker(self, path: Path) -> None:
        """The worker has ended, whichever way: keep its counts, delete its files."""
        reader = self._open(path)
        self._readers.pop(path, None)
        if reader is not None:
            _add(self._gone, (item for item in reader.items() if item[0][0] not in GAUGES))
            reader.remove()

    def totals(self) -> Totals:
        """The sums by key: the raw material of the page, and of the live figures."""
        totals: Totals = {}
        _add(totals, self._gone.items())
        for path in list(self._readers):
            reader = self._open(path)
            if reader is not None:
                _add(totals, reader.items())
        return totals

    def collect(self) -> Iterator[Metric]:
        return families(self.totals())

    def close(self) -> None:
        """Close and delete what is left."""
        for path in list(self._readers):
            self.retire_worker(path)

    def _open(self, path: Path) -> SlotReader | None:
        reader = self._readers.get(path)
        if reader is None:
            try:
                reader = self._readers[path] = SlotReader(path)
            except FileNotFoundError:
                return None
        return reader


class Local(Collector):
    """The numbers of a gateway that runs in one process, under some other server."""

    def __init__(self, slots: SlotFile) -> None:
        self._slots = slots

    def collect(self) -> Iterator[Metric]:
        totals: Totals = {}
        _add(totals, self._slots.items())
        return families(totals)


def families(totals: Totals) -> Iterator[Metric]:
    """The metric families of ``totals``, in a stable order."""
    requests = CounterMetricFamily(
        "gateway_requests",
        "Requests answered, by route, backend, method and status (499: the client left first).",
        labels=["route", "backend", "method", "status"],
    )
    durations = HistogramMetricFamily(
        "gateway_request_duration_seconds",
        "From the request's head to the last byte of its answer, by route and backend. WebSockets are left out.",
        labels=["route", "backend"],
    )
    in_flight = GaugeMetricFamily(
        "gateway_requests_in_flight", "Requests being answered now, by route and backend.", labels=["route", "backend"]
    )
    health = GaugeMetricFamily(
        "gateway_backend_health",
        "1 if active checks say that an address of a remote app is up, 0 if they say that it is down.",
        labels=["backend", "address"],
    )
    simple: dict[str, CounterMetricFamily | GaugeMetricFamily] = {
        REQUESTS: requests,
        IN_FLIGHT: in_flight,
        UPSTREAM_FAILURES: CounterMetricFamily(
            "gateway_upstream_failures",
            "Requests that a remote app failed, or for which no connection to it could be had, by stage and reason.",
            labels=["route", "backend", "stage", "reason"],
        ),
        UPSTREAM_CONNECTIONS: GaugeMetricFamily(
            "gateway_upstream_connections",
            "Connections to a remote app, by state, as of the last second.",
            labels=["backend", "state"],
        ),
        UPSTREAM_WAITING: GaugeMetricFamily(
            "gateway_upstream_requests_waiting",
            "Requests that wait for a connection to a remote app, as of the last second.",
            labels=["backend"],
        ),
        FALLBACKS: CounterMetricFamily(
            "gateway_fallbacks",
            "Requests that another backend was asked to answer, or should have been, by why and what came of it.",
            labels=["route", "from", "to", "reason", "outcome"],
        ),
        BREAKER_STATE: GaugeMetricFamily(
            "gateway_breaker_state",
            "In how many workers the breaker of a backend on a route is in this state.",
            labels=["route", "backend", "state"],
        ),
        BREAKER_TRANSITIONS: CounterMetricFamily(
            "gateway_breaker_transitions",
            "Changes of a breaker's state, by the state that it came to.",
            labels=["route", "backend", "state"],
        ),
        BACKEND_EJECTED: GaugeMetricFamily(
            "gateway_backend_ejected",
            "In how many workers an address of a remote app gets no requests, as others are there to serve them.",
            labels=["backend", "address"],
        ),
        BACKEND_EJECTIONS: CounterMetricFamily(
            "gateway_backend_ejections",
            "How often workers have found that an address fails too often to be used, by reason.",
            labels=["backend", "address", "reason"],
        ),
        REFUSED: CounterMetricFamily(
            "gateway_refused",
            "What was refused by a limit or as no HTTP, or broken off for it, by reason.",
            labels=["reason"],
        ),
        LIMIT_IN_FLIGHT: GaugeMetricFamily(
            "gateway_limit_requests_in_flight",
            "Requests that a route or a backend with a limit works on, as of the last second.",
            labels=["kind", "name"],
        ),
        LIMIT_WAITING: GaugeMetricFamily(
            "gateway_limit_requests_waiting",
            "Requests that wait for their turn at a limit, as of the last second.",
            labels=["kind", "name"],
        ),
        LIMIT_ALLOWED: GaugeMetricFamily(
            "gateway_limit_requests_allowed",
            "How many requests a route or a backend with a limit may work on at once, over all workers.",
            labels=["kind", "name"],
        ),
        LIMIT_REFUSED: CounterMetricFamily(
            "gateway_limit_refused",
            "Requests that found no place at a limit, by reason.",
            labels=["kind", "name", "reason"],
        ),
        ACCESS_LOG_DROPPED: CounterMetricFamily(
            "gateway_access_log_dropped",
            "Lines that the access log lacks: the disk was too slow (queue_full), or refused (write_failed).",
            labels=["reason"],
        ),
    }
    for (kind, *labels), values in sorted(totals.items()):
        if kind == DURATION:
            counts = accumulate(values[1:])
            buckets = list(zip([*map(repr, BOUNDS), "+Inf"], counts, strict=True))
            durations.add_metric(labels, buckets=buckets, sum_value=values[0])
        elif kind == BACKEND_HEALTH:
            # 0.0 is not known, 1.0 is up and 2.0 is down (gateway/health/board.py).
            if values[0]:
                health.add_metric(labels, 2.0 - values[0])
        elif kind == LIMIT_ALLOWED and not values[0]:
            # The limit is no longer in the file. That it allowed none would be something else.
            continue
        elif kind in simple:
            simple[kind].add_metric(labels, values[0])
    yield from simple.values()
    yield health
    yield durations


def _add(totals: Totals, items: Iterable[tuple[Key, Iterable[float]]]) -> None:
    for key, values in items:
        known = totals.get(key)
        if known is None:
            totals[key] = list(values)
        else:
            totals[key] = [a + b for a, b in zip(known, values, strict=True)]
