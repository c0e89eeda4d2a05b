"""One small request through each proxy: what it costs, and how long it takes.

All run at once, with one worker each, in front of the same app, and are loaded in turns; a ratio is taken inside each
round, between neighbours in time. CPU is that of the proxy's whole process tree, the admin listener and the metrics
of `gateway run` included. The gateway has a hundred routes to choose from and splits each by a cookie; the others
have one route.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field

from benchmarks import wrk
from benchmarks.apps.books_fastapi import BOOK
from benchmarks.cpu import tree_seconds
from benchmarks.embedded_fastapi import sticky_cookies
from benchmarks.peers import nginx
from benchmarks.peers.apps import quick
from benchmarks.peers.caddy import CADDY
from benchmarks.peers.envoy import ENVOY
from benchmarks.peers.gateway import GATEWAY, ROUTES
from benchmarks.peers.haproxy import HAPROXY
from benchmarks.peers.nginx import NGINX
from benchmarks.peers.peer import Peer, present
from benchmarks.peers.recipes import AIOHTTP, HTTPX
from benchmarks.report import goal, table
from benchmarks.server import Server

PEERS = (NGINX, HAPROXY, ENVOY, CADDY, GATEWAY, AIOHTTP, HTTPX)
PATHS = [f"/api/resource{number}/{number * 37}" for number in range(0, ROUTES // 2, 2)]

# Connections, rounds, seconds a round. With 512, the first requests come in one burst while the connections are made;
# a round is long enough for them to be less than one in a hundred.
BUSY = (32, 4, 1)
ALONE = (1, 3, 1)
CROWD = (512, 2, 3)


@dataclass(slots=True)
class Contender:
    """One row of the table. Each list has one entry a round, in seconds unless it says otherwise."""

    peer: Peer
    title: str
    server: Server
    cpu: list[float] = field(default_factory=list)  # a request, at 32 connections
    rate: list[float] = field(default_factory=list)  # requests a second, at 32 connections
    alone: list[float] = field(default_factory=list)  # p50 at one connection
    busy: list[float] = field(default_factory=list)  # p99 at 32 connections
    crowd: list[float] = field(default_factory=list)  # p99 at 512 connections

    def cpu_ratio(self, other: Contender) -> float:
        return _ratio(self.cpu, other.cpu)


def main() -> bool:
    """Print the table; True when the goals are met."""
    with ExitStack() as stack:
        upstream = stack.enter_context(_upstream())
        contenders = [
            Contender(peer, peer.title(), stack.enter_context(peer.serve(upstream.address))) for peer in present(PEERS)
        ]
        _measure(contenders)
    rows = {contender.peer.name: contender for contender in contenders}
    table(
        f"A small JSON answer of {upstream.name} through each, one worker; load by {wrk.generator()}",
        ["", "CPU µs/request", "/nginx", "/Envoy", "requests/s", "p50 ms, 1 conn.", "p99 ms, 32", "p99 ms, 512"],
        [_row(contender, rows) for contender in contenders],
    )
    return _goals(rows)


def _upstream() -> AbstractContextManager[Server]:
    return nginx.app(BOOK) if NGINX.missing() is None else quick()


def _measure(contenders: Sequence[Contender]) -> None:
    # Asked of the gateway, and sent to all: requests of one size.
    front = next(contender.server for contender in contenders if contender.peer is GATEWAY)
    cookies = sticky_cookies(front.address, PATHS[0], BOOK, 32)
    chance = random.Random(7)
    order = list(contenders)

    def run(contender: Contender, connections: int, seconds: int) -> wrk.Load:
        return wrk.load(contender.server.address, PATHS, cookies, BOOK, connections=connections, seconds=seconds)

    for contender in contenders:
        run(contender, BUSY[0], 1)  # not counted: caches, connections, code that is compiled on its first use
    for connections, rounds, seconds in (BUSY, ALONE, CROWD):
        for _ in range(rounds):
            chance.shuffle(order)
            for contender in order:
                before = tree_seconds(contender.server.pid)
                load = run(contender, connections, seconds)
                if connections == BUSY[0]:
                    contender.cpu.append((tree_seconds(contender.server.pid) - before) / load.answers)
                    contender.rate.append(load.answers / load.seconds)
                    contender.busy.append(load.p99)
                elif connections == ALONE[0]:
                    contender.alone.append(load.p50)
                else:
                    contender.crowd.append(load.p99)


def _row(contender: Contender, rows: dict[str, Contender]) -> list[str]:
    ratios = [f"{contender.cpu_ratio(rows[peer.name]):.2f}" if peer.name in rows else "n/a" for peer in (NGINX, ENVOY)]
    return [
        contender.title,
        f"{statistics.median(contender.cpu) * 1e6:.1f}",
        *ratios,
        f"{statistics.median(contender.rate):,.0f}",
        *(f"{statistics.median(times) * 1e3:.3f}" for times in (contender.alone, contender.busy, contender.crowd)),
    ]


def _goals(rows: dict[str, Contender]) -> bool:
    """What cannot be compared here, for want of a peer, is not missed."""
    ours = rows[GATEWAY.name]
    met = []
    if ENVOY.name in rows:
        ratio = ours.cpu_ratio(rows[ENVOY.name])
        met.append(goal("CPU, against Envoy", ratio, 1.0))
        met.append(goal("CPU, against Envoy, above which it is not done", ratio, 1.4))
    if CADDY.name in rows:
        met.append(goal("CPU, against Caddy", ours.cpu_ratio(rows[CADDY.name]), 0.65))
        met.append(goal("p99 at 512 connections, against Caddy", _ratio(ours.crowd, rows[CADDY.name].crowd), 1.0))
    if HTTPX.name in rows:
        met.append(goal("CPU, against the httpx recipe", ours.cpu_ratio(rows[HTTPX.name]), 1 / 25, ".3f"))
    if NGINX.name in rows:
        met.append(goal("p50 at one connection, against nginx", _ratio(ours.alone, rows[NGINX.name].alone), 1.5))
    return all(met)


def _ratio(mine: Sequence[float], others: Sequence[float]) -> float:
    return statistics.median(a / b for a, b in zip(mine, others, strict=True))
