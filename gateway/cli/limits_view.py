"""How much there may be of what, for one request, as `gateway explain` shows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from gateway.config.limits import InFlight
from gateway.config.model import Config, RouteConfig


@dataclass(frozen=True, slots=True)
class Bounds:
    """``max_body`` is in bytes and ``lifetime`` in seconds; None where anything goes.

    ``route`` and ``backends`` are limits of requests in flight. Backends without one are left out.
    """

    max_body: int | None = None
    lifetime: float | None = None
    route: InFlight | None = None
    backends: Mapping[str, InFlight] = field(default_factory=dict)


def bounds(config: Config, route: RouteConfig | None, backends: Iterable[str]) -> Bounds:
    """For what ``route`` sends to ``backends``; None stands for what no route names."""
    body = route.max_body if route is not None else None
    limits = {name: config.backends[name].limit for name in backends}
    return Bounds(
        max_body=body if body is not None else config.limits.body,
        lifetime=config.limits.stream_lifetime,
        route=route.limit if route is not None else None,
        backends={name: limit for name, limit in limits.items() if limit is not None},
    )


def limit_lines(given: Bounds) -> Iterator[str]:
    """Nothing where anything goes."""
    if given.route is not None:
        yield f"  limit of this route: {_at_once(given.route)}"
    for backend, limit in given.backends.items():
        yield f"  limit of {backend}: {_at_once(limit)}"
    if given.max_body is not None:
        yield f"  a body of more than {given.max_body} bytes is answered 413"
    if given.lifetime is not None:
        yield f"  an answer that is not whole after {given.lifetime:g} s is broken off, and a WebSocket closed"


def limit_data(given: Bounds) -> Mapping[str, object]:
    return {
        "max_body": given.max_body,
        "stream_lifetime": given.lifetime,
        "route": given.route.model_dump() if given.route is not None else None,
        "backends": {backend: limit.model_dump() for backend, limit in given.backends.items()},
    }


def _at_once(limit: InFlight) -> str:
    many = "1 request" if limit.in_flight == 1 else f"{limit.in_flight} requests"
    waiting = f"{limit.queue} more wait for {limit.wait:g} s at most, " if limit.queue else ""
    return f"{many} at once in each worker; {waiting}others are answered 503"
