"""What the control process itself has to say on the metrics page: configuration and workers."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from gateway.config.model import SCALE
from gateway.control.live import LiveConfig
from gateway.control.process import State
from gateway.control.supervisor import Supervisor

# The label of what no route names, as in the numbers of the requests.
_DEFAULT = "default"


class ControlMetrics(Collector):
    """Register it with a ``CollectorRegistry``, beside the workers' own numbers."""

    def __init__(self, live: LiveConfig, supervisor: Supervisor) -> None:
        self._live = live
        self._supervisor = supervisor
        self._start = time.time()

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(
            "gateway_start_time_seconds", "When this gateway began to count, in seconds since the epoch.", self._start
        )
        yield from self._config()
        yield from self._workers()

    def _config(self) -> Iterator[Metric]:
        live = self._live
        config = live.loaded.config
        weights = GaugeMetricFamily(
            "gateway_route_weight_ratio",
            "Share of a route's requests that the live configuration gives to a backend, from 0 to 1.",
            labels=["route", "backend"],
        )
        for route in config.routes:
            for backend, weight in route.weights:
                weights.add_metric([route.label, backend], weight / SCALE)
        weights.add_metric([_DEFAULT, config.default], 1.0)
        yield weights
        yield GaugeMetricFamily(
            "gateway_config_version", "The number of the live version, as in the history.", live.version
        )
        yield GaugeMetricFamily(
            "gateway_config_last_reload_successful",
            "1 if the file is good; 0 if it is refused or missing, and an older version stays live.",
            float(not live.problems),
        )
        yield GaugeMetricFamily(
            "gateway_config_last_reload_timestamp_seconds", "When the file was last read.", live.last_reload
        )
        reloads = CounterMetricFamily("gateway_config_reloads", "Changes of the file, by outcome.", labels=["outcome"])
        reloads.add_metric(["applied"], live.applied)
        reloads.add_metric(["rejected"], live.rejected)
        yield reloads

    def _workers(self) -> Iterator[Metric]:
        states = Counter(worker.state for worker in self._supervisor.processes)
        workers = GaugeMetricFamily("gateway_workers", "Worker processes, by state.", labels=["state"])
        for state in State:
            workers.add_metric([state.value], states[state])
        yield workers
        yield GaugeMetricFamily(
            "gateway_workers_planned", "How many workers there should be.", self._supervisor.planned
        )
        yield CounterMetricFamily(
            "gateway_worker_restarts", "Workers that replaced one that had died.", self._supervisor.restarts
        )
