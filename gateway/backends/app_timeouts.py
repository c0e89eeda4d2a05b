"""How long an app in this process may keep its client waiting.

A server of its own would be left by its clients after a while. An app in this process can only be told to stop: a
coroutine is cancelled; a thread cannot be, and goes on, but nobody waits for it any more.
"""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.upstream.failure import Failure, UpstreamError

_HEADS = frozenset(("http.response.start", "websocket.http.response.start"))
_BODIES = frozenset(("http.response.body", "websocket.http.response.body"))
_ENDS = frozenset(("websocket.accept", "websocket.close"))


class TooLate(OSError):
    """What an app is told that goes on with an answer which was given up, as if its client had left."""


class AppTimeouts:
    """An ASGI app: ``app``, with ``head`` seconds from the end of the request to the beginning of the answer, and
    ``idle`` seconds for which the answer may then stand still.

    Past that it is cancelled, and UpstreamError is raised, with HEAD_TIMEOUT or IDLE_TIMEOUT. One that goes on in
    spite of it keeps its client waiting, and is not heard. A WebSocket that is accepted has no limit.
    """

    def __init__(self, app: ASGIApp, *, head: float, idle: float) -> None:
        self._app = app
        self._head = head
        self._idle = idle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = _Call(self._head, self._idle, receive, send)
        try:
            async with call.limit:
                await self._app(scope, call.receive, call.send)
        except Exception:
            # A TimeoutError, or what a framework has made of the cancellation.
            if not call.limit.expired():
                raise
        finally:
            call.over = True
        if call.limit.expired():
            raise UpstreamError(Failure.IDLE_TIMEOUT if call.begun else Failure.HEAD_TIMEOUT)


class _Call:
    """One request. ``limit`` runs while nobody is waited for but the app."""

    __slots__ = ("_allowed", "_idle", "_receive", "_send", "_waits", "_whole", "begun", "limit", "over")

    def __init__(self, head: float, idle: float, receive: Receive, send: Send) -> None:
        self._allowed = head
        self._idle = idle
        self._receive = receive
        self._send = send
        # For the client's body, or for the client to take some of the answer.
        self._waits = 0
        self._whole = False
        self.begun = False
        self.over = False
        self.limit = asyncio.timeout(head)

    async def receive(self) -> Message:
        if self._whole:
            return await self._receive()
        self._pause()
        try:
            message = await self._receive()
        finally:
            self._resume()
        self._whole = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        if self.limit.expired():
            raise TooLate
        kind = message["type"]
        if kind in _HEADS:
            self.begun = True
            self._allowed = self._idle
        self._pause()
        try:
            await self._send(message)
        finally:
            if kind in _ENDS or (kind in _BODIES and not message.get("more_body", False)):
                self.over = True
            self._resume()

    def _pause(self) -> None:
        self._waits += 1
        if self._waits == 1 and self._counts():
            self.limit.reschedule(None)

    def _resume(self) -> None:
        self._waits -= 1
        if not self._waits and self._counts():
            self.limit.reschedule(asyncio.get_running_loop().time() + self._allowed)

    def _counts(self) -> bool:
        return not (self.over or self.limit.expired())
