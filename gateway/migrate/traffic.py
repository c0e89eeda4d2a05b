"""Requests counted by the gateway, by route, backend and method."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

_REQUESTS = "gateway_requests_total"
_START = "gateway_start_time_seconds"
# The route of what the gateway refused before there was one.
NO_ROUTE = "none"

# (route, backend, method)
Counts = Mapping[tuple[str, str, str], float]


@dataclass(frozen=True, slots=True)
class Traffic:
    """``seconds`` is for how long it was counted, None if that is not known. ``source`` is who has counted it."""

    counts: Counts
    source: str
    seconds: float | None = None

    @property
    def total(self) -> float:
        return sum(self.counts.values())

    def of_route(self, route: str, methods: Iterable[str]) -> float:
        """Requests of the route with one of ``methods``; all methods if there are none."""
        wanted = frozenset(methods)
        return sum(
            count
            for (label, _, method), count in self.counts.items()
            if label == route and (not wanted or method in wanted)
        )

    def by_backend(self) -> dict[str, float]:
        found: dict[str, float] = defaultdict(float)
        for (_, backend, _), count in self.counts.items():
            found[backend] += count
        return dict(found)


def from_metrics_page(text: str, source: str, now: float) -> Traffic:
    """The counts of a gateway's own metrics page, since its start. Raises ValueError for what is no such page.

    ``now`` is in seconds since the epoch.
    """
    from prometheus_client.parser import text_string_to_metric_families

    try:
        families = list(text_string_to_metric_families(text))
    except ValueError:
        raise ValueError("it has no metrics") from None
    if not any(family.name.startswith("gateway_") for family in families):
        raise ValueError("it has no metrics of a gateway")
    return from_families(families, source, now)


def from_families(families: Iterable[Metric], source: str, now: float) -> Traffic:
    """The same from what the page is made of."""
    counts: dict[tuple[str, str, str], float] = defaultdict(float)
    start: float | None = None
    for family in families:
        for sample in family.samples:
            if sample.name == _START:
                start = sample.value
            elif sample.name == _REQUESTS:
                _add(counts, sample.labels, sample.value)
    return Traffic(counts, source, None if start is None else max(0.0, now - start))


def query(window: str) -> str:
    """What to ask a Prometheus server for; ``window`` is such as ``7d``."""
    return f"sum by (route, backend, method) (increase({_REQUESTS}[{window}]))"


def from_prometheus(answer: Any, source: str, seconds: float) -> Traffic:
    """The counts in a Prometheus server's answer to ``query``. Raises ValueError for any other answer."""
    if not isinstance(answer, Mapping) or answer.get("status") != "success":
        reason = answer.get("error") if isinstance(answer, Mapping) else None
        raise ValueError(str(reason or "not the answer of a Prometheus server"))
    counts: dict[tuple[str, str, str], float] = defaultdict(float)
    try:
        for series in answer["data"]["result"]:
            _add(counts, series["metric"], float(series["value"][1]))
    except (KeyError, TypeError, IndexError):
        raise ValueError("not the answer to an instant query") from None
    return Traffic(counts, source, seconds)


def _add(counts: dict[tuple[str, str, str], float], labels: Mapping[str, str], value: float) -> None:
    route = labels.get("route", "")
    if route != NO_ROUTE:
        counts[route, labels.get("backend", ""), labels.get("method", "")] += value
