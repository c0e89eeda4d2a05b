"""Which requests need a CSRF token."""

from __future__ import annotations

from collections.abc import Set
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flask import Flask

# RFC 9110, 9.2.1: these change nothing, so nobody asks for a token.
_SAFE = frozenset(("GET", "HEAD", "OPTIONS", "TRACE"))


def flask_csrf(app: Flask, endpoint: str, methods: Set[str]) -> frozenset[str]:
    """Those of ``methods`` that Flask-WTF's CSRFProtect checks before the view of ``endpoint``."""
    protection = app.extensions.get("csrf")
    config = app.config
    if protection is None or not (config.get("WTF_CSRF_ENABLED", True) and config.get("WTF_CSRF_CHECK_DEFAULT", True)):
        return frozenset()
    view = app.view_functions.get(endpoint)
    if view is None or f"{view.__module__}.{getattr(view, '__name__', '')}" in getattr(protection, "_exempt_views", ()):
        return frozenset()
    blueprint = app.blueprints.get(endpoint.rpartition(".")[0])
    if blueprint is not None and blueprint in getattr(protection, "_exempt_blueprints", ()):
        return frozenset()
    return frozenset(methods) & frozenset(config.get("WTF_CSRF_METHODS", ("POST", "PUT", "PATCH", "DELETE")))


def dependant_csrf(dependant: Any, methods: Set[str]) -> frozenset[str]:
    """Those of ``methods`` that a dependency of a FastAPI endpoint checks: FlaskCsrf, or what is called so."""
    if dependant is None:
        return frozenset()
    for inner in getattr(dependant, "dependencies", ()):
        call = getattr(inner, "call", None)
        if speaks_of_csrf(call) or dependant_csrf(inner, methods):
            return frozenset(methods) - _SAFE
    return frozenset()


def speaks_of_csrf(named: Any) -> bool:
    """By its name: of the packages for it, none is another's base."""
    name = getattr(named, "__qualname__", None) or type(named).__qualname__
    return "csrf" in name.lower()


def checked_by_middleware(app: Any, methods: Set[str]) -> frozenset[str]:
    """Those of ``methods`` that a middleware of a Starlette or FastAPI app checks."""
    if any(speaks_of_csrf(each.cls) for each in getattr(app, "user_middleware", ())):
        return frozenset(methods) - _SAFE
    return frozenset()
