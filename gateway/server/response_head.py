"""Writing a response's head: checked as a whole, so that nothing an app passes on can end a line early."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus

from gateway.http1.field import Block, Field
from gateway.http1.field_name import (
    CONNECTION,
    CONTENT_LENGTH,
    DATE,
    KINDS,
    KNOWN,
    OF_ONE_HOP,
    SERVER,
    TE,
    TRANSFER_ENCODING,
    FieldName,
    field_name,
)

Fields = Iterable[tuple[bytes, bytes]]

# RFC 9110 5.5: CR, LF and NUL in a value are dangerous, and the other control characters are invalid.
_CONTROL = bytes(code for code in (*range(32), 127) if code != ord("\t"))

# The framing and the connection are ours to describe (RFC 9112 6 and 9), not the app's.
_OURS = frozenset((TRANSFER_ENCODING, TE, OF_ONE_HOP))
_ONCE = frozenset((DATE, SERVER))

# Options of Connection that say nothing to the client.
_SAID = frozenset((b"", b"close", *KINDS)) - {b"upgrade"}

# uvicorn's names for what every response has, as such fields are usually spelt.
_SPELT = {b"date": b"Date", b"server": b"Server"}


def _status_line(status: int) -> bytes:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    return f"HTTP/1.1 {status} {phrase}".encode()


_STATUS_LINES = {status: _status_line(status) for status in range(200, 600)}


class DefaultFields:
    """The fields that every response has, as the server state lists them: ``date``, and what uvicorn is told to add."""

    def __init__(self, fields: list[tuple[bytes, bytes]]) -> None:
        self.source = fields
        # The lines, each led by its CRLF; by what the app has sent itself, as DATE and SERVER add up.
        self.beside = tuple(self._without(names) for names in ((), (b"date",), (b"server",), (b"date", b"server")))
        self.lines = self.beside[0]

    def _without(self, names: tuple[bytes, ...]) -> bytes:
        return b"".join(
            b"\r\n%b: %b" % (_SPELT.get(name, name), value) for name, value in self.source if name not in names
        )


def write_head(status: int, fields: Fields, defaults: DefaultFields) -> tuple[list[bytes], int | None, bool]:
    """The head in pieces, without the fields for framing and connection that the server adds and without the empty
    line; the content-length that the app gives, if it does; and whether it wants the connection closed.

    Raises ValueError or TypeError for a status, name or value that cannot be sent.
    """
    if type(fields) is Block and status != 204:
        return (
            [_STATUS_LINES.get(status) or _odd_status(status), defaults.beside[fields.once], fields.text],
            fields.length,
            False,
        )
    parts = [_STATUS_LINES.get(status) or _odd_status(status), b""]
    append = parts.append
    given = 0
    length: int | None = None
    close = False
    values: list[bytes] = []
    for field in fields:
        if type(field) is Field:
            line = field.passed
            if line is None:
                kind = field.kind
                if kind in _ONCE:
                    # RFC 9110 6.6.1: Date is the origin's, if it has sent one. So is Server (10.2.4).
                    given |= kind
                    line = field.line
                elif kind == CONTENT_LENGTH and length is None and status != 204:
                    length = field.number
                    line = field.line
            if line is not None:
                append(line)
                continue
        name, value = field
        known = name if type(name) is FieldName else KNOWN.get(name) or field_name(name)
        line = known.line
        if line is None:
            kind = known.kind
            if kind == CONTENT_LENGTH:
                if length is not None:
                    _check_same(length, value)
                    continue
                # bytes.isdigit() is true for ASCII alone.
                if not value.isdigit():
                    raise ValueError(f"{value!r} is not a content-length")
                length = int(value)
                if status == 204:
                    # RFC 9110 8.6: none with 204.
                    continue
            elif kind in _ONCE:
                given |= kind
            elif kind == CONNECTION:
                values.append(value)
                close = _read_connection(value, parts) or close
                continue
            elif kind in _OURS:
                continue
            line = known.spelling
        append(line)
        append(value)
        values.append(value)
    # One pass over all of them together; the rest of the head is ours.
    if values:
        together = b"".join(values)
        if len(together.translate(None, _CONTROL)) != len(together):
            raise ValueError("a response header value has a control character in it")
    parts[1] = defaults.beside[given]
    return parts, length, close


def write_hints(links: Iterable[bytes]) -> bytes:
    """A 103 response (RFC 8297) with these values of Link. Raises ValueError for one that cannot be sent."""
    head = b"HTTP/1.1 103 Early Hints"
    for link in links:
        if len(link.translate(None, _CONTROL)) != len(link):
            raise ValueError("a link has a control character in it")
        head += b"\r\nLink: " + link
    return head + b"\r\n\r\n"


def _odd_status(status: int) -> bytes:
    # Other 1xx end no request (RFC 9110 15.2), and beyond 599 nothing is defined, but servers on the net send it.
    if isinstance(status, int) and 600 <= status <= 999:
        return _status_line(status)
    raise ValueError(f"{status!r} is not the status of a response")


def _check_same(length: int, value: bytes) -> None:
    if not value.isdigit() or int(value) != length:
        raise ValueError("the response has two content-lengths that differ")


def _read_connection(value: bytes, parts: list[bytes]) -> bool:
    """Whether to close. Other options than that stand, for the fields that they name stand too."""
    options = [option.strip(b" \t") for option in value.split(b",")]
    kept = [option for option in options if option.lower() not in _SAID]
    if kept:
        parts += (b"\r\nConnection: ", b", ".join(kept))
    return b"close" in [option.lower() for option in options]
