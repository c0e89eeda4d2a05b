"""Flask-Login in a FastAPI app: who is logged in, also by the "remember me" cookie, believed as Flask-Login does.

::

    login = FlaskLogin.from_config(flask_app.config, session=session, load_user=load_user)
    app.add_middleware(FlaskLoginMiddleware, login=login)
    app.add_middleware(FlaskSessionMiddleware, session=session)      # after it, so that it is outside

    @app.get("/me")
    async def me(user: Annotated[User | None, Depends(login)]) -> ...:

``load_user`` is the coroutine in the place of Flask-Login's ``user_loader``: it gets the id as text, and returns the
user or None. A login here is one there, and a logout too.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, Literal, Self, TypeVar

from fastapi import HTTPException
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .flask_settings import Key, duration
from .session import Session
from .session_cookie import SessionCookie, read
from .shared_session import SharedSession

User = TypeVar("User")
Protection = Literal["basic", "strong"] | None

# What Flask-Login keeps in the session, all of which "strong" protection takes away.
_KEYS = ("_user_id", "_remember", "_remember_seconds", "_id", "_fresh", "next")


@dataclass(frozen=True, eq=False, kw_only=True)
class FlaskLogin(Generic[User]):
    """How the Flask app remembers its users; also the FastAPI dependency that gives a request's user, or None.

    ``protection`` is SESSION_PROTECTION: what happens to a session that comes from another address or browser than it
    was made for. "basic" takes its freshness, "strong" the session. ``remember_for`` is REMEMBER_COOKIE_DURATION.
    """

    session: SharedSession
    load_user: Callable[[str], Awaitable[User | None]]
    secret_key: Key = field(repr=False)
    cookie: SessionCookie = field(default_factory=lambda: SessionCookie("remember_token"))
    remember_for: timedelta = timedelta(days=365)
    refresh_each_request: bool = False
    protection: Protection = "basic"

    @classmethod
    def from_config(
        cls,
        config: Mapping[str, Any],
        *,
        session: SharedSession,
        load_user: Callable[[str], Awaitable[User | None]],
        protection: Protection = "basic",
    ) -> Self:
        """That of a Flask app with this ``app.config``. ``protection`` is its LoginManager's, unless the configuration
        says otherwise."""
        return cls(
            session=session,
            load_user=load_user,
            secret_key=config["SECRET_KEY"],
            cookie=SessionCookie(
                config.get("REMEMBER_COOKIE_NAME", "remember_token"),
                path=config.get("REMEMBER_COOKIE_PATH") or "/",
                domain=config.get("REMEMBER_COOKIE_DOMAIN"),
                secure=config.get("REMEMBER_COOKIE_SECURE", False),
                httponly=config.get("REMEMBER_COOKIE_HTTPONLY", True),
                samesite=config.get("REMEMBER_COOKIE_SAMESITE"),
            ),
            remember_for=duration(config.get("REMEMBER_COOKIE_DURATION", timedelta(days=365))),
            refresh_each_request=bool(config.get("REMEMBER_COOKIE_REFRESH_EACH_REQUEST", False)),
            protection=config.get("SESSION_PROTECTION", protection),
        )

    async def __call__(self, connection: HTTPConnection) -> User | None:
        """Who makes this request, for ``Depends``; None without a login.

        On a WebSocket, whose session cannot change, a session that was moved is believed as it is under "basic", and
        refused under "strong"; a "remember me" cookie is believed.
        """
        session = await self.session(connection)
        writable = connection.scope["type"] == "http"
        if self._was_moved(session, connection) and not self._protect(session, writable=writable):
            return None
        user_id = session.get("_user_id")
        user = await self.load_user(str(user_id)) if user_id is not None else None
        if user is None and session.get("_remember") != "clear":
            user = await self._remembered(session, connection, writable=writable)
        return user

    async def required(self, connection: HTTPConnection) -> User:
        """The user, for ``Depends``. Raises HTTPException 401 without a login."""
        user = await self(connection)
        if user is None:
            raise HTTPException(401)
        return user

    async def fresh(self, connection: HTTPConnection) -> User:
        """A user who has given the password in this session, for what a stolen cookie must not do. Raises HTTPException
        401 otherwise."""
        user = await self.required(connection)
        if not (await self.session(connection)).get("_fresh", False):
            raise HTTPException(401, "Please log in again.")
        return user

    async def log_in(
        self,
        connection: HTTPConnection,
        user_id: object,
        *,
        remember: bool = False,
        lasting: timedelta | None = None,
        fresh: bool = True,
    ) -> None:
        """flask_login.login_user, for a user whose ``get_id()`` is ``user_id``. ``lasting`` is how long to remember."""
        session = await self.session(connection)
        session["_user_id"] = str(user_id)
        session["_fresh"] = fresh
        session["_id"] = identifier(connection)
        if remember:
            session["_remember"] = "set"
            if lasting is not None:
                session["_remember_seconds"] = lasting.total_seconds()

    async def log_out(self, connection: HTTPConnection) -> None:
        """flask_login.logout_user: what else is in the session stays."""
        session = await self.session(connection)
        for key in ("_user_id", "_fresh", "_id"):
            session.pop(key, None)
        if self._cookie_of(connection) is not None:
            session["_remember"] = "clear"
            session.pop("_remember_seconds", None)

    def _was_moved(self, session: Session, connection: HTTPConnection) -> bool:
        # An empty session is a visitor's, or of one who has just logged out.
        return bool(self.protection and session and session.get("_id") != identifier(connection))

    def _protect(self, session: Session, *, writable: bool) -> bool:
        """Whether a session that was moved is believed nevertheless."""
        if self.protection == "basic" or session.permanent:
            if writable and session.get("_fresh") is not False:
                session["_fresh"] = False
            return True
        if writable:
            for key in _KEYS:
                session.pop(key, None)
            session["_remember"] = "clear"
        return False

    async def _remembered(self, session: Session, connection: HTTPConnection, *, writable: bool) -> User | None:
        cookie = self._cookie_of(connection)
        user_id = self.decode(cookie) if cookie is not None else None
        if user_id is None:
            return None
        if writable:
            session["_user_id"] = user_id
            session["_fresh"] = False
        return await self.load_user(user_id)

    def _cookie_of(self, connection: HTTPConnection) -> str | None:
        return read(connection.scope["headers"], self.cookie.name)

    # The cookie.

    def encode(self, user_id: str) -> str:
        """flask_login.encode_cookie: the id, and a mark that only who knows the key can make."""
        return f"{user_id}|{self._digest(user_id)}"

    def decode(self, cookie: str) -> str | None:
        """The id in a cookie's value; None if it was not made by ``encode`` with the same key."""
        user_id, bar, digest = cookie.rpartition("|")
        if not bar or not digest.isascii() or not hmac.compare_digest(self._digest(user_id), digest):
            return None
        return user_id

    def _digest(self, user_id: str) -> str:
        key = self.secret_key
        # Not UTF-8: Flask-Login's own reading of a key that is text.
        key = key.encode("latin-1") if isinstance(key, str) else key
        return hmac.new(key, user_id.encode(), hashlib.sha512).hexdigest()

    def update(self, session: Session, headers: MutableHeaders) -> None:
        """flask_login.LoginManager._update_remember_cookie."""
        if self.refresh_each_request and "_remember" not in session:
            session["_remember"] = "set"
        if "_remember" not in session:
            return
        operation = session.pop("_remember")
        if operation == "set" and "_user_id" in session:
            seconds = session.get("_remember_seconds")
            lasting = self.remember_for if seconds is None else timedelta(seconds=seconds)
            value = self.encode(str(session["_user_id"]))
            headers.append("set-cookie", self.cookie.set(value, datetime.now(UTC) + lasting))
        elif operation == "clear":
            headers.append("set-cookie", self.cookie.delete())


class FlaskLoginMiddleware:
    """Sets and clears the "remember me" cookie. It has to be inside FlaskSessionMiddleware."""

    def __init__(self, app: ASGIApp, login: FlaskLogin[Any]) -> None:
        self.app = app
        self.login = login

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        login = self.login

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                session = login.session.in_use(scope)
                if session is None and login.refresh_each_request:
                    session = await login.session(HTTPConnection(scope))
                if session is not None:
                    login.update(session, MutableHeaders(scope=message))
            await send(message)

        await self.app(scope, receive, send_with_cookie)


def identifier(connection: HTTPConnection) -> str:
    """flask_login.utils._create_identifier, whose text has the repr of bytes in it: ``b'127.0.0.1'|b'curl/8'``."""
    forwarded = connection.headers.get("x-forwarded-for")
    client = connection.client.host if connection.client else None
    address = client if forwarded is None else forwarded
    agent = connection.headers.get("user-agent")
    # WSGI hands headers on as Latin-1, which Flask-Login encodes as UTF-8. So do Starlette, and we.
    address_bytes = None if address is None else address.encode().split(b",")[0].strip()
    agent_bytes = None if agent is None else agent.encode()
    return hashlib.sha512(f"{address_bytes!r}|{agent_bytes!r}".encode()).hexdigest()
