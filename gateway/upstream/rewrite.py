"""Where a response names the app's own address, which only we can reach, the public one takes its place."""

from __future__ import annotations

from urllib.parse import quote

from starlette.types import Scope

from gateway.upstream.headers import Fields

_LOCATIONS = (b"location", b"content-location")


def public_address(scope: Scope) -> bytes:
    """Where the client has reached us: ``http://host:port``, and the path below which the gateway is mounted."""
    host = next((value for name, value in scope["headers"] if name == b"host"), b"")
    root_path: str = scope.get("root_path", "")
    return b"%b://%b%b" % (scope["scheme"].encode(), host, quote(root_path).encode())


def rewrite(fields: Fields, origin: bytes, public: bytes) -> Fields:
    """``fields`` with ``public`` in the place of ``origin``, both of the form ``http://host:port``.

    Only at the start of Location and Content-Location (RFC 9110 10.2.2, 8.7), and only the whole of an address:
    ``http://app:50001`` does not begin with ``http://app:5000``. And for a cookie's Domain that is the app's own host,
    which no browser would take from the public one (RFC 6265 5.3): without it, the cookie is for the public host.
    """
    changed: Fields = []
    host = _host(origin)
    for name, value in fields:
        if name in _LOCATIONS:
            value = _public(value, origin, public)
        elif name == b"set-cookie":
            value = _without_domain(value, host)
        changed.append((name, value))
    return changed


def _host(origin: bytes) -> bytes:
    authority = origin.partition(b"://")[2]
    return authority if authority.endswith(b"]") else authority.partition(b":")[0]


def _public(value: bytes, origin: bytes, public: bytes) -> bytes:
    size = len(origin)
    if value[:size].lower() == origin.lower() and value[size : size + 1] in (b"", b"/", b"?", b"#"):
        return public + value[size:]
    return value


def _without_domain(value: bytes, host: bytes) -> bytes:
    pair, *attributes = value.split(b";")
    kept = [attribute for attribute in attributes if not _is_domain(attribute, host)]
    return value if len(kept) == len(attributes) else b";".join((pair, *kept))


def _is_domain(attribute: bytes, host: bytes) -> bool:
    name, _, domain = attribute.partition(b"=")
    return name.strip().lower() == b"domain" and domain.strip().lstrip(b".").lower() == host.lower()
