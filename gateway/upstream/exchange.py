"""One request on its way to a remote app, and the answer on its way back."""

from __future__ import annotations

import asyncio
from math import inf
from typing import TYPE_CHECKING, Final

from starlette.types import Message, Receive, Scope, Send

from gateway.http1.methods import IDEMPOTENT
from gateway.http1.server_side import server_side
from gateway.upstream.connection import Connection, ConnectionLost
from gateway.upstream.failure import Failure, UpstreamError
from gateway.upstream.headers import Fields
from gateway.upstream.outbound import Outbound
from gateway.upstream.rewrite import public_address, rewrite

if TYPE_CHECKING:
    from gateway.upstream.upstream import Upstream

# Looking up a member of an Enum costs five times as much as this, on every request's way.
_CONNECT_TIMEOUT: Final = Failure.CONNECT_TIMEOUT
_QUEUE_TIMEOUT: Final = Failure.QUEUE_TIMEOUT
_HEAD_TIMEOUT: Final = Failure.HEAD_TIMEOUT
_IDLE_TIMEOUT: Final = Failure.IDLE_TIMEOUT

_EARLY_HINT: Final = "http.response.early_hint"


class Exchange:
    """From the request's scope to the last byte of the answer. Made for one ``run``.

    The clock looks at it while it lasts. When a deadline has passed, or the client has left, it ends the task that
    runs it, wherever that waits: for a connection, for the app or for the client.

    What most requests never change is told by class attributes: it costs them nothing.
    """

    _receive: Receive
    _send: Send
    _outbound: Outbound | None = None
    _connection: Connection | None = None
    _task: asyncio.Task[None] | None = None
    # What ends this exchange from outside, once something does.
    _ending: UpstreamError | None = None
    # What it means when the deadline passes.
    _failure: Failure = _CONNECT_TIMEOUT
    _deadline = inf
    _send_deadline = inf
    # The one task that calls receive(): first for the body, then for the news that the client has left.
    _watcher: asyncio.Task[None] | None = None
    _looked_at = False
    # Whether receive() has nothing more to bring but that news, and nobody waits for it yet.
    _watchable = False
    # Whether the request is with the app to its last byte; whether the answer is with the server.
    _sent = False
    _answered = False

    def __init__(self, upstream: Upstream, scope: Scope) -> None:
        self._upstream = upstream
        self._scope = scope
        self._total = upstream.clock.after(upstream.timeouts.total)

    async def run(self, receive: Receive, send: Send) -> None:
        """Raises UpstreamError. The connection is back in its pool, or closed, however this ends."""
        self._receive = receive
        self._send = send
        clock = self._upstream.clock
        task = self._task = asyncio.current_task()
        clock.add(self)
        try:
            if self._ending is not None:
                raise self._ending
            outbound = self._outbound
            if outbound is None:
                outbound = self._outbound = Outbound(self._upstream, self._scope)
                if outbound.has_body and not outbound.expects_continue:
                    await self._begin_body(outbound)
            self._watchable = not outbound.more
            connection = await self._ask(outbound)
            await self._answer(connection)
        except asyncio.CancelledError:
            # Ours, or also the server's, which must see it?
            if self._ending is None or task is None or task.uncancel() > 0:
                raise
            raise self._ending from None
        finally:
            clock.remove(self)
            if self._watcher is not None:
                self._watcher.cancel()
            if self._connection is not None:
                self._release()

    # What ends it from outside.

    def look(self, now: float) -> None:
        """Called by the clock."""
        if now >= self._deadline:
            queued = self._failure is _QUEUE_TIMEOUT
            self._end(UpstreamError(self._failure, retry_after=1 if queued else 0))
        elif now >= self._send_deadline:
            self._end(UpstreamError(Failure.SEND_TIMEOUT))
        elif now >= self._total:
            self._end(UpstreamError(Failure.TOTAL_TIMEOUT))
        elif self._watchable and self._looked_at:
            # Few requests last so long that it is worth a task to learn of a client that leaves.
            self._watchable = False
            self._watcher = self._upstream.loop.create_task(self._watch())
        elif not self._sent and self._client_gone():
            self._end(UpstreamError(Failure.CLIENT_LEFT))
        self._looked_at = True

    def _end(self, error: UpstreamError) -> None:
        if self._ending is None and not self._answered:
            self._ending = error
            if self._connection is not None and error.failure.side == "upstream":
                self._connection.blame(error)
            self._interrupt()

    def _interrupt(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _client_gone(self) -> bool:
        """Of a client whose body is not asked for: the app takes no more of it, or is not reached yet."""
        server = server_side(self._scope)
        return server is not None and server.client_gone()

    async def _watch(self) -> None:
        while await self._next_message() is not None:
            pass

    async def _next_message(self) -> Message | None:
        """Of the request; None when the client has left, which ends this exchange."""
        reason = ""
        try:
            message = await self._receive()
            if message["type"] != "http.disconnect":
                return message
        except Exception as error:
            # The server, or a middleware, has its own way to say it. Nobody else would hear of it in this task.
            reason = repr(error)
        self._end(UpstreamError(Failure.CLIENT_LEFT, reason))
        return None

    # The request.

    async def _begin_body(self, outbound: Outbound) -> None:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise UpstreamError(Failure.CLIENT_LEFT)
        outbound.begin_body(message.get("body", b""), message.get("more_body", False))

    async def _ask(self, outbound: Outbound) -> Connection:
        """Send the request, and return the connection on which the head of the answer has come."""
        upstream = self._upstream
        fresh = False
        while True:
            connection = self._connection
            try:
                # Unless it has been asked already, without a task.
                if connection is None:
                    connection = (None if fresh else upstream.pool.take()) or await self._connect()
                    self._begin(connection, outbound)
                    if outbound.more:
                        await self._send_body(connection, outbound)
                await connection.wait_for_head()
                while connection.response.hints:
                    await self._pass_hints_on(connection)
                    await connection.wait_for_head()
            except ConnectionLost as lost:
                assert connection is not None
                again = connection.used and not fresh and self._may_be_sent_again(outbound)
                self._release()
                if not again:
                    raise UpstreamError(Failure.NO_ANSWER, str(lost)) from lost
                # RFC 9112 9.3.1: the app has closed an idle connection at the moment when we took it. Not another
                # idle one, which may be closing too.
                fresh = True
            else:
                return connection

    def _begin(self, connection: Connection, outbound: Outbound) -> None:
        """Send what there is of the request."""
        self._connection = connection
        connection.begin(bodiless=self._scope["method"] == "HEAD")
        connection.write(outbound.first_bytes(connection.origin.authority))
        if not outbound.more:
            self._all_sent()

    async def _connect(self) -> Connection:
        upstream = self._upstream
        pool = upstream.pool
        self._deadline = upstream.clock.after(upstream.timeouts.connect)
        origin = pool.reserve()
        if origin is None:
            self._failure = _QUEUE_TIMEOUT
            got = await pool.stand_in_line()
            if isinstance(got, Connection):
                return got
            origin = got
        self._failure = _CONNECT_TIMEOUT
        return await pool.connect(origin)

    def _may_be_sent_again(self, outbound: Outbound) -> bool:
        return self._scope["method"] in IDEMPOTENT and outbound.is_whole

    def _all_sent(self) -> None:
        self._sent = True
        upstream = self._upstream
        self._failure = _HEAD_TIMEOUT
        self._deadline = upstream.clock.after(upstream.timeouts.head)

    async def _send_body(self, connection: Connection, outbound: Outbound) -> None:
        """See that the rest of the body is sent, beside the answer: the app may answer before it has read it all."""
        self._deadline = inf
        if outbound.expects_continue:
            # RFC 9110 10.1.1: the client's body is asked for when the app asks for it.
            upstream = self._upstream
            timer = upstream.loop.call_later(upstream.timeouts.go_ahead, connection.presume_go_ahead)
            try:
                await connection.wait_for_go_ahead()
            finally:
                timer.cancel()
            if connection.response.head_complete:
                return
        outbound.is_whole = False
        self._watcher = self._upstream.loop.create_task(self._pump(connection, outbound))

    async def _pump(self, connection: Connection, outbound: Outbound) -> None:
        upstream = self._upstream
        try:
            while outbound.more:
                message = await self._next_message()
                if message is None:
                    return
                connection.write(outbound.next_bytes(message.get("body", b""), message.get("more_body", False)))
                if self._deadline != inf:
                    # An answer that has begun may wait for the rest of the request.
                    self._deadline = upstream.clock.after(upstream.timeouts.idle)
                if connection.flow.write_paused:
                    self._send_deadline = upstream.clock.after(upstream.timeouts.send)
                    await connection.flow.writable()
                    self._send_deadline = inf
                if connection.closed:
                    return
        except UpstreamError as error:
            self._end(error)
            return
        if connection.response.head_complete:
            self._sent = True
        else:
            self._all_sent()
        await self._watch()

    def _stop_sending(self) -> None:
        """RFC 9112 9.5: who is told that a request was refused should cease sending its body."""
        if self._watcher is not None:
            self._watcher.cancel()

    # The answer.

    async def _pass_hints_on(self, connection: Connection) -> None:
        links = connection.response.hints
        connection.response.hints = ()
        if _EARLY_HINT in (self._scope.get("extensions") or ()):
            await self._send({"type": _EARLY_HINT, "links": links})

    async def _answer(self, connection: Connection) -> None:
        if connection.error is not None:
            # It has broken off behind its head, and the client has seen nothing of it yet: let it see a 502, or what a
            # fallback says, rather than half an answer.
            raise connection.error
        response = connection.response
        upstream, send = self._upstream, self._send
        status = response.status
        if not self._sent and status >= 400:
            self._stop_sending()
        # Others may change the list: it is a message of ASGI's.
        fields = list(self._fields(connection))
        self._failure = _IDLE_TIMEOUT
        self._deadline = inf
        await send({"type": "http.response.start", "status": status, "headers": fields})
        content = b""
        while not response.complete:
            self._deadline = upstream.clock.after(upstream.timeouts.idle)
            content = await connection.wait_for_content()
            # The app is not to blame for a client that is slow to read.
            self._deadline = inf
            if response.complete:
                break
            await send({"type": "http.response.body", "body": content, "more_body": True})
            content = b""
        if response.content:
            content += connection.take()
        self._release()
        self._answered = True
        await send({"type": "http.response.body", "body": content})

    def _fields(self, connection: Connection) -> Fields:
        """The fields of the answer, as the client gets them."""
        response = connection.response
        if response.has_places and self._upstream.rewrite:
            return rewrite(response.fields, connection.origin.url.encode(), public_address(self._scope))
        return response.fields

    def _release(self) -> None:
        connection = self._connection
        assert connection is not None
        self._connection = None
        if not self._sent:
            # RFC 9112 9.3: the rest of this request would be read as the next one.
            connection.response.reusable = False
        self._upstream.pool.give_back(connection)
