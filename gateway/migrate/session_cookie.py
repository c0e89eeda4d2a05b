"""The session's Cookie and Set-Cookie fields, as Werkzeug reads and writes them."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass
from datetime import datetime
from functools import cached_property
from urllib.parse import quote

from .tagged_json import http_date

# Browsers drop larger cookies without a word: 4096 bytes for name, value and attributes (RFC 6265 6.1), less a few
# for how browsers count. Werkzeug warns at the same size.
MAX_SIZE = 4093

_PAIR = re.compile(
    r"""[ \t]* ([^ \t=";]+)
        (?: [ \t]*=[ \t]* ( "(?:[^\\"]|\\.)*" | [^ \t";]* ) )?
        [ \t]* (?:;|\Z)""",
    re.ASCII | re.VERBOSE,
)
_ESCAPE = re.compile(rb"\\([0-3][0-7]{2}|.)")
_PLAIN = re.compile(r"[\w!#$%&'()*+\-./:<=>?@\[\]^`{|}~]*", re.ASCII)
_ESCAPED = re.compile(rb"[\x00-\x19\",;\\\x7f-\xff]")


def read(headers: Iterable[tuple[bytes, bytes]], name: str) -> str | None:
    """The first cookie called ``name``, or None. Starlette's parser takes the last, Werkzeug's the first.

    A browser sends the cookie of the more specific path first (RFC 6265 5.4), so the two really do differ.
    """
    # HTTP/2 clients may split the cookies over several fields (RFC 9113 8.2.3).
    field = b";".join(value for key, value in headers if key == b"cookie").decode("utf-8", "replace")
    position = 0
    while position < len(field):
        if pair := _PAIR.match(field, position):
            if pair[1] == name:
                return _unquote(pair[2] or "")
            position = pair.end()
        elif (semicolon := field.find(";", position)) >= 0:
            position = semicolon + 1
        else:
            break
    return None


def _unquote(value: str) -> str:
    if len(value) < 2 or value[0] != '"':
        return value
    return _ESCAPE.sub(_unescape, value[1:-1].encode()).decode(errors="replace")


def _quoted(value: str) -> str:
    """``value`` as it stands in a cookie: in quotes, with octal escapes, if it has to be."""
    if _PLAIN.fullmatch(value):
        return value
    return f'"{_ESCAPED.sub(_escape, value.encode()).decode("ascii")}"'


def _escape(match: re.Match[bytes]) -> bytes:
    return b"\\" + match[0] if match[0] in (b'"', b"\\") else b"\\%03o" % match[0][0]


def _unescape(match: re.Match[bytes]) -> bytes:
    character = match[1]
    return character if len(character) == 1 else int(character, 8).to_bytes(1, "big")


@dataclass(frozen=True)
class SessionCookie:
    """Name and attributes of the cookie. Raises ValueError for a ``samesite`` that no browser knows."""

    name: str = "session"
    _: KW_ONLY
    path: str = "/"
    domain: str | None = None
    secure: bool = False
    httponly: bool = True
    samesite: str | None = None
    partitioned: bool = False

    def __post_init__(self) -> None:
        if self.samesite is not None and self.samesite.title() not in {"Strict", "Lax", "None"}:
            raise ValueError(f"samesite must be 'Strict', 'Lax' or 'None', not {self.samesite!r}")

    def set(self, value: str, expires: datetime | None) -> str:
        """The Set-Cookie value."""
        field = self._field(_quoted(value), None if expires is None else f"Expires={http_date(expires)}")
        if len(field) > MAX_SIZE:
            warnings.warn(
                f"the {self.name!r} cookie is too large: {len(field)} bytes, and browsers may silently ignore what is"
                f" larger than {MAX_SIZE}",
                stacklevel=2,
            )
        return field

    def delete(self) -> str:
        """The Set-Cookie value that makes the browser forget the cookie."""
        return self._field("", "Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0")

    def _field(self, value: str, expires: str | None) -> str:
        before, after = self._attributes
        return "; ".join(filter(None, (f"{self.name}={value}", before, expires, after)))

    @cached_property
    def _attributes(self) -> tuple[str, str]:
        """What stands before the expiry and what after it; the order is Werkzeug's."""
        domain = ""
        if self.domain:
            host = self.domain.partition(":")[0].lstrip(".").encode("idna").decode("ascii")
            domain = f"Domain={host}"
        path = quote(self.path, safe="%!$&'()*+,/:=@")
        after = {
            "Secure": self.secure or self.partitioned,  # browsers refuse a partitioned cookie that is not secure
            "HttpOnly": self.httponly,
            f"Path={path}": True,
            f"SameSite={(self.samesite or '').title()}": self.samesite is not None,
            "Partitioned": self.partitioned,
        }
        return domain, "; ".join(text for text, wanted in after.items() if wanted)
