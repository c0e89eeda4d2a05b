"""The endpoints of a Starlette or FastAPI app, from its routes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from starlette.endpoints import HTTPEndpoint
from starlette.routing import BaseRoute, Host, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from gateway.migrate.inventory.answers import answers_of
from gateway.migrate.inventory.csrf import dependant_csrf
from gateway.migrate.inventory.endpoint import Endpoint, Parameter
from gateway.migrate.inventory.fields import typed_parameters
from gateway.migrate.inventory.hosts import build_host
from gateway.migrate.inventory.segments import Unroutable, build
from gateway.migrate.inventory.source import source_of
from gateway.routing.template import Kind

_VARIABLE = re.compile(r"{(?P<name>[a-zA-Z_][a-zA-Z0-9_]*)(?::(?P<type>[a-zA-Z_][a-zA-Z0-9_]*))?}")
_KINDS = {"str": Kind.SEGMENT, "int": Kind.INT, "uuid": Kind.UUID, "path": Kind.REST}
_NO_FIELDS: dict[str, tuple[str, Kind]] = {}

# What finds the endpoints of an app that is mounted; None for one that cannot be looked into.
LookInside = Callable[[Any], Sequence[Endpoint] | None]


def starlette_endpoints(
    routes: Iterable[BaseRoute], look_inside: LookInside, warnings: list[str]
) -> tuple[Endpoint, ...]:
    """The endpoints of ``routes``, in their order; why any had to be left out is added to ``warnings``."""
    return tuple(_Reader(look_inside, warnings).read(routes, "", None))


class _Reader:
    def __init__(self, look_inside: LookInside, warnings: list[str]) -> None:
        self._look_inside = look_inside
        self._warnings = warnings

    def read(self, routes: Iterable[BaseRoute], prefix: str, host: str | None) -> Iterator[Endpoint]:
        for route in _effective(routes):
            path = str(getattr(route, "path", "") or "")
            try:
                yield from self._route(route, prefix + path, prefix, host)
            except Unroutable as reason:
                self._warnings.append(f"{prefix + path} is left out: {reason}")

    def _route(self, route: Any, path: str, prefix: str, host: str | None) -> Iterator[Endpoint]:
        # FastAPI gives included routes as contexts of the route that was included.
        original = getattr(route, "original_route", route)
        if isinstance(original, Host):
            yield from self._host(route, prefix)
        elif isinstance(original, Mount):
            yield from self._mount(route, path, host)
        elif isinstance(original, WebSocketRoute):
            yield _endpoint(route, path, host, frozenset({"GET"}), websocket=True)
        elif isinstance(original, Route):
            yield _endpoint(route, path, host, _methods(route), websocket=False)

    def _host(self, route: Any, prefix: str) -> Iterator[Endpoint]:
        host, notes = build_host(list(_parts(route.host, _NO_FIELDS)))
        inside = self._inside(route.app, prefix, host)
        if inside is None:
            inside = [_opaque(prefix, host, route.app, route.name)]
        for endpoint in inside:
            yield replace(endpoint, host=host, notes=endpoint.notes + notes)

    def _mount(self, route: Any, path: str, host: str | None) -> Iterator[Endpoint]:
        path = path.rstrip("/")
        app = getattr(route, "_base_app", route.app)
        if isinstance(app, StaticFiles):
            opaque = _opaque(path, host, app, route.name)
            yield replace(opaque, kind="static", methods=frozenset({"GET", "HEAD"}), automatic=frozenset({"HEAD"}))
            return
        inside = self._inside(app, path, host)
        yield from [_opaque(path, host, app, route.name)] if inside is None else inside

    def _inside(self, app: Any, prefix: str, host: str | None) -> Sequence[Endpoint] | None:
        """The endpoints of a mounted app under ``prefix``; None if it cannot be looked into."""
        routes = getattr(app, "routes", None)
        if routes is not None:
            return list(self.read(routes, prefix, host))
        found = self._look_inside(app)
        return None if found is None else [below(prefix, endpoint, host) for endpoint in found]


def below(prefix: str, endpoint: Endpoint, host: str | None = None) -> Endpoint:
    """``endpoint`` as it is reached when its app is mounted at ``prefix``, a path in the app's own writing."""
    written = list(_parts(prefix, _NO_FIELDS))
    start = build(written).path if prefix else ""
    return replace(
        endpoint,
        path=start + endpoint.path,
        also=tuple(start + path for path in endpoint.also),
        redirected=tuple(start + path for path in endpoint.redirected),
        rule=prefix + endpoint.rule,
        host=endpoint.host or host,
        parameters=(*(part for part in written if isinstance(part, Parameter)), *endpoint.parameters),
    )


def _effective(routes: Iterable[BaseRoute]) -> Iterable[Any]:
    """The routes with those of included routers in their place.

    FastAPI copied them into the list once; since 0.130 it keeps a router as one entry, and has this to look into it.
    """
    from fastapi import routing

    contexts: Any = getattr(routing, "iter_route_contexts", None)
    return routes if contexts is None else contexts(list(routes))


def _endpoint(route: Any, path: str, host: str | None, methods: frozenset[str], *, websocket: bool) -> Endpoint:
    original = getattr(route, "original_route", route)
    dependant = getattr(route, "dependant", None) or getattr(original, "dependant", None)
    fields = typed_parameters(dependant)
    parts = list(_parts(path, fields))
    built = build(_as_routed(parts, path))
    rest = next((part for part in parts if isinstance(part, Parameter) and part.kind is Kind.REST), None)
    ends_with_rest = rest is not None and path.endswith(f"{{{rest.name}:path}}")
    # HEAD is Starlette's own; FastAPI's routes have it only if asked for it.
    has_fields = hasattr(original, "dependant")
    return Endpoint(
        path=built.path,
        methods=methods,
        kind="websocket" if websocket else "http",
        host=host,
        name=str(route.name or ""),
        source=source_of(route.endpoint),
        rule=path,
        parameters=tuple(part for part in parts if isinstance(part, Parameter)),
        also=(built.path.rpartition("/")[0] + "/",) if ends_with_rest else (),
        notes=built.notes,
        coarse=built.coarse,
        automatic=frozenset({"HEAD"}) & methods if "GET" in methods and not has_fields else frozenset(),
        hidden=not getattr(route, "include_in_schema", True),
        csrf=dependant_csrf(dependant, methods),
        answers=answers_of(getattr(route, "response_model", None)),
    )


def _methods(route: Any) -> frozenset[str]:
    if route.methods:
        return frozenset(route.methods)
    endpoint = route.endpoint
    if isinstance(endpoint, type) and issubclass(endpoint, HTTPEndpoint):
        handled = {
            method.upper()
            for method in ("get", "head", "post", "put", "patch", "delete", "options")
            if hasattr(endpoint, method)
        }
        # HTTPEndpoint answers HEAD with its GET.
        return frozenset(handled | ({"HEAD"} if "GET" in handled else set()))
    return frozenset()


def _parts(path: str, fields: dict[str, tuple[str, Kind]]) -> Iterator[str | Parameter]:
    at = 0
    for variable in _VARIABLE.finditer(path):
        if variable.start() > at:
            yield path[at : variable.start()]
        at = variable.end()
        yield _parameter(variable["name"], variable["type"] or "str", fields)
    if at < len(path):
        yield path[at:]


def _parameter(name: str, convertor: str, fields: dict[str, tuple[str, Kind]]) -> Parameter:
    if convertor == "str":
        type_name, kind = fields.get(name, ("string", Kind.SEGMENT))
        return Parameter(name, type_name, kind)
    if convertor in _KINDS:
        return Parameter(name, convertor, _KINDS[convertor])
    return Parameter(name, convertor, Kind.REST if _crosses_slashes(convertor) else Kind.SEGMENT, convertor)


def _as_routed(parts: Iterable[str | Parameter], path: str) -> Iterator[str | Parameter]:
    """The parts as the router takes them: to it, a parameter that only its function has a type for is any text."""
    for part in parts:
        if isinstance(part, Parameter) and f"{{{part.name}}}" in path and part.kind is not Kind.SEGMENT:
            yield replace(part, kind=Kind.SEGMENT)
        else:
            yield part


def _crosses_slashes(convertor: str) -> bool:
    from starlette.convertors import CONVERTOR_TYPES

    regex = CONVERTOR_TYPES[convertor].regex if convertor in CONVERTOR_TYPES else ""
    return re.fullmatch(regex, "a/b") is not None


def _opaque(prefix: str, host: str | None, app: Any, name: str | None) -> Endpoint:
    """Everything below ``prefix``, for an app that cannot be looked into."""
    parts = list(_parts(prefix, _NO_FIELDS))
    used = {part.name for part in parts if isinstance(part, Parameter)}
    rest = Parameter("path" if "path" not in used else "rest", "path", Kind.REST)
    built = build([*parts, "/", rest])
    return Endpoint(
        path=built.path,
        methods=frozenset(),
        kind="mount",
        host=host,
        name=name or "",
        source=source_of(app),
        rule=f"{prefix}/{{{rest.name}:path}}",
        parameters=(*(part for part in parts if isinstance(part, Parameter)), rest),
        also=(built.path.rpartition("/")[0] + "/",),
        notes=built.notes,
    )
