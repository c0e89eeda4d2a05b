"""A request as it is written to an app: its head, and the framing of its body (RFC 9112 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from starlette.types import Scope

from gateway.http1.field_name import FieldName
from gateway.upstream.failure import Failure, UpstreamError
from gateway.upstream.headers import BadRequest, Fields, RequestHead, write_request

if TYPE_CHECKING:
    from gateway.upstream.upstream import Upstream

_PREFIX: Final = FieldName(b"X-Forwarded-Prefix")

_HTTP_1: Final = ("1.1", "1.0")


class Outbound:
    """The bytes of one request.

    ``first_bytes`` are all of it, or its beginning: as many as there are go in one write. While there is ``more`` of
    the body, ``next_bytes`` makes them of each part. ``is_whole`` tells that ``first_bytes`` can be sent once more.
    """

    # What most requests do not have is told by class attributes: it costs them nothing.
    _first = b""
    _framing = b""
    _host = False
    _chunked = False
    # Bytes of the body that are to come, if that is known.
    _left: int | None = None
    has_body = False
    expects_continue = False
    more = False
    is_whole = True

    def __init__(self, upstream: Upstream, scope: Scope) -> None:
        """Raises UpstreamError for a request that cannot be passed on."""
        version: str = scope["http_version"]
        fields: Fields = scope["headers"]
        target: bytes = scope["raw_path"]
        root_path = scope.get("root_path")
        if root_path:
            target, fields = _below(target, fields, root_path)
        query: bytes = scope["query_string"]
        if query:
            target = b"%b?%b" % (target, query)
        if not upstream.keep_host or version != "1.1":
            if not upstream.keep_host:
                fields = [field for field in fields if field[0] != b"host"]
            # RFC 9112 3.2: HTTP/1.1 always has one. HTTP/1.0 has not.
            self._host = not any(name == b"host" for name, _ in fields)
        try:
            head = write_request(scope["method"], target, version, fields, underscores=upstream.underscores)
        except BadRequest as error:
            raise UpstreamError(Failure.BAD_REQUEST, str(error)) from error
        self._text = head.text
        if head.chunked or head.length is not None or version not in _HTTP_1:
            self._expect_body(head, version)

    def _expect_body(self, head: RequestHead, version: str) -> None:
        self._left = head.length
        # HTTP/2 and later frame a body without any field.
        self.has_body = head.chunked or bool(head.length) or (head.length is None and version not in _HTTP_1)
        self._chunked = self.has_body and head.length is None
        self.expects_continue = head.expects_continue and self.has_body
        self.more = self.expects_continue
        if self._chunked:
            self._framing = b"\r\nTransfer-Encoding: chunked"
        elif head.length is not None:
            self._framing = b"\r\nContent-Length: %d" % head.length

    def begin_body(self, content: bytes, more: bool) -> None:
        """What has come of the body before anything was sent."""
        if self._chunked and not more:
            # All of it: its length is known after all.
            self._chunked = False
            self._left = len(content)
            self._framing = b"\r\nContent-Length: %d" % len(content) if content else b""
        self._first = self._framed(content, more)
        self.is_whole = not more

    def first_bytes(self, authority: bytes) -> bytes:
        """``authority`` is the app's own, in case that Host is to say so."""
        text = self._text
        if self._host:
            text = b"%b\r\nHost: %b" % (text, authority)
        return b"%b%b\r\n\r\n%b" % (text, self._framing, self._first)

    def next_bytes(self, content: bytes, more: bool) -> bytes:
        """A further part of the body, as it is sent. Raises UpstreamError if there is more or less than announced."""
        self.is_whole = False
        return self._framed(content, more)

    def _framed(self, content: bytes, more: bool) -> bytes:
        self.more = more
        if self._chunked:
            # RFC 9112 7.1: a chunk of size 0 ends the body.
            end = b"" if more else b"0\r\n\r\n"
            return b"%x\r\n%b\r\n%b" % (len(content), content, end) if content else end
        if self._left is not None:
            self._left -= len(content)
            if self._left < 0 or (self._left and not more):
                raise UpstreamError(Failure.BAD_REQUEST, "the body is not as long as content-length says")
        return content


def _below(target: bytes, fields: Fields, root_path: str) -> tuple[bytes, Fields]:
    """The path inside the place where the gateway is mounted, which the app is told."""
    mount = quote(root_path, safe="/!$&'()*+,;=:@~").encode()
    size = len(mount)
    if target.startswith(mount) and target[size : size + 1] in (b"", b"/"):
        target = target[size:] or b"/"
    return target, [*fields, (_PREFIX, mount)]
