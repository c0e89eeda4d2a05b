"""Flask's own session cookie in a FastAPI app, so that users stay logged in whichever app answers them.

::

    session = FlaskSession(secret_key=SECRET_KEY)          # the Flask app's SECRET_KEY
    app.add_middleware(FlaskSessionMiddleware, session=session)

    @app.get("/me")
    async def me(session: Annotated[Session, Depends(session)]) -> ...:
        user_id = session.get("_user_id")

The cookie is read and written as ``flask.sessions.SecureCookieSessionInterface`` does, and sent only when Flask would
send it. Neither Flask nor the rest of the gateway is imported (its neighbours are imported by relative name): when the
migration is over, this file and those two can be copied into the app.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Self

from itsdangerous import BadData, URLSafeTimedSerializer
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import tagged_json
from .session_cookie import SessionCookie, read

Key = str | bytes


class Session(MutableMapping[str, Any]):
    """What one browser's cookie holds. ``_permanent`` is a key like any other, as in Flask.

    Only this dictionary is watched: after changing a list inside it, set ``modified`` yourself. On a WebSocket the
    session is read-only, because the response that could carry a cookie has gone: changing it raises RuntimeError.
    """

    __slots__ = ("_accessed", "_data", "_modified", "_read_only")

    def __init__(self, data: Mapping[str, Any] | None = None, *, read_only: bool = False) -> None:
        self._data: dict[str, Any] = dict(data or {})
        self._accessed = False
        self._modified = False
        self._read_only = read_only

    @property
    def accessed(self) -> bool:
        """Whether anything else of it was asked for or changed: the response then varies by cookie."""
        return self._accessed

    @property
    def modified(self) -> bool:
        """Whether the cookie must be sent again."""
        self._accessed = True
        return self._modified

    @modified.setter
    def modified(self, value: bool) -> None:
        self._accessed = True
        if value:
            self._changed()
        else:
            self._modified = False

    @property
    def new(self) -> bool:
        """Always False, as in Flask, which cannot tell a new session from an emptied one."""
        self._accessed = True
        return False

    @property
    def permanent(self) -> bool:
        """Whether the cookie outlives the browser's window, by ``lifetime``."""
        return bool(self.get("_permanent", False))

    @permanent.setter
    def permanent(self, value: bool) -> None:
        self["_permanent"] = bool(value)

    def _changed(self) -> None:
        if self._read_only:
            raise RuntimeError("the session of a WebSocket is read-only: no response is left to carry its cookie")
        self._modified = True

    def __getitem__(self, key: str) -> Any:
        self._accessed = True
        return self._data[key]

    def __contains__(self, key: object) -> bool:
        self._accessed = True
        return key in self._data

    def __iter__(self) -> Iterator[str]:
        self._accessed = True
        return iter(self._data)

    def __len__(self) -> int:
        self._accessed = True
        return len(self._data)

    def __setitem__(self, key: str, value: Any) -> None:
        self._accessed = True
        self._changed()
        self._data[key] = value

    def __delitem__(self, key: str) -> None:
        self._accessed = True
        if key in self._data:  # a failed deletion changes nothing
            self._changed()
        del self._data[key]

    # The mapping's own versions of these three would not count as a change when there is nothing to change, or would
    # take the first item in place of the last; Flask's do as below, and what counts decides about the cookie.
    def clear(self) -> None:
        self._accessed = True
        self._changed()
        self._data.clear()

    def update(self, *args: Any, **kwargs: Any) -> None:
        self._accessed = True
        self._changed()
        self._data.update(*args, **kwargs)

    def popitem(self) -> tuple[str, Any]:
        self._accessed = True
        if self._data:
            self._changed()
        return self._data.popitem()

    def __ior__(self, other: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> Self:
        self.update(other)
        return self

    def copy(self) -> dict[str, Any]:
        self._accessed = True
        return self._data.copy()

    def __repr__(self) -> str:
        return f"<Session {self._data!r}>"


@dataclass(frozen=True, eq=False, kw_only=True)
class FlaskSession:
    """How the Flask app signs and sends its session; also the FastAPI dependency that gives a request's Session.

    ``fallbacks`` are SECRET_KEY_FALLBACKS: old keys, still read, never signed with. ``lifetime`` is
    PERMANENT_SESSION_LIFETIME: no cookie older than that is read, permanent or not. ``refresh_each_request`` sends a
    permanent session's cookie with every response, so that it expires when unused. Raises ValueError without a key.
    """

    secret_key: Key = field(repr=False)
    fallbacks: tuple[Key, ...] = field(default=(), repr=False)
    cookie: SessionCookie = field(default_factory=SessionCookie)
    lifetime: timedelta = timedelta(days=31)
    refresh_each_request: bool = True
    _serializer: URLSafeTimedSerializer = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.secret_key:
            raise ValueError("a session needs the Flask app's SECRET_KEY")
        # itsdangerous signs with the last key and tries it first.
        keys = [key.encode() if isinstance(key, str) else key for key in (*self.fallbacks, self.secret_key)]
        serializer = URLSafeTimedSerializer(
            keys,
            salt="cookie-session",
            serializer=tagged_json,
            signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha1},
        )
        object.__setattr__(self, "_serializer", serializer)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """The session of a Flask app with this ``app.config``. Missing names have Flask's defaults."""
        config = {**_FLASK_DEFAULTS, **config}
        lifetime = config["PERMANENT_SESSION_LIFETIME"]
        return cls(
            secret_key=config["SECRET_KEY"] or "",
            fallbacks=tuple(config["SECRET_KEY_FALLBACKS"] or ()),
            lifetime=lifetime if isinstance(lifetime, timedelta) else timedelta(seconds=lifetime),
            refresh_each_request=config["SESSION_REFRESH_EACH_REQUEST"],
            cookie=SessionCookie(
                config["SESSION_COOKIE_NAME"],
                path=config["SESSION_COOKIE_PATH"] or config["APPLICATION_ROOT"],
                domain=config["SESSION_COOKIE_DOMAIN"],
                secure=config["SESSION_COOKIE_SECURE"],
                httponly=config["SESSION_COOKIE_HTTPONLY"],
                samesite=config["SESSION_COOKIE_SAMESITE"],
                partitioned=config["SESSION_COOKIE_PARTITIONED"],
            ),
        )

    async def __call__(self, connection: HTTPConnection) -> Session:
        """The session of this request or WebSocket, for ``Depends``. Raises RuntimeError without the middleware."""
        slot: _Slot | None = connection.scope.get(self._scope_key)
        if slot is None:
            raise RuntimeError("add FlaskSessionMiddleware to the app: without it no cookie would be sent")
        return slot.load()

    def loads(self, cookie: str) -> dict[str, Any] | None:
        """What a cookie's value holds, or None if it is not ours, was tampered with, or is too old."""
        try:
            data = self._serializer.loads(cookie, max_age=int(self.lifetime.total_seconds()))
        except BadData:
            # Flask lets one kind through, a payload it cannot read under its own signature, and answers 500 for as
            # long as the browser keeps the cookie. An empty session is what it does with every other bad cookie.
            return None
        return data if isinstance(data, dict) else None

    def dumps(self, data: Mapping[str, Any]) -> str:
        """The cookie's value for ``data``, signed now."""
        return self._serializer.dumps(dict(data))

    def save(self, connection: HTTPConnection, response: Response) -> None:
        """Adds the cookie to ``response`` if Flask would.

        The middleware does this for every response but one: the handler of ``Exception`` answers from outside of all
        middleware. Flask saves the session there too, so call this in that handler.
        """
        slot: _Slot | None = connection.scope.get(self._scope_key)
        if slot is not None:
            slot.save(response.headers)

    @property
    def _scope_key(self) -> str:
        return f"flask_session:{self.cookie.name}"


class FlaskSessionMiddleware:
    """Gives each request its session, read when first asked for, and sends the cookie with the response's head."""

    def __init__(self, app: ASGIApp, session: FlaskSession) -> None:
        self.app = app
        self.session = session

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        slot = _Slot(self.session, scope)
        scope[self.session._scope_key] = slot
        if scope["type"] == "websocket":
            await self.app(scope, receive, send)
            return

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                slot.save(MutableHeaders(scope=message))
            await send(message)

        await self.app(scope, receive, send_with_cookie)


class _Slot:
    """One request's session. It stands in the scope by reference, so mounted apps, whose scope is a copy, share it."""

    __slots__ = ("_cookie", "_loaded", "_owner", "_read_only", "_saved")

    def __init__(self, owner: FlaskSession, scope: Scope) -> None:
        self._owner = owner
        self._cookie = read(scope["headers"], owner.cookie.name)
        self._read_only = scope["type"] == "websocket"
        self._loaded: Session | None = None
        self._saved = False

    def load(self) -> Session:
        if self._loaded is None:
            data = self._owner.loads(self._cookie) if self._cookie else None
            self._loaded = Session(data, read_only=self._read_only)
        return self._loaded

    def save(self, headers: MutableHeaders) -> None:
        """flask.sessions.SecureCookieSessionInterface.save_session, once per request."""
        if self._saved:
            return
        self._saved = True
        owner = self._owner
        if self._loaded is None and not (self._cookie and owner.refresh_each_request):
            return  # nobody touched the session, and no refresh of it can be due
        session = self.load()
        if session._accessed:
            _vary_by_cookie(headers)
        permanent = bool(session._data.get("_permanent", False))
        if not session._data:
            if session._modified:
                headers.append("set-cookie", owner.cookie.delete())
                _vary_by_cookie(headers)
        elif session._modified or (permanent and owner.refresh_each_request):
            expires = datetime.now(UTC) + owner.lifetime if permanent else None
            headers.append("set-cookie", owner.cookie.set(owner.dumps(session._data), expires))
            _vary_by_cookie(headers)


def _vary_by_cookie(headers: MutableHeaders) -> None:
    fields = headers.getlist("vary")
    names = {name.strip().lower() for line in fields for name in line.split(",")}
    if names.isdisjoint({"cookie", "*"}):
        headers["vary"] = ", ".join([*fields, "Cookie"])


_FLASK_DEFAULTS: Mapping[str, Any] = MappingProxyType(
    {
        "APPLICATION_ROOT": "/",
        "PERMANENT_SESSION_LIFETIME": timedelta(days=31),
        "SECRET_KEY": None,
        "SECRET_KEY_FALLBACKS": None,
        "SESSION_COOKIE_DOMAIN": None,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_NAME": "session",
        "SESSION_COOKIE_PARTITIONED": False,
        "SESSION_COOKIE_PATH": None,
        "SESSION_COOKIE_SAMESITE": None,
        "SESSION_COOKIE_SECURE": False,
        "SESSION_REFRESH_EACH_REQUEST": True,
    }
)
