"""Reading a request's head with llhttp.

A head is read when it is whole, in one piece. So one parser serves all connections, and what follows the head is
never touched by it: the framing of bodies is decided in one place, which is ours.
"""

from __future__ import annotations

import re
from typing import cast

import httptools

from gateway.http1.field_name import KNOWN, field_name
from gateway.http1.seen import Seen
from gateway.server.limits import Limits
from gateway.server.refusal import Refusal
from gateway.server.request_head import Fields, RequestHead, check

_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OTHER_VERSION = re.compile(rb"HTTP/[0-9]\.[0-9]\r\n")
_NO_REQUEST_LINE = "The request does not begin with a method, a target and a version of HTTP."
# What all of these are read as without a parser is plain.
_METHODS = {name.encode(): name for name in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")}
_PLAIN_TARGET = re.compile(rb"/[!\"$-~]*").fullmatch
# Fields that are remembered, heads that have come once, and bytes of the longest.
_MEMORY, _ONCE, _LONGEST_KNOWN = 1024, 4096, 2048

_LINE_END = re.compile(rb"[\r\n]")
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")

# Whatever is below it begins no method: the CR of an empty line, a byte of TLS.
FIRST_LETTER = ord("A")
_BARE_LF = re.compile(rb"(?<!\r)\n")

# What they mean depends on the method, or on more than this request.
_WITH_THE_METHOD = frozenset((b"upgrade", b"expect", b"content-length"))


class HeadReader:
    """Reads whole heads, one after the other."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._fields: Fields = []
        self._complete = False
        # By all that stands behind the target.
        self._seen: dict[bytes, Seen] = {}
        self._once: set[int] = set()
        self._renew()

    def _renew(self) -> None:
        self._parser = httptools.HttpRequestParser(self)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser."""
        try:
            name = KNOWN[name]
        except KeyError:
            name = field_name(name)
        # RFC 9112 5.1: white space around a value is no part of it. llhttp removes only what stands before.
        self._fields.append((name, value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        self._complete = True

    def read(self, head: bytes) -> RequestHead:
        """Read ``head``, which ends with its empty line and holds no other. Raises Refusal."""
        try:
            if len(head) > self._limits.request_line:
                self._check_size(head)
            try:
                # RFC 9112 3: single spaces. What is lenient here reads another target than the next one does.
                method, target, behind = head.split(b" ", 2)
            except ValueError:
                raise Refusal(400, _NO_REQUEST_LINE) from None
            seen = self._seen.get(behind)
            if seen is not None and method in _METHODS and _PLAIN_TARGET(target) is not None:
                request = RequestHead(_METHODS[method], cast(Fields, seen))
                request.path, _, request.query = target.partition(b"?")
                return request
            if _LINE_END.search(target) is not None:
                # llhttp ends an HTTP/0.9 request at a bare LF, and reads what follows as a field.
                raise Refusal(400, _NO_REQUEST_LINE)
            # llhttp takes RTSP, ICE and HTTP/2.0 for versions too, and HTTP/0.9, which has none.
            http_1_0 = not behind.startswith(b"HTTP/1.1\r\n")
            if http_1_0 and not behind.startswith(b"HTTP/1.0\r\n"):
                if _OTHER_VERSION.match(behind):
                    raise Refusal(505, "This server speaks HTTP/1.1 and HTTP/1.0.", reason="unknown_version")
                raise Refusal(400, _NO_REQUEST_LINE)
            fields: Fields = []
            self._fields = fields
            self._complete = False
            try:
                self._parser.feed_data(head)
            except httptools.HttpParserUpgrade:
                self._renew()
            except httptools.HttpParserError as error:
                self._renew()
                self._make_up_for(error, method, target, behind)
            if not self._complete:
                # llhttp and we differ on where the head ends. Request smuggling is made of such differences.
                raise Refusal(400, "The request head is malformed.")
            if len(fields) > self._limits.fields:
                raise Refusal(
                    431, f"The request has more than {self._limits.fields} header fields.", reason="head_too_large"
                )
            request = check(method, target, http_1_0, fields)
        except Refusal:
            self._renew()
            raise
        if request.length or not request.keep_alive:
            # The parser now waits for a body, or for nothing more; the next head is another connection's.
            self._renew()
        elif len(behind) <= _LONGEST_KNOWN and request.fields is fields:
            self._remember(behind, fields)
        return request

    def _remember(self, behind: bytes, fields: Fields) -> None:
        """From the second time on, for there are clients that never send the same fields twice."""
        number = hash(behind)
        if number not in self._once:
            if len(self._once) >= _ONCE:
                self._once.clear()
            self._once.add(number)
        elif not any(name in _WITH_THE_METHOD for name, _ in fields):
            if len(self._seen) >= _MEMORY:
                self._seen.clear()
            self._seen[behind] = Seen(fields)

    def _check_size(self, head: bytes) -> None:
        if head.find(b"\r\n") > self._limits.request_line:
            raise line_too_long(self._limits)
        if len(head) > self._limits.head:
            raise head_too_long(self._limits)

    def _make_up_for(self, error: httptools.HttpParserError, method: bytes, target: bytes, behind: bytes) -> None:
        """Parse again what only llhttp minds; raise Refusal for all else."""
        if isinstance(error, httptools.HttpParserInvalidMethodError):
            if _TOKEN.fullmatch(method):
                # RFC 9110 9.1: 501 for a method that is not recognized.
                raise Refusal(501, "The request method is not known here.", reason="unknown_method")
            raise Refusal(400, "The request method is malformed.")
        if isinstance(error, httptools.HttpParserInvalidURLError) and not target.isascii():
            # Clients send URLs as a user typed them, and the usual servers let them pass.
            escaped = _BEYOND_ASCII.sub(lambda match: b"%%%02X" % match[0][0], target)
            self._fields.clear()
            try:
                self._parser.feed_data(b" ".join((method, escaped, behind)))
            except httptools.HttpParserUpgrade:
                self._renew()
            except httptools.HttpParserError as second:
                raise malformed(second) from None
            return
        raise malformed(error)


def wrong_already(part: bytes | bytearray, searched: int, limits: Limits) -> Refusal | None:
    """What makes the whole head wrong of which ``part`` has come, whatever follows. ``searched`` bytes of it have been
    looked through before."""
    if part != b"\r" and part[0] < FIRST_LETTER:
        return Refusal(400, "The request does not begin with a method.")
    if _BARE_LF.search(part, searched):
        # RFC 9112 2.2 lets a server take a bare LF for a line's end. What does not, sees one line there.
        return Refusal(400, "The request head has a line that ends without CR.")
    if len(part) > limits.request_line and part.find(b"\r\n", 0, limits.request_line + 2) < 0:
        return line_too_long(limits)
    return head_too_long(limits) if len(part) > limits.head else None


def malformed(error: httptools.HttpParserError) -> Refusal:
    return Refusal(400, f"The request head is malformed: {error}.")


def line_too_long(limits: Limits) -> Refusal:
    return Refusal(414, f"The request line is longer than {limits.request_line} bytes.", reason="target_too_long")


def head_too_long(limits: Limits) -> Refusal:
    return Refusal(431, f"The request's header fields are longer than {limits.head} bytes.", reason="head_too_large")
