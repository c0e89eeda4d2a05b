"""One response as it arrives: its head, its content, its end (RFC 9112 6.3), read by llhttp."""

from __future__ import annotations

from math import inf
from typing import Final

import httptools

from gateway.http1.field_name import CONNECTION, TRANSFER_ENCODING, FieldName, field_name
from gateway.upstream.failure import Failure, UpstreamError
from gateway.upstream.headers import HOP_BY_HOP, Fields, read_connection
from gateway.upstream.limits import FIELDS, HEAD_SIZE
from gateway.upstream.plain_response import PLACES, read_plain

# Field names as apps write them, for those that are passed on unread. Apps can invent names.
_PLAIN: dict[bytes, FieldName] = {}
_MEMORY: Final = 1024

_SWITCHING: Final = 101
_EARLY_HINTS: Final = 103
_H: Final = ord("H")


class ResponseReader:
    """Reads the responses of one connection, one after the other.

    ``begin`` before each; ``feed`` with what arrives. Then ``head_complete``, ``content`` and ``complete`` tell how
    far it has come. ``reusable`` is whether another request may follow on the connection, once this is complete.
    """

    __slots__ = (
        "_bodiless",
        "_chunked",
        "_close",
        "_is_1_1",
        "_left",
        "_named",
        "_parser",
        "_since_content",
        "_stale",
        "_trailers",
        "begun",
        "complete",
        "content",
        "content_size",
        "fields",
        "go_ahead",
        "has_places",
        "head_complete",
        "hints",
        "reusable",
        "status",
    )

    def __init__(self) -> None:
        self._renew()
        self.begin(bodiless=False)
        # Not before the first request: what an app says unasked is no answer.
        self.complete = True

    def begin(self, *, bodiless: bool) -> None:
        """The next response is to come; without content whatever its fields say, if it is to a HEAD request."""
        if self._stale:
            # It still expects the rest of a body that it was not shown, or that never comes.
            self._renew()
        self._bodiless = bodiless
        # Of content that is passed by the parser: how much is to come. None while the parser reads.
        self._left: float | None = None
        self.status = 0
        self.fields: Fields = []
        self.has_places = False
        # Whether any byte of it has come; whether a "100 Continue" has.
        self.begun = False
        self.go_ahead = False
        # The links of the early hints that have come (RFC 8297).
        self.hints: tuple[bytes, ...] = ()
        self.head_complete = False
        self.content: list[bytes] = []
        self.content_size = 0
        self.complete = False
        self.reusable = False

    def _begin_to_parse(self) -> None:
        self._named: frozenset[bytes] | None = None
        self._close = False
        self._chunked = False
        self._is_1_1 = False
        # Bytes that have come without any content among them.
        self._since_content = 0
        self._trailers = 0

    def _renew(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._stale = False

    def feed(self, data: bytes) -> None:
        """More has come. Raises UpstreamError when it is no valid response."""
        if self._left is not None:
            self._pass(data, self._left)
            return
        if not self.begun:
            self.begun = True
            if self._read_plain(data):
                return
            self._begin_to_parse()
            # The parser makes a string of it for each who asks.
            self._is_1_1 = data[:9] == b"HTTP/1.1 "
            if data[0] != _H:
                # llhttp would also take empty lines before it, and RTSP.
                raise UpstreamError(Failure.BAD_HEAD, "it does not begin with HTTP")
        self._since_content += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError as error:
            if not isinstance(error.__context__, UpstreamError):
                raise
            if not self.complete:
                raise error.__context__ from None
            self.reusable = False
        except httptools.HttpParserUpgrade as upgrade:
            self._upgraded(data[upgrade.args[0] :])
            return
        except httptools.HttpParserError as error:
            if not self.complete:
                failure = Failure.BAD_BODY if self.head_complete else Failure.BAD_HEAD
                raise UpstreamError(failure, str(error)) from None
            # Behind its end; the answer itself is whole.
            self.reusable = False
        if not self.complete:
            self._look_after()

    def _read_plain(self, data: bytes) -> bool:
        """Read a head of the usual form, and what has come of its content. False leaves all to the parser."""
        end = data.find(b"\r\n\r\n")
        if end < 0 or end > HEAD_SIZE:
            return False
        plain = read_plain(data[:end])
        if plain is None:
            return False
        status = plain.status
        length = plain.length
        if self._bodiless or status == 204 or status == 304:
            # RFC 9112 6.3: whatever the fields say.
            length = 0
        end += 4
        size = len(data) - end
        if length is None or size > length:
            return False
        self.status = status
        self.fields = plain.fields
        self.has_places = plain.places
        self.reusable = not plain.close
        self.head_complete = True
        if size:
            self.content.append(data[end:])
            self.content_size = size
        if size == length:
            self.complete = True
        else:
            self._left = length - size
        return True

    def _upgraded(self, behind: bytes) -> None:
        """The head ends in another protocol, which has begun with ``behind``."""
        if not self.complete:
            raise UpstreamError(Failure.BAD_HEAD, "it switches protocols unasked")
        self.reusable = False

    def _pass(self, data: bytes, left: float) -> None:
        """Content of a known length, or until the end of the connection: as it came, without a copy."""
        size = len(data)
        if size > left:
            # More than it said: what follows is no answer to anything.
            data = data[: int(left)]
            size = len(data)
            self.reusable = False
            if not size:
                return
        self.content.append(data)
        self.content_size += size
        self._left = left - size
        self.complete = self._left == 0

    def _look_after(self) -> None:
        if self._since_content > HEAD_SIZE:
            failure = Failure.BAD_BODY if self.head_complete else Failure.BAD_HEAD
            raise UpstreamError(failure, f"more than {HEAD_SIZE} bytes of header or trailer fields")
        if self.head_complete and not self._chunked:
            length = next((int(value) for name, value in self.fields if name == b"content-length"), inf)
            self._left = length - self.content_size
            self._stale = True

    @property
    def left(self) -> float:
        """How much of the content is to come; infinite if nobody knows."""
        return inf if self._left is None else self._left

    def end(self) -> bool:
        """The app has ended the connection. Returns whether the response is whole (RFC 9112 8)."""
        if self._left == inf:
            self.complete = True
        return self.complete

    # Called by the parser.

    def on_message_begin(self) -> None:
        if self.complete:
            raise UpstreamError(Failure.BAD_BODY, "a second answer to one request")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.head_complete:
            # RFC 9110 6.5.1: a trailer is never merged into the header. Read and dropped.
            self._trailers += 1
            if self._trailers > FIELDS:
                raise UpstreamError(Failure.BAD_BODY, "too many trailer fields")
            return
        known = _PLAIN.get(name)
        if known is None:
            known = self._read(name, value)
            if known is None:
                return
        # RFC 9112 5.1: white space around a value is no part of it. llhttp removes only what stands before.
        self.fields.append((known, value.rstrip(b" \t")))

    def _read(self, name: bytes, value: bytes) -> FieldName | None:
        """The field's name, if the field is for the client."""
        known = field_name(name)
        kind = known.kind
        if kind == CONNECTION:
            options, named = read_connection(value)
            self._close = self._close or b"close" in options
            if named:
                self._named = named if self._named is None else self._named | named
            return None
        if kind == TRANSFER_ENCODING:
            if self._chunked or value.strip().lower() != b"chunked":
                # RFC 9112 6.1: chunked once, and we have not asked for any other coding.
                raise UpstreamError(Failure.BAD_HEAD, "a transfer coding other than chunked")
            self._chunked = True
        if kind in HOP_BY_HOP:
            return None
        if known in PLACES:
            self.has_places = True
        else:
            if len(_PLAIN) >= _MEMORY:
                _PLAIN.clear()
            _PLAIN[name] = known
        return known

    def on_headers_complete(self) -> None:
        parser = self._parser
        if not self._is_1_1:
            self._read_version()
        status = parser.get_status_code()
        if status < 200:
            if status < 100:
                # RFC 9110 15: no class of statuses. llhttp reads content behind it, which no interim response has.
                raise UpstreamError(Failure.BAD_HEAD, f"the status {status}")
            self._interim(status)
            return
        fields = self.fields
        if len(fields) > FIELDS:
            raise UpstreamError(Failure.BAD_HEAD, f"more than {FIELDS} header fields")
        if self._chunked and not self._is_1_1:
            # RFC 9112 6.1: faulty framing, passed on by somebody who did not understand it.
            raise UpstreamError(Failure.BAD_HEAD, "HTTP/1.0 has no transfer coding")
        if self._since_content > HEAD_SIZE and sum(len(n) + len(v) for n, v in fields) > HEAD_SIZE:
            raise UpstreamError(Failure.BAD_HEAD, f"more than {HEAD_SIZE} bytes of header fields")
        # From here on there is an answer: whoever refuses it does so above.
        if self._named is not None:
            named = self._named
            self.fields = [field for field in fields if field[0] not in named]
        self.status = status
        self.head_complete = True
        # RFC 9112 9.3: only HTTP/1.1 persists by itself, and nobody needs the keep-alive of 1.0.
        if self._bodiless:
            # RFC 9112 6.3: whatever the fields say. The parser cannot be told, and waits for content.
            self.complete = True
            self.reusable = self._is_1_1 and not self._close
            self._stale = True
        else:
            self.reusable = self._is_1_1 and parser.should_keep_alive()

    def _read_version(self) -> None:
        version = self._parser.get_http_version()
        if version != "1.1" and version != "1.0":
            raise UpstreamError(Failure.BAD_HEAD, f"HTTP/{version}")
        self._is_1_1 = version == "1.1"

    def _interim(self, status: int) -> None:
        """RFC 9110 15.2: any number of them before the answer."""
        if status == _SWITCHING:
            raise UpstreamError(Failure.BAD_HEAD, "it switches protocols unasked")
        if self._close:
            # llhttp reads nothing behind it.
            raise UpstreamError(Failure.BAD_HEAD, "an interim response closes the connection")
        if status == _EARLY_HINTS:
            # ASGI can pass on its links, and of other interim responses nothing.
            self.hints += tuple(value for name, value in self.fields if name == b"link")
        self.go_ahead = self.go_ahead or status == 100
        self._is_1_1 = False
        self.fields = []
        self._named = None
        self._chunked = False
        self.has_places = False

    def on_body(self, content: bytes) -> None:
        if self.complete:
            # Content of an answer to HEAD: it belongs to nothing.
            self.reusable = False
            return
        self.content.append(content)
        self.content_size += len(content)
        self._since_content = 0

    def on_message_complete(self) -> None:
        if self.head_complete:
            self.complete = True
            if self._bodiless:
                self._stale = False
