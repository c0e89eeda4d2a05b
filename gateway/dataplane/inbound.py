"""Who the client is, and the fields that say so to the app.

Nothing is taken from a client: the ``X-Forwarded-*`` family, ``Forwarded``, ``X-Real-IP`` and ``X-Request-Id`` are
removed as they arrive and made anew from the connection itself. Only a peer in ``trusted_proxies`` is believed.
Pure functions over raw header lists; the one piece of state is a bounded memory of which addresses are trusted.
"""

from __future__ import annotations

import ipaddress
import itertools
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from starlette.types import Scope

from gateway.dataplane.forwarded import ForwardedFields
from gateway.http1.field_name import FieldName
from gateway.http1.seen import Passed, PassedOn, Seen

RawHeaders = list[tuple[bytes, bytes]]

# What the gateway says itself, and so must not be said by anyone before it.
OWNED = frozenset(
    (
        b"forwarded",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-port",
        b"x-forwarded-prefix",
        b"x-forwarded-proto",
        b"x-real-ip",
        b"x-request-id",
    )
)

_REQUEST_ID = FieldName(b"X-Request-Id")

_MEMORY = 4096
# A proxy that does not write these fields itself passes them on as its client sent them. What is no host could lead a
# link that an app builds from it elsewhere, and so could a prefix that begins with two slashes, or with what browsers
# take for them.
_SOUND_HOST = re.compile(rb"[A-Za-z0-9._~%:\[\]-]{1,255}")
_SOUND_PREFIX = re.compile(r"(?:/(?!\.\.?(?:/|\Z))[A-Za-z0-9._~!$&'()*+;=:@-]+)+")
# What may stand in a log line and in an error page as it is.
_SOUND_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")


class RequestIds:
    """Ids that no other process and no other time will make: 64 random bits a process, then a counter."""

    def __init__(self) -> None:
        self._prefix = secrets.token_hex(8)
        self._count = itertools.count(1)

    def next(self) -> str:
        return f"{self._prefix}{next(self._count):08x}"


class TrustedProxies:
    """The peers whose word about the client is taken."""

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = tuple(ipaddress.ip_network(n, strict=False) for n in networks)
        self._known: dict[str, bool] = {}

    def __bool__(self) -> bool:
        return bool(self._networks)

    def __contains__(self, address: object) -> bool:
        """Whether ``address``, as text, is a trusted one. What is not an address (a Unix socket's peer) is not."""
        if not isinstance(address, str):
            return False
        known = self._known.get(address)
        if known is None:
            if len(self._known) >= _MEMORY:
                self._known.clear()
            known = self._known[address] = self._look_up(address)
        return known

    def _look_up(self, text: str) -> bool:
        try:
            address: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(text)
        except ValueError:
            return False
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self._networks)


@dataclass(slots=True)
class Said:
    """What a trusted proxy said of the request it passes on. Empty where it said nothing."""

    client: str = ""
    scheme: str = ""
    host: bytes = b""
    port: bytes = b""
    prefix: str = ""
    request_id: str = ""


def heard(headers: RawHeaders, trusted: TrustedProxies) -> Said:
    """Read the fields of a trusted peer: ``X-Forwarded-*``, and not ``Forwarded``.

    A proxy that writes the one passes the other on as its client sent it, and nobody can tell which. Nearly all write
    ``X-Forwarded-*``.

    The client is the rightmost address in ``X-Forwarded-For`` that is not itself a trusted proxy: what stands left
    of it was written by whoever sent it.
    """
    said = Said()
    chain: list[str] = []
    for name, value in headers:
        if name not in OWNED:
            continue
        if name == b"x-forwarded-for":
            chain += [_bare_address(part) for part in value.decode("latin-1").split(",")]
        elif name == b"x-forwarded-proto":
            scheme = _last(value).decode("latin-1").lower()
            said.scheme = scheme if scheme in ("http", "https") else ""
        elif name == b"x-forwarded-host":
            host = _last(value)
            said.host = host if _SOUND_HOST.fullmatch(host) else b""
        elif name == b"x-forwarded-port":
            port = _last(value)
            said.port = port if port.isdigit() and len(port) <= 5 else b""
        elif name == b"x-forwarded-prefix":
            prefix = _last(value).decode("latin-1").rstrip("/")
            said.prefix = prefix if _SOUND_PREFIX.fullmatch(prefix) else ""
        elif name == b"x-request-id" and _SOUND_ID.fullmatch(value):
            said.request_id = value.decode("ascii")
    for address in reversed(chain):
        if not _is_address(address):
            break
        said.client = address
        if address not in trusted:
            break
    return said


def admit(
    scope: Scope, path: str, raw_path: bytes, trusted: TrustedProxies, forwarded: ForwardedFields, request_id: str
) -> tuple[Scope, str, str]:
    """The scope as the app gets it, the client's address (empty for a Unix socket), and the request's id.

    A new header list, and a new scope: the server's own stays as it is, whatever it or an app appends to it later.
    An app behind ``ProxyFix`` or another reader of such fields finds in them what the rest of the scope says too; an
    app without one needs none.
    """
    headers: RawHeaders = scope["headers"]
    peer = scope.get("client")
    client: str = peer[0] if peer else ""
    scheme: str = scope["scheme"]
    if isinstance(headers, Seen):
        passed = headers.passed
        if passed is None or passed.client != client or passed.scheme != scheme or passed.said is not forwarded:
            passed = headers.passed = _passed(headers, client, scheme, forwarded)
        if passed.fields:
            # The server that shares such headers has made the scope for us alone (gateway/server/direct.py).
            scope["path"] = path
            scope["raw_path"] = raw_path
            scope["headers"] = PassedOn(passed, _REQUEST_ID, request_id.encode("latin-1"))
            return scope, client, request_id
    scope = {**scope, "path": path, "raw_path": raw_path}
    host = port = b""
    dirty = False
    for name, value in headers:
        if name == b"host":
            host = value
        elif name in OWNED:
            dirty = True
    if dirty:
        if trusted and client in trusted:
            said = heard(headers, trusted)
            request_id = said.request_id or request_id
            if said.client:
                client = said.client
                scope["client"] = (client, 0)
            if said.scheme:
                scheme = said.scheme
                scope["scheme"] = _socket_scheme(scheme) if scope["type"] == "websocket" else scheme
            if said.host:
                host = said.host
                headers = [(name, host if name == b"host" else value) for name, value in headers]
            if said.prefix:
                scope["root_path"] = scope.get("root_path", "") + said.prefix
                scope["path"] = said.prefix + path
                scope["raw_path"] = said.prefix.encode("latin-1") + raw_path
            port = said.port
        headers = [field for field in headers if field[0] not in OWNED]
    scope["headers"] = [
        *headers,
        *forwarded.of(client, host, port, scheme),
        (_REQUEST_ID, request_id.encode("latin-1")),
    ]
    return scope, client, request_id


def _passed(headers: Seen, client: str, scheme: str, forwarded: ForwardedFields) -> Passed:
    """Without fields where they depend on whether the peer is trusted."""
    fields = dict(headers)
    passed: RawHeaders = []
    if OWNED.isdisjoint(fields):
        passed = [*headers, *forwarded.of(client, fields.get(b"host", b""), b"", scheme)]
    return Passed(passed, client, scheme, forwarded)


def _socket_scheme(scheme: str) -> str:
    return "wss" if scheme == "https" else "ws"


def _last(value: bytes) -> bytes:
    return value.rpartition(b",")[2].strip()


def _bare_address(text: str) -> str:
    """An element of ``X-Forwarded-For`` without its port: ``1.2.3.4:5``, ``[::1]:5`` and ``[::1]`` exist."""
    text = text.strip()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
