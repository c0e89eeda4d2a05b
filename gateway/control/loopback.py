"""Which Host fields name this machine and nothing else."""

from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """``host`` is a Host field: a name or address, an IPv6 one in brackets, and perhaps a port."""
    if host.startswith("["):
        name, bracket, rest = host[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            return False
    else:
        name = host.partition(":")[0]
    if name.lower() in ("localhost", "localhost."):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
