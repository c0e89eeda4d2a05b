"""What must hold between routes."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.config.draft import Draft, Part
from gateway.config.finding import Finding
from gateway.config.model import RouteConfig
from gateway.config.rule_of import rule_of
from gateway.config.words import shorten
from gateway.routing.host import HostError
from gateway.routing.rule import Rule
from gateway.routing.template import TemplateError
from gateway.routing.ties import tied


def routes_do_not_tie(draft: Draft) -> Iterator[Finding]:
    routes: list[Part[RouteConfig]] = []
    rules: list[Rule] = []
    for route in draft.routes:
        # What is broken in a route may be what would tell it from another.
        if route.whole:
            try:
                rules.append(rule_of(route.model))
            except (TemplateError, HostError):
                continue
            routes.append(route)
    for first, second in sorted(tied(rules)):
        other = f"the route on {draft.positions.cite(routes[first].path)} ({_label(routes[first])})"
        message = f"this route ties with {other}: some requests match both, and neither is more specific"
        yield Finding(routes[second].path, message)


def labels_are_unique(draft: Draft) -> Iterator[Finding]:
    seen: dict[str, Part[RouteConfig]] = {}
    for route in draft.routes:
        if not route.whole:
            continue
        first = seen.setdefault(route.model.label, route)
        if first is route or (first.model.name is None and route.model.name is None and _same(first, route)):
            continue
        named = route.model.name is not None
        message = f"the name {_label(route)} is taken by the route on {draft.positions.cite(first.path)}"
        yield Finding(
            (*route.path, "name") if named else route.path, message if named else message + "; give it a 'name'"
        )


def groups_stick_alike(draft: Draft) -> Iterator[Finding]:
    """Routes of one group share an assignment, so they must know the client by the same key."""
    if not draft.defaults.has("sticky"):
        return
    seen: dict[str, tuple[Part[RouteConfig], str]] = {}
    for route in draft.routes:
        group = route.model.group
        if group is None or not route.has("group", "sticky"):
            continue
        sticky = route.model.sticky or draft.defaults.model.sticky
        path = (*route.path, "sticky" if route.model.sticky is not None else "group")
        if sticky == "none":
            yield Finding(path, f"'sticky: none' decides each request on its own, so group '{group}' cannot hold")
            continue
        first, firsts = seen.setdefault(group, (route, sticky))
        if _key(sticky) != _key(firsts):
            where = draft.positions.cite(first.path)
            message = f"'sticky' is {sticky} here, but {firsts} in the route on {where} of the same group '{group}'"
            yield Finding(path, message)


def _label(route: Part[RouteConfig]) -> str:
    return f"'{shorten(route.model.label)}'"


def _same(first: Part[RouteConfig], second: Part[RouteConfig]) -> bool:
    """Whether they match exactly the same requests, so that the tie says it all."""
    one, other = first.model, second.model
    return (one.path, one.methods, one.host, one.headers, one.query) == (
        other.path,
        other.methods,
        other.host,
        other.headers,
        other.query,
    )


def _key(sticky: str) -> str:
    return sticky.lower() if sticky.startswith("header:") else sticky
