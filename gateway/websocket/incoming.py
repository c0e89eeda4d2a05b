"""From bytes to messages, no further than somebody asks for them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

from websockets.frames import Frame, Opcode
from websockets.protocol import Event, Protocol

from gateway.websocket.end import INVALID_DATA

Message = str | bytes

# Bytes that are parsed at a time. One read can hold tens of thousands of tiny frames; parsed at once, they would
# hold up everybody else, and take forty times their size in memory.
_SLICE: Final = 4096
# What a waiting message takes beside its content.
_OVERHEAD: Final = 64

_TEXT, _BINARY, _CONTINUATION, _PONG = Opcode.TEXT, Opcode.BINARY, Opcode.CONT, Opcode.PONG


class Incoming:
    """The messages that have come, and the bytes of those to come.

    What waits is ``full`` above ``read_ahead`` bytes: then nothing more is parsed. With ``dropping`` set, what comes
    is parsed and dropped. ``frames`` counts those that have come of the peer's own accord: all but pongs.
    """

    __slots__ = (
        "_parser",
        "_partial",
        "_partial_is_text",
        "_read_ahead",
        "_waiting",
        "dropping",
        "frames",
        "messages",
        "unparsed",
    )

    def __init__(self, parser: Protocol, read_ahead: int) -> None:
        self._parser = parser
        self._read_ahead = read_ahead
        self.messages: deque[Message] = deque()
        # The size of these messages, with what it takes to keep them; not less before all of them are taken.
        self._waiting = 0
        self.unparsed = b""
        # Of a message in fragments. One buffer: a fragment may be empty, and there may be any number of them.
        self._partial = bytearray()
        self._partial_is_text = False
        self.dropping = False
        self.frames = 0

    @property
    def full(self) -> bool:
        return self._waiting > self._read_ahead

    def feed(self, data: bytes) -> None:
        """Parse what was left, and ``data``, until full."""
        if self.unparsed:
            data, self.unparsed = self.unparsed + data, b""
        parser = self._parser
        if not data:
            return
        if len(data) <= _SLICE:
            parser.receive_data(data)
            self._read(parser.events_received())
            return
        for start in range(0, len(data), _SLICE):
            if self._waiting > self._read_ahead:
                self.unparsed = data[start:]
                return
            parser.receive_data(data[start : start + _SLICE])
            self._read(parser.events_received())

    def take(self) -> Message:
        """The first message that waits."""
        message = self.messages.popleft()
        if not self.messages:
            self._waiting = 0
        return message

    def drop(self) -> None:
        """Nobody wants what has come and what will."""
        self.dropping = True
        self.messages.clear()
        self._waiting = 0
        self.feed(b"")

    def _read(self, events: Iterable[Event]) -> None:
        for frame in events:
            assert isinstance(frame, Frame)
            opcode = frame.opcode
            if opcode is _PONG:
                continue
            self.frames += 1
            if opcode is _TEXT or opcode is _BINARY:
                if frame.fin:
                    self._arrive(frame.data, opcode is _TEXT)
                else:
                    self._partial += frame.data
                    self._partial_is_text = opcode is _TEXT
            elif opcode is _CONTINUATION:
                self._partial += frame.data
                if frame.fin:
                    whole, self._partial = self._partial, bytearray()
                    self._arrive(whole, self._partial_is_text)

    def _arrive(self, data: bytes | bytearray | memoryview, is_text: bool) -> None:
        if self.dropping:
            return
        message: Message
        if is_text:
            try:
                message = str(data, "utf-8")
            except UnicodeDecodeError:
                # RFC 6455 8.1. What follows is dropped.
                self._parser.fail(INVALID_DATA, "a text message is not UTF-8")
                self.dropping = True
                return
        else:
            message = bytes(data)
        self.messages.append(message)
        self._waiting += len(data) + _OVERHEAD
