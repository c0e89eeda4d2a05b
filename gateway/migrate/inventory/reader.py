"""From an app to its inventory, through whatever middleware is around it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gateway.migrate.inventory.endpoint import Endpoint, Inventory, InventoryProblem
from gateway.migrate.inventory.flask_rules import flask_inventory, without_shadowed

if TYPE_CHECKING:
    from flask import Flask

# What middleware calls the app inside it: Werkzeug, Starlette and most others; asgiref; python-socketio; WhiteNoise.
_INSIDE = ("app", "wsgi_app", "wsgi_application", "application", "asgi_app", "other_asgi_app", "_app", "wrapped")
_DEEPEST = 50
# The pages of documentation are endpoints of FastAPI's own.
_FRAMEWORKS = frozenset(("fastapi", "starlette"))


def inventory_of(app: object, spec: str) -> Inventory:
    """The endpoints of ``app``, which ``spec`` names in messages. Raises InventoryProblem."""
    found = _inventory(app, 0)
    if found is None:
        raise InventoryProblem(_unknown(app, spec))
    return found


def _inventory(app: Any, depth: int) -> Inventory | None:
    """The endpoints of the first app that is known, going inward; None if there is none."""
    flask = _flask(app)
    if flask is not None:
        # Middleware is put around a Flask app by replacing its wsgi_app; the first one is what that calls in the end.
        inner = flask.wsgi_app
        around = None if app is not flask or _flask(inner) is flask else _inventory(inner, depth + 1)
        return around or flask_inventory(flask)
    routes = getattr(app, "routes", None)
    if isinstance(routes, Sequence):
        return _starlette(app, routes)
    if depth >= _DEEPEST:
        return None
    mounts = getattr(app, "mounts", None)
    if isinstance(mounts, Mapping) and hasattr(app, "app"):
        return _dispatched(app.app, mounts, depth)
    for inner in _wrapped(app):
        found = _inventory(inner, depth + 1)
        if found is not None:
            return _behind(app, found)
    return None


def _behind(middleware: Any, found: Inventory) -> Inventory:
    """``found`` as it is behind ``middleware``, which may keep a session for it."""
    from gateway.migrate.inventory.sessions import starlette_sessions

    return replace(found, sessions=(*found.sessions, *starlette_sessions(middleware)))


def _flask(app: Any) -> Flask | None:
    """The Flask app that ``app`` is, or whose ``wsgi_app`` it is."""
    from flask import Flask

    owner = getattr(app, "__self__", app)
    if not isinstance(owner, Flask):
        return None
    return owner if owner is app or getattr(app, "__func__", None) is Flask.wsgi_app else None


def _wrapped(app: Any) -> Iterator[Any]:
    if isinstance(app, functools.partial):
        yield app.func
        yield from app.args
    for name in (*_INSIDE, "__wrapped__"):
        inner = getattr(app, name, None)
        if inner is not None and inner is not app and callable(inner):
            yield inner


def _starlette(app: Any, routes: Sequence[Any]) -> Inventory:
    from fastapi import FastAPI

    from gateway.migrate.inventory.csrf import checked_by_middleware
    from gateway.migrate.inventory.sessions import starlette_sessions
    from gateway.migrate.inventory.starlette_routes import starlette_endpoints

    def look_inside(mounted: Any) -> Sequence[Endpoint] | None:
        found = _inventory(mounted, 0)
        return None if found is None else found.endpoints

    warnings: list[str] = []
    endpoints = tuple(
        replace(each, csrf=each.csrf | checked_by_middleware(app, each.methods))
        for each in starlette_endpoints(routes, look_inside, warnings)
    )
    redirects = getattr(getattr(app, "router", app), "redirect_slashes", True)
    return Inventory(
        app=getattr(app, "title", "Starlette"),
        framework="FastAPI" if isinstance(app, FastAPI) else "Starlette",
        endpoints=endpoints,
        warnings=tuple(warnings),
        sessions=tuple(starlette_sessions(app)),
        redirects_slashes=bool(redirects),
        middleware=tuple(_own_middleware(app, endpoints)),
    )


def _own_middleware(app: Any, endpoints: Sequence[Endpoint]) -> Iterator[str]:
    """The middleware of the packages that the endpoints are from."""
    packages = {endpoint.source.partition(":")[0].partition(".")[0] for endpoint in endpoints} - _FRAMEWORKS
    for each in getattr(app, "user_middleware", ()):
        if str(getattr(each.cls, "__module__", "")).partition(".")[0] in packages:
            yield str(getattr(each.cls, "__name__", each.cls))


def _dispatched(app: Any, mounts: Mapping[str, Any], depth: int) -> Inventory | None:
    """Werkzeug's DispatcherMiddleware: what is below the path of a mount never reaches the app around it."""
    from gateway.migrate.inventory.starlette_routes import below

    outer = _inventory(app, depth + 1)
    kept, shadowed = without_shadowed(outer.endpoints if outer else (), list(mounts))
    endpoints = list(kept)
    warnings = list(outer.warnings if outer else ())
    if shadowed:
        warnings.append(f"{shadowed} endpoints of the outer app are left out: a mounted app takes their paths")
    for prefix, mounted in mounts.items():
        inner = _inventory(mounted, depth + 1)
        if inner is None:
            warnings.append(f"what is mounted at {prefix} is left out: it is neither a Flask nor a Starlette app")
            continue
        endpoints += [_at(prefix, below(prefix, endpoint)) for endpoint in inner.endpoints]
        warnings += inner.warnings
    if outer is None and not endpoints:
        return None
    return Inventory(
        outer.app if outer else "", outer.framework if outer else "Flask", tuple(endpoints), tuple(warnings)
    )


def _at(prefix: str, endpoint: Endpoint) -> Endpoint:
    """The mount's own path, without a slash, is the root of the app that is mounted there."""
    return replace(endpoint, also=(*endpoint.also, prefix)) if endpoint.path == f"{prefix}/" else endpoint


def _unknown(app: Any, spec: str) -> str:
    called = spec.endswith("()")
    if (inspect.isfunction(app) or inspect.isclass(app)) and not called:
        return f"'{spec}' is a {'class' if inspect.isclass(app) else 'function'}; for a factory, write '{spec}()'"
    return (
        f"'{spec}' is of the type {type(app).__name__}, and no Flask, Starlette or FastAPI app is found in it; "
        "name the app itself"
    )
