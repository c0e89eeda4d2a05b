"""Flask's own session cookie in a FastAPI app, so that users stay logged in whichever app answers them.

::

    session = FlaskSession(secret_key=SECRET_KEY)          # the Flask app's SECRET_KEY
    app.add_middleware(FlaskSessionMiddleware, session=session)

    @app.get("/me")
    async def me(session: Annotated[Session, Depends(session)]) -> ...:
        user_id = session.get("_user_id")

The cookie is read and written as ``flask.sessions.SecureCookieSessionInterface`` does, and sent only when Flask would
send it. Neither Flask nor the rest of the gateway is imported (its neighbours are imported by relative name): when the
migration is over, this file and those it names can be copied into the app.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Self

from itsdangerous import BadData, URLSafeTimedSerializer
from starlette.datastructures import MutableHeaders

from . import tagged_json
from .flask_settings import Key, bytes_of, cookie_settings, settings
from .session import Session
from .session_cookie import SessionCookie
from .shared_session import FlaskSessionMiddleware, SharedSession, vary_by_cookie

__all__ = ["FlaskSession", "FlaskSessionMiddleware", "Session"]


@dataclass(frozen=True, eq=False, kw_only=True)
class FlaskSession(SharedSession):
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
        keys = [bytes_of(key) for key in (*self.fallbacks, self.secret_key)]
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
        config = settings(config)
        return cls(
            secret_key=config["SECRET_KEY"] or "",
            fallbacks=tuple(config["SECRET_KEY_FALLBACKS"] or ()),
            lifetime=config["PERMANENT_SESSION_LIFETIME"],
            refresh_each_request=config["SESSION_REFRESH_EACH_REQUEST"],
            cookie=cookie_settings(config),
        )

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

    async def open(self, value: str | None, *, read_only: bool) -> Session:
        return Session(self.loads(value) if value else None, read_only=read_only)

    async def close(self, session: Session, headers: MutableHeaders) -> None:
        """flask.sessions.SecureCookieSessionInterface.save_session."""
        if session._accessed:
            vary_by_cookie(headers)
        permanent = bool(session._data.get("_permanent", False))
        if not session._data:
            if session._modified:
                headers.append("set-cookie", self.cookie.delete())
                vary_by_cookie(headers)
        elif session._modified or (permanent and self.refresh_each_request):
            cookie = self.cookie.set(self.dumps(session._data), self.expires(permanent=permanent))
            headers.append("set-cookie", cookie)
            vary_by_cookie(headers)
