"""One HTTP/1.1 connection to a remote app: requests go out, responses come in, one after the other."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol, cast

from gateway.upstream.failure import Failure, UpstreamError
from gateway.upstream.flow_control import FlowControl
from gateway.upstream.limits import READ_AHEAD
from gateway.upstream.response import ResponseReader

if TYPE_CHECKING:
    from gateway.upstream.origin import Origin


class ConnectionLost(Exception):
    """The connection ended before any byte of the response."""


class Owner(Protocol):
    """Who is told at once, rather than by a future."""

    def progress(self) -> None:
        """Something has come, or nothing will any more."""


class Connection(asyncio.Protocol):
    """For one request at a time: ``begin``, ``write`` all of it, wait for the ``head``, and take the ``content``.

    Or be told of all that comes, as the ``owner``.

    State changes at once; only what has a wait in its name, and the transport, does I/O.
    """

    __slots__ = (
        "_error",
        "_loop",
        "_transport",
        "_waiter",
        "closed",
        "era",
        "flow",
        "origin",
        "owner",
        "response",
        "used",
    )

    flow: FlowControl

    def __init__(self, loop: asyncio.AbstractEventLoop, origin: Origin) -> None:
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._error: UpstreamError | ConnectionLost | None = None
        self.owner: Owner | None = None
        self.origin = origin
        self.response = ResponseReader()
        # Whether it has served a request before the one that it serves now.
        self.used = False
        # Of its address, as the pool has it (rotating_pool.py), when its request began.
        self.era = 0
        self.closed = False

    def __repr__(self) -> str:
        response = self.response
        state = (
            "closed"
            if self.closed
            else "idle"
            if self in self.origin.idle
            else "complete"
            if response.complete
            else "content"
            if response.head_complete
            else "waiting"
        )
        return f"<Connection {self.origin.url} {state}>"

    # Called by the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.flow = FlowControl(self._loop, self._transport)

    def data_received(self, data: bytes) -> None:
        response = self.response
        if response.complete:
            # Said unasked: no request may follow, or this would be taken for its answer.
            response.reusable = False
            self.close()
            return
        try:
            response.feed(data)
        except UpstreamError as error:
            self._fail(error)
            return
        owner = self.owner
        if owner is not None:
            owner.progress()
            return
        if response.content_size > READ_AHEAD:
            # Also while somebody waits: he gets his turn only after the loop has read all that is there, many megabytes
            # of it from a fast app.
            self.flow.pause_reading()
        waiter = self._waiter
        if waiter is not None and (response.content or response.head_complete or response.go_ahead or response.hints):
            self._wake(waiter)

    def eof_received(self) -> None:
        """The app has nothing more to say. The transport closes itself after this."""
        if self.response.complete:
            self.close()
        elif self._error is None:
            self._end()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.closed:
            self.closed = True
            self.origin.idle.pop(self, None)
        if not self.response.complete and self._error is None:
            self._end(exc)
        self.flow.resume_writing()
        self._transport = None

    def pause_writing(self) -> None:
        self.flow.pause_writing()

    def resume_writing(self) -> None:
        self.flow.resume_writing()

    # The end.

    def _end(self, exc: Exception | None = None) -> None:
        response = self.response
        response.reusable = False
        why = f": {exc}" if exc is not None else ""
        if not response.begun:
            self._fail(ConnectionLost(f"{self.origin.url}{why}"))
        elif not response.head_complete:
            self._fail(UpstreamError(Failure.NO_ANSWER, f"{self.origin.url} closed in the middle of its head{why}"))
        elif exc is None and response.end():
            self._tell()
        else:
            self._fail(UpstreamError(Failure.TRUNCATED, f"{self.origin.url}{why}"))

    def _fail(self, error: UpstreamError | ConnectionLost) -> None:
        self._error = error
        self.close()
        self._tell()

    def _tell(self) -> None:
        if self.owner is not None:
            self.owner.progress()
        elif self._waiter is not None:
            self._wake(self._waiter)

    def close(self) -> None:
        """At once, whatever it was doing. What was written and is not sent is dropped."""
        if not self.closed:
            self.closed = True
            self.origin.idle.pop(self, None)
            if self._transport is not None:
                self._transport.abort()

    @property
    def error(self) -> UpstreamError | ConnectionLost | None:
        """What the app has done wrong with this request."""
        return self._error

    def blame(self, error: UpstreamError) -> None:
        """Who asked waits no longer, because of the app."""
        if self._error is None:
            self._error = error

    # One request.

    def begin(self, *, bodiless: bool) -> None:
        """The next request; ``bodiless`` if its answer has no content whatever its fields say."""
        self._error = None
        self.response.begin(bodiless=bodiless)

    def write(self, data: bytes) -> None:
        if self._transport is not None and not self.closed:
            self._transport.write(data)

    async def wait_for_head(self) -> None:
        """Until it has come, or hints before it. Raises UpstreamError; ConnectionLost if nothing at all has come."""
        response = self.response
        while not (response.head_complete or response.hints):
            # As _wait, written out: this is on every request's way.
            if self._error is not None:
                raise self._error
            waiter = self._waiter = self._loop.create_future()
            try:
                await waiter
            finally:
                self._waiter = None

    async def wait_for_go_ahead(self) -> None:
        """Until the app asks for the body with "100 Continue", or answers without it."""
        response = self.response
        while not response.go_ahead and not response.head_complete:
            await self._wait()

    def presume_go_ahead(self) -> None:
        """Nobody waits for "100 Continue" for ever."""
        self.response.go_ahead = True
        if self._waiter is not None:
            self._wake(self._waiter)

    async def wait_for_content(self) -> bytes:
        """What has come since, once something has; empty only at the end. Raises UpstreamError."""
        response = self.response
        while not response.content:
            if response.complete:
                return b""
            await self._wait()
        return self.take()

    def take(self) -> bytes:
        """What has come of the content since the last time."""
        content = self.arrived()
        response = self.response
        response.content = []
        response.content_size = 0
        self.flow.resume_reading()
        return content

    def arrived(self) -> bytes:
        """What ``take`` would return."""
        content = self.response.content
        return content[0] if len(content) == 1 else b"".join(content)

    async def _wait(self) -> None:
        if self._error is not None:
            raise self._error
        waiter = self._waiter = self._loop.create_future()
        try:
            await waiter
        finally:
            self._waiter = None

    @staticmethod
    def _wake(waiter: asyncio.Future[None]) -> None:
        if not waiter.done():
            waiter.set_result(None)
