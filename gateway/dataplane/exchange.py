"""What has been sent of one answer: enough to tell whole from broken, and to say nothing twice."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable

from starlette.types import Message, Send

from gateway.http1.field_name import FieldName

# The status that stands in metrics for a client that left before its answer began, as nginx has it.
CLIENT_LEFT = 499

SET_COOKIE = FieldName(b"Set-Cookie")
SERVED_BY = FieldName(b"X-Served-By")
_CACHE_CONTROL = FieldName(b"Cache-Control")

# Beside the id that an answer sets. Set-Cookie does not keep a cache in front of us from storing an answer and giving
# the id to everybody (RFC 9111 7.3). What the app says of caching stays: of both, the stricter counts (RFC 9111 4.2.1).
NOT_SHARED = (_CACHE_CONTROL, b"private")
# Of an overridden request. No cache knows that this one had another header, so its answer would be everybody's.
NOT_STORED = (_CACHE_CONTROL, b"no-store")

# Fields that the gateway adds to an answer.
Added = list[tuple[bytes, bytes]]


class HttpExchange:
    """Wraps ``send`` for one HTTP request.

    ``status`` is 0 until the answer has begun. ``complete`` is set after its last byte was handed to the server.
    ``added`` are fields for its head.
    """

    __slots__ = ("_send", "added", "complete", "status")

    def __init__(self, send: Send, added: Added | None) -> None:
        self._send = send
        self.added = added
        self.status = 0
        self.complete = False

    def send(self, message: Message) -> Awaitable[None]:
        """The ASGI send. The server's own coroutine where that will do: one of ours would cost every message."""
        kind = message["type"]
        if kind == "http.response.start":
            self.status = message["status"]
            if self.added is not None:
                message = _with_added(message, self.added)
        elif kind == "http.response.body" and not message.get("more_body", False):
            return self._send_last(message)
        return self._send(message)

    def replace_app(self) -> None:
        """From here on the gateway itself answers."""

    async def _send_last(self, message: Message) -> None:
        await self._send(message)
        self.complete = True


class MovedAway(OSError):
    """What an app is told that sends to a client which was sent elsewhere, as if it had left (ASGI "Send event")."""


class WebSocketExchange:
    """Wraps ``send`` for one WebSocket. ``status`` is 101 once accepted, or that of the refusal."""

    __slots__ = ("_moved", "_send", "added", "complete", "status")

    def __init__(self, send: Send, added: Added | None) -> None:
        self._send = send
        self._moved = False
        self.added = added
        self.status = 0
        self.complete = False

    def replace_app(self) -> None:
        """From here on the gateway itself answers."""

    async def move_away(self) -> None:
        """Tell the client to come back, for its route leads elsewhere by now. The app finds that it has left."""
        if not self.complete:
            self._moved = self.complete = True
            # 1012, service restart: clients that reconnect by themselves do so at once.
            await self._send({"type": "websocket.close", "code": 1012, "reason": "the route has moved"})

    async def send(self, message: Message) -> None:
        if self._moved:
            raise MovedAway
        kind = message["type"]
        if kind == "websocket.accept":
            self.status = 101
            if self.added is not None:
                message = _with_added(message, self.added)
        elif kind == "websocket.http.response.start":
            self.status = message["status"]
        elif kind == "websocket.close":
            # Closing before accepting refuses the handshake with 403 (ASGI "Close - send event").
            self.status = self.status or 403
            self.complete = True
        await self._send(message)
        if kind == "websocket.http.response.body" and not message.get("more_body", False):
            self.complete = True


Exchange = HttpExchange | WebSocketExchange


def with_added(fields: Iterable[tuple[bytes, bytes]], added: Added) -> Added:
    """All the fields of an answer. An ``X-Served-By`` of the app's own gives way: only one can be right."""
    if added[0][0] == SERVED_BY:
        fields = [field for field in fields if field[0] != SERVED_BY]
    return [*fields, *added]


def _with_added(message: Message, added: Added) -> Message:
    """A copy: the app may send the same message object to every client."""
    return {**message, "headers": with_added(message.get("headers", ()), added)}
