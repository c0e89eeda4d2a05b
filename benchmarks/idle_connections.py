"""Memory that a connection takes while nothing happens on it: of clients that may come back, and of event streams.

Growth of what the proxy's process tree holds (Pss), over the number of connections. What the kernel keeps for a
socket is not in it, and is the same for all.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import ExitStack

from benchmarks.apps.books_fastapi import BOOK
from benchmarks.apps.quick import HELLO
from benchmarks.cpu import resident_bytes
from benchmarks.load import Address, Client, WrongAnswerError, drive, get
from benchmarks.peers.apps import quick
from benchmarks.peers.caddy import CADDY
from benchmarks.peers.envoy import ENVOY
from benchmarks.peers.gateway import GATEWAY_MANY
from benchmarks.peers.haproxy import HAPROXY
from benchmarks.peers.nginx import NGINX
from benchmarks.peers.peer import Peer, present
from benchmarks.report import table

PEERS = (NGINX, HAPROXY, ENVOY, CADDY, GATEWAY_MANY)
CLIENTS = 5_000
STREAMS = 2_000
SETTLE_SECONDS = 1.0
TIMEOUT = 20.0

_GET = get("/api/resource7/7", BOOK)
_EVENTS = b"GET /events HTTP/1.1\r\nHost: bench.example\r\nAccept: text/event-stream\r\n\r\n"


def main() -> bool:
    """Print the table. There is no goal: it is to be known, not to be the least."""
    with quick() as upstream:
        rows = [_row(peer, upstream.address) for peer in present(PEERS)]
    table(
        f"Memory of {CLIENTS:,} idle clients, and of {STREAMS:,} open event streams",
        ["", "at rest MiB", "KiB a client", "KiB a stream"],
        rows,
    )
    return True


def _row(peer: Peer, upstream: Address) -> list[str]:
    at_rest, clients = _growth(peer, upstream, CLIENTS, _idle_client)
    _, streams = _growth(peer, upstream, STREAMS, _stream)
    return [peer.title(), f"{at_rest / (1 << 20):.1f}", f"{clients / 1024:.1f}", f"{streams / 1024:.1f}"]


def _growth(
    peer: Peer, upstream: Address, count: int, connect: Callable[[Address, ExitStack], None]
) -> tuple[float, float]:
    """Bytes that the proxy holds after its first requests, and by how many it has grown for each connection."""
    with peer.serve(upstream) as server, ExitStack() as stack:
        drive(server.address, [_GET], connections=4, count=1_000)
        time.sleep(SETTLE_SECONDS)
        before = resident_bytes(server.pid)
        for _ in range(count):
            connect(server.address, stack)
        time.sleep(SETTLE_SECONDS)
        return before, (resident_bytes(server.pid) - before) / count


def _idle_client(address: Address, stack: ExitStack) -> None:
    """One that has had an answer and stays."""
    client = stack.enter_context(Client(address, TIMEOUT))
    client.ask(_GET)
    if client.closing:
        raise WrongAnswerError("the connection does not stay open")


def _stream(address: Address, stack: ExitStack) -> None:
    """One that has had its first event. Raises WrongAnswerError when that does not come at once."""
    connection = stack.enter_context(socket.create_connection(address, TIMEOUT))
    connection.sendall(_EVENTS)
    got = b""
    while HELLO not in got:
        try:
            data = connection.recv(65536)
        except TimeoutError:
            data = b""
        if not data:
            raise WrongAnswerError(f"no event within {TIMEOUT:g} seconds, but {got[:300]!r}")
        got += data
