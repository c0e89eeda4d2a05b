"""The front door: which bytes of a connection belong to which request, and whose turn it is."""

from __future__ import annotations

import asyncio
import re
import socket
from math import inf
from typing import Any
from urllib.parse import unquote_to_bytes

from uvicorn import Config
from uvicorn.server import ServerState

from gateway.http1.server_side import EXTENSION
from gateway.server.connection import Connection
from gateway.server.departure import gone
from gateway.server.exchange import Exchange
from gateway.server.half_close import HalfClose
from gateway.server.head_reader import FIRST_LETTER, wrong_already
from gateway.server.refusal import OVERLOADED, SLOW_BODY, SLOW_HEAD, TOO_LONG, Refusal
from gateway.server.request_body import Body, ChunkedBody, body_of, body_too_large
from gateway.server.request_head import RequestHead
from gateway.server.server_wide import answer_for_the_server
from gateway.server.websocket import hand_over

_LEADING_CRLF = re.compile(rb"(?:\r\n)+")
_PERCENT = ord("%")
_NO_DETAILS: dict[str, Any] = {}


class FrontDoor(Connection):
    """An HTTP/1.1 server protocol, to be given to uvicorn as ``Config(http=FrontDoor)``.

    uvicorn accepts, hears signals and shuts down. Of its settings, ``timeout_keep_alive``, ``access_log`` and
    ``reset_contextvars`` are not looked at. Subclass to change ``limits``, or have them changed by the Listener.
    """

    __slots__ = ("_arrived", "_body", "_drained", "_requests", "_searched")

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        # Of the request that is being read: what is to come of its body, None when its body is whole.
        self._body: Body | None = None
        # A head that is not whole yet, or what the client has sent ahead of its turn.
        self._arrived: bytearray | None = None
        self._searched = 0
        self._drained = 0
        # How many there were, where that is limited.
        self._requests = 0

    # Reading.

    def data_received(self, data: bytes) -> None:
        if self.over:
            return
        if self.exchange is None:
            if self._arrived is None:
                self._read_head(data)
            else:
                self._arrived += data
                self._read_head(self._arrived)
        elif self._body is not None:
            self._read_body(data)
        else:
            self._keep_for_later(data)

    def _read_head(self, data: bytes | bytearray) -> None:
        end = data.find(b"\r\n\r\n", self._searched)
        if end < 0 or data[0] < FIRST_LETTER:
            self._read_part_of_head(data)
            return
        end += 4
        head, rest = (bytes(data), b"") if end == len(data) else (bytes(data[:end]), bytes(data[end:]))
        self._arrived = None
        self._searched = 0
        try:
            request = self.listener.heads.read(head)
        except Refusal as refusal:
            self._refuse(refusal, bodiless=head.startswith(b"HEAD "))
            return
        if request.websocket and self.listener.config.ws_protocol_class is not None:
            self._forget()
            self.over = True
            hand_over(self.listener, self.server_state, self._transport, request, rest)
            return
        self._begin(request, rest)

    def _read_part_of_head(self, data: bytes | bytearray) -> None:
        leading = _LEADING_CRLF.match(data)
        if leading is not None:
            # RFC 9112 2.2: empty lines before a request are ignored.
            self._arrived = None
            self._searched = 0
            if leading.end() < len(data):
                self._read_head(data[leading.end() :])
            return
        # Told at once: the end of such a head may never come.
        wrong = wrong_already(data, self._searched, self.listener.limits)
        if wrong is not None:
            self._refuse(wrong)
            return
        if self._arrived is None:
            self._arrived = bytearray(data)
            self.deadline = min(self.deadline, self.listener.deadline(self.listener.limits.header_timeout))
        self._searched = max(0, len(data) - 3)

    def _begin(self, request: RequestHead, rest: bytes) -> None:
        listener = self.listener
        if listener.most_tasks is not None and len(self.server_state.tasks) >= listener.most_tasks:
            self._refuse(OVERLOADED, bodiless=request.method == "HEAD")
            return
        exchange = self.exchange = Exchange(self, request, self._scope(request))
        self.deadline = inf
        if listener.limits_requests:
            self._limit(exchange)
        if request.length:
            self._body = body_of(request.length, listener.limits)
            if not request.expects_continue:
                self.deadline = listener.deadline(self.listener.limits.body_timeout)
            if rest:
                self._read_body(rest)
                if self.over:
                    return
        elif rest:
            self._keep_for_later(rest)
        if self.half_close is not None and self._arrived is None:
            exchange.keep_alive = False
        if request.path is None:
            exchange.start(answer_for_the_server)
        else:
            exchange.begin(listener)

    def _limit(self, exchange: Exchange) -> None:
        limits = self.listener.limits
        self._requests += 1
        if limits.requests_per_connection is not None and self._requests >= limits.requests_per_connection:
            exchange.keep_alive = False
        if limits.stream_lifetime is not None:
            self.end_deadline = self.listener.deadline(limits.stream_lifetime)

    def _scope(self, request: RequestHead) -> dict[str, Any]:
        listener = self.listener
        raw_path = b"*" if request.path is None else request.path
        path = (unquote_to_bytes(raw_path) if _PERCENT in raw_path else raw_path).decode("utf-8", "replace")
        if listener.root_path:
            path = listener.root_path + path
            raw_path = listener.root_path.encode() + raw_path
        return {
            "type": "http",
            "asgi": listener.asgi,
            "http_version": "1.0" if request.http_1_0 else "1.1",
            "server": self._server,
            "client": self._client,
            "scheme": self._scheme,
            "method": request.method,
            "root_path": listener.root_path,
            "path": path,
            "raw_path": raw_path,
            "query_string": request.query,
            # Apps may change the list that they are given.
            "headers": request.fields if listener.direct is not None else list(request.fields),
            "extensions": {"http.response.early_hint": _NO_DETAILS, EXTENSION: self},
            "state": listener.app_state.copy(),
        }

    def _read_body(self, data: bytes) -> None:
        body, exchange = self._body, self.exchange
        assert body is not None
        assert exchange is not None
        try:
            content, rest = body.feed(data)
        except Refusal as refusal:
            self.listener.refused(self, refusal)
            if exchange.answered:
                self.linger()
            else:
                exchange.give_up(refusal)
            return
        if rest is not None:
            self._body = None
            self.deadline = inf
            if rest:
                self._keep_for_later(rest)
        if exchange.answered:
            self._drain(len(data))
            return
        waiting = exchange.arrive(content, rest is not None)
        if self._body is not None:
            if waiting > self.listener.limits.body_buffer:
                self.flow.pause_reading()
                self.deadline = inf
            else:
                self.deadline = self.listener.deadline(self.listener.limits.body_timeout)

    def body_taken(self) -> None:
        """The app asks for more of the body."""
        if self._body is not None:
            self.flow.resume_reading()
            self.deadline = self.listener.deadline(self.listener.limits.body_timeout)

    def limit_body(self, most: int) -> bool:
        """See gateway.http1.server_side."""
        if self.exchange is None:
            return True
        fits = self._body.limit(most) if isinstance(self._body, ChunkedBody) else self.exchange.body_length <= most
        if not fits:
            self.listener.refused(self, body_too_large(most))
        return fits

    def _keep_for_later(self, data: bytes) -> None:
        """The client has sent more than its turn (RFC 9112 9.3.2). No more of it is read until the turn has come."""
        if self._arrived is None:
            self._arrived = bytearray(data)
        else:
            self._arrived += data
        self.flow.pause_reading()

    # Taking turns.

    def has_much_to_drain(self) -> bool:
        """Whether the rest of the request is too long to be read for the sake of the connection alone."""
        return self._body is not None and self._body.left > self.listener.limits.drain

    def answer_sent(self) -> None:
        """The answer has been written to its last byte."""
        self.server_state.total_requests += 1
        exchange = self.exchange
        assert exchange is not None
        if exchange.keep_alive and self._body is None:
            self._next()
        elif not exchange.keep_alive or self.has_much_to_drain():
            if self._body is None and self._arrived is None:
                self.close()
            else:
                self.linger()
        else:
            # RFC 9112 9.3: the whole request is read before the next one can be found.
            self._drained = 0
            self.flow.resume_reading()
            self.deadline = self.listener.deadline(self.listener.limits.body_timeout)

    def rest(self) -> None:
        """See Listener.rest. What the client has sent ahead already has been read, and is served."""
        if self.exchange is None and self._arrived is None and not self.over:
            self.flow.pause_reading()
            self.listener.rest(self)

    def _drain(self, size: int) -> None:
        self._drained += size
        if self._body is None:
            self._next()
        elif self._drained > self.listener.limits.drain:
            self.linger()

    def _next(self) -> None:
        self.exchange = None
        self.end_deadline = inf
        if self._arrived is None:
            if self.flow.read_paused:
                self.flow.resume_reading()
            self.deadline = self.listener.idle_deadline
        else:
            self.listener.loop.call_soon(self._serve_what_arrived)

    def _serve_what_arrived(self) -> None:
        if self.over or self.exchange is not None or self._arrived is None:
            return
        data = bytes(self._arrived)
        self._arrived = None
        self.deadline = self.listener.deadline(self.listener.limits.header_timeout)
        self.flow.resume_reading()
        self._read_head(data)
        if self.exchange is None and self.half_close is not None:
            self.close()

    # Ending.

    def eof_received(self) -> bool | None:
        """The client has ended its side. True keeps ours open."""
        exchange = self.exchange
        if self.over or exchange is None or exchange.answered or not exchange.request_complete or self._tls:
            # Nothing to answer, or a request that will never be whole (RFC 9112 8).
            self.close()
            return None
        if self.half_close is None:
            self.half_close = HalfClose(self, self._transport)
        if self._arrived is None:
            exchange.keep_alive = False
        return True

    def client_gone(self) -> bool:
        """See gateway.http1.server_side."""
        # While the body is read, the event loop tells. TLS has no end of one side alone.
        if self._body is not None and self.flow.read_paused and not self.over:
            sock: socket.socket = self._transport.get_extra_info("socket")
            if gone(sock, inf if self._tls else self._body.left):
                self.abort()
        return self.over

    def take_back(self) -> bool:
        """See gateway.http1.server_side."""
        return self.exchange is not None and self.exchange.take_back()

    def client_too_slow(self) -> None:
        if self.exchange is not None:
            if self.exchange.answered:
                self.linger()
            else:
                self.listener.refused(self, SLOW_BODY)
                self.exchange.give_up(SLOW_BODY)
        elif self._arrived is not None:
            self._refuse(SLOW_HEAD)
        else:
            self.close()

    def lasts_too_long(self) -> None:
        if self.exchange is not None and not self.exchange.answered:
            # Event streams end like this day and night, which is nothing to log.
            self.listener.count(TOO_LONG)
            self.exchange.give_up(TOO_LONG)

    def shutdown(self) -> None:
        """Called by uvicorn when the server is to end: finish what has begun, and begin nothing."""
        if self.over:
            # Its end has begun, and has a deadline.
            return
        if self.exchange is None:
            self.close()
        elif self.exchange.answered:
            # The rest of its request is on its way.
            self.linger()
        else:
            self.exchange.keep_alive = False
            self.exchange.hand_over()

    def _refuse(self, refusal: Refusal, *, bodiless: bool = False) -> None:
        self.listener.refused(self, refusal)
        self.refuse(refusal, bodiless=bodiless)
