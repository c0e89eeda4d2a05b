"""Host names, of routes and of requests, in one form: lower case, without port, without the root's dot at the end."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


class HostError(ValueError):
    """A route's ``host`` is not one. The text says why, and what to write instead."""


def host_pattern(text: str) -> str:
    """A route's host in the form that requests are compared in; ``*.example.com`` keeps its star.

    As in the Gateway API, a star is the whole first label and stands for one or more labels. Raises HostError.
    """
    if "/" in text:
        raise HostError(f"'{text}' is not a host name: leave scheme and path out")
    if text.startswith("[") or text.count(":") > 1:
        return _ipv6_pattern(text)
    name, colon, _ = text.partition(":")
    if colon:
        raise HostError(f"hosts are matched without their port; write '{name}'")
    host = _name(name)
    if host == "*":
        raise HostError("'*' would match every host: leave 'host' out for that")
    bare = host.removeprefix("*.")
    if "*" in bare:
        raise HostError(f"a star is the whole first label, as in '*.example.com'; '{text}' has it elsewhere")
    if not bare.isascii():
        raise HostError(f"'{text}' is not how requests have it: write its ASCII form, which starts with xn--")
    if not _NAME.fullmatch(bare):
        raise HostError(f"'{text}' is not a host name")
    return host


def request_host(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The host that a request is for, from raw headers with lower-case names; "" without a Host field.

    The first Host field counts. A request with two is malformed (RFC 9112 3.2) and is to be refused before.
    """
    for name, value in headers:
        if name == b"host":
            host = value.decode("latin-1").strip()
            if host.startswith("["):
                return _ipv6(host[1:].partition("]")[0])
            return _name(host.partition(":")[0])
    return ""


def _name(host: str) -> str:
    return host.lower().removesuffix(".")


def _ipv6(address: str) -> str:
    """One address has many spellings; what is none can only be compared as it is."""
    try:
        address = ipaddress.IPv6Address(address).compressed
    except ValueError:
        address = address.lower()
    return f"[{address}]"


def _ipv6_pattern(text: str) -> str:
    address, bracket, port = text.removeprefix("[").partition("]")
    try:
        ipaddress.IPv6Address(address)
    except ValueError:
        raise HostError(f"'{text}' is not an IPv6 address") from None
    if port:
        raise HostError(f"hosts are matched without their port; write '{_ipv6(address)}'")
    if text.startswith("[") != bool(bracket):
        raise HostError(f"'{text}' has one bracket of two")
    return _ipv6(address)
