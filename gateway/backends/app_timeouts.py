"""How long an app in this process may keep its client waiting.

One that takes longer is left to itself, as behind a server of its own: it finds that its client has gone, and may end
what it has begun. Nothing of it is cancelled. A thread cannot be; a coroutine that waits for one would give its place
to the next, of which there is no end; and who knows what else it holds.
"""

from __future__ import annotations

import asyncio
import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.backends.overload import Overloaded
from gateway.upstream.failure import Failure, UpstreamError

log = logging.getLogger("gateway")

_HEADS = frozenset(("http.response.start", "websocket.http.response.start"))
_BODIES = frozenset(("http.response.body", "websocket.http.response.body"))
_ENDS = frozenset(("websocket.accept", "websocket.close"))


class TooLate(OSError):
    """What an app is told that goes on with an answer which was given up, as if its client had left."""


class AppTimeouts:
    """An ASGI app: ``app``, with ``head`` seconds from the end of the request to the beginning of the answer, and
    ``idle`` seconds for which the answer may then stand still. A WebSocket that is accepted has no limit.

    Past that it raises UpstreamError, with HEAD_TIMEOUT or IDLE_TIMEOUT, and ``app`` goes on unheard. While as many as
    ``most`` do, it raises Overloaded.
    """

    def __init__(self, app: ASGIApp, *, head: float, idle: float, most: int, name: str) -> None:
        self._app = app
        self._head = head
        self._idle = idle
        self._most = most
        self._name = name
        self._given_up: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if len(self._given_up) >= self._most:
            raise Overloaded(1)
        gone: Message = {"type": f"{scope['type']}.disconnect"}
        if scope["type"] == "websocket":
            gone["code"] = 1006
        call = _Call(self._head, self._idle, receive, send, gone)
        task = asyncio.create_task(self._call(scope, call))
        task.add_done_callback(call.ended)
        try:
            await call.end
        except asyncio.CancelledError:
            # The server ends.
            task.cancel()
            await asyncio.wait({task})
            raise
        finally:
            call.stop_counting()
        if not call.late:
            task.result()
            return
        self._given_up.add(task)
        task.add_done_callback(self._done)
        raise UpstreamError(Failure.IDLE_TIMEOUT if call.begun else Failure.HEAD_TIMEOUT)

    async def _call(self, scope: Scope, call: _Call) -> None:
        await self._app(scope, call.receive, call.send)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._given_up.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, OSError):
            log.error("backend %s raised after its request was given up", self._name, exc_info=error)


class _Call:
    """One request. Time is counted while nobody is waited for but the app.

    ``end`` is resolved when the app has returned or raised, or is ``late``. From then on it gets to hear ``gone``.
    """

    def __init__(self, head: float, idle: float, receive: Receive, send: Send, gone: Message) -> None:
        self._loop = asyncio.get_running_loop()
        self._allowed = head
        self._idle = idle
        self._receive = receive
        self._send = send
        self._gone = gone
        # For the client's body, or for the client to take some of the answer.
        self._waits = 0
        self._whole = False
        self._over = False
        self._listening: asyncio.Task[Message] | None = None
        self.begun = False
        self.late = False
        self.end: asyncio.Future[None] = self._loop.create_future()
        self._timer: asyncio.TimerHandle | None = self._loop.call_later(head, self._expire)

    def ended(self, task: asyncio.Task[None]) -> None:
        if not self.end.done():
            self.end.set_result(None)

    def stop_counting(self) -> None:
        self._over = True
        self._stop_timer()

    async def receive(self) -> Message:
        if self.late:
            return self._gone
        if self._over:
            return await self._receive()
        if self._whole:
            return await self._listen()
        self._pause()
        try:
            message = await self._receive()
        finally:
            self._resume()
        self._whole = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        if self.late:
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
                self._over = True
            self._resume()

    async def _listen(self) -> Message:
        """For the news that the client has left. Somebody else may listen for it by the time that the app is late."""
        listening = self._listening = asyncio.ensure_future(self._receive())
        try:
            return await listening
        except asyncio.CancelledError:
            listening.cancel()
            if self.late:
                return self._gone
            raise
        finally:
            self._listening = None

    def _pause(self) -> None:
        self._waits += 1
        self._stop_timer()

    def _resume(self) -> None:
        self._waits -= 1
        if not (self._waits or self._over or self.late):
            self._timer = self._loop.call_later(self._allowed, self._expire)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expire(self) -> None:
        if self.end.done():
            return
        self.late = True
        if self._listening is not None:
            self._listening.cancel()
        self.end.set_result(None)
