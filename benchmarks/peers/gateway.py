"""`gateway run` with its defaults, in front of a remote app."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.load import Address
from benchmarks.peers.peer import Peer
from benchmarks.server import Server, gateway

ROUTES = 100


def routes_text(upstream: Address, *, connections: int = 256) -> str:
    """A migration of a hundred routes in the middle: every one is split half and half, by the gateway's own cookie.

    Both backends are the same app, so that only the choice between them is measured.
    """
    url = f"http://{upstream[0]}:{upstream[1]}"
    backend = f'{{url: "{url}", connections: {connections}}}'
    lines = ["version: 1", "backends:", f"  legacy: {backend}", f"  new: {backend}", "default: legacy", "routes:"]
    for number in range(ROUTES // 2):
        split = "to: {legacy: 50, new: 50}, sticky: cookie, group: catalogue"
        lines += [
            f'  - {{path: "/api/resource{number}", {split}}}',
            f'  - {{path: "/api/resource{number}/{{id}}", methods: [GET, PUT, DELETE], {split}}}',
        ]
    return "\n".join(lines) + "\n"


def serve(upstream: Address) -> contextlib.AbstractContextManager[Server]:
    return _run(routes_text(upstream))


def serve_many(upstream: Address) -> contextlib.AbstractContextManager[Server]:
    """With as many connections to the app as there are streams; more than a backend has unless it says so."""
    return _run(routes_text(upstream, connections=8192))


@contextlib.contextmanager
def _run(text: str) -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as folder:
        routes = Path(folder) / "routes.yaml"
        routes.write_text(text)
        with gateway(routes) as server:
            yield server


GATEWAY = Peer("gateway run", serve)
GATEWAY_MANY = Peer("gateway run", serve_many)
