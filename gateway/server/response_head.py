"""Writing a response's head: checked as a whole, so that nothing an app passes on can end a line early."""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus

Fields = Iterable[tuple[bytes, bytes]]

_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

# RFC 9110 5.5: CR, LF and NUL in a value are dangerous, and the other control characters are invalid.
_CONTROL = bytes(code for code in (*range(32), 127) if code != ord("\t"))

# What is not simply written as it came. The framing and the connection are ours to describe (RFC 9112 6 and 9), not
# the app's; of Date and Server there is one.
_DATE, _SERVER = 1, 2
_LENGTH, _CONNECTION, _OURS = 3, 4, 5
_KINDS = {
    b"date": _DATE,
    b"server": _SERVER,
    b"content-length": _LENGTH,
    b"connection": _CONNECTION,
    b"keep-alive": _OURS,
    b"proxy-connection": _OURS,
    b"te": _OURS,
    b"trailer": _OURS,
    b"transfer-encoding": _OURS,
}

# The other field names, as apps write them, to the line that begins with them.
_LINES: dict[bytes, bytes] = {}
_MEMORY = 1024


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
        # The lines, each led by its CRLF; by what the app has sent itself, as _DATE and _SERVER add up.
        self.beside = tuple(self._without(names) for names in ((), (b"date",), (b"server",), (b"date", b"server")))
        self.lines = self.beside[0]

    def _without(self, names: tuple[bytes, ...]) -> bytes:
        return b"".join(b"\r\n%b: %b" % field for field in self.source if field[0] not in names)


def write_head(status: int, fields: Fields, defaults: DefaultFields) -> tuple[list[bytes], int | None, bool]:
    """The head in pieces, without the fields for framing and connection that the server adds and without the empty
    line; the content-length that the app gives, if it does; and whether it wants the connection closed.

    Raises ValueError or TypeError for a status, name or value that cannot be sent.
    """
    parts = [_STATUS_LINES.get(status) or _odd_status(status), b""]
    append = parts.append
    given = 0
    length: int | None = None
    close = False
    for name, value in fields:
        line = _LINES.get(name)
        if line is None:
            kind = _KINDS.get(name) or _KINDS.get(_checked(name))
            if kind is None:
                line = _remember(name)
            elif kind == _LENGTH:
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
                line = b"\r\ncontent-length: " if name == b"content-length" else b"\r\n%b: " % name
            elif kind == _CONNECTION:
                close = _read_connection(value, parts) or close
                continue
            elif kind == _OURS:
                continue
            else:
                # RFC 9110 6.6.1: Date is the origin's, if it has sent one. So is Server (10.2.4).
                given |= kind
                line = b"\r\n%b: " % name
        append(line)
        append(value)
    # One pass over all values together; the rest of the head is ours.
    values = b"".join(parts[3::2])
    if len(values.translate(None, _CONTROL)) != len(values):
        raise ValueError("a response header value has a control character in it")
    parts[1] = defaults.beside[given]
    return parts, length, close


def _odd_status(status: int) -> bytes:
    # Other 1xx end no request (RFC 9110 15.2), and beyond 599 nothing is defined, but servers on the net send it.
    if isinstance(status, int) and 600 <= status <= 999:
        return _status_line(status)
    raise ValueError(f"{status!r} is not the status of a response")


def _checked(name: bytes) -> bytes:
    if _TOKEN.fullmatch(name) is None:
        raise ValueError(f"{name!r} is not the name of a response header")
    return name.lower()


def _remember(name: bytes) -> bytes:
    if len(_LINES) >= _MEMORY:
        # Apps can invent names without end.
        _LINES.clear()
    line = _LINES[name] = b"\r\n%b: " % name
    return line


def _check_same(length: int, value: bytes) -> None:
    if not value.isdigit() or int(value) != length:
        raise ValueError("the response has two content-lengths that differ")


def _read_connection(value: bytes, parts: list[bytes]) -> bool:
    """Whether to close. Other options than that stand, for the fields that they name stand too."""
    options = [option.strip(b" \t") for option in value.split(b",")]
    kept = [option for option in options if option.lower() not in (b"", b"close") and option.lower() not in _KINDS]
    if kept:
        parts += (b"\r\nconnection: ", b", ".join(kept))
    return b"close" in [option.lower() for option in options]
