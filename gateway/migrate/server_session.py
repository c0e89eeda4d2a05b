"""Flask-Session in a FastAPI app: the cookie holds an id, and the session is in a store that both apps reach.

::

    session = ServerSession.from_config(flask_app.config)
    app.add_middleware(FlaskSessionMiddleware, session=session)

From there on it is used like FlaskSession. The rules are those of ``flask_session.base`` 0.8.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Self

from itsdangerous import BadSignature, Signer
from starlette.datastructures import MutableHeaders

from .flask_settings import Key, bytes_of, cookie_settings, settings
from .session import Session
from .session_cookie import SessionCookie
from .session_store import CachelibStore, RedisStore, SessionStore
from .shared_session import SharedSession, vary_by_cookie


class StoredSession(Session):
    """A session with an id. One that holds nothing but ``_permanent`` counts as empty."""

    __slots__ = ("key", "sid")

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, sid: str, prefix: str, read_only: bool = False
    ) -> None:
        super().__init__(data, read_only=read_only)
        self.sid = sid
        self.key = prefix + sid

    def __bool__(self) -> bool:
        return bool(self._data.keys() - {"_permanent"})

    def clear(self) -> None:
        """As Flask-Session does it, this keeps ``_permanent``."""
        permanent = self.get("_permanent", False)
        super().clear()
        self["_permanent"] = permanent


@dataclass(frozen=True, eq=False, kw_only=True)
class ServerSession(SharedSession):
    """How Flask-Session keeps the Flask app's session; also the FastAPI dependency that gives a request's Session.

    ``permanent`` is SESSION_PERMANENT, what a new session is. ``signing_key`` is the SECRET_KEY where
    SESSION_USE_SIGNER is set. ``id_bytes`` is SESSION_ID_LENGTH.
    """

    store: SessionStore
    cookie: SessionCookie = field(default_factory=SessionCookie)
    lifetime: timedelta = timedelta(days=31)
    refresh_each_request: bool = True
    key_prefix: str = "session:"
    permanent: bool = True
    id_bytes: int = 32
    signing_key: Key | None = field(default=None, repr=False)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """The session of a Flask app with this ``app.config``, whose SESSION_TYPE is redis, cachelib or filesystem.

        Raises ValueError for another.
        """
        complete = {**_DEFAULTS, **settings(config)}
        return cls(
            store=_store(complete),
            # Flask-Session does not pass this one on.
            cookie=cookie_settings({**complete, "SESSION_COOKIE_PARTITIONED": False}),
            lifetime=complete["PERMANENT_SESSION_LIFETIME"],
            refresh_each_request=complete["SESSION_REFRESH_EACH_REQUEST"],
            key_prefix=complete["SESSION_KEY_PREFIX"],
            permanent=complete["SESSION_PERMANENT"],
            id_bytes=complete["SESSION_ID_LENGTH"],
            signing_key=complete["SECRET_KEY"] if complete["SESSION_USE_SIGNER"] else None,
        )

    async def open(self, value: str | None, *, read_only: bool) -> StoredSession:
        sid = self._unsigned(value) if value else None
        if sid:
            data = await self.store.get(self.key_prefix + sid)
            if data is not None:
                return StoredSession(data, sid=sid, prefix=self.key_prefix, read_only=read_only)
        # Never under an id that the client has thought of: whoever planted it would share the login that follows.
        fresh = {"_permanent": True} if self.permanent else {}
        sid = secrets.token_urlsafe(self.id_bytes)
        return StoredSession(fresh, sid=sid, prefix=self.key_prefix, read_only=read_only)

    async def close(self, session: Session, headers: MutableHeaders) -> None:
        """flask_session.base.ServerSideSessionInterface.save_session."""
        assert isinstance(session, StoredSession)
        if session._accessed:
            vary_by_cookie(headers)
        if not session:
            if session._modified:
                await self.store.delete(session.key)
                headers.append("set-cookie", self.cookie.delete())
                vary_by_cookie(headers)
            return
        if not session._modified and not self.refresh_each_request:
            return
        await self.store.set(session.key, session._data, int(self.lifetime.total_seconds()))
        permanent = bool(session._data.get("_permanent", False))
        if session._modified or permanent:
            cookie = self.cookie.set(self._signed(session.sid), self.expires(permanent=permanent))
            headers.append("set-cookie", cookie)
            vary_by_cookie(headers)

    async def regenerate(self, session: Session) -> None:
        """Give the session another id, as one should at a login: an id that was planted before is worth nothing."""
        assert isinstance(session, StoredSession)
        if session:
            await self.store.delete(session.key)
            session.sid = secrets.token_urlsafe(self.id_bytes)
            session.key = self.key_prefix + session.sid
            session.modified = True

    @property
    def _signer(self) -> Signer | None:
        if self.signing_key is None:
            return None
        return Signer(bytes_of(self.signing_key), salt="flask-session", key_derivation="hmac")

    def _signed(self, sid: str) -> str:
        signer = self._signer
        return sid if signer is None else signer.sign(sid).decode("ascii")

    def _unsigned(self, value: str) -> str | None:
        signer = self._signer
        if signer is None:
            return value
        try:
            return signer.unsign(value).decode()
        except (BadSignature, UnicodeDecodeError):
            return None


_DEFAULTS: Mapping[str, Any] = {
    "SESSION_CACHELIB": None,
    "SESSION_FILE_DIR": "flask_session",
    "SESSION_FILE_MODE": 0o600,
    "SESSION_FILE_THRESHOLD": 500,
    "SESSION_ID_LENGTH": 32,
    "SESSION_KEY_PREFIX": "session:",
    "SESSION_PERMANENT": True,
    "SESSION_REDIS": None,
    "SESSION_SERIALIZATION_FORMAT": "msgpack",
    "SESSION_TYPE": None,
    "SESSION_USE_SIGNER": False,
}


def _store(config: Mapping[str, Any]) -> SessionStore:
    kind = config["SESSION_TYPE"]
    if kind == "redis":
        client = config["SESSION_REDIS"]
        if client is None:
            from redis import Redis

            client = Redis()
        return RedisStore(client, config["SESSION_SERIALIZATION_FORMAT"])
    if kind == "cachelib" and config["SESSION_CACHELIB"] is not None:
        return CachelibStore(config["SESSION_CACHELIB"])
    if kind in ("cachelib", "filesystem"):
        from cachelib.file import FileSystemCache

        directory, threshold = config["SESSION_FILE_DIR"], config["SESSION_FILE_THRESHOLD"]
        return CachelibStore(FileSystemCache(directory, threshold=threshold, mode=config["SESSION_FILE_MODE"]))
    raise ValueError(f"SESSION_TYPE {kind!r} is not one that is shared here: redis, cachelib and filesystem are")
