"""The forms of a request target other than a path (RFC 9112 3.2), and which values of ``Host`` are any."""

from __future__ import annotations

import re
from typing import NamedTuple

from gateway.server.refusal import Refusal

# RFC 3986 3.2.2 and 3.2.3: an IP literal, or a registered name (an IPv4 address is one too), and a port. Not empty:
# an http URI has a host (RFC 9110 4.2.1).
_HOST = re.compile(
    rb"(?:\[[0-9A-Fa-f:.]{2,45}\]|(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2}){1,255})(?::[0-9]{0,5})?"
)
_ABSOLUTE = re.compile(rb"https?://([^/?]*)([^?]*)\??(.*)", re.IGNORECASE | re.DOTALL)

# Hosts are few and come with every request.
KNOWN_HOSTS: set[bytes] = set()
_MEMORY = 1024


class Absolute(NamedTuple):
    """What the absolute form of a target names. The query is without its question mark."""

    authority: bytes
    path: bytes
    query: bytes


def is_host(value: bytes) -> bool:
    """Whether ``value`` can stand in ``Host``. What is in KNOWN_HOSTS can."""
    if _HOST.fullmatch(value) is None:
        return False
    if len(KNOWN_HOSTS) >= _MEMORY:
        KNOWN_HOSTS.clear()
    KNOWN_HOSTS.add(value)
    return True


def read_other_form(method: bytes, target: bytes) -> Absolute | None:
    """Read a target that does not begin with a slash. None means the server as a whole. Raises Refusal."""
    if target == b"*":
        if method != b"OPTIONS":
            raise Refusal(400, "Only OPTIONS may ask for '*'.")
        return None
    found = _ABSOLUTE.fullmatch(target)
    if found is None:
        raise Refusal(400, "The request target is neither a path nor an http URL.")
    authority, path, query = found.groups()
    # RFC 9110 4.2.4: userinfo in a reference from an untrusted source is to be treated as an error.
    if b"@" in authority or not is_host(authority):
        raise Refusal(400, "The request target names no valid host.")
    if method == b"OPTIONS" and not path and not query:
        # RFC 9112 3.2.4: this is how OPTIONS * is sent to a proxy.
        return None
    return Absolute(authority, path or b"/", query)
