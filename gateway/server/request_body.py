"""Where a request's body ends (RFC 9112 6 and 7.1).

Strict to the byte: a body that two parties end at different places is how a request is smuggled past the first one.
"""

from __future__ import annotations

import re
from math import inf

from gateway.server.limits import Limits
from gateway.server.refusal import Refusal
from gateway.server.request_head import CHUNKED

# RFC 9112 7.1 and 7.1.1. What an extension says is ignored, but no control character hides in it.
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})(?:;[^\x00-\x08\x0a-\x1f\x7f]*)?")
_TRAILER_LINE = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\x00-\x08\x0a-\x1f\x7f]*")


class SizedBody:
    """A body of a known number of bytes."""

    __slots__ = ("left",)

    def __init__(self, length: int) -> None:
        self.left = length

    def feed(self, data: bytes) -> tuple[bytes, bytes | None]:
        """The part of ``data`` that is content, and what follows the body; None while the body goes on."""
        size = len(data)
        left = self.left
        if size < left:
            self.left = left - size
            return data, None
        self.left = 0
        if size == left:
            return data, b""
        return data[:left], data[left:]


class ChunkedBody:
    """A chunked body. Its trailer fields are dropped: merged into the header fields, they would be believed by who
    has checked those already (RFC 9110 6.5.1)."""

    __slots__ = ("_announced", "_ended", "_held", "_in_trailers", "_left", "_limits", "_most", "_trailers")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        # How long it is as far as its chunks tell, and how long it may be.
        self._announced = 0
        self._most: float = inf
        # A line that has begun to arrive.
        self._held = b""
        # Bytes left of the chunk; 0 where a line is next.
        self._left = 0
        # Whether the next line is the empty one that ends a chunk.
        self._ended = False
        self._in_trailers = False
        self._trailers = 0

    @property
    def left(self) -> int:
        """At least so many bytes are to come."""
        return self._left

    def limit(self, most: int) -> bool:
        """Let it be no longer than ``most`` bytes; False if it is already."""
        self._most = most
        return self._announced <= most

    def feed(self, data: bytes) -> tuple[bytes, bytes | None]:
        """As SizedBody.feed. Raises Refusal, for a chunk that makes it too long before any of that chunk is read."""
        if self._held:
            data = self._held + data
            self._held = b""
        content: list[bytes] = []
        size = len(data)
        position = 0
        while position < size:
            if self._left:
                piece = data[position : position + self._left]
                content.append(piece)
                position += len(piece)
                self._left -= len(piece)
                self._ended = not self._left
                continue
            end = data.find(b"\r\n", position)
            if end < 0:
                self._hold(data[position:])
                break
            line = data[position:end]
            position = end + 2
            if self._in_trailers:
                if not line:
                    return b"".join(content), data[position:]
                self._drop_trailer(line)
            elif self._ended:
                if line:
                    raise Refusal(400, "A chunk of the body is longer than its size.")
                self._ended = False
            else:
                self._left = self._size_of_chunk(line)
                self._in_trailers = not self._left
        return b"".join(content), None

    def _size_of_chunk(self, line: bytes) -> int:
        # int() would also take signs, spaces, underscores and 0x.
        found = _CHUNK_LINE.fullmatch(line)
        if found is None or len(line) > self._limits.chunk_line:
            raise Refusal(400, "The body's chunked coding is malformed.")
        size = int(found[1], 16)
        self._announced += size
        if self._announced > self._most:
            raise body_too_large(int(self._most))
        return size

    def _drop_trailer(self, line: bytes) -> None:
        self._trailers += len(line) + 2
        self._check_trailers(self._trailers)
        if _TRAILER_LINE.fullmatch(line) is None:
            raise Refusal(400, "A trailer field is malformed.")

    def _check_trailers(self, size: int) -> None:
        if size > self._limits.trailers:
            detail = f"The request's trailer fields are longer than {self._limits.trailers} bytes."
            raise Refusal(431, detail, reason="head_too_large")

    def _hold(self, line: bytes) -> None:
        """Keep a line that is not whole yet, unless it can become none."""
        if self._in_trailers:
            self._check_trailers(self._trailers + len(line))
        # Its CR may be here, and nothing else of its end: neither CR nor LF ever stands alone (RFC 9112 2.2).
        text = line.removesuffix(b"\r")
        longest = 0 if self._ended else self._limits.trailers if self._in_trailers else self._limits.chunk_line
        if len(text) > longest or b"\n" in text or b"\r" in text:
            raise Refusal(400, "The body's chunked coding is malformed.")
        self._held = line


Body = SizedBody | ChunkedBody


def body_too_large(most: int) -> Refusal:
    return Refusal(413, f"The request's body is longer than {most} bytes.", reason="body_too_large")


def body_of(length: int, limits: Limits) -> Body:
    """The body that a head announces. ``length`` is CHUNKED or more than 0."""
    return ChunkedBody(limits) if length == CHUNKED else SizedBody(length)
