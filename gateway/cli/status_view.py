"""What `gateway status` prints, from what the admin API says. No I/O."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from gateway.config.words import listed
from gateway.control.dashboard.words import NOTHING, percent, rate, ratio, refusals, seconds

ROUTE_TITLES: Final = ("ROUTE", "BACKEND", "WANTED", "SEEN", "REQ/S", "ERRORS", "P50", "P95", "LIVE", "REQUESTS")
BACKEND_TITLES: Final = ("BACKEND", "ADDRESS", "REQ/S", "ERRORS", "P50", "P95", "LIVE", "REQUESTS")
LIMIT_TITLES: Final = ("LIMIT OF", "IN FLIGHT", "ALLOWED", "WAITING", "REFUSED")
NUMBERS: Final = ("WANTED", "SEEN", "REQ/S", "ERRORS", "P50", "P95", "LIVE", "REQUESTS", *LIMIT_TITLES[1:])


def is_well(status: Mapping[str, Any]) -> bool:
    """Whether the file is good and every planned worker serves what is live."""
    return bool(status["config"]["state"] == "live" and _serving(status) == status["planned"])


def heading(status: Mapping[str, Any]) -> Iterator[str]:
    """Version, workers, what is wrong, and how far the migration is."""
    config = status["config"]
    since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(config["since"]))
    yield (
        f"version {config['version']} ({config['digest']}), since {since}, "
        f"on {_serving(status)} of {status['planned']} {'worker' if status['planned'] == 1 else 'workers'}"
    )
    for worker in status["workers"]:
        if worker["state"] != "ready":
            yield f"worker {worker['number']} (pid {worker['pid']}) is {worker['state']}"
        elif worker["digest"] != config["digest"]:
            yield f"worker {worker['number']} (pid {worker['pid']}) serves version {worker['version']}"
    if config["problems"]:
        wrong = "missing" if config["state"] == "missing" else "refused"
        yield f"the file is {wrong}, version {config['version']} stays live:"
        yield from config["problems"]
    for backend in status["backends"]:
        for address in backend["addresses"]:
            if address["trouble"]:
                yield f"backend {backend['name']}: {address['address']} {address['trouble']}"
    for route in status["routes"]:
        for backend, breaker in route["breakers"].items():
            if breaker["trouble"]:
                yield f"route {route['label']}: backend {backend} {breaker['trouble']}"
    for whose, limit in _limits(status):
        if limit["trouble"]:
            yield f"{whose} {limit['trouble']}"
    if status["refused"]:
        yield f"refused within the last minute: {refusals(status['refused'])}"
    yield _migration(status)


def route_rows(status: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """In order of precedence, one for each backend of a route; titles as in ROUTE_TITLES."""
    return [
        (
            route["label"],
            backend,
            f"{percent(route['to'].get(backend, 0.0))} %",
            f"{percent(route['observed'][backend])} %" if backend in route["observed"] else NOTHING,
            *_figures(figures),
        )
        for route in status["routes"]
        for backend, figures in route["backends"].items()
    ]


def backend_rows(status: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Titles as in BACKEND_TITLES."""
    return [(each["name"], each["address"], *_figures(each)) for each in status["backends"]]


def limit_rows(status: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Routes first; titles as in LIMIT_TITLES."""
    figures = ("in_flight", "allowed", "waiting", "refused")
    return [(whose, *(str(limit[figure]) for figure in figures)) for whose, limit in _limits(status)]


def _limits(status: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for kind, whose in (("route", "label"), ("backend", "name")):
        for each in status[f"{kind}s"]:
            if each["limit"] is not None:
                yield f"{kind} {each[whose]}", each["limit"]


def _serving(status: Mapping[str, Any]) -> int:
    digest = status["config"]["digest"]
    return sum(worker["state"] == "ready" and worker["digest"] == digest for worker in status["workers"])


def _migration(status: Mapping[str, Any]) -> str:
    migration = status["migration"]
    routes = f"{migration['routes_moved']} of {migration['routes_total']} routes moved off {status['default']}"
    shares = [f"{ratio(share)} to {name}" for name, share in migration["traffic"].items() if share > 0]
    return f"{routes}; traffic of the last minute: {listed(shares, 'and') if shares else 'none'}"


def _figures(each: Mapping[str, Any]) -> tuple[str, ...]:
    busy = each["rate"] > 0 or each["p50"] is not None
    return (
        rate(each["rate"]),
        ratio(each["error_ratio"]) if busy or each["error_ratio"] else NOTHING,
        seconds(each["p50"]),
        seconds(each["p95"]),
        str(each["in_flight"]),
        str(each["requests"]),
    )
