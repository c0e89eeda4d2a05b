"""A WebSocket to a remote app, as an ASGI application: each end's messages, and its end, are passed to the other."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from functools import partial
from typing import TYPE_CHECKING, Final

from starlette.types import Receive, Scope, Send

from gateway.upstream.connection import ConnectionLost
from gateway.upstream.failure import Failure, UpstreamError
from gateway.upstream.rewrite import public_address, rewrite
from gateway.upstream.websocket_handshake import HandshakeConnection, Offer
from gateway.websocket.end import (
    GOING_AWAY,
    INTERNAL_ERROR,
    NO_STATUS,
    NORMAL,
    TOO_BIG,
    Cause,
    Closed,
    End,
    fitting,
    may_be_sent,
)
from gateway.websocket.limits import Limits
from gateway.websocket.server_side import server_side
from gateway.websocket.stream import Stream

if TYPE_CHECKING:
    from gateway.upstream.upstream import Upstream

# What in the answer is about this handshake, and is said anew to the client.
_OF_ONE_HOP: Final = frozenset(
    (b"sec-websocket-accept", b"sec-websocket-extensions", b"sec-websocket-protocol", b"content-length")
)

# How often it is looked, within the idle time, whether anything moves.
_LOOKS: Final = 4


class Relay:
    """From the client's handshake to the end of both connections. Made for one ``run``.

    The client is accepted only when the app has accepted: with the subprotocol and the fields of its answer. Each of
    the two connections answers its own pings. It ends when either end does, or when neither has given a sign for the
    idle time.
    """

    __slots__ = (
        "_accepted",
        "_connection",
        "_idle",
        "_limits",
        "_looks",
        "_messages",
        "_next_look",
        "_receive",
        "_scope",
        "_seen",
        "_send",
        "_server",
        "_upstream",
    )

    def __init__(
        self, upstream: Upstream, scope: Scope, receive: Receive, send: Send, limits: Limits | None = None
    ) -> None:
        self._upstream = upstream
        self._scope = scope
        self._receive = receive
        self._send = send
        self._server = server_side(scope)
        if limits is None:
            limits = Limits() if self._server is None else Limits(message=self._server["max_message"])
        self._limits = limits
        self._connection: HandshakeConnection | None = None
        self._accepted = False
        self._messages = 0
        self._seen: Hashable = None
        self._next_look = 0.0
        self._looks = 0
        self._idle: asyncio.Future[None] = upstream.loop.create_future()

    async def run(self) -> None:
        """Raises UpstreamError when the app's answer to the handshake cannot be had, or the client leaves before it.
        What comes later is told in close frames."""
        await self._receive()
        loop = self._upstream.loop
        client = loop.create_task(self._from_client())
        app = loop.create_task(self._from_app())
        try:
            try:
                await self._until_one_ends(client, app)
            finally:
                self._upstream.clock.remove(self)
                for task in (client, app):
                    task.cancel()
                await asyncio.gather(client, app, return_exceptions=True)
            if self._connection is not None and self._connection.stream is not None:
                await self._connection.stream.wait_until_lost()
        except BaseException:
            if self._connection is not None:
                self._connection.abandon()
            raise

    async def _until_one_ends(self, client: asyncio.Task[tuple[int, str] | None], app: asyncio.Task[None]) -> None:
        done, _ = await asyncio.wait((client, app, self._idle), return_when=asyncio.FIRST_COMPLETED)
        if client in done and app not in done and client.result() is None:
            # The app has gone. What it has sent before that is still on its way to the client.
            done, _ = await asyncio.wait((app, self._idle), return_when=asyncio.FIRST_COMPLETED)
        stream = self._connection.stream if self._connection is not None else None
        if app in done:
            app.result()
        if stream is None:
            if app in done:
                return
            raise UpstreamError(Failure.CLIENT_LEFT)
        if client.done() and (left := client.result()) is not None:
            stream.close(*_for_app(*left))
        elif self._idle.done():
            reason = f"nothing was said for {self._upstream.timeouts.idle:g} s"
            stream.close(GOING_AWAY, reason)
            await self._send({"type": "websocket.close", "code": GOING_AWAY, "reason": reason})
        else:
            stream.close(GOING_AWAY)
        if not self._accepted:
            raise UpstreamError(Failure.CLIENT_LEFT)

    # Called by the clock.

    def look(self, now: float) -> None:
        """Whether anything has moved since the last look, in either direction."""
        if now < self._next_look:
            # Rarely: there may be ten thousand of us.
            return
        self._next_look = now + self._upstream.timeouts.idle / _LOOKS
        assert self._connection is not None
        assert self._connection.stream is not None
        theirs = self._server["progress"]() if self._server is not None else None
        seen = (self._messages, self._connection.stream.progress(), theirs)
        if seen != self._seen:
            self._seen = seen
            self._looks = 0
            return
        self._looks += 1
        if self._looks >= _LOOKS and not self._idle.done():
            self._idle.set_result(None)

    # From the client to the app.

    async def _from_client(self) -> tuple[int, str] | None:
        """Until the client has gone: returns how. None if the app is gone."""
        receive = self._receive
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return message.get("code", NO_STATUS), message.get("reason") or ""
            content = message.get("bytes")
            if content is None:
                content = message["text"]
            self._messages += 1
            # It is there: a client that was not accepted yet has nothing to say.
            assert self._connection is not None
            assert self._connection.stream is not None
            try:
                await self._connection.stream.send(content)
            except Closed:
                return None

    # From the app to the client.

    async def _from_app(self) -> None:
        connection = await self._open()
        stream = connection.stream
        try:
            if stream is None:
                await self._pass_on_refusal(connection)
            else:
                await self._accept(connection)
                await self._pass_on_messages(stream)
        except OSError:
            # ASGI: the client has left.
            return

    async def _open(self) -> HandshakeConnection:
        """A connection on which the app has answered. Raises UpstreamError."""
        upstream = self._upstream
        offer = Offer(upstream, self._scope)
        connection = self._connection = await self._connect(offer)
        connection.ask()
        try:
            async with asyncio.timeout(upstream.timeouts.head):
                await connection.wait_for_head()
        except TimeoutError:
            connection.blame(UpstreamError(Failure.HEAD_TIMEOUT, connection.origin.url))
        except (ConnectionLost, UpstreamError):
            # The connection has it.
            pass
        upstream.pool.judge(connection)
        error = connection.error
        if isinstance(error, ConnectionLost):
            raise UpstreamError(Failure.NO_ANSWER, str(error)) from error
        if error is not None:
            raise error
        return connection

    async def _connect(self, offer: Offer) -> HandshakeConnection:
        """To the address with the fewest WebSockets; to each of the others in turn if it cannot be reached."""
        upstream = self._upstream
        loop = upstream.loop
        left = sorted(upstream.pool.inside, key=lambda origin: (origin.avoid_until > loop.time(), origin.websockets))
        try:
            async with asyncio.timeout(upstream.timeouts.connect):
                while True:
                    make = partial(HandshakeConnection, loop, left[0], offer, self._limits)
                    try:
                        return await upstream.pool.open(left.pop(0), make)
                    except UpstreamError:
                        if not left:
                            raise
        except TimeoutError:
            raise UpstreamError(Failure.CONNECT_TIMEOUT) from None

    async def _accept(self, connection: HandshakeConnection) -> None:
        fields = [field for field in self._fields(connection) if field[0] not in _OF_ONE_HOP]
        await self._send({"type": "websocket.accept", "subprotocol": connection.subprotocol, "headers": fields})
        self._accepted = True
        self._upstream.clock.add(self)

    async def _pass_on_messages(self, stream: Stream) -> None:
        send = self._send
        try:
            while True:
                message = await stream.receive()
                self._messages += 1
                if isinstance(message, str):
                    await send({"type": "websocket.send", "text": message})
                else:
                    await send({"type": "websocket.send", "bytes": message})
        except Closed as closed:
            code, reason = self._for_client(closed.end)
        await send({"type": "websocket.close", "code": code, "reason": reason})

    async def _pass_on_refusal(self, connection: HandshakeConnection) -> None:
        """The app's response, whole, in the place of a WebSocket. Raises UpstreamError."""
        response, send = connection.response, self._send
        if "websocket.http.response" not in self._scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": NORMAL})
            return
        fields = self._fields(connection)
        await send({"type": "websocket.http.response.start", "status": response.status, "headers": fields})
        more = True
        while more:
            try:
                async with asyncio.timeout(self._upstream.timeouts.idle):
                    content = await connection.wait_for_content()
            except TimeoutError:
                raise UpstreamError(Failure.IDLE_TIMEOUT, connection.origin.url) from None
            more = not response.complete
            await send({"type": "websocket.http.response.body", "body": content, "more_body": more})
        connection.close()

    def _fields(self, connection: HandshakeConnection) -> list[tuple[bytes, bytes]]:
        response, upstream = connection.response, self._upstream
        if response.has_places and upstream.rewrite:
            return rewrite(response.fields, connection.origin.url.encode(), public_address(connection.offer.scope))
        return response.fields

    # Ends.

    def _for_client(self, end: End) -> tuple[int, str]:
        """How the client is told of the app's end."""
        if end.cause is Cause.PEER:
            if end.code == NO_STATUS:
                # ASGI has no empty close frame; our own server has.
                return NORMAL if self._server is None else NO_STATUS, ""
            return end.code, end.reason
        if end.cause is Cause.LOST:
            return INTERNAL_ERROR, "the application broke off the connection"
        if end.code == TOO_BIG:
            return INTERNAL_ERROR, "the application sent a message that is too long"
        return INTERNAL_ERROR, "the application sent what is no WebSocket message"


def _for_app(code: int, reason: str) -> tuple[int, str]:
    """How the app is told of the client's end."""
    if code == NO_STATUS:
        return NO_STATUS, ""
    if may_be_sent(code):
        return code, fitting(reason)
    # RFC 6455 7.4.1: 1006 and its like stand for what nobody has sent.
    return GOING_AWAY, "the client has left"
