"""The fields that tell an app who its client is: ``X-Forwarded-*``, ``Forwarded`` (RFC 7239), or both."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Final

from gateway.http1.field_name import FieldName

Fields = list[tuple[bytes, bytes]]

_X_FOR: Final = FieldName(b"X-Forwarded-For")
_X_HOST: Final = FieldName(b"X-Forwarded-Host")
_X_PORT: Final = FieldName(b"X-Forwarded-Port")
_X_PROTO: Final = FieldName(b"X-Forwarded-Proto")
_FORWARDED: Final = FieldName(b"Forwarded")

# A WebSocket's handshake is told to the app with the scheme of the page around it.
_PAGE_SCHEMES: Final = {"http": b"http", "https": b"https", "ws": b"http", "wss": b"https"}

_TOKEN: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TO_ESCAPE: Final = re.compile(rb'(["\\])')

_MEMORY: Final = 4096
# Names of hosts are no longer than this (RFC 1035 3.1), with some room for a port.
_LONGEST_KNOWN: Final = 262


class ForwardedFields:
    """Makes the fields, and remembers them: all requests of one client to one host have the same."""

    def __init__(self, style: str) -> None:
        """``style`` is that of routes.yaml: ``x-forwarded``, ``forwarded`` or ``both``."""
        self._makers = _STYLES[style]
        self._known: dict[tuple[str, bytes, bytes, str], Fields] = {}

    def of(self, client: str, host: bytes, port: bytes, scheme: str) -> Fields:
        """Not to be changed. ``client`` is an address, empty for a Unix socket; ``port`` may be empty.

        One value in each field: an app that believes the last of several believes the same.
        """
        key = (client, host, port, scheme)
        fields = self._known.get(key)
        if fields is None:
            fields = [field for make in self._makers for field in make(*key)]
            if len(host) <= _LONGEST_KNOWN:
                if len(self._known) >= _MEMORY:
                    self._known.clear()
                self._known[key] = fields
        return fields


def x_forwarded(client: str, host: bytes, port: bytes, scheme: str) -> Fields:
    return [
        (_X_FOR, client.encode("latin-1")),
        (_X_HOST, host),
        (_X_PORT, port or port_of(host, scheme)),
        (_X_PROTO, _PAGE_SCHEMES[scheme]),
    ]


def forwarded(client: str, host: bytes, port: bytes, scheme: str) -> Fields:
    """RFC 7239 4. Without ``by``: where the gateway listens is nobody's business (8.2)."""
    pairs = [b"for=" + _node(client)]
    if host:
        pairs.append(b"host=" + _value(host))
    pairs.append(b"proto=" + _PAGE_SCHEMES[scheme])
    return [(_FORWARDED, b";".join(pairs))]


def port_of(host: bytes, scheme: str) -> bytes:
    """The port that the client addressed: what ``Host`` names after its colon, or the scheme's own."""
    name, colon, port = host.rpartition(b":")
    if colon and port.isdigit() and (name[-1:] == b"]" or b":" not in name):
        return port
    return b"443" if scheme in ("https", "wss") else b"80"


def _node(client: str) -> bytes:
    """RFC 7239 6: an IPv6 address in brackets, and so in quotes; what is no address is unknown."""
    try:
        # Without a zone, which is an interface of this machine (RFC 4007 11.2).
        address = ipaddress.ip_address(client.partition("%")[0])
    except ValueError:
        return b"unknown"
    return b'"[%b]"' % str(address).encode() if address.version == 6 else str(address).encode()


def _value(text: bytes) -> bytes:
    """A token as it is, anything else as a quoted string (RFC 9110 5.6.4)."""
    return text if _TOKEN.fullmatch(text) else b'"%b"' % _TO_ESCAPE.sub(rb"\\\1", text)


_STYLES: Final[dict[str, tuple[Callable[[str, bytes, bytes, str], Fields], ...]]] = {
    "x-forwarded": (x_forwarded,),
    "forwarded": (forwarded,),
    "both": (x_forwarded, forwarded),
}
