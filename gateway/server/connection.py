"""One client connection: what is written to it, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from abc import ABC, abstractmethod
from math import inf
from typing import Any, ClassVar, cast

from uvicorn import Config
from uvicorn.server import ServerState

from gateway.server.exchange import Exchange
from gateway.server.flow_control import FlowControl
from gateway.server.half_close import HalfClose
from gateway.server.limits import Limits
from gateway.server.listener import Listener
from gateway.server.refusal import Refusal
from gateway.server.response_head import DefaultFields

# struct linger: on, no time. The connection then ends with a reset, not with the FIN of an orderly end.
_RESET = struct.pack("ii", 1, 0)


class Connection(asyncio.Protocol, ABC):
    """The writing half of FrontDoor, and the ways out.

    ``over`` says that nothing more is read as a request. ``deadline`` is when the client must have sent what it owes,
    ``write_deadline`` when it must have taken more of what it is sent, ``end_deadline`` when the answer must be
    complete; in the loop's time, infinite for never. ``limits`` are those of a server that is given no others.
    """

    limits: ClassVar[Limits] = Limits()

    __slots__ = (
        "_client",
        "_scheme",
        "_server",
        "_tls",
        "_transport",
        "_unsent",
        "deadline",
        "end_deadline",
        "exchange",
        "flow",
        "half_close",
        "listener",
        "over",
        "server_state",
        "write_deadline",
    )

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        if not config.loaded:
            config.load()
        loop = _loop or asyncio.get_running_loop()
        self.server_state = server_state
        self.listener = Listener.of(config, server_state, app_state, loop, self.limits)
        self.exchange: Exchange | None = None
        self.half_close: HalfClose | None = None
        self.over = False
        self.deadline = inf
        self.write_deadline = inf
        self.end_deadline = inf
        self._unsent = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport = cast(asyncio.Transport, transport)
        self._client = _address(transport.get_extra_info("peername"))
        self._server = _address(transport.get_extra_info("sockname"))
        self._tls = transport.get_extra_info("sslcontext") is not None
        self._scheme = "https" if self._tls else "http"
        self.flow = FlowControl(transport)
        listener = self.listener
        listener.add(self)
        cast(set[Any], self.server_state.connections).add(self)
        self.deadline = listener.deadline(listener.limits.header_timeout)
        turned_away = listener.crowd.enter(self._client)
        if turned_away is not None:
            self._turn_away(*turned_away)

    def _turn_away(self, refusal: Refusal, tell: bool) -> None:
        """Answer a connection that is one too many before it has asked anything (RFC 9112 9.5 allows for that)."""
        self.listener.refused(self, refusal)
        if tell:
            self.refuse(refusal)
        else:
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        self.over = True
        if self.half_close is not None:
            self.half_close.cancel()
            self.half_close = None
        if self.exchange is not None:
            self.exchange.disconnect()
            # They hold each other; without this they would wait for the garbage collector.
            self.exchange = None
        self.flow.resume_writing()

    def _forget(self) -> None:
        self.listener.remove(self)
        self.listener.crowd.leave(self._client)
        cast(set[Any], self.server_state.connections).discard(self)

    @property
    def client_name(self) -> str:
        """The client's address, for the log."""
        return "a Unix socket" if self._client is None else str(self._client[0])

    # Writing.

    def default_fields(self) -> DefaultFields:
        """The fields that every response has. The server state renews them each second."""
        defaults = self.listener.defaults
        if defaults.source is not self.server_state.default_headers:
            defaults = self.listener.defaults = DefaultFields(self.server_state.default_headers)
        return defaults

    def write(self, data: bytes) -> None:
        try:
            self._transport.write(data)
        except RuntimeError:
            # uvloop: the socket has failed, and connection_lost is on its way.
            self._gone()
        if self.half_close is not None:
            self.half_close.wrote = True

    def write_all(self, pieces: list[bytes]) -> None:
        """Write in one system call, where the loop can."""
        if _is_of_asyncio(self._transport):
            # Its writelines never tells us to pause (CVE-2024-12254: Python 3.12 before 3.12.9, 3.13 before 3.13.2),
            # and raises TypeError once the connection is closed. 3.11 joined the pieces, too.
            self.write(b"".join(pieces))
            return
        try:
            self._transport.writelines(pieces)
        except RuntimeError:
            self._gone()
        if self.half_close is not None:
            self.half_close.wrote = True

    def _gone(self) -> None:
        self.over = True
        if self.exchange is not None:
            self.exchange.disconnect()

    def pause_writing(self) -> None:
        self.flow.pause_writing()
        self._expect_progress()

    def resume_writing(self) -> None:
        self.flow.resume_writing()
        self.write_deadline = inf

    def _expect_progress(self) -> None:
        self._unsent = self._transport.get_write_buffer_size()
        self.write_deadline = self.listener.deadline(self.listener.limits.send_timeout)

    # Ending.

    def refuse(self, refusal: Refusal, *, bodiless: bool = False) -> None:
        """Answer in the place of an app, as the last thing on this connection."""
        if self.over:
            return
        self.write(refusal.answer(self.default_fields().lines, bodiless=bodiless))
        self.linger()

    def linger(self) -> None:
        """End our side, and wait a little for the client to end its own.

        Closing with bytes unread makes the kernel send a reset, at which the client's kernel drops what it has not
        yet read of our answer (RFC 9112 9.6).
        """
        self._gone()
        if self.half_close is not None or self._transport.is_closing() or not self._transport.can_write_eof():
            self.close()
            return
        self._transport.write_eof()
        self.flow.resume_reading()
        self.deadline = self.listener.deadline(self.listener.limits.linger)

    def close(self) -> None:
        """End the connection after what has been written."""
        self._gone()
        self.deadline = inf
        if not self._transport.is_closing():
            self._expect_progress()
            self._transport.close()

    def break_off(self, *, visibly: bool) -> None:
        """End the connection in the middle of an answer.

        What was written is still sent, for a content-length or a missing last chunk shows that it is not all.
        ``visibly`` is for content that only the connection's end delimits: then a reset has to say so.
        """
        if visibly:
            self.abort()
        else:
            self.close()

    def abort(self) -> None:
        """End the connection now, with a reset."""
        self._gone()
        sock: socket.socket | None = self._transport.get_extra_info("socket")
        if sock is not None:
            # Of a Unix socket, or one that has failed already, there is nothing to reset.
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._transport.abort()
        self.deadline = self.write_deadline = self.end_deadline = inf

    def out_of_time(self, now: float) -> None:
        """A deadline has passed."""
        if self.write_deadline < now:
            if self._transport.get_write_buffer_size() >= self._unsent:
                self.abort()
                return
            self._expect_progress()
        if self.end_deadline < now:
            self.end_deadline = inf
            self.lasts_too_long()
        if self.deadline < now:
            if self.over:
                self.close()
            else:
                self.client_too_slow()

    @abstractmethod
    def client_too_slow(self) -> None:
        """The client has not sent what it owes."""

    def lasts_too_long(self) -> None:
        """The answer is not complete, and its time is over."""


def _address(name: object) -> tuple[str, int] | None:
    """ASGI's form of a socket's name: without the scope of an IPv6 address, and None for a Unix socket's."""
    return (name[0], name[1]) if isinstance(name, tuple) else None


def _is_of_asyncio(transport: object) -> bool:
    """Whether it belongs to Python's own loop: uvloop's transports are no subclasses."""
    return isinstance(transport, asyncio.Transport)
