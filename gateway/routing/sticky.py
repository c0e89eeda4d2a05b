"""What makes a client the same client again: reading its key from raw header fields, and giving it one.

Header names are in lower case, as ASGI has them. Values are read as Latin-1, which any bytes are: a key is only hashed
and compared.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, Self

RawHeaders = Iterable[tuple[bytes, bytes]]

_DOMAIN = re.compile(r"\.?[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")


@dataclass(frozen=True, slots=True)
class Sticky:
    """The ``sticky:`` of a route. ``name`` is the cookie's, or the header's in lower case.

    A ``cookie`` without a name is the gateway's own id cookie. ``ip`` and ``none`` have no name.
    """

    kind: Literal["cookie", "header", "ip", "none"]
    name: bytes | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``cookie``, ``cookie:NAME``, ``header:NAME``, ``ip`` or ``none``. Raises ValueError for all else."""
        kind, colon, name = text.partition(":")
        match kind, bool(colon), bool(name):
            case "cookie", True, True:
                return cls("cookie", name.encode("latin-1"))
            case "header", True, True:
                return cls("header", name.lower().encode("latin-1"))
            case ("cookie" | "ip" | "none") as plain, False, False:
                return cls(plain)
        raise ValueError(f"'{text}' is not cookie, cookie:NAME, header:NAME, ip or none")


def cookie_values(headers: RawHeaders, name: bytes) -> Iterator[str]:
    """The values of every cookie of that name that are not empty, as they were sent, without quotes around them.

    By the splitting of RFC 6265 5.4, read generously: any number of Cookie fields (HTTP/2 allows it, RFC 9113 8.2.3),
    any spacing; what has no ``=`` has no value.
    """
    for field, line in headers:
        if field != b"cookie" or name not in line:
            continue
        for pair in line.split(b";"):
            key, _, value = pair.partition(b"=")
            if key.strip() == name:
                value = value.strip()
                if len(value) >= 2 and value[:1] == value[-1:] == b'"':
                    value = value[1:-1]
                if value:
                    yield value.decode("latin-1")


def cookie_value(headers: RawHeaders, name: bytes) -> str | None:
    """The first value of a cookie. An empty one is none: all who have it would be one client."""
    return next(cookie_values(headers, name), None)


def header_value(headers: RawHeaders, name: bytes) -> str | None:
    """The first value of a header field, ``name`` in lower case. An empty one is none, as with cookies."""
    for field, value in headers:
        if field == name:
            text = value.strip().decode("latin-1")
            if text:
                return text
    return None


class IdCookie:
    """Reads the client's id from the gateway's own cookie: the first value that can be one.

    Not the first value and then a look: a broken cookie that a browser sends first, set by a neighbour on a parent
    domain, would make the client a new one with every request. The splitting is that of ``cookie_values``, in one
    pattern: this is on the way of every request of a split.
    """

    __slots__ = ("_search", "name")

    def __init__(self, name: bytes) -> None:
        self.name = name
        # What secrets.token_urlsafe makes; long enough not to be guessed, short enough to be no burden.
        self._search = re.compile(
            rb"(?:^|;)\s*" + re.escape(name) + rb"\s*=\s*(\"?)([A-Za-z0-9_-]{16,64})\1\s*(?=;|\Z)"
        ).search

    def id_of(self, headers: RawHeaders) -> str | None:
        for field, line in headers:
            if field == b"cookie":
                found = self._search(line)
                if found is not None:
                    return found[2].decode("ascii")
        return None


def client_id(headers: RawHeaders, cookie: bytes) -> str | None:
    return IdCookie(cookie).id_of(headers)


def set_cookie(name: str, value: str, *, max_age: int, domain: str | None, secure: bool) -> bytes:
    """The value of the Set-Cookie field that gives a client its id; ``max_age`` in seconds.

    ``SameSite=Lax``: the id goes along when a link leads here, and tells nothing to other sites' subrequests. Raises
    ValueError for a domain that is none: it is written into a header.
    """
    cookie = f"{name}={value}; HttpOnly; SameSite=Lax; Path=/; Max-Age={max_age}"
    if domain is not None:
        if not _DOMAIN.fullmatch(domain):
            raise ValueError(f"{domain!r} is not a cookie domain")
        cookie += f"; Domain={domain}"
    if secure:
        cookie += "; Secure"
    return cookie.encode("latin-1")


def client_network(address: str) -> str:
    """What stands for a client's address: IPv4 as it is, IPv6 its /64, and what is no address as it is.

    A host changes its privacy addresses (RFC 8981) within one /64 every few hours, and must not change sides with
    them. An IPv4 address written as IPv6, ``::ffff:192.0.2.1``, is the IPv4 address: which form arrives is up to the
    listening socket.
    """
    if ":" not in address:
        return address
    try:
        parsed = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(parsed) >> 64 << 64, 64)))
