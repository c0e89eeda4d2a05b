"""One version of routes.yaml, compiled. Built whole, then swapped in; a request uses one from start to end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.types import ASGIApp

from gateway.backends.registry import Backend
from gateway.compat.names import compatible
from gateway.config.loader import Loaded
from gateway.config.model import Config, RouteConfig
from gateway.config.rule_of import rule_of
from gateway.config.safeguards import safeguards
from gateway.dataplane.circuit import Circuits, breaker_settings
from gateway.dataplane.exchange import SERVED_BY
from gateway.dataplane.forwarded import ForwardedFields
from gateway.dataplane.guard import Guard
from gateway.dataplane.in_flight import InFlightLimits, Limited, Places
from gateway.dataplane.inbound import TrustedProxies
from gateway.dataplane.override import OverrideRule
from gateway.dataplane.shut import Shut
from gateway.routing.split import EvenDraw, Points, Split
from gateway.routing.sticky import IdCookie, Sticky, set_cookie
from gateway.routing.table import Table
from gateway.telemetry.breakers import FallbackRecorder
from gateway.telemetry.recorder import Recorder
from gateway.telemetry.slots import SlotFile

if TYPE_CHECKING:
    from gateway.dataplane.observer import Observer
    from gateway.dataplane.tracing import Traces

# The route of what no route names.
DEFAULT = "default"


class Lane:
    """One way a request can go: a route's share on one backend, with the counters for it.

    ``served_by`` is the field that says so in the answer, if that is wanted. ``upstream`` is where the request can be
    asked without a task; None where there must be one. ``guard`` stands before it, if anything does. ``places`` are
    taken by ``app``, and by whoever asks ``upstream``; None where there is no limit.
    """

    __slots__ = ("app", "backend", "guard", "places", "recorder", "served_by", "upstream")

    def __init__(
        self,
        backend: Backend,
        recorder: Recorder,
        places: Places | None = None,
        *,
        expose: bool,
        compat: Sequence[str] = (),
    ) -> None:
        self.backend = backend
        app = compatible(backend.app, compat)
        self.app: ASGIApp = app if places is None else Limited(app, places)
        self.places = places
        self.upstream = backend.upstream if backend.interface == "remote" and not compat else None
        self.guard: Guard | None = None
        self.recorder = recorder
        self.served_by = (SERVED_BY, backend.name.encode()) if expose else None

    def shut(self, app: ASGIApp) -> None:
        """``app`` answers in the backend's place."""
        self.app = app
        self.places = None
        self.upstream = None


class Route:
    """A compiled route. ``only`` is its single lane; with a split it is None, and the split decides.

    ``gives_ids`` says that a client without a key is given one, the gateway's own id. ``max_body`` is how long a
    request's body may be, in bytes; None where anything goes.
    """

    __slots__ = ("compat", "draw", "gives_ids", "label", "lanes", "max_body", "only", "points", "split", "sticky")

    def __init__(
        self,
        label: str,
        salt: str,
        lanes: tuple[Lane, ...],
        split: Split | None,
        sticky: Sticky,
        draw: EvenDraw | None,
        compat: Sequence[str] = (),
        max_body: int | None = None,
    ) -> None:
        self.label = label
        self.max_body = max_body
        self.compat = compat
        self.points = Points(salt)
        self.gives_ids = sticky.kind == "cookie" and sticky.name is None
        self.lanes = lanes
        self.only = lanes[0] if split is None else None
        self.split = split
        self.sticky = sticky
        self.draw = draw


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What requests are decided on. ``traces`` and ``observer`` are None where nobody wants them."""

    version: int
    loaded: Loaded
    table: Table[Route]
    default: Route
    backends: Mapping[str, Backend]
    override: OverrideRule | None
    trusted: TrustedProxies
    forwarded: ForwardedFields
    sticky_cookie: IdCookie
    slots: SlotFile
    limits: InFlightLimits
    traces: Traces | None
    observer: Observer | None

    @property
    def config(self) -> Config:
        return self.loaded.config

    def set_cookie(self, client_id: str, secure: bool) -> bytes:
        """The whole ``Set-Cookie`` value that makes ``client_id`` stay with its client."""
        cookie = self.config.sticky_cookie
        return set_cookie(cookie.name, client_id, max_age=cookie.max_age, domain=cookie.domain, secure=secure)

    def detour(self, route: Route, backend: str) -> Lane:
        """The lane for an overridden request: any backend will do, also one that the route does not name.

        Nothing guards it: who tests a backend wants to see it fail.
        """
        for lane in route.lanes:
            if lane.backend.name == backend and lane.guard is None:
                return lane
        places = self.limits.serving(route.label, backend)
        return bare_lane(route.label, backend, self.config, self.backends, self.slots, places, route.compat)


def compile_snapshot(
    loaded: Loaded,
    version: int,
    backends: Mapping[str, Backend],
    slots: SlotFile,
    circuits: Circuits,
    limits: InFlightLimits,
    traces: Traces | None,
    observer: Observer | None,
) -> Snapshot:
    """Compile a checked configuration over running backends. No I/O, and nothing can be wrong with it any more."""
    config = loaded.config
    lanes = _Lanes(config, backends, slots, circuits, limits)
    compiled = [_compile_route(route, config, lanes) for route in config.routes]
    table = Table([(rule_of(route), made) for route, made in zip(config.routes, compiled, strict=True)])
    default = Route(DEFAULT, DEFAULT, (lanes.of_default(),), None, Sticky.parse("none"), None, (), config.limits.body)
    return Snapshot(
        version=version,
        loaded=loaded,
        table=table,
        default=default,
        backends=backends,
        override=OverrideRule(config.override, backends) if config.override is not None else None,
        trusted=TrustedProxies(config.trusted_proxies),
        forwarded=ForwardedFields(config.forwarded),
        sticky_cookie=IdCookie(config.sticky_cookie.name.encode()),
        slots=slots,
        limits=limits,
        traces=traces,
        observer=observer,
    )


def _compile_route(route: RouteConfig, config: Config, lanes: _Lanes) -> Route:
    sticky = Sticky.parse(route.sticky or config.defaults.sticky)
    split = Split(route.weights, config.default)
    max_body = route.max_body if route.max_body is not None else config.limits.body
    whole = sum(weight > 0 for weight in split.weights) == 1
    ways = tuple(lanes.of(route, name) for name in split.backends)
    if whole:
        # 100 % to one side is no split: nobody needs a cookie for it.
        sole = next(lane for lane, weight in zip(ways, split.weights, strict=True) if weight > 0)
        others = (lane for lane in ways if lane is not sole)
        return Route(route.label, route.salt, (sole, *others), None, sticky, None, route.compat, max_body)
    return Route(route.label, route.salt, ways, split, sticky, EvenDraw(split.weights), route.compat, max_body)


class _Lanes:
    """Makes lanes, with what guards them."""

    def __init__(
        self,
        config: Config,
        backends: Mapping[str, Backend],
        slots: SlotFile,
        circuits: Circuits,
        limits: InFlightLimits,
    ) -> None:
        self._config = config
        self._backends = backends
        self._slots = slots
        self._circuits = circuits
        self._limits = limits
        self._of_routes = {route.label: route.limit for route in config.routes}

    def of_default(self) -> Lane:
        """For what no route names."""
        return self._guarded(self._bare(DEFAULT, self._config.default), DEFAULT, None)

    def of(self, route: RouteConfig, name: str) -> Lane:
        return self._guarded(self._bare(route.label, name, route.compat), route.label, route)

    def _guarded(self, lane: Lane, label: str, route: RouteConfig | None) -> Lane:
        name = lane.backend.name
        given = safeguards(self._config, route, name)
        if not given:
            return lane
        settings = breaker_settings(given.breaker)
        circuit = self._circuits.of(label, name, settings) if settings is not None else None
        if given.instead is not None:
            instead = self._bare(label, given.instead, route.compat if route is not None else ())
        else:
            assert circuit is not None
            instead = self._bare(label, name)
            instead.shut(Shut(circuit))
        to = instead.backend.name if instead.backend is not lane.backend else "none"
        recorder = FallbackRecorder(self._slots, label, name, to)
        lane.guard = Guard(lane, circuit, instead, given.fallback, recorder)
        return lane

    def _bare(self, label: str, name: str, compat: Sequence[str] = ()) -> Lane:
        config = self._config
        places = self._limits.places(label, self._of_routes.get(label), name, config.backends[name].limit)
        return bare_lane(label, name, config, self._backends, self._slots, places, compat)


def bare_lane(
    label: str,
    name: str,
    config: Config,
    backends: Mapping[str, Backend],
    slots: SlotFile,
    places: Places | None,
    compat: Sequence[str],
) -> Lane:
    """A lane without a guard."""
    # What `default` does is what the others are to be compatible with.
    wrappers = compat if name != config.default else ()
    return Lane(backends[name], Recorder(slots, label, name), places, expose=config.expose, compat=wrappers)
