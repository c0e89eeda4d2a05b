"""What one version changes against another, in a line: for the log, the history and the plan of a change."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.config.model import Config, RouteConfig
from gateway.config.shares import shares_text

# More than this many changes are counted, not listed.
_MOST = 4


def described(old: Config, new: Config) -> str:
    """Such as ``GET /books/{id}: legacy 90 %, new 10 % → new``."""
    changes = list(_changes(old, new))
    if not changes:
        return "routes as before"
    more = len(changes) - _MOST
    return "; ".join(changes[:_MOST]) + (f"; and {more} more changes" if more > 0 else "")


def shares(route: RouteConfig) -> str:
    """Such as ``new``, or ``legacy 90 %, new 10 %``."""
    return shares_text((name, weight) for name, weight in route.weights if weight > 0)


def _changes(old: Config, new: Config) -> Iterator[str]:
    before = {route.label: route for route in old.routes}
    after = {route.label: route for route in new.routes}
    for label, route in after.items():
        if label not in before:
            yield f"{label}: new route → {shares(route)}"
        elif shares(before[label]) != shares(route):
            yield f"{label}: {shares(before[label])} → {shares(route)}"
        elif before[label] != route:
            yield f"{label}: edited"
    for label, route in before.items():
        if label not in after:
            yield f"{label}: removed (was {shares(route)})"
    if old.default != new.default:
        yield f"default: {old.default} → {new.default}"
    for name in new.backends.keys() - old.backends.keys():
        yield f"backend {name}: new"
    for name in old.backends.keys() - new.backends.keys():
        yield f"backend {name}: removed"
    for name in new.backends.keys() & old.backends.keys():
        if new.backends[name] != old.backends[name]:
            yield f"backend {name}: edited"
    rest = {"backends", "default", "routes"}
    for key in Config.model_fields.keys() - rest:
        if getattr(old, key) != getattr(new, key):
            yield f"{key}: edited"
