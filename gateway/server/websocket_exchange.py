"""One WebSocket as the ASGI app sees it: the handshake to be answered, then messages."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Scope

from gateway.server.flow_control import Waiters
from gateway.server.refusal import APP_FAILED, NO_ANSWER, STOPPING, Refusal
from gateway.server.websocket_denial import Denial
from gateway.websocket.end import ABNORMAL, GOING_AWAY, INTERNAL_ERROR, NO_STATUS, NORMAL, Closed, fitting, may_be_sent
from gateway.websocket.stream import Stream

if TYPE_CHECKING:
    from gateway.server.websocket_door import WebSocketDoor

log = logging.getLogger("gateway.server")

_REFUSED = Refusal(403, "The application refused the WebSocket.")


class ClientLeft(OSError):
    """What an app is told that sends to a client which has gone (ASGI "Send event", since version 2.4)."""


class WebSocketExchange:
    """From the handshake to the end. ``receive`` and ``send`` are what the app is called with."""

    def __init__(self, door: WebSocketDoor, scope: Scope) -> None:
        self._door = door
        self.scope = scope
        self._task: asyncio.Task[None] | None = None
        self._told = False
        # The answer to the handshake, whichever it was.
        self._stream: Stream | None = None
        self._denial: Denial | None = None
        self._over = False
        self._decided = Waiters()

    def start(self, app: ASGIApp, loop: asyncio.AbstractEventLoop) -> None:
        self._task = loop.create_task(self._run(app))
        self._door.server_state.tasks.add(self._task)

    async def _run(self, app: ASGIApp) -> None:
        try:
            await app(self.scope, self.receive, self.send)
            self._give_up(NO_ANSWER, NORMAL)
        except asyncio.CancelledError:
            self._give_up(STOPPING, GOING_AWAY)
        except BaseException as error:
            # SystemExit among them: one app does not end the server of two.
            if isinstance(error, ClientLeft):
                log.debug("WebSocket %s: the client has left", self.scope["path"])
            else:
                log.error("WebSocket %s: the app raised", self.scope["path"], exc_info=error)
            self._give_up(APP_FAILED, INTERNAL_ERROR)
        finally:
            assert self._task is not None
            self._door.server_state.tasks.discard(self._task)
            self._task = None

    def _give_up(self, refusal: Refusal, code: int) -> None:
        """The app does nothing more: see that it has an end all the same."""
        if self._stream is not None:
            self._stream.close(code)
        elif self._denial is not None:
            self._denial.give_up()
        elif not self._over:
            if refusal is NO_ANSWER:
                log.error("WebSocket %s: the app returned without an answer", self.scope["path"])
            self._door.refuse(refusal)

    def disconnect(self) -> None:
        """The connection is gone, or will be after what has been written to it."""
        self._over = True
        self._decided.wake()

    async def receive(self) -> Message:
        """The ASGI receive: ``websocket.connect``, the messages, then ``websocket.disconnect`` however often."""
        if not self._told:
            self._told = True
            return {"type": "websocket.connect"}
        stream = self._stream
        while stream is None:
            if self._over:
                return {"type": "websocket.disconnect", "code": ABNORMAL, "reason": ""}
            await self._decided.wait()
            stream = self._stream
        try:
            message = await stream.receive()
        except Closed as closed:
            return {"type": "websocket.disconnect", "code": closed.end.code, "reason": closed.end.reason}
        if isinstance(message, str):
            return {"type": "websocket.receive", "text": message}
        return {"type": "websocket.receive", "bytes": message}

    async def send(self, message: Message) -> None:
        """The ASGI send. Raises ClientLeft, RuntimeError for a message out of order, ValueError and TypeError for a
        head that cannot be sent."""
        kind = message["type"]
        if self._stream is not None:
            await self._send_on(self._stream, kind, message)
        elif self._denial is not None:
            await self._denial.send(message)
        elif self._over:
            raise ClientLeft
        elif kind == "websocket.accept":
            self._stream = self._door.switch(message.get("subprotocol"), message.get("headers", []))
            self._decided.wake()
        elif kind == "websocket.close":
            # ASGI "Close - send event": before accepting, it refuses with 403.
            self._door.refuse(_REFUSED)
        elif kind == "websocket.http.response.start":
            self._denial = Denial(self._door, message["status"], message.get("headers", []))
        else:
            raise RuntimeError(f"the ASGI message {kind!r} was sent before websocket.accept")

    async def _send_on(self, stream: Stream, kind: str, message: Message) -> None:
        if kind == "websocket.send":
            content = message.get("bytes")
            if content is None:
                content = message["text"]
            try:
                await stream.send(content)
            except Closed:
                raise ClientLeft from None
        elif kind == "websocket.close":
            code = message.get("code", NORMAL)
            if code != NO_STATUS and not may_be_sent(code):
                raise ValueError(f"{code} is not a code for a close frame")
            stream.close(code, "" if code == NO_STATUS else fitting(message.get("reason") or ""))
        else:
            raise RuntimeError(f"the ASGI message {kind!r} was sent after websocket.accept")
