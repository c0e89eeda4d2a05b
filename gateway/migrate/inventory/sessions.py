"""The cookies in which an app keeps its sessions, and in whose format."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from starlette.middleware.sessions import SessionMiddleware

from gateway.migrate.inventory.endpoint import SessionUse
from gateway.migrate.server_session import ServerSession
from gateway.migrate.shared_session import FlaskSessionMiddleware, SharedSession

if TYPE_CHECKING:
    from flask import Flask


def flask_sessions(app: Flask) -> tuple[SessionUse, ...]:
    """None without a secret key: Flask then has no session."""
    from flask.sessions import SecureCookieSessionInterface

    signed = isinstance(app.session_interface, SecureCookieSessionInterface)
    if signed and not app.secret_key:
        return ()
    return (SessionUse(app.config["SESSION_COOKIE_NAME"], "flask" if signed else "server"),)


def starlette_sessions(app: Any) -> Iterator[SessionUse]:
    """What the middleware of a Starlette or FastAPI app, or ``app`` if it is one itself, keeps."""
    for each in getattr(app, "user_middleware", ()):
        yield from _session(each.cls, each.kwargs.get("session_cookie"), each.kwargs.get("session"))
    yield from _session(type(app), getattr(app, "session_cookie", None), getattr(app, "session", None))


def _session(made_of: Any, cookie: object, shared: object) -> Iterator[SessionUse]:
    if not isinstance(made_of, type):
        return
    if issubclass(made_of, SessionMiddleware):
        yield SessionUse(cookie if isinstance(cookie, str) else "session", "starlette")
    elif issubclass(made_of, FlaskSessionMiddleware) and isinstance(shared, SharedSession):
        yield SessionUse(shared.cookie.name, "server" if isinstance(shared, ServerSession) else "flask")
