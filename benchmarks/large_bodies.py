"""Large bodies through each proxy, down and up: throughput of one transfer at a time, CPU for it, and the memory.

BENCH_MIB sets the size of a body in MiB; 1024 is what the goal is about, and the default is shorter. Both ends are
cheap (benchmarks/apps/bulk.py), so the proxy is what the transfer waits for. Each first moves a body that is checked
to its last byte.
"""

from __future__ import annotations

import os
import random
import socket
import statistics
import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from benchmarks.apps import bulk
from benchmarks.cpu import peak_bytes, tree_seconds
from benchmarks.load import Address, WrongAnswerError
from benchmarks.peers import apps
from benchmarks.peers.caddy import CADDY
from benchmarks.peers.envoy import ENVOY
from benchmarks.peers.gateway import GATEWAY
from benchmarks.peers.haproxy import HAPROXY
from benchmarks.peers.nginx import NGINX
from benchmarks.peers.peer import Peer, present
from benchmarks.report import fact, table
from benchmarks.server import Server

PEERS = (NGINX, HAPROXY, ENVOY, CADDY, GATEWAY)
MIB = int(os.environ.get("BENCH_MIB", "256"))
CHECKED_MIB = 33
ROUNDS = 5
GOAL = 0.7
# The longest bodies, and how much more memory a gateway may need for them than for short ones.
LONG_MIB = 2048
MOST_GROWTH_MIB = 32
TIMEOUT = 60

_FIELDS = b"Host: bench.example\r\nUser-Agent: bench\r\n"


@dataclass(slots=True)
class Contender:
    """One row of the table. One entry a round: MiB a second, and seconds of CPU a GiB."""

    peer: Peer
    title: str
    server: Server
    down: list[float] = field(default_factory=list)
    up: list[float] = field(default_factory=list)
    down_cpu: list[float] = field(default_factory=list)
    up_cpu: list[float] = field(default_factory=list)


def main() -> bool:
    """Print the table; True when the goals are met."""
    pattern = bulk.pattern_file()
    with ExitStack() as stack:
        stack.callback(os.close, pattern)
        upstream = stack.enter_context(apps.bulk())
        contenders = [
            Contender(peer, peer.title(), stack.enter_context(peer.serve(upstream.address))) for peer in present(PEERS)
        ]
        for contender in contenders:
            _check(contender, pattern)
        _measure(contenders, pattern)
        grown = _growth(stack.enter_context(GATEWAY.serve(upstream.address)), pattern)
    base = next((contender for contender in contenders if contender.peer is NGINX), None)
    table(
        f"{MIB} MiB through each, one transfer at a time, median of {ROUNDS} rounds",
        ["", "down MiB/s", "/nginx", "CPU s/GiB", "up MiB/s", "/nginx", "CPU s/GiB"],
        [_row(contender, base) for contender in contenders],
    )
    small = fact(
        f"{LONG_MIB:,} MiB down and up with at most {MOST_GROWTH_MIB} MiB more of memory: {grown:.1f} MiB",
        grown <= MOST_GROWTH_MIB,
    )
    if base is None:
        return small
    ours = next(contender for contender in contenders if contender.peer is GATEWAY)
    down, up = _ratio(ours.down, base.down), _ratio(ours.up, base.up)
    return all(
        [
            small,
            fact(f"download at {GOAL} of nginx's or better: {down:.2f}", down >= GOAL),
            fact(f"upload at {GOAL} of nginx's or better: {up:.2f}", up >= GOAL),
        ]
    )


def _measure(contenders: Sequence[Contender], pattern: int) -> None:
    size = MIB << 20
    order = list(contenders)
    chance = random.Random(7)
    for _ in range(ROUNDS):
        chance.shuffle(order)
        for contender in order:
            address = contender.server.address
            with _timed(contender, contender.down, contender.down_cpu):
                download(address, size)
            with _timed(contender, contender.up, contender.up_cpu):
                upload(address, pattern, size)


def _growth(server: Server, pattern: int) -> float:
    """By how many MiB the most memory that a gateway has ever had grows with the longest bodies, one each way."""
    for size in (1 << 20, LONG_MIB << 20):
        before = peak_bytes(server.pid)
        download(server.address, size)
        upload(server.address, pattern, size)
    return (peak_bytes(server.pid) - before) / (1 << 20)


@contextmanager
def _timed(contender: Contender, speed: list[float], cpu: list[float]) -> Iterator[None]:
    spent = tree_seconds(contender.server.pid)
    begun = time.perf_counter()
    yield
    speed.append(MIB / (time.perf_counter() - begun))
    cpu.append((tree_seconds(contender.server.pid) - spent) * 1024 / MIB)


def _connect(address: Address) -> socket.socket:
    connection = socket.create_connection(address)
    # Not settimeout(), which makes the socket non-blocking, and os.sendfile fail when it is full.
    for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
        connection.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", TIMEOUT, 0))
    return connection


def download(address: Address, size: int) -> None:
    """Ask for ``size`` bytes and see them come, unread. Raises WrongAnswerError, ConnectionError."""
    with _connect(address) as connection:
        bulk.skip(connection, size - len(_begin_download(connection, size)))


def _begin_download(connection: socket.socket, size: int) -> bytes:
    """The beginning of the body, which came with the head."""
    connection.sendall(b"GET /bytes/%d HTTP/1.1\r\n%b\r\n" % (size, _FIELDS))
    head, begun = bulk.read_head(connection)
    if b" 200 " not in head[:16] or bulk.content_length(head) != size:
        raise WrongAnswerError(f"asked for {size} bytes, got {head!r}")
    return begun


def upload(address: Address, pattern: int, size: int, target: bytes = b"/count", answer: bytes = b"") -> None:
    """Send ``size`` bytes, and hear that they have come. Raises WrongAnswerError."""
    with _connect(address) as connection:
        connection.sendall(b"PUT %b HTTP/1.1\r\n%bContent-Length: %d\r\n\r\n" % (target, _FIELDS, size))
        bulk.send(connection, pattern, size)
        head, body = bulk.read_head(connection)
        while head and len(body) < bulk.content_length(head):
            body += connection.recv(65536)
    wanted = answer or b"%d bytes" % size
    if b" 200 " not in head[:16] or body != wanted:
        raise WrongAnswerError(f"sent {size} bytes, got {head!r} {body!r}")


def _check(contender: Contender, pattern: int) -> None:
    size = CHECKED_MIB << 20
    expected = bulk.expected_checksum(size)
    address = contender.server.address
    upload(address, pattern, size, b"/sum", b"%d bytes, CRC-32 %08x" % (size, expected))
    with _connect(address) as connection:
        begun = _begin_download(connection, size)
        if bulk.checksum(connection, begun, size) != expected:
            raise WrongAnswerError(f"{contender.title} changed a body of {size} bytes on its way")


def _row(contender: Contender, base: Contender | None) -> list[str]:
    cells = [contender.title]
    for speed, cpu, theirs in (
        (contender.down, contender.down_cpu, base and base.down),
        (contender.up, contender.up_cpu, base and base.up),
    ):
        cells.append(f"{statistics.median(speed):,.0f}")
        cells.append(f"{_ratio(speed, theirs):.2f}" if theirs else "n/a")
        cells.append(f"{statistics.median(cpu):.2f}")
    return cells


def _ratio(mine: Sequence[float], others: Sequence[float]) -> float:
    return statistics.median(a / b for a, b in zip(mine, others, strict=True))
