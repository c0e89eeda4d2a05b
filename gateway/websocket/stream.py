"""One WebSocket after its handshake: whole messages in and out, with back-pressure both ways."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from websockets.protocol import Protocol, Side, State

from gateway.websocket.end import ABNORMAL, INTERNAL_ERROR, NO_STATUS, Cause, Closed, End
from gateway.websocket.incoming import Incoming, Message
from gateway.websocket.life import Life, Verdict
from gateway.websocket.limits import Limits
from gateway.websocket.waiters import Waiters

# The library logs at level INFO that a connection was closed.
_QUIET = logging.getLogger("gateway.websocket")
_QUIET.setLevel(logging.WARNING)

_LOST: Final = End(ABNORMAL, "", Cause.LOST)
_OPEN = State.OPEN


class Stream(asyncio.Protocol):
    """Messages, until ``end`` is set. Frames are left to the websockets library; time and memory are ours.

    Give it to ``transport.set_protocol``, then feed it what came behind the handshake. Pings are answered, and a dead
    peer is found out. ``on_lost`` is called once the connection is gone.
    """

    __slots__ = (
        "_ending",
        "_frames",
        "_incoming",
        "_late_pong",
        "_life",
        "_limits",
        "_loop",
        "_loss",
        "_on_lost",
        "_read_paused",
        "_readers",
        "_timer",
        "_transport",
        "_unsent",
        "_write_paused",
        "_writers",
        "end",
        "lost",
    )

    def __init__(
        self,
        transport: asyncio.Transport,
        side: Side,
        limits: Limits,
        loop: asyncio.AbstractEventLoop,
        on_lost: Callable[[], None] = lambda: None,
    ) -> None:
        self._transport = transport
        self._limits = limits
        self._loop = loop
        self._on_lost = on_lost
        self._frames = Protocol(side, state=_OPEN, max_size=limits.message, logger=_QUIET)
        self._incoming = Incoming(self._frames, limits.read_ahead)
        # Whether the rest of what comes is without meaning: after the peer's close frame, or its fault.
        self._ending = False
        self._read_paused = False
        self._readers = Waiters(loop)
        self._write_paused = False
        self._writers = Waiters(loop)
        self._late_pong = b""
        self.end: End | None = None
        self.lost = False
        self._loss = Waiters(loop)
        self._life = Life(limits)
        # How much of what was sent was still here when its end began to be waited for.
        self._unsent = 0
        self._timer = loop.call_later(limits.tick, self._look)

    def __repr__(self) -> str:
        state = "lost" if self.lost else "open" if self.end is None else f"ended {self.end.code}"
        return f"<Stream {self._frames.side.name.lower()} {state}>"

    def progress(self) -> tuple[int, int, int]:
        """Changes with whatever the peer sends of its own accord, part of a message or a ping, and with what it
        takes."""
        unread = len(self._frames.reader.buffer)
        return self._incoming.frames, unread, 0 if self.lost else self._transport.get_write_buffer_size()

    async def receive(self) -> Message:
        """The next message. Raises Closed after the last."""
        incoming = self._incoming
        while not incoming.messages:
            if incoming.unparsed:
                self._parse(b"")
                continue
            if self.end is not None:
                raise Closed(self.end)
            self._resume_reading()
            await self._readers.wait()
        return incoming.take()

    async def send(self, message: Message) -> None:
        """Send ``message``, once the peer has taken most of what was sent before. Raises Closed."""
        while self._write_paused:
            await self._writers.wait()
        if self.end is not None or self._transport.is_closing():
            # Who sends without a pause does not let the event loop tell that the connection is lost.
            raise Closed(self.end or _LOST)
        if isinstance(message, str):
            self._frames.send_text(message.encode())
        else:
            self._frames.send_binary(message)
        self._flush()

    def close(self, code: int = NO_STATUS, reason: str = "") -> None:
        """End it with a close frame, an empty one for 1005. What has come and was not asked for is dropped.

        ``code`` is one that may be sent, ``reason`` one that fits. Does nothing if it has ended already.
        """
        if self.end is not None or self.lost:
            return
        self._frames.send_close(None if code == NO_STATUS else code, reason)
        self._flush()
        self._finish(End(code, reason, Cause.OURS))
        self._expect_end(self._limits.close_timeout)
        self._incoming.drop()
        self._after_input()

    def abort(self) -> None:
        """End the connection at once. What was sent and is still here is dropped."""
        if not self.lost:
            self._transport.abort()

    async def wait_until_lost(self) -> None:
        """Wait until the connection is gone. Once it has ended, that takes no longer than the limits allow."""
        while not self.lost:
            await self._loss.wait()

    # Called by the event loop.

    def data_received(self, data: bytes) -> None:
        self._life.heard = True
        self._parse(data)

    def eof_received(self) -> None:
        """Not while reading is paused, so that everything has been parsed. The transport closes itself after this."""
        self._frames.receive_eof()
        self._finish(_LOST)
        self._expect_end(self._limits.linger)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        self._timer.cancel()
        self._finish(_LOST)
        self._write_paused = False
        self._writers.wake()
        self._loss.wake()
        self._on_lost()

    def pause_writing(self) -> None:
        self._write_paused = True

    def resume_writing(self) -> None:
        self._write_paused = False
        # It has taken what it was sent.
        self._life.heard = True
        if self._late_pong:
            self._write(self._late_pong)
            self._late_pong = b""
        self._writers.wake()

    # Reading.

    def _parse(self, data: bytes) -> None:
        incoming = self._incoming
        incoming.feed(data)
        if incoming.messages:
            self._readers.wake()
            if incoming.full and self.end is None:
                self._pause_reading()
        self._after_input()

    def _after_input(self) -> None:
        frames = self._frames
        if frames.writes and not self.lost:
            if self._write_paused and frames.state is _OPEN:
                # RFC 6455 5.5.3: of several pings the last may be answered alone. A peer that pings and does not
                # read would otherwise fill our memory with pongs.
                self._late_pong = frames.data_to_send()[-1]
            else:
                self._flush()
        if frames.state is not _OPEN and not self._ending:
            self._begin_end()

    def _begin_end(self) -> None:
        """The peer has closed, or broken the protocol and been told so; or we have closed, and it has yet to answer."""
        received, sent = self._frames.close_rcvd, self._frames.close_sent
        if received is not None:
            self._finish(End(received.code, received.reason, Cause.PEER))
        elif self.end is None:
            self._finish(End(sent.code, sent.reason, Cause.FAULT) if sent is not None else _LOST)
        else:
            return
        self._ending = True
        self._expect_end(self._limits.linger)

    def _finish(self, end: End) -> None:
        """Nothing more comes, or is wanted. The first reason stays."""
        if self.end is None:
            self.end = end
        self._late_pong = b""
        # The end of the connection is still to be read.
        self._resume_reading()
        self._readers.wake()
        self._writers.wake()

    def _pause_reading(self) -> None:
        if not self._read_paused and not self._transport.is_closing():
            self._read_paused = True
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        if self._read_paused:
            self._read_paused = False
            if not self._transport.is_closing():
                self._transport.resume_reading()

    # Writing.

    def _flush(self) -> None:
        for piece in self._frames.data_to_send():
            if piece:
                self._write(piece)
            elif self._transport.can_write_eof():
                # Not close(): with bytes unread, the kernel would send a reset, at which the peer's kernel drops
                # what it has not yet read of our last words.
                self._transport.write_eof()
            else:
                self._transport.close()

    def _write(self, data: bytes) -> None:
        try:
            self._transport.write(data)
        except RuntimeError:
            # uvloop: the socket has failed, and connection_lost is on its way.
            self._finish(_LOST)

    # Time.

    def _look(self) -> None:
        limits = self._limits
        self._timer = self._loop.call_later(limits.tick, self._look)
        unsent = self._transport.get_write_buffer_size()
        verdict = self._life.look(unsent, listening=not self._read_paused, stuck=self._write_paused)
        if verdict is Verdict.DEAD:
            self._frames.fail(INTERNAL_ERROR, "no sign of life")
            self._flush()
            self._finish(_LOST)
            self._expect_end(limits.linger)
        elif verdict is Verdict.ASK:
            self._frames.send_ping(b"")
            self._flush()

    def _expect_end(self, seconds: float) -> None:
        """The connection is over in so many seconds, or when the peer has taken no more of what it is sent."""
        self._timer.cancel()
        if not self.lost:
            self._unsent = self._transport.get_write_buffer_size()
            self._timer = self._loop.call_later(seconds, self._overdue, seconds)

    def _overdue(self, seconds: float) -> None:
        if self._transport.get_write_buffer_size() < self._unsent:
            # Also when it has taken the last of it just now: that it can answer only after reading it.
            self._expect_end(seconds)
        else:
            self._transport.abort()
