"""Which header fields go on, in both directions (RFC 9110 7.6). Pure functions over raw lists.

Values, order and repetition stay as they came, and so do names (http1/field_name.py). What we add is spelt as usual.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple, cast

from gateway.http1.field_name import (
    CONNECTION,
    CONTENT_LENGTH,
    EXPECT,
    KINDS,
    MAX_FORWARDS,
    OF_ONE_HOP,
    OF_THE_NEXT,
    TE,
    TRANSFER_ENCODING,
    UNDERSCORED,
    FieldName,
    field_name,
)
from gateway.http1.seen import PassedOn

Fields = list[tuple[bytes, bytes]]

# RFC 9110 7.6.1: for one connection only, whether or not Connection names them.
HOP_BY_HOP: Final = frozenset((TRANSFER_ENCODING, CONNECTION, TE, OF_ONE_HOP, OF_THE_NEXT))
_NAMES: Final = frozenset(name for name, kind in KINDS.items() if kind in HOP_BY_HOP)

# What a Connection field must not take away, though it can name anything: the framing, and what the gateway itself
# says. Otherwise "Connection: X-Forwarded-For" would make any client anonymous (RFC 9110 7.6.1: intended for all
# recipients).
_KEPT: Final = frozenset(
    (
        *(b"host", b"content-length", b"content-type", b"date", b"via", b"set-cookie", b"forwarded", b"x-real-ip"),
        *(b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-port", b"x-forwarded-prefix", b"x-forwarded-proto"),
        *(b"x-request-id", b"traceparent", b"tracestate"),
    )
)

# Options of Connection that name no field.
_NO_FIELDS: Final = frozenset((b"", b"close", b"keep-alive", b"upgrade"))

_CONNECTION: Final = {
    value: (frozenset((value.lower(),)), frozenset[bytes]())
    for value in (b"close", b"Close", b"keep-alive", b"Keep-Alive")
}

_DIGITS: Final = re.compile(rb"[0-9]{1,18}")

_COUNTED: Final = ("OPTIONS", "TRACE")

_NUL: Final = 0
_SPACE: Final = 32

VIA: Final = b"strangler-gateway"
_VIA_1_1: Final = b"\r\nVia: 1.1 "
_VIA: Final = _VIA_1_1 + VIA

_PLAIN_TARGET: Final = re.compile(rb"/[!-~]*").fullmatch
_NO_LINES: Final = b"GET / HTTP/1.1"


class BadRequest(ValueError):
    """The request cannot be written as HTTP/1.1 without meaning something else. The text is for the log."""


class RequestHead(NamedTuple):
    """``text`` lacks the line for the framing and the empty line.

    ``length`` is the body's, None when the request does not say. ``chunked`` tells that it has one all the same.
    """

    text: bytes
    length: int | None
    chunked: bool
    expects_continue: bool


def write_request(
    method: str, target: bytes, version: str, fields: Iterable[tuple[bytes, bytes]], *, underscores: bool = False
) -> RequestHead:
    """The head of a request as the app gets it. ``version`` is what the client speaks, such as ``"1.1"``.

    ``underscores`` lets names with an underscore pass: to a WSGI server they are the same as with a dash (PEP 3333
    on ``HTTP_`` variables), so that X_Forwarded_For would be read as what the gateway says of the client.

    Raises BadRequest for what would not be one request any more.
    """
    if type(fields) is PassedOn and version == "1.1" and fields.untouched:
        lines = fields.passed.lines
        if lines is None:
            lines = fields.passed.lines = _lines(fields.passed.fields)
        if lines and _PLAIN_TARGET(target) is not None:
            text = b"%b %b HTTP/1.1%b%b%b" % (method.encode("latin-1"), target, lines, fields.last_line, _VIA)
            return RequestHead(text, None, False, False)
    # After the first, they are pairs: the beginning of a line, and its value.
    parts = [b"%b %b HTTP/1.1" % (method.encode("latin-1"), target)]
    append = parts.append
    length: int | None = None
    chunked = expects = trailers = False
    for name, value in cast("Iterable[tuple[FieldName, bytes]]", fields):
        try:
            line = name.line
        except AttributeError:
            # From another server than ours, or from an app around the gateway.
            return write_request(method, target, version, _known(fields), underscores=underscores)
        if line is not None:
            append(line)
            append(value)
            continue
        kind = name.kind
        if kind == CONNECTION:
            _, named = read_connection(value)
            if named:
                rest = [field for field in fields if field[0] not in named and field != (name, value)]
                return write_request(method, target, version, rest, underscores=underscores)
        elif kind == CONTENT_LENGTH:
            length = _length(value, length)
        elif kind == TRANSFER_ENCODING:
            chunked = True
        elif kind == EXPECT:
            expects = value.lower() == b"100-continue"
        elif kind == TE:
            trailers = trailers or b"trailers" in [coding.strip() for coding in value.lower().split(b",")]
        elif kind == MAX_FORWARDS:
            append(name.spelling)
            append(_one_less(value) if method in _COUNTED else value)
        elif kind not in HOP_BY_HOP and (underscores or kind != UNDERSCORED):
            append(name.spelling)
            append(value)
    if trailers:
        # RFC 9110 10.1.4: who sends TE says so in Connection too.
        parts += (b"\r\nTE: ", b"trailers", b"\r\nConnection: ", b"TE")
    if expects:
        parts += (b"\r\nExpect: ", b"100-continue")
    # RFC 9110 7.6.3: a gateway must, in every request. By a pseudonym: host names are nobody's business.
    append(_VIA_1_1 if version == "1.1" else b"\r\nVia: %b " % version.encode("latin-1"))
    append(VIA)
    text = b"".join(parts)
    _check(text, len(parts) // 2, target)
    if chunked:
        # RFC 9112 6.3: the coding counts, and both are never passed on.
        return RequestHead(text, None, True, expects)
    return RequestHead(text, length, False, expects)


def _lines(fields: Fields) -> bytes:
    """How these are written whatever the request is; empty if it depends on more of it, or on a backend's settings."""
    if any(cast("FieldName", name).kind in (MAX_FORWARDS, TE, UNDERSCORED) for name, _ in fields):
        return b""
    try:
        head = write_request("GET", b"/", "1.1", fields)
    except BadRequest:
        return b""
    plain = head.length is None and not head.chunked and not head.expects_continue
    return head.text[len(_NO_LINES) : -len(_VIA)] if plain else b""


def ends_here(fields: Iterable[tuple[bytes, bytes]]) -> bool:
    """RFC 9110 7.6.2: whether an OPTIONS or TRACE has been passed on as often as it may be."""
    return any(name == b"max-forwards" and value.strip() == b"0" for name, value in fields)


def _check(text: bytes, lines: int, target: bytes) -> None:
    """RFC 9110 5.5: CR, LF and NUL in a value would end the line for somebody. One look at the whole head."""
    # Numbers, for `bytes in bytes` is ten times as slow: it tries whether they are numbers, and makes an error of it.
    if text.count(b"\n") != lines or text.count(b"\r") != lines or _NUL in text:
        raise BadRequest("a header field or the target has CR, LF or NUL in it")
    if _SPACE in target or not target:
        raise BadRequest("the target has a space in it, or is empty")


def read_connection(value: bytes) -> tuple[frozenset[bytes], frozenset[bytes]]:
    """The options in a Connection field, in lower case, and which of them take fields away (RFC 9110 7.6.1)."""
    known = _CONNECTION.get(value)
    if known is not None:
        return known
    options = frozenset(option.strip().lower() for option in value.split(b","))
    return options, options - _NO_FIELDS - _KEPT - _NAMES


def _length(value: bytes, before: int | None) -> int:
    """RFC 9110 8.6: digits; more than one only if they agree."""
    if _DIGITS.fullmatch(value) is None or (before is not None and before != int(value)):
        raise BadRequest("content-length is not one number")
    return int(value)


def _one_less(value: bytes) -> bytes:
    """RFC 9110 7.6.2. Zero does not get here: see ``ends_here``."""
    return b"%d" % max(0, int(value) - 1) if _DIGITS.fullmatch(value) else value


def _known(fields: Iterable[tuple[bytes, bytes]]) -> Fields:
    try:
        return [(name if type(name) is FieldName else field_name(name), value) for name, value in fields]
    except ValueError:
        raise BadRequest("a header field has a name that is none") from None
