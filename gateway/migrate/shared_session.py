"""A session that the Flask app and the FastAPI app share: read when first asked for, kept with the response's head."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import UTC, datetime, timedelta

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .session import Session
from .session_cookie import SessionCookie, read


class SharedSession(ABC):
    """How the Flask app keeps its session; also the FastAPI dependency that gives a request's Session.

    ``lifetime`` is PERMANENT_SESSION_LIFETIME. ``refresh_each_request`` keeps a permanent session anew with every
    response, so that it expires when unused.
    """

    cookie: SessionCookie
    lifetime: timedelta
    refresh_each_request: bool

    @abstractmethod
    async def open(self, value: str | None, *, read_only: bool) -> Session:
        """The session that the cookie's ``value`` stands for; an empty one without a cookie, or for a bad one."""

    @abstractmethod
    async def close(self, session: Session, headers: MutableHeaders) -> None:
        """Keep ``session`` if Flask would, and add what the browser must be told to the response's ``headers``."""

    async def __call__(self, connection: HTTPConnection) -> Session:
        """The session of this request or WebSocket, for ``Depends``. Raises RuntimeError without the middleware."""
        slot: _Slot | None = connection.scope.get(self._scope_key)
        if slot is None:
            raise RuntimeError("add FlaskSessionMiddleware to the app: without it no cookie would be sent")
        return await slot.load()

    async def save(self, connection: HTTPConnection, response: Response) -> None:
        """Keeps the session, and adds its cookie to ``response``, if Flask would.

        The middleware does this for every response but one: the handler of ``Exception`` answers from outside of all
        middleware. Flask saves the session there too, so await this in that handler.
        """
        slot: _Slot | None = connection.scope.get(self._scope_key)
        if slot is not None:
            await slot.save(response.headers)

    def in_use(self, scope: Scope) -> Session | None:
        """The session of a request if something has asked for it already."""
        slot: _Slot | None = scope.get(self._scope_key)
        return None if slot is None else slot.loaded

    def expires(self, *, permanent: bool) -> datetime | None:
        """When a cookie that is set now goes; None for one that goes with the browser's window."""
        return datetime.now(UTC) + self.lifetime if permanent else None

    @property
    def _scope_key(self) -> str:
        return f"flask_session:{self.cookie.name}"


class FlaskSessionMiddleware:
    """Gives each request its session, read when first asked for, and keeps it when the response begins."""

    def __init__(self, app: ASGIApp, session: SharedSession) -> None:
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
                await slot.save(MutableHeaders(scope=message))
            await send(message)

        await self.app(scope, receive, send_with_cookie)


class _Slot:
    """One request's session. It stands in the scope by reference, so mounted apps, whose scope is a copy, share it."""

    __slots__ = ("_cookie", "_owner", "_read_only", "_saved", "loaded")

    def __init__(self, owner: SharedSession, scope: Scope) -> None:
        self._owner = owner
        self._cookie = read(scope["headers"], owner.cookie.name)
        self._read_only = scope["type"] == "websocket"
        self._saved = False
        self.loaded: Session | None = None

    async def load(self) -> Session:
        if self.loaded is None:
            opened = await self._owner.open(self._cookie, read_only=self._read_only)
            # Two that ask at the same time must get the same one.
            if self.loaded is None:
                self.loaded = opened
        return self.loaded

    async def save(self, headers: MutableHeaders) -> None:
        """Once per request."""
        if self._saved:
            return
        self._saved = True
        owner = self._owner
        if self.loaded is None and not (self._cookie and owner.refresh_each_request):
            return  # nobody touched the session, and no refresh of it can be due
        await owner.close(await self.load(), headers)


def vary_by_cookie(headers: MutableHeaders) -> None:
    """The response is for this browser only."""
    fields = headers.getlist("vary")
    names = {name.strip().lower() for line in fields for name in line.split(",")}
    if names.isdisjoint({"cookie", "*"}):
        headers["vary"] = ", ".join([*fields, "Cookie"])
