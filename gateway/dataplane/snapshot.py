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
from gateway.dataplane.exchange import SERVED_BY
from gateway.dataplane.forwarded import ForwardedFields
from gateway.dataplane.inbound import TrustedProxies
from gateway.dataplane.override import OverrideRule
from gateway.routing.split import EvenDraw, Points, Split
from gateway.routing.sticky import IdCookie, Sticky, set_cookie
from gateway.routing.table import Table
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
    asked without a task; None where there must be one.
    """

    __slots__ = ("app", "backend", "recorder", "served_by", "upstream")

    def __init__(self, backend: Backend, recorder: Recorder, *, expose: bool, compat: Sequence[str] = ()) -> None:
        self.backend = backend
        self.app: ASGIApp = compatible(backend.app, compat)
        self.upstream = backend.upstream if backend.interface == "remote" and not compat else None
        self.recorder = recorder
        self.served_by = (SERVED_BY, backend.name.encode()) if expose else None


class Route:
    """A compiled route. ``only`` is its single lane; with a split it is None, and the split decides.

    ``gives_ids`` says that a client without a key is given one, the gateway's own id.
    """

    __slots__ = ("compat", "draw", "gives_ids", "label", "lanes", "only", "points", "split", "sticky")

    def __init__(
        self,
        label: str,
        salt: str,
        lanes: tuple[Lane, ...],
        split: Split | None,
        sticky: Sticky,
        draw: EvenDraw | None,
        compat: Sequence[str] = (),
    ) -> None:
        self.label = label
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
        """The lane for an overridden request: any backend will do, also one that the route does not name."""
        for lane in route.lanes:
            if lane.backend.name == backend:
                return lane
        return _lane(route.label, backend, self.config, self.backends, self.slots, route.compat)


def compile_snapshot(
    loaded: Loaded,
    version: int,
    backends: Mapping[str, Backend],
    slots: SlotFile,
    traces: Traces | None,
    observer: Observer | None,
) -> Snapshot:
    """Compile a checked configuration over running backends. No I/O, and nothing can be wrong with it any more."""
    config = loaded.config
    compiled = [_compile_route(route, config, backends, slots) for route in config.routes]
    table = Table([(rule_of(route), made) for route, made in zip(config.routes, compiled, strict=True)])
    default = Route(
        DEFAULT,
        DEFAULT,
        (Lane(backends[config.default], Recorder(slots, DEFAULT, config.default), expose=config.expose),),
        None,
        Sticky.parse("none"),
        None,
    )
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
        traces=traces,
        observer=observer,
    )


def _compile_route(route: RouteConfig, config: Config, backends: Mapping[str, Backend], slots: SlotFile) -> Route:
    sticky = Sticky.parse(route.sticky or config.defaults.sticky)
    split = Split(route.weights, config.default)
    lanes = tuple(_lane(route.label, name, config, backends, slots, route.compat) for name in split.backends)
    sole = [lane for lane, weight in zip(lanes, split.weights, strict=True) if weight > 0]
    if len(sole) == 1:
        # 100 % to one side is no split: nobody needs a cookie for it.
        others = (lane for lane in lanes if lane is not sole[0])
        return Route(route.label, route.salt, (sole[0], *others), None, sticky, None, route.compat)
    return Route(route.label, route.salt, lanes, split, sticky, EvenDraw(split.weights), route.compat)


def _lane(
    label: str, name: str, config: Config, backends: Mapping[str, Backend], slots: SlotFile, compat: Sequence[str]
) -> Lane:
    # What `default` does is what the others are to be compatible with.
    wrappers = compat if name != config.default else ()
    return Lane(backends[name], Recorder(slots, label, name), expose=config.expose, compat=wrappers)
