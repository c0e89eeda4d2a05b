"""The status and the fields that an app gives to ``start_response``, checked and made ready for ASGI."""

from __future__ import annotations

import re
from collections.abc import Iterable

from gateway.http1.field_name import FieldName

RawHeaders = list[tuple[bytes, bytes]]

# RFC 9112 section 4 and PEP 3333: three digits, a space, a reason without control characters.
_STATUS = re.compile(r"([2-5][0-9]{2})(?: [ \t\x21-\x7e\x80-\xff]*)?")
_statuses: dict[str, int] = {}

# RFC 9110 section 5.6.2 (token) and 5.5 (field-value).
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(r"[ \t\x21-\x7e\x80-\xff]*")

# From the app's spelling of a name to the one to send; empty for a field that is dropped.
_names: dict[str, bytes] = {}
_REMEMBERED = 1024

# PEP 3333 forbids these to an app (they speak of the connection, RFC 9110 section 7.6.1, which is the server's).
# Like gunicorn and waitress we drop them: apps that were written for another server set them.
_HOP_BY_HOP = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailers",
        b"transfer-encoding",
        b"upgrade",
    )
)

_CONTENT_LENGTH = b"content-length"


def parse_status(status: str) -> int:
    """The code of ``200 OK``; the reason is not sent, ASGI has no place for it.

    Raises TypeError or ValueError for what is not a status line, and for 1xx, which cannot end a request.
    """
    try:
        return _statuses[status]
    except KeyError:
        pass
    if not isinstance(status, str):
        raise TypeError(f"the status must be a str, not {status!r}")
    matched = _STATUS.fullmatch(status)
    if matched is None:
        raise ValueError(f"invalid status {status!r}")
    code = int(matched[1])
    if len(_statuses) < _REMEMBERED:
        _statuses[status] = code
    return code


def raw_headers(headers: Iterable[tuple[str, str]]) -> tuple[RawHeaders, int | None]:
    """The fields as bytes, and the declared length of the body if there is one.

    Raises TypeError or ValueError for what must not be sent: a line end in a value would let whoever has a say in
    that value write further fields, or a whole response ("response splitting").
    """
    raw: RawHeaders = []
    length: int | None = None
    for name, value in headers:
        encoded = _names.get(name)
        if encoded is None:
            encoded = _encode_name(name)
        if not encoded:
            continue
        if not isinstance(value, str):
            raise TypeError(f"the value of {name} must be a str, not {type(value).__name__}")
        # Printable ASCII is what nearly all values are, and the quick test.
        if not (value.isascii() and value.isprintable()) and _VALUE.fullmatch(value) is None:
            # Only the name: the value may be a secret.
            raise ValueError(f"the value of {name} has characters that must not stand in a field")
        value = value.strip(" \t")
        if encoded == _CONTENT_LENGTH:
            if not (value.isascii() and value.isdigit() and len(value) < 20):
                raise ValueError(f"invalid Content-Length {value!r}")
            if length is not None:
                if int(value) != length:
                    raise ValueError("two different Content-Lengths")
                continue
            length = int(value)
        raw.append((encoded, value.encode("latin-1")))
    return raw, length


def without_length(raw: RawHeaders) -> RawHeaders:
    """The same without Content-Length."""
    return [field for field in raw if field[0] != _CONTENT_LENGTH]


def length_field(length: int) -> tuple[bytes, bytes]:
    return _CONTENT_LENGTH, b"%d" % length


def _encode_name(name: str) -> bytes:
    if not isinstance(name, str):
        raise TypeError(f"the name of a field must be a str, not {name!r}")
    if _NAME.fullmatch(name) is None:
        raise ValueError(f"invalid name of a field {name!r}")
    encoded: bytes = FieldName(name.encode("ascii"))
    if encoded in _HOP_BY_HOP:
        encoded = b""
    if len(_names) < _REMEMBERED:
        _names[name] = encoded
    return encoded
