"""A client connection that asks for a WebSocket: from its handshake to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from dataclasses import replace
from math import inf
from typing import Any, ClassVar
from urllib.parse import unquote_to_bytes

from uvicorn import Config
from uvicorn.server import ServerState
from websockets.protocol import SERVER

from gateway.server.connection import Connection
from gateway.server.refusal import OVERLOADED, STOPPING, Refusal
from gateway.server.request_head import RequestHead
from gateway.server.websocket_exchange import WebSocketExchange
from gateway.server.websocket_handshake import answer_to_key, offered_subprotocols, write_switch
from gateway.websocket.end import SERVICE_RESTART
from gateway.websocket.limits import Limits as StreamLimits
from gateway.websocket.server_side import EXTENSION, ServerSide
from gateway.websocket.stream import Stream

_SCHEMES = {"http": "ws", "https": "wss"}


class WebSocketDoor(Connection):
    """A WebSocket server protocol, to be given to uvicorn as ``Config(ws=WebSocketDoor)``.

    It takes a connection over with the whole head of the handshake. Of uvicorn's settings for WebSockets,
    ``ws_max_size`` alone is looked at. Subclass to change the other limits. uvicorn's own protocol answers every ping
    of a client that does not read, takes a client that it does not listen to for dead, and keeps each fragment of a
    message for itself.
    """

    stream_limits: ClassVar[StreamLimits] = StreamLimits()

    __slots__ = ("_accept", "_asgi", "_early", "_end", "stream")

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._asgi: WebSocketExchange | None = None
        self._accept = b""
        # What a hasty client sends before it is accepted.
        self._early = b""
        self.stream: Stream | None = None
        self._end: asyncio.TimerHandle | None = None

    # The handshake.

    def data_received(self, data: bytes) -> None:
        if self.over:
            return
        if self._asgi is None:
            head, end, self._early = data.partition(b"\r\n\r\n")
            try:
                self._begin(head + end)
            except Refusal as refusal:
                self.listener.refused(self, refusal)
                self.refuse(refusal)
        else:
            self._early += data
        if len(self._early) > self.listener.limits.body_buffer:
            self.flow.pause_reading()

    def _begin(self, head: bytes) -> None:
        listener = self.listener
        limit = listener.config.limit_concurrency
        if limit is not None and len(self.server_state.tasks) >= limit:
            listener.refused(self, OVERLOADED)
            self.refuse(OVERLOADED)
            return
        request = listener.heads.read(head)
        self._accept = answer_to_key(request.fields)
        self.deadline = inf
        self._asgi = WebSocketExchange(self, self._scope(request))
        self._asgi.start(listener.app, listener.loop)

    def _scope(self, request: RequestHead) -> dict[str, Any]:
        listener = self.listener
        raw_path = request.path or b""
        path = unquote_to_bytes(raw_path).decode("utf-8", "replace")
        return {
            "type": "websocket",
            "asgi": {**listener.asgi, "spec_version": "2.4"},
            "http_version": "1.1",
            "server": self._server,
            "client": self._client,
            "scheme": _SCHEMES[self._scheme],
            "root_path": listener.root_path,
            "path": listener.root_path + path,
            "raw_path": listener.root_path.encode() + raw_path,
            "query_string": request.query,
            "headers": request.fields,
            "subprotocols": offered_subprotocols(request.fields),
            "state": listener.app_state.copy(),
            "extensions": {
                "websocket.http.response": {},
                EXTENSION: ServerSide(progress=self.progress, max_message=listener.config.ws_max_size),
            },
        }

    def switch(self, subprotocol: str | None, fields: list[tuple[bytes, bytes]]) -> Stream:
        """Accept. Raises ValueError or TypeError for a field that cannot be sent."""
        self.write(write_switch(self._accept, subprotocol, fields, self.default_fields()))
        listener = self.listener
        limits = replace(self.stream_limits, message=listener.config.ws_max_size)
        stream = self.stream = Stream(self._transport, SERVER, limits, listener.loop, self._stream_lost)
        listener.remove(self)
        self._transport.set_protocol(stream)
        self.flow.resume_reading()
        early, self._early = self._early, b""
        if early:
            stream.data_received(early)
        lifetime = listener.limits.stream_lifetime
        if lifetime is not None:
            self._end = listener.loop.call_later(lifetime, stream.close, SERVICE_RESTART, "connect again")
        return stream

    def _stream_lost(self) -> None:
        self.connection_lost(None)

    def progress(self) -> Hashable:
        """Changes with whatever the client sends and takes."""
        return self.stream.progress() if self.stream is not None else None

    # Ending.

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._end is not None:
            self._end.cancel()
            self._end = None
        if self._asgi is not None:
            self._asgi.disconnect()
            self._asgi = None
        self.stream = None

    def _gone(self) -> None:
        super()._gone()
        if self._asgi is not None:
            self._asgi.disconnect()

    def client_too_slow(self) -> None:
        self.close()

    def shutdown(self) -> None:
        """Called by uvicorn when the server is to end. A WebSocket may last for days: the client is told to come back,
        and comes to another process."""
        if self.stream is not None:
            self.stream.close(SERVICE_RESTART, "the server is restarting")
        elif not self.over:
            self.refuse(STOPPING)
