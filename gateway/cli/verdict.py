"""The way of one request through the table and the split, with the reasons: what the data plane does, told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from starlette.types import Scope

from gateway.cli.limits_view import Bounds, bounds, limit_data
from gateway.cli.request import Request
from gateway.cli.survival_view import health_data, survival_data
from gateway.config.backend import BackendConfig
from gateway.config.loader import Loaded
from gateway.config.model import Config, RouteConfig
from gateway.config.rule_of import rule_of
from gateway.config.safeguards import Safeguards, safeguards
from gateway.dataplane.forwarded import ForwardedFields
from gateway.dataplane.inbound import TrustedProxies, admit
from gateway.dataplane.override import OverrideRule, UnknownBackend
from gateway.routing.path import PathError, canonical
from gateway.routing.split import Split, point
from gateway.routing.sticky import Sticky, client_id, client_network, cookie_value, header_value
from gateway.routing.table import Table

# Refused with 400; chosen by a tester; the route's only backend; by the client's key; drawn, for want of a key; or no
# route takes the request.
Because = Literal["refused", "override", "route", "key", "draw", "default"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A route whose path matches. ``passed_over`` is why the request is not for it, None if it is."""

    route: RouteConfig
    line: int
    passed_over: str | None


@dataclass(frozen=True, slots=True)
class Draw:
    """What decides in a split: ``key`` in words, and the ``point`` it falls on; None if the request has no such key."""

    split: Split
    sticky: Sticky
    key: str
    point: int | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """``path`` is what the table decides on and the app sees. ``backend`` is None if refused, or left to the draw."""

    because: Because
    path: str = ""
    forwarded: str = ""
    refused: str | None = None
    candidates: tuple[Candidate, ...] = ()
    taken: Candidate | None = None
    draw: Draw | None = None
    backend: str | None = None
    # Of each backend that may get it; none for a tester, who sees a backend as it is.
    safeguards: Mapping[str, Safeguards] = field(default_factory=dict)
    # Those that may get it, and after them those that may have to answer instead.
    backends: Mapping[str, BackendConfig] = field(default_factory=dict)
    bounds: Bounds = field(default_factory=Bounds)


def judge(request: Request, loaded: Loaded) -> Verdict:
    """What becomes of ``request``, by the same steps as in the data plane."""
    config = loaded.config
    try:
        path, forwarded = canonical(request.raw_path)
    except PathError as error:
        return Verdict("refused", refused=str(error))
    request = _admitted(request, path, forwarded, config)
    candidates = _candidates(request, path, loaded)
    taken = next((candidate for candidate in candidates if candidate.passed_over is None), None)

    def verdict(
        because: Because, backend: str | None, *, refused: str | None = None, draw: Draw | None = None
    ) -> Verdict:
        told = Verdict(because, path, forwarded.decode("ascii"), refused, candidates, taken, draw, backend)
        return told if because == "refused" else _with_settings(told, config)

    if config.override is not None:
        try:
            chosen = OverrideRule(config.override, config.backends).chosen(list(request.headers), request.client)
        except UnknownBackend:
            return verdict("refused", None, refused="the override names no known backend")
        if chosen is not None:
            return verdict("override", chosen)
    if taken is None:
        return verdict("default", config.default)
    serving = [backend for backend, weight in taken.route.weights if weight > 0]
    if len(serving) == 1:
        return verdict("route", serving[0])
    draw = _draw(request, taken.route, config)
    if draw.point is None:
        return verdict("draw", None, draw=draw)
    return verdict("key", draw.split.backends[draw.split.owner(draw.point)], draw=draw)


def _with_settings(verdict: Verdict, config: Config) -> Verdict:
    """What protects those who may get the request, and the request from them."""
    route = verdict.taken.route if verdict.taken is not None else None
    if verdict.backend is None:
        assert verdict.draw is not None
        names = verdict.draw.split.backends
    else:
        names = (verdict.backend,)
    guards = {} if verdict.because == "override" else {name: safeguards(config, route, name) for name in names}
    instead = (each.instead for each in guards.values() if each and each.instead is not None)
    reached = tuple(dict.fromkeys((*names, *instead)))
    backends = {name: config.backends[name] for name in reached}
    return replace(verdict, safeguards=guards, backends=backends, bounds=bounds(config, route, reached))


def as_data(request: Request, verdict: Verdict) -> Mapping[str, object]:
    """The verdict as JSON has it; percentages and points from 0 to 100."""
    taken, draw = verdict.taken, verdict.draw
    return {
        "method": request.method,
        "path": verdict.path,
        "forwarded_path": verdict.forwarded,
        "refused": verdict.refused,
        "because": verdict.because,
        "backend": verdict.backend,
        "route": taken.route.label if taken is not None else None,
        "line": taken.line if taken is not None else None,
        "candidates": [
            {"route": each.route.label, "line": each.line, "takes": each is taken, "passed_over": each.passed_over}
            for each in verdict.candidates
        ],
        "split": None
        if draw is None
        else {
            "key": draw.key,
            "point": None if draw.point is None else draw.point / 100,
            "intervals": [
                {"backend": backend, "from": start / 100, "to": end / 100}
                for backend, start, end in draw.split.intervals
            ],
        },
        "safeguards": survival_data(verdict.safeguards),
        "health": health_data(verdict.backends),
        "limits": limit_data(verdict.bounds),
    }


def _admitted(request: Request, path: str, raw_path: bytes, config: Config) -> Request:
    """The request as routes see it: with the fields that the gateway adds, and the client they name."""
    scope: Scope = {
        "type": "http",
        "scheme": request.scheme,
        "headers": list(request.headers),
        "client": (request.client, 0) if request.client else None,
    }
    scope, client, _ = admit(
        scope, path, raw_path, TrustedProxies(config.trusted_proxies), ForwardedFields(config.forwarded), ""
    )
    return replace(request, headers=tuple(scope["headers"]), client=client)


def _candidates(request: Request, path: str, loaded: Loaded) -> tuple[Candidate, ...]:
    positions = loaded.positions()
    table = Table([(rule_of(route), index) for index, route in enumerate(loaded.config.routes)])
    explained = table.explain(request.method, path, request.headers, request.query)
    return tuple(
        Candidate(loaded.config.routes[index], positions.line(("routes", index)), reason) for index, reason in explained
    )


def _draw(request: Request, route: RouteConfig, config: Config) -> Draw:
    split = Split(route.weights, config.default)
    sticky = Sticky.parse(route.sticky or config.defaults.sticky)
    name = (sticky.name or b"").decode("latin-1")
    key: str | None
    match sticky.kind:
        case "cookie" if sticky.name is None:
            name = config.sticky_cookie.name
            key, words = client_id(request.headers, name.encode()), f"cookie {name}"
        case "cookie":
            key, words = cookie_value(request.headers, name.encode()), f"cookie {name}"
        case "header":
            key, words = header_value(request.headers, name.encode()), f"header {name}"
        case "ip":
            key = client_network(request.client) if request.client else None
            words = f"address {key}" if key else "address"
        case "none":
            key, words = None, "none"
    return Draw(split, sticky, words, point(route.salt, key) if key else None)
