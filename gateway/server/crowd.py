"""How many connections there are, and whose.

A client is an address; of IPv6 the /64 that one subscriber has to himself. Connections that lasted into a WebSocket
count as the others do.
"""

from __future__ import annotations

import socket
from collections import Counter

from gateway.server.limits import Limits
from gateway.server.refusal import CROWDED, GREEDY, Refusal

# So many more than there may be get an answer that says so. They are open until it is read, and that must not become
# another way to use us up: the rest are reset.
_TOLD = 64
_TOLD_PER_CLIENT = 8

Address = tuple[str, int] | None


class Crowd:
    """The connections of one server. Counted whether they are limited or not, for a limit may be set at any time."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.total = 0
        self._by_client: Counter[str | bytes] = Counter()

    def enter(self, address: Address) -> tuple[Refusal, bool] | None:
        """Count a new connection; ``leave`` is owed for it in any case.

        Returns None if it may stay; otherwise why it may not, and whether there is room to tell its client.
        """
        self.total += 1
        count = 0
        # Who comes by a Unix socket has no address.
        if address is not None:
            client = _client(address[0])
            count = self._by_client[client] = self._by_client[client] + 1
        limits = self.limits
        if limits.connections is not None and self.total > limits.connections:
            return CROWDED, self.total <= limits.connections + _TOLD
        most = limits.connections_per_client
        if most is None or count <= most or address is None or address[0] in limits.proxies:
            return None
        return GREEDY, count <= most + _TOLD_PER_CLIENT

    def leave(self, address: Address) -> None:
        self.total -= 1
        if address is not None:
            client = _client(address[0])
            count = self._by_client[client] - 1
            if count > 0:
                self._by_client[client] = count
            else:
                del self._by_client[client]


def _client(address: str) -> str | bytes:
    if ":" not in address:
        return address
    packed = socket.inet_pton(socket.AF_INET6, address.partition("%")[0])
    # An IPv4 address at a socket for both kinds: all of those have the same /64.
    return packed if packed.startswith(_MAPPED) else packed[:8]


_MAPPED = bytes(10) + b"\xff\xff"
