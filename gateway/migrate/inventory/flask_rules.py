"""The endpoints of a Flask app, from its url_map."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from gateway.migrate.inventory.csrf import flask_csrf
from gateway.migrate.inventory.endpoint import Endpoint, EndpointKind, Inventory, Parameter
from gateway.migrate.inventory.hosts import build_host
from gateway.migrate.inventory.segments import Unroutable, build
from gateway.migrate.inventory.sessions import flask_sessions
from gateway.migrate.inventory.source import source_of
from gateway.routing.template import Kind

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.routing import BaseConverter, Rule

# As werkzeug.routing.rules reads a rule, but for the slashes, which are text here.
_VARIABLE = re.compile(
    r"<(?:(?P<converter>[a-zA-Z_][a-zA-Z0-9_]*)(?:\((?P<arguments>.*?)\))?:)?(?P<name>[a-zA-Z_][a-zA-Z0-9_]*)>"
)
_SLASHES = re.compile("/{2,}")


def flask_inventory(app: Flask) -> Inventory:
    """The endpoints of ``app``, in the order in which they were added."""
    endpoints: list[Endpoint] = []
    warnings: list[str] = []
    for rule in app.url_map.iter_rules():
        if rule.build_only:
            continue
        try:
            endpoints.append(_endpoint(app, rule))
        except Unroutable as reason:
            warnings.append(f"{rule.rule} is left out: {reason}")
    return Inventory(app.name, "Flask", tuple(endpoints), tuple(warnings), flask_sessions(app))


def _endpoint(app: Flask, rule: Rule) -> Endpoint:
    # Werkzeug merges the slashes of the rule, too, if it merges those of requests.
    text = _SLASHES.sub("/", rule.rule) if rule.merge_slashes else rule.rule
    parts = list(_parts(text, rule))
    built = build(parts)
    host, wider = _host(app, rule)
    also, redirected = _other_slash(built.path, bool(rule.strict_slashes))
    view = app.view_functions.get(rule.endpoint)
    methods = frozenset(rule.methods or ())
    return Endpoint(
        path=built.path,
        methods=frozenset({"GET"}) if rule.websocket else methods,
        kind=_kind(app, rule),
        host=host,
        name=str(rule.endpoint or ""),
        source=source_of(view),
        rule=rule.rule,
        parameters=tuple(part for part in parts if isinstance(part, Parameter)),
        also=also,
        redirected=redirected,
        notes=built.notes + wider,
        coarse=built.coarse,
        automatic=frozenset() if rule.websocket else _automatic(rule, methods),
        strict_slashes=bool(rule.strict_slashes),
        defaults=dict(rule.defaults or {}),
        redirects_to=_redirect(rule),
        csrf=flask_csrf(app, str(rule.endpoint or ""), methods),
    )


def _parts(text: str, rule: Rule) -> Iterator[str | Parameter]:
    at = 0
    for variable in _VARIABLE.finditer(text):
        if variable.start() > at:
            yield text[at : variable.start()]
        at = variable.end()
        converter = rule._converters[variable["name"]]
        yield _parameter(variable["name"], variable["converter"] or "string", variable["arguments"] or "", converter)
    if at < len(text):
        yield text[at:]


def _parameter(name: str, type_name: str, arguments: str, converter: BaseConverter) -> Parameter:
    """The parameter as Werkzeug's own converter makes it, whatever name it was registered under."""
    from werkzeug.routing import IntegerConverter, PathConverter, UnicodeConverter, UUIDConverter

    made_of = type(converter)
    if made_of is IntegerConverter and not getattr(converter, "signed", False):
        return Parameter(name, type_name, Kind.INT, arguments)
    if made_of is UUIDConverter:
        return Parameter(name, type_name, Kind.UUID, arguments)
    if made_of is PathConverter:
        return Parameter(name, type_name, Kind.REST, arguments)
    if made_of is UnicodeConverter:
        return Parameter(name, "string" if type_name == "default" else type_name, Kind.SEGMENT, arguments)
    # A converter that is not part-isolating matches across slashes; one whose regular expression has a slash, too.
    kind = Kind.SEGMENT if getattr(converter, "part_isolating", True) else Kind.REST
    return Parameter(name, type_name, kind, arguments or type_name)


def _host(app: Flask, rule: Rule) -> tuple[str | None, tuple[str, ...]]:
    """The host of a route for what the rule matches; raises Unroutable for one that never matches."""
    if app.url_map.host_matching:
        if not rule.host:
            raise Unroutable("the app matches hosts, and this rule has none, so Flask never serves it")
        return build_host(list(_parts(rule.host, rule)))
    subdomain = rule.subdomain or ""
    if not app.subdomain_matching:
        if subdomain != (app.url_map.default_subdomain or ""):
            raise Unroutable(f"it is for the subdomain '{subdomain}', and the app's subdomain_matching is off")
        return None, ()
    server = app.config["SERVER_NAME"]
    if not server:
        if subdomain:
            raise Unroutable(f"it is for the subdomain '{subdomain}', and the app has no SERVER_NAME")
        return None, ()
    return build_host([*_parts(f"{subdomain}.", rule), str(server)] if subdomain else [str(server)])


def _other_slash(path: str, strict: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The same path with a slash at its end or without: a further path of the endpoint, or a redirect to it."""
    if path == "/" or path.endswith(":path}"):
        return (), ()
    if path.endswith("/"):
        return ((), (path[:-1],)) if strict else ((path[:-1],), ())
    return ((), ()) if strict else ((path + "/",), ())


def _kind(app: Flask, rule: Rule) -> EndpointKind:
    if rule.websocket:
        return "websocket"
    # Flask's own view for files, of the app or of a blueprint.
    is_static = str(rule.endpoint).rpartition(".")[2] == "static" and rule.arguments == {"filename"}
    return "static" if is_static else "http"


def _automatic(rule: Rule, methods: frozenset[str]) -> frozenset[str]:
    """HEAD comes with GET by Werkzeug; OPTIONS by Flask, unless a view has it."""
    automatic = {"HEAD"} if {"GET", "HEAD"} <= methods else set()
    if getattr(rule, "provide_automatic_options", False):
        automatic.add("OPTIONS")
    return frozenset(automatic) & methods


def _redirect(rule: Rule) -> str | None:
    target: Any = rule.redirect_to
    if target is None:
        return None
    return target if isinstance(target, str) else source_of(target) or "a function"


def without_shadowed(endpoints: Sequence[Endpoint], mounts: Sequence[str]) -> tuple[tuple[Endpoint, ...], int]:
    """``endpoints`` without those below ``mounts``, where another app answers; and how many that are."""
    kept = tuple(each for each in endpoints if not any(_below(each.path, mount) for mount in mounts))
    return kept, len(endpoints) - len(kept)


def _below(path: str, mount: str) -> bool:
    return path == mount or path.startswith(mount + "/")
