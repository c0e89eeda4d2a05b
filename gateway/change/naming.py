"""Which route a person means."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from gateway.change.change import ChangeError
from gateway.config.model import METHODS, Config, RouteConfig
from gateway.config.rule_of import rule_of
from gateway.config.words import nearest, shorten
from gateway.routing.path import PathError, canonical
from gateway.routing.table import Table

# As many routes as a message lists.
_MOST: Final = 5


def find_route(config: Config, text: str) -> int:
    """The index of the route that ``text`` names.

    By its name or label; by its methods and path, ``GET /books/{id}``, also where it takes more methods than these
    or has a name; or by its path alone, where only one route has it. Raises ChangeError.
    """
    wanted = " ".join(text.split())
    routes = config.routes
    for index, route in enumerate(routes):
        if wanted in (route.label, _unnamed(route)):
            return index
    methods, path = _parts(wanted)
    found = [
        index
        for index, route in enumerate(routes)
        if route.path == path and (not methods or methods <= set(route.methods or METHODS))
    ]
    if methods and len(found) > 1:
        # The methods exactly, before those that take them among others.
        found = [index for index in found if methods == set(routes[index].methods or ())] or found
    if len(found) == 1:
        return found[0]
    if found:
        raise ChangeError(
            "ambiguous-route",
            f"'{shorten(text)}' can be {_listed(routes[index].label for index in found)}: give the whole name",
        )
    raise ChangeError("unknown-route", f"no route is called '{shorten(text)}'{_meant(config, wanted, methods, path)}")


def _parts(text: str) -> tuple[set[str], str]:
    front, space, rest = text.partition(" ")
    if space and rest.startswith("/"):
        return {method.upper() for method in front.split(",") if method}, rest
    return set(), text


def _unnamed(route: RouteConfig) -> str:
    return route.label if route.name is None else route.model_copy(update={"name": None}).label


def _meant(config: Config, text: str, methods: set[str], path: str) -> str:
    if text == "default":
        # So it is called in the status and in the metrics.
        return "; what no route takes goes where the file's 'default:' says"
    covering = _covering(config, methods, path)
    if covering:
        return f"; requests for it are taken by {_listed(covering)}"
    labels = [route.label for route in config.routes]
    near = nearest(text, labels)
    if near is None:
        by_path = {route.path: route.label for route in reversed(config.routes)}
        close = nearest(path, by_path)
        near = by_path[close] if close is not None else None
    if near is not None:
        return f"; did you mean '{near}'? `gateway routes` lists all"
    if path.startswith("/"):
        return f"; it goes to {config.default} as everything without a route does: add '- path: {shorten(path)}' first"
    return "; `gateway routes` lists all"


def _covering(config: Config, methods: set[str], path: str) -> list[str]:
    """The labels of the routes that take a request for this very path, such as /books/7."""
    try:
        decoded = canonical(path.encode())[0]
    except (PathError, UnicodeEncodeError):
        return []
    if "{" in path:
        return []
    table = Table([(rule_of(route), route) for route in config.routes])
    method = min(methods, default="")
    explained = table.explain(method, decoded, [], b"")
    return [
        route.label
        for route, _ in explained
        if not methods or not route.methods or not methods.isdisjoint(route.methods)
    ]


def _listed(labels: Iterable[str]) -> str:
    shown = [f"'{label}'" for label in labels]
    if len(shown) > _MOST:
        return f"{', '.join(shown[:_MOST])} or {len(shown) - _MOST} more"
    return " or ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))
